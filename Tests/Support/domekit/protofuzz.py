"""Random protobuf messages of any type, and random damage to their bytes."""

from __future__ import annotations

import random
import struct
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
TEXTS = ["", "a", "job-1", 'quote " and \\', "naïve", "日本語", "🦀" * 3, "\x00", "x" * 127, "x" * 128, "é" * 200]
DOUBLES = [0.0, -0.0, 1.5, -1e300, 5e-324, float("inf"), float("-inf"), float("nan")]
FLOATS = [0.0, -0.0, 1.5, -1e30, float("inf"), float("-inf"), float("nan")]
MAXIMUM_DEPTH = 4


class Fuzzer:
    """Makes messages from one source of randomness, so that a seed repeats a run."""

    def __init__(self, source: random.Random) -> None:
        self.random = source

    def message(self, kind: type[Message], depth: int = 0) -> Message:
        message = kind()
        self.fill(message, depth)
        return message

    def fill(self, message: Message, depth: int) -> None:
        fields = message.DESCRIPTOR.fields
        # Few fields or many: both are common in life.
        likelihood = self.random.choice([0.1, 0.4, 0.8])
        for field in fields:
            if self.random.random() > likelihood:
                continue
            if field.message_type is not None and depth >= MAXIMUM_DEPTH:
                continue
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                self.fill_map(message, field, depth)
            elif field.is_repeated:
                self.fill_list(message, field, depth)
            elif field.message_type is not None:
                member = getattr(message, field.name)
                member.SetInParent()
                self.fill(member, depth + 1)
            else:
                setattr(message, field.name, self.scalar(field))

    def fill_list(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        target = getattr(message, field.name)
        for _ in range(self.random.choice([0, 1, 2, 5] if depth else [0, 1, 3, 40])):
            if field.message_type is not None:
                self.fill(target.add(), depth + 1)
            else:
                target.append(self.scalar(field))

    def fill_map(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        target = getattr(message, field.name)
        key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        for _ in range(self.random.choice([0, 1, 2, 6])):
            if value.message_type is not None:
                self.fill(target[self.scalar(key)], depth + 1)
            else:
                target[self.scalar(key)] = self.scalar(value)

    def scalar(self, field: FieldDescriptor) -> Any:
        kind = field.cpp_type
        if kind in INTEGERS:
            low, high = INTEGERS[kind]
            near = [low, low + 1, 0, 1, 127, 128, 2**14, 2**31 - 1, high - 1, high, -1]
            value = self.random.choice([*near, self.random.randint(low, high), self.random.getrandbits(7)])
            return min(max(value, low), high)
        if kind == FieldDescriptor.CPPTYPE_ENUM:
            return self.random.choice([0, 1, 2, -1, 2**31 - 1, -(2**31), self.random.getrandbits(10)])
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return self.random.random() < 0.5
        if kind == FieldDescriptor.CPPTYPE_DOUBLE:
            return self.random.choice([*DOUBLES, self.random.gauss(0, 1e6)])
        if kind == FieldDescriptor.CPPTYPE_FLOAT:
            value = self.random.gauss(0, 1e6)
            return self.random.choice([*FLOATS, struct.unpack("<f", struct.pack("<f", value))[0]])
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self.random.randbytes(self.random.choice([0, 1, 5, 127, 128, 300]))
        return self.random.choice([*TEXTS, str(self.random.getrandbits(64))])


def damaged(source: random.Random, body: bytes) -> bytes:
    """The same bytes (sometimes), or cut, flipped, doubled, or with something strange put in."""
    data = bytearray(body)
    for _ in range(source.choice([0, 1, 1, 2, 4])):
        at = source.randrange(len(data) + 1)
        match source.randrange(7):
            case 0:
                del data[at:]
            case 1 if at < len(data):
                data[at] ^= 1 << source.randrange(8)
            case 2:
                data[at:at] = source.randbytes(source.randrange(1, 6))
            case 3:
                del data[at : at + source.randrange(1, 5)]
            case 4:
                # A field of any number and wire type, whole or not.
                tag = source.choice([source.randrange(1, 20), source.getrandbits(29)]) << 3 | source.randrange(8)
                data += varint(tag) + source.randbytes(source.randrange(0, 9))
            case 5:
                data += data[: source.randrange(0, 200)]
            case 6:
                # A varint that says the same in more bytes than it needs, or too many.
                data += varint(source.randrange(1, 20) << 3) + b"\x80" * source.randrange(1, 11) + b"\x01"
    return bytes(data)


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
