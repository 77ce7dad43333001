"""A Selenium grid as small as it can be: a hub that WebDriver clients talk to, and nodes with one browser each.

Of Selenium 4's interface it has what its clients use: sessions, /status with nodes and slots, and the upload of files
that a page's form is to send. Both the paths of Selenium 4 and the older prefix /wd/hub answer. There is no event bus:
a node tells the hub about itself every second, over HTTP, and is forgotten when it has been silent for ten.
"""

import base64
import http.client
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = "uvlhub-aspire"
HUB_PORT = 4444
NODE_PORT = 5555
DRIVER_PORT = 9515
OPTIONS = "goog:chromeOptions"
PROGRAM = "/usr/bin/chromium"
BROWSER = "chrome"
ANNOUNCE_EVERY = 1
SILENCE_LIMIT = 10
COMMAND_LIMIT = 300
IDLE_LIMIT = int(os.environ.get("SE_NODE_SESSION_TIMEOUT") or 300)
QUEUE_LIMIT = int(os.environ.get("SE_SESSION_REQUEST_TIMEOUT") or 300)


def send(host, port, method, path, body=None, limit=COMMAND_LIMIT):
    """One request; returns status and body."""
    connection = http.client.HTTPConnection(host, port, timeout=limit)
    try:
        headers = {"Content-Type": "application/json; charset=utf-8"} if body is not None else {}
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


class WebDriverError(Exception):
    """An error in WebDriver's own form."""

    def __init__(self, status, error, message):
        super().__init__(message)
        self.status, self.error = status, error


class Handler(BaseHTTPRequestHandler):
    """Reads a request, hands it to the server's answer(), writes what comes back."""

    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
        path = self.path.removeprefix("/wd/hub") or "/"
        try:
            status, answer = self.server.answer(self.command, path, body, self.client_address[0])
        except WebDriverError as failure:
            status, answer = failure.status, {"value": {"error": failure.error, "message": str(failure), "stacktrace": ""}}
        except (OSError, http.client.HTTPException) as failure:
            status, answer = 500, {"value": {"error": "unknown error", "message": f"the browser's node cannot be reached: {failure}", "stacktrace": ""}}
        except ValueError as failure:
            status, answer = 400, {"value": {"error": "invalid argument", "message": f"not a request that can be read: {failure}", "stacktrace": ""}}
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = do_PUT = handle_any

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def session_of(path):
    """The session's id in a path, or None."""
    parts = path.split("?")[0].split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "session" else None


class Hub(Server):
    def __init__(self):
        super().__init__(("0.0.0.0", HUB_PORT), Handler)
        self.changed = threading.Condition()
        self.nodes = {}
        self.sessions = {}
        threading.Thread(target=self.tidy, daemon=True).start()

    def answer(self, method, path, body, client):
        if path == "/status":
            return 200, {"value": self.status()}
        if path == "/announce" and method == "POST":
            return self.announce(client, json.loads(body))
        if path == "/session" and method == "POST":
            return self.create(body)
        session = session_of(path)
        if session is None:
            raise WebDriverError(404, "unknown command", f"the grid has no {path}")
        return self.forward(method, path, body, session)

    def announce(self, host, node):
        with self.changed:
            known = self.nodes.get(host)
            if known is None or known["id"] != node["id"]:
                # A node that has started anew knows nothing of the sessions of before.
                self.drop(host)
                self.nodes[host] = {"id": node["id"], "browser": node["browser"], "slots": node["slots"], "used": 0}
                print(f"node {host} with {node['browser']} joined", flush=True)
                self.changed.notify_all()
            self.nodes[host]["seen"] = time.monotonic()
        return 200, {"value": None}

    def drop(self, host):
        self.nodes.pop(host, None)
        self.sessions = {session: place for session, place in self.sessions.items() if place["host"] != host}

    def create(self, body):
        wanted = self.browsers_wanted(json.loads(body or b"{}"))
        host = self.take_slot(wanted)
        kept = False
        try:
            status, content = send(host, NODE_PORT, "POST", "/session", body)
            if status == 200:
                session = json.loads(content)["value"]["sessionId"]
                with self.changed:
                    self.sessions[session] = {"host": host, "used": time.monotonic(), "started": time.time()}
                kept = True
                print(f"session {session} on {host}", flush=True)
            return status, content
        finally:
            if not kept:
                self.free_slot(host)

    @staticmethod
    def browsers_wanted(request):
        """The browsers that the capabilities name; empty if any will do."""
        capabilities = request.get("capabilities", {})
        always = capabilities.get("alwaysMatch", {})
        names = {choice.get("browserName", always.get("browserName")) for choice in capabilities.get("firstMatch") or [{}]}
        names |= {request.get("desiredCapabilities", {}).get("browserName")} if not capabilities else set()
        return {name for name in names if name}

    def take_slot(self, wanted):
        deadline = time.monotonic() + QUEUE_LIMIT
        with self.changed:
            while True:
                for host, node in self.nodes.items():
                    if node["used"] < node["slots"] and (not wanted or node["browser"] in wanted):
                        node["used"] += 1
                        return host
                left = deadline - time.monotonic()
                if left <= 0 or not self.changed.wait(left):
                    have = ", ".join(sorted({node["browser"] for node in self.nodes.values()})) or "none"
                    raise WebDriverError(
                        500, "session not created",
                        f"no browser was free within {QUEUE_LIMIT} s: asked for {', '.join(sorted(wanted)) or 'any'}, the grid has {have}")

    def free_slot(self, host):
        with self.changed:
            if host in self.nodes:
                self.nodes[host]["used"] = max(0, self.nodes[host]["used"] - 1)
            self.changed.notify_all()

    def forward(self, method, path, body, session):
        with self.changed:
            place = self.sessions.get(session)
            if place is not None:
                place["used"] = time.monotonic()
        if place is None:
            raise WebDriverError(404, "invalid session id", f"the grid has no session {session}; it ended, or its browser's node is gone")
        ends = method == "DELETE" and path.rstrip("/") == f"/session/{session}"
        try:
            return send(place["host"], NODE_PORT, method, path, body)
        finally:
            with self.changed:
                place["used"] = time.monotonic()
                ended = ends and self.sessions.pop(session, None) is not None
            if ended:
                self.free_slot(place["host"])

    def status(self):
        with self.changed:
            nodes = [
                {
                    "id": node["id"], "uri": f"http://{host}:{NODE_PORT}", "maxSessions": node["slots"], "availability": "UP", "version": VERSION,
                    "osInfo": {"name": "Linux", "arch": "", "version": ""},
                    "slots": list(self.slots(host, node)),
                }
                for host, node in self.nodes.items()
            ]
        ready = bool(nodes)
        return {"ready": ready, "message": "Selenium Grid ready." if ready else "Selenium Grid not ready: no node has joined.", "nodes": nodes}

    def slots(self, host, node):
        stereotype = {"browserName": node["browser"], "platformName": "linux"}
        sessions = [session for session, place in self.sessions.items() if place["host"] == host]
        for number in range(node["slots"]):
            session = sessions[number] if number < len(sessions) else None
            yield {"id": {"hostId": node["id"], "id": str(number)}, "stereotype": stereotype, "session": session and {"sessionId": session, "stereotype": stereotype}}

    def tidy(self):
        """Forgets nodes that are silent, and ends sessions that nobody uses any more."""
        while True:
            time.sleep(1)
            now = time.monotonic()
            with self.changed:
                silent = [host for host, node in self.nodes.items() if now - node["seen"] > SILENCE_LIMIT]
                for host in silent:
                    print(f"node {host} is gone", flush=True)
                    self.drop(host)
                idle = [session for session, place in self.sessions.items() if now - place["used"] > IDLE_LIMIT]
            for session in idle:
                print(f"session {session} ends: not used for {IDLE_LIMIT} s", flush=True)
                try:
                    self.forward("DELETE", f"/session/{session}", None, session)
                except (OSError, http.client.HTTPException, WebDriverError):
                    pass


class Node(Server):
    def __init__(self, hub):
        super().__init__(("0.0.0.0", NODE_PORT), Handler)
        self.hub = hub
        self.identity = str(uuid.uuid4())
        self.uploads = {}
        threading.Thread(target=self.announce, daemon=True).start()

    def answer(self, method, path, body, _):
        session = session_of(path)
        if session is not None and method == "POST" and path.split("/")[3:] in (["se", "file"], ["file"]):
            return 200, {"value": self.keep_file(session, json.loads(body)["file"])}
        if (method, path.rstrip("/")) == ("POST", "/session"):
            body = with_flags(body)
        status, content = send("127.0.0.1", DRIVER_PORT, method, path, body)
        if method == "DELETE" and session is not None and path.rstrip("/") == f"/session/{session}":
            folder = self.uploads.pop(session, None)
            if folder is not None:
                folder.cleanup()
        return status, content

    def keep_file(self, session, content):
        """Keeps a file that the client has and a page is to upload; it comes as a zip archive in base64."""
        folder = self.uploads.setdefault(session, tempfile.TemporaryDirectory(prefix="upload-"))
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(content))) as archive:
            return archive.extract(archive.infolist()[0], tempfile.mkdtemp(dir=folder.name))

    def announce(self):
        slots = int(os.environ.get("SE_NODE_MAX_SESSIONS") or 1)
        body = json.dumps({"id": self.identity, "browser": BROWSER, "slots": slots}).encode()
        joined = None
        while True:
            try:
                ready = send("127.0.0.1", DRIVER_PORT, "GET", "/status", limit=5)[0] == 200
                works = ready and send(self.hub, HUB_PORT, "POST", "/announce", body, limit=5)[0] == 200
            except (OSError, http.client.HTTPException):
                works = False
            if works != joined:
                print(f"joined the hub {self.hub}" if works else f"waiting for the hub {self.hub}", flush=True)
                joined = works
            time.sleep(ANNOUNCE_EVERY)


def with_flags(body):
    """A wish for a session, on the program that takes container-flags: the driver by itself looks for the one behind it."""
    request = json.loads(body or b"{}")
    capabilities = request.get("capabilities")
    choices = [choice for choice in (capabilities or {}).get("firstMatch") or [] if OPTIONS in choice]
    for options in choices or [request.setdefault("desiredCapabilities", {}) if capabilities is None else capabilities.setdefault("alwaysMatch", {})]:
        options.setdefault(OPTIONS, {}).setdefault("binary", PROGRAM)
    return json.dumps(request).encode()


def start_browser_host():
    """A screen, which VNC clients see on port 5900, and the browser's driver. When one of them ends, so does the node."""
    width, height = os.environ.get("SE_SCREEN_WIDTH") or "1920", os.environ.get("SE_SCREEN_HEIGHT") or "1080"
    os.environ["DISPLAY"] = ":99"
    parts = [
        subprocess.Popen(["Xvnc", ":99", "-geometry", f"{width}x{height}", "-depth", "24", "-SecurityTypes", "None", "-rfbport", "5900", "-AlwaysShared"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
        subprocess.Popen(["chromedriver", f"--port={DRIVER_PORT}", "--log-level=WARNING"]),
    ]
    for part in parts:
        threading.Thread(target=lambda process=part: (process.wait(), print(f"{process.args[0]} ended with code {process.returncode}", flush=True), os._exit(1)),
                         daemon=True).start()


def main():
    # As process 1 it gets no signal's default effect.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    hub = os.environ.get("SE_EVENT_BUS_HOST")
    if hub or sys.argv[1:] == ["standalone"]:
        start_browser_host()
    if hub:
        server = Node(hub)
        print(f"node with {BROWSER}, {os.environ.get('SE_NODE_MAX_SESSIONS') or 1} session(s), screen on port 5900", flush=True)
        server.serve_forever()
    server = Hub()
    if sys.argv[1:] == ["standalone"]:
        threading.Thread(target=Node("127.0.0.1").serve_forever, daemon=True).start()
    print(f"hub on port {HUB_PORT}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
