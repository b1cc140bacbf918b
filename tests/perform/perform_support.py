"""Performs one step of a small runbook on this machine, without any service."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from rollback_drill.perform.moment import Moment
from rollback_drill.perform.performer import LiteralPerformer, Performer, step_part
from rollback_drill.perform.told import AlternativeTaken, StepEnded
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.runbook.model import Step
from rollback_drill.stage.host import LocalHost
from tests.runbook.runbook_support import runbook_of


def performed(
    folder: Path, text: str, number: int = 2, *, literal: bool = False, pace: float = 60.0
) -> tuple[str, StepEnded, list[str]]:
    """Perform step `number` of the runbook `text`, without its boxes. Return what its commands wrote
    to `ran`, how it ended, and the fallbacks that were taken.
    """
    runbook = runbook_of(folder, text)
    assert runbook.unread == ()
    stage = SimpleNamespace(
        hosts=(LocalHost("host-1", folder, {"PATH": "/usr/bin:/bin"}),),
        alternatives=(), process=SimpleNamespace(pids=dict), direct_urls={"host-1": "http://127.0.0.1:1"},
        interface=SimpleNamespace(health="/health"), database=None,
    )  # fmt: skip
    timeline = Timeline(folder / "timeline.jsonl")
    rest = cast(Any, None)
    moment = Moment(
        stage=cast(Any, stage), runbook=runbook, traffic=rest, timeline=timeline, tail=rest,
        samples=(), failing="v2", stable="v1", pace=pace,
    )  # fmt: skip
    performer = (LiteralPerformer if literal else Performer)(moment)
    step: Step = runbook.procedures[0].steps[number - 1]
    part = step_part("Procedure 1", step, pace)
    performer.perform_part(replace(part, checkboxes=()))
    timeline.close()
    record = [event.what for event in read(timeline.path)]
    (ended,) = [one for one in record if isinstance(one, StepEnded)]
    taken = [one.alternative for one in record if isinstance(one, AlternativeTaken)]
    ran = folder / "ran"
    return (ran.read_text() if ran.exists() else "").replace("\n", ""), ended, taken
