"""HTTP/2 frames by hand, for peers that misbehave: nothing here checks what it sends."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from pathlib import Path

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 0x0, 0x1, 0x7, 0x8, 0xB
MAX_FRAME = 1 << 14

Headers = list[tuple[bytes, bytes]]


@dataclass
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name: bytes, value: bytes, *, index: bool = False) -> bytes:
    """One header field, not Huffman-coded; `index` puts it into the peer's dynamic table."""

    def text(data: bytes) -> bytes:
        if len(data) < 127:
            return bytes([len(data)]) + data
        rest, out = len(data) - 127, b"\x7f"
        while rest >= 128:
            out += bytes([rest % 128 + 128])
            rest //= 128
        return out + bytes([rest]) + data

    return (b"\x40" if index else b"\x00") + text(name) + text(value)


def block(fields: Headers) -> bytes:
    return b"".join(literal(name, value) for name, value in fields)


def request(path: str | None = "/dome.test.Echo/Unary", **changes: bytes | None) -> Headers:
    """A gRPC request's fields. A keyword replaces one (`_` for `-`; None leaves it out)."""
    fields = {
        ":method": b"POST",
        ":scheme": b"http",
        ":path": None if path is None else path.encode(),
        ":authority": b"localhost",
        "te": b"trailers",
        "content-type": b"application/grpc",
    }
    for name, value in changes.items():
        name = name.replace("_", "-")
        fields[f":{name}" if f":{name}" in fields else name] = value
    return [(name.encode(), value) for name, value in fields.items() if value is not None]


def message(data: bytes, flag: int = 0) -> bytes:
    return struct.pack(">BI", flag, len(data)) + data


class Wire:
    """A client's socket. The preface and SETTINGS are sent unless `greet` is false."""

    def __init__(self, path: Path, settings: bytes = b"", *, greet: bool = True) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(path))
        self._input = b""
        self._decoder = hpack.Decoder()
        if greet:
            self.send(PREFACE + frame(SETTINGS, payload=settings))

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_all(self, data: bytes) -> None:
        """Sends what the server may well refuse to read to the end."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass

    def open(self, stream: int, fields: Headers, body: bytes | None = None, *, end: bool = True) -> None:
        """HEADERS, and DATA if there is a body."""
        flags = END_HEADERS | (END_STREAM if end and body is None else 0)
        data = frame(HEADERS, flags, stream, block(fields))
        if body is not None and (body or end):
            pieces = [body[i : i + MAX_FRAME] for i in range(0, len(body), MAX_FRAME)] or [b""]
            for piece in pieces[:-1]:
                data += frame(DATA, 0, stream, piece)
            data += frame(DATA, END_STREAM if end else 0, stream, pieces[-1])
        self.send(data)

    def read(self) -> Frame | None:
        """The next frame; None when the server has closed."""
        header = self._take(9)
        if header is None:
            return None
        length = int.from_bytes(header[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", header[3:])
        payload = self._take(length)
        return None if payload is None else Frame(kind, flags, stream, payload)

    def _take(self, count: int) -> bytes | None:
        while len(self._input) < count:
            try:
                data = self.socket.recv(1 << 16)
            except (ConnectionResetError, BrokenPipeError):
                return None
            if not data:
                return None
            self._input += data
        taken, self._input = self._input[:count], self._input[count:]
        return taken

    def fields(self, got: Frame) -> list[tuple[str, str]]:
        """The fields of a HEADERS frame: of every one, in order, or the decoder's table goes wrong."""
        return self._decoder.decode(got.payload)

    def read_until(self, kind: int, stream: int | None = None) -> Frame:
        """Skips to a frame of that kind, over acknowledgements."""
        while got := self.read():
            if got.kind == HEADERS and kind != HEADERS:
                self.fields(got)
            is_ack = got.kind in (SETTINGS, PING) and got.flags & ACK
            if got.kind == kind and stream in (None, got.stream) and not is_ack:
                return got
        raise AssertionError(f"closed before a frame of kind {kind}")

    def response(self, stream: int) -> tuple[dict[str, str], bytes]:
        """All fields of a stream's response, headers and trailers, and its data; `reset` if it was reset."""
        fields: dict[str, str] = {}
        data = b""
        while got := self.read():
            if got.kind == HEADERS:
                decoded = self.fields(got)
                if got.stream == stream:
                    fields |= dict(decoded)
            elif got.kind == DATA and got.stream == stream:
                data += got.payload
            elif got.kind == RST_STREAM and got.stream == stream:
                return fields | {"reset": str(int.from_bytes(got.payload, "big"))}, data
            elif got.kind == GOAWAY:
                raise AssertionError(f"GOAWAY {got.payload!r}")
            if got.stream == stream and got.kind in (DATA, HEADERS) and got.flags & END_STREAM:
                return fields, data
        raise AssertionError(f"closed before the end of stream {stream}; so far {fields}")

    def goaway(self) -> int:
        """The error code of the GOAWAY that must come."""
        return int.from_bytes(self.read_until(GOAWAY).payload[4:8], "big")

    def is_closed(self) -> bool:
        """Whether the server closes, whatever it says before."""
        while self.read():
            pass
        return True
