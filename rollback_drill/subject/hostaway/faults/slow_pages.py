"""Pages take longer: by a multiple of what the p95 was while the service was healthy."""

from __future__ import annotations

import functools
import statistics

from rollback_drill.breaks.fault import LatentDefect, Scene, fault
from rollback_drill.ground import clock
from rollback_drill.stage import http

_ASKED = 15


class SlowPages(LatentDefect):
    """Latent defect: every page waits `factor` times the healthy p95 before it is made."""

    def __init__(self, name: str, factor: float, trigger: str) -> None:
        self.name = name
        self.trigger = trigger
        self._factor = factor
        self.symptom = f"the median page takes at least {factor:g} times the healthy p95"

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        delay_s = round(self._factor * scene.baseline_s, 4)
        scene.stage.defects.set_defects({"page_delay_s": delay_s})
        return (
            f"every page waits {delay_s * 1000:.0f} ms: {self._factor:g} times the healthy p95 of "
            f"at most {scene.baseline_s * 1000:.0f} ms"
        )

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Time pages past the load balancer."""
        took = []
        headers = {"X-API-Key": scene.stage.api_key}
        url = next(iter(scene.stage.direct_urls.values()))
        with http.Client(url, headers) as client:
            for _ in range(_ASKED):
                began = clock.monotonic()
                client.get("/api/listings", params={"limit": 1})
                took.append(clock.monotonic() - began)
        median = statistics.median(took)
        return (
            median >= self._factor * scene.baseline_s,
            f"the median of {_ASKED} pages of an independent client was {median * 1000:.0f} ms; "
            f"the healthy p95 is at most {scene.baseline_s * 1000:.0f} ms",
        )


fault(functools.partial(SlowPages, "slow-pages-5x", 5.0, r"performance .*>"))
fault(functools.partial(SlowPages, "slow-pages-2x", 1.9, r"performance .*2"))
