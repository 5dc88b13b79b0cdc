"""Runs one story: its name is the argument, what it needs comes as JSON, what went wrong is told as JSON."""

import json
import sys
import traceback

import stories
from browser import console

given = json.load(sys.stdin)
with console(given["url"]) as desk:
    told = None
    try:
        told = getattr(stories, sys.argv[1])(desk, given)
    except Exception:
        desk.problems.append(traceback.format_exc())
    json.dump({"problems": desk.problems, "told": told or []}, sys.stdout)
