"""Runs a SQL file as one string, as a program does that has no psql: initialize.py FILE."""

import os
import sys

import psycopg2

with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor, open(
    sys.argv[1]
) as file:
    cursor.execute(file.read())
