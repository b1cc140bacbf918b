"""Holds one drill: opens the rig, goes through the phases, and clears up. It records and never
judges: see `judge.judgement`.
"""

from __future__ import annotations

import contextlib
import traceback
from pathlib import Path

from rollback_drill.conduct.admission import admit
from rollback_drill.conduct.drill import Drill
from rollback_drill.conduct.guard import Guard
from rollback_drill.conduct.opening import bring_up, open_drill
from rollback_drill.conduct.phases import close, let_clients_go
from rollback_drill.conduct.plan import LooksAtMachine, Plan
from rollback_drill.conduct.progress import Progress
from rollback_drill.ground.errors import DrillError, UsageError, in_words
from rollback_drill.record.timeline import Timeline
from rollback_drill.record.told import DrillBroke, Interrupted, Noted, PhaseName, PhaseStarted
from rollback_drill.record.watched import reported_to
from rollback_drill.stage.model import Stage
from rollback_drill.watch.left import left_as

_FRAMES = 3  # of a traceback, the innermost
_ENDINGS = (let_clients_go, close)


class Conductor:
    """One drill. `run` records everything that happens; Ctrl-C at any time ends it cleanly.

    `stage` may be given by those who keep one up between drills: it is then put back to the
    failing release first, and left up. Raises UsageError for a plan that cannot be met.
    """

    def __init__(
        self, plan: Plan, *, stage: Stage | None = None, progress: Progress | None = None
    ) -> None:
        self._plan, self._progress = plan, progress
        self.admitted = admit(plan, stage, self._note)
        self.timeline = Timeline(plan.request.report / "timeline.jsonl")
        self.timeline.redactor.add(*self.admitted.channels.secrets, *self.admitted.stage.secrets)
        opened = self.admitted.stage
        self._guard = Guard(opened.limits, self.admitted.rate, opened.allowance)
        plan.beginning.carry(self.timeline)
        if progress:
            self.timeline.subscribe(progress, "progress display")

    def run(self) -> None:
        """Hold the drill. What goes wrong is recorded instead of raised.

        KeyboardInterrupt is recorded too; everything is healed and removed, and the drill ends.
        """
        left_behind: list[str] = []
        with reported_to(self.timeline.record):
            try:
                self._hold(left_behind)
            except KeyboardInterrupt:
                self.timeline.record(Interrupted(self._guard.why or "the operator"))
            except DrillError as error:
                self.timeline.record(DrillBroke(error.expected, error.found, error.advice))
            except Exception as error:  # a defect of ours, which says nothing of the rollback
                frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
                where = ", ".join(f"{Path(one.filename).name}:{one.lineno}" for one in frames)
                advice = f"report this, from {where}"
                self.timeline.record(DrillBroke("a drill that goes on", in_words(error), advice))
            finally:
                self.timeline.end(left_behind)

    def _hold(self, left_behind: list[str]) -> None:
        admitted = self.admitted
        self._plan.beginning.announce(admitted, self.timeline)
        self.timeline.record(PhaseStarted(PhaseName.SETUP))
        try:
            with (
                self._plan.surroundings.machine(self.timeline) as machine,
                contextlib.ExitStack() as up,
            ):
                self._drill(up, machine)
        finally:
            if not admitted.kept_stage:
                left_behind.extend(admitted.stage.leftovers())

    def _drill(self, up: contextlib.ExitStack, machine: LooksAtMachine) -> None:
        stage = self.admitted.stage
        drill: Drill | None = None
        touched = True
        try:
            traffic = bring_up(self._plan, self.admitted, self.timeline, up)
            with contextlib.ExitStack() as undo:
                drill = open_drill(
                    self._plan,
                    self.admitted,
                    traffic,
                    self.timeline,
                    self._progress,
                    self._guard,
                    machine.sentence,
                    undo,
                )
                all(phase(drill) for phase in self._plan.phases)
                for ending in _ENDINGS:
                    ending(drill)
        except UsageError:
            touched = drill is not None and drill.scene is not None
            raise
        finally:
            # After all that the runbook wants done, or whatever it came to: once something was made
            # that could break it, or a release was deployed where it stays.
            if touched and (stage.stays or (drill and drill.scene)):
                self.timeline.record(left_as(stage, drill.procedure if drill else None))

    def _note(self, text: str) -> None:
        self.timeline.record(Noted(text))
