"""The pagination release leaks database connections until Postgres refuses new ones."""

from __future__ import annotations

from rollback_drill.breaks.fault import LatentDefect, Scene, fault

_REFUSAL = "too many clients already"


@fault
class ConnectionExhaustion(LatentDefect):
    """Latent defect: each page opens a connection of its own and never closes it."""

    name = "connection-exhaustion"
    symptom = f"Postgres refuses connections: “{_REFUSAL}”"

    def __init__(self) -> None:
        self._refusals_before: int | None = None

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        self._refusals_before = scene.stage.database.log().count(_REFUSAL)
        scene.stage.defects.set_defects({"connection_leak": True})
        return "every page of a list opens one more database connection and keeps it"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Ask Postgres itself: its sessions, its limit, and its log."""
        refusals = scene.stage.database.log().count(_REFUSAL)
        if self._refusals_before is None:  # nothing was switched on: what was before is no symptom
            self._refusals_before = refusals
        refusals -= self._refusals_before
        used, limit = scene.stage.database.connections()
        return (
            refusals > 0,
            f"Postgres logged “{_REFUSAL}” {refusals} times; {used} of {limit} connections in use",
        )
