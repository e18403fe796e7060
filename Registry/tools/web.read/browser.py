"""A page as a browser shows it, for web.read: headless Chromium, whose every connection goes through a proxy of ours.

The job's jail is the browser's sandbox (docs/adr/0050-tools-in-python.md); its own cannot be made in there.
"""

from __future__ import annotations

import os
import shutil
import socket
import socketserver
import threading
from typing import Any

from fetch import FAILURES, allowed_ranges, connect, place_of
from peers import is_of_this_job
from programs import output_of
from toolkit import Refusal

BROWSERS = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
PROFILE = "/tmp/profile"
HEAD_BYTES = 64 << 10
CONNECTIONS = 48
# Of all that a page loads.
TRAFFIC_BYTES = 256 << 20
STEP = 64 << 10
# Headers that are for the proxy.
HOPS = (b"proxy-", b"connection:")


def installed() -> str | None:
    """The browser of this machine."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


class Proxy(socketserver.ThreadingTCPServer):
    """Passes on what goes to addresses that are allowed. Bound to loopback, for the job's own processes; it lives as
    long as the job."""

    daemon_threads = True
    request_queue_size = CONNECTIONS

    def __init__(self, seconds: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges: list[Any] = allowed_ranges()
        self.seconds = seconds
        self.slots = threading.BoundedSemaphore(CONNECTIONS)
        self.left = TRAFFIC_BYTES
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def verify_request(self, request: Any, _: Any) -> bool:
        """Others are hung up on before anything of theirs is read."""
        return is_of_this_job(request)

    def handle_error(self, *_: Any) -> None:
        """A connection that broke is the page's business."""


class Handler(socketserver.BaseRequestHandler):
    """One connection of the browser's: a tunnel (CONNECT) or one request in the clear."""

    server: Proxy

    def handle(self) -> None:
        with self.server.slots:
            self.request.settimeout(self.server.seconds)
            head = b""
            while b"\r\n\r\n" not in head:
                data = self.request.recv(STEP)
                head += data
                if not data or len(head) > HEAD_BYTES:
                    return
            try:
                self.pass_on(head)
            except (Refusal, *FAILURES):
                # Hung up on: an answer of ours would look to the page like one of the server's.
                return

    def pass_on(self, head: bytes) -> None:
        first, _, rest = head.partition(b"\r\n")
        method, target, version = first.decode("latin-1").split(" ")
        is_tunnel = method == "CONNECT"
        place = place_of(f"https://{target}/" if is_tunnel else target)
        with connect(place, self.server.ranges, self.server.seconds) as other:
            if is_tunnel:
                self.request.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                early = rest.partition(b"\r\n\r\n")[2]
            else:
                # One request a connection: the next may go elsewhere.
                lines = [line for line in rest.split(b"\r\n") if not line.lower().startswith(HOPS)]
                first = f"{method} {place.target} {version}\r\nConnection: close\r\n".encode("latin-1")
                early = first + b"\r\n".join(lines)
            other.sendall(early)
            back = threading.Thread(target=self.relay, args=(other, self.request), daemon=True)
            back.start()
            self.relay(self.request, other)
            back.join()

    def relay(self, source: socket.socket, sink: socket.socket) -> None:
        """All that comes, until one side ends or enough has come."""
        try:
            while self.server.left > 0 and (data := source.recv(STEP)):
                self.server.left -= len(data)
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink) if self.server.left <= 0 else (sink,):
            try:
                one.shutdown(socket.SHUT_WR)
            except OSError:
                pass


def render(url: str, most: int, seconds: int, screenshot: str | None, size: tuple[int, int]) -> tuple[bytes, bool]:
    """The page's document once its scripts have run, and whether it was cut at `most` bytes."""
    browser = installed()
    if browser is None:
        raise Refusal("no browser is installed on this machine: install the package chromium-headless-shell")
    proxy = Proxy(seconds)
    options = [
        "--headless", "--no-sandbox", "--no-zygote", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        f"--user-data-dir={PROFILE}", f"--proxy-server=http://127.0.0.1:{proxy.server_address[1]}",
        # Nothing past the proxy: loopback goes through it as well, no name is looked up, no UDP.
        "--proxy-bypass-list=<-loopback>", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-quic",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-default-apps",
        "--disable-domain-reliability", "--disable-breakpad", "--mute-audio", "--hide-scrollbars",
        "--disable-features=DnsOverHttps,OptimizationHints,MediaRouter,Translate",
        "--virtual-time-budget=5000", f"--timeout={seconds * 800}", f"--window-size={size[0]},{size[1]}",
    ]  # fmt: skip
    if screenshot is not None:
        os.makedirs(os.path.dirname(screenshot), exist_ok=True)
        options.append(f"--screenshot={screenshot}")
    try:
        document, is_cut = output_of([browser, *options, "--dump-dom", url], most)
    except Refusal as refusal:
        raise Refusal(f"the browser could not show the page: {str(refusal)[-300:]}") from None
    if screenshot is not None and not os.path.exists(screenshot):
        raise Refusal("the browser made no picture of the page")
    return document, is_cut
