"""One client sends what no release can accept: no rollback would mend it."""

from __future__ import annotations

import functools

from rollback_drill.breaks.fault import OutsideCause, Scene, fault
from rollback_drill.stage import http
from rollback_drill.traffic.orders import Orders, give

_ROGUE = "c007"
_ROGUE_SHARE = 0.35


class RogueClient(OutsideCause):
    """One client sends what cannot be accepted, a third of all requests."""

    def __init__(self, name: str, kind: str, status: int) -> None:
        self.name = name
        self._kind = kind
        self._status = status
        self.symptom = f"a request like the rogue client's is answered {status}, others are not"

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        give(scene.traffic, Orders(rogue=_ROGUE, rogue_kind=self._kind, rogue_share=_ROGUE_SHARE))
        return (
            f"client {_ROGUE} sends {_ROGUE_SHARE:.0%} of all requests, "
            f"each with a bad {self._kind}"
        )

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Send one such request and a good one, and ask for the orders that generators have."""
        good = {"X-API-Key": scene.stage.api_key}
        key = {"X-API-Key": "no-such-key"} if self._kind == "key" else good
        query = {"limit": "20", **({"cursor": "garbage"} if self._kind == "cursor" else {})}
        with http.Client(scene.stage.base_url) as client:
            bad = client.get("/api/listings", params=query, headers=key).status
            well = client.get("/api/listings", params={"limit": "20"}, headers=good).status
        told = f"a bad {self._kind} is answered {bad}, a good request {well}"
        return bad == self._status and well == 200, told

    def heal(self, scene: Scene) -> None:
        """See Fault.heal."""
        give(scene.traffic, Orders())


fault(functools.partial(RogueClient, "garbage-cursors", "cursor", 400))
fault(functools.partial(RogueClient, "keyless-client", "key", 401))
