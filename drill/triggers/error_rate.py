"""Error rate >10 %, 5-10 %, 1-5 %: more than a share of the requests fail."""

from __future__ import annotations

import re
from dataclasses import replace

from drill.detector import ALPHA, Side, Stream
from drill.errors import UsageError
from drill.evidence import Evidence
from drill.statistics import share_sentence
from drill.trigger import Firing, watch

_SUSTAINED = re.compile(r"sustain|stays|no spike", re.IGNORECASE)


@watch(
    r"error rates?\D{0,12}?(?P<low>\d[\d.]*)\s*%?\s*(?:[-–—]|to)\s*(?P<high>\d[\d.]*)\s*%",
    r"error rates?\s*(?:>|≥|above|over|more than|exceeds)\s*(?P<low>\d[\d.]*)\s*%",
)
class ErrorRate:
    """The share of failed requests lies in [low, high); without `high`, at or above low."""

    factors: tuple[float, ...] = ()

    def __init__(self, match: re.Match[str]) -> None:
        groups = match.groupdict()
        self.low = share(groups["low"])
        self.high = share(groups["high"]) if groups.get("high") else None
        # A spike is over before the decider's patience is.
        self._sustained = bool(_SUSTAINED.search(match.string))

    @property
    def error_edges(self) -> tuple[float, ...]:
        """See Watch."""
        return (self.low,) if self.high is None else (self.low, self.high)

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        firing = errors_within(evidence, self.low, self.high)
        return replace(firing, may_pass=True) if firing and self._sustained else firing


def share(text: str) -> float:
    """Return 0.1 for "10". Raises UsageError unless it lies between 0 % and 100 %."""
    value = round(float(text) / 100.0, 9)
    if not 0.0 < value < 1.0:
        raise UsageError(
            "an error rate between 0 % and 100 % in a trigger", f"{text} %", "correct the runbook"
        )
    return value


def errors_within(evidence: Evidence, low: float, high: float | None) -> Firing | None:
    """Return a firing when the error rate is classified above `low` and not above `high`."""
    stream, change = evidence.detector.errors, evidence.detector.change
    if change is None or stream.side(low) is not Side.ABOVE:
        return None
    if high is not None and stream.side(high) is Side.ABOVE:
        return None
    kinds = ", ".join(
        f"{count:,} {outcome.value.replace('_', ' ')}"
        for outcome, count in change.outcomes.most_common()
    )
    told = [
        f"{share_sentence(change.failures, change.n, 'failed')} since the errors began: {kinds}",
        f"the detector's alarm is false in at most {ALPHA * 100:g} % of drills; "
        + edge_sentence(stream, low),
    ]
    if high is not None:
        told.append(edge_sentence(stream, high))
    return Firing(stream.edges[low].since, high is None or settled(stream, high), tuple(told))


def settled(stream: Stream, edge: float) -> bool:
    """Whether waiting longer is unlikely to tell on which side of `edge` the rate lies."""
    return stream.side(edge) is not Side.UNKNOWN or stream.edges[edge].exhausted


def edge_sentence(stream: Stream, edge: float) -> str:
    """Say on which side of `edge` the rate was found, by how many requests after the alarm."""
    test = stream.edges[edge]
    if stream.side(edge) is not Side.UNKNOWN:
        return (
            f"{test.side.value} {edge * 100:g} % by {test.tested:,} requests after the alarm "
            "(error at most 1 % a fifth or more off the edge)"
        )
    why = "too near to tell" if test.exhausted else "too few requests yet"
    return f"unknown on which side of {edge * 100:g} % ({why})"
