"""Pagination is broken while everything else works: pages repeat, skip, or never end."""

from __future__ import annotations

import functools

from rollback_drill.breaks.fault import LatentDefect, Scene, fault
from rollback_drill.ground.verdict import Verdict
from rollback_drill.subject.hostaway.sentinels.pages import Pages


class BrokenPages(LatentDefect):
    """Latent defect in where a page begins or where the walk ends."""

    trigger = r"feature broken"

    def __init__(self, name: str, symptom: str, defect: dict[str, object]) -> None:
        self.name = name
        self.symptom = symptom
        self._defect = defect

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        scene.stage.defects.set_defects(self._defect)
        return f"{self.symptom}, by {self._defect}"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Walk all pages once more, apart from the sentinel that the detector listens to."""
        found = Pages(scene.stage).look()
        return found.verdict is Verdict.FAILED, found.evidence


fault(functools.partial(BrokenPages, "repeated-pages", "pages repeat rows", {"page_overlap": 3}))
fault(functools.partial(BrokenPages, "skipped-pages", "pages leave rows out", {"page_gap": 40}))
fault(
    functools.partial(
        BrokenPages, "endless-pages", "the last page leads to the first", {"endless_walk": True}
    )
)
