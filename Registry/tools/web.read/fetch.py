"""A page by HTTP, for web.read: only public addresses unless the user allows more, within limits of time and size."""

from __future__ import annotations

import http.client
import ipaddress
import os
import re
import signal
import socket
import ssl
import zlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from toolkit import Refusal, printable

# Set by the user for the daemon: ranges of addresses that are not public and may be asked all the same.
ALLOWANCE = "DOME_WEB_PRIVATE_RANGES"
AGENT = "dome-web-read/1.0"
REDIRECTS = 10
STEP = 64 << 10
FAILURES = (OSError, http.client.HTTPException, ssl.SSLError, UnicodeError, ValueError, zlib.error)

CLOSED = [ipaddress.ip_network(one) for one in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)]  # fmt: skip
OPEN_6 = ipaddress.ip_network("2000::/3")
NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass
class Answer:
    """What came in the end."""

    url: str
    status: int
    kind: str  # the media type
    charset: str
    body: bytes
    is_cut: bool
    redirects: int


@dataclass
class Place:
    """A URL, taken apart."""

    scheme: str
    host: str
    port: int
    target: str


def place_of(url: str) -> Place:
    """Refuses what is no plain http or https URL."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        host = host if ":" in host else host.encode("idna").decode("ascii")
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except KeyError:
        raise Refusal(f"{printable(url[:200])} is no http or https URL") from None
    except ValueError as error:
        raise Refusal(f"{printable(url[:200])} is no URL: {error}") from None
    if not host or parts.username is not None or parts.password is not None:
        raise Refusal(f"{printable(url[:200])} has no host, or has a user in it")
    if re.search(r"[\x00-\x20\x7f]", url):
        raise Refusal(f"{printable(url[:200])} has blanks or controls in it")
    target = urlunsplit(("", "", quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._"),
                         quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]|"), ""))  # fmt: skip
    return Place(parts.scheme, host, port, target or "/")


def allowed_ranges() -> list[Any]:
    """The user's allowance; what is no range in it is refused, not skipped."""
    try:
        return [ipaddress.ip_network(one) for one in re.split(r"[\s,]+", os.environ.get(ALLOWANCE, "")) if one]
    except ValueError as error:
        raise Refusal(f"the variable {ALLOWANCE}: {error}") from None


def is_allowed(text: str, ranges: list[Any]) -> bool:
    """Whether a connection to the address may be made."""
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address in NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in one for one in ranges):
        return True
    return (address.version == 4 or address in OPEN_6) and not any(address in one for one in CLOSED)


def connect(place: Place, ranges: list[Any], seconds: float) -> socket.socket:
    """A connection to the host, to the very address that was judged: a name may change what it stands for."""
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    refused, last = "", None
    for family, kind, protocol, _, address in found:
        if not is_allowed(str(address[0]), ranges):
            refused = str(address[0])
            continue
        try:
            connection = socket.socket(family, kind, protocol)
            connection.settimeout(seconds)
            connection.connect(address)
            return connection
        except OSError as error:
            last = error
    if last is not None:
        raise last
    raise Refusal(
        f"{place.host} is at {refused}, which is no public address: to allow it, have its range in the variable "
        f"{ALLOWANCE} when domed is started (docs/TOOLS.md)"
    )


def unpacked(answer: http.client.HTTPResponse, most: int) -> tuple[bytes, bool]:
    """The body up to `most` bytes, however it was packed."""
    packing = answer.getheader("Content-Encoding", "identity").strip().lower()
    if packing not in ("identity", "gzip", "x-gzip", "deflate"):
        raise Refusal(f"the server packed its answer with {printable(packing[:40])}, which was not asked for")
    unpacker = zlib.decompressobj(wbits=47) if packing != "identity" else None
    body = bytearray()
    while len(body) <= most:
        data = answer.read1(STEP)
        if not data:
            break
        body += unpacker.decompress(data, most + 1 - len(body)) if unpacker else data
    return bytes(body[:most]), len(body) > most


def ask(place: Place, ranges: list[Any], most: int, seconds: float) -> tuple[http.client.HTTPResponse, bytes, bool]:
    """One request."""
    connection = connect(place, ranges, seconds)
    with connection:
        if place.scheme == "https":
            connection = ssl.create_default_context().wrap_socket(connection, server_hostname=place.host)
        client = http.client.HTTPConnection(place.host, place.port)
        client.sock = connection
        usual = {"http": 80, "https": 443}[place.scheme]
        host = f"[{place.host}]" if ":" in place.host else place.host
        client.request("GET", place.target, headers={
            "Host": host if place.port == usual else f"{host}:{place.port}", "User-Agent": AGENT, "Connection": "close",
            "Accept": "text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.5", "Accept-Encoding": "gzip",
        })  # fmt: skip
        answer = client.getresponse()
        if answer.status in (301, 302, 303, 307, 308) and answer.getheader("Location"):
            return answer, b"", False
        body, is_cut = unpacked(answer, most)
        return answer, body, is_cut


def get(url: str, most: int, seconds: int) -> Answer:
    """The page behind all redirects. `seconds` is for everything together."""

    def too_late(*_: Any) -> None:
        raise Refusal(f"no whole answer within {seconds} s")

    ranges = allowed_ranges()
    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(seconds)
    for redirects in range(REDIRECTS + 1):
        place = place_of(url)
        try:
            answer, body, is_cut = ask(place, ranges, most, seconds)
        except FAILURES as error:
            why = printable(str(getattr(error, "strerror", None) or error or type(error).__name__)[:300])
            raise Refusal(f"{place.host}: {why}") from None
        target = answer.getheader("Location")
        if answer.status in (301, 302, 303, 307, 308) and target:
            url = urljoin(url, target.encode("latin-1", "replace").decode("utf-8", "replace").strip())
            continue
        signal.alarm(0)
        kind = answer.headers.get_content_type() if answer.getheader("Content-Type") else ""
        return Answer(url, answer.status, kind, answer.headers.get_content_charset() or "", body, is_cut, redirects)
    raise Refusal(f"more than {REDIRECTS} redirects")
