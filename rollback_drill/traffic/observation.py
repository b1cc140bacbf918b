"""One request as its client saw it: the raw record that traffic leaves on disk."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

_LATEST = 1e11  # Unix seconds
_HIGHEST = 999  # status


class Outcome(StrEnum):
    """What became of a request, from the client's side."""

    OK = "ok"
    REJECTED = "rejected"  # 4xx other than an invalid cursor: 401, 404, 422 …
    INVALID_CURSOR = "invalid_cursor"  # 400 whose body names the cursor
    SERVER_ERROR = "server_error"  # 5xx from the service
    UNAVAILABLE = "unavailable"  # 502, 503, 504: nobody behind the load balancer answered
    CONNECTION = "connection"  # refused, reset, closed early
    TIMEOUT = "timeout"  # the client gave up; its latency is the time it waited
    BAD_BODY = "bad_body"  # 2xx whose body is neither format
    DROPPED = "dropped"  # never sent: too many requests in flight


def surely_not_done(status: int) -> bool:
    """Return whether an answer other than 2xx means that a write was surely not done: a 4xx, or a
    503 from a load balancer with nobody behind it.
    """
    return 400 <= status < 500 or status == 503


@dataclass(frozen=True, slots=True)
class Observation:
    """One request. Times are Unix seconds (`ground.clock`); latency counts from `due`.

    `operation`: what was asked, by a name of the service's. `format`: the answer's, "old" or "new",
    where releases differ in it, else "".
    `reference`: for writes, the client's own unique reference, key of the ledger; else "".
    """

    due: float
    sent: float
    done: float
    client: str
    operation: str
    status: int  # 0 when no answer came
    outcome: Outcome
    format: str
    reference: str = ""

    @property
    def latency_s(self) -> float:
        """Seconds from the moment the request was due until its outcome was known."""
        return self.done - self.due

    def to_line(self) -> str:
        """Return one line of comma-separated text, without the newline."""
        return (
            f"{self.due:.6f},{self.sent:.6f},{self.done:.6f},{self.client},{self.operation},"
            f"{self.status},{self.outcome},{self.format},{self.reference}"
        )

    @classmethod
    def from_line(cls, line: str) -> Observation:
        """Parse `to_line`'s text. Raises ValueError when it is not such a line."""
        parts = line.rstrip("\n").split(",")
        if len(parts) != len(fields(cls)):
            raise ValueError(f"not an observation: {line[:80]!r}")
        due, sent, done, client, operation, status, outcome, form, reference = parts
        times = float(due), float(sent), float(done)
        answered = int(status)
        if not (all(0.0 <= at <= _LATEST for at in times) and 0 <= answered <= _HIGHEST):
            raise ValueError(f"not an observation: {line[:80]!r}")
        return cls(*times, client, operation, answered, Outcome(outcome), form, reference)
