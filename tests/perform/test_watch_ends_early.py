"""A watch of "5 to 10 minutes" ends once its boxes are proven, and not for anything less."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rollback_drill.ground import clock
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.virtual import VirtualClock
from rollback_drill.perform.checks import clients
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.performer import Part, Performer, step_part
from rollback_drill.perform.told import Checked, StepEnded
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.record.told import Noted
from rollback_drill.traffic.aggregate import Aggregate
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.watch.told import ProbeSample
from tests.runbook.runbook_support import changed, runbook_of

BEGAN = 1_000.0
RATE = 100
MB = 2**20
TEXT = changed("Watch the service for 5 minutes.", "Watch the service for 5 to 10 minutes.")
BOXES = (
    "- [ ] Error rate <1%\n- [ ] Response time p95 <500ms\n"
    "- [ ] Memory usage is stable\n- [ ] No customer complaints\n"
)
Bad = Callable[[float], bool]


class Service:
    """What clients and a probe see: `fails` and `slow` by second, `memory` in MB by second."""

    def __init__(
        self,
        fails: Bad = lambda _: False,
        slow: Bad = lambda _: False,
        memory: Callable[[float], float] = lambda _: 66.0,
        rate: int = RATE,
    ) -> None:
        self.fails, self.slow, self.memory, self.rate = fails, slow, memory, rate

    def window(self, start: float, end: float | None = None) -> Aggregate:
        until = clock.now() if end is None else end
        dues = [start + i / self.rate for i in range(int((until - start) * self.rate))]
        bad = sum(self.fails(due - BEGAN) for due in dues)
        timed = Histogram([1.0 if self.slow(due - BEGAN) else 0.02 for due in dues])
        outcomes = {"ok": len(dues) - bad, "server_error": bad}
        unhappy = frozenset(["c1"] if bad else [])
        return Aggregate(start, until, len(dues), outcomes, {}, {}, timed, unhappy)

    def __iter__(self) -> Iterator[tuple[float, ProbeSample]]:
        for i in range(int((clock.now() - BEGAN) * 2)):
            size = int(self.memory(i / 2) * MB)
            yield BEGAN + i / 2, ProbeSample({}, {"host-1": size}, None, None, {"host-1": 0})


@pytest.fixture(autouse=True)
def virtual(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(clients, "front_health", lambda _: 200)
    monkeypatch.setattr(Performer, "_next_move", lambda *_: "")
    with clock.kept_by(VirtualClock(BEGAN)):
        yield


def watched(
    folder: Path, service: Service, text: str = TEXT, boxes: str = BOXES, scripts: object = None
) -> tuple[float, StepEnded, list[Checked], list[str]]:
    """Perform the third step; return how long that took, how it ended, and what was found."""
    performer, part, timeline = performing(folder, service, text, boxes, scripts)
    performer.perform_part(part)
    took = clock.now() - BEGAN
    timeline.close()
    record = [event.what for event in read(timeline.path)]
    (ended,) = [one for one in record if isinstance(one, StepEnded)]
    notes = [one.text for one in record if isinstance(one, Noted)]
    return took, ended, [one for one in record if isinstance(one, Checked)], notes


def performing(
    folder: Path, service: Service, text: str = TEXT, boxes: str = BOXES, scripts: object = None
) -> tuple[Performer, Part, Timeline]:
    """Return who performs the third step of a runbook, without its commands."""
    text = text.replace("- [ ] Error rate <1%\n", boxes, 1)
    runbook = runbook_of(folder, text)
    step = runbook.procedures[0].steps[2]
    assert (step.title, len(step.checkboxes)) == ("Watch", boxes.count("- [ ]"))
    host = SimpleNamespace(name="host-1")
    stage = SimpleNamespace(
        hosts=(host,), alternatives=(), process=SimpleNamespace(pids=dict), checks=scripts or {},
        direct_urls={}, interface=SimpleNamespace(health="/health"), database=None,
    )  # fmt: skip
    timeline = Timeline(folder / "timeline.jsonl")
    rest = cast(Any, None)
    moment = Moment(
        stage=cast(Any, stage), runbook=runbook, traffic=cast(Any, service), timeline=timeline,
        tail=rest, samples=cast(Any, service), failing="v2", stable="v1", pace=60.0,
    )  # fmt: skip
    part = step_part("Procedure 1", step, 60.0)
    return Performer(moment), replace(part, blocks=()), timeline


def test_what_comes_right_after_a_watch_knows_since_when_clients_are_watched(
    tmp_path: Path,
) -> None:
    performer, part, _ = performing(tmp_path, Service())
    performer.perform_part(part)
    assert performer.watched_from == BEGAN
    performer.perform_part(replace(part, window_s=0.0, checkboxes=()))
    assert performer.watched_from == 0


def test_a_healthy_service_is_watched_for_the_shorter_time(tmp_path: Path) -> None:
    took, ended, found, notes = watched(tmp_path, Service())
    assert took == pytest.approx(5)
    assert (ended.verdict, [one.verdict for one in found]) == (
        Verdict.PASSED,
        [Verdict.PASSED] * 4,
    )
    assert notes == [
        "Procedure 1: watched for 5.0 s of 10.0 s: each box was proven by then",
    ]
    assert "in all 10 s at most 0.0%" in found[2].evidence


@pytest.mark.parametrize(
    ("service", "lasted_s", "wanted"),
    [
        (Service(fails=lambda s: 4 <= s < 4.25), 10, Verdict.FAILED),
        (Service(fails=lambda s: s > 3), 10, Verdict.FAILED),
        (Service(slow=lambda s: s > 3), 10, Verdict.FAILED),
        (Service(rate=60), 10, Verdict.PASSED),
        (Service(fails=lambda s: s > 6), 5, Verdict.PASSED),
    ],
    ids=["a few errors", "errors", "slow", "too few requests", "nobody watches any more"],
)
def test_what_is_not_proven_is_watched_for_the_longer_time(
    tmp_path: Path, service: Service, lasted_s: float, wanted: Verdict
) -> None:
    took, ended, _, notes = watched(tmp_path, service)
    assert took == pytest.approx(lasted_s, abs=0.01)
    assert (ended.verdict, len(notes)) == (wanted, lasted_s < 10)


# Of what would fail in all: in half of the time it is far from failing.
@pytest.mark.parametrize("grows", [0.75, 0.8])
def test_a_trend_must_be_small_enough_for_the_time_that_nobody_watches(
    grows: float, tmp_path: Path
) -> None:
    took, _, found, notes = watched(tmp_path, Service(memory=lambda s: 66 + grows * s))
    assert took == pytest.approx(20.5)  # and then some, since it may be a start's warm-up
    assert [note for note in notes if "was stretched" not in note] == []
    assert found[2].verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("text", "boxes", "scripts"),
    [
        (changed("Watch the service for 5 minutes.", "Watch the service for 10 minutes."), BOXES, {}),
        (TEXT, BOXES + "- [ ] No errors in the application log\n", {}),
        (TEXT, "- [ ] Error rate <1% for 2 minutes\n", {}),
        (TEXT, BOXES, {"memory usage is stable": "true"}),
    ],
    ids=["one time", "another box", "a time of its own", "a script of the stage"],
)  # fmt: skip
def test_where_the_runbook_leaves_no_choice_it_is_watched_in_full(
    tmp_path: Path, text: str, boxes: str, scripts: dict[str, str]
) -> None:
    took, _, _, notes = watched(tmp_path, Service(), text, boxes, scripts)
    assert took >= 10
    assert notes == []
