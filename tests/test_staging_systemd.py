"""A real systemd as process 1, reached by ssh as a user with few rights, and by container exec."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from staging_support import FILLED, commands_in, drill, needs_ssh, verdict_in, write

from drill.cli import main
from drill.stage import FAILING, STABLE
from examples.systemd.environment import HERE, NAME, SystemdStaging

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


def test_the_check_finds_nothing_missing_on_a_whole_machine(
    machine: SystemdStaging, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert on_machine("cat /proc/1/comm") == "systemd"
    assert main(["stage-check", *write(tmp_path, TOML)]) == 0, capsys.readouterr().out


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


@pytest.mark.slow
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
