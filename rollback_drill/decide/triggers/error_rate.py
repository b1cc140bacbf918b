"""Error rate >10 %, 5-10 %, 1-5 %, 5xx above 5 %: more than a share of the requests fail."""

from __future__ import annotations

import re
from dataclasses import replace

from rollback_drill.decide.detector import ALPHA, Detector, Question, Side, StatusShare, Stream
from rollback_drill.decide.evidence import Evidence
from rollback_drill.decide.statistics import share_sentence
from rollback_drill.decide.trigger import Firing, PlainWatch, watch
from rollback_drill.ground.errors import UsageError
from rollback_drill.runbook.wording import ABOVE, BELOW, NUMBER, NUMBER_OR_WORD, PERCENT, as_number

_SUSTAINED = re.compile(r"sustain|stays|no spike", re.IGNORECASE)
_RATE = r"(?:(?:error|failure|fail) (?:rates?|ratio|share)|errors|failures|failed requests)"
_FAIL = r"\b(?:fail(?:s|ed|ing)?|erroring|errors?|are errors)\b"
_LOW = rf"(?P<low>{NUMBER})\s*{PERCENT}"
_BAND = rf"(?P<low>{NUMBER})\s*%?\s*(?:[-–—]|to)\s*(?P<high>{NUMBER})\s*{PERCENT}"
_STATUS = r"(?:HTTP\s*)?(?P<status>[45](?:xx|\d\d))s?\b"
_BETWEEN = r"[^\d:;%<>≥]*?"


@watch(
    rf"{_RATE}\b{_BETWEEN}{_BAND}",
    rf"{_RATE}\b{_BETWEEN}{ABOVE}{_LOW}",
    rf"{ABOVE}{_LOW}\s+{_BETWEEN}{_FAIL}",
    rf"\b{_LOW}\s+(?:error|failure) rate\b",
    rf"more than (?P<ratio>(?P<few>{NUMBER_OR_WORD}) (?:requests? )?(?:in|out of|of)(?: every)? "
    rf"(?P<of>{NUMBER_OR_WORD}))\b{_BETWEEN}(?:{_FAIL}|requests?\b)",
    rf"(?:success rate|availability|successful (?:requests|answers|responses))\b{_BETWEEN}"
    rf"{BELOW}(?P<good>{NUMBER})\s*{PERCENT}",
    by_words=True,
)
class ErrorShare(PlainWatch):
    """The share of failed requests lies in [low, high); without `high`, at or above low."""

    def __init__(self, match: re.Match[str]) -> None:
        groups = match.groupdict()
        self.high = share(groups["high"]) if groups.get("high") else None
        if groups.get("good"):
            self.low = round(1.0 - share(groups["good"]), 9)
        elif groups.get("few"):
            self.low = _checked(as_number(groups["few"]) / as_number(groups["of"]), match.group())
        else:
            self.low = share(groups["low"])
        # A spike is over before there is proof of it.
        self._sustained = bool(_SUSTAINED.search(match.string))

    @property
    def error_edges(self) -> tuple[float, ...]:  # type: ignore[override]
        """See Watch."""
        return (self.low,) if self.high is None else (self.low, self.high)

    def stream(self, detector: Detector) -> tuple[Stream, float]:
        """See Share.stream."""
        return detector.errors, self.low

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        firing = errors_within(evidence, self.low, self.high)
        return replace(firing, may_pass=True) if firing and self._sustained else firing


@watch(
    rf"{_STATUS}{_BETWEEN}{ABOVE}{_LOW}",
    rf"{ABOVE}{_LOW}\s+{_BETWEEN}{_STATUS}",
    rf"\b{_LOW}\s+{_BETWEEN}{_STATUS}",
    by_words=True,
)
class Statuses(PlainWatch):
    """The share of requests that are answered with a status (500), or one of a class (5xx)."""

    def __init__(self, match: re.Match[str]) -> None:
        text = match["status"].lower()
        first = int(text.replace("x", "0"))
        self._name = text if text.endswith("xx") else f"status {text}"
        self._share = StatusShare(
            first, first + 99 if text.endswith("xx") else first, share(match["low"])
        )

    @property
    def questions(self) -> tuple[Question, ...]:  # type: ignore[override]
        """See Watch."""
        return (self._share,)

    def stream(self, detector: Detector) -> tuple[Stream, float]:
        """See Share.stream."""
        return detector.asked[self._share], self._share.edge

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        stream, edge = self.stream(evidence.detector)
        if stream.side(edge) is not Side.ABOVE:
            return None
        told = (
            share_sentence(stream.hits, stream.n, f"were answered with {self._name}"),
            f"the detector's alarm is false in at most {ALPHA * 100:g} % of drills; "
            + edge_sentence(stream, edge),
        )
        return Firing(stream.edges[edge].since, True, told)


def share(text: str) -> float:
    """Return 0.1 for "10". Raises UsageError unless it lies between 0 % and 100 %."""
    return _checked(as_number(text) / 100.0, f"{text} %")


def _checked(value: float, text: str) -> float:
    if not 0.0 < value < 1.0:
        raise UsageError(
            "an error rate between 0 % and 100 % in a trigger", text, "correct the runbook"
        )
    return round(value, 9)


def errors_within(evidence: Evidence, low: float, high: float | None) -> Firing | None:
    """Return a firing when the error rate is classified above `low` and not above `high`.

    A rate that is too near to an edge to tell is at it, and an edge belongs to the worse tier.
    """
    stream, change = evidence.detector.errors, evidence.detector.change
    if change is None or not stream.reaches(low):
        return None
    if high is not None and stream.reaches(high):
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
    sharp = high is None or stream.side(high) is Side.BELOW
    return Firing(stream.edges[low].since, sharp, tuple(told))


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
