"""Memory, metrics, and what dashboards would show."""

from __future__ import annotations

import contextlib
import re
from collections import Counter

from rollback_drill.decide.statistics import lower_bound
from rollback_drill.ground.errors import WaitTimeout
from rollback_drill.ground.finding import Finding, failed, lacking, passed, unknown
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.ground.words import each_said, pairs
from rollback_drill.perform.check import check
from rollback_drill.perform.checks.service import client_of
from rollback_drill.perform.moment import Moment
from rollback_drill.runbook.monitoring import panels
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.model import Stage
from rollback_drill.watch import prometheus
from rollback_drill.watch.memory import LEAST_SAMPLES, MOST_GROWTH, memory_trend
from rollback_drill.watch.metrics.page import Measured, read_measured
from rollback_drill.watch.probe import hosts_health

_WAIT_S = 10.0
_STRANGER, _STRANGERS = "no-such-key", 3
_COUNTED = 60  # requests: fewer say nothing of a p95


@check(
    r"memory(?: usage| use)?<IS> (?:stable|steady|flat)",
    r"memory(?: usage| use)? does not grow",
    examples=["Memory usage is stable"],
    needs="process",
    early=True,
)
def memory_stable(moment: Moment, match: re.Match[str]) -> Finding:
    """Resident memory does not provably grow by a tenth in the window; nobody was killed. Before
    the window is over it provably does not: not if it goes on as it might to the window's end.
    Growth is looked at for longer than the window, and once: it may be the warm-up of a start.
    """
    told = []
    for host in moment.stage.hosts:
        samples = list(moment.samples)
        one = memory_trend(samples, host.name, moment.window_from, confidence=moment.confidence)
        if one.flaw and not one.kills and not one.told_apart:
            return lacking(f"{one}: is it a start's warm-up?")
        if one.flaw:
            return failed(one.flaw, f"no kill, and at most {MOST_GROWTH:.0%} growth, or an end")
        if one.samples < LEAST_SAMPLES:
            return lacking(f"{host.name}: {one.lacks}")
        if one.lacks:
            return unknown(f"{host.name}: {one.lacks}")
        told.append(str(one))
        if moment.to_come_s:
            whole_s = one.span_s + moment.to_come_s
            most = one.trend.high * whole_s / one.median_bytes
            told[-1] += f", in all {whole_s:.0f} s at most {max(0.0, most):.1%}"
            if most > MOST_GROWTH:
                return unknown(told[-1])
    return passed("; ".join(told))


@check(
    r"metrics(?: are)?(?: being)? (?:collecting|collected|scraped|recorded)",
    examples=["Metrics are being collected"],
    needs="metrics",
)
def metrics_collecting(moment: Moment, match: re.Match[str]) -> Finding:
    """Every host serves metrics that can be right, and its counter and its histogram grow by the
    requests that it answers, good ones and those of strangers, each by its kind. Whether they agree
    with what clients saw is judged in the end.

    Where a Prometheus watches, it sees every host, and its samples grow.
    """
    told = []
    for name, url in moment.stage.direct_urls.items():
        before = read_measured(moment.stage, name)
        if before.flaws:
            return failed(f"{name}: {'; '.join(before.flaws)}", "metrics that can be right")
        asked = _ask(moment.stage, url)
        after = before
        try:
            for _ in wait_until("the request counter to grow", _WAIT_S):
                after = read_measured(moment.stage, name)
                if after.timed > before.timed and not _uncounted(after.since(before), asked):
                    break
        except WaitTimeout:
            missing = _uncounted(after.since(before), asked)
            if after.count > before.count and missing:
                return failed(f"{name}: {missing}", "each answer by its status")
            if after.count > before.count:
                grown = f"{after.count - before.count:g} more requests were counted"
                still = f"its histogram of response times stays at {before.timed:g}: {grown}"
                return failed(f"{name}: {still}", "one more")
            return failed(f"{name}: the request counter stays at {before.count:g}", "one more")
        told.append(f"{name}: {before.count:g} → {after.count:g} requests counted")
    if moment.stage.prometheus_url:
        seen = _prometheus_collects(moment.stage)
        return Finding(seen.verdict, "; ".join((*told, seen.evidence)))
    return passed("; ".join(told))


def _ask(stage: Stage, url: str) -> Counter[str]:
    """Ask a host as a customer and as a stranger; return the answers by their statuses' figure."""
    asked: Counter[str] = Counter()
    for key in (None, *(_STRANGER,) * (_STRANGERS if stage.api_key else 0)):
        with contextlib.suppress(NoAnswer), client_of(stage, url, key) as http:
            asked[str(http.get(stage.subject.probe).status)[0]] += 1
    return asked


def _uncounted(grown: Measured, asked: Counter[str]) -> str:
    """Say which of the answers that were given were not counted as what they are."""
    if "" in grown.requests:
        return ""  # it does not tell how they were answered
    for kind, given in asked.items():
        counted = sum(n for status, n in grown.requests.items() if status.startswith(kind))
        if counted < given:
            return f"{counted:g} of {given} answers {kind}xx were counted as such"
    return ""


def _prometheus_collects(stage: Stage) -> Finding:
    url = stage.prometheus_url
    metrics = stage.subject.metrics
    before = prometheus.samples(url, metrics.requests)
    with client_of(stage, next(iter(stage.direct_urls.values()))) as http:
        http.get(stage.subject.probe)
    up: dict[str, float] = {}
    after = before
    try:
        for _ in wait_until("Prometheus to see all hosts and a new request", _WAIT_S):
            up, after = (
                prometheus.targets_up(url, metrics.job),
                prometheus.samples(url, metrics.requests),
            )
            if len(up) == len(stage.hosts) and all(up.values()) and after > before:
                break
    except WaitTimeout:
        there = pairs(up) or "none"
        found = f"Prometheus: targets up: {there}; {before:g} → {after:g} requests in samples"
        return failed(found, f"{len(stage.hosts)} targets up and more requests")
    return passed(f"Prometheus: {len(up)} targets up, {before:g} → {after:g} requests in samples")


@check(
    r"(?:monitoring )?dashboards?(?: are)? (?:shows?|showing) normal(?: levels)?",
    r"(?:monitoring )?dashboards?<IS> normal",
    examples=["Dashboards show normal levels"],
    needs="metrics",
)
def dashboards_normal(moment: Moment, match: re.Match[str]) -> Finding:
    """What dashboards are drawn from is in the matrix's first row: health, error rate, p95."""
    stage = moment.stage
    statuses = hosts_health(stage)
    if set(statuses.values()) != {200}:
        return failed(f"{stage.interface.health} answers: {each_said(statuses)}", "200")
    told = []
    if len({row.quantile for row in moment.runbook.matrix}) > 1:
        return unknown("the matrix names several quantiles: no dashboard shows them as one number")
    for name in stage.direct_urls:
        found = _normal(moment, name)
        if found.verdict is not Verdict.PASSED:
            return found
        told.append(found.evidence)
    if stage.prometheus_url:
        seen = _panels_normal(moment)
        return Finding(seen.verdict, "; ".join((*told, seen.evidence)))
    return passed("; ".join(told))


def _panels_normal(moment: Moment) -> Finding:
    """Ask Prometheus what each panel of the dashboard shows."""
    shown = []
    for panel in panels(moment.runbook, moment.stage.subject.metrics):
        value = prometheus.value(moment.stage.prometheus_url, panel, moment.pace)
        if value is None:
            return unknown(f"panel “{panel.title}” shows no data")
        shown.append(f"{panel.title} {value:.3g}")
        if not panel.low <= value < panel.high:
            limit = f"from {panel.low:.3g} to {panel.high:g}"
            return failed(f"panel “{panel.title}” shows {value:.3g}", limit)
    return passed(f"panels: {', '.join(shown)}")


def _normal(moment: Moment, host: str) -> Finding:
    """Judge what a host counts meanwhile by the matrix's first row.

    Of response times not the quantile is judged, which lies anywhere in a bucket, but the share of
    those above the limit: an edge of a bucket, or between two. A few requests are as good as more
    when all of them are well; else more are waited for.
    """
    row = moment.runbook.matrix[0]
    share = round(1.0 - row.quantile, 9)
    before = after = read_measured(moment.stage, host)
    seen, least, most = after.since(before), 0.0, 0.0
    try:
        for _ in wait_until(f"{_COUNTED} requests to be counted", _WAIT_S, every_s=0.1):
            after = read_measured(moment.stage, host)
            if after.count < before.count:
                before = after  # another process counts
            seen = after.since(before)
            least, most = seen.slower_than(row.p95.high)
            errors = _errors(seen)
            if seen.count < _COUNTED or not seen.timed:
                continue
            if most <= share * seen.timed and errors < row.error_rate.high * seen.count:
                break
            if _refuted(errors, seen.count, row.error_rate.high):
                break
            if _refuted(least, seen.timed, share):
                break
    except WaitTimeout:
        if seen.count < _COUNTED:
            return unknown(f"{host} counted fewer than {_COUNTED} requests in {_WAIT_S:g} s")
    errors = _errors(seen)
    told = (
        f"{host}: by the service's own metrics {errors:g} of {seen.count:g} requests failed, "
        f"{least:g}{'' if least == most else f' to {most:g}'} of {seen.timed:g} took longer than "
        f"{row.p95.high * 1000:g} ms"
    )
    normal = f"row “{row.condition}”: p{row.quantile * 100:g} below that"
    if errors >= row.error_rate.high * seen.count or least > share * seen.timed:
        return failed(told, normal)
    if not seen.timed:
        return failed(f"{host} times none of {seen.count:g} requests", "response times")
    if most > share * seen.timed:
        return unknown(
            f"{told}: no bucket ends there, so that nobody can tell whether it is normal"
        )
    return passed(told)


def _refuted(hits: float, n: float, limit: float) -> bool:
    count = int(n)
    return lower_bound(min(count, int(hits)), count) >= limit


def _errors(seen: Measured) -> float:
    return sum(count for status, count in seen.requests.items() if status.startswith("5"))
