"""Starts a command where the site is deployed: python uvlhub_start.py [--wait-for-schema] [--drain SECONDS] -- COMMAND...

Secrets that are mounted as files (NAME_FILE=/run/secrets/...) become variables, for that is what the checkout reads. With
--wait-for-schema the command starts when the database is at the revision that this image's code was written for; the
orchestrators start everything at once, and the migrator takes its time. With --drain the command goes on for a while after it
was told to end, until nobody sends it requests any more."""

import os
import signal
import subprocess
import sys
import threading
import time

SCHEMA_TIMEOUT = float(os.environ.get("UVLHUB_SCHEMA_TIMEOUT", "900"))


def read_secrets():
    for name, path in list(os.environ.items()):
        if name.endswith("_FILE") and path.startswith("/run/secrets/"):
            with open(path, encoding="utf-8") as file:
                os.environ[name[: -len("_FILE")]] = file.read().rstrip("\n")


def revision():
    """The revision that the database is at; None while it has none."""
    import pymysql

    connection = pymysql.connect(
        host=os.environ.get("MARIADB_HOSTNAME", "db"),
        port=int(os.environ.get("MARIADB_PORT", "3306")),
        user=os.environ["MARIADB_USER"],
        password=os.environ.get("MARIADB_PASSWORD", ""),
        database=os.environ["MARIADB_DATABASE"],
        connect_timeout=3,
    )
    with connection, connection.cursor() as cursor:
        try:
            cursor.execute("SELECT version_num FROM alembic_version")
        except pymysql.err.ProgrammingError:
            return None
        rows = cursor.fetchall()
        return rows[0][0] if rows else None


def wait_for_schema():
    from alembic.script import ScriptDirectory

    script = ScriptDirectory("migrations")
    heads = set(script.get_heads())
    known = {entry.revision for entry in script.walk_revisions()}
    deadline = time.monotonic() + SCHEMA_TIMEOUT
    said = None
    while True:
        try:
            current = revision()
            # A revision that this code does not know is newer: another version has migrated already, and this one is
            # still being replaced.
            if current in heads or (current is not None and current not in known):
                return
            why = f"the database is at {current or 'no revision'}, this version needs {' '.join(sorted(heads))}"
        except Exception as error:
            why = f"the database does not answer: {error}"
        if why != said:
            print(f"uvlhub_start: waiting: {why}", file=sys.stderr, flush=True)
            said = why
        if time.monotonic() > deadline:
            sys.exit(f"uvlhub_start: gave up after {SCHEMA_TIMEOUT:.0f} s: {why}. See what the migrator says.")
        time.sleep(0.5)


def run(command, drain):
    process = subprocess.Popen(command)

    def end(number, _):
        threading.Timer(drain, process.send_signal, [number]).start()

    signal.signal(signal.SIGTERM, end)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, lambda received, _: process.send_signal(received))
    code = process.wait()
    sys.exit(code if code >= 0 else 128 - code)


def count_workers():
    """As many as the AppHost takes on its own machine: see Uvlhub:Gunicorn:Workers."""
    if not os.environ.get("WEB_CONCURRENCY"):
        os.environ["WEB_CONCURRENCY"] = str(min(2 * len(os.sched_getaffinity(0)) + 1, 9))


def main(arguments):
    at = arguments.index("--")
    options, command = arguments[:at], arguments[at + 1 :]
    read_secrets()
    count_workers()
    if "--wait-for-schema" in options:
        wait_for_schema()
    if "--drain" in options:
        run(command, float(options[options.index("--drain") + 1]))
    else:
        os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
