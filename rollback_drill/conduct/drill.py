"""One drill while it is held: its rig, and how far it has come."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from rollback_drill.breaks.fault import Scene
from rollback_drill.breaks.healing import attest_healed, heal
from rollback_drill.conduct.companion import Companion
from rollback_drill.conduct.rig import Rig
from rollback_drill.decide.told import Decided
from rollback_drill.record.told import Noted, PhaseName, PhaseStarted
from rollback_drill.runbook.model import Procedure
from rollback_drill.traffic.histogram import Histogram


@dataclass(slots=True)
class Drill:
    """A drill over `rig`, with the `companions` who go along. Its phases fill in, in order,
    what comes to be known.

    `clients`: what ends when clients go; `watching`: what ends with the decision. `healthy`: how
    long requests took before the fault. `procedure`: the one that is performed, or was last;
    `chosen_by`: who chose it. Times are Unix seconds: `decided_at`; `served_since`, from when on
    clients count as served again. `healed`: the fault's healing went through; `attested`: and it
    was asked whether it is gone.
    """

    rig: Rig
    companions: Sequence[Companion]
    clients: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    watching: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    healthy: Histogram = field(default_factory=Histogram)
    scene: Scene | None = None
    decided: Decided | None = None
    decided_at: float = 0.0
    served_since: float = 0.0
    procedure: Procedure | None = None
    chosen_by: str = ""
    rolled_back: bool = False
    healed: bool = False
    attested: bool = False

    def begin(self, phase: PhaseName) -> None:
        """Record that `phase` begins."""
        self.rig.timeline.record(PhaseStarted(phase))

    def note(self, text: str) -> None:
        """Leave a remark on the record."""
        self.rig.timeline.record(Noted(text))

    def heal(self, *, attest: bool = True) -> None:
        """Heal the fault once, and ask once whether it is gone: `attest=False` leaves that to the
        next call, as it may write to the service. Does nothing before the fault was made.
        """
        if self.scene is None or (self.healed and self.attested):
            return
        fault, timeline = self.rig.fault, self.rig.timeline
        if attest:
            self.begin(PhaseName.TEARDOWN)
        self.healed = self.healed or heal(fault, self.scene, timeline)
        if self.healed and attest:
            self.attested = True
            attest_healed(fault, self.scene, timeline)
