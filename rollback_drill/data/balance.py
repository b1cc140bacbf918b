"""What became of all data, by everything that looked at it: what verdict and messages say. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from rollback_drill.data.comparison import touched
from rollback_drill.data.rows import rows
from rollback_drill.data.told import ENDED, Fates, LedgerRead, RowsCounted, data_loss
from rollback_drill.perform.told import ProcedureChosen
from rollback_drill.record.book import Book


@dataclass(frozen=True, slots=True)
class Balance:
    """All of it. `fates`: of what clients wrote, None where nobody read it back; `losses`: what is
    gone or changed besides, in sentences; `damage`: the same, by the fault that was made; `unknown`
    says what nobody could look at; `stood`: how many rows that stood were compared, None for
    nobody looked.
    """

    fates: Fates | None
    losses: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    stood: int | None = None

    def to_json(self) -> dict[str, object]:
        """Return what verdict.json says of all but what clients wrote, if anybody looked."""
        if self.stood is None:
            return {}
        rows = {
            "stood": self.stood,
            "lost": self.losses,
            "damaged": self.damage,
            "unknown": self.unknown,
        }
        return {"rows": rows}

    @property
    def lost(self) -> bool:
        """Whether something was seen to be lost or damaged."""
        fates = self.fates
        return bool(self.losses or self.damage or (fates and (fates.lost or fates.damaged)))

    def told(self) -> str:
        """Return what was lost, in words for customers."""
        said = "" if self.fates is None else data_loss(self.fates)
        more = [*self.losses, *(f"{one} (by the release)" for one in self.damage)]
        more += [f"nobody knows of {one}" for one in self.unknown]
        if not more and said.startswith("none") and self.stood is None and self.fates:
            return said.replace(
                "none", f"none of {self.fates.acknowledged} confirmed changes; of other data "
                "nobody knows", 1)  # fmt: skip
        if more and said.startswith("none"):
            said = said[len("none (") : -1]  # what was dropped, if anything was
        return "; ".join([said, *more] if said else more)


def balance(book: Book) -> Balance:
    """Return what became of all data."""
    found = book.ask(rows)
    losses: list[str] = []
    damage: list[str] = []
    unknown: list[str] = []
    read = book.last(LedgerRead)
    if found is not None:
        losses += [f"{what} ({one.when})" for one in found.losses for what in one.what]
        damage += [what for one in found.damage for what in one.what]
        unknown += [f"{name} ({why})" for name, why in found.unread.items()]
        lacks = [one for one in found.lacks if one != ENDED or read is not None]
        unknown += [f"rows that stood ({one} nobody looked)" for one in lacks]
    dropped = {n for one in book.every(ProcedureChosen) for n in one.dropped}
    for one in book.ask(touched) if found is None else ():
        losses += [f"{name} was dropped" for name in one.found.undeclared(dropped)]
        losses += [f"{what} after Procedure {one.procedure}" for what in one.found.changed]
    counted = book.last(RowsCounted)
    if counted and counted.twice:
        losses.append(f"{counted.twice} rows of {counted.table} are there twice")
    return Balance(
        read,
        tuple(losses),
        tuple(damage),
        tuple(unknown),
        found.counted if found else None,
    )
