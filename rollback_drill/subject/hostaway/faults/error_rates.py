"""A share of the pages fails: as many as put all clients' error rate into a tier of the runbook."""

from __future__ import annotations

import contextlib
import functools

from rollback_drill.breaks.fault import LatentDefect, Scene, fault
from rollback_drill.decide.statistics import lower_bound, percent_text
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer

# Clients ask for pages in 62 + 10 of 100 requests, and for a few more while they know no listing.
PAGES = 0.72
_ASKED = 200


class ErrorRate(LatentDefect):
    """Latent defect: of all requests about `share` fail, because pages do."""

    def __init__(self, tier: str, share: float, trigger: str) -> None:
        self.name = f"error-rate-{tier}"
        self.trigger = trigger
        self._share = share / PAGES
        self.symptom = f"about {percent_text(self._share)} of the pages are answered 500"

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        scene.stage.defects.set_defects({"page_error_share": self._share})
        return f"{percent_text(self._share)} of the pages fail, {PAGES:.0%} of requests are pages"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Ask for pages past the load balancer and count the errors."""
        failed = 0
        headers = {"X-API-Key": scene.stage.api_key}
        url = next(iter(scene.stage.direct_urls.values()))
        with http.Client(url, headers) as client:
            for _ in range(_ASKED):
                with contextlib.suppress(NoAnswer):
                    status = client.get("/api/listings", params={"limit": 1}).status
                    failed += status == 500
        # Seen when it is proven to be no accident: at least a third of what was planted.
        seen = lower_bound(failed, _ASKED) >= self._share / 3
        return seen, f"{failed} of {_ASKED} pages of an independent client were answered 500"


fault(functools.partial(ErrorRate, "critical", 0.30, r"error rate *>"))
fault(functools.partial(ErrorRate, "high", 0.068, r"error rate *5"))
fault(functools.partial(ErrorRate, "medium", 0.032, r"error rate *1"))
