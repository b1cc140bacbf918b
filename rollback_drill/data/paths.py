"""The ways that were gone, each with what it made of the writes acknowledged before its end."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from rollback_drill.data.told import Fates, PathRead
from rollback_drill.perform.told import AlternativeTaken, ProcedureChosen
from rollback_drill.record.timeline import Event

FATES = ("preserved", "transformed", "dropped", "damaged", "lost")
"""Every acknowledged write is one of these."""
NO_WRITES = "no writes were made"
"""What is said where none was acknowledged: that none of them was lost would say too much."""
_HEADING = re.compile(r"^alternative:\s*|\s*\(if [^)]*\)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TakenPath:
    """A procedure as it was performed. `name`: "Procedure 2, by “restore from the backup”" where
    it had a choice. `read`: the fate of every write, None when nobody read it. `reason`: why an
    alternative was taken, "" where none was.
    """

    procedure: int
    name: str
    read: PathRead | None
    reason: str = ""

    def to_json(self) -> dict[str, object]:
        """Return what verdict.json says of it."""
        counts = asdict(self.read) if self.read else {}
        return {
            **counts, "procedure": self.procedure, "path": self.name, "reason": self.reason,
        }  # fmt: skip


def taken_paths(record: Iterable[Event]) -> tuple[TakenPath, ...]:
    """Return the paths of a drill in the order in which they were gone."""
    found: list[TakenPath] = []
    chosen: ProcedureChosen | None = None
    instead = reason = ""

    def note(read: PathRead | None) -> None:
        if chosen:
            ways = [instead] if instead else list(chosen.alternatives)
            by = f", by “{ways[0]}”" if ways else ""
            name = f"Procedure {chosen.procedure}{by}"
            found.append(TakenPath(chosen.procedure, name, read, reason))

    for event in record:
        match event.what:
            case ProcedureChosen() as following:
                note(None)
                chosen, instead, reason = following, "", ""
            case AlternativeTaken(alternative=heading, reason=reason):
                instead = _HEADING.sub("", heading)
            case PathRead() as read:
                note(read)
                chosen = None
    note(None)
    return tuple(found)


def recovery(fates: Fates, when: str) -> str:
    """Say up to which moment before `when` acknowledged writes survived."""
    if not fates.acknowledged:
        return f"{NO_WRITES}: nothing is known of a recovery point"
    newest = (
        f"the newest that survived was acknowledged {fates.survivor_age_s:.1f} s before {when}"
        if fates.survivor_age_s is not None
        else "none survived, as far as is known"
    )
    if not fates.lost:
        return f"no write lost: recovery point 0 s; {newest}"
    return (
        f"{fates.lost} of the writes acknowledged in the last {fates.recovery_point_s:.1f} s "
        f"before {when} are lost: recovery point {fates.recovery_point_s:.1f} s; {newest}"
    )


def counts(fates: Fates) -> str:
    """Return the counts by fate in words; what did not happen, but for a loss, is left out."""
    words = {"dropped": "knowingly dropped"}
    told = [
        f"{number} {words.get(name, name)}"
        for name in FATES
        if (number := getattr(fates, name)) or name in ("preserved", "lost")
    ]
    return ", ".join(told)


def data_loss(ledger: Fates) -> str:
    """Return what became of acknowledged writes, in words for customers."""
    if not ledger.acknowledged:
        return NO_WRITES
    told = []
    if ledger.lost:
        told.append(f"{ledger.lost} of {ledger.acknowledged} confirmed changes")
    if ledger.damaged:
        told.append(f"{ledger.damaged} confirmed changes were damaged before the rollback")
    text = "; ".join(told) or "none"
    if ledger.dropped:
        text += (
            f" ({ledger.dropped} confirmed changes hold what only the withdrawn release knows: "
            "it is kept in an archive)"
        )
    return text
