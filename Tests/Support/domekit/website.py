"""A web server of a test's own on loopback, with good and bad manners by path."""

from __future__ import annotations

import gzip
import json
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BOMB = gzip.compress(b"\0" * (64 << 20), 9)
PICTURE = bytes(range(256)) * 4
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Website

    def do(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(size)
        path = self.path.split("?")[0]
        with self.site.changed:
            self.site.seen.append((self.command, self.path, dict(self.headers.items()), self.body))
            self.site.changed.notify_all()
        behave = getattr(self, "on_" + path.strip("/").split("/")[0].replace("-", "_"), None)
        if behave is None:
            self.answer(b"no such page", 404)
        else:
            behave()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send(self, *pieces: bytes) -> None:
        """As it stands; then the connection ends."""
        self.close_connection = True
        for piece in pieces:
            self.wfile.write(piece)

    def on_pages(self) -> None:
        self.answer(self.site.pages[self.path.split("/")[2]].encode(), Content_Type="text/html; charset=utf-8")

    def on_text(self) -> None:
        self.answer("gr\u00fcn \U0001f600".encode(), Content_Type="text/plain; charset=utf-8", X_Twice="1")

    def on_picture(self) -> None:
        self.answer(PICTURE, Content_Type="image/x-test")

    def on_echo(self) -> None:
        sent = {"method": self.command, "headers": self.headers.items(), "body": self.body.decode("latin-1")}
        self.answer(json.dumps(sent).encode(), Content_Type="application/json")

    def on_twice(self) -> None:
        self.send(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSET-COOKIE: b=2\r\nX-Odd: \xff\r\nContent-Length: 0\r\n\r\n")

    def on_to(self) -> None:
        """/to/STATUS/…: redirects to what stands behind the question mark."""
        status = int(self.path.split("/")[2].split("?")[0])
        self.answer(b"x" * 1000, status, Location=self.path.split("?", 1)[1])

    def on_loop(self) -> None:
        self.answer(b"", 302, Location="/loop")

    def on_packed(self) -> None:
        self.answer(gzip.compress(b"packed" * 1000), Content_Encoding="gzip")

    def on_bomb(self) -> None:
        self.answer(BOMB, Content_Encoding="gzip")

    def on_huge(self) -> None:
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        while True:
            self.wfile.write(b"y" * 65536)

    def on_chunked(self) -> None:
        self.send(CHUNKED, b"3\r\nabc\r\n", b"2\r\nde\r\n", b"0\r\n\r\n")

    def on_cut_chunk(self) -> None:
        self.send(CHUNKED, b"ff\r\nabc")

    def on_cut(self) -> None:
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")

    def on_nothing(self) -> None:
        self.send()

    def on_garbage(self) -> None:
        self.send(b"\x1b[31mthis is no HTTP\r\n\r\n")

    def on_headers(self) -> None:
        self.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.wfile.write(b"X-More: " + b"z" * 1000 + b"\r\n")

    def on_hang(self) -> None:
        self.site.released.wait(60)
        self.send()

    def on_drip(self) -> None:
        """A piece each time the test lets one go."""
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n")
        for _ in range(4):
            self.wfile.write(b"drip drip ")
            self.wfile.flush()
            self.site.drips.acquire(timeout=30)

    def log_message(self, *_: Any) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError):
            pass  # the other side had enough


class Website:
    """It runs until `close`. `seen`: (method, path, headers, body) of every request."""

    def __init__(self, certificate: Path | None = None, host: str = "127.0.0.1") -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.changed = threading.Condition()
        self.released = threading.Event()
        self.drips = threading.Semaphore(0)
        self.pages: dict[str, str] = {}
        handler = type("Handler", (_Handler,), {"site": self})
        self.server = ThreadingHTTPServer((host, 0), handler)
        self.server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # In each connection's own thread, so that a client that hangs holds nobody up.
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def serve(self, name: str, html: str) -> str:
        """Puts a page there; returns its URL."""
        self.pages[name] = html
        return self.url(f"/pages/{name}")

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def last(self, path: str) -> tuple[str, str, dict[str, str], bytes]:
        """The latest request for it."""
        return next(one for one in reversed(self.seen) if one[1] == path)

    def wait_for(self, path: str, seconds: float = 30) -> None:
        """Until somebody has asked for it."""
        with self.changed:
            assert self.changed.wait_for(lambda: any(one[1] == path for one in self.seen), seconds), path

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


def certificates(folder: Path) -> tuple[Path, Path]:
    """A certificate authority of one's own (PEM), and key and certificate of a server at 127.0.0.1 that it signed."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"]
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority")
    openssl(
        "req", "-x509", *curve, "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "server.key", "-out", "server.crt",
        "-subj", "/CN=server", "-addext", "subjectAltName=IP:127.0.0.1",
        "-addext", "basicConstraints=critical,CA:FALSE",
    )  # fmt: skip
    both = folder / "server.pem"
    both.write_text((folder / "server.key").read_text() + (folder / "server.crt").read_text())
    return folder / "ca.pem", both
