"""What probes, sentinels, logs and people tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.decoding import Range
from rollback_drill.record.told import Count, Name, Number, Status, Told

DATABASE, FRONT_DOOR = "database", "front door"
"""The sentinels that look at what the release depends on."""
SLOWER = "slower_s"
"""What a look at the front door is numbered with when it is slow, but does not fail."""

_OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class ProbeSample(Told):
    """One look at the system, past the load balancer. None: could not be read.

    `health_status`: HTTP status of each host's /health by host name (0: no answer).
    `rss_bytes`: resident memory of the service by host. `connections`: sessions on Postgres.
    `oom_kills`: kills since the stage came up, by host.
    """

    health_status: dict[str, Status]
    rss_bytes: dict[str, Count]
    connections: Count | None
    connection_limit: Annotated[int, Range(-1, 10**9)] | None
    oom_kills: dict[str, Count]


@dataclass(frozen=True, slots=True)
class LogLine(Told):
    """A noteworthy line (warning or worse) of a log. `source`: "application" or "database"."""

    source: Name
    host: str
    level: str
    text: str


CUT = "the log was cut or written anew"


@dataclass(frozen=True, slots=True)
class NotSeen(Told):
    """Somebody could not look at `what`, for the reason `why`; "" once he can again, and has missed
    nothing. `lost`: some of it is gone for good, before anybody had seen it.
    """

    what: Name
    why: str = ""
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Looked(Told):
    """A sentinel looked at one thing. `verdict`: passed, failed (what it looks for is there) or
    unknown (it could not look); `numbers` carry what a trigger computes with.
    """

    sentinel: Name
    verdict: Verdict
    evidence: str
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reported(Told):
    """Somebody told the drill's webhook. `form`: "incident" (`level` "P0" … "P3") or "ticket"
    (`level` is its priority); `reporter`: who, for tickets the customer.
    """

    form: str
    level: str
    title: str
    reporter: str


@dataclass(frozen=True, slots=True)
class MachineSample(Told):
    """How busy the drill's own machine was: the `load` of the last minute, the `cores` that it has,
    the share of them that all programs used since the last sample (`cpu`, 0–1) and the memory that
    is still to be had. None: it could not be read.
    """

    load: Annotated[float, Range(0.0, 1e6)] | None
    cores: Number
    cpu: Annotated[float, Range(0.0, 1.0)] | None
    memory_available_bytes: Count | None


@dataclass(frozen=True, slots=True)
class LeftAs(Told):
    """In what state the service was once the drill had stopped and healed its fault, by asking it.

    HTTP statuses, 0 for no answer: `front` of the health endpoint through the front door, `hosts`
    of each host's own, `reads` of each reading operation through the front door. `maintenance`:
    whether the file that takes a host out is there, `releases`: what is checked out, both by host
    and without those that could not be asked. `undo`: the runbook's step that ends maintenance.
    `stays`: whether people find it so, on a stage that is still there after the drill.
    """

    front: Status
    hosts: dict[str, Status]
    reads: dict[str, Status]
    maintenance: dict[str, bool]
    releases: dict[str, str]
    undo: str = ""
    stays: bool = False


def flaws(left: LeftAs | None) -> list[str]:
    """Return what is not well with a service that was left so, as parts of a sentence."""
    if left is None:
        return []
    found = []
    out = [name for name, there in left.maintenance.items() if there]
    if out:
        undo = f"; undo with {left.undo}" if left.undo else ""
        found.append(f"maintenance is still on ({', '.join(out)}{undo})")
    if left.front not in _OK:
        found.append(f"the front door {answers(left.front)}")
    for where, statuses in (("reads", left.reads), ("hosts", left.hosts)):
        bad = [f"{name} {answers(got)}" for name, got in statuses.items() if got not in _OK]
        if bad:
            found.append(f"of the {where} {', '.join(bad)}")
    return found


def answers(status: int) -> str:
    """Return how an HTTP status reads in a sentence; 0 is no answer."""
    return f"answers {status}" if status else "does not answer"
