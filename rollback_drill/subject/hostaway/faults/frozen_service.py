"""A page blocks the whole process, and nobody gets an answer any more."""

from __future__ import annotations

from rollback_drill.breaks.fault import LatentDefect, Scene, fault
from rollback_drill.stage import http
from rollback_drill.stage.answers import BadAnswer, NoAnswer

_FROZEN_S = 3_600
_PATIENCE_S = 1.0


@fault
class FrozenService(LatentDefect):
    """Latent defect: a page does its work in the event loop, and it takes an hour."""

    name = "frozen-service"
    symptom = "no host answers anything, not even /health"
    trigger = r"complete (service )?failure"

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        scene.stage.defects.set_defects({"page_freeze_s": float(_FROZEN_S)})
        return f"the next page blocks its process for {_FROZEN_S} s"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Ask every host itself, with a second of patience."""
        seen = []
        for host, url in scene.stage.direct_urls.items():
            try:
                answer = http.get(f"{url}/health", limit_s=_PATIENCE_S)
                seen.append(f"{host} answered {answer.status}")
            except BadAnswer as error:
                seen.append(f"{host} answered badly ({error})")
            except NoAnswer as error:
                seen.append(f"{host} is silent ({error})")
        return all(" is silent " in one for one in seen), "; ".join(seen)
