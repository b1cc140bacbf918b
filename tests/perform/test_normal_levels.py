"""Dashboards show normal levels: judged by the share above the limit, as buckets tell it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rollback_drill.ground.finding import Finding
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.check import bind
from rollback_drill.perform.checks import clients, resources
from rollback_drill.runbook.monitoring import MetricNames
from rollback_drill.runbook.parse import parse
from rollback_drill.stage import http
from rollback_drill.traffic.interface import Interface

RUNBOOK = parse(Path(__file__).resolve().parents[2] / "runbook" / "rollback.md")
ORIGIN = "http://normal.simulated"
EDGES = (0.1, 0.25, 0.5, 1.0, 5.0)


class Service:
    """Answers `each` requests between two readings of its page, as `answer` says: (status, s)."""

    def __init__(self, answer: Callable[[int], tuple[int, float]], each: int = 40) -> None:
        self.answer, self.each, self.n = answer, each, 0
        self.edges: tuple[float, ...] = EDGES
        self.statuses: dict[int, int] = {}
        self.took: list[float] = []
        self.page: Callable[[str], tuple[int, str]] = lambda text: (200, text)
        self.status = 200

    def __call__(self, sent: http.Sent) -> http.Answer:
        if sent.path == "/health":
            return http.Answer(200, {}, b"{}")
        if sent.path != "/metrics":
            status = self.status if sent.key != "no-such-key" else 401
            self.count(status, 0.01)
            return http.Answer(status, {}, b"{}")
        for _ in range(self.each):
            self.n += 1
            self.count(*self.answer(self.n))
        status, text = self.page(self.text())
        return http.Answer(status, {}, text.encode())

    def count(self, status: int, took_s: float) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.took.append(took_s)

    def text(self) -> str:
        lines = [f'req_total{{status="{s}"}} {n}' for s, n in self.statuses.items()]
        lines += [
            f'sec_bucket{{le="{edge}"}} {sum(t <= edge for t in self.took)}' for edge in self.edges
        ]
        lines += [f'sec_bucket{{le="+Inf"}} {len(self.took)}']
        return "\n".join([*lines, f"sec_count {len(self.took)}", f"sec_sum {sum(self.took)}", ""])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "_WAIT_S", 1.0)
    monkeypatch.setattr(clients, "front_health", lambda _: 503)


def found(box: str, service: Service) -> Finding:
    stage = SimpleNamespace(
        interface=Interface(), direct_urls={"host-1": ORIGIN}, api_key="k", known=True,
        subject=SimpleNamespace(metrics=MetricNames("j", "req_total", "sec"), ready="/ready", probe="/api"),
        prometheus_url="", metrics=True, checks={}, hosts=(1,),
    )  # fmt: skip
    bound = bind(box)
    assert bound
    with http.wired(ORIGIN, service):
        return bound.verify(cast(Any, SimpleNamespace(stage=stage, runbook=RUNBOOK, pace=60.0)))


def dashboards(answer: Callable[[int], tuple[int, float]], **changed: Any) -> Finding:
    service = Service(answer)
    for name, value in changed.items():
        setattr(service, name, value)
    return found("Dashboards show normal levels", service)


def test_a_p95_between_two_edges_below_the_limit_is_normal() -> None:
    assert dashboards(lambda n: (200, 0.45 if n % 3 == 0 else 0.02)).verdict is Verdict.PASSED


def test_a_share_above_the_limit_is_not() -> None:
    seen = dashboards(lambda n: (200, 0.7 if n % 8 == 0 else 0.02))
    assert (seen.verdict, "took longer than 500 ms" in seen.evidence) == (Verdict.FAILED, True)


def test_a_share_of_which_no_edge_tells_is_unknown() -> None:
    seen = dashboards(lambda n: (200, 0.7 if n % 8 == 0 else 0.02), edges=(0.1, 1.0))
    assert seen.verdict is Verdict.UNKNOWN
    assert dashboards(lambda n: (200, 0.02), edges=(0.1, 1.0)).verdict is Verdict.PASSED


def test_errors_are_counted_and_a_single_one_is_waited_for() -> None:
    assert dashboards(lambda n: (500 if n % 20 == 0 else 200, 0.02)).verdict is Verdict.FAILED
    assert dashboards(lambda n: (500 if n == 70 else 200, 0.02)).verdict is Verdict.PASSED


@pytest.mark.parametrize("box", ["Dashboards show normal levels", "Metrics are being collected"])
@pytest.mark.parametrize(
    ("page", "said"),
    [
        (lambda _: (404, "no"), "host-1 has no metrics page: /metrics is answered 404"),
        (lambda _: (500, "no"), "host-1 answers /metrics with 500"),
        (lambda _: (200, "<html>no</html>"), "no text of Prometheus"),
    ],
)
def test_a_page_that_is_none_fails_with_words_of_its_own(
    box: str, page: Callable[[str], tuple[int, str]], said: str
) -> None:
    service = Service(lambda n: (200, 0.02))
    service.page = page
    seen = found(box, service)
    assert (seen.verdict, said in seen.evidence) == (Verdict.FAILED, True), seen


def test_metrics_that_grow_are_collected() -> None:
    service = Service(lambda n: (200, 0.02), each=0)
    service.count(200, 0.01)
    assert found("Metrics are being collected", service).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace('status="401"', 'status="201"'), "0 of 3 answers 4xx"),
        (lambda text: text.replace("req_total", "requests_total"), "there is no req_total"),
        (lambda text: text.replace("status=", "code="), "no label “status”"),
        (lambda text: text.replace('le="0.25"} ', 'le="0.25"} 9'), "is not cumulative"),
    ],
)
def test_what_is_counted_wrong_fails(change: Callable[[str], str], said: str) -> None:
    service = Service(lambda n: (200, 0.02), each=0)
    service.count(200, 0.01)
    service.page = lambda text: (200, change(text))
    seen = found("Metrics are being collected", service)
    assert (seen.verdict, said in seen.evidence) == (Verdict.FAILED, True), seen


def test_a_histogram_that_stands_still_fails() -> None:
    service = Service(lambda n: (200, 0.02), each=0)
    service.count(200, 0.01)
    text = service.text()
    still = "\n".join(one for one in text.splitlines() if one.startswith("sec"))
    service.page = lambda now: (
        200, "\n".join([*(one for one in now.splitlines() if one.startswith("req")), still, ""])
    )  # fmt: skip
    seen = found("Metrics are being collected", service)
    assert (seen.verdict, "stays at 1" in seen.evidence) == (Verdict.FAILED, True), seen


def test_errors_that_come_soon_are_no_slow_answers() -> None:
    service = Service(lambda n: (200, 0.02), each=0)
    every: list[int] = []

    def some(sent: http.Sent) -> http.Answer:
        every.append(1)
        service.status = 500 if len(every) % 10 == 0 else 200
        return service(sent)

    box = "Response time p95 <500ms"
    seen = found(box, cast(Any, some))
    told = f"{len(every) // 10} of the answers were errors"
    assert (seen.verdict, told in seen.evidence) == (Verdict.PASSED, True), seen
    assert len(every) > 50
    service.status = 500
    assert found(box, service).verdict is Verdict.UNKNOWN  # of good answers nothing is known
