"""Repositories of git, and jobs that are submitted from within one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from . import stubs
from .daemon import Daemon

CALLER = """
import sys
sys.path[:0] = [sys.argv[2]]
import grpc
from domed.v1 import domed_pb2, domed_pb2_grpc
stub = domed_pb2_grpc.DomedServiceStub(grpc.insecure_channel(sys.argv[1]))
request = domed_pb2.SkillExecuteRequest(
    skill_id="job.noop", profile="p", idempotency_key=sys.argv[3], constraints_json='{"wait_ms":5000}')
print(stub.SkillExecute(request, timeout=20).job_id)
"""


def job_from(daemon: Daemon, folder: Path, key: str) -> str:
    """Submits from a process whose working folder is `folder`; returns the job's id."""
    arguments = [sys.executable, "-c", CALLER, daemon.target, str(stubs.generated_dir()), key]
    done = subprocess.run(arguments, cwd=folder, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


def submit_from(daemon: Daemon, folder: Path, key: str) -> Any:
    """Submits from a process whose working folder is `folder`; returns the job's provenance."""
    return daemon.jobs.status(job_from(daemon, folder, key)).provenance


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    return subprocess.run(
        ["git", "-C", folder, *identity, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()
