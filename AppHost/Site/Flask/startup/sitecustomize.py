"""Runs before the checkout's code in every Python process of its containers: what the AppHost needs there and must not
write into the checkout. Most of these processes are short, so nothing is imported here that is not needed."""

import os
import sys

_checkout = os.path.join(os.environ.get("WORKING_DIR", ""), "")


def _takes_reloader(words):
    """`flask run --reload` loads Flask twice: in the process that serves, and in one that only watches it and starts it again. The
    start script is that one without loading anything: half the time to the first answer. And a checkout that does not load at all
    shows its error on the page, and comes up once it is mended, instead of ending the container."""
    return (
        words[1:2] == ["run"]
        and os.path.basename(words[0]) == "flask"
        and "--reload" in words
        and all(any(word.startswith(option) for word in words) for option in ("--host=", "--port="))
        and os.environ.get("WERKZEUG_RUN_MAIN") != "true"
    )


if _takes_reloader(sys.argv):
    _script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "uvlhub_start.py")
    os.execv(sys.executable, [sys.executable, _script, "--", "flask", *sys.argv[1:]])


def _keep_caches_of_the_image():
    """Python compiles to PYTHONPYCACHEPREFIX, so that the checkout stays clean, and then ignores what the image has
    compiled already: Flask's first start in a new container took two seconds longer."""
    import importlib._bootstrap_external as bootstrap

    prefixed = bootstrap.cache_from_source

    def cache_from_source(path, *arguments, **options):
        cache = prefixed(path, *arguments, **options)
        if not path.startswith(_checkout):
            folder, name = os.path.split(path)
            image = os.path.join(folder, "__pycache__", os.path.basename(cache))
            if os.path.exists(image):
                return image
        return cache

    bootstrap.cache_from_source = cache_from_source


if sys.pycache_prefix and len(_checkout) > 1:
    _keep_caches_of_the_image()


_waiting = {}


class _Watcher:
    """Finds nothing itself: calls back when a module that somebody waits for has been loaded."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in _waiting:
            return None
        from importlib.util import find_spec

        callback = _waiting.pop(name)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module):
                load(module)
                callback(module)

            spec.loader.exec_module = exec_module
        return spec


def when_loaded(name, callback):
    """Calls back with the module of this name as soon as the process has loaded it."""
    if name in sys.modules:
        callback(sys.modules[name])
        return
    if not _waiting:
        sys.meta_path.insert(0, _Watcher)
    _waiting[name] = callback


def _answer_while_locked_out(flask):
    import uvlhub_lockout

    uvlhub_lockout.prepare(flask)


if os.environ.get("MARIADB_DATABASE") and os.environ.get("MARIADB_USER"):
    when_loaded("flask.app", _answer_while_locked_out)

_telemetry = bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
_debugger = os.environ.get("UVLHUB_DEBUGGER_PORT")
_packages = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "packages")

if (_telemetry or _debugger) and os.path.isdir(_packages):
    # What the AppHost has put into the image beside the checkout's own packages, which come first.
    sys.path.append(_packages)


def why_missing(package):
    """Why a package is not among those that the AppHost has put into the image, as far as that is known."""
    try:
        with open(os.path.join(_packages, f"{package}.missing"), encoding="utf-8") as file:
            return f"; it could not be added: {file.read().strip()}"
    except OSError:
        return ""


def _prepare_to_serve(serving):
    run_simple = serving.run_simple

    def prepare_and_run_simple(hostname, port, application, *arguments, **options):
        if _telemetry:
            import uvlhub_telemetry

            _never_fail("telemetry", uvlhub_telemetry.check)
            _never_fail("telemetry", lambda: uvlhub_telemetry.serve(application))
        if _debugger:
            _never_fail("debugger", _listen_for_debugger)
        return run_simple(hostname, port, application, *arguments, **options)

    serving.run_simple = prepare_and_run_simple


def _listen_for_debugger():
    import time

    try:
        import debugpy
    except ImportError as missing:
        raise ImportError(f"{missing}{why_missing('debugpy')}") from None

    # After a reload the process before this one may not have let go of the port yet.
    for remaining in range(50, -1, -1):
        try:
            debugpy.listen(("0.0.0.0", int(_debugger)))
            return
        except (OSError, RuntimeError):
            if remaining == 0:
                raise
            time.sleep(0.1)


def _work_with_telemetry(worker):
    work = worker.Worker.work

    def work_with_telemetry(self, *arguments, **options):
        import uvlhub_telemetry

        _never_fail("telemetry", lambda: uvlhub_telemetry.work(type(self)))
        return work(self, *arguments, **options)

    worker.Worker.work = work_with_telemetry


def _hand_over_traces(job):
    import uvlhub_telemetry

    _never_fail("telemetry", lambda: uvlhub_telemetry.hand_over(job.Job))


def _note_command(_):
    import uvlhub_telemetry

    _never_fail("telemetry", uvlhub_telemetry.note_command)


def _never_fail(what, step):
    try:
        step()
    except Exception as error:
        print(f"UvlhubAspire: no {what}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)


def note_a_command():
    """Whether this process is a command of the migrator's, which has it in its trace."""
    is_one = _telemetry and bool(os.environ.get("TRACEPARENT"))
    if is_one:
        when_loaded("sqlalchemy.engine", _note_command)
    return is_one


if not note_a_command() and (_telemetry or _debugger):
    when_loaded("werkzeug.serving", _prepare_to_serve)
if _telemetry and not os.environ.get("TRACEPARENT"):
    when_loaded("rq.worker", _work_with_telemetry)
    when_loaded("rq.job", _hand_over_traces)


def _redirect_moduleignore(ignored):
    """uvlhub reads the modules that it shall not load from WORKING_DIR/.moduleignore. A file cannot be mounted into a
    bind-mounted folder without the engine creating it on the host first, so this one path is answered from the
    environment: the modules named there, after those of the checkout's own file, if it has one."""
    import builtins
    import io

    path = os.path.join(_checkout, ".moduleignore")
    real_open, real_stat = builtins.open, os.stat

    try:
        with real_open(path) as file:
            lines = file.read().splitlines()
    except OSError:
        lines = []

    # Whole or not at all: other processes may be reading it.
    merged = f"/tmp/moduleignore-{os.getuid()}"
    with real_open(f"{merged}-{os.getpid()}", "w") as file:
        file.writelines(f"{line}\n" for line in dict.fromkeys([*lines, *ignored]))
    os.replace(file.name, merged)

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


_ignored = [name.strip() for name in os.environ.get("UVLHUB_IGNORED_MODULES", "").split(",") if name.strip()]
if _ignored:
    _redirect_moduleignore(_ignored)
