"""Which sabotages are held together: those that turn different checks red at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from rollback_drill.breaks.sabotage import Sabotage
from rollback_drill.judge.red import STEPS, UNBOUND
from rollback_drill.perform.asked import SUSPECT
from rollback_drill.perform.check import bind, registered
from rollback_drill.record.judge import JUDGES, all_judges
from rollback_drill.runbook.model import Runbook

MOST = 20
_END = 1000
_OF_DOCUMENT = ("of_document", "of_triggers", "of_reading")


def known_keys(runbook: Runbook) -> set[str]:
    """Return every key that may be red in a drill by `runbook`."""
    all_judges()
    steps = {step.title for procedure in runbook.procedures for step in procedure.steps}
    steps |= {one.title for one in (runbook.pre_rollback, *runbook.post_rollback)}
    told = {f"{what}: {title}" for title in steps for what in ("command", "budget")}
    checks = {one.name for one in registered()}
    return checks | told | (set(JUDGES.names()) - {STEPS}) | {UNBOUND}


def places(runbook: Runbook, procedure: int) -> Callable[[str], object]:
    """Return what says by a key what can be red at the same time: in one step of a procedure, which
    then stops; elsewhere, or at the end, which stops nothing; or in the document, before anything
    is performed. A command that fails keeps the boxes of its part from being looked at.
    """
    found: dict[str, object] = {}
    chosen = runbook.procedure(procedure)
    for box in chosen.prerequisites:
        bound = bind(box.text)
        found.setdefault(bound.name if bound else UNBOUND, 0)
    for step in chosen.steps:
        found.setdefault(f"budget: {step.title}", step.number)
        for box in step.checkboxes:
            bound = bind(box.text)
            found.setdefault(bound.name if bound else UNBOUND, step.number)

    def place(key: str) -> object:
        kind = key.partition(":")[0]
        if kind in _OF_DOCUMENT and not key.endswith(SUSPECT):
            return "document"
        return key if kind == "command" else found.get(key, _END)

    return place


@dataclass(slots=True)
class _Open:
    place: object
    members: list[Sabotage] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)


def bunches(
    sabotages: Iterable[Sabotage],
    place: Callable[[Sabotage], object],
    fit: Callable[[list[Sabotage]], bool],
    most: int = MOST,
) -> list[tuple[Sabotage, ...]]:
    """Return `sabotages` in bunches of at most `most`, the largest first: alike in `place`, with
    different keys, and such as `fit` together. A run that is ended early has held most of them.
    """
    found: list[_Open] = []
    for one in sabotages:
        for bunch in () if one.alone else found:
            if (
                bunch.place == place(one)
                and one.caught_by not in bunch.keys
                and len(bunch.members) < most
                and not bunch.members[0].alone
                and fit([*bunch.members, one])
            ):
                break
        else:
            bunch = _Open(place(one))
            found.append(bunch)
        bunch.members.append(one)
        bunch.keys.add(one.caught_by)
    return sorted((tuple(one.members) for one in found), key=len, reverse=True)
