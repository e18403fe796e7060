"""Plugins/HTTP against a real server, polite and otherwise: what is sent and what comes back."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from domekit import artifacts
from domekit.daemon import Daemon
from domekit.http_plugin import *  # noqa: F403
from domekit.http_plugin import answer, complaint
from domekit.jobs import Jobs, state_name
from domekit.website import PICTURE, Website


# What comes back


def test_a_page_comes_with_status_headers_and_text(jobs: Jobs, site: Website) -> None:
    result = answer(jobs, site.url("/text?a=b#part"))
    assert (result["status"], result["redirects"], result["truncated"]) == (200, 0, False)
    assert result["url"] == site.url("/text?a=b")
    assert (result["body"], result["bytes"]) == ("gr\u00fcn \U0001f600", 10)
    assert result["headers"]["content-type"] == ["text/plain; charset=utf-8"]
    sent = site.last("/text?a=b")[2]
    assert sent["User-Agent"].startswith("dome-http/") and sent["Host"] == f"127.0.0.1:{site.port}"


def test_what_is_no_text_comes_as_base64(jobs: Jobs, site: Website) -> None:
    result = answer(jobs, site.url("/picture"))
    assert base64.b64decode(result["body_base64"]) == PICTURE and "body" not in result


def test_headers_that_stand_there_twice_are_both_kept(jobs: Jobs, site: Website) -> None:
    result = answer(jobs, site.url("/twice"))
    assert result["headers"]["set-cookie"] == ["a=1", "b=2"]
    assert result["headers"]["x-odd"] == ["\ufffd"]
    assert result["body"] == ""


def test_any_status_is_a_result(jobs: Jobs, site: Website) -> None:
    assert answer(jobs, site.url("/nowhere"))["status"] == 404


def test_a_request_is_sent_as_it_is_described(jobs: Jobs, site: Website) -> None:
    def sent(**task: Any) -> tuple[str, dict[str, str], str]:
        echo = json.loads(answer(jobs, site.url("/echo"), "http.request", **task)["body"])
        return echo["method"], {name.lower(): value for name, value in echo["headers"]}, echo["body"]

    method, headers, body = sent(method="PUT", body="gr\u00fcn", headers={"X-A": "b", "Content-Type": "text/x"})
    assert (method, body) == ("PUT", "gr\u00fcn".encode().decode("latin-1"))
    assert (headers["x-a"], headers["content-type"]) == ("b", "text/x")
    method, headers, body = sent(method="POST", body_base64="AP8=", headers={"X-Empty": ""})
    assert (method, body, headers["x-empty"]) == ("POST", "\x00\xff", "")
    assert "content-type" not in headers and "expect" not in headers
    assert sent(method="POST")[1]["content-length"] == "0"
    assert sent(method="DELETE")[0] == "DELETE"
    assert answer(jobs, site.url("/text"), "http.request", method="HEAD")["bytes"] == 0
    assert site.last("/text")[0] == "HEAD"


def test_chunks_and_packed_bodies_are_put_together(jobs: Jobs, site: Website) -> None:
    assert answer(jobs, site.url("/chunked"))["body"] == "abcde"
    packed = answer(jobs, site.url("/packed"))
    assert (packed["body"], packed["bytes"]) == ("packed" * 1000, 6000)


def test_a_body_becomes_an_artifact(daemon: Daemon, jobs: Jobs, site: Website) -> None:
    job = jobs.start("http.get", {"url": site.url("/picture"), "save_as": "pages/one.bin"})
    [line] = [one.line for one in jobs.follow(job) if one.payload.get("stream") == "stdout"]
    result = json.loads(line or b"")
    assert (result["artifact"], result["bytes"]) == ("pages/one.bin", 1024) and "body_base64" not in result
    assert artifacts.kept(daemon, job) == {"pages/one.bin": PICTURE}
    assert "must be a relative path" in complaint(jobs, site.url("/picture"), save_as="../x")


# Bounds


def test_what_is_too_long_is_cut(jobs: Jobs, site: Website) -> None:
    result = answer(jobs, site.url("/huge"), max_bytes=1000)
    assert (result["body"], result["bytes"], result["truncated"]) == ("y" * 1000, 1000, True)
    # Within a character.
    result = answer(jobs, site.url("/text"), max_bytes=3)
    assert (result["body"], result["truncated"]) == ("gr", True)
    assert answer(jobs, site.url("/text"), "limited.get")["bytes"] == 7
    assert "is larger than \"max_bytes\", 1000" in complaint(jobs, site.url("/huge"), max_bytes=1000, save_as="x")
    assert '"max_bytes" is to be' in complaint(jobs, site.url("/huge"), max_bytes=9 << 20)


def test_a_bomb_fills_no_more_than_its_bound(jobs: Jobs, site: Website) -> None:
    result = answer(jobs, site.url("/bomb"), max_bytes=1 << 20)
    assert (result["bytes"], result["truncated"]) == (1 << 20, True)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/cut", "transfer closed"),
        ("/cut-chunk", "transfer closed"),
        ("/nothing", "Empty reply"),
        ("/garbage", "HTTP/0.9"),
        ("/headers", "more than 256 KiB of headers"),
    ],
)
def test_an_answer_that_is_none_is_a_failure(jobs: Jobs, site: Website, path: str, reason: str) -> None:
    assert reason in complaint(jobs, site.url(path), save_as="it")


def test_a_server_that_hangs_costs_its_time_alone(jobs: Jobs, site: Website) -> None:
    assert 'no whole answer within "timeout_seconds"' in complaint(jobs, site.url("/hang"), timeout_seconds=1)


def test_a_request_is_canceled(jobs: Jobs, site: Website) -> None:
    job = jobs.start("http.get", {"url": site.url("/hang?cancel")})
    site.wait_for("/hang?cancel")
    jobs.cancel(job)
    events = list(jobs.follow(job))
    status = jobs.status(job)
    # By its own exit, and not by the signal that comes when the grace is over.
    assert state_name(status.state) == "CANCELED" and not status.signal, events[-1].payload


def test_progress_is_reported(jobs: Jobs, site: Website) -> None:
    job = jobs.start("http.get", {"url": site.url("/drip")})
    told: list[str] = []
    for one in jobs.follow(job):
        if "value" in one.payload:
            told.append(one.payload["message"])
            # Each report lets another piece go; each is the first that is sent.
            site.drips.release(1 if len(told) < 4 else 4)
    assert told[0] == "GET 127.0.0.1"
    assert any(one.endswith("of 40 bytes") for one in told), told


# Bad input


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ({"headers": {"Host": "example.org"}}, "Host cannot be set"),
        ({"headers": {"content-length": "3"}}, "content-length cannot be set"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "cannot be set"),
        ({"headers": {"X-A": "b\r\nX-C: d"}}, "no text of one line"),
        ({"headers": {"X-A": "b\u0000"}}, "no text of one line"),
        ({"headers": {"X-A": "b", "x-a": "c"}}, "stands there twice"),
        ({"secret_headers": {"X-A": {"secret": "TOKEN", "prefix": "a\nb"}}}, "\"secret_headers\""),
        ({"headers": {"X-A": "b"}, "secret_headers": {"x-a": {"secret": "TOKEN"}}}, "stands there twice"),
    ],
)
def test_headers_that_would_change_the_message_are_refused(
    jobs: Jobs, site: Website, task: dict[str, Any], reason: str
) -> None:
    before = len(site.seen)
    assert reason in complaint(jobs, site.url("/text"), **task)
    assert len(site.seen) == before


@pytest.mark.parametrize(
    "task",
    [
        {"headers": {"X A": "b"}},
        {"headers": {"X-A": 1}},
        {"method": "POST"},
        {"body": "x"},
        {"max_redirects": 21},
        {"timeout_seconds": 0},
        {"proxy": "http://x/"},
    ],
)
def test_a_task_that_does_not_fit_is_refused_before_anything_runs(
    jobs: Jobs, site: Website, task: dict[str, Any]
) -> None:
    assert not jobs.submit("http.get", {"url": site.url("/text")} | task).status.ok


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ({"method": "GET", "body": "x"}, "a GET or HEAD has none"),
        ({"method": "POST", "body": "x", "body_base64": "eA=="}, "not both"),
        ({"method": "POST", "body_base64": "eA="}, "is no base64"),
        ({"method": "POST", "body_base64": "e=A="}, "is no base64"),
    ],
)
def test_a_body_that_will_not_do_is_named(jobs: Jobs, site: Website, task: dict[str, Any], reason: str) -> None:
    assert reason in complaint(jobs, site.url("/echo"), "http.request", **task)
