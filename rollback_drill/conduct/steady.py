"""The healthy service, before anything is broken: does it meet what the runbook holds it to?"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from rollback_drill.decide.detector import SlowShare
from rollback_drill.decide.statistics import P95, Proof, error_rate_proven_below, p95_proven_below
from rollback_drill.decide.trigger import conditions
from rollback_drill.decide.triggers.latency import quantile_of
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.perform.check import bind
from rollback_drill.perform.moment import Moment
from rollback_drill.runbook.amounts import duration_s, percent
from rollback_drill.runbook.model import Checkbox, Runbook
from rollback_drill.runbook.statement import amount
from rollback_drill.traffic.aggregate import Aggregate
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.watch.memory import LEAST_SAMPLES, memory_trend

MOST_REQUESTS = 300  # prove an error rate below 1 %, if none fails
LEAST_REQUESTS = 100  # tell the healthy p95 well enough to know what is twice as slow
PATIENCE_S = 30.0
_SHARE = 0.01
_TRIES = 3  # what is slow at first may only have begun to run


@dataclass(frozen=True, slots=True)
class Healthy:
    """The service as it was before the fault: what `clients` saw, and by host the most `memory`
    that it used, as a share of its limit; of hosts that tell both.
    """

    clients: Aggregate
    memory: Mapping[str, float] = field(default_factory=dict)


Prove = Callable[[Healthy], Proof]


@dataclass(frozen=True, slots=True)
class HeldNumber:
    """A number that the runbook holds the service to, `where` it stands, and what proves it: what
    clients saw, or what is seen of the hosts.
    """

    where: str
    prove: Prove
    by_clients: bool = True


def reach_steady_state(moment: Moment, rate: float) -> Aggregate:
    """Wait until clients were served well for a while; return what they saw.

    Raises StageError when they were not, or provably not as well as the runbook wants: it could not
    be told then whether a rollback has brought that back.
    """
    for _ in range(_TRIES):
        began = now()
        seen = await_requests(moment, began, rate)
        if seen.failures > _SHARE * seen.sent:
            raise StageError(
                "a healthy service before the fault (less than 1 % of requests failing)",
                _beside(
                    f"{seen.failures} of {seen.sent} requests failed: {_kinds(seen)}",
                    moment.busy(),
                ),
                "a drill proves nothing on a service that is already broken; see its log",
            )
        unmet = list(not_met(moment.runbook, Healthy(seen, _memory(moment, began))))
        if not unmet:
            return seen
    p95_ms = seen.histogram.quantile(P95) * 1000
    raise StageError(
        "a healthy service that meets the runbook's numbers before anything is broken",
        _beside(f"the healthy p95 is {p95_ms:.0f} ms; {'; '.join(unmet)}", moment.busy()),
        "free the machine, lower RATE, or correct the number in the runbook; nothing was broken",
    )


def _kinds(seen: Aggregate) -> str:
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in seen.outcomes.items())


def _beside(found: str, told: str) -> str:
    return f"{found}; {told}" if told else found


def await_requests(moment: Moment, since: float, rate: float) -> Aggregate:
    """Return what clients saw since `since`, once it is enough to prove the runbook's numbers.
    Raises WaitTimeout.
    """
    wanted = requests_needed(moment.runbook)
    limit_s = PATIENCE_S + 2 * wanted / rate
    seen = moment.traffic.window(since)
    for _ in wait_until(
        f"{wanted} requests", limit_s, advice="see traffic/*.log beside the report"
    ):
        seen = moment.traffic.window(since)
        if seen.sent >= wanted:
            break
    return seen


def requests_needed(runbook: Runbook) -> int:
    """Return how many requests prove what `runbook` says of errors and latency where all are
    answered well. Whether they are is not looked at before: who stops when he likes what he sees
    proves less.
    """
    numbers = [one for one in held_numbers(runbook) if one.by_clients]

    def proven(n: int) -> bool:
        good = Healthy(Aggregate(0.0, 1.0, n, histogram=Histogram([0.0] * n)))
        return all(one.prove(good).verdict is Verdict.PASSED for one in numbers)

    return bisect_left(range(MOST_REQUESTS), True, LEAST_REQUESTS, key=proven)


def await_looks(moment: Moment, since: float) -> None:
    """Wait until memory was looked at as often since `since` as it takes to tell whether it grows;
    for nothing that was never seen. Raises WaitTimeout.
    """
    hosts = {host for _, sample in list(moment.samples) for host in sample.rss_bytes}
    for _ in wait_until("looks at memory", PATIENCE_S):
        trends = [memory_trend(list(moment.samples), host, since) for host in hosts]
        if all(one.samples >= LEAST_SAMPLES for one in trends):
            return


def _memory(moment: Moment, since: float) -> dict[str, float]:
    try:
        limits = moment.stage.process.memory_limits()
    except StageError:
        return {}  # nobody can tell: the check itself will say so
    used: dict[str, int] = {}
    for at, sample in list(moment.samples):
        for host, size in sample.rss_bytes.items() if at >= since else ():
            used[host] = max(size, used.get(host, 0))
    return {host: used[host] / limits[host] for host in used.keys() & limits.keys()}


def not_met(runbook: Runbook, seen: Healthy) -> Iterator[str]:
    """Yield, in sentences, each number of `runbook` that the service provably does not meet."""
    for one in held_numbers(runbook):
        proof = one.prove(seen)
        if proof.verdict is Verdict.FAILED:
            yield f"{one.where}: {proof.sentence}"


def held_numbers(runbook: Runbook) -> Iterator[HeldNumber]:
    """Yield the numbers for errors and latency in matrix, triggers and checkboxes."""
    if runbook.matrix:
        normal = runbook.matrix[0]
        yield HeldNumber(f"matrix, line {normal.line}", _errors_below(normal.error_rate.high))
        yield HeldNumber(f"matrix, line {normal.line}", _below(normal.p95.high, normal.quantile))
    for condition in conditions(runbook)[0]:
        where = f"trigger “{condition.name}”, line {condition.line}"
        # One that has to last has the other one's numbers.
        for edge in condition.watch.error_edges[:1]:
            yield HeldNumber(where, _errors_below(edge))
        for question in condition.watch.questions:
            if isinstance(question, SlowShare):
                yield HeldNumber(where, _below(question.limit_s, question.quantile))
    for box in boxes(runbook):
        binding = bind(box.text)
        make = _OF_CHECKS.get(binding.name) if binding else None
        prove = make(binding.match.groupdict()) if binding and make else None
        if prove:
            where = f"box “{box.text}”, line {box.line}"
            yield HeldNumber(where, prove, by_clients=make is not _of_memory)


def boxes(runbook: Runbook) -> Iterator[Checkbox]:
    """Yield the checkboxes that hold after a rollback; those before it are about a sick service."""
    for procedure in runbook.procedures:
        for step in procedure.steps:
            yield from step.checkboxes
    yield from runbook.verification.checkboxes


def _errors_below(limit: float) -> Prove:
    return lambda seen: error_rate_proven_below(seen.clients.failures, seen.clients.sent, limit)


def _below(limit_s: float, quantile: float) -> Prove:
    def prove(seen: Healthy) -> Proof:
        timed = seen.clients.histogram
        return p95_proven_below(timed.count_above(limit_s), timed.count, limit_s, quantile=quantile)

    return prove


def _of_errors(named: Mapping[str, str | None]) -> Prove | None:
    limit = named.get("limit")
    return _errors_below(percent(amount(limit))) if limit else None  # else the matrix's own


def _of_latency(named: Mapping[str, str | None]) -> Prove | None:
    limit, quantile = named.get("limit"), named.get("before") or named.get("behind")
    if not limit:
        return None
    return _below(duration_s(amount(limit)), quantile_of(quantile) if quantile else P95)


def _of_memory(named: Mapping[str, str | None]) -> Prove | None:
    limit = named.get("limit")
    return _memory_below(percent(amount(limit))) if limit else None


def _memory_below(limit: float) -> Prove:
    def prove(seen: Healthy) -> Proof:
        most = max(seen.memory, key=lambda host: seen.memory[host], default="")
        used = seen.memory.get(most, 0.0)
        told = f"{most} used {used:.0%} of its memory, the limit is {limit:.0%}"
        return Proof(Verdict.FAILED if used >= limit else Verdict.UNKNOWN, used, told)

    return prove


_OF_CHECKS: dict[str, Callable[[Mapping[str, str | None]], Prove | None]] = {
    "error_rate": _of_errors,
    "response_time": _of_latency,
    "memory_below": _of_memory,
}
"""What checks with a number prove, by their names, from what their checkbox names."""
