"""One stall is no response time: slow answers that come together are one event, not many.

The bounds of `decide.statistics` take each request for an answer of its own. A machine or a disk
that stands still for a second makes two hundred slow ones, which prove as much about the 95th
percentile as one does. A window that one such stall decides is too short: it has enough once it
holds so many requests that the stall alone would not keep it from being proven. All count then,
those of the stall as well, and there is one look.
"""

from __future__ import annotations

from rollback_drill.decide.statistics import more_needed, p95_proven_below
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.enough import PATIENCE_OF_A_SECTION_S
from rollback_drill.traffic.aggregate import Aggregate, Second

_STALL_S = 3.0  # one of a second is spread over this, with what it held up
_MOST_OF_A_WINDOW = 0.5
_WORTH_S = PATIENCE_OF_A_SECTION_S / 2  # what takes longer to outweigh is slowness, no stall


def decided_by_a_stall(seen: Aggregate, limit_s: float, confidence: float, quantile: float) -> str:
    """Return in words why `seen` is too short a window: it is not proven that the quantile is below
    `limit_s` for a single stall, which a few seconds more outweigh. Else "".
    """
    span_s = seen.until - seen.start
    if span_s <= 0:
        return ""
    most = min(_STALL_S / span_s, _MOST_OF_A_WINDOW) * seen.sent
    slow, count = _worst_run(seen.parts, limit_s, most)
    all_slow, total = seen.histogram.count_above(limit_s), seen.histogram.count
    rest = p95_proven_below(all_slow - slow, total - count, limit_s, confidence, quantile)
    more = more_needed(slow, total, round(1.0 - quantile, 9), confidence)
    enough = more is not None and 1 < more <= _WORTH_S * seen.sent / span_s
    if rest.verdict is Verdict.FAILED or not enough:
        return ""
    return (
        f"{slow:,} of the {all_slow:,} slow ones came together, in one stall: it takes {more:,} "
        "more requests to tell what it weighs"
    )


def _worst_run(parts: tuple[Second, ...], limit_s: float, most: float) -> tuple[int, int]:
    """Return how many answers took `limit_s` or longer, and of how many, in the run of `parts` with
    at most that many requests in which most did.
    """
    slow = [one.histogram.count_above(limit_s) for one in parts]
    worst = (0, 0)
    first = sent = hits = count = 0
    for last, one in enumerate(parts):
        sent, hits, count = sent + one.sent, hits + slow[last], count + one.histogram.count
        while sent > most:
            gone = parts[first]
            sent, hits, count = sent - gone.sent, hits - slow[first], count - gone.histogram.count
            first += 1
        worst = max(worst, (hits, count), key=lambda run: run[0])
    return worst
