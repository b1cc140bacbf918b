"""The pagination release leaks database connections until Postgres refuses new ones."""

from __future__ import annotations

from drill.stage import Stage

_REFUSAL = "too many clients already"


class ConnectionExhaustion:
    """Latent defect: each page opens a connection of its own and never closes it."""

    name = "connection-exhaustion"
    symptom = f"Postgres refuses connections: “{_REFUSAL}”"

    def __init__(self) -> None:
        self._refusals_before = 0

    def inject(self, stage: Stage) -> str:
        """See Fault.inject."""
        self._refusals_before = stage.database.log().count(_REFUSAL)
        stage.set_defects({"connection_leak": True})
        return "every page of a list opens one more database connection and keeps it"

    def attest(self, stage: Stage) -> tuple[bool, str]:
        """Ask Postgres itself: its sessions, its limit, and its log."""
        refusals = stage.database.log().count(_REFUSAL) - self._refusals_before
        used, limit = stage.database.connections()
        return (
            refusals > 0,
            f"Postgres logged “{_REFUSAL}” {refusals} times; {used} of {limit} connections in use",
        )

    def heal(self, stage: Stage) -> None:
        """See Fault.heal."""
        stage.set_defects({})


FAULT = ConnectionExhaustion
