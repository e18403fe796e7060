"""A daemon whose HTTP plugin may ask two servers on loopback. A module takes the fixtures with an import."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from . import plugins
from .daemon import Daemon
from .jobs import Jobs
from .tools import write_tool
from .website import Website, certificates

__all__ = ["TOKEN", "answer", "complaint", "daemon", "jobs", "secure", "site", "sites"]

# Those that the policy lets have the network.
TOOLS = ["http.get", "http.request", "http.check"] + [
    f"{name}.get" for name in ("closed", "inside", "one", "any", "limited", "bad")
]
TOKEN = "s3cr3t-t0ken-xyzzy"


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Website, Website, str]]:
    """One in the clear, one with TLS, and the authority that vouches for it."""
    authority, certificate = certificates(tmp_path_factory.mktemp("tls"))
    site, secure = Website(), Website(certificate)
    yield site, secure, authority.read_text()
    site.close()
    secure.close()


@pytest.fixture(scope="module")
def daemon(sites: tuple[Website, Website, str]) -> Iterator[Daemon]:
    """One for all, which may ask both sites at 127.0.0.1 and the first as localhost too."""
    site, secure, authority = sites
    daemon = Daemon()
    daemon.write_policy({"tools": {tool: {"allow": ["net.full"]} for tool in TOOLS}})
    config = {
        "hosts": [f"127.0.0.1:{site.port}", f"localhost:{site.port}", f"127.0.0.1:{secure.port}", "*.invalid"],
        "private_ranges": ["127.0.0.1", "::1/128"],
        "secret_hosts": {"TOKEN": [f"127.0.0.1:{secure.port}", f"127.0.0.1:{site.port}"], "TOKEN_2": ["*:*"]},
        "ca_pem": authority,
    }
    plugins.settings(daemon, "dome.http", config=config)
    place = daemon.config_home / "dome" / "secrets" / "dome.http"
    place.mkdir(parents=True, mode=0o700)
    place.parent.chmod(0o700)
    (place / "TOKEN").write_text(TOKEN + "\n")
    (place / "TOKEN").chmod(0o600)
    variants: dict[str, dict[str, Any]] = {
        "closed.get": {"hosts": []},
        "inside.get": {"hosts": ["*:*"], "private_ranges": []},
        "one.get": {"hosts": ["*:*"], "private_ranges": ["127.0.0.1/32"]},
        "any.get": {"hosts": [f"*:{site.port}"]},
        "limited.get": {"max_bytes": 7},
        "bad.get": {"hosts": ["https://example.org/"]},
        "unnamed.get": {},
    }
    schema = {"type": "object"}
    for tool, change in variants.items():
        entrypoint = {"action": "get", "config": change}
        write_tool(
            daemon, tool, {"executor": "dome.http", "entrypoint": entrypoint, "permissions": ["net.full"]}, schema
        )
    try:
        yield daemon.start()
    finally:
        daemon.close()


@pytest.fixture
def jobs(daemon: Daemon) -> Jobs:
    return daemon.jobs


@pytest.fixture
def site(sites: tuple[Website, Website, str]) -> Website:
    return sites[0]


@pytest.fixture
def secure(sites: tuple[Website, Website, str]) -> Website:
    return sites[1]


def answer(jobs: Jobs, url: str, tool: str = "http.get", **task: Any) -> Any:
    """The result of a request that must succeed."""
    return plugins.answer(jobs, tool, {"url": url} | task)


def complaint(jobs: Jobs, url: str, tool: str = "http.get", **task: Any) -> str:
    """Why a request failed."""
    return plugins.complaint(jobs, tool, {"url": url} | task)
