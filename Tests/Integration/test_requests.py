"""What SkillExecute refuses, and how it says so. Whatever is refused leaves nothing behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domekit.daemon import Daemon, pb2
from domekit.jobs import Jobs


@pytest.fixture
def untouched(daemon: Daemon) -> Any:
    """Fails the test if a job was made."""
    yield
    assert len(daemon.stub().ListJobs(pb2.ListJobsRequest(), timeout=30).jobs) == 0
    assert not list((daemon.state / "jobs").glob("*/*"))


def assert_refused(reply: Any, *needles: str, code: str = "E_INVALID_REQUEST") -> None:
    assert not reply.status.ok
    assert pb2.ErrorCode.Name(reply.status.code) == code, reply.status.message
    for needle in needles:
        assert needle in reply.status.message
    assert reply.job_id == "" and reply.run_id == "" and reply.state == 0
    assert not reply.status.retryable


@pytest.mark.parametrize("field", ["skill_id", "profile", "idempotency_key"])
def test_a_required_field_that_is_empty_is_named(stub: Any, untouched: None, field: str) -> None:
    request = pb2.SkillExecuteRequest(skill_id="job.noop", profile="p", idempotency_key="k", task_json="{}")
    request.ClearField(field)
    assert_refused(stub.SkillExecute(request, timeout=30), field)


@pytest.mark.parametrize("field", ["skill_id", "profile", "idempotency_key"])
@pytest.mark.parametrize("value", ["x" * (1 << 20), "nul\0inside", "line\nbreak"], ids=["1 MB", "NUL", "newline"])
def test_an_absurd_value_of_a_name_is_refused(stub: Any, untouched: None, field: str, value: str) -> None:
    request = pb2.SkillExecuteRequest(skill_id="job.noop", profile="p", idempotency_key="k", task_json="{}")
    setattr(request, field, value)
    reply = stub.SkillExecute(request, timeout=30)
    assert_refused(reply, field)
    assert len(reply.status.message) < 1000


@pytest.mark.parametrize("tool", ["no.such.tool", "../../../etc/passwd", "Shell.Run", "..", "jöb.noop"])
def test_an_unknown_tool_is_not_found(jobs: Jobs, untouched: None, tool: str) -> None:
    reply = jobs.submit(tool)
    assert_refused(reply, code="E_NOT_FOUND")
    assert reply.status.message == f"tool not found: {tool}"


@pytest.mark.parametrize(
    "text",
    ["{", '{"a":1,}', "{'a':1}", "nul", '{"a":1} x', '{"a":01}', '{"a":1,"a":2}', '{"a":"\\ud800"}', "\0", "NaN"],
)
def test_malformed_json_is_refused_with_the_place(jobs: Jobs, untouched: None, text: str) -> None:
    assert_refused(jobs.submit("job.noop", text), "task_json", "line 1, column")


def test_nesting_without_end_is_refused(jobs: Jobs, untouched: None) -> None:
    assert_refused(jobs.submit("job.noop", '{"a":' * 100_000), "task_json")
    assert_refused(jobs.submit("job.noop", '{"a":' + "[" * 100_000 + "]" * 100_000 + "}"), "task_json")


@pytest.mark.parametrize("text", ["[]", "1", '"text"', "null", "true"])
def test_a_task_that_is_no_object_is_refused(jobs: Jobs, untouched: None, text: str) -> None:
    assert_refused(jobs.submit("job.noop", text), "job.noop", "object")


def test_every_violation_of_the_schema_is_reported_with_its_pointer(jobs: Jobs, untouched: None) -> None:
    task = {"stdout": "not a list", "stderr": [1, "ok", None], "exit_code": 256, "sleep_seconds": -1}
    reply = jobs.submit("domed.exec-probe", task)
    assert_refused(reply, "/stdout", "/stderr/0", "/stderr/2", "/exit_code", "/sleep_seconds", "domed.exec-probe")


def test_a_missing_field_of_the_task_is_named(jobs: Jobs, untouched: None) -> None:
    assert_refused(jobs.submit("job.log", {}), "lines")
    assert_refused(jobs.submit("text.search", {"pattern": "x"}), "path")


def test_a_field_that_the_tool_does_not_know_is_named(jobs: Jobs, untouched: None) -> None:
    assert_refused(jobs.submit("shell.run", {"argv": ["true"], "skript": "x"}), "/skript")


def test_argv_and_script_exclude_each_other(jobs: Jobs, untouched: None) -> None:
    assert_refused(jobs.submit("shell.run", {"argv": ["true"], "script": "true"}))
    assert_refused(jobs.submit("shell.run", {}), "argv", "script")


@pytest.mark.parametrize("task", [{"argv": ["a\0b"]}, {"script": "echo a\0b"}], ids=["argv", "script"])
def test_a_nul_in_an_argument_ends_the_job_with_a_message_and_starts_nothing(jobs: Jobs, task: Any) -> None:
    reply = jobs.submit("shell.run", task, wait_ms=20_000)
    if reply.status.ok:
        status = jobs.status(reply.job_id)
        assert pb2.JobState.Name(status.state) == "JOB_STATE_FAILED"
        assert "NUL" in status.message
        assert not status.HasField("exit_code")
    else:
        assert_refused(reply, "NUL")


def test_text_that_is_not_utf8_is_malformed_protobuf(daemon: Daemon) -> None:
    """The contract's fields are proto3 strings, so such a message is not one of the contract's."""
    import grpc

    path = "/domed.v1.DomedService/SkillExecute"
    call = daemon.channel().unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
    with pytest.raises(grpc.RpcError) as caught:
        call(b"\x0a\x02\xff\xfe", timeout=30)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "SkillExecuteRequest" in caught.value.details()


@pytest.mark.parametrize(
    "job_id",
    ["nope", "../../etc/passwd", "job-" + "0" * 26, "a\0b", "job-ü", "%s%n", pytest.param("x" * (1 << 20), id="1 MB")],
)
def test_an_absurd_job_id_is_not_found(stub: Any, job_id: str) -> None:
    import grpc

    status = stub.GetJobStatus(pb2.GetJobStatusRequest(job_id=job_id), timeout=30).status
    cancel = stub.CancelJob(pb2.CancelJobRequest(job_id=job_id, idempotency_key="k"), timeout=30).status
    for reply in (status, cancel):
        assert (reply.ok, reply.code) == (False, pb2.E_NOT_FOUND)
        assert reply.message.startswith("job not found: " + job_id[:100])
        assert len(reply.message) < 1000
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.StreamJobEvents(pb2.StreamJobEventsRequest(job_id=job_id, follow=True), timeout=30))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    assert caught.value.details().startswith("job not found: ")


def test_a_grant_outside_the_policy_is_denied_by_name(daemon: Daemon) -> None:
    reply = daemon.jobs.submit("shell.run", {"script": "true"}, grants=[f"fs.read:{daemon.state}"])
    assert_refused(reply, str(daemon.state), code="E_POLICY_DENIED")


def test_a_task_larger_than_an_argument_list_runs_all_the_same(jobs: Jobs) -> None:
    filler = "x" * (1 << 20)
    events = jobs.run("shell.run", json.dumps({"script": f": {filler}\nwc -c <$DOMED_TASK_FILE"}))
    assert events[-1].payload["to"] == "succeeded", events[-1].payload
