"""Slow and sick are told apart: the machine's load is recorded and stands beside what is unknown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from rollback_drill.conduct.steady import (
    Healthy,
    held_numbers,
    not_met,
    reach_steady_state,
    requests_needed,
)
from rollback_drill.data.told import LedgerRead
from rollback_drill.decide.told import TriggersRead
from rollback_drill.ground.errors import StageError
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.check import verify
from rollback_drill.perform.enough import PATIENCE_OF_A_SECTION_S
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.told import Checked, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event, Timeline, read
from rollback_drill.report.html import whole_page
from rollback_drill.runbook.model import Checkbox, Checklist, MatrixRow, Severity, Trigger
from rollback_drill.stage.model import Stage
from rollback_drill.traffic.aggregate import Aggregate
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.live import Traffic
from rollback_drill.traffic.told import GeneratorSample
from rollback_drill.watch.busyness import Machine, is_busy, sentence
from rollback_drill.watch.told import MachineSample, ProbeSample
from tests.decide.decision_support import matrix, runbook
from tests.judge.record_support import also, changed, good, without

BUSY = MachineSample(7.9, 2, 0.96, 1_200 * 2**20)
IDLE = MachineSample(0.3, 2, 0.05, 3_000 * 2**20)


def test_the_machine_is_sampled_into_the_record(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    seen: list[MachineSample] = []

    def listen(event: Event) -> None:
        if isinstance(event.what, MachineSample):
            seen.append(event.what)

    timeline.subscribe(listen, "test")
    with Machine(timeline) as machine:
        for _ in wait_until("two samples of the machine", 60):
            if len(seen) >= 2:
                break
        timeline.record(GeneratorSample("0", 0.35, 0.2, 3))
        told = machine.sentence()
    timeline.close()
    assert all(one.cores >= 1 and one.load is not None for one in seen)
    assert any(one.cpu is not None and 0.0 <= one.cpu <= 1.0 for one in seen)
    assert "requests were sent up to 0.3 s late" in told or "0.4 s late" in told
    assert any(isinstance(event.what, MachineSample) for event in read(timeline.path))


def test_a_machine_is_busy_by_what_all_programs_use() -> None:
    assert is_busy([BUSY])
    assert not is_busy([IDLE])
    assert is_busy([MachineSample(7.0, 2, None, None)])
    assert not is_busy([])
    assert sentence([BUSY], 0.0) == (
        "the machine was busy: load 7.9 on 2 cores, 96 % of CPU, 1,200 MB of memory left"
    )
    assert sentence([IDLE], 0.0).startswith("the machine was not busy: load 0.3 on 2 cores")
    assert sentence([], 3.0) == ""


@pytest.mark.parametrize(("sample", "word"), [(BUSY, "busy"), (IDLE, "not busy")])
def test_what_is_unknown_for_lateness_names_the_load(sample: MachineSample, word: str) -> None:
    late = also(sample)(changed(GeneratorSample, lag_s=3.0)(good()))
    judgement = judge(Book(late))
    assert judgement.verdict is Verdict.UNKNOWN
    assert f"the machine was {word}: load" in judgement.reason
    assert "sent up to 3.0 s late" in judgement.reason


def test_a_step_that_was_too_slow_has_the_load_beside_it() -> None:
    slow = also(BUSY)(changed(StepEnded, took_s=31.0)(good()))
    judgement = judge(Book(slow))
    assert judgement.verdict is Verdict.FAILED
    assert "the machine was" not in judgement.reason
    assert "the machine was busy" in judgement.causes[0].evidence


def test_a_box_that_failed_for_requests_that_failed_has_the_load_beside_it() -> None:
    found = "160 of 550 requests failed (29.1 %)"
    bad = changed(Checked, verdict=Verdict.FAILED, evidence=found)(good())
    judgement = judge(Book(also(BUSY)(bad)))
    assert judgement.verdict is Verdict.FAILED
    assert "the machine was busy" in judgement.causes[0].evidence


def test_what_has_nothing_to_do_with_time_does_not_name_it() -> None:
    judgement = judge(Book(also(BUSY)(without(LedgerRead)(good()))))
    assert "the machine was" not in judgement.reason


def here(traffic: Traffic) -> Moment:
    """A moment on a busy machine."""
    stage = SimpleNamespace(checks={}, database=None, process=SimpleNamespace(memory_limits=dict))
    return Moment(
        stage=cast("Stage", stage), runbook=runbook(), traffic=traffic,
        timeline=cast("Timeline", None), tail=None, samples=[], failing="", stable="", pace=1.0,  # type: ignore[arg-type]
        busy=lambda: sentence([BUSY], 0.0),
    )  # fmt: skip


def test_a_check_that_lacks_samples_says_how_busy_the_machine_was() -> None:
    class NoTraffic:
        def window(self, start: float) -> Aggregate:
            return Aggregate(start, start)

    moment = here(cast("Traffic", NoTraffic()))
    moment.waited.lacked_s = PATIENCE_OF_A_SECTION_S
    seen = verify(Checkbox("Error rate <1%", 9), 1, moment)
    assert seen.verdict is Verdict.UNKNOWN
    assert seen.evidence.startswith("no request was observed; the machine was busy: load 7.9")


def seen(latencies: list[float], failures: int = 0) -> Aggregate:
    outcomes = {"ok": len(latencies) - failures, "server_error": failures}
    return Aggregate(
        0.0, 4.0, sent=len(latencies), outcomes=outcomes, histogram=Histogram(latencies)
    )


class Clients:
    """Traffic that always saw the same."""

    def __init__(self, aggregate: Aggregate) -> None:
        self._seen = aggregate

    def window(self, start: float) -> Aggregate:
        return self._seen


SLOW = seen([1.0] * 500)
FAST = seen([0.02] * 500)


def test_a_healthy_service_that_is_too_slow_for_the_runbook_is_said_before_anything_breaks() -> (
    None
):
    with pytest.raises(StageError) as raised:
        reach_steady_state(here(cast("Traffic", Clients(SLOW))), 100.0)
    assert "the healthy p95 is 990 ms" in raised.value.found
    assert "matrix, line 30" in raised.value.found
    assert "it is refuted at 95 % confidence that the p95 is below 500 ms" in raised.value.found
    assert raised.value.found.endswith("1,200 MB of memory left")
    assert raised.value.exit == 3


def test_a_service_that_fails_before_the_fault_is_told_with_the_load_of_the_machine() -> None:
    sick = cast("Traffic", Clients(seen([0.02] * 500, 40)))
    with pytest.raises(StageError, match=r"40 of 500 requests failed.*the machine was busy"):
        reach_steady_state(here(sick), 100.0)


def test_a_healthy_service_that_meets_it_goes_on() -> None:
    found = reach_steady_state(here(cast("Traffic", Clients(FAST))), 100.0)
    assert found is FAST


def box(text: str) -> Checklist:
    return Checklist("Verification", (Checkbox(text, 77),), (), 76)


@pytest.mark.parametrize(
    ("trigger", "checkbox", "latencies", "failures", "named"),
    [
        ("p99 latency > 300 ms", "Done", [0.02] * 450 + [0.4] * 50, 0, "“p99 latency > 300 ms”"),
        ("p99 latency > 300 ms for 5 minutes", "Done", [0.4] * 500, 0, "line 10"),
        ("Error rate > 0.2%", "Done", [0.02] * 4000, 39, "“Error rate > 0.2%”, line 10"),
        ("Error rate > 10%", "Response time is below 300 ms", [0.4] * 500, 0, "line 77"),
        ("Error rate > 10%", "Error rate <0.2%", [0.02] * 4000, 39, "“Error rate <0.2%”"),
        ("Error rate > 10%", "p99 latency below 300 ms", [0.02] * 450 + [0.4] * 50, 0, "line 77"),
        ("Error rate > 10%", "p90 latency below 300 ms", [0.02] * 480 + [0.4] * 20, 0, ""),
        ("Error rate > 10%", "Error rate is back to normal", [0.02] * 500, 1, ""),
        ("Error rate > 10%", "Done", [0.02] * 500, 0, ""),
        ("Error rate > 10%", "Error rate <0.2%", [0.02] * 500, 1, ""),  # not proven
    ],
)  # fmt: skip
def test_every_number_of_the_runbook_is_compared(
    trigger: str, checkbox: str, latencies: list[float], failures: int, named: str
) -> None:
    only = Trigger(Severity.CRITICAL, trigger, "", 10)
    book = runbook(
        triggers=(only,), rows=matrix(errors=(0.5, 0.6, 0.7)), verification=box(checkbox)
    )
    told = list(not_met(book, Healthy(seen(latencies, failures))))
    assert bool(told) is bool(named)
    assert all(named in one for one in told)


@pytest.mark.parametrize(
    ("trigger", "checkbox", "rows", "wanted"),
    [
        ("Error rate > 10%", "Error rate <1%", matrix(errors=(0.05, 0.06, 0.07)), 299),
        ("Error rate > 10%", "Error rate <2%", matrix(errors=(0.05, 0.06, 0.07)), 149),
        ("Error rate > 10%", "Memory below 80%", matrix(errors=(0.05, 0.06, 0.07)), 100),
        ("Error rate > 10%", "p99 latency below 300 ms", matrix(errors=(0.05, 0.06, 0.07)), 299),
        (
            "Error rate > 0.2%",
            "Done",
            matrix(errors=(0.05, 0.06, 0.07)),
            300,
        ),  # which cannot prove it
        ("Error rate > 10%", "Done", (), 100),
    ],
)
def test_as_many_requests_are_waited_for_as_the_runbooks_numbers_take(
    trigger: str, checkbox: str, rows: tuple[MatrixRow, ...], wanted: int
) -> None:
    only = Trigger(Severity.CRITICAL, trigger, "", 10)
    book = runbook(triggers=(only,), rows=rows, verification=box(checkbox))
    assert requests_needed(book) == wanted


def test_the_numbers_of_boxes_are_found_by_names_of_checks_that_exist() -> None:
    book = runbook(
        verification=Checklist(
            "V", (Checkbox("Error rate <1%", 5), Checkbox("Response time p95 <500 ms", 6)), (), 4
        )
    )
    assert [one.where for one in held_numbers(book)][-2:] == [
        "box “Error rate <1%”, line 5",
        "box “Response time p95 <500 ms”, line 6",
    ]


def test_the_page_shows_the_machine_and_how_the_triggers_were_held() -> None:
    read_ = changed(
        TriggersRead,
        uncovered={"Trigger “p99 <b>”, line 7": "nothing holds “p99” of it"},
        stretched=("Trigger “Down”, line 9 has to last 5 s, 300 s at pace 600",),
    )
    record = also(BUSY)(read_(good()))
    page = whole_page(Book(record))
    assert "The machine was busy: load 7.9 on 2 cores" in page
    assert "UNCOVERED  Trigger “p99 &lt;b&gt;”, line 7" in page
    assert "300 s at pace 600" in page


@pytest.mark.parametrize(("used", "unmet"), [(0.85, True), (0.5, False)])
def test_memory_that_is_short_already_is_said(used: float, unmet: bool) -> None:
    book = runbook(verification=box("Memory usage is below 80% of the limit"))
    told = list(not_met(book, Healthy(FAST, {"host-1": 0.2, "host-2": used})))
    assert bool(told) is unmet
    assert all("host-2 used 85% of its memory, the limit is 80%" in one for one in told)


def test_memory_is_compared_with_its_limit_on_every_host() -> None:
    samples = [
        (at, ProbeSample({}, {"host-1": size}, None, None, {}))
        for at, size in ((1.0, 90), (1e12, 85), (1e12, 70))
    ]
    moment = here(cast("Traffic", Clients(FAST)))
    moment.stage.process.memory_limits = lambda: {"host-1": 100, "host-2": 50}  # type: ignore[method-assign]
    limit = runbook(verification=box("Memory usage is below 80% of the limit"))
    moment = replace(moment, samples=samples, runbook=limit)
    with pytest.raises(StageError, match="host-1 used 85% of its memory"):
        reach_steady_state(moment, 100.0)
