"""Asks the questions of a golden set again once all clients are gone, when nobody writes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

from rollback_drill.conduct.companion import Companion
from rollback_drill.conduct.restored import brings_back_stable
from rollback_drill.conduct.rig import Rig
from rollback_drill.golden.again import Again, Asking, look_early
from rollback_drill.golden.told import GoldenAsked
from rollback_drill.ground.errors import StageError
from rollback_drill.runbook.model import Procedure
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.subject.questions import GoldenQuestion, GoldenSet, Tells, read_golden
from rollback_drill.subject.values import leaves

_EVERYTHING = frozenset(Tells)
_OF_CHECKS = "check-"  # how references of what checks write begin


class Golden(Companion):
    """See `golden.again`."""

    place = 60  # after the account of all writes

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._performed: list[Procedure] = []
        self._held = False
        self._early: tuple[GoldenQuestion, ...] = ()

    def before_procedure(self, procedure: Procedure) -> None:
        """See Companion.before_procedure."""
        self._performed.append(procedure)
        self._held = False

    def after_procedure(self, procedure: Procedure, *, held: bool) -> None:
        """See Companion.after_procedure."""
        del procedure
        self._held = held or self.rig.performer.literal
        with contextlib.suppress(StageError):  # then there is nothing to ask again
            self._early = look_early(self.rig.stage) if held else ()

    def closed(self) -> None:
        """See Companion.closed."""
        if not self._performed:
            self._nothing("nothing was rolled back")
        elif not self._held:
            self._nothing("the procedure did not hold")
        else:
            self._ask(self._performed[-1])

    def _nothing(self, why: str, *, owed: bool = False) -> None:
        self.rig.timeline.record(GoldenAsked("", why, owed))

    def _ask(self, procedure: Procedure) -> None:
        rig, golden = self.rig, self._golden()
        tells, told = self._tells(procedure)
        transformed = {name for one in self._performed for name in one.transformed}
        told += [f"{name}, which the procedure transforms" for name in sorted(transformed)]
        owed = rig.stage.subject.recipe is not None and not rig.stage.stays
        try:
            references = rig.accounts.announced()
            told.append(f"rows that the drill wrote ({len(references)} writes)")
            again = Again(
                golden=golden,
                why="" if golden else rig.stage.no_golden,
                owed=owed or rig.request.golden is not None,
                tells=tells,
                declared=tuple(told),
                fields=frozenset(name.rpartition(".")[2] for name in transformed),
                ours=_ours(references),
                written=len(references),
                seed=rig.request.seed,
                early=self._early,
            )
            asked, unlike = Asking(rig.stage, again).run()
        except (StageError, NoAnswer) as error:
            self._nothing(f"the service or its rows could not be asked: {error}", owed=True)
            return
        for one in unlike:
            rig.timeline.record(one)
        rig.timeline.record(asked)

    def _golden(self) -> GoldenSet | None:
        named = self.rig.request.golden
        return read_golden(named) if named else self.rig.stage.golden

    def _tells(self, procedure: Procedure) -> tuple[frozenset[Tells], list[str]]:
        """Return of what answers must tell as before, and what else they may tell, in words."""
        failing = self.rig.stage.failing
        if procedure is self.rig.runbook.redeployment:
            told = f"the lists of {failing}, and what it tells of itself: it is deployed again"
            return frozenset({Tells.DATA}), [told]
        if brings_back_stable(self.rig, procedure):
            return _EVERYTHING, []
        told = f"what the service tells of its release: {failing} stays deployed"
        return frozenset({Tells.DATA, Tells.FEATURE}), [told]


def _ours(references: Iterable[str]) -> Callable[[object], bool]:
    """Return what says whether a row holds a reference of the drill's: by how they begin."""
    runs = {reference.rpartition("-")[0] + "-" for reference in references} - {"-"}
    begin = (*sorted(runs), _OF_CHECKS)

    def ours(row: object) -> bool:
        return any(
            isinstance(value, str) and any(one in value for one in begin)
            for _, value in leaves(row)
        )

    return ours
