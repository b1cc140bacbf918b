"""A real systemd as process 1, reached by ssh as a user with few rights, and by container exec."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from examples.systemd.environment import HERE, NAME, SystemdStaging
from rollback_drill.cli import main
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage.host import Completed
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.stage.remote_host import RemoteHost
from rollback_drill.stage.staging import StagingStage
from rollback_drill.subject.hostaway.recipe import FAILING, STABLE
from tests.stage.staging_support import (
    FILLED,
    commands_in,
    drill,
    fake_kubectl,
    needs_ssh,
    verdict_in,
    write,
)  # fmt: skip

pytestmark = [pytest.mark.containers, needs_ssh]
TOML = (HERE / "staging.toml").read_text()
SERVICE = "http://127.0.0.1:8843"
BY_SSH = TOML[TOML.index('ssh = "deploy') : TOML.index('directory = "/opt')]
BY_EXEC = f'container = "{NAME}"\noptions = ["--user", "deploy"]\n'


@pytest.fixture(scope="module")
def machine() -> Iterator[SystemdStaging]:
    with SystemdStaging() as up, pytest.MonkeyPatch.context() as patch:
        for name, value in up.variables.items():
            patch.setenv(name, value)
        yield up


def on_machine(command: str) -> str:
    done = subprocess.run(
        ["docker", "exec", NAME, "bash", "-c", command],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    return done.stdout.strip()


def asked_of_systemd() -> dict[str, str]:
    """What systemd knows of the service's main process."""
    told = on_machine("systemctl show --property MainPID,NRestarts,ActiveState hostaway-mcp")
    return dict(line.split("=") for line in told.splitlines())


@pytest.fixture(params=["ssh", "container", "pod"])
def host(
    request: pytest.FixtureRequest,
    machine: SystemdStaging,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[RemoteHost]:
    """The same machine, reached in every way that a file can name."""
    fake_kubectl(tmp_path / "bin", f"docker exec --interactive --user deploy {NAME}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    ways = {"ssh": BY_SSH, "container": BY_EXEC, "pod": 'pod = "app-1"\n'}
    (tmp_path / "staging.toml").write_text(TOML.replace(BY_SSH, ways[request.param]))
    stage = open_stage(str(tmp_path / "staging.toml"), StageOptions(), print)
    assert isinstance(stage, StagingStage)
    (found,) = stage.hosts
    assert isinstance(found, RemoteHost)
    yield found
    stage.__exit__()


def alive(pattern: str) -> bool:
    return bool(on_machine(f"pgrep -f '{pattern}' || true"))


def test_a_script_runs_there_with_its_variables_and_its_streams(host: RemoteHost) -> None:
    done = host.run(
        'whoami; pwd; echo "$GREETING" >&2; sudo systemctl is-active ssh; exit 3',
        limit_s=20, environment={"GREETING": 'it\'s "me" $HOME'},
    )  # fmt: skip
    assert done.stdout.splitlines() == ["deploy", "/opt/hostaway-mcp", "active"]
    assert (done.exit_status, done.stderr) == (3, 'it\'s "me" $HOME')


def test_a_script_is_ended_there_at_its_limit_with_its_children(host: RemoteHost) -> None:
    assert host.run("sleep 98781 & sleep 98782", limit_s=1).exit_status is None
    assert not alive("^sleep 9878[12]")


def test_abort_ends_what_runs_there(host: RemoteHost) -> None:
    ended: list[Completed] = []
    thread = threading.Thread(target=lambda: ended.append(host.run("sleep 98783", limit_s=120)))
    thread.start()
    for _ in wait_until("it runs", 60):
        if alive("^sleep 98783"):
            break
    host.abort()
    thread.join(60)
    assert ended
    assert not ended[0].ok
    assert not alive("^sleep 98783")


def test_the_check_finds_nothing_missing_on_a_whole_machine(
    machine: SystemdStaging, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert on_machine("cat /proc/1/comm") == "systemd"
    assert main(["check", *write(tmp_path, TOML)]) == 0, capsys.readouterr().out


@pytest.mark.alone
@pytest.mark.slow
def test_systemd_restarts_the_stable_release_when_the_runbook_says_so(
    machine: SystemdStaging, tmp_path: Path
) -> None:
    before = asked_of_systemd()["MainPID"]
    done = drill(tmp_path, TOML, FILLED, "--fault", "error-rate-critical", "--procedure", "1")
    assert done.returncode == 0, done.stdout
    labels = {one["alternative"] for one in commands_in(tmp_path)} - {""}
    assert labels == {"the status file", "systemd"}
    assert asked_of_systemd()["MainPID"] not in ("0", before)
    assert httpx.get(f"{SERVICE}/health", timeout=5).json()["version"] == STABLE[1:]
    assert verdict_in(tmp_path)["data"]["lost"] == 0
    secrets = machine.variables.values()
    for path in (tmp_path / "report").rglob("*"):
        if path.is_file():
            text = path.read_text(errors="replace")
            assert not any(secret in text for secret in secrets), path


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.wide
def test_systemd_hands_the_signal_to_the_one_process_in_a_drill_by_container_exec(
    machine: SystemdStaging, tmp_path: Path
) -> None:
    toml = TOML.replace(BY_SSH, BY_EXEC)
    done = drill(tmp_path, toml, FILLED, "--fault", "invalid-cursors")
    assert done.returncode == 0, done.stdout
    assert str(verdict_in(tmp_path)["procedure"]) == "3"
    assert any("--signal=HUP" in one["script"] for one in commands_in(tmp_path))
    assert asked_of_systemd()["NRestarts"] == "0"
    assert httpx.get(f"{SERVICE}/health", timeout=5).json()["version"] == FAILING[1:]
