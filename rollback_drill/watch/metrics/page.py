"""Reads a host's own metrics: what they say of its requests, and whether the page can be right.

Counted are the requests of clients alone. What monitors ask for (health, readiness, the metrics
themselves) stands apart, where the page tells it apart: a label whose value is one of those paths.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from rollback_drill.runbook.monitoring import MetricNames
from rollback_drill.stage import http
from rollback_drill.stage.answers import BadAnswer
from rollback_drill.stage.asking import keyed
from rollback_drill.stage.model import Stage

LONGEST_PAGE = 8 * 2**20
"""Of a page: metrics of many series are long."""
_LIMIT_S = 5.0
_STATUS = ("status", "code", "status_code", "http_status")
_STARTED = "process_start_time_seconds"
_UNLIKE = 0.01  # by so much of it a sum may lie beyond what its buckets allow: rounding
_RACE = 2.0  # requests that end while a page is written
_MOST_FLAWS = 5

Labels = tuple[tuple[str, str], ...]
Samples = dict[str, dict[Labels, float]]
"""Values by the sample's name and its sorted labels."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a page says of the requests of clients since the process began.

    `requests`: by status; `buckets`: how many took at most so many seconds, `timed`: how many there
    are in all, and `total_s` what they took together. `started_at`: of the process, Unix seconds, 0
    where it is not told. `flaws`: why the page cannot be right, as parts of a sentence.
    """

    requests: Mapping[str, float] = field(default_factory=dict)
    buckets: Mapping[float, float] = field(default_factory=dict)
    timed: float = 0.0
    total_s: float = 0.0
    started_at: float = 0.0
    flaws: tuple[str, ...] = ()

    @property
    def count(self) -> float:
        """All requests."""
        return sum(self.requests.values())

    def since(self, before: Measured) -> Measured:
        """Return what came since `before`, which is of the same process."""
        return Measured(
            {k: v - before.requests.get(k, 0.0) for k, v in self.requests.items()},
            {k: v - before.buckets.get(k, 0.0) for k, v in self.buckets.items()},
            self.timed - before.timed,
            self.total_s - before.total_s,
            self.started_at,
            self.flaws,
        )

    def slower_than(self, limit_s: float) -> tuple[float, float]:
        """Return how many took longer than `limit_s`, at the least and at the most: between two
        edges of buckets nobody knows.
        """
        below = [edge for edge in self.buckets if edge <= limit_s]
        beyond = [edge for edge in self.buckets if edge >= limit_s and math.isfinite(edge)]
        most = self.timed - (self.buckets[max(below)] if below else 0.0)
        least = self.timed - self.buckets[min(beyond)] if beyond else 0.0
        return max(0.0, least), max(0.0, most)


def read_measured(stage: Stage, host: str, client: http.Client | None = None) -> Measured:
    """Read the page of `host`. Raises NoAnswer, or BadAnswer where it is no such page."""
    return measured(
        read_page(stage, host, client),
        stage.subject.metrics,
        (stage.interface.health, stage.interface.metrics, stage.subject.ready),
        strict=stage.known,
    )


def read_page(stage: Stage, host: str, client: http.Client | None = None) -> str:
    """Return the text of a host's metrics. Raises NoAnswer, and BadAnswer for another page."""
    path = stage.interface.metrics
    url = stage.direct_urls[host] + path
    if client is None:
        with http.Client(limit_s=_LIMIT_S, most=LONGEST_PAGE) as one:
            answer = one.get(url, headers=keyed(stage))
    else:
        answer = client.get(url, headers=keyed(stage))
    if answer.status in (404, 405, 410, 501):
        why = f"{host} has no metrics page: {path} is answered {answer.status}"
        raise BadAnswer(why, answer.status)
    if not answer.ok:
        raise BadAnswer(f"{host} answers {path} with {answer.status}", answer.status)
    return answer.text


def samples_of(text: str) -> tuple[Samples, list[str]]:
    """Return the samples of a page, and which of its series it tells twice. Raises BadAnswer."""
    found: Samples = {}
    twice: list[str] = []
    try:
        for family in text_string_to_metric_families(text):
            for one in family.samples:
                series = found.setdefault(one.name, {})
                labels = tuple(sorted(one.labels.items()))
                if labels in series:
                    twice.append(one.name)
                series[labels] = one.value
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BadAnswer(f"its metrics page is no text of Prometheus: {error}"[:300]) from None
    if not found:
        raise BadAnswer("its metrics page tells no metrics")
    return found, twice


def measured(
    text: str, names: MetricNames, apart: Collection[str], *, strict: bool = True
) -> Measured:
    """Return what a page says. Raises BadAnswer.

    `apart`: paths that monitors ask for; `strict`: the metrics must have the very `names`, as
    dashboards and alerts have them; else any counter and histogram of requests will do.
    """
    samples, twice = samples_of(text)
    flaws = [f"{name} tells a series twice" for name in dict.fromkeys(twice)]
    counter = _named(samples, names.requests, "requests_total", strict=strict)
    timer = _named(samples, f"{names.seconds}_bucket", "seconds_bucket", strict=strict)
    requests: dict[str, float] = {}
    for labels, value in _of_clients(samples.get(counter, {}), apart):
        told = dict(labels)
        status = next((told[one] for one in _statuses(strict) if one in told), "")
        if not value >= 0.0 or math.isinf(value):
            flaws.append(f"{counter} is {value:g}")
            continue
        requests[status] = requests.get(status, 0.0) + value
    if not samples.get(counter):
        flaws.append(f"there is no {names.requests}")
    elif strict and requests and not all(requests):
        flaws.append(f"{counter} has no label “status”")
    base = timer.removesuffix("_bucket")
    histogram = _Histogram(
        _of_clients(samples.get(timer, {}), apart),
        dict(_of_clients(samples.get(f"{base}_count", {}), apart)),
        dict(_of_clients(samples.get(f"{base}_sum", {}), apart)),
    )
    flaws += [f"{base}{flaw}" for flaw in histogram.flaws()]
    if not samples.get(timer):
        flaws.append(f"there is no {names.seconds}")
    started = samples.get(_STARTED, {}).get((), 0.0)
    return Measured(
        requests,
        histogram.buckets(),
        sum(histogram.counts.values()),
        sum(histogram.sums.values()),
        started if math.isfinite(started) else 0.0,
        tuple(dict.fromkeys(flaws))[:_MOST_FLAWS],
    )


def _statuses(strict: bool) -> Iterable[str]:
    return _STATUS[:1] if strict else _STATUS


def _named(samples: Samples, name: str, suffix: str, *, strict: bool) -> str:
    if strict or name in samples:
        return name
    return next((one for one in samples if one.endswith(suffix)), name)


def _of_clients(
    series: Mapping[Labels, float], apart: Collection[str]
) -> list[tuple[Labels, float]]:
    return [
        (labels, value)
        for labels, value in series.items()
        if not any(text in apart for _, text in labels)
    ]


class _Histogram:
    """A histogram by its labels but `le`."""

    def __init__(
        self,
        samples: Iterable[tuple[Labels, float]],
        counts: dict[Labels, float],
        sums: dict[Labels, float],
    ) -> None:
        self.counts, self.sums = counts, sums
        self.edges: dict[Labels, dict[float, float]] = {}
        self._strange: list[str] = []
        for labels, value in samples:
            try:
                edge = float(dict(labels).get("le", ""))
            except ValueError:
                self._strange.append(" has a bucket without an edge")
                continue
            rest = tuple(pair for pair in labels if pair[0] != "le")
            self.edges.setdefault(rest, {})[edge] = value

    def buckets(self) -> dict[float, float]:
        """Return the buckets of all labels together."""
        found: dict[float, float] = {}
        for edges in self.edges.values():
            for edge, value in edges.items():
                found[edge] = found.get(edge, 0.0) + value
        return found

    def flaws(self) -> list[str]:
        """Say what of it cannot be: buckets that shrink, a count or a sum that is not theirs."""
        found = list(self._strange)
        for labels, edges in self.edges.items():
            inside = sorted(edges.items())
            values = [value for _, value in inside]
            if any(not value >= 0.0 or math.isinf(value) for value in values):
                found.append("_bucket is no count")
                continue
            if any(later < value for value, later in itertools.pairwise(values)):
                found.append("_bucket is not cumulative: a larger bucket holds less")
                continue
            count, total = self.counts.get(labels, 0.0), self.sums.get(labels, math.nan)
            if math.inf not in edges:
                found.append("_bucket has no bucket +Inf")
            elif abs(edges[math.inf] - count) > max(_RACE, _UNLIKE * count):
                found.append(f"_count is {count:g}, its buckets hold {edges[math.inf]:g}")
            low, high = _bounds(inside)
            if not total >= 0.0:
                found.append(f"_sum is {total:g}")
            elif not low - _slack(low, inside) <= total <= high + _slack(high, inside):
                found.append(f"_sum is {total:g} s, by its buckets {low:.3g} to {high:.3g} s")
        return found


def _bounds(inside: list[tuple[float, float]]) -> tuple[float, float]:
    """Return what all together took, in seconds at the least and at the most."""
    low = high = edge_before = count_before = 0.0
    for edge, value in inside:
        here = value - count_before
        low += here * edge_before
        if here:
            high += here * edge
        edge_before, count_before = edge, value
    return low, high


def _slack(bound: float, inside: list[tuple[float, float]]) -> float:
    # What ends while the page is written is in the sum and not in the buckets, or the other way.
    largest = before = 0.0
    for edge, value in inside:
        if value > before and math.isfinite(edge):
            largest = edge
        before = value
    return _UNLIKE * bound + _RACE * largest if math.isfinite(bound) else 0.0
