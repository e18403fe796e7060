"""Plugins/HTTP: which servers are asked, what they are told, and which are believed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from domekit.daemon import Daemon
from domekit.http_plugin import *  # noqa: F403
from domekit.http_plugin import TOKEN, answer, complaint
from domekit.jobs import Jobs
from domekit.paths import ROOT
from domekit.website import Website


# Where it goes


def test_without_the_policy_no_tool_has_the_network(jobs: Jobs) -> None:
    reply = jobs.submit("unnamed.get", {"url": "https://example.org/"})
    assert not reply.status.ok and "net.full" in reply.status.message


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.org/", "example.org:443 is not allowed: put it into"),
        ("http://127.0.0.1/", "127.0.0.1:80 is not allowed"),
        ("http://invalid/", "invalid:80 is not allowed"),
        ("http://x.invalid:81/", "x.invalid:81 is not allowed"),
        ("https://x.invalid:80/", "x.invalid:80 is not allowed"),
        ("http://xinvalid/", "xinvalid:80 is not allowed"),
        ("http://evilinvalid/", "evilinvalid:80 is not allowed"),
        ("http://x.invalid.example.org/", "is not allowed"),
        ("http://user:pw@x.invalid/", "holds a user or a password"),
        ("http://x.invalid@example.org/", "holds a user or a password"),
        ("http://example.org\\@x.invalid/", "holds a user or a password"),
        ("http://x.invalid\\.example.org/", "it is no URL"),
        ("http://x.invalid%2eexample.org/", "is not allowed"),
        ("http://x.invalid%00.example.org/", "it is no URL"),
        ("http://\u0130.invalid/", "not spelled in ASCII"),
        ("http://a b/", "it is no URL"),
        ("http://x.invalid:99999/", "it is no URL"),
        ("http://[fe80::1%25eth0]/", "names a network device"),
        ("ftp://x.invalid/", "only http:// and https://"),
        ("/x", "it is no URL"),
        ("http://x.invalid./", None),
        ("http://X.INVALID/", None),
        ("https://a.b.x.invalid:443/", None),
        ("http://x%2einvalid/", None),
    ],
)
def test_a_host_must_be_on_the_list(jobs: Jobs, url: str, reason: str | None) -> None:
    told = answer(jobs, url, "http.check")
    assert told["allowed"] == (reason is None) and (reason or "") in told.get("reason", ""), told
    if reason is not None:
        assert reason in complaint(jobs, url, "any.get" if "is not allowed" in reason else "one.get")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://x/", "127.0.0.1", "//x/", ""])
def test_another_scheme_is_refused_before_anything_runs(jobs: Jobs, url: str) -> None:
    assert not jobs.submit("http.get", {"url": url}).status.ok
    # And by the plugin itself, for tools whose schema does not say so.
    assert any(word in complaint(jobs, url, "one.get") for word in ("only http://", "it is no URL"))


def test_without_hosts_nothing_is_asked(jobs: Jobs, site: Website) -> None:
    before = len(site.seen)
    assert "is not allowed" in complaint(jobs, site.url("/text"), "closed.get")
    assert len(site.seen) == before


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "0.0.0.0", "10.0.0.1", "169.254.169.254", "172.16.0.1",
     "192.168.1.1", "100.64.0.1", "224.0.0.1", "255.255.255.255"],
)  # fmt: skip
def test_an_address_that_is_not_public_is_not_connected_to(jobs: Jobs, site: Website, host: str) -> None:
    before = len(site.seen)
    assert "is not public; allow it by" in complaint(jobs, site.url("/text", host), "inside.get")
    assert len(site.seen) == before


def test_public_addresses_are_told_from_others_in_every_form(tmp_path: Path) -> None:
    source = ROOT / "Tests" / "Support" / "plugins" / "http_addresses.c"
    folder = ROOT / "Plugins" / "HTTP"
    program = tmp_path / "addresses"
    subprocess.run(
        ["cc", "-std=c11", "-Wall", "-Werror", f"-I{folder}", source, folder / "address.c", "-o", program], check=True
    )

    def judged(*arguments: str) -> list[str]:
        return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout.split()

    public = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2600::1", "2a00::1", "::ffff:8.8.8.8",
              "64:ff9b::808:808"]  # fmt: skip
    closed = [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.31.255.255",
        "192.0.0.1", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::127.0.0.1", "fe80::1", "fec0::1", "fc00::1", "fd12::1", "ff02::1", "2001::1",
        "2001:db8::1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b:1::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "100::1", "3fff::1", "5f00::1",
    ]  # fmt: skip
    assert judged(*public) == ["public"] * len(public)
    assert judged(*closed) == ["closed"] * len(closed)
    within = {
        "127.0.0.0/8": (["127.0.0.1", "::ffff:127.9.9.9", "64:ff9b::7f00:1"], ["128.0.0.1", "::1"]),
        "10.0.0.4/30": (["10.0.0.4", "10.0.0.7"], ["10.0.0.3", "10.0.0.8"]),
        "fd00::/7": (["fd00::1", "fcff::1"], ["fe00::1"]),
        "::1": (["::1"], ["::2", "127.0.0.1"]),
        "0.0.0.0/0": (["10.0.0.1"], ["::1"]),
    }
    for named, (inside, outside) in within.items():
        assert judged("in", named, *inside) == ["yes"] * len(inside), named
        assert judged("in", named, *outside) == ["no"] * len(outside), named
    for wrong in ["", "10", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/-1", "::/129", "x" * 100]:
        assert judged("in", wrong, "10.0.0.1") == ["wrong"], wrong


def test_only_the_ranges_that_are_named_are_open(jobs: Jobs, site: Website) -> None:
    assert answer(jobs, site.url("/text"), "one.get")["status"] == 200
    assert "127.0.0.2 is not public" in complaint(jobs, site.url("/text", "127.0.0.2"), "one.get")
    away = site.url("/to/302?" + site.url("/text", "127.0.0.2"))
    assert "127.0.0.2 is not public" in complaint(jobs, away, "one.get")


def test_a_configuration_that_will_not_do_is_named(jobs: Jobs, site: Website) -> None:
    assert "\"hosts\": 'https://example.org/' is none of" in complaint(jobs, site.url("/text"), "bad.get")


def test_redirects_are_followed_among_the_allowed(jobs: Jobs, site: Website) -> None:
    result = answer(jobs, site.url("/to/301?/to/307?../text"))
    assert (result["status"], result["url"], result["redirects"]) == (200, site.url("/text"), 2)
    result = answer(jobs, site.url("/to/302?" + site.url("/text", "localhost")))
    assert (result["url"], result["redirects"]) == (site.url("/text", "localhost"), 1)
    result = answer(jobs, site.url("/to/302?/text"), max_redirects=0)
    assert (result["status"], result["headers"]["location"]) == (302, ["/text"])


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("https://example.org/", "redirects to a host that is not allowed: example.org:443"),
        ("//example.org/", "redirects to a host that is not allowed: example.org:80"),
        ("file:///etc/passwd", "redirects to what is not fetched"),
        ("gopher://x/", "redirects to what is not fetched"),
        ("http://user@127.0.0.1/", "redirects to what is not fetched"),
        ("http://[", "redirects to what is not fetched"),
    ],
)
def test_a_redirect_leads_nowhere_else(jobs: Jobs, site: Website, target: str, reason: str) -> None:
    assert reason in complaint(jobs, site.url("/to/302?" + target))


def test_redirects_end(jobs: Jobs, site: Website) -> None:
    assert "redirected more than 5 times" in complaint(jobs, site.url("/loop"))


def test_a_redirect_takes_no_more_along_than_it_should(jobs: Jobs, site: Website) -> None:
    def after(status: int, target: str, method: str = "POST") -> tuple[str, dict[str, str], str]:
        task = {"headers": {"Authorization": "mine", "X-A": "b", "Content-Type": "text/x"}}
        body = {"body": "data"} if method != "HEAD" else {}
        url = site.url(f"/to/{status}?{target}")
        echo = answer(jobs, url, "http.request", method=method, **task, **body)
        if method == "HEAD":
            return "HEAD", {}, ""
        sent = json.loads(echo["body"])
        return sent["method"], {name.lower(): value for name, value in sent["headers"]}, sent["body"]

    method, headers, body = after(303, "/echo")
    assert (method, body, headers["authorization"]) == ("GET", "", "mine") and "content-type" not in headers
    assert after(302, "/echo")[0] == "GET"
    method, headers, body = after(307, "/echo")
    assert (method, body, headers["content-type"]) == ("POST", "data", "text/x")
    assert after(302, "/echo", "PUT")[0] == "PUT"
    headers = after(307, site.url("/echo", "localhost"))[1]
    assert "authorization" not in headers and headers["x-a"] == "b"
    after(303, "/echo", "HEAD")
    assert site.last("/echo")[0] == "HEAD"


# TLS and secrets


def test_a_server_is_believed_by_its_certificate_alone(jobs: Jobs, secure: Website, sites: Any) -> None:
    assert answer(jobs, secure.url("/text", scheme="https"))["status"] == 200
    elsewhere = secure.url("/text", "localhost", "https")
    assert "certificate is not trusted" in complaint(jobs, elsewhere, "one.get")
    assert complaint(jobs, secure.url("/text"))  # plain words to a server that speaks TLS
    assert complaint(jobs, sites[0].url("/text", scheme="https"))


def test_a_secret_goes_where_the_configuration_says(
    daemon: Daemon, jobs: Jobs, site: Website, secure: Website
) -> None:
    def header(name: str = "TOKEN") -> dict[str, Any]:
        return {"secret_headers": {"Authorization": {"secret": name, "prefix": "Bearer "}}}

    answer(jobs, secure.url("/text?s", scheme="https"), **header())
    assert secure.last("/text?s")[2]["Authorization"] == "Bearer " + TOKEN
    assert "is sent by https:// alone" in complaint(jobs, site.url("/text"), **header())
    elsewhere = site.url("/text", "localhost")
    assert "secret TOKEN may not be told to localhost" in complaint(jobs, elsewhere, **header())
    assert "secret TOKEN_2 is not set" in complaint(jobs, secure.url("/text", scheme="https"), **header("TOKEN_2"))
    assert "secret NO may not" in complaint(jobs, secure.url("/text", scheme="https"), **header("NO"))
    # Not to where a redirect leads, if that is no place for it.
    away = secure.url("/to/302?" + secure.url("/text?away", "localhost", "https"), scheme="https")
    assert "not allowed" in complaint(jobs, away, **header())
    stays = secure.url("/to/302?/text?stays", scheme="https")
    answer(jobs, stays, **header())
    assert secure.last("/text?stays")[2]["Authorization"] == "Bearer " + TOKEN
    down = secure.url("/to/302?" + site.url("/text"), scheme="https")
    assert "redirects from https:// to http://" in complaint(jobs, down, **header())
    for path in (path for path in Path(daemon.state).rglob("*") if path.is_file()):
        assert TOKEN.encode() not in path.read_bytes(), path
    assert TOKEN not in daemon.log()
