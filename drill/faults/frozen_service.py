"""A page blocks the whole process, and nobody gets an answer any more."""

from __future__ import annotations

import httpx

from drill.fault import LatentDefect, Scene

_FROZEN_S = 3_600
_PATIENCE_S = 1.0


class FrozenService(LatentDefect):
    """Latent defect: a page does its work in the event loop, and it takes an hour."""

    name = "frozen-service"
    symptom = "no host answers anything, not even /health"
    trigger = r"complete (service )?failure"

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        scene.stage.set_defects({"page_freeze_s": float(_FROZEN_S)})
        return f"the next page blocks its process for {_FROZEN_S} s"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Ask every host itself, with a second of patience."""
        seen = []
        for host, url in scene.stage.direct_urls.items():
            try:
                answer = httpx.get(f"{url}/health", timeout=_PATIENCE_S)
                seen.append(f"{host} answered {answer.status_code}")
            except httpx.HTTPError as error:
                seen.append(f"{host} gave no answer ({type(error).__name__})")
        return all("no answer" in one for one in seen), "; ".join(seen)


FAULTS = (FrozenService,)
