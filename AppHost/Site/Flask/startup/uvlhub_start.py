"""Starts what runs the checkout's code: python uvlhub_start.py [--wait-for-schema | --wait-for-schema-once] [--drain SECONDS]
-- COMMAND...

Secrets that are mounted as files (NAME_FILE=/run/secrets/...) become variables, for that is what the checkout reads.

With --wait-for-schema the command is held until the migrator vouches for the schema that this code was written for, or for one that
it does not know yet: another version has migrated already, and this one is still being replaced. What does not depend on the schema
is imported meanwhile, and the command runs in the same Python. With --wait-for-schema-once, where the code is mounted, the schema
has to be its own at the container's first start; at a later one the code may have gone on, and any will do that the migrator
vouches for.

`flask run --reload` gets its watching parent here, which loads nothing. With --drain the command goes on for a while after it was
told to end, until nobody sends it requests any more. `uvlhub_start.py --probe PORT` is the health check: it says what is waited for."""

import os
import signal
import sys
import time

# Why the command is held; gone when it is not.
WAITING = "/tmp/uvlhub-waiting"
LET_IN = "/tmp/uvlhub-let-in"
# Between two looks at the database, soon and later; and how long it has to be the same before it is said.
PAUSE, LONG_PAUSE = 0.05, 1
SAID_AFTER = 3
# Werkzeug's child asks to be started again.
RELOAD = 3


def read_secrets():
    for name, path in list(os.environ.items()):
        if name.endswith("_FILE") and path.startswith("/run/secrets/"):
            with open(path, encoding="utf-8") as file:
                os.environ[name[: -len("_FILE")]] = file.read().rstrip("\n")


def count_workers():
    """As many as the AppHost takes on its own machine: see Uvlhub:Gunicorn:Workers."""
    if not os.environ.get("WEB_CONCURRENCY"):
        os.environ["WEB_CONCURRENCY"] = str(min(2 * len(os.sched_getaffinity(0)) + 1, 9))


# --- the schema ---------------------------------------------------------------------------------------------------


class Code:
    """The revisions of the checkout's code."""

    def __init__(self):
        from alembic.script import ScriptDirectory

        script = ScriptDirectory("migrations")
        self.heads = set(script.get_heads())
        self.known = {entry.revision for entry in script.walk_revisions()}


class Gate:
    """The migrator's word, UvlhubRunner's MigrationJournal: a view that the application's account can only read. Where a server gives
    one account one database (UVLHUB_GATE=database), it is in that one, and this account's own."""

    def __init__(self):
        self._connection = None

    def word(self):
        """The revision that the migrator vouches for, and what went wrong last. None, or nothing, for none."""
        database = os.environ["MARIADB_DATABASE"]
        # The driver takes a percent sign for the place of a value, and a name may have one.
        own = "`{}`.uvlhub_runner_gate".format(database.replace("`", "``").replace("%", "%%"))
        gate = own if os.environ.get("UVLHUB_GATE") == "database" else "uvlhub_runner.gate"
        rows = self._ask(f"SELECT revision, problem FROM {gate} WHERE database_name = %s", (database,))
        return rows[0] if rows else (None, None)

    def look(self):
        """The revision that the migrator vouches for and that the database is at. LookupError, with the reason, without one."""
        revision, problem = self.word()
        if not revision:
            raise LookupError(f"the migrator is not done with it{f': {problem}' if problem else ''}")
        quoted = os.environ["MARIADB_DATABASE"].replace("`", "``")
        at = sorted(row[0] for row in self._ask(f"SELECT version_num FROM `{quoted}`.alembic_version", ()))
        if at != sorted(revision.split(", ")):
            raise LookupError(f"it is at {', '.join(at) or 'no revision'}, and the migrator vouches for {revision}")
        return revision

    def _ask(self, statement, values):
        try:
            if self._connection is None:
                self._connection = self._connect()
            with self._connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall()
        except Exception as error:
            # Without the right to read it, or before there is one, the connection is as good as before.
            if error.args[:1] not in ((1142,), (1146,)):
                self.close()
            raise

    @staticmethod
    def _connect():
        try:
            import pymysql as driver
        except ImportError:
            import MySQLdb as driver

        # The authority of a server elsewhere, which then has to prove its name.
        authority = os.environ.get("UVLHUB_DATABASE_CA")
        # Without a database of its own: the migrator ends those who have one before it puts that back.
        return driver.connect(
            host=os.environ.get("MARIADB_HOSTNAME", "db"),
            port=int(os.environ.get("MARIADB_PORT", "3306")),
            user=os.environ["MARIADB_USER"],
            password=os.environ.get("MARIADB_PASSWORD", ""),
            connect_timeout=3,
            autocommit=True,
            **({"ssl": {"ca": authority}} if authority else {}),
        )

    def close(self):
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def check(gate, only_first):
    """Raises the reason why the command cannot start yet."""
    revision = gate.look()
    if only_first and os.path.exists(LET_IN):
        return
    code = Code()
    if revision not in code.heads and (only_first or not code.known.isdisjoint(revision.split(", "))):
        raise LookupError(f"it is at {revision}, this version needs {' '.join(sorted(code.heads))}")


def hold(only_first):
    gate, why, since, said = Gate(), None, time.monotonic(), False
    while True:
        try:
            check(gate, only_first)
            break
        except Exception as error:
            reason = str(error) if isinstance(error, LookupError) else f"{type(error).__name__}: {error}"
        if reason != why:
            why, since, said = reason, time.monotonic(), False
            note(WAITING, f"waiting for the database {os.environ.get('MARIADB_DATABASE')}: {why}")
        if not said and time.monotonic() - since > SAID_AFTER:
            said = True
            print(f"uvlhub_start: waiting for the database: {why}", file=sys.stderr, flush=True)
        time.sleep(PAUSE if time.monotonic() - since < 60 else LONG_PAUSE)
    gate.close()
    note(LET_IN, "")
    if os.path.exists(WAITING):
        os.remove(WAITING)


def note(file, text):
    with open(file, "w", encoding="utf-8") as writer:
        writer.write(text)


def probe(port):
    import urllib.request

    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=8)
    except OSError as error:
        try:
            with open(WAITING, encoding="utf-8") as file:
                sys.exit(file.read())
        except FileNotFoundError:
            sys.exit(str(error))


# --- the command --------------------------------------------------------------------------------------------------


def python_script(command):
    """The file of a command that is a program for this Python; None for any other."""
    import shutil

    path = shutil.which(command[0])
    if path is None:
        return None
    with open(path, "rb") as file:
        shebang = os.fsdecode(file.readline())
    interpreter = shebang.removeprefix("#!").split()[-1:] if shebang.startswith("#!") else []
    # Another Python than this one has other packages.
    found = interpreter and "python" in interpreter[0] and shutil.which(interpreter[0])
    return path if found and os.path.dirname(found) == os.path.dirname(sys.executable) else None


def prepare(command, only_first):
    """Holds the command if only_first is not None, and imports meanwhile what it will need."""
    if only_first is not None:
        if python_script(command) is not None:
            import uvlhub_imports

            uvlhub_imports.load(command)
        hold(only_first)


def become(command):
    """Becomes a command that is no program for this Python; of one that is, this process is called by its words, and its file is
    returned."""
    script = python_script(command)
    if script is None:
        os.execvp(command[0], command)
    sys.argv = [script, *command[1:]]
    sys.path[0] = os.path.dirname(script)
    return script


def run(script):
    import runpy

    runpy.run_path(script, run_name="__main__")


def supervise(first, again=None, drain=0):
    """Runs the command in a process of its own; again as often as Werkzeug asks for it, if it can be."""
    child, is_told_to_end = None, False

    def tell(number, _=None):
        try:
            os.kill(child, number)
        except ProcessLookupError:
            pass

    def end(number, _):
        nonlocal is_told_to_end
        is_told_to_end = True
        if drain and not os.path.exists(WAITING):
            import threading

            threading.Timer(drain, tell, [number]).start()
        else:
            # What Werkzeug's parent does: nobody's request is worth waiting for.
            tell(signal.SIGKILL if again else number)

    others = [signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2]
    serve = first
    while True:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, *others])
        child = os.fork()
        if child == 0:
            for number in (signal.SIGTERM, *others):
                signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM, *others])
            serve()
            sys.exit()
        signal.signal(signal.SIGTERM, end)
        for number in others:
            signal.signal(number, tell)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM, *others])
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code != RELOAD or not again or is_told_to_end:
            sys.exit(0 if is_told_to_end else code if code >= 0 else 128 - code)
        os.environ["UVLHUB_RELOADED"] = "true"
        serve = again


def reload(command, only_first):
    """What Werkzeug's reloader has a process of its own for, which loads Flask to watch another one that has loaded it."""
    import socket

    options = dict(word[2:].split("=", 1) for word in command if word.startswith("--") and "=" in word)
    # Nobody gets in before it listens, and nobody is turned away while it is loaded again.
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((options["host"], int(options["port"])))
    listening.set_inheritable(True)
    os.environ.update(WERKZEUG_RUN_MAIN="true", WERKZEUG_SERVER_FD=str(listening.fileno()))

    def first():
        prepare(command, only_first)
        listening.listen(128)
        run(become(command))

    supervise(first, again=lambda: os.execvp(command[0], command))


def renounce_privileges():
    """What the engine's option of this name does, which a swarm passes over: nothing that runs from here on can gain more."""
    import ctypes

    set_no_new_privileges = 38
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(set_no_new_privileges, 1, 0, 0, 0) != 0:
        sys.exit(f"no-new-privileges: {os.strerror(ctypes.get_errno())}")


def main(arguments):
    if arguments[0] == "--probe":
        probe(arguments[1])
        return
    at = arguments.index("--")
    options, command = arguments[:at], arguments[at + 1 :]
    if "--no-new-privileges" in options:
        renounce_privileges()
    read_secrets()
    only_first = True if "--wait-for-schema-once" in options else False if "--wait-for-schema" in options else None
    if command[0] == "gunicorn":
        count_workers()
    if command[:2] == ["flask", "run"] and "--reload" in command:
        reload(command, only_first)
        return

    def serve():
        prepare(command, only_first)
        run(become(command))

    if "--drain" in options:
        supervise(serve, drain=float(options[options.index("--drain") + 1]))
    else:
        serve()


if __name__ == "__main__":
    main(sys.argv[1:])
