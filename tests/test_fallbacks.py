"""A fallback is run when what is before it fails, never otherwise, and nothing else is left out."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from runbook_support import BLOCK, changed, runbook_of

from drill import events
from drill.check import Situation
from drill.host import LocalHost
from drill.procedure import Performer, step_part
from drill.runbook.model import Step
from drill.timeline import Timeline, read
from drill.verdict import Verdict


def performed(
    folder: Path, blocks: str, *, literal: bool = False
) -> tuple[str, Verdict, list[str]]:
    """Perform a step with these `blocks` on this machine; return what the commands wrote to `ran`,
    its verdict, and the fallbacks that were taken.
    """
    runbook = runbook_of(folder, changed(BLOCK, blocks))
    assert runbook.unread == ()
    stage = SimpleNamespace(
        hosts=(LocalHost("host-1", folder, {"PATH": "/usr/bin:/bin"}),),
        alternatives=(), pids=dict, direct_urls={"host-1": "http://127.0.0.1:1"},
        interface=SimpleNamespace(health="/health"), capabilities=frozenset(),
    )  # fmt: skip
    timeline = Timeline(folder / "timeline.jsonl")
    rest = cast(Any, None)
    situation = Situation(
        stage=cast(Any, stage), runbook=runbook, traffic=rest, timeline=timeline, tail=rest,
        samples=(), failing="v2", stable="v1", pace=60.0,
    )  # fmt: skip
    performer = Performer(situation, threading.Event(), literal=literal)
    step: Step = runbook.procedures[0].steps[1]
    part = step_part("Procedure 1", step, 60.0)
    performer.perform_part(replace(part, checkboxes=()))
    timeline.close()
    record = [event.what for event in read(timeline.path)]
    (ended,) = [one for one in record if isinstance(one, events.StepEnded)]
    taken = [one.alternative for one in record if isinstance(one, events.AlternativeTaken)]
    ran = folder / "ran"
    return (ran.read_text() if ran.exists() else "").replace("\n", ""), ended.verdict, taken


def block(letter: str, status: int = 0) -> str:
    return f"```bash\necho {letter} >> ran\nexit {status}\n```\n\n"


THEN = "**If this fails:**\n\n"
PLAN_B, PLAN_C = "**Plan B**\n\n", "**Plan C**\n\n"
AFTER = "**In any case**\n\n"


@pytest.mark.parametrize(
    ("blocks", "ran", "held"),
    [
        (block("a") + THEN + block("b"), "a", True),
        (block("a", 1) + THEN + block("b"), "ab", True),
        (block("a", 1) + THEN + block("b", 1), "ab", False),
        (block("a", 1) + block("b") + THEN + block("c"), "ac", True),
        # What comes behind a fallback is performed, whichever way was taken.
        (block("a") + THEN + block("b") + AFTER + block("c"), "ac", True),
        (block("a", 1) + THEN + block("b") + AFTER + block("c"), "abc", True),
        (block("a", 1) + THEN + block("b", 1) + AFTER + block("c"), "ab", False),
        # A later failure is no reason for an earlier fallback.
        (block("a") + THEN + block("b") + AFTER + block("c", 1), "ac", False),
        (block("a") + PLAN_B + block("b") + PLAN_C + block("c"), "a", True),
        (block("a", 1) + PLAN_B + block("b") + PLAN_C + block("c"), "ab", True),
        (block("a", 1) + PLAN_B + block("b", 1) + PLAN_C + block("c"), "abc", True),
        (block("a", 1) + PLAN_B + block("b", 1) + PLAN_C + block("c", 1), "abc", False),
    ],
)
def test_what_is_run_and_whether_the_step_held(
    tmp_path: Path, blocks: str, ran: str, held: bool
) -> None:
    written, verdict, _ = performed(tmp_path, blocks)
    assert written == ran
    assert (verdict is not Verdict.FAILED) is held


def test_what_stood_in_is_recorded(tmp_path: Path) -> None:
    blocks = block("a", 1) + PLAN_B + block("b", 1) + PLAN_C + block("c")
    assert performed(tmp_path, blocks)[2] == ["Plan B", "Plan C"]


def test_pressing_on_runs_what_comes_behind_a_failure_and_still_fails(tmp_path: Path) -> None:
    blocks = block("a", 1) + THEN + block("b", 1) + AFTER + block("c")
    written, verdict, _ = performed(tmp_path, blocks, literal=True)
    assert (written, verdict) == ("abc", Verdict.FAILED)
