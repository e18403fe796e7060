"""RFC 6962's Merkle tree and what C2SP writes about it, from the texts alone: what the daemon is held against.

Slow and plain on purpose: the definitions of section 2.1, recursively.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def tree_hash(hashes: list[bytes]) -> bytes:
    """MTH of section 2.1, over the leaves' hashes."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = _split(len(hashes))
    return node_hash(tree_hash(hashes[:k]), tree_hash(hashes[k:]))


def inclusion_path(index: int, hashes: list[bytes]) -> list[bytes]:
    """PATH of section 2.1.1."""
    if len(hashes) == 1:
        return []
    k = _split(len(hashes))
    if index < k:
        return [*inclusion_path(index, hashes[:k]), tree_hash(hashes[k:])]
    return [*inclusion_path(index - k, hashes[k:]), tree_hash(hashes[:k])]


def root_of_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that a path leads to: section 2.1.1 read backwards. Raises ValueError for one of another length."""
    if size == 1:
        if path:
            raise ValueError("the path is too long")
        return leaf
    if not path:
        raise ValueError("the path is too short")
    k = _split(size)
    if index < k:
        return node_hash(root_of_path(leaf, index, k, path[:-1]), path[-1])
    return node_hash(path[-1], root_of_path(leaf, index - k, size - k, path[:-1]))


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes


def verified_checkpoint(note: str, verifier: str) -> Checkpoint:
    """A signed note's checkpoint, if the key `NAME+ID+BASE64` signed it; else raises."""
    name, key_id, encoded = verifier.split("+", 2)
    key = base64.b64decode(encoded, validate=True)
    if key[0] != 1 or hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] != key_id:
        raise ValueError("no Ed25519 key of that id")
    text, signatures = note.split("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        dash, signer, blob = line.split(" ")
        raw = base64.b64decode(blob, validate=True)
        if dash == "—" and signer == name and raw[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(raw[4:], text.encode())
            origin, size, root = text.splitlines()[:3]
            return Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
    raise InvalidSignature("nobody known signed it")


def verified_proof(proof: str, verifier: str) -> tuple[int, bytes]:
    """The event's place and its leaf, if the tlog-proof holds; else raises."""
    head, note = proof.split("\n\n", 1)
    lines = head.split("\n")
    assert lines.pop(0) == "c2sp.org/tlog-proof@v1"
    word, extra = lines.pop(0).split(" ")
    assert word == "extra"
    word, number = lines.pop(0).split(" ")
    assert word == "index"
    checkpoint = verified_checkpoint(note, verifier)
    leaf = base64.b64decode(extra, validate=True)
    path = [base64.b64decode(line, validate=True) for line in lines]
    if root_of_path(leaf_hash(leaf), int(number), checkpoint.size, path) != checkpoint.root:
        raise ValueError("the path leads elsewhere")
    return int(number), leaf
