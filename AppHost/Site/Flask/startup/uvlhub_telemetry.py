"""Sends what the checkout's code does to the Aspire dashboard, without a line in the checkout: the requests and SQL
statements as traces, the log records, and their durations as metrics. `sitecustomize` calls in here once a process is
about to serve requests or jobs; a command that the migrator runs only notes down what it does, and a process of its own
sends that after it. Everything that OpenTelemetry needs to know comes from the OTEL_* variables that Aspire sets."""

import atexit
import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

HEALTH_CHECK_AGENT = "UvlhubAspire-HealthCheck"
SCOPE = "uvlhub_aspire"

_SAID = "UVLHUB_TELEMETRY_MISSING"
_FLUSH_SECONDS = 1.0
_MOST_STATEMENTS = 2000
_LONGEST_STATEMENT = 4000
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE|TABLE(?:\s+IF\s+(?:NOT\s+)?EXISTS)?)\s+[`\"]?(\w+)", re.IGNORECASE)


def say(text):
    print(f"UvlhubAspire: {text}", file=sys.stderr, flush=True)


# --- what is common to servers and commands -----------------------------------------------------------------------


def _describe(connection, statement):
    """The name and the attributes of a statement's span. Its values are not in it: they may be secret."""
    url = connection.engine.url
    # The driver speaks MySQL's protocol, and what answers in uvlhub is MariaDB.
    system = "mariadb" if connection.engine.dialect.name == "mysql" else connection.engine.dialect.name
    operation = statement.split(None, 1)[0].upper() if statement.strip() else "SQL"
    table = _TABLE.search(statement)
    attributes = {
        "db.system": system,
        "db.system.name": system,
        "db.namespace": url.database or "",
        "db.operation.name": operation,
        "db.query.text": statement[:_LONGEST_STATEMENT],
        "server.address": url.host or "",
    }
    if url.port:
        attributes["server.port"] = url.port
    return f"{operation} {table.group(1)}" if table else operation, attributes


def _watch_statements(begin, end):
    """Calls `begin(connection, statement)` before each statement of any SQLAlchemy engine and `end(what it returned, error)` after it."""
    try:
        from sqlalchemy import event
        from sqlalchemy.engine import Engine
    except ImportError:
        return

    def before(connection, cursor, statement, parameters, context, executemany):
        connection.info.setdefault("uvlhub_aspire", []).append(begin(connection, statement))

    def after(connection, cursor, statement, parameters, context, executemany):
        begun = connection.info.get("uvlhub_aspire")
        if begun:
            end(begun.pop(), None)

    def failed(exception):
        begun = exception.connection and exception.connection.info.get("uvlhub_aspire")
        if begun:
            end(begun.pop(), exception.original_exception)

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    event.listen(Engine, "handle_error", failed)


# --- a process that serves ----------------------------------------------------------------------------------------


class _Providers:
    def __init__(self):
        from opentelemetry import trace
        from opentelemetry._logs import set_logger_provider
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        _say_export_problems_once()
        _go_past_proxies()
        self._resource = Resource.create()
        self._metrics = None

        # Each of them would flush without a limit when the process ends, and the reload would wait for it.
        self.traces = TracerProvider(resource=self._resource, sampler=_sampler(), shutdown_on_exit=False)
        self.traces.add_span_processor(BatchSpanProcessor(_LoadedLater(_span_exporter)))
        trace.set_tracer_provider(self.traces)

        self.logs = LoggerProvider(resource=self._resource, shutdown_on_exit=False)
        self.logs.add_log_record_processor(BatchLogRecordProcessor(_LoadedLater(_log_exporter)))
        set_logger_provider(self.logs)

    def measure(self):
        from opentelemetry import metrics
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

        reader = PeriodicExportingMetricReader(OTLPMetricExporter())
        self._metrics = MeterProvider([reader], resource=self._resource, shutdown_on_exit=False)
        metrics.set_meter_provider(self._metrics)

    def flush(self):
        for provider in (self.traces, self.logs, self._metrics):
            if provider is not None:
                provider.force_flush()

    def flush_bounded(self):
        flushing = threading.Thread(target=self.flush, daemon=True)
        flushing.start()
        flushing.join(_FLUSH_SECONDS)


class _LoadedLater:
    """An exporter that the exporting thread loads when it needs it: that takes longer than all the rest, and the site
    need not wait for it."""

    def __init__(self, load):
        self._load = load
        self._exporter = None

    def export(self, batch):
        if self._exporter is None:
            self._exporter = self._load()
        return self._exporter.export(batch)

    def shutdown(self):
        if self._exporter is not None:
            self._exporter.shutdown()

    def force_flush(self, timeout_millis=30000):
        return True


def _span_exporter():
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _log_exporter():
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

    return OTLPLogExporter()


def _sampler():
    """Everything but the AppHost's own health checks, which would bury what the developer did."""
    from opentelemetry.sdk.trace import sampling

    class WithoutHealthChecks(sampling.Sampler):
        def should_sample(self, parent_context, trace_id, name, kind=None, attributes=None, *arguments, **options):
            if attributes and attributes.get("user_agent.original", attributes.get("http.user_agent")) == HEALTH_CHECK_AGENT:
                return sampling.SamplingResult(sampling.Decision.DROP)
            return sampling.SamplingResult(sampling.Decision.RECORD_AND_SAMPLE, attributes)

        def get_description(self):
            return "WithoutHealthChecks"

    own = WithoutHealthChecks()
    return sampling.ParentBased(own, remote_parent_sampled=own, remote_parent_not_sampled=own)


def _go_past_proxies():
    """The engine may give containers a proxy, which does not know the dashboard."""
    dashboard = urlsplit(os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]).hostname
    for variable in ("no_proxy", "NO_PROXY"):
        os.environ[variable] = ",".join(filter(None, (os.environ.get(variable), dashboard)))


def _say_export_problems_once():
    """The exporters complain every second while the dashboard cannot be reached."""

    class Once(logging.Handler):
        said = False

        def emit(self, record):
            if not Once.said:
                Once.said = True
                say(f"telemetry does not reach the dashboard, and the site goes on without it: {record.getMessage()}")

    logger = logging.getLogger("opentelemetry")
    logger.propagate = False
    logger.addHandler(Once(logging.WARNING))


def _send_log_records(provider):
    """From where every record passes, because a handler on the root logger would change what others do: Flask and
    Werkzeug print to the console only as long as nobody else has a handler."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from opentelemetry.instrumentation.logging.handler import LoggingHandler
        except ImportError:
            from opentelemetry.sdk._logs import LoggingHandler
        handler = LoggingHandler(logger_provider=provider)

    call_handlers = logging.Logger.callHandlers

    def call_handlers_and_send(logger, record):
        # What exporting says would be exported in its turn; the access log is what the traces show.
        name = record.name.partition(".")[0]
        if name not in ("opentelemetry", "urllib3") and not (name == "werkzeug" and record.levelno < logging.WARNING):
            handler.handle(record)
        call_handlers(logger, record)

    logging.Logger.callHandlers = call_handlers_and_send


def _trace_statements():
    from opentelemetry import metrics, trace

    tracer = trace.get_tracer(SCOPE)
    duration = metrics.get_meter(SCOPE).create_histogram(
        "db.client.operation.duration", unit="s", description="Duration of SQL statements"
    )

    def begin(connection, statement):
        # What nobody asked for, such as a pool that tests its connections, would be a trace of its own.
        if not trace.get_current_span().is_recording():
            return None
        name, attributes = _describe(connection, statement)
        return tracer.start_span(name, kind=trace.SpanKind.CLIENT, attributes=attributes), attributes, time.perf_counter()

    def end(begun, error):
        if begun is None:
            return
        span, attributes, started = begun
        measured = {key: attributes[key] for key in ("db.system.name", "db.namespace", "db.operation.name")}
        if error is not None:
            measured["error.type"] = type(error).__name__
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(trace.StatusCode.ERROR, str(error))
        span.end()
        duration.record(time.perf_counter() - started, measured)

    _watch_statements(begin, end)


def _start():
    """Begins to send traces and log records."""
    providers = _Providers()
    _send_log_records(providers.logs)
    _trace_statements()
    atexit.register(providers.flush_bounded)
    return providers


def say_missing(missing):
    from sitecustomize import why_missing

    os.environ[_SAID] = "1"
    # Werkzeug's reload is a new process each time: the first one has said it.
    if os.environ.get("UVLHUB_RELOADED"):
        return
    say(
        f"no traces, log records and metrics in the dashboard, because this image lacks OpenTelemetry ({missing}"
        f"{why_missing('opentelemetry')}). 'rebuild-image' with every step tries again; Uvlhub:Telemetry=false ends this message"
    )


def check():
    """Says once what is missing, also of what is loaded later only."""
    from importlib.util import find_spec

    try:
        for name in ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http", "opentelemetry.instrumentation.flask"):
            if find_spec(name) is None:
                raise ModuleNotFoundError(f"No module named '{name}'")
    except ImportError as missing:
        say_missing(missing)


def serve(application):
    """Traces the requests of a Flask application that is about to answer its first one."""
    if os.environ.get(_SAID):
        return
    try:
        from flask import Flask
        from opentelemetry.instrumentation.flask import FlaskInstrumentor

        if isinstance(application, Flask):
            providers = _start()
            FlaskInstrumentor().instrument_app(application, response_hook=_correct_address, enable_commenter=False)
            # What was measured before this is done is lost, which nobody sees in a histogram.
            threading.Thread(target=providers.measure, name="uvlhub-telemetry", daemon=True).start()
    except ImportError as missing:
        say_missing(missing)


def _correct_address(span, status, headers):
    """The instrumentation takes the port for a part of the name."""
    from flask import request

    name, _, port = request.host.partition(":")
    if span is not None and port.isdecimal():
        span.set_attributes({"server.address": name, "server.port": int(port)})


def work(worker_class):
    """Traces the jobs of an RQ worker. Each job runs in a process of its own, which ends without a word to anybody."""
    try:
        from opentelemetry import propagate, trace

        providers = _start()
    except ImportError as missing:
        say_missing(missing)
        return

    tracer = trace.get_tracer(SCOPE)
    perform = worker_class.perform_job

    def perform_job(worker, job, *arguments, **options):
        try:
            with tracer.start_as_current_span(
                f"process {job.func_name}",
                context=propagate.extract(job.meta),
                kind=trace.SpanKind.CONSUMER,
                attributes={"messaging.system": "rq", "messaging.operation.name": "process", "messaging.message.id": job.id},
            ) as span:
                succeeded = perform(worker, job, *arguments, **options)
                if not succeeded:
                    span.set_status(trace.StatusCode.ERROR, (job.exc_info or "the job failed").strip().splitlines()[-1])
                return succeeded
        finally:
            providers.flush_bounded()

    worker_class.perform_job = perform_job


def hand_over(job_class):
    """Has a job carry the trace of the request that created it."""
    create = job_class.create.__func__

    def create_with_trace(cls, *arguments, **options):
        job = create(cls, *arguments, **options)
        if "opentelemetry.propagate" in sys.modules:
            sys.modules["opentelemetry.propagate"].inject(job.meta)
        return job

    job_class.create = classmethod(create_with_trace)


# --- a command of the migrator ------------------------------------------------------------------------------------


def note_command():
    """Notes what a command does, for as little as that costs; a process of its own sends it when the command has ended."""
    statements = []
    noted = {"name": " ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]]), "start": time.time_ns(), "statements": statements}

    def begin(connection, statement):
        return (*_describe(connection, statement), time.time_ns()) if len(statements) < _MOST_STATEMENTS else None

    def end(begun, error):
        if begun is not None:
            name, attributes, started = begun
            statements.append({
                "name": name, "attributes": attributes, "start": started, "end": time.time_ns(),
                "error": None if error is None else str(error),
            })

    def send():
        noted["end"] = time.time_ns()
        environment = {key: value for key, value in os.environ.items() if key != "UVLHUB_RUNNER_PROCESS"}
        sender = subprocess.Popen(
            [sys.executable, __file__], env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        sender.stdin.write(json.dumps(noted).encode())
        sender.stdin.close()
        # It outlives this process on purpose.
        sender.returncode = 0

    _watch_statements(begin, end)
    atexit.register(send)


def _send_noted(noted):
    from opentelemetry import propagate, trace

    providers = _Providers()
    tracer = trace.get_tracer(SCOPE)
    parent = propagate.extract({"traceparent": os.environ["TRACEPARENT"]})
    command = tracer.start_span(noted["name"], context=parent, start_time=noted["start"])
    inside = trace.set_span_in_context(command)
    for statement in noted["statements"]:
        span = tracer.start_span(
            statement["name"], context=inside, kind=trace.SpanKind.CLIENT, attributes=statement["attributes"], start_time=statement["start"]
        )
        if statement["error"] is not None:
            span.set_status(trace.StatusCode.ERROR, statement["error"])
        span.end(statement["end"])
    command.end(noted["end"])
    providers.traces.force_flush()


if __name__ == "__main__":
    # Nobody waits for it, and it begins in the middle of a start.
    os.nice(19)
    _send_noted(json.load(sys.stdin))
