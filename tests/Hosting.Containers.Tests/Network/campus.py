"""A network's proxy for tests, and a package index behind it. Either wants an account of its own; what the proxy carries it prints."""
import base64
import http.server
import io
import os
import threading
import urllib.error
import urllib.request
import zipfile


def account(name):
    return "Basic " + base64.b64encode(os.environ[name].encode()).decode()


def wheel():
    """The package 'demo', of one module."""
    files = {
        "demo.py": "",
        "demo-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
        "demo-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "demo-1.0.dist-info/RECORD": "demo.py,,\ndemo-1.0.dist-info/METADATA,,\ndemo-1.0.dist-info/WHEEL,,\ndemo-1.0.dist-info/RECORD,,\n",
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return archive.getvalue()


PAGES = {
    "/simple/demo/": ("text/html", b'<a href="demo-1.0-py3-none-any.whl">demo-1.0-py3-none-any.whl</a>'),
    "/simple/demo/demo-1.0-py3-none-any.whl": ("application/octet-stream", wheel()),
}


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, kind="text/plain", body=b""):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 401:
            self.send_header("WWW-Authenticate", "Basic")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Index(Handler):
    def do_GET(self):
        if self.headers["Authorization"] != account("INDEX_ACCOUNT"):
            self.answer(401)
        else:
            self.answer(200, *PAGES[self.path]) if self.path in PAGES else self.answer(404)


class Proxy(Handler):
    def do_GET(self):
        if self.headers["Proxy-Authorization"] != account("PROXY_ACCOUNT"):
            return self.answer(407)
        request = urllib.request.Request(self.path, headers={"Authorization": self.headers.get("Authorization", "")})
        try:
            with urllib.request.urlopen(request) as answer:
                self.answer(answer.status, answer.headers["Content-Type"], answer.read())
        except urllib.error.HTTPError as error:
            self.answer(error.code)
        print("carried", self.path, flush=True)


threading.Thread(target=http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Index).serve_forever, daemon=True).start()
http.server.ThreadingHTTPServer(("", 3128), Proxy).serve_forever()
