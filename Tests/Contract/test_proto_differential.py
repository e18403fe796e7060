"""dome's protobuf runtime against the official one, message by message.

Random messages, and random damage to them, go through both. Both must take or refuse the same bytes, and what dome
writes back must mean the same to the official runtime as what it was given, unknown fields included.

Three differences are tolerated: see the functions of that name.

    DOME_BIN_DIR      where proto-roundtrip lies          (default: .build/debug)
    DOME_PROTO_SEED   the seed of all randomness          (default: from the clock; printed)
    DOME_PROTO_COUNT  how many random messages            (default: 24000)
"""

from __future__ import annotations

import os
import random
import struct
import subprocess
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.internal import api_implementation
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet
from grpc_tools import protoc
from domekit.protofuzz import Fuzzer, damaged

ROOT = Path(__file__).resolve().parents[2]
TORTURE_ROOT = ROOT / "Tests/Contract/proto-roundtrip/proto"
WIRETYPE_START_GROUP = 3
OK, REJECTED = 0, 1
BATCH = 2000
COUNT = int(os.environ.get("DOME_PROTO_COUNT") or 24000)
SEED = int(os.environ.get("DOME_PROTO_SEED") or time.time_ns() % 2**32)


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, type[Message]]:
    """Every message of the contract and of the torture file, by full name."""
    image = tmp_path_factory.mktemp("descriptors") / "all.binpb"
    protos = [str(path) for root in (ROOT / "proto", TORTURE_ROOT) for path in sorted(root.rglob("*.proto"))]
    arguments = ["protoc", f"-I{ROOT / 'proto'}", f"-I{TORTURE_ROOT}", f"--descriptor_set_out={image}", *protos]
    assert protoc.main(arguments) == 0
    pool = descriptor_pool.DescriptorPool()
    found: dict[str, type[Message]] = {}
    for file in descriptor_pb2.FileDescriptorSet.FromString(image.read_bytes()).file:
        pool.Add(file)
        for name in pool.FindFileByName(file.name).message_types_by_name.values():
            found[name.full_name] = message_factory.GetMessageClass(name)
    return found


@pytest.fixture(scope="module")
def program() -> Path:
    folder = Path(os.environ.get("DOME_BIN_DIR") or ROOT / ".build/debug")
    path = folder / "proto-roundtrip"
    assert path.exists(), f"{path} is missing: swift build --product proto-roundtrip"
    return path


def block(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def through_dome(program: Path, requests: list[tuple[str, bytes]]) -> list[tuple[int, bytes]]:
    """What dome makes of each request: an outcome, and the message written again or the reason."""
    stdin = b"".join(block(name.encode()) + block(body) for name, body in requests)
    output = subprocess.run([program], input=stdin, stdout=subprocess.PIPE, check=True, timeout=100).stdout
    answers = []
    position = 0
    while position < len(output):
        outcome, length = struct.unpack_from(">BI", output, position)
        position += 5
        answers.append((outcome, output[position : position + length]))
        position += length
    assert len(answers) == len(requests), "dome's side ended early"
    return answers


def parsed(kind: type[Message], body: bytes) -> Message | None:
    try:
        return kind.FromString(body)
    except DecodeError:
        return None


def meaning(message: Message) -> bytes:
    """The same bytes for the same message: fields in order, maps sorted, unknown fields last as they came."""
    return message.SerializeToString(deterministic=True)


def is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def members(message: Message) -> Iterator[Message]:
    for field, value in message.ListFields():
        values = value.values() if is_map(field) else value if field.is_repeated else [value]
        yield from (member for member in values if isinstance(member, Message))


def tolerated_meaning(message: Message) -> bool:
    """Whether the two runtimes may read the message differently. No message of the contract has a map.

    - An entry of a map with a field that entries do not have: upb keeps the whole entry as an unknown field, others
      (C++, and dome) take the entry and drop that field.
    - Two keys of a map that are canonically equivalent Unicode: Swift's String takes them for one.
    """
    for unknown in UnknownFieldSet(message):
        field = message.DESCRIPTOR.fields_by_number.get(unknown.field_number)
        if field is not None and is_map(field):
            return True
    for field, value in message.ListFields():
        keys = [key for key in value if isinstance(key, str)] if is_map(field) else []
        if len({unicodedata.normalize("NFC", key) for key in keys}) < len(keys):
            return True
    return any(tolerated_meaning(member) for member in members(message))


def tolerated_refusal(message: Message) -> bool:
    """Field number 0 is no field number; upb overlooks it within groups that it does not know, dome does not."""

    def has_field_0(fields: UnknownFieldSet) -> bool:
        groups = (unknown.data for unknown in fields if unknown.wire_type == WIRETYPE_START_GROUP)
        return any(unknown.field_number == 0 for unknown in fields) or any(map(has_field_0, groups))

    return has_field_0(UnknownFieldSet(message)) or any(map(tolerated_refusal, members(message)))


def compare(program: Path, messages: dict[str, type[Message]], requests: list[tuple[str, bytes]]) -> tuple[int, int]:
    """Fails on the first disagreement; returns how many were taken and refused, by both."""
    taken = refused = 0
    for (name, body), (outcome, answer) in zip(requests, through_dome(program, requests), strict=True):
        expected = parsed(messages[name], body)
        context = f"seed {SEED}, {name}, bytes {body.hex()}"
        if expected is None:
            assert outcome == REJECTED, f"only dome takes it: {context}"
            refused += 1
            continue
        if outcome == REJECTED and tolerated_refusal(expected):
            refused += 1
            continue
        assert outcome == OK, f"only dome refuses it ({answer.decode()}): {context}"
        again = parsed(messages[name], answer)
        assert again is not None, f"dome wrote what cannot be read: {context}, wrote {answer.hex()}"
        if meaning(again) != meaning(expected):
            assert tolerated_meaning(expected), f"the meaning changed: {context}, wrote {answer.hex()}"
        taken += 1
    return taken, refused


def test_the_other_side_is_the_official_c_implementation() -> None:
    assert api_implementation.Type() == "upb"


@pytest.mark.timeout(600)
def test_random_messages_survive_the_round_trip(program: Path, messages: dict[str, type[Message]]) -> None:
    print(f"DOME_PROTO_SEED={SEED}")
    fuzzer = Fuzzer(random.Random(SEED))
    names = sorted(messages)
    done = 0
    while done < COUNT:
        requests = []
        for _ in range(BATCH):
            name = fuzzer.random.choice(names)
            requests.append((name, fuzzer.message(messages[name]).SerializeToString()))
        taken, refused = compare(program, messages, requests)
        assert (taken, refused) == (BATCH, 0)
        done += BATCH


@pytest.mark.timeout(600)
def test_damaged_and_foreign_bytes_are_taken_or_refused_alike(
    program: Path, messages: dict[str, type[Message]]
) -> None:
    print(f"DOME_PROTO_SEED={SEED}")
    fuzzer = Fuzzer(random.Random(SEED + 1))
    names = sorted(messages)
    taken = refused = done = 0
    while done < COUNT:
        requests = []
        for _ in range(BATCH):
            body = fuzzer.message(messages[fuzzer.random.choice(names)]).SerializeToString()
            # Read as another message type, most fields are unknown or of the wrong wire type.
            requests.append((fuzzer.random.choice(names), damaged(fuzzer.random, body)))
        counts = compare(program, messages, requests)
        taken, refused, done = taken + counts[0], refused + counts[1], done + BATCH
    # Had one side of the comparison nothing to do, the test would be worth little.
    assert min(taken, refused) > COUNT // 20, (taken, refused)
    print(f"{taken} taken, {refused} refused")


def test_a_newer_peers_fields_pass_through_an_older_type(program: Path, messages: dict[str, type[Message]]) -> None:
    print(f"DOME_PROTO_SEED={SEED}")
    fuzzer = Fuzzer(random.Random(SEED + 2))
    rich = messages["torture.v1.Lists"]
    bodies = [fuzzer.message(rich).SerializeToString() for _ in range(BATCH)]
    answers = through_dome(program, [("torture.v1.Sparse", body) for body in bodies])
    for body, (outcome, answer) in zip(bodies, answers, strict=True):
        via_official = messages["torture.v1.Sparse"].FromString(body)
        assert outcome == OK
        assert meaning(messages["torture.v1.Sparse"].FromString(answer)) == meaning(via_official)


EDGES = {
    "empty": b"",
    "a varint of ten bytes": b"\x18" + b"\xff" * 9 + b"\x01",
    "bits past the 64th": b"\x18" + b"\xff" * 9 + b"\x7f",
    "a varint of eleven bytes": b"\x18" + b"\xff" * 10 + b"\x01",
    "an overlong zero": b"\x18\x80\x80\x00",
    "an overlong tag": b"\x98\x80\x00\x05",
    "a tag of five bytes": b"\x98\x80\x80\x80\x00\x05",
    "a tag of six bytes": b"\x98\x80\x80\x80\x80\x00\x05",
    "a tag beyond 32 bits": b"\xf8\xff\xff\xff\x1f\x05",
    "field number 0": b"\x00\x05",
    "overlong field number 0": b"\x80\x00\x05",
    "the highest field number": b"\xf8\xff\xff\xff\x0f\x05",
    "wire type 6": b"\x1e\x05",
    "wire type 7": b"\x1f\x05",
    "a length past the end": b"\x4a\x05abc",
    "an overlong length": b"\x4a\x83\x80\x80\x80\x00abc",
    "a length of six bytes": b"\x4a\x83\x80\x80\x80\x80\x00abc",
    "a negative length": b"\x4a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    "a length of 2^31": b"\x4a\x80\x80\x80\x80\x08",
    "not UTF-8": b"\x4a\x02\xc3\x28",
    "a surrogate in UTF-8": b"\x4a\x03\xed\xa0\x80",
    "an overlong NUL in UTF-8": b"\x4a\x02\xc0\x80",
    "beyond Unicode": b"\x4a\x04\xf4\x90\x80\x80",
    "an unknown group": b"\xa3\x06\x08\x01\xa4\x06",
    "groups in groups": b"\xa3\x06\x0b\x13\x14\x0c\xa4\x06",
    "a group without end": b"\xa3\x06\x08\x01",
    "a group with another's end": b"\xa3\x06\xac\x06",
    "an end without a group": b"\xa4\x06",
    "a group where a scalar belongs": b"\x1b\x1c",
    "an int32 beyond 32 bits": b"\x28\xff\xff\xff\xff\xff\x01",
    "a bool of 2": b"\x40\x02",
    "a bool of 2^32": b"\x40\x80\x80\x80\x80\x10",
    "a bool of 2^63": b"\x40\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    "a sint32 beyond 32 bits": b"\x88\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    "an enum beyond 32 bits": b"\x98\x01\x81\x80\x80\x80\x10",
    "negative zeros": b"\x09" + b"\x00" * 7 + b"\x80\x15" + b"\x00" * 3 + b"\x80",
    "packed doubles, uneven": b"\x0a\x07" + b"\x00" * 7,
    "packed varints, cut": b"\x1a\x02\x01\x80",
}


@pytest.mark.parametrize("kind", ["Scalars", "Optionals", "Lists", "UnpackedLists", "Choices", "Sparse", "Maps"])
@pytest.mark.parametrize("edge", EDGES)
def test_edges(program: Path, messages: dict[str, type[Message]], kind: str, edge: str) -> None:
    compare(program, messages, [("torture.v1." + kind, EDGES[edge])])


@pytest.mark.parametrize("levels", [98, 99, 100, 101, 102, 150])
@pytest.mark.parametrize("shape", ["singular", "repeated", "oneof", "map", "unknown group", "pair", "half groups"])
def test_nesting_ends_at_the_same_depth(
    program: Path, messages: dict[str, type[Message]], levels: int, shape: str
) -> None:
    tags = {"singular": [b"\x0a"], "repeated": [b"\x12"], "oneof": [b"\x1a"], "map": [b"\x12", b"\x32"]}
    tags["pair"] = [b"\x0a", b"\x22"]
    body = b""
    for level in range(levels):
        if shape == "unknown group" or (shape == "half groups" and level < levels // 2):
            body = b"\xa3\x06" + body + b"\xa4\x06"
        else:
            chosen = tags.get(shape, [b"\x0a"])
            tag = chosen[(levels - 1 - level) % 2 == 0 and len(chosen) - 1 or 0]
            length = len(body)
            size = bytes([length]) if length < 128 else bytes([length & 0x7F | 0x80, length >> 7])
            body = tag + size + body
    compare(program, messages, [("torture.v1.Node", body)])
