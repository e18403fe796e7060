"""The contract's Python stubs, generated from proto/ by grpcio-tools into a cache keyed by its content."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from .paths import PROTO_ROOT, ROOT


def _compile(target: Path) -> None:
    import grpc_tools
    from grpc_tools import protoc

    well_known = Path(grpc_tools.__file__).parent / "_proto"
    options = [f"--python_out={target}", f"--grpc_python_out={target}"]
    files = [str(path.relative_to(PROTO_ROOT)) for path in sorted(PROTO_ROOT.rglob("*.proto"))]
    status = protoc.main(["protoc", f"-I{PROTO_ROOT}", f"-I{well_known}", *options, *files])
    if status != 0:
        raise RuntimeError(f"protoc failed on {files}: status {status}")


def generated_dir() -> Path:
    """The folder with the generated modules; compiled on first use, safe against parallel sessions."""
    digest = hashlib.sha256()
    for path in sorted(PROTO_ROOT.rglob("*.proto")):
        digest.update(str(path.relative_to(PROTO_ROOT)).encode() + b"\0" + path.read_bytes())
    digest.update(importlib.metadata.version("grpcio-tools").encode())
    target = ROOT / "build" / "pystubs" / digest.hexdigest()[:16]
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=target.parent))
        _compile(scratch)
        try:
            scratch.rename(target)
        except OSError:  # another session was faster
            shutil.rmtree(scratch)
    return target


def load() -> tuple[ModuleType, ModuleType]:
    """(domed.v1.domed_pb2, domed.v1.domed_pb2_grpc)."""
    directory = os.fspath(generated_dir())
    if directory not in sys.path:
        sys.path.insert(0, directory)
    return (
        importlib.import_module("domed.v1.domed_pb2"),
        importlib.import_module("domed.v1.domed_pb2_grpc"),
    )
