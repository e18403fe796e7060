"""web.read and web.fetch in the jail, against servers on loopback: pages, scripts, and what a page may not reach."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from domekit import plugins, processes
from domekit.daemon import Daemon
from domekit.jobs import state_name
from domekit.paths import bin_dir
from domekit.shipped import not_accepted, refusal, result
from domekit.users import ORDINARY_UID, WHO
from domekit.website import Website, certificates

# Ubuntu has none that runs in a jail.
with_browser = pytest.mark.skipif(not shutil.which("chromium-headless-shell"), reason="Chromium is not installed")
# Of the programs under test: with copies of what tools share.
WEB_READ = bin_dir().parent / "share" / "dome" / "registry" / "tools" / "web.read"
# However loaded the machine is.
PATIENT = {"timeout_seconds": 60}
PICTURE_START = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def sites() -> Iterator[tuple[Website, Website]]:
    """One that the user allows, and one at an address that is not allowed."""
    allowed, other = Website(), Website(host="127.0.0.2")
    yield allowed, other
    allowed.close()
    other.close()


@pytest.fixture(scope="module")
def daemon(sites: tuple[Website, Website]) -> Iterator[Daemon]:
    """One whose user allows the web tools the network, and one address that is not public."""
    daemon = Daemon(environment={"DOME_WEB_PRIVATE_RANGES": "127.0.0.1"})
    daemon.write_policy({"tools": {tool: {"allow": ["net.full"]} for tool in ("web.read", "web.fetch")}})
    config = {"hosts": [f"127.0.0.1:{sites[0].port}"], "private_ranges": ["127.0.0.1"]}
    plugins.settings(daemon, "dome.http", config=config)
    try:
        yield daemon.start()
    finally:
        daemon.close()


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Website, Path]]:
    """One with TLS, and the authority that vouches for it; the machine knows nothing of it."""
    authority, certificate = certificates(tmp_path)
    site = Website(certificate)
    yield site, authority
    site.close()


@pytest.fixture
def site(sites: tuple[Website, Website]) -> Website:
    return sites[0]


@pytest.fixture
def other(sites: tuple[Website, Website]) -> Website:
    return sites[1]


ARTICLE = """<!doctype html><html lang="en"><head><title> An  article </title>
<meta name="description" content="About things."><style>p { color: red }</style></head>
<body><nav><a href="/home">Home</a></nav><main><h1>Things</h1>
<p>A thing is <b>a</b> <a href="more?x=1#part">thing</a>.<ul><li>one<li>two</ul><p>%s</main>
<script>document.title = "changed"</script><footer>imprint</footer></body></html>""" % ("Words. " * 100)


def test_a_page_is_read_without_its_furniture(daemon: Daemon, site: Website) -> None:
    url = site.serve("article", ARTICLE)
    page = result(daemon, "web.read", {"url": url})
    assert (page["status"], page["title"], page["language"]) == (200, "An article", "en")
    assert page["text"].startswith("# Things\n\nA thing is a thing.\n\n- one\n- two\n\nWords.")
    assert "imprint" not in page["text"] and "color" not in page["text"]
    assert page["links"] == [
        {"url": site.url("/home"), "text": "Home"}, {"url": site.url("/pages/more?x=1#part"), "text": "thing"}
    ]  # fmt: skip
    assert not page["rendered"] and not page["truncated"]
    piece = result(daemon, "web.read", {"url": url, "offset": 2, "max_characters": 6, "links": False})
    assert (piece["text"], piece["next_offset"]) == ("Things", 8) and "links" not in piece
    moved = result(daemon, "web.read", {"url": site.url("/to/302?/pages/article")})
    assert (moved["url"], moved["redirects"]) == (url, 1)
    text = result(daemon, "web.read", {"url": site.url("/text")})
    assert text["text"] == "gr\u00fcn \U0001f600" and "title" not in text
    missing = result(daemon, "web.read", {"url": site.url("/nonesuch")})
    assert (missing["status"], missing["text"]) == (404, "no such page")


SCRIPTED = """<!doctype html><title>Before</title><div id=place>wait</div><script>
fetch('/text').then(answer => answer.text()).then(text => {
  document.title = 'After';
  place.innerHTML = '<h1>Made</h1><p>' + text + ' <a href=/next>next</a>';
});</script>"""


@with_browser
def test_a_page_that_scripts_fill_is_shown_by_a_browser(daemon: Daemon, site: Website) -> None:
    url = site.serve("scripted", SCRIPTED)
    plain = result(daemon, "web.read", {"url": url, "javascript": "never"})
    assert (plain["title"], plain["text"], plain["rendered"]) == ("Before", "wait", False)
    reply = daemon.jobs.submit("web.read", {"url": url, "screenshot": True} | PATIENT, wait_ms=60_000, timeout=90)
    page = json.loads(reply.result_json)
    assert (page["title"], page["text"], page["rendered"]) == ("After", "# Made\n\ngr\u00fcn \U0001f600 next", True)
    assert page["links"] == [{"url": site.url("/next"), "text": "next"}]
    assert [(one.name, one.bytes > 1000) for one in reply.artifacts] == [("page.png", True)]
    with open(reply.artifacts[0].path, "rb") as file:
        assert file.read(8) == PICTURE_START


@with_browser
def test_nothing_but_allowed_addresses_is_asked(daemon: Daemon, site: Website, other: Website) -> None:
    away = other.url("/text", "127.0.0.2")
    assert "127.0.0.2, which is no public address" in refusal(daemon, "web.read", {"url": away})
    assert "no public address" in refusal(daemon, "web.read", {"url": site.url("/to/302?" + away)})
    for host in ("[::1]", "[::ffff:127.0.0.2]", "0.0.0.0", "169.254.169.254", "10.0.0.1", "2130706434"):
        assert "no public address" in refusal(daemon, "web.read", {"url": f"http://{host}:{other.port}/"}), host
    # Neither does a page in the browser: a script, a frame, a picture, a redirect.
    scripts = (
        f"<img src='{away}?picture'><iframe src='{away}?frame'></iframe><div id=place></div><script>"
        f"fetch('{away}?fetched', {{mode: 'no-cors'}}).then(() => place.innerText = 'reached')"
        f".catch(() => place.innerText = 'refused')</script><img src='{site.url('/to/302?' + away)}'>"
    )
    page = result(daemon, "web.read", {"url": site.serve("spy", scripts), "javascript": "always"} | PATIENT)
    assert "refused" in page["text"] and page["rendered"]
    assert other.seen == []


@with_browser
def test_a_page_that_never_rests_is_given_up(daemon: Daemon, site: Website) -> None:
    busy = site.serve("busy", "<script>while (true) {}</script>")
    assert "within 2 s" in refusal(daemon, "web.read", {"url": busy, "timeout_seconds": 2, "javascript": "always"})


STRANGER = """
import socket, sys
port, target = int(sys.argv[1]), sys.argv[2]
for request in (f"GET {target} HTTP/1.1\\r\\n\\r\\n", f"CONNECT {target.split('/')[2]} HTTP/1.1\\r\\n\\r\\n"):
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        try:
            connection.sendall(request.encode())
            print(connection.recv(1000))
        except ConnectionError:
            print(b"")
"""


@with_browser
@pytest.mark.parametrize("who", WHO)
def test_nobody_else_is_served_while_a_browser_shows_a_page(daemon: Daemon, site: Website, who: str) -> None:
    asked = f"/drip?{who}"
    url = site.serve("slow", f"<h1>Slow</h1><img src='{asked}'>")
    job = daemon.jobs.start("web.read", {"url": url, "javascript": "always"} | PATIENT)
    site.wait_for(asked)
    (port,) = listening_ports(processes.of_jobs(job))
    identity = {"user": ORDINARY_UID, "group": ORDINARY_UID, "extra_groups": []} if os.geteuid() == 0 else {}
    command = ["/usr/bin/python3", "-c", STRANGER, str(port), site.url(f"/secret?{who}")]
    stranger = subprocess.run(
        command, capture_output=True, text=True, timeout=90, check=False, **(identity if who == "user" else {})
    )
    assert stranger.stdout == "b''\nb''\n", stranger
    site.drips.release(4)
    assert [state_name(daemon.jobs.status(job).state) for _ in daemon.jobs.follow(job)][-1] == "SUCCEEDED"
    page = json.loads(daemon.jobs.status(job).result_json)
    assert (page["text"], page["rendered"]) == ("# Slow", True)
    assert not [one for one in site.seen if one[1].startswith("/secret")]


def listening_ports(pids: list[int]) -> list[int]:
    """On which of them listen over IPv4."""
    opened = {os.readlink(path) for pid in pids for path in Path(f"/proc/{pid}/fd").glob("*") if path.is_symlink()}
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()]
    return [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in opened]


def test_bad_servers_and_bad_urls_are_told(daemon: Daemon, site: Website) -> None:
    for path, why in [
        ("/nothing", "closed connection"), ("/garbage", "this is no HTTP"), ("/loop", "more than 10 redirects"),
        ("/headers", "headers"), ("/picture", "is image/x-test, which is no page"), ("/cut-chunk", "127.0.0.1: "),
        ("/to/302?file:///etc/passwd", "no http or https URL"),
    ]:  # fmt: skip
        assert why in refusal(daemon, "web.read", {"url": site.url(path)}), path
    assert "within 1 s" in refusal(daemon, "web.read", {"url": site.url("/hang"), "timeout_seconds": 1})
    assert "port" in refusal(daemon, "web.read", {"url": "http://127.0.0.1:99999/"}).lower()
    assert "a user in it" in refusal(daemon, "web.read", {"url": "http://a:b@127.0.0.1/"})
    bomb = result(daemon, "web.read", {"url": site.url("/bomb"), "max_bytes": 1000})
    assert bomb["incomplete"] and bomb["characters"] <= 1000
    huge = result(daemon, "web.read", {"url": site.url("/huge"), "max_bytes": 5000, "javascript": "never"})
    assert huge["incomplete"] and huge["characters"] == 5000
    for task in ({}, {"url": "ftp://x/"}, {"url": "http://a b/"}, {"url": "http://x", "javascript": "maybe"}):
        assert "input schema" in not_accepted(daemon, "web.read", task), task


def test_tls_is_spoken_with_those_that_somebody_vouches_for(daemon: Daemon, secure: tuple[Website, Path]) -> None:
    site, authority = secure
    url = site.url("/text", scheme="https")
    assert "CERTIFICATE_VERIFY_FAILED" in refusal(daemon, "web.read", {"url": url})
    assert site.seen == []
    # No job can be told of the authority, so it is the tool's module that asks, out of the jail.
    code = "import sys; sys.path += sys.argv[2:]; import fetch; print(fetch.get(sys.argv[1], 1000, 60).body)"
    environment = {"SSL_CERT_FILE": str(authority), "DOME_WEB_PRIVATE_RANGES": "127.0.0.1"}
    command = ["/usr/bin/python3", "-B", "-c", code, url, str(WEB_READ)]
    asked = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert asked.stdout == repr("gr\u00fcn \U0001f600".encode()) + "\n", asked.stderr


# The first and the last of what is nobody's or somebody's own (IANA's registries of special addresses), and what is
# beside them.
CLOSED = """0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.0 127.255.255.255
169.254.0.0 169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.255 192.0.2.0 192.0.2.255 192.88.99.0
192.88.99.255 192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.0 198.51.100.255 203.0.113.0
203.0.113.255 224.0.0.0 239.255.255.255 240.0.0.0 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:10.1.2.3 ::7f00:1
64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1 100::1 2001:: 2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8::1
2002:7f00:1:: 3fff::1 3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff 4000:: fc00::1 fd12::1 fe80::1 fe80::1%eth0 fec0::1
ff02::1"""
OPEN = """1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255
169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0
198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255 2000::1 2001:200::
2001:db7::1 2003::1 2606:4700::1111 3ffe:: 3fff:1000:: ::ffff:1.1.1.1 64:ff9b::101:101"""


def test_an_address_is_public_or_it_is_not() -> None:
    code = "import json, sys; sys.path += sys.argv[1:]; import fetch\n"
    code += "print(json.dumps([fetch.is_allowed(one, []) for one in json.load(sys.stdin)]))"
    command = ["/usr/bin/python3", "-B", "-c", code, str(WEB_READ)]
    addresses = CLOSED.split() + OPEN.split()
    said = subprocess.run(command, input=json.dumps(addresses), capture_output=True, text=True, timeout=60, check=True)
    verdicts = dict(zip(addresses, json.loads(said.stdout), strict=True))
    assert [one for one in CLOSED.split() if verdicts[one]] == []
    assert [one for one in OPEN.split() if not verdicts[one]] == []


def test_the_network_is_the_policys_to_give() -> None:
    daemon = Daemon()
    try:
        daemon.start()
        for tool in ("web.read", "web.fetch"):
            assert "net.full" in not_accepted(daemon, tool, {"url": "http://127.0.0.1/"})
    finally:
        daemon.close()


def test_fetch_asks_as_the_http_plugin_does(daemon: Daemon, site: Website, other: Website) -> None:
    fetched = result(daemon, "web.fetch", {"url": site.url("/echo"), "headers": {"X-A": "b"}})
    assert fetched["status"] == 200 and ["X-A", "b"] in json.loads(fetched["body"])["headers"]
    assert result(daemon, "web.fetch", {"url": site.url("/picture"), "save_as": "p.bin"})["artifact"] == "p.bin"
    for url in (other.url("/text", "127.0.0.2"), "http://example.org/"):
        assert "host" in plugins.complaint(daemon.jobs, "web.fetch", {"url": url}), url
    assert "input schema" in not_accepted(daemon, "web.fetch", {"url": "file:///etc/passwd"})
