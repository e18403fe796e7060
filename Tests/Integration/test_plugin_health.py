"""How a plugin says it is: asked in a jail, with a time limit, only when somebody wants to know."""

from __future__ import annotations

import json

import pytest

from domekit import plugins
from domekit.cluster import Cluster
from domekit.daemon import Daemon
from domekit.waiting import until

SECRET = (
    "HEALTH=const dome_secrets_api_t *secrets = api->get_extension(host, DOME_TEXT(DOME_EXT_SECRETS));"
    " const char *key = NULL; size_t size = 0;"
    ' bool found = secrets->get(host, DOME_TEXT("API_KEY"), &key, &size) && size == 3;'
    ' return (found ? api->reply(call, DOME_TEXT("{\\"ok\\":true}")) : false) ? DOME_OK : DOME_NOT_FOUND'
)


def reply(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'HEALTH=return api->reply(call, DOME_TEXT("{quoted}")) ? DOME_OK : DOME_INTERNAL'


def test_nobody_is_asked_unless_somebody_wants_to_know(daemon: Daemon) -> None:
    plugins.install(daemon, "HEALTH=abort(); return DOME_OK")
    listed = plugins.plugins(daemon)
    assert not any(one.HasField("health") for one in listed.values())


def test_every_ready_plugin_says_how_it_is(daemon: Daemon) -> None:
    plugins.install(daemon, reply('{"ok": false, "message": "the queue is full"}'))
    plugins.install(daemon, into="Broken", id="org.example.broken", code=b"not a library")
    listed = plugins.plugins(daemon, with_health=True)
    sample = listed["Sample"].health
    assert (sample.ok, sample.message) == (False, "the queue is full") and sample.ts
    # Without a function for it, a connection that was made is healthy.
    assert listed["Echo"].health.ok
    assert listed["LocalProcess"].health.ok, listed["LocalProcess"].health
    assert not listed["Broken"].HasField("health"), "one that is not ready is not asked"
    assert set(plugins.plugins(daemon, plugin_id="dome.echo", with_health=True)) == {"Echo"}


def test_dome_plugin_info_says_it(daemon: Daemon) -> None:
    plugins.install(daemon, reply('{"ok": false, "message": "the queue is full"}'))
    shown = daemon.dome("plugin", "info", "sample")
    assert "not well: the queue is full" in shown.stdout, shown
    document = json.loads(daemon.dome("plugin", "info", "sample", "-o", "json").stdout)
    assert document["health"] == {"ok": False, "message": "the queue is full"}


def test_it_is_asked_with_its_secrets_and_its_configuration(daemon: Daemon) -> None:
    plugins.install(daemon, SECRET, secrets=["API_KEY"])
    place = daemon.config_home / "dome" / "secrets" / "org.example.sample"
    place.mkdir(parents=True, mode=0o700)
    (place / "API_KEY").write_text("xyz")
    (place / "API_KEY").chmod(0o600)
    daemon.own(place.parent)
    health = plugins.plugins(daemon, with_health=True, plugin_id="org.example.sample")["Sample"].health
    assert health.ok, health


@pytest.mark.parametrize(
    ("health", "complaint"),
    [
        ("HEALTH=abort(); return DOME_OK", "it crashed: SIGABRT"),
        ("HEALTH=for (;;) pause(); return DOME_OK", "it took longer than 2 s"),
        ("HEALTH=exit(0); return DOME_OK", "exit code 0"),
        ('HEALTH=api->explain(call, DOME_TEXT("no route")); return DOME_UNAVAILABLE', "no route"),
        (reply("{"), "not valid JSON"),
        (reply('{"ok": 1}'), 'answered with no {"ok": true|false}'),
    ],
)
def test_a_plugin_that_cannot_say_it_is_not_well(daemon: Daemon, health: str, complaint: str) -> None:
    plugins.install(daemon, health)
    said = plugins.plugins(daemon, with_health=True, plugin_id="org.example.sample")["Sample"].health
    assert not said.ok and complaint in said.message, said
    plugins.assert_unharmed(daemon)


def test_an_executor_is_as_well_as_its_worker(daemon: Daemon) -> None:
    cluster = Cluster(daemon, "RECOVER=NULL")
    listed = plugins.plugins(daemon)
    assert listed["Cluster"].state == "ready"
    until(
        lambda: "recover is NULL"
        in plugins.plugins(daemon, with_health=True, plugin_id="org.example.cluster")["Cluster"].health.message,
        f"it says why its worker does not run ({cluster.tool})",
    )
