"""What the clients saw: error rate, response time, complaints. Proven by bounds, not points."""

from __future__ import annotations

import re
import time

from drill.answers import NoAnswer
from drill.check import Finding, Situation, check, judged, unknown
from drill.checks.service import client
from drill.probe import front_health
from drill.runbook.amounts import duration_s, percent
from drill.statistics import Proof, error_rate_proven_below, p95_proven_below

_DIRECT_REQUESTS = 100  # p95 needs at least 59 for an upper bound


def _finding(proof: Proof) -> Finding:
    return Finding(proof.verdict, proof.sentence)


@check(r"error rate\D*(?P<limit>\d[\d.]*\s*%)", r"(?P<limit>\d[\d.]*\s*%) of (all )?requests fail")
def error_rate(situation: Situation, match: re.Match[str]) -> Finding:
    """The share of failed requests is proven to be below the limit that the checkbox names."""
    limit = percent(match["limit"])
    seen = situation.traffic.window(situation.window_from)
    if not seen.sent:
        return unknown("no request was observed")
    return _finding(error_rate_proven_below(seen.failures, seen.sent, limit))


@check(
    r"(p95|response time)\D*(?P<limit>\d[\d.]*\s*m?s)\b",
    r"(?P<limit>\d[\d.]*\s*m?s)\b.*(p95|response time)",
)
def response_time(situation: Situation, match: re.Match[str]) -> Finding:
    """The p95 is proven to be below the limit that the checkbox names.

    While clients are kept out (maintenance) the drill asks the hosts itself.
    """
    limit_s = duration_s(match["limit"])
    if front_health(situation.stage) != 200:
        return _direct_response_time(situation, limit_s)
    seen = situation.traffic.window(situation.window_from)
    if not seen.histogram.count:
        return unknown("no answer was observed")
    slow = seen.histogram.count_above(limit_s)
    return _finding(p95_proven_below(slow, seen.histogram.count, limit_s))


def _direct_response_time(situation: Situation, limit_s: float) -> Finding:
    slow = 0
    for url in situation.stage.direct_urls.values():
        with client(situation.stage, url) as http:
            for _ in range(_DIRECT_REQUESTS):
                began = time.perf_counter()
                try:
                    good = http.get(situation.stage.interface.probe_path).ok
                except NoAnswer:
                    good = False
                slow += not good or time.perf_counter() - began >= limit_s
    total = _DIRECT_REQUESTS * len(situation.stage.direct_urls)
    proof = p95_proven_below(slow, total, limit_s)
    return Finding(proof.verdict, f"asked past the load balancer: {proof.sentence}")


@check(r"complain")
def no_complaints(situation: Situation, match: re.Match[str]) -> Finding:
    """No simulated customer met a failed request in the window."""
    seen = situation.traffic.window(situation.window_from)
    if not seen.sent:
        return unknown("no customer asked for anything")
    unhappy = seen.clients_with_failures
    return judged(
        not unhappy,
        f"{len(unhappy)} of the drill's simulated customers met a failure"
        f" in {seen.sent} requests" + (f": {', '.join(sorted(unhappy)[:5])}" if unhappy else ""),
    )
