"""The traffic: whether what clients saw was measured at all."""

from __future__ import annotations

from drill import events
from drill.causes.cause import Cause
from drill.record import Record
from drill.verdict import Verdict

# A generator that lags by more or needs more of its core measures itself (see drill.traffic).
_LAG_S = 0.1
_CPU = 0.9
_LATE_SHARE = 0.05  # of the seconds with traffic


def of_generator(record: Record) -> list[Cause]:
    """Whether the generator kept up with its schedule."""
    samples = record.every(events.GeneratorSample)
    if not samples:
        return [Cause(Verdict.UNKNOWN, "Traffic", "the generator was not watched")]
    late = [s for s in samples if s.lag_s > _LAG_S]
    busy = sum(s.cpu for s in samples) / len(samples)
    if len(late) > _LATE_SHARE * len(samples) or busy > _CPU:
        what = (
            f"the generator was the bottleneck: late in {len(late)} of {len(samples)} seconds, "
            f"{busy:.0%} of a core"
        )
        return [Cause(Verdict.UNKNOWN, "Traffic", what, advice="lower RATE or free the machine")]
    return []
