"""ListJobs: filters and pages."""

from __future__ import annotations

from typing import Any

import pytest

from domekit.daemon import Daemon, pb2
from domekit.jobs import Jobs


def listed(stub: Any, **filters: Any) -> Any:
    reply = stub.ListJobs(pb2.ListJobsRequest(**filters), timeout=30)
    assert reply.status.ok, reply.status.message
    return reply


def test_jobs_are_listed_newest_first_with_what_became_of_them(jobs: Jobs) -> None:
    ids = [
        jobs.submit("job.noop", wait_ms=20_000).job_id,
        jobs.submit("domed.exec-probe", {"exit_code": 9}, wait_ms=20_000).job_id,
        jobs.submit("job.fail", {"reason": "r"}, wait_ms=20_000, profile="mine").job_id,
    ]
    found = listed(jobs.stub).jobs
    assert [one.job_id for one in found] == ids[::-1]
    assert [one.tool_id for one in found] == ["job.fail", "domed.exec-probe", "job.noop"]
    assert found[0].profile == "mine"
    assert found[1].exit_code == 9 and found[1].message
    assert all(one.created_at and one.started_at and one.ended_at and one.last_seq for one in found)


def test_filters_narrow_the_list(jobs: Jobs) -> None:
    good = jobs.submit("job.noop", wait_ms=20_000)
    bad = jobs.submit("job.fail", {}, wait_ms=20_000)
    failed, succeeded = pb2.JOB_STATE_FAILED, pb2.JOB_STATE_SUCCEEDED
    assert [one.job_id for one in listed(jobs.stub, states=[failed]).jobs] == [bad.job_id]
    assert len(listed(jobs.stub, states=[failed, succeeded]).jobs) == 2
    assert [one.job_id for one in listed(jobs.stub, tool_id="job.noop").jobs] == [good.job_id]
    assert len(listed(jobs.stub, tool_id="no.such").jobs) == 0
    created = jobs.status(bad.job_id).created_at
    assert [one.job_id for one in listed(jobs.stub, since=created).jobs] == [bad.job_id]
    assert [one.job_id for one in listed(jobs.stub, until=created).jobs] == [good.job_id]


def test_pages_hold_every_job_once_while_jobs_are_added(daemon: Daemon) -> None:
    jobs = daemon.jobs
    ids = [jobs.submit("job.noop", wait_ms=20_000).job_id for _ in range(23)]
    found: list[str] = []
    token = ""
    while True:
        page = listed(jobs.stub, page_size=5, page_token=token)
        assert len(page.jobs) <= 5
        found += [one.job_id for one in page.jobs]
        token = page.next_page_token
        if not token:
            break
        jobs.submit("job.noop", wait_ms=20_000)
    assert found == ids[::-1]


@pytest.mark.parametrize(
    "field, value",
    [("page_token", "nonsense"), ("since", "yesterday"), ("until", "2026-13-01T00:00:00Z"), ("states", [99])],
)
def test_a_filter_that_makes_no_sense_is_named(stub: Any, field: str, value: Any) -> None:
    status = stub.ListJobs(pb2.ListJobsRequest(**{field: value}), timeout=30).status
    assert (status.ok, status.code) == (False, pb2.E_INVALID_REQUEST)
    assert field in status.message
