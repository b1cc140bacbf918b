"""Plants the sabotages that were asked for, each at its moment, and attests that it did."""

from __future__ import annotations

import re
from pathlib import Path

from rollback_drill.breaks.planting import (
    actions,
    look_for_edits,
    plant_release,
    rewrites,
    run_plant,
)
from rollback_drill.breaks.sabotage import Bash, Sql, sabotages_called
from rollback_drill.breaks.told import SabotagePlanted
from rollback_drill.conduct.companion import Companion
from rollback_drill.conduct.rig import Rig
from rollback_drill.ground import clock
from rollback_drill.ground.errors import StageError
from rollback_drill.perform.performer import Part
from rollback_drill.record.watched import Watched

_LIMIT_S = 60.0


class Sabotages(Companion):
    """See `breaks.sabotage`. Edits of the failing release and of the runbook are planted before the
    drill by whoever holds it; here they are only looked for.
    """

    place = 95  # after everybody who looks at the stage as it was before

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._sabotages = sabotages_called(rig.request.sabotages)
        self._over = clock.signal()
        self._later: list[Watched] = []
        self._checklist = ""

    def up(self) -> None:
        """See Companion.up."""
        if not self._sabotages:
            return
        plant_release(self.rig.stage, self._sabotages, failing=False)
        for (name, _), how in look_for_edits(self.rig.stage, self._sabotages).items():
            self._attest(name, how)
        text = Path(self.rig.request.runbook).read_text(encoding="utf-8")
        for one in self._sabotages:
            for rewrite in rewrites(one):
                if rewrite.new not in text:
                    raise StageError(
                        f"{rewrite.new!r} in the runbook for {one.name}", "none", "rewrite it"
                    )
                self._attest(one.name, "the runbook has it")
        self._do("up")

    def steady(self) -> None:
        """See Companion.steady."""
        self._do("steady")

    def before_part(self, part: Part) -> None:
        """See Companion.before_part."""
        self._do("before", part.title)

    def after_part(self, part: Part) -> None:
        """See Companion.after_part."""
        self._do("after", part.title)

    def before_checklist(self, title: str) -> None:
        """See Companion.before_checklist."""
        self._checklist = title
        self._do("before", title)

    def after_checklist(self) -> None:
        """See Companion.after_checklist."""
        self._do("after", self._checklist)

    def __exit__(self, *exc: object) -> None:
        """See Companion.__exit__."""
        self._over.set()
        for one in self._later:
            one.end(_LIMIT_S)

    def _do(self, hook: str, title: str = "") -> None:
        def now(plant: Sql | Bash) -> bool:
            when = plant.when
            return when.hook == hook and bool(re.search(when.title, title, re.IGNORECASE))

        for name, plant in actions(self._sabotages, now):
            if plant.when.later_s:
                worker = Watched(f"sabotage {name}", self._wait, name, plant, over=self._over)
                self._later.append(worker.start())
            else:
                self._plant(name, plant)

    def _wait(self, name: str, plant: Sql | Bash) -> None:
        if not self._over.wait(plant.when.later_s):
            self._plant(name, plant)

    def _plant(self, name: str, plant: Sql | Bash) -> None:
        self._attest(name, run_plant(self.rig.stage, plant))

    def _attest(self, name: str, how: str) -> None:
        self.rig.timeline.record(SabotagePlanted(name, how))
