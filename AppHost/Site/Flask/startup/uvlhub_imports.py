"""Imports ahead what does not depend on the schema: what a server needs while its start script waits for that, and what the
migrator's commands have in common."""

import glob
import importlib
import os
import re
import warnings

_IMPORT = re.compile(r"^(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w., \t]+))", re.MULTILINE)
_FRAMEWORK = ["flask.cli", "sqlalchemy.orm", "sqlalchemy.dialects.mysql.pymysql", "alembic.script"]
_SERVER = ["werkzeug.serving"]
_DEVELOPMENT = ["werkzeug._reloader", "werkzeug.debug"]
_COMMANDS = ["flask_migrate", "alembic.command"]
# Each `flask` command loads all of them.
_PLUGINS = "flask.commands"
_TELEMETRY = [
    "uvlhub_telemetry",
    "opentelemetry.sdk.trace.export",
    "opentelemetry.sdk._logs.export",
    "opentelemetry.instrumentation.flask",
    "opentelemetry.instrumentation.logging.handler",
]
# They replace parts of Python, and what has been imported before them keeps the old ones.
_PATCHING = {"gevent", "eventlet"}
# What is loaded by the application's own managers, by name.
_MODULES = "app/modules/*/"


def load(command):
    """For a command that serves."""
    names = _FRAMEWORK + _SERVER
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        names += _TELEMETRY
    # gunicorn loads the application in processes that it forks, where not everything works that was begun before.
    if command[0] == "flask":
        _load(names + _DEVELOPMENT, _packages())
    else:
        _load(names, [])


def load_for_commands():
    from importlib.metadata import entry_points

    _load(_FRAMEWORK + _COMMANDS + [plugin.module for plugin in entry_points(group=_PLUGINS)], _packages())


def _load(names, packages):
    if not _PATCHING.isdisjoint(name.partition(".")[0] for name in packages):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names + packages:
            try:
                importlib.import_module(name)
            except (Exception, SystemExit):
                # Whoever needs it will say so.
                pass


def _packages():
    """The packages that the application's modules name, and those that they name in their turn; its own are compiled only."""
    import py_compile

    ahead = ["app", *(path[:-3].replace("/", ".") for kind in ("__init__", "routes", "models") for path in glob.glob(f"{_MODULES}{kind}.py"))]
    seen, packages = set(), {}
    while ahead:
        name = ahead.pop().removesuffix(".__init__")
        if name in seen:
            continue
        seen.add(name)
        path = name.replace(".", "/")
        file = next((file for file in (f"{path}/__init__.py", f"{path}.py") if os.path.isfile(file)), None)
        if file is None:
            # A folder without a file of its own is the checkout's, too.
            if not os.path.isdir(name.partition(".")[0]):
                packages[name] = None
            continue
        try:
            with open(file, encoding="utf-8") as reader:
                text = reader.read()
            py_compile.compile(file, doraise=True)
        except (OSError, ValueError, py_compile.PyCompileError):
            continue
        for source, plain in _IMPORT.findall(text):
            ahead += [source] if source else [word.split()[0] for word in plain.split(",") if word.strip()]
    return list(packages)
