"""What a job must not leave behind in a project that it may write: what others execute unasked."""

from __future__ import annotations

import subprocess

import pytest

from domekit.arena import Jail

PLANTS = r"""
import shutil
os.chdir({folder!r})
found = []
for name in ('hooks/pre-commit', 'config', 'info/attributes'):
    if tried(lambda: open('.git/' + name, 'a').write('x')) is not None: found.append(name)
# The folder itself, out of the way.
for way in (lambda: os.rename('.git', 'old'), lambda: shutil.rmtree('.git'), lambda: os.rename('x', '.git')):
    tried(way)
if tried(lambda: open('.git/hooks/post-checkout', 'w').write('x')) is not None: found.append('replaced')
if tried(lambda: open('.claude/settings.json', 'w').write('x')) is not None: found.append('settings')
assert open('source', 'w').write('x') == 1
if found: breach(found)
"""


@pytest.mark.canary("", by="a policy that gives the project away")
def test_nothing_is_planted_in_a_granted_project_that_others_execute(jail: Jail) -> None:
    folder = jail.folder()
    for path in (".git/hooks", ".git/info", ".claude", "x/hooks"):
        (folder / path).mkdir(parents=True)
    subprocess.run(["chown", "-R", f"{jail.mode.uid}:{jail.mode.uid}", folder], check=True)
    if jail.mode.is_canary:
        daemon = jail.own_daemon()
        daemon.write_policy({"tools": {"shell.run": {"allow": [f"fs.write:{folder}"]}}})
    jail.attack(PLANTS.format(folder=str(folder)), grants=[f"fs.write:{folder}"])
    assert (folder / "source").exists()
