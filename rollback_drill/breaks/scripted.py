"""Faults that the scripts of a staging environment's file make, and which one a drill takes."""

from __future__ import annotations

import contextlib

from rollback_drill.breaks.fault import FAULTS, Fault, Scene
from rollback_drill.ground.errors import UsageError, WaitTimeout
from rollback_drill.ground.names import nearest
from rollback_drill.ground.wait import wait_until
from rollback_drill.ground.words import each_said
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.asking import keyed
from rollback_drill.stage.deployment import must
from rollback_drill.stage.entries import FaultEntry
from rollback_drill.stage.model import Stage, lacks_of, refuse_unable

_LOOK_LIMIT_S = 10.0
_HEALED_WITHIN_S = 10.0
_OWN = {"known", "defects"}  # where these lack, only what its own file describes can be made


class ScriptedFault:
    """See breaks.fault.Fault: made by the scripts of the staging environment's file."""

    needs = ()

    def __init__(self, entry: FaultEntry) -> None:
        self._entry = entry
        self.name, self.symptom = entry.name, entry.symptom
        self.trigger, self.ours, self.watch_s = entry.trigger, entry.ours, entry.watch_s
        self.damages = entry.damages

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        for host in scene.stage.hosts:
            must(host, self._entry.inject)
        return f"the script of fault {self.name} ran on every host"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Ask every host for what the file says, and compare the status."""
        stage, entry = scene.stage, self._entry
        headers = keyed(stage)
        if entry.body:
            headers["Content-Type"] = "application/json"
        seen = {
            name: http.request(
                entry.method,
                url + entry.path,
                headers=headers,
                content=entry.body or None,
                limit_s=_LOOK_LIMIT_S,
            ).status
            for name, url in stage.direct_urls.items()
        }
        told = f"{entry.method} {entry.path} answers: {each_said(seen)}"
        return entry.status in seen.values(), told

    def heal(self, scene: Scene) -> None:
        """See Fault.heal."""
        for host in scene.stage.hosts:
            must(host, self._entry.heal)

    def healed(self, scene: Scene) -> tuple[bool, str]:
        """See ProvesHealed: the symptom is asked for until it is gone."""
        evidence = "nobody could look"
        with contextlib.suppress(WaitTimeout):
            for _ in wait_until("the symptom to be gone", _HEALED_WITHIN_S, every_s=0.5):
                try:
                    seen, evidence = self.attest(scene)
                except NoAnswer as error:
                    evidence = f"could not look: {error}"
                else:
                    if not seen:
                        return True, evidence
        return False, evidence


def fault_called(name: str, stage: Stage) -> Fault:
    """Return a new fault called `name`, one of `stage`'s own first.

    Raises UsageError with the names that exist, and for a fault that `stage` has no way to make.
    """
    own = stage.faults
    if name in own:
        return ScriptedFault(own[name])
    known = FAULTS.members().get(name)
    lacks = lacks_of(stage, known().needs) if known else []
    if _OWN.intersection(lacks):
        near = nearest(name, own)
        raise UsageError(
            f"a fault that {stage.name} can make: {', '.join(own) or 'its file describes none'}",
            repr(name),
            f"{f'did you mean {near}? Else ' if near else ''}set FAULT to one of these names, or "
            "describe one in the stage's file",
        )
    make = FAULTS.find(name, "set FAULT to one of these names", others=own)
    refuse_unable(stage, lacks, f"FAULT={name}", "fault")
    return make()
