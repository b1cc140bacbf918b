"""What a generator tells."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated

from rollback_drill.record.decoding import Form, Range
from rollback_drill.record.told import Count, Name, PerSecond, Seconds, StatusText, Told
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.observation import Outcome

LATE_S = 0.1
"""A request sent this long after it was due was late by the generator's own fault: a fifth of the
tightest limit that runbooks put on latency (500 ms), so that lag alone cannot flip a verdict."""
LATE_SHARE = 0.01
"""Of requests that were late so, more than this share are enough to spoil what was measured: a
fifth of what a p95 tells. What a single pause of a busy machine delays is far less."""
BUSY_CPU = 0.9
"""A generator that needs more than this share of its core may send late, or read answers late."""
Latencies = Annotated[str, Form("a histogram", Histogram.from_text)]
OutcomeName = Annotated[str, Form("an outcome", Outcome)]


@dataclass(frozen=True, slots=True)
class TrafficSecond(Told):
    """Aggregate of all requests that were *due* in the second [second, second + 1).

    `outcomes`: count by `Outcome` value. `formats`: count of good answers by format ("old",
    "new"). `operations`: count by operation. `histogram`: latency of every finished request, as
    `Histogram.to_text()`. `unhappy`: the clients with a failed request, as the
    bits of a hexadecimal number: one and the same bit for a client in all seconds of a drill.
    `statuses`: count of the answers that were not good, by their HTTP status ("503"). `late`: how
    many were sent later than `LATE_S` after they were due; None in records that do not tell.
    """

    second: Annotated[int, Range(0, 10**11)]
    outcomes: dict[OutcomeName, PerSecond]
    formats: dict[str, PerSecond]
    operations: dict[str, PerSecond]
    histogram: Latencies
    unhappy: Annotated[str, Form("a hexadecimal number", re.compile("[0-9a-f]*").fullmatch)] = ""
    statuses: dict[StatusText, PerSecond] = field(default_factory=dict)
    late: PerSecond | None = None

    @property
    def sent(self) -> int:
        """How many were due: those that could not be sent among them."""
        return sum(self.outcomes.values())

    @property
    def good(self) -> int:
        """How many got a good answer."""
        return self.outcomes.get(Outcome.OK, 0)

    @property
    def failed(self) -> int:
        """How many did not."""
        return self.sent - self.good


@dataclass(frozen=True, slots=True)
class GeneratorSample(Told):
    """How honest the load generator was in the last second: `lag_s` is the worst distance
    between due and sent, `cpu` the share of one core (0–1), `in_flight` at the sample.
    """

    worker: Name
    lag_s: Seconds
    cpu: Annotated[float, Range(0.0, 1e3)]
    in_flight: Count
