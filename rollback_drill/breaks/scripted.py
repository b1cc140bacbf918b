"""A fault that the scripts of a staging environment's file make."""

from __future__ import annotations

import contextlib

from rollback_drill.breaks.fault import Scene
from rollback_drill.ground.errors import WaitTimeout
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.deployment import must
from rollback_drill.stage.file import FaultEntry

_LOOK_LIMIT_S = 10.0
_HEALED_WITHIN_S = 10.0


class ScriptedFault:
    """See breaks.fault.Fault: made by the scripts of the staging environment's file."""

    def __init__(self, entry: FaultEntry) -> None:
        self._entry = entry
        self.name, self.symptom = entry.name, entry.symptom
        self.trigger, self.ours, self.watch_s = entry.trigger, entry.ours, entry.watch_s

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        for host in scene.stage.hosts:
            must(host, self._entry.inject)
        return f"the script of fault {self.name} ran on every host"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Ask every host for what the file says, and compare the status."""
        stage, entry = scene.stage, self._entry
        headers = {stage.interface.key_header: stage.api_key} if stage.api_key else {}
        if entry.body:
            headers["Content-Type"] = "application/json"
        seen = {
            name: http.request(
                entry.method, url + entry.path, headers=headers, content=entry.body or None,
                limit_s=_LOOK_LIMIT_S,
            ).status
            for name, url in stage.direct_urls.items()
        }  # fmt: skip
        told = f"{entry.method} {entry.path} is answered {seen}"
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
