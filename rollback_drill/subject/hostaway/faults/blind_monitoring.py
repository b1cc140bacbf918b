"""The release cannot tell how it is: one broken gauge takes all metrics away."""

from __future__ import annotations

from rollback_drill.breaks.fault import LatentDefect, Scene, fault
from rollback_drill.ground.words import each_said
from rollback_drill.stage import http


@fault
class BlindMonitoring(LatentDefect):
    """Latent defect: the size of the cursor cache cannot be told, and /metrics fails."""

    name = "blind-monitoring"
    symptom = "/metrics of every host is answered 500"
    trigger = r"monitoring"

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        scene.stage.defects.set_defects({"metrics_broken": True})
        return "the gauge of the cursor cache raises an error when it is read"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Read the metrics of every host."""
        seen = {
            host: http.get(f"{url}/metrics").status for host, url in scene.stage.direct_urls.items()
        }
        return set(seen.values()) == {500}, f"/metrics answers: {each_said(seen)}"
