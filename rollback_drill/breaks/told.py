"""What is told of faults and hazards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from rollback_drill.decide.told import ACTIONS
from rollback_drill.record.decoding import Form
from rollback_drill.record.told import Count, Name, Seconds, Told, UnixTime


@dataclass(frozen=True, slots=True)
class FaultInjected(Told):
    """A fault was switched on. `how` says in words what was done.

    `trigger`: the runbook's trigger that must fire for it, "" for none in particular; `calls_for`:
    the action that the runbook then wants, "no rollback" where the release is not to blame;
    `took_s`: how long it took, in which the release is not judged. `damages`: whether it changes
    or takes away data, None where an old record does not say.
    """

    name: Name
    how: str
    trigger: str = ""
    calls_for: Annotated[str, Form("an action", ACTIONS.__contains__)] = "rollback"
    took_s: Seconds = 0.0
    damages: bool | None = None


@dataclass(frozen=True, slots=True)
class FaultAttested(Told):
    """Somebody independent of the detector looked for the fault's symptom. `since`: when the last
    look began (Unix seconds); from there on the release is judged.
    """

    name: Name
    symptom: Name
    seen: bool
    evidence: Name
    since: UnixTime = 0.0


@dataclass(frozen=True, slots=True)
class HazardArmed(Told):
    """Something was made to go wrong in the rollback. `mastered`: the procedure must get by."""

    name: Name
    how: Name
    mastered: bool


@dataclass(frozen=True, slots=True)
class HazardOver(Told):
    """It was taken back; `seen` says what there was to be seen of it, `harm` what the procedure did
    that it must never do, "" for nothing; `undone`: whether it could be taken back at all.
    """

    name: Name
    seen: str
    harm: str = ""
    undone: bool = True


@dataclass(frozen=True, slots=True)
class WritesUnderFire(Told):
    """What became of writes that went on during a procedure, straight on the database.

    `written`: acknowledged ones; `lost`: of these, not there afterwards, None when nobody could
    look, `examples` names some; `worst_stall_s`: the longest that one waited from when it was due.
    """

    written: Count
    lost: Count | None
    refused: Count
    worst_stall_s: Seconds
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FaultHealed(Told):
    """A fault was switched off."""

    name: Name


@dataclass(frozen=True, slots=True)
class HealAttested(Told):
    """Somebody looked whether the fault's symptom is gone after it was healed."""

    name: str
    gone: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class SabotagePlanted(Told):
    """One plant of a sabotage was seen to be there, `how` in words. No judge reads this: whoever
    holds sabotages must know that there was something to find.
    """

    name: Name
    how: Name
