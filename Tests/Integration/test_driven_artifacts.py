"""What a job leaves that an executor drives elsewhere: handed in at its end, and kept as what lies in /job/out is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domekit.artifacts import copies, guard, kept
from domekit.cluster import Cluster
from domekit.daemon import Daemon
from domekit.database import rows
from domekit.jobs import Event, Jobs, assert_complete, state_name
from domekit.waiting import until

LARGE = bytes(range(256)) * 12_000


@pytest.fixture()
def cluster(daemon: Daemon) -> Cluster:
    return Cluster(daemon)


def end(cluster: Cluster, job: str, state: str = "succeeded", **members: Any) -> list[Event]:
    """Ends a job that ran and reads what is told of it."""
    cluster.state(job, "running")
    until(lambda: state_name(cluster.daemon.jobs.status(job).state) == "RUNNING", "it runs")
    cluster.state(job, state, **members)
    events = list(cluster.daemon.jobs.follow(job))
    assert_complete(events)
    return events


def test_files_are_kept_with_their_digests(cluster: Cluster, daemon: Daemon) -> None:
    job = cluster.start()
    files = {"a": b"hello\n", "empty": b"", "sub/dir/large": LARGE, "new\nline": b"1"}
    cluster.leave(job, files)
    events = end(cluster, job)
    assert events[-1].payload["to"] == "succeeded"
    named = {"new%0Aline" if name == "new\nline" else name: content for name, content in files.items()}
    assert kept(daemon, job) == named
    assert not [one for one in events if one.type == "GUARD"]
    assert rows(daemon, "SELECT path FROM artifacts ORDER BY position") == [(name,) for name in sorted(named)]
    assert copies(daemon, job).stat().st_mode & 0o777 == 0o700
    shown = daemon.dome("artifacts", job, "sub/dir/large", "-O", str(daemon.directory / "large"))
    assert shown.returncode == 0, shown.stderr
    assert (daemon.directory / "large").read_bytes() == LARGE
    daemon.restart()
    assert kept(daemon, job) == named


@pytest.mark.parametrize("state", ["failed", "canceled"])
def test_a_job_that_did_not_end_well_leaves_what_it_had(cluster: Cluster, daemon: Daemon, state: str) -> None:
    job = cluster.start()
    cluster.leave(job, {"log": b"half"})
    assert end(cluster, job, state)[-1].payload["to"] == state
    assert kept(daemon, job) == {"log": b"half"}


def test_one_that_never_ran_is_not_asked(cluster: Cluster, daemon: Daemon) -> None:
    job = cluster.start()
    cluster.leave(job, {"log": b"of another"})
    cluster.state(job, "canceled")
    list(daemon.jobs.follow(job))
    assert kept(daemon, job) == {} and "l" not in cluster.calls(job)


def test_an_executor_whose_jobs_leave_nothing(daemon: Daemon, jobs: Jobs) -> None:
    cluster = Cluster(daemon, "LIST_ARTIFACTS=NULL", "READ_ARTIFACT=NULL")
    job = cluster.start()
    events = end(cluster, job)
    assert kept(daemon, job) == {} and not [one for one in events if one.type == "GUARD"]
    assert not copies(daemon, job).exists()


def test_names_that_lead_elsewhere_are_left_out_and_nothing_is_written_there(
    cluster: Cluster, daemon: Daemon
) -> None:
    outside = daemon.directory / "outside"
    bad = ["../../../../outside", str(outside), "", "a/../../b", "good/below", "\u0000"]
    job = cluster.start()
    cluster.leave(job, {"good": b"good"}, listed=[(name, 1) for name in bad] + [("good", 9)])
    events = end(cluster, job)
    payload = guard(events)
    assert kept(daemon, job) == {"good": b"good"} and payload["left_out"] == {"path": 7}, payload
    assert events[-1].payload["to"] == "succeeded", "what it left has no say in how it ended"
    assert not outside.exists()
    assert [path.name for path in copies(daemon, job).iterdir()] == ["good"]


def test_limits_leave_out_whole_files_and_say_so(daemon: Daemon, jobs: Jobs) -> None:
    cluster = Cluster(daemon, limits={"disk_bytes": 4 << 20})
    job = cluster.start()
    cluster.leave(job, {"a": LARGE, "b": LARGE, "c": b"small\n"}, listed=[("d", 1 << 62)])
    events = end(cluster, job)
    assert {name: len(content) for name, content in kept(daemon, job).items()} == {"a": len(LARGE), "c": 6}
    assert guard(events)["left_out"] == {"bytes": 2}
    job = cluster.start()
    cluster.leave(job, {f"{number:04}": b"" for number in range(1_030)})
    events = end(cluster, job)
    assert len(kept(daemon, job)) == 1_000 and guard(events)["left_out"] == {"files": 30}


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ("[", "not valid JSON"),
        ('{"artifacts": [{"name": "a", "bytes": -1}]}', '"bytes"'),
        (" " * (2 << 20), "not valid JSON"),
    ],
)
def test_a_list_that_will_not_do_is_no_list(cluster: Cluster, daemon: Daemon, answer: str, complaint: str) -> None:
    job = cluster.start()
    cluster.tell(job, "artifacts", answer)
    events = end(cluster, job)
    payload = guard(events)
    assert payload["lost"] is True and complaint in payload["message"], payload
    assert events[-1].payload["to"] == "succeeded"
    assert json.loads(daemon.jobs.status(job).provenance_json)["products"]["artifacts_lost"] is True


def test_an_executor_that_gives_more_than_was_asked_for(daemon: Daemon, jobs: Jobs) -> None:
    cluster = Cluster(daemon, "MORE_READ=7")
    job = cluster.start()
    cluster.leave(job, {"a": b"12345678", "b": b"1"})
    events = end(cluster, job)
    assert kept(daemon, job) == {} and guard(events)["left_out"] == {"unreadable": 2}
    assert copies(daemon, job).is_dir() and not list(copies(daemon, job).iterdir())


def test_a_cluster_that_cannot_be_asked_is_asked_again(cluster: Cluster, daemon: Daemon) -> None:
    job = cluster.start()
    cluster.leave(job, {"a": b"patience"})
    cluster.tell(job, "reads", "5")  # DOME_UNAVAILABLE
    cluster.state(job, "succeeded")
    until(lambda: cluster.calls(job).count("a") > 3, "it was asked again")
    status = daemon.jobs.status(job)
    assert state_name(status.state) == "RUNNING" and "artifacts are being fetched" in status.message, status.message
    (cluster.folder / job / "reads").unlink()
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    assert kept(daemon, job) == {"a": b"patience"}


def test_one_that_is_refused_is_left_out_and_the_others_are_kept(cluster: Cluster, daemon: Daemon) -> None:
    job = cluster.start()
    cluster.leave(job, {"a": b"1", "c": b"3"}, listed=[("b", 1)])
    events = end(cluster, job)
    assert kept(daemon, job) == {"a": b"1", "c": b"3"}
    assert guard(events)["first"] == [{"path": "b", "reason": "unreadable"}]


def test_a_slow_fetch_holds_no_other_job_up(cluster: Cluster, daemon: Daemon) -> None:
    job = cluster.start()
    cluster.leave(job, {"a": b"late"})
    cluster.tell(job, "reads", "5")
    cluster.state(job, "succeeded")
    until(lambda: "a" in cluster.calls(job), "it is being asked")
    other = cluster.start()
    cluster.leave(other, {"a": b"soon"})
    end(cluster, other)
    assert kept(daemon, other) == {"a": b"soon"}
    assert daemon.jobs.run("shell.run", {"script": "echo here"})[-1].payload["to"] == "succeeded"
    (cluster.folder / job / "reads").unlink()
    list(daemon.jobs.follow(job))
    assert kept(daemon, job) == {"a": b"late"}
