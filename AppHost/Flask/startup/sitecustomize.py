"""Runs before the checkout's code in every Python process of its containers.

uvlhub reads the modules that it shall not load from WORKING_DIR/.moduleignore. The AppHost's setting for the same must
not write into the checkout, and a file cannot be mounted into a bind-mounted folder without the engine creating it on
the host first. So this one path is answered from the environment: the modules of UVLHUB_IGNORED_MODULES, after those of
the checkout's own file, if it has one.
"""

import builtins
import io
import os
import tempfile

_ignored = [name.strip() for name in os.environ.get("UVLHUB_IGNORED_MODULES", "").split(",") if name.strip()]


def _redirect_moduleignore():
    path = os.path.join(os.environ.get("WORKING_DIR", ""), ".moduleignore")
    real_open, real_stat = builtins.open, os.stat

    try:
        with real_open(path) as file:
            lines = file.read().splitlines()
    except OSError:
        lines = []

    handle, merged = tempfile.mkstemp(prefix="moduleignore-")
    with real_open(handle, "w") as file:
        file.writelines(f"{line}\n" for line in dict.fromkeys([*lines, *_ignored]))

    def is_moduleignore(file):
        try:
            return os.fspath(file) == path
        except TypeError:
            return False

    def open_redirected(file, *arguments, **options):
        return real_open(merged if is_moduleignore(file) else file, *arguments, **options)

    def stat_redirected(file, *arguments, **options):
        return real_stat(merged if is_moduleignore(file) else file, *arguments, **options)

    builtins.open = io.open = open_redirected
    os.stat = stat_redirected


if _ignored:
    _redirect_moduleignore()
