"""A drill that stopped early, too, says what it did to customers and how it left the service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rollback_drill.breaks.told import FaultInjected
from rollback_drill.cli import main
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import PhaseName, PhaseStarted
from tests.judge.impact_support import SHUT, WELL, T, drill, second, told
from tests.stage.staging_support import FILLED, GOOD, fake_kubectl, write


def test_a_fault_that_was_never_made_in_full_is_a_fault_to_customers() -> None:
    record = [
        Event(event.at, PhaseStarted(PhaseName.FAULT))
        if isinstance(event.what, FaultInjected)
        else event
        for event in drill(Event(T + 29.5, WELL))
    ]
    assert "120 of 800 requests failed" in told(record)[0]
    assert told(record) == told(drill(Event(T + 29.5, WELL)))


def test_what_failed_without_a_fault_is_told() -> None:
    record = [second(at, 90, server_error=10) for at in range(3)]
    assert told(record) == ["No fault was made, and yet 30 of 300 requests failed (10.0%)."]
    assert told([second(0, 100)]) == ["No fault was made, and none of 100 requests failed."]
    assert told([]) == ["No fault was made, and no request was observed."]


def test_a_service_that_is_left_broken_without_a_fault_is_told() -> None:
    (_, left) = told([second(0, 100), Event(T + 1, SHUT)])
    assert left.startswith("Service was NOT left well: maintenance is still on (host-1; undo with")
    assert told([second(0, 100), Event(T + 1, WELL)])[1:] == []


def held(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str, list[dict[str, object]]]:
    """Hold a drill on an environment whose deployment fails; return status, words, LeftAs events."""
    fake_kubectl(folder / "bin")
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=":")
    toml = GOOD.replace('deploy = "touch {folder}/touched"', 'deploy = "exit 1"')
    words = write(folder, toml.replace("{folder}", str(folder)), FILLED)
    words += ["--rate", "5", "--fault", "invalid-cursors"]
    status = main(["drill", *words, "--report", f"{folder}/report"])
    lines = (folder / "report" / "timeline.jsonl").read_text().splitlines()
    left = [one for one in map(json.loads, lines) if one["kind"] == "LeftAs"]
    told = capsys.readouterr()
    return status, told.out + told.err, left


def test_an_environment_whose_deployment_failed_is_asked_how_it_was_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "may-be-broken").touch()
    status, said, left = held(tmp_path, capsys, monkeypatch)
    assert status == 3, said
    assert len(left) == 1
    assert (left[0]["front"], left[0]["hosts"]) == (0, {"app-1": 0})
    assert "Service was NOT left well: the front door does not answer" in said
    assert "The environment was left so: the front door does not answer" in said


def test_an_environment_that_may_not_be_touched_is_not_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, said, left = held(tmp_path, capsys, monkeypatch)
    assert "may-be-broken" in said
    assert left == []
