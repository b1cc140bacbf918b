"""Memory, metrics, and what dashboards would show."""

from __future__ import annotations

import re

from prometheus_client.parser import text_string_to_metric_families

from rollback_drill.decide.matrix import classify
from rollback_drill.ground.errors import WaitTimeout
from rollback_drill.ground.finding import Finding, failed, lacking, passed, unknown
from rollback_drill.ground.wait import wait_until
from rollback_drill.perform.check import check
from rollback_drill.perform.checks.service import client_of
from rollback_drill.perform.moment import Moment
from rollback_drill.runbook.monitoring import panels
from rollback_drill.stage.model import Stage
from rollback_drill.watch import prometheus
from rollback_drill.watch.memory import LEAST_SAMPLES, MOST_GROWTH, memory_trend
from rollback_drill.watch.probe import hosts_health

_WAIT_S = 10.0
_COUNTED = 60  # requests: fewer say nothing of a p95

Scraped = dict[tuple[str, tuple[tuple[str, str], ...]], float]


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
    """
    told = []
    for host in moment.stage.hosts:
        samples = list(moment.samples)
        one = memory_trend(samples, host.name, moment.window_from, confidence=moment.confidence)
        if one.flaw:
            return failed(one.flaw, f"no kill, and at most {MOST_GROWTH:.0%} growth")
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


def scrape(stage: Stage, url: str) -> Scraped:
    """Return the samples of `url`/metrics by name and sorted labels.

    Raises NoAnswer when it cannot be read, ValueError when it is not Prometheus text.
    """
    with client_of(stage, url) as http:
        answer = http.get(stage.interface.metrics).checked()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def _requests(samples: Scraped) -> float:
    return sum(v for (name, _), v in samples.items() if name.endswith("requests_total"))


@check(
    r"metrics(?: are)?(?: being)? (?:collecting|collected|scraped|recorded)",
    examples=["Metrics are being collected"],
    needs="metrics",
)
def metrics_collecting(moment: Moment, match: re.Match[str]) -> Finding:
    """Every host serves metrics, and its request counter grows by the requests that it answers.

    Where a Prometheus watches, it sees every host, and its samples grow.
    """
    told = []
    for name, url in moment.stage.direct_urls.items():
        before = _requests(scrape(moment.stage, url))
        with client_of(moment.stage, url) as http:
            http.get(moment.stage.subject.probe)
        after = before
        try:
            for _ in wait_until("the request counter to grow", _WAIT_S):
                after = _requests(scrape(moment.stage, url))
                if after > before:
                    break
        except WaitTimeout:
            return failed(f"{name}: the request counter stays at {before:g}", "one more")
        told.append(f"{name}: {before:g} → {after:g} requests counted")
    if moment.stage.prometheus_url:
        seen = _prometheus_collects(moment.stage)
        return Finding(seen.verdict, "; ".join((*told, seen.evidence)))
    return passed("; ".join(told))


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
        found = f"Prometheus: targets up {up}, {before:g} → {after:g} requests in samples"
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
        return failed(f"the hosts answer {stage.interface.health} with {statuses}", "200")
    told, quantile = [], moment.runbook.matrix[0].quantile
    if any(row.quantile != quantile for row in moment.runbook.matrix):
        return unknown("the matrix names several quantiles: no dashboard shows them as one number")
    for name, url in stage.direct_urls.items():
        window = _delta(moment, url)
        if window is None:
            return unknown(f"{name} counted fewer than {_COUNTED} requests in {_WAIT_S:g} s")
        requests, errors, took_s = window
        row = classify(moment.runbook.matrix, errors / requests, took_s)
        told.append(
            f"{name}: row “{row.condition}” by the service's own metrics: {errors:g} of "
            f"{requests:g} requests failed, p{quantile * 100:g} at most {took_s * 1000:g} ms"
        )
        if row is not moment.runbook.matrix[0]:
            return failed(told[-1], f"row “{moment.runbook.matrix[0].condition}”")
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


def _delta(moment: Moment, url: str) -> tuple[float, float, float] | None:
    """Return what the service counts meanwhile: requests, errors, and the upper edge of the bucket
    in which the matrix's quantile lies.
    """
    before = scrape(moment.stage, url)
    after = before
    try:
        for _ in wait_until(f"{_COUNTED} requests to be counted", _WAIT_S, every_s=0.1):
            after = scrape(moment.stage, url)
            if _requests(after) - _requests(before) >= _COUNTED:
                break
    except WaitTimeout:
        return None
    grown = {key: value - before.get(key, 0.0) for key, value in after.items()}
    requests = _requests(grown)
    errors = sum(
        value
        for (name, labels), value in grown.items()
        if name.endswith("requests_total") and dict(labels).get("status", "").startswith("5")
    )
    buckets: dict[float, float] = {}
    for (name, labels), value in grown.items():
        if name.endswith("seconds_bucket"):
            edge = float(dict(labels)["le"])
            buckets[edge] = buckets.get(edge, 0.0) + value
    if not buckets:
        return None
    wanted = moment.runbook.matrix[0].quantile * max(buckets.values())
    return requests, errors, min(edge for edge, value in buckets.items() if value >= wanted)
