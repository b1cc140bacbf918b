"""What a check may look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rollback_drill.data.balance import Balance
from rollback_drill.decide.statistics import CONFIDENCE
from rollback_drill.decide.told import Decided
from rollback_drill.ground.clock import now
from rollback_drill.record.timeline import Timeline
from rollback_drill.runbook.model import Runbook
from rollback_drill.stage.host import Completed
from rollback_drill.stage.model import Stage
from rollback_drill.traffic.live import Traffic
from rollback_drill.watch.log_reader import Tail
from rollback_drill.watch.told import ProbeSample

if TYPE_CHECKING:
    from rollback_drill.perform.messages import Courier


@dataclass(slots=True)
class Waited:
    """Seconds that the checks of one part waited, which no budget pays for: because a checkbox
    wants something to hold for a time, or for lack of samples (`lacked_s` of them). `second`: at
    how many samples a checkbox, by its text, is looked at for the second and last time, and what
    the first look found.
    """

    total_s: float = 0.0
    lacked_s: float = 0.0
    second: dict[str, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """What a check may look at, new for each part that is performed. Times are Unix seconds.

    `began_at`: when the part's work began; `window_from`: from when on client traffic counts
    (the start of a watch window, or of the step); `effective_at`: from when on the failing
    behaviour must be over, so that only later log lines count; `processes_began`: by host, when the
    process began that was started then; `samples`: what the probe saw;
    `title`: of the part, beside its `section`; `outputs`: results of this part's commands, in
    order; `courier`: who delivers the runbook's messages, about `facts`; `told_by`: who says that
    people were told by hand, in this part;
    `balance`: what became of all data, once clients have gone; `read_back`: looks up what became of
    it so far, None where that cannot be; `busy`: says how busy the machine is; `confidence`: at
    which a pass must be proven, higher where a watch is looked at twice; `to_come_s`: seconds of
    the watch that will not be watched if all boxes pass now, so that a trend must be small enough
    for these as well.
    """

    stage: Stage
    runbook: Runbook
    traffic: Traffic
    timeline: Timeline
    tail: Tail
    samples: Sequence[tuple[float, ProbeSample]]
    failing: str
    stable: str
    pace: float
    decision: Decided | None = None
    balance: Balance | None = None
    began_at: float = 0.0
    window_from: float = 0.0
    effective_at: float = 0.0
    processes_began: Mapping[str, float] = field(default_factory=dict)
    pids_before: dict[str, int] | None = field(default_factory=dict)  # None: nobody saw them
    outputs: list[Completed] = field(default_factory=list)
    section: str = ""
    title: str = ""
    waited: Waited = field(default_factory=Waited)
    courier: Courier | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    told_by: str = ""
    read_back: Callable[[], Balance] | None = None
    busy: Callable[[], str] = lambda: ""
    confidence: float = CONFIDENCE
    to_come_s: float = 0.0

    def age(self) -> float:
        """Return how many seconds ago this section's work began."""
        return now() - self.began_at
