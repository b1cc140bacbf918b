"""The signing secret rotates and every cursor that is in clients' hands becomes invalid."""

from __future__ import annotations

from rollback_drill.breaks.fault import LatentDefect, Scene, fault
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage import http
from rollback_drill.subject.hostaway.pages import page_of

ROTATION_S = 0.05  # shorter than a client's pause between two pages
_WALKS = 20
_SHARE = 0.20


@fault
class InvalidCursors(LatentDefect):
    """Latent defect: rotation drops the previous secret at once instead of honouring it."""

    name = "invalid-cursors"
    symptom = "at least 20 % of requests are answered 400 invalid_cursor"

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        scene.stage.defects.set_defects({"cursor_secret_rotation_s": ROTATION_S})
        return f"the cursor-signing secret is rotated every {ROTATION_S * 1000:g} ms"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Start walks of two pages and count the second pages that are refused."""
        refused = answered = 0
        headers = {"X-API-Key": scene.stage.api_key}
        with http.Client(scene.stage.base_url, headers) as client:
            for _ in range(_WALKS):
                first = client.get("/api/listings", params={"limit": 2})
                answered += 1
                page = page_of(first.content, "listings") if first.ok else None
                if page is None or "cursor=" not in page.following:
                    continue
                for waited in wait_until("two rotations to pass", 1, every_s=ROTATION_S):
                    if waited > 2 * ROTATION_S:
                        break
                second = client.get(f"/api/listings?limit=2{page.following}")
                answered += 1
                refused += second.status == 400 and "invalid_cursor" in second.text
        return (
            refused >= _SHARE * answered,
            f"{refused} of {answered} requests of an independent client were answered "
            "400 invalid_cursor",
        )
