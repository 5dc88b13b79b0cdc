"""Engines for the database that the environment names, by either driver."""

import os
import urllib.parse

from sqlalchemy import URL, create_engine
from sqlalchemy.ext.asyncio import create_async_engine


def url(driver):
    """The tests' server is reached by a socket, which SQLAlchemy wants to be told as a parameter."""
    given = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
    user, host = given.netloc.split("@")
    folder, port = urllib.parse.unquote(host).rsplit(":", 1)
    return URL.create(
        f"postgresql+{driver}",
        username=user,
        database=given.path.lstrip("/"),
        query={"host": folder, "port": port},
    )


def engine(**options):
    return create_engine(url("psycopg2"), **options)


def async_engine(**options):
    return create_async_engine(url("asyncpg"), **options)
