"""No fault at all: a healthy release must not be rolled back."""

from __future__ import annotations

from drill.fault import OutsideCause, Scene
from drill.probe import health

_WATCH_S = 15.0


class Nothing(OutsideCause):
    """Nothing is broken: what the detector says now would be a false alarm."""

    name = "none"
    symptom = "every host and the front door are healthy"
    watch_s = _WATCH_S

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        del scene
        return "nothing is broken"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Ask every host and the front door."""
        urls = {**scene.stage.direct_urls, "front door": scene.stage.base_url}
        seen = {name: health(url) for name, url in urls.items()}
        return set(seen.values()) == {200}, f"/health answers {seen}"

    def heal(self, scene: Scene) -> None:
        """See Fault.heal."""


FAULTS = (Nothing,)
