"""A real Docker Compose project; its machine is reached by container exec."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from examples.compose.environment import HERE, ComposeStaging, problem
from rollback_drill.cli import main
from rollback_drill.subject.hostaway.recipe import STABLE
from tests.stage.staging_support import FILLED, commands_in, drill, verdict_in, write

pytestmark = [
    pytest.mark.containers,
    pytest.mark.skipif(bool(problem()), reason=problem() or "an engine answers"),
]
TOML = (HERE / "staging.toml").read_text()
SERVICE = "http://127.0.0.1:8853"
UP = "docker compose up --detach --build --force-recreate api"


@pytest.fixture(scope="module")
def machine() -> Iterator[ComposeStaging]:
    with ComposeStaging() as up, pytest.MonkeyPatch.context() as patch:
        for name, value in up.variables.items():
            patch.setenv(name, value)
        yield up


def test_the_check_finds_nothing_missing_on_a_whole_machine(
    machine: ComposeStaging, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *write(tmp_path, TOML)]) == 0, capsys.readouterr().out


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.wide  # both checks turn red on each stage; that Compose obeys is found below
def test_a_restart_that_does_not_rebuild_is_found_out(
    machine: ComposeStaging, tmp_path: Path
) -> None:
    assert FILLED.count(UP) == 1
    restarts = FILLED.replace(UP, "docker compose restart api")
    done = drill(tmp_path, TOML, restarts, "--fault", "error-rate-critical", "--procedure", "1")
    assert done.returncode == 1, done.stdout
    reason = verdict_in(tmp_path)["reason"]
    assert "The application was restarted" in reason
    assert f"{STABLE} is there" in reason


@pytest.mark.alone
@pytest.mark.slow
def test_compose_builds_and_starts_the_stable_release_when_the_runbook_says_so(
    machine: ComposeStaging, tmp_path: Path
) -> None:
    done = drill(tmp_path, TOML, FILLED, "--fault", "error-rate-critical", "--procedure", "1")
    assert done.returncode == 0, done.stdout
    labels = {one["alternative"] for one in commands_in(tmp_path)} - {""}
    assert labels == {"the status file", "Docker Compose"}
    assert httpx.get(f"{SERVICE}/health", timeout=5).json()["version"] == STABLE[1:]
    assert verdict_in(tmp_path)["data"]["lost"] == 0


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.wide
def test_compose_hands_the_signal_to_the_service_when_the_runbook_says_so(
    machine: ComposeStaging, tmp_path: Path
) -> None:
    done = drill(tmp_path, TOML, FILLED, "--fault", "invalid-cursors")
    assert done.returncode == 0, done.stdout
    assert str(verdict_in(tmp_path)["procedure"]) == "3"
