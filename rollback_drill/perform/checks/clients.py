"""What the clients saw: error rate, response time, complaints. Proven by bounds, not points."""

from __future__ import annotations

import contextlib
import itertools
import math
import re
from collections.abc import Callable
from dataclasses import replace

from rollback_drill.decide.statistics import (
    CONFIDENCE,
    P95,
    Proof,
    error_rate_proven_below,
    p95_proven_below,
    upper_bound,
)
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import WaitTimeout
from rollback_drill.ground.finding import Finding, failed, judged, lacking, unknown
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.perform.check import check
from rollback_drill.perform.checks.service import client_of
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.stalls import decided_by_a_stall
from rollback_drill.perform.watch import OF_TWO_LOOKS
from rollback_drill.runbook.amounts import duration_s, percent
from rollback_drill.runbook.statement import amount
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.traffic.live import Aggregate
from rollback_drill.traffic.told import LATE_SHARE
from rollback_drill.watch.probe import front_health

_TIMES_FIRST = 2.0  # as many requests where some were slow as where none was
_SLICES = 10  # of a time for which a limit has to hold: none of them may break it
_FEW_REQUESTS = 20  # that nobody complained of fewer says little
_GRACE_S = 10.0  # the last seconds of a window come in a little later
_LONGEST_S = 3600.0
_QUANTILE = r"(?:p(?:50|75|90|95|99)|(?:50|75|90|95|99)th percentile|median)"
_LATENCY = r"(?:response times?|latency|latencies)"

ProveWindow = Callable[[Aggregate, float], Finding]
"""Judges what clients saw in a window, at a confidence."""


def _finding(proof: Proof) -> Finding:
    return Finding(proof.verdict, proof.sentence, proof.too_few)


def _held(moment: Moment, lasting: str | None, prove: ProveWindow) -> Finding:
    """Judge the window. Where the checkbox names a time, wait for it (paced) and judge all of it:
    as a whole, and each tenth, so that a short break in a long time is seen.
    """
    if not lasting:
        return prove(moment.traffic.window(moment.window_from), moment.confidence)
    seconds = max(1, math.ceil(duration_s(amount(lasting)) / moment.pace))
    told = f"for {lasting}, here {seconds} s"
    if seconds > _LONGEST_S:
        return unknown(f"nobody waits {told}: raise PACE")
    begin, observed = _wait_for(moment, seconds)
    if observed < seconds:
        return unknown(f"{observed} of {seconds} s were observed to their end ({told})")
    found = prove(moment.traffic.window(begin, begin + seconds), CONFIDENCE)
    if found.verdict is not Verdict.PASSED:
        return Finding(found.verdict, f"{found.evidence} ({told})")
    length = max(1, seconds // _SLICES)
    parts = range(begin, begin + seconds - length + 1, length)
    each = 1 - (1 - CONFIDENCE) / len(parts)
    for start in parts:
        one = prove(moment.traffic.window(start, start + length), each)
        if one.verdict is Verdict.FAILED:
            return failed(f"{start - begin} s after it began: {one.evidence}", f"it to hold {told}")
    return Finding(found.verdict, f"{found.evidence} ({told})")


def _wait_for(moment: Moment, seconds: int) -> tuple[int, int]:
    """Wait until the window has lasted that many whole seconds, the last ones that there are.

    Return its begin (Unix seconds) and how many of them were observed to their end. Such a wait is
    the runbook's own: no step's budget pays for it.
    """
    began = now()
    end = max(math.ceil(moment.window_from) + seconds, math.floor(began))
    seen = moment.traffic.window(end - seconds, end)
    try:
        for _ in wait_until("the window to pass", end - began + _GRACE_S, every_s=0.2):
            seen = moment.traffic.window(end - seconds, end)
            if seen.until >= end:
                break
    except WaitTimeout:
        pass  # who judges it says what is missing
    moment.waited.total_s += now() - began
    return end - seconds, int(seen.until - seen.start)


@check(
    r"error rate<IS>(?: normal)?<BELOW>(?P<limit><SHARE>)<FOR>",
    r"(?:fewer|less) than (?P<limit><SHARE>) of (?:all )?requests fail<FOR>",
    r"error rate<IS>(?: back)?(?: to| at)? normal(?: levels?)?<FOR>",
    examples=[
        "Error rate <1%",
        "Error rate <1% for 10 minutes",
        "Error rate stays below 0.5 percent for at least 5 minutes",
        "Less than 1% of requests fail",
        "Error rate is back to normal",
    ],
    early=True,
)
def error_rate(moment: Moment, match: re.Match[str]) -> Finding:
    """The share of failed requests is proven to be below the limit that the checkbox names, or
    else the matrix's first row; for as long as it says.
    """
    named = match.groupdict().get("limit")
    limit = percent(amount(named)) if named else moment.runbook.matrix[0].error_rate.high

    def prove(seen: Aggregate, confidence: float) -> Finding:
        if not seen.sent:
            return lacking("no request was observed")
        return _finding(error_rate_proven_below(seen.failures, seen.sent, limit, confidence))

    return _held(moment, match["time"], prove)


@check(
    rf"(?:(?P<before>{_QUANTILE}) )?{_LATENCY}<IS>(?: normal)?(?: (?P<behind>{_QUANTILE}))?"
    rf"<IS><BELOW>(?P<limit><TIME>)<FOR>",
    rf"(?P<before>{_QUANTILE})<IS>(?: normal)?<BELOW>(?P<limit><TIME>)<FOR>",
    examples=[
        "Response time p95 <500ms",
        "Response time is normal: p95 <500ms",
        "p99 latency below 2 seconds",
        "Response time < 500 ms for 10 minutes",
    ],
    early=True,
)
def response_time(moment: Moment, match: re.Match[str]) -> Finding:
    """The quantile that the checkbox names (p95 where it names none) is proven to be below its
    limit.

    While clients are kept out (maintenance) the drill asks the hosts itself.
    """
    named = match.groupdict()
    words = [named[one] for one in ("before", "behind") if named.get(one)]
    if len(words) > 1:
        return unknown(f"the checkbox names two quantiles: {' and '.join(words)}")
    quantile = _quantile(words[0]) if words else P95
    limit_s = duration_s(amount(match["limit"]))

    def prove(seen: Aggregate, confidence: float) -> Finding:
        if not seen.histogram.count:
            return lacking("no answer was observed")
        slow, count = seen.histogram.count_above(limit_s), seen.histogram.count
        proof = p95_proven_below(slow, count, limit_s, confidence, quantile)
        if proof.verdict is not Verdict.PASSED and not match["time"]:
            stall = decided_by_a_stall(seen, limit_s, confidence, quantile)
            if stall:
                return lacking(f"{proof.sentence}, but {stall}")
        found = _finding(proof)
        if found.verdict is Verdict.FAILED and seen.late > LATE_SHARE * seen.sent:
            sent = f"{seen.late} of {seen.sent} requests were sent late by the drill itself"
            return unknown(f"{found.evidence}, but {sent}")
        return found

    if front_health(moment.stage) == 200:
        if not match["time"] and moment.confidence == CONFIDENCE:
            return _in_two_looks(moment, match.string, round(1.0 - quantile, 9), prove)
        return _held(moment, match["time"], prove)
    if match["time"]:
        return unknown(f"clients are kept out, so that nothing is seen for {match['time']}")
    return _direct_response_time(moment, limit_s, quantile)


def _in_two_looks(moment: Moment, text: str, share: float, prove: ProveWindow) -> Finding:
    """Judge the window; where it is too short to tell, once more with twice as many answers.

    How many these are is settled at the first look, and there is no third one: who looks twice may
    be wrong twice, so that each look leaves the other half of the doubt. A look that met a stall
    was one. `share`: of the answers, above which the limit is broken.
    """
    seen, second = moment.traffic.window(moment.window_from), moment.waited.second
    count = seen.histogram.count
    wanted, before = second.get(text, (0, ""))
    if count < wanted:
        return lacking(f"{before}; {count:,} of {wanted:,} answers are there for a second look")
    found = prove(seen, OF_TWO_LOOKS)
    if found.verdict is not Verdict.UNKNOWN or upper_bound(0, count, OF_TWO_LOOKS) >= share:
        return found
    if text in second:
        return replace(found, evidence=f"{found.evidence} (the second look of two)")
    second[text] = (count if found.lacks else 2 * count), found.evidence
    return found if found.lacks else _in_two_looks(moment, text, share, prove)


def _quantile(words: str) -> float:
    digits = re.search(r"\d\d", words)
    return int(digits[0]) / 100 if digits else 0.5


def _direct_response_time(moment: Moment, limit_s: float, quantile: float) -> Finding:
    """Ask the hosts themselves. An error that comes soon is no slow answer, and none of a kind that
    a response time could be read from: it is told beside it. What never came took too long.
    """
    slow = errors = total = 0
    urls = list(moment.stage.direct_urls.values())
    # Looked at twice, so that each look has half of the doubt. The first is at so many as prove it
    # if none is slow: a service that may be asked little is asked no more than that.
    confidence = 1 - (1 - CONFIDENCE) / 2
    first = math.ceil(math.log(1 - confidence) / math.log(quantile))
    most = math.ceil(_TIMES_FIRST * first / len(urls)) * len(urls)
    with contextlib.ExitStack() as opened:
        clients = [opened.enter_context(client_of(moment.stage, url)) for url in urls]
        for client in itertools.islice(itertools.cycle(clients), most):
            try:
                answer = client.get(moment.stage.subject.probe)
                errors += not answer.ok
                slow += answer.took_s >= limit_s
            except NoAnswer:
                slow += 1
            total += 1
            if total == first and not slow:
                break
    proof = p95_proven_below(slow, total, limit_s, confidence, quantile)
    told = f"asked past the load balancer: {proof.sentence}"
    if errors:
        told += f"; {errors} of the answers were errors"
        if proof.verdict is Verdict.PASSED and errors * 2 > total:
            return unknown(f"{told}: most, so that nothing is known of good ones")
    return Finding(proof.verdict, told)


@check(
    r"no (?:customer |user )?complaints?(?: from (?:customers|users|clients))?",
    r"(?:customers|users|clients) do not complain",
    examples=["No customer complaints"],
    early=True,
)
def no_complaints(moment: Moment, match: re.Match[str]) -> Finding:
    """No simulated customer met a failed request in the window."""
    seen = moment.traffic.window(moment.window_from)
    if seen.sent < _FEW_REQUESTS:
        return lacking(f"{seen.sent} of {_FEW_REQUESTS} requests that are needed were seen")
    unhappy = seen.clients_with_failures
    return judged(
        not unhappy,
        f"{len(unhappy)} of the drill's simulated customers met a failure"
        f" in {seen.sent} requests" + (f": {', '.join(sorted(unhappy)[:5])}" if unhappy else ""),
        "none",
    )
