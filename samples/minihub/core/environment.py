"""Where the code lies. Needs nothing but python-dotenv: Locust's image has no Flask application in it."""

import os

from dotenv import load_dotenv

# Docker hands the variables over; outside of it they come from the file.
load_dotenv()


def working_dir() -> str:
    """The folder of the code, with a trailing slash; empty means the current folder."""
    return os.getenv("WORKING_DIR", "")
