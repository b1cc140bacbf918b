"""Holds the service against its document once all clients are gone, before rows are counted."""

from __future__ import annotations

from rollback_drill.conduct.companion import Companion
from rollback_drill.conduct.restored import brings_back_stable
from rollback_drill.conduct.rig import Rig
from rollback_drill.contract.again import Holding, hold_alone
from rollback_drill.contract.told import ContractAsked
from rollback_drill.ground.errors import StageError
from rollback_drill.runbook.model import Procedure
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.subject.documents import Contract, Documented
from rollback_drill.subject.questions import read_golden


class KeptToDocument(Companion):
    """See `contract.again`."""

    place = 15  # before the account of all rows: its own are known by their references

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._performed: Procedure | None = None
        self._held = False

    def before_procedure(self, procedure: Procedure) -> None:
        """See Companion.before_procedure."""
        self._performed = procedure
        self._held = False

    def after_procedure(self, procedure: Procedure, *, held: bool) -> None:
        """See Companion.after_procedure."""
        del procedure
        self._held = held or self.rig.performer.literal

    def closed(self) -> None:
        """See Companion.closed."""
        stage, subject = self.rig.stage, self.rig.stage.subject
        why = stage.no_document
        if self._performed is None:
            self._nothing("nothing was rolled back")
        elif not self._held:
            self._nothing("the procedure did not hold")
        elif why or not isinstance(subject, Documented):
            self._nothing(why or "nothing is known of its document")
        else:
            self._ask(subject, self._performed)

    def _nothing(self, why: str, *, owed: bool = False) -> None:
        self.rig.timeline.record(ContractAsked(why, owed))

    def _ask(self, subject: Documented, procedure: Procedure) -> None:
        rig, stage, seed = self.rig, self.rig.stage, self.rig.request.seed
        contract = self._contract()
        ours = stage.subject.recipe is not None and not stage.stays
        try:
            if contract and contract.document:
                stays = not brings_back_stable(rig, procedure)
                owed = ours or rig.request.golden is not None
                asked, broken = Holding(stage, contract, seed, stays=stays, owed=owed).run()
            elif ours:
                self._nothing(contract.why if contract else stage.no_golden, owed=True)
                return
            else:
                asked, broken = hold_alone(stage, subject, seed, contract.why if contract else "")
        except (StageError, NoAnswer, ValueError) as error:
            self._nothing(f"the service could not be asked: {error}", owed=ours)
            return
        for one in broken:
            rig.timeline.record(one)
        rig.timeline.record(asked)

    def _contract(self) -> Contract | None:
        named = self.rig.request.golden
        sets = (read_golden(named) if named else None, self.rig.stage.golden)
        return next((one.contract for one in sets if one and one.contract), None)
