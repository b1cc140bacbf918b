"""What the table of mishaps says of a record, and a neighbour who must not be hit."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from rollback_drill.breaks.hazard import Mishap
from rollback_drill.breaks.told import HazardArmed, HazardOver
from rollback_drill.campaigns.interruptions import write_table
from rollback_drill.campaigns.mishaps import Endured, endured
from rollback_drill.conduct.told import DrillStarted
from rollback_drill.data.told import LedgerRead
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.told import AlternativeTaken, CommandEnded, CommandStarted, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event, Timeline, read
from rollback_drill.record.told import DrillBroke, Told
from rollback_drill.stage.host import LocalHost
from rollback_drill.stage.model import Stage
from rollback_drill.subject.hostaway.hazards.neighbour import NeighbourProcess
from tests.judge.record_support import also, changed, counted, good


def told(*payloads: Told, mastered: bool, lost: int = 0) -> Endured:
    armed = HazardArmed("storm", "it rains", mastered)
    ledger = LedgerRead(9, 9 - lost, lost, 0)
    every = [armed, *payloads, HazardOver("storm", "it was wet"), ledger]
    record = [Event(float(n), what) for n, what in enumerate(every)]
    return endured("storm", 2, Book(record))


FAILED = StepEnded("Procedure 2", 4, "Revert", 9, 1, Verdict.FAILED, "too wet", "wait")


def test_a_procedure_that_must_get_by_and_did_not_is_wrong() -> None:
    found = told(FAILED, mastered=True)
    assert found.right is False
    assert "too wet" in found.outcome


def test_a_procedure_that_must_stop_is_right_only_when_it_failed_and_lost_nothing() -> None:
    assert told(FAILED, mastered=False).right is True
    assert told(FAILED, mastered=False, lost=1).right is False
    assert told(mastered=False).right is False  # unknown: nothing failed


def test_the_alternative_that_was_taken_is_told() -> None:
    storm = HazardArmed("storm", "it rains", mastered=True)
    armed = also(storm, HazardOver("storm", "rain"))
    calm = armed(changed(DrillStarted, hazard="storm")(good()))
    taken = AlternativeTaken("Procedure 1", 1, "Enter", "the other way", "no lock", 1)
    instead = CommandStarted(4, "Procedure 1", 1, "host-1", "", "true", 8, 30)
    stormy = []
    for event in calm:
        if event.what == CommandEnded(2, 0, 0.1):  # in its place
            for what in (storm, CommandEnded(2, 1, 0.1), taken, instead):
                stormy.append(Event(event.at, what))
            stormy.append(Event(event.at, CommandEnded(4, 0, 0.1)))
        elif event.what != storm:
            stormy.append(event)
    for record, way in ((calm, "got by; "), (stormy, "got by, by the runbook's alternative; ")):
        whole = counted(record)
        assert endured("storm", 2, Book(whole)).outcome.startswith(way)


def test_a_hazard_that_could_not_be_made_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    record = [Event(1.0, DrillBroke("a small disk", "no right to mount", "be root"))]
    found = endured("disk-full", 2, Book(record))
    assert found.right is None
    assert "no right to mount" in found.outcome
    assert write_table([], tmp_path / "t.md", [found]) == 0


def test_the_table_counts_mishaps_that_ended_badly(tmp_path: Path) -> None:
    rows = [told(FAILED, mastered=True), told(FAILED, mastered=False)]
    assert write_table([], tmp_path / "t.md", rows) == 1
    text = (tmp_path / "t.md").read_text(encoding="utf-8")
    assert "2 mishaps" in text
    assert "Not so: storm" in text


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A host whose deployment has the interpreter of these tests; no more is asked of it."""
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    host = LocalHost("host-1", tmp_path, {**os.environ, "APP_DIR": str(tmp_path)})
    return cast(Stage, SimpleNamespace(hosts=[host]))


def mishap(stage: Stage, tmp_path: Path, signal: str) -> HazardOver:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    made = Mishap(NeighbourProcess(), timeline)
    made.before_step(stage, "Switch pagination off")
    assert stage.hosts[0].run(signal, limit_s=10).ok
    made.end(stage)
    timeline.close()
    (over,) = (e.what for e in read(timeline.path) if isinstance(e.what, HazardOver))
    left = stage.hosts[0].run('pgrep -f "^$APP_DIR/.*[h]ostaway_mcp.report" || true', limit_s=10)
    assert left.stdout == ""
    return over


def test_a_neighbour_who_is_left_alone_lives_on(stage: Stage, tmp_path: Path) -> None:
    over = mishap(stage, tmp_path, "true")
    assert (over.seen, over.harm) == ("the neighbour lived on", "")


@pytest.mark.parametrize(
    "signal",
    [
        'pkill -HUP -f "^$APP_DIR/.venv/bin/python .*[h]ostaway_mcp"; sleep 0.2',
        'kill -HUP "$(cat "$APP_DIR/hostaway-mcp.pid")"; sleep 0.2',
    ],
)
def test_a_signal_that_reaches_the_neighbour_turns_a_drill_red(
    stage: Stage, tmp_path: Path, signal: str
) -> None:
    over = mishap(stage, tmp_path, signal)
    assert "ended another process" in over.harm
    causes = judge(Book([Event(1.0, over)])).causes
    assert any(
        c.verdict is Verdict.FAILED and c.where == "Hazard neighbour-process" for c in causes
    )


def test_a_neighbour_of_a_drill_that_was_killed_is_ended_all_the_same(
    stage: Stage, tmp_path: Path
) -> None:
    NeighbourProcess().arm(stage)
    assert NeighbourProcess().disarm(stage) == ""
    over = mishap(stage, tmp_path, "true")
    assert over.harm == ""
