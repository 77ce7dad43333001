"""Reads revision files with Alembic: python -c … FOLDER FILE...

Prints a JSON list, an answer per file. Standard output is for that alone: what a file prints goes to standard error."""

import ast
import json
import os
import re
import sys
import traceback

from alembic.script import Script
from alembic.script.revision import RevisionError
from alembic.util import load_python_file, to_tuple


class Mistake(Exception):
    """What is wrong, and the variable that is."""


def identifiers(module, name):
    values = [value for value in to_tuple(getattr(module, name, None), default=()) if value is not None]
    if not all(isinstance(value, str) and value for value in values):
        raise Mistake(f"'{name}' is {getattr(module, name)!r}, and not an identifier or several", name)
    return list(dict.fromkeys(values))


def read(folder, name):
    module = load_python_file(folder, name)
    if not hasattr(module, "revision"):
        # Alembic's own way with files of its first version: 'ab12.py' is revision 'ab12'.
        legacy = re.fullmatch(r"([a-f0-9]+)\.py", name)
        if legacy is None:
            raise Mistake("no 'revision' is set in it, and Alembic takes every .py file of this folder for a revision", None)
        module.revision = legacy[1]
    if not isinstance(module.revision, str) or not module.revision:
        raise Mistake(f"'revision' is {module.revision!r}, and must be a string that is not empty", "revision")
    if not hasattr(module, "down_revision"):
        raise Mistake("no 'down_revision' is set in it; write down_revision = None if it is the first revision", None)
    found = {
        "id": module.revision,
        "parents": identifiers(module, "down_revision"),
        "branchLabels": identifiers(module, "branch_labels"),
        "dependsOn": identifiers(module, "depends_on"),
    }
    try:
        return found | {"message": Script(module, module.revision, os.path.join(folder, name)).doc}
    except RevisionError as error:
        raise Mistake(str(error), "revision") from error


def lines(path):
    """Where the variables of a file get their values first."""
    with open(path, "rb") as file:
        names = [node for node in ast.walk(ast.parse(file.read())) if isinstance(node, ast.Name)]
    return {node.id: node.lineno for node in reversed(names) if isinstance(node.ctx, ast.Store)}


def answer(folder, name):
    path = os.path.join(folder, name)
    try:
        return {"revision": read(folder, name) | {"parentsLine": lines(path).get("down_revision")}}
    except Mistake as mistake:
        reason, variable = mistake.args
        return {"reason": reason, "line": lines(path).get(variable)}
    except SyntaxError as error:
        return {"reason": error.msg, "line": error.lineno or None if error.filename == path else None}
    except (Exception, SystemExit) as error:
        here = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        return {"reason": traceback.format_exception_only(error)[-1].strip(), "line": here[-1] if here else None}


def main(folder, *names):
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as output:
        os.dup2(2, 1)
        json.dump([answer(os.path.abspath(folder), name) for name in names], output)


main(*sys.argv[1:])
