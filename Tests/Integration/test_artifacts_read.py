"""ListArtifacts and ReadArtifact: what jobs left, by pages and by ranges, and never bytes that are not the record's."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import grpc
import pytest

from domekit.artifacts import copies, run
from domekit.daemon import Daemon, pb2
from domekit.gates import Gate
from domekit.processes import resident_bytes

pytestmark = pytest.mark.both_users


def read(daemon: Daemon, job: str, name: str, **more: int) -> tuple[Any, bytes]:
    """The file that it is said to be, and the bytes."""
    messages = list(daemon.stub().ReadArtifact(pb2.ReadArtifactRequest(job_id=job, name=name, **more), timeout=30))
    assert [message.HasField("artifact") for message in messages] == [True] + [False] * (len(messages) - 1)
    return messages[0].artifact, b"".join(message.data for message in messages)


def refusal(daemon: Daemon, job: str, name: str, **more: int) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        read(daemon, job, name, **more)
    return caught.value.code(), caught.value.details()


def test_a_file_is_read_whole_and_in_ranges(daemon: Daemon) -> None:
    job, _ = run(daemon, "mkdir out; head -c 1500000 /dev/urandom >out/large; : >out/empty; printf 0123456789 >out/ten")
    whole = (copies(daemon, job) / "large").read_bytes()
    reference, data = read(daemon, job, "large")
    assert reference in daemon.jobs.status(job).artifacts
    assert data == whole and reference.sha256 == hashlib.sha256(data).hexdigest()
    assert read(daemon, job, "large", offset=700_001, length=300_003)[1] == whole[700_001:1_000_004]
    assert read(daemon, job, "empty") == (reference_of(daemon, job, "empty"), b"")
    for more, expected in [
        ({"offset": 9}, b"9"),
        ({"offset": 10}, b""),
        ({"offset": 3, "length": 4}, b"3456"),
        ({"length": 2**64 - 1}, b"0123456789"),
        ({"offset": 9, "length": 2**64 - 1}, b"9"),
    ]:
        assert read(daemon, job, "ten", **more)[1] == expected
    for offset in (11, 2**63, 2**64 - 1):
        code, details = refusal(daemon, job, "ten", offset=offset)
        assert code == grpc.StatusCode.OUT_OF_RANGE and "10 bytes" in details


def reference_of(daemon: Daemon, job: str, name: str) -> Any:
    [found] = [one for one in daemon.jobs.status(job).artifacts if one.name == name]
    return found


def test_what_is_not_there_is_named(daemon: Daemon) -> None:
    job, _ = run(daemon, "mkdir out; echo >out/a; ln -s /etc/passwd out/link")
    for name in ("b", "link", "../events.journal", "/etc/passwd", "a/", "A"):
        code, details = refusal(daemon, job, name)
        assert code == grpc.StatusCode.NOT_FOUND and f"has no artifact '{name}'" in details
    assert refusal(daemon, job, "")[0] == grpc.StatusCode.INVALID_ARGUMENT
    nobody = "job-00000000000000000000000000"
    assert refusal(daemon, nobody, "a") == (grpc.StatusCode.NOT_FOUND, f"job not found: {nobody}")
    with Gate(daemon.directory / "gates") as gate:
        running = daemon.jobs.start("shell.run", {"script": f"mkdir out; echo >out/a; {gate.wait}"}, grants=gate.grants)
        assert "kept when it ends" in refusal(daemon, running, "a")[1]
        listed = daemon.stub().ListArtifacts(pb2.ListArtifactsRequest(job_id=running), timeout=20)
        assert listed.status.ok and listed.total == 0 and not listed.artifacts
        gate.open()


def test_two_spellings_of_one_name_are_two_files(daemon: Daemon) -> None:
    script = "printf 1 >\"$(printf 'out/\\303\\251')\"; printf 2 >\"$(printf 'out/e\\314\\201')\""
    job, _ = run(daemon, "mkdir out; " + script)
    assert (read(daemon, job, "\u00e9")[1], read(daemon, job, "e\u0301")[1]) == (b"1", b"2")


def test_a_file_that_was_changed_is_refused_before_its_first_byte(daemon: Daemon) -> None:
    job, _ = run(daemon, "mkdir out; echo text >out/a")
    file = copies(daemon, job) / "a"
    assert read(daemon, job, "a")[1] == b"text\n"
    file.chmod(0o600)
    file.write_text("evil\n")
    code, details = refusal(daemon, job, "a", offset=4)
    assert code == grpc.StatusCode.DATA_LOSS and "is not what the job left" in details
    file.write_text("text\n")
    assert read(daemon, job, "a")[1] == b"text\n"
    for replace in (lambda: file.symlink_to("/etc/passwd"), lambda: os.mkfifo(file), file.mkdir):
        file.unlink()
        replace()
        assert refusal(daemon, job, "a")[0] == grpc.StatusCode.DATA_LOSS
        if file.is_dir() and not file.is_symlink():
            file.rmdir()
            file.touch()
    file.unlink()
    assert refusal(daemon, job, "a")[0] == grpc.StatusCode.DATA_LOSS


def test_a_file_that_is_changed_while_it_is_read_ends_there(daemon: Daemon) -> None:
    """A client that does not take what was sent holds the daemon back: the file is far from read by then."""
    job, _ = run(daemon, "mkdir out; head -c 80000000 /dev/zero >out/a")
    before = resident_bytes(daemon.pid)
    messages = daemon.stub().ReadArtifact(pb2.ReadArtifactRequest(job_id=job, name="a"), timeout=60)
    first = next(messages)
    assert first.artifact.bytes == 80_000_000
    # Several times as much as the stream may hold in buffers, and well below what the file has.
    assert resident_bytes(daemon.pid) - before < 40_000_000
    file = copies(daemon, job) / "a"
    file.chmod(0o600)
    with file.open("r+b") as changed:
        changed.seek(40_000_000)
        changed.write(b"evil")
    data = bytearray()
    with pytest.raises(grpc.RpcError) as caught:
        for message in messages:
            data += message.data
    assert caught.value.code() == grpc.StatusCode.DATA_LOSS
    assert b"evil" not in data and len(data) < 80_000_000


def test_a_long_list_comes_in_pages_and_the_record_with_its_beginning(daemon: Daemon) -> None:
    daemon.write_config({"artifacts_max_files": 3_000})
    daemon.restart()
    job, _ = run(daemon, "mkdir out; cd out; for i in $(seq 1000 3500); do : >$i; done")
    status = daemon.jobs.status(job)
    assert (len(status.artifacts), status.artifact_count) == (1_000, 2_501)
    found: list[Any] = []
    token = ""
    sizes = []
    while True:
        request = pb2.ListArtifactsRequest(job_id=job, page_size=900, page_token=token)
        page = daemon.stub().ListArtifacts(request, timeout=20)
        assert page.status.ok and page.total == 2_501
        found += page.artifacts
        sizes.append(len(page.artifacts))
        token = page.next_page_token
        if not token:
            break
    assert sizes == [900, 900, 701]
    assert [one.name for one in found] == [str(number) for number in range(1_000, 3_501)]
    assert found[:1_000] == list(status.artifacts)
    largest = daemon.stub().ListArtifacts(pb2.ListArtifactsRequest(job_id=job, page_size=100_000), timeout=20)
    assert len(largest.artifacts) == 1_000
    # Everything is there for people and for models too.
    assert len(daemon.dome("artifacts", job).stdout.splitlines()) == 2_502
    refused = daemon.stub().ListArtifacts(pb2.ListArtifactsRequest(job_id=job, page_token="x"), timeout=20)
    assert refused.status.code == pb2.E_INVALID_REQUEST and "page_token" in refused.status.message
    unknown = daemon.stub().ListArtifacts(pb2.ListArtifactsRequest(job_id="job-0"), timeout=20)
    assert unknown.status.code == pb2.E_NOT_FOUND
