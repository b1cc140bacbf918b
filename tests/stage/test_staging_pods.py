"""Hosts by kubectl: every word that it is given, with the command really run behind it.

There is no cluster here: what kubectl itself does with these words has not been tried.
"""

from __future__ import annotations

import pickle
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage import remote_host
from rollback_drill.stage.host import Completed
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.stage.remote_host import RemoteHost
from rollback_drill.stage.staging import StagingStage
from tests.stage.staging_support import ROOT, fake_kubectl, scripts_alone

TOML = """
[stage]
name = "pods"
kind = "staging"
failing = "v2"
stable = "v1"
base_url = "http://127.0.0.1:1"
[[hosts]]
name = "api-1"
pod = "deployment/api"
options = ["--namespace", "staging", "--container", "app"]
directory = "{folder}"
url = "http://127.0.0.1:1"
environment = {{GREETING = 'it''s "me" $HOME'}}
"""


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    record = fake_kubectl(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    return record


@pytest.fixture
def host(tmp_path: Path, record: Path) -> RemoteHost:
    text = TOML.format(folder=tmp_path).replace("it''s", "its")
    (tmp_path / "staging.toml").write_text(text)
    stage = open_stage(str(tmp_path / "staging.toml"), StageOptions(), print)
    assert isinstance(stage, StagingStage)
    stage.__exit__()
    (found,) = stage.hosts
    assert isinstance(found, RemoteHost)
    return found


@pytest.fixture
def alone() -> Iterator[None]:
    with scripts_alone():
        yield


def alive(word: str) -> bool:
    return subprocess.run(["pgrep", "-f", word], capture_output=True, check=False).returncode == 0


def test_kubectl_is_given_the_pod_its_options_and_nothing_secret(
    host: RemoteHost, record: Path, tmp_path: Path
) -> None:
    done = host.run('pwd; echo "$GREETING"; exit 3', limit_s=20)
    assert (done.exit_status, done.stdout) == (3, f'{tmp_path}\nits "me" $HOME')
    (call,) = record.read_text().splitlines()
    words = ["exec", "--stdin", "--namespace", "staging", "--container", "app", "deployment/api"]
    assert shlex.split(call) == [*words, "--", "bash"]


def test_a_script_in_a_pod_is_ended_at_its_limit_with_its_children(host: RemoteHost) -> None:
    began = now()
    done = host.run("sleep 98771 & sleep 98772", limit_s=1)
    assert done.exit_status is None
    assert now() - began < 30
    assert not alive("^sleep 9877[12]")


@pytest.mark.usefixtures("alone")
def test_abort_ends_what_runs_in_a_pod(host: RemoteHost) -> None:
    ended: list[Completed] = []
    thread = threading.Thread(target=lambda: ended.append(host.run("sleep 98773", limit_s=120)))
    thread.start()
    for _ in wait_until("it runs", 60):
        if alive("^sleep 98773"):
            break
    host.abort()
    thread.join(60)
    assert ended
    assert not ended[0].ok
    assert not alive("^sleep 98773")


def test_a_machine_without_kubectl_is_told(
    host: RemoteHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(StageError, match="kubectl on this machine"):
        host.run("true", limit_s=20)


@pytest.mark.usefixtures("alone")
def test_what_a_killed_drill_left_running_in_a_pod_is_found_and_ended(host: RemoteHost) -> None:
    code = "import pickle, sys\npickle.load(sys.stdin.buffer).run('sleep 98774', limit_s=60)"
    drill = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE)
    assert drill.stdin
    with drill.stdin as pipe:
        pickle.dump(host, pipe)
    for _ in wait_until("it runs", 60):
        if alive("^sleep 98774"):
            break
    drill.kill()
    drill.wait()
    assert alive("^sleep 98774")
    assert host.end_left_behind() >= 1  # others may have left some, too
    assert not alive("^sleep 98774")
    assert host.end_left_behind() == 0


@pytest.mark.usefixtures("alone")  # it ends what it finds, before it says something else beside
def test_a_host_that_says_something_else_beside_is_no_host_without_scripts(
    host: RemoteHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_host, "_LEFT_BEHIND", "echo Welcome\n" + remote_host._LEFT_BEHIND)
    with pytest.raises(StageError, match="Welcome"):
        host.end_left_behind()
