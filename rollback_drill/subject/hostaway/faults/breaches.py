"""Breaches of security: lists for everybody, and a secret in what lists show."""

from __future__ import annotations

import functools

from rollback_drill.breaks.fault import LatentDefect, Scene, fault
from rollback_drill.ground.verdict import Verdict
from rollback_drill.subject.hostaway.sentinels.security import Security


class Breach(LatentDefect):
    """Latent defect: what should stay closed is open."""

    trigger = r"security"

    def __init__(self, name: str, symptom: str, defect: str) -> None:
        self.name = name
        self.symptom = symptom
        self._defect = defect

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        scene.stage.defects.set_defects({self._defect: True})
        return self.symptom

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Try the lock once more, apart from the sentinel that the detector listens to."""
        found = Security(scene.stage).look()
        return found.verdict is Verdict.FAILED, found.evidence


fault(
    functools.partial(Breach, "auth-bypass", "lists are answered without an API key", "open_lists")
)
fault(
    functools.partial(
        Breach, "data-exposure", "pages show the secret that signs cursors", "secret_in_pages"
    )
)
