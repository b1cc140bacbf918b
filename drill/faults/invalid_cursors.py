"""The signing secret rotates and every cursor that is in clients' hands becomes invalid."""

from __future__ import annotations

import httpx

from drill.fault import LatentDefect, Scene
from drill.wait import wait_until

ROTATION_S = 0.05  # shorter than a client's pause between two pages
_WALKS = 20
_SHARE = 0.20


class InvalidCursors(LatentDefect):
    """Latent defect: rotation drops the previous secret at once instead of honouring it."""

    name = "invalid-cursors"
    symptom = "at least 20 % of requests are answered 400 invalid_cursor"

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        scene.stage.set_defects({"cursor_secret_rotation_s": ROTATION_S})
        return f"the cursor-signing secret is rotated every {ROTATION_S * 1000:g} ms"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Start walks of two pages and count the second pages that are refused."""
        refused = answered = 0
        headers = {"X-API-Key": scene.stage.api_key}
        with httpx.Client(base_url=scene.stage.base_url, headers=headers, timeout=5) as client:
            for _ in range(_WALKS):
                first = client.get("/api/listings", params={"limit": 2})
                answered += 1
                cursor = first.json().get("nextCursor") if first.is_success else None
                if not cursor:
                    continue
                for waited in wait_until("two rotations to pass", 1, every_s=ROTATION_S):
                    if waited > 2 * ROTATION_S:
                        break
                second = client.get("/api/listings", params={"limit": 2, "cursor": cursor})
                answered += 1
                refused += second.status_code == 400 and "invalid_cursor" in second.text
        return (
            refused >= _SHARE * answered,
            f"{refused} of {answered} requests of an independent client were answered "
            "400 invalid_cursor",
        )


FAULTS = (InvalidCursors,)
