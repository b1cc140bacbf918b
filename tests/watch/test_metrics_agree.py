"""Metrics that say something else than clients saw fail the drill, whichever way they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import ProcedureChosen, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import DrillEnded
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.metrics.agreement import Span, answered_in, disagreements
from rollback_drill.watch.metrics.judges import of_metrics, of_secrets
from rollback_drill.watch.metrics.told import Counted, Leaked

T, RATE, LASTS_S, HOSTS = 1_000_000, 100, 20, ("host-1", "host-2")
HEALTHY_S, LATENCY_S = 0.004, 0.005
Change = Callable[[float, Counted], Counted]


def honest(at: float, host: str) -> Counted:
    """What a host counts that gets half of the requests: one in a hundred is refused."""
    good, refused = int(at * RATE * 0.99 / 2), int(at * RATE * 0.01 / 2)
    own = int(at * 2)  # the suite's own reads, through the front door
    requests = {"200": 5_000 + good + own // 2, "404": 7 + refused}
    return Counted(
        host, requests, sum(requests.values()), sum(requests.values()) * HEALTHY_S,
        float(T - 100), {"200": own}, True,
    )  # fmt: skip


def record(change: Change, *, failing: int = 0) -> Iterator[Event]:
    yield Event(T - 5.0, ProcedureChosen(1, "Flag", 0, 60, "diagnosis"))
    yield Event(T - 1.0, StepEnded("Procedure 1", 1, "Off", 60, 1.0, Verdict.PASSED, "", ""))
    for second in range(LASTS_S):
        ok, refused = round(RATE * 0.99) - failing, round(RATE * 0.01)
        outcomes = {"ok": ok, "rejected": refused, "server_error": failing}
        statuses = {"404": refused} | ({"500": failing} if failing else {})
        waited = Histogram([LATENCY_S] * RATE).to_text()
        seen = TrafficSecond(T + second, outcomes, {}, {}, waited, "", statuses, 0)
        yield Event(T + second + 1.0, seen)
        for number, host in enumerate(HOSTS):
            at = second + 0.3 + number * 0.01
            yield Event(T + at, change(at, honest(at, host)))
    yield Event(T + LASTS_S + 2.0, DrillEnded(()))


def said(change: Change, *, failing: int = 0) -> str:
    causes = of_metrics(Book(sorted(record(change, failing=failing), key=lambda one: one.at)))
    assert all((one.verdict, one.where) == (Verdict.FAILED, "Metrics") for one in causes)
    return "; ".join(one.what for one in causes)


def only(host: str, change: Change) -> Change:
    return lambda at, told: change(at, told) if told.host == host else told


def counts(
    told: Counted, factor: float, status: str = "200", timed: float | None = None
) -> Counted:
    requests = told.requests | {status: int(told.requests.get(status, 0) * factor)}
    of = sum(requests.values())
    return replace(told, requests=requests, timed=of if timed is None else int(of * timed))


def from_eight(at: float, told: Counted) -> Counted:
    return told if at < 8 else replace(honest(8.0, told.host), asked=told.asked)


def one_in_thirty(_: float, told: Counted) -> Counted:
    since = told.requests["200"] - 5_000
    return replace(
        told, requests=told.requests | {"200": 5_000 + since - since // 20}, timed=told.timed - since // 20
    )  # fmt: skip


def scraped(at: float, told: Counted) -> Counted:
    return replace(
        told, requests=told.requests | {"200": told.requests["200"] + int(at * 3)},
        timed=told.timed + int(at * 3),
    )  # fmt: skip


def test_honest_metrics_of_two_hosts_agree() -> None:
    assert said(lambda _, told: told) == ""


def test_errors_that_clients_saw_and_metrics_tell_agree() -> None:
    def told_errors(at: float, told: Counted) -> Counted:
        lost = int(at * RATE * 0.05 / 2)
        good = told.requests["200"] - lost
        return replace(told, requests=told.requests | {"200": good, "500": lost})

    assert said(told_errors, failing=5) == ""


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda at, told: replace(honest(0.0, told.host), asked=told.asked), "they count 0 of"),
        (from_eight, "that were answered"),
        (only("host-2", from_eight), "that were answered"),
        (one_in_thirty, "that were answered"),
        (lambda at, told: counts(told, 2.0), "were made"),
        (only("host-1", lambda at, told: counts(told, 1.5)), "were made"),
        (scraped, "were made"),
        (lambda at, told: replace(told, timed=5_000), "they time 0 of"),
        (lambda at, told: replace(told, total_s=told.total_s * 1000), "response times of 4000 ms"),
        (lambda at, told: replace(told, total_s=told.total_s / 1000), "waited 5"),
        (lambda at, told: replace(told, total_s=20.0), "response times of 0 ms"),
        (lambda at, told: replace(told, requests={"200": sum(told.requests.values())}),
         "refusals (4xx)"),
        (lambda at, told: replace(told, requests=told.requests | {
            "200": told.requests["200"] - int(at), "500": int(at)}), "errors (5xx), and 0 were given"),
        (lambda at, told: replace(told, flaws=("there is no counter",)), "of host-1: there is no"),
    ],
)  # fmt: skip
def test_each_disagreement_fails(change: Change, what: str) -> None:
    assert what in said(change)


@pytest.mark.parametrize(
    ("counted", "agrees"), [(14, True), (28, True), (9, True), (8, False), (34, False)]
)
def test_nobody_knows_when_in_the_first_second_a_crowd_was_refused(
    counted: int, agrees: bool
) -> None:
    """Fourteen refusals at once are on one side of the first reading or on the other."""
    waited = Histogram([LATENCY_S] * RATE).to_text()
    seconds = [
        TrafficSecond(T + n, {"ok": 86, "rejected": 14 * (n in (0, 4))}, {}, {}, waited, "",
                      {"401": 14} if n in (0, 4) else {}, 0)
        for n in range(8)
    ]  # fmt: skip
    span = Span(T + 0.5, T + 7.5, {"200": 604, "401": counted}, 604 + counted, 3.0, {}, True)
    answered = answered_in(Book(Event(float(T + n), one) for n, one in enumerate(seconds)), span)
    told = list(disagreements(span, answered))
    assert bool(told) is not agrees
    assert answered.edges["4"] == 7.0


@pytest.mark.parametrize(
    ("waits_s", "more", "agrees"),
    [
        # Of a second with a queue of 0.4 s, 40 requests are counted in the one after it.
        ({0: 0.4}, 40, True),
        ({0: 0.4}, -40, True),
        ({0: 0.4}, 120, False),
        # A queue in the middle is none at the ends, whatever it does to the average.
        ({3: 0.9, 4: 0.9}, 40, False),
        ({3: 0.9, 4: 0.9}, -40, False),
        ({}, 40, False),
    ],
)
def test_what_is_under_way_at_an_end_may_be_counted_or_not(
    waits_s: dict[int, float], more: int, agrees: bool
) -> None:
    seconds = [
        TrafficSecond(T + n, {"ok": RATE}, {}, {}, Histogram([waits_s.get(n, LATENCY_S)] * RATE).to_text())
        for n in range(8)
    ]  # fmt: skip
    number = 6 * RATE + more
    span = Span(T + 1.0, T + 7.0, {"200": number}, number, number * HEALTHY_S, {}, True)
    answered = answered_in(Book(Event(float(T + n), one) for n, one in enumerate(seconds)), span)
    assert bool(list(disagreements(span, answered))) is not agrees


@pytest.mark.parametrize(("known", "agrees"), [(True, True), (False, False)])
def test_what_the_suite_asks_while_a_page_is_read_may_stand_in_it_or_not(
    known: bool, agrees: bool
) -> None:
    def events() -> Iterator[Event]:
        for one in record(lambda _, told: told):
            what = one.what
            if isinstance(what, Counted) and one.at > T + LASTS_S - 2:
                before = what.asked | {"401": 0}
                what = replace(
                    what, asked=what.asked | {"401": 80}, asked_before=before if known else None
                )
            yield replace(one, what=what)

    causes = of_metrics(Book(sorted(events(), key=lambda one: one.at)))
    assert (causes == []) is agrees


def test_what_a_load_balancer_answered_does_not_hide_what_is_counted_too_often() -> None:
    def events(change: Change) -> list[Event]:
        found = []
        for one in record(change):
            if isinstance(one.what, TrafficSecond) and one.what.second < T + 5:
                outcomes = {"ok": 0, "unavailable": RATE}
                one = Event(one.at, replace(one.what, outcomes=outcomes, statuses={"503": RATE}))
            found.append(one)
        return sorted(found, key=lambda one: one.at)

    assert [one.what for one in of_metrics(Book(events(lambda _, told: told)))] == []
    (cause,) = of_metrics(Book(events(scraped)))
    assert "were made" in cause.what


def test_errors_that_metrics_never_tell_fail() -> None:
    assert "errors (5xx) that were given" in said(lambda _, told: told, failing=5)


def test_who_is_not_alone_may_be_counted_with_others() -> None:
    assert said(lambda at, told: replace(counts(told, 2.0), alone=False)) == ""
    assert said(lambda at, told: replace(from_eight(at, told), alone=False)) != ""


def test_a_new_process_begins_to_count_anew() -> None:
    def restarted(at: float, told: Counted) -> Counted:
        if at < 6:
            return replace(told, requests={"200": 1}, timed=1, total_s=900.0)  # it lied: it is gone
        return replace(told, started_at=float(T + 6))

    assert said(restarted) == ""


def test_a_secret_in_the_open_fails_once_the_rollback_took_effect() -> None:
    def causes(at: float) -> list[str]:
        events = [*record(lambda _, told: told), Event(at, Leaked("the metrics of host-1"))]
        return [one.what for one in of_secrets(Book(sorted(events, key=lambda one: one.at)))]

    assert causes(T - 3.0) == []
    assert causes(T + 8.0) == ["a secret of the service stands in the metrics of host-1"]
