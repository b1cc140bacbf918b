"""Parts of the suite that can be lost in the middle of a simulated drill, which must be told."""

from __future__ import annotations

from random import Random

from rollback_drill.ground import clock
from rollback_drill.ground.errors import StageError

LOSSES = {
    "reader": "who reads the clients' records dies",
    "generator": "the clients' generator ends by itself",
    "lag": "the generator sends each request 300 ms late",
    "torn-record": "a line of the clients' records cannot be read",
    "probe": "who looks at health and memory dies",
    "application-log": "the application's log may not be read any more",
    "database-log": "Postgres' log may not be read any more",
    "command-output": "nobody sees the end of a command",
}
"""What each is, by name."""
_WITHIN_S = (8.0, 30.0)


class Losses:
    """What is lost in one drill at some moment. `at`: when somebody missed it (Unix seconds)."""

    def __init__(self, name: str, random: Random) -> None:
        self.name = name
        self.at: float | None = None
        self._due = random.uniform(*_WITHIN_S)

    def now(self, name: str) -> bool:
        """Return whether `name` is lost by now; who asks has lost it then."""
        if name != self.name or clock.monotonic() < self._due:
            return False
        if self.at is None:
            self.at = clock.now()
        return True

    def refuse(self, name: str) -> None:
        """Raise StageError once `name` is lost."""
        if self.now(name):
            raise StageError("to see it", f"{LOSSES[name]} (planted)", "look at the draw")
