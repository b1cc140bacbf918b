"""The data: every acknowledged write and all rows, whichever way they were looked at."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.breaks.told import FaultInjected
from rollback_drill.data.comparison import touched
from rollback_drill.data.rows import rows
from rollback_drill.data.structure import alterations
from rollback_drill.data.told import (
    FATES,
    DamageSeen,
    DataSeen,
    Fates,
    LedgerRead,
    PathRead,
    RowsCounted,
    taken_paths,
)
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.words import few
from rollback_drill.perform.told import ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging

_MOMENTS = ("before", "after")
_EXAMPLES = 10
_FEW = 5  # in a sentence; all stand below it


@judging(80)
def of_writes(book: Book) -> Iterator[Cause]:
    """Every acknowledged write, after each procedure and when all was over."""
    ledger = book.last(LedgerRead)
    if ledger is None:
        yield Cause(Verdict.UNKNOWN, "Data", "nobody read the writes back")
    elif ledger.lost:
        yield _lost(ledger, "Data")
    elif not ledger.acknowledged:
        yield Cause(Verdict.UNKNOWN, "Data", "no write was acknowledged")
    names = {id(path.read): path.name for path in book.ask(taken_paths)}
    for read in book.every(PathRead):
        if read.lost:
            yield _lost(read, f"Data, {names.get(id(read), f'Procedure {read.procedure}')}")


@judging(90)
def of_rows_that_stood(book: Book) -> Iterator[Cause]:
    """Rows that stood before there were clients: they are nobody's to change."""
    found = book.ask(rows)
    if found is None:
        return
    for one in found.losses:
        whole = "; ".join(one.what) if len(one.what) > _FEW else ""
        yield Cause(Verdict.FAILED, "Data", f"{few(one.what, _FEW)}, {one.when}", whole)
    for name, why in found.unread.items():
        yield Cause(Verdict.UNKNOWN, "Data", f"nobody could look at {name}: {why}")


@judging(95, whole=True)
def of_looks_at_rows(book: Book) -> Iterator[Cause]:
    """Whether somebody looked at them in time."""
    found = book.ask(rows)
    for moment in found.lacks if found else ():
        yield Cause(Verdict.UNKNOWN, "Data", f"{moment} nobody looked at the rows that stood")


@judging(97)
def of_structure(book: Book) -> Iterator[Cause]:
    """All else that the database is made of: what stood stays, but for what is said to go."""
    for one in book.ask(alterations):
        if one.certain:
            yield Cause(Verdict.FAILED, "Database", str(one))
        else:
            what = f"{one}; whether the release's migrations did it nobody has seen"
            advice = "have the schema compared with that of the stable release in the procedure"
            yield Cause(Verdict.UNKNOWN, "Database", what, advice=advice)


@judging(100)
def of_rows_of_clients(book: Book) -> Iterator[Cause]:
    """As many rows at the end as at the start, and what clients made: no other ones."""
    for one in book.every(RowsCounted):
        named = "; ".join(one.examples)
        if one.twice:
            what = f"{one.twice} references stand twice in {one.table}"
            yield Cause(Verdict.FAILED, "Data", what, named)
        if one.refused:
            what = f"{one.refused} rows of {one.table} are there though their makers were refused"
            yield Cause(Verdict.FAILED, "Data", what, named)
        if one.strangers and not one.shared:
            what = f"{one.strangers} rows of {one.table} were made by nobody in this drill"
            yield Cause(Verdict.FAILED, "Data", what, named)


@judging(105)
def of_damage(book: Book) -> Iterator[Cause]:
    """What is damaged before the rollback is the fault's doing only where it damages data."""
    injected = book.last(FaultInjected)
    if injected is None or injected.damages is not False:
        return
    gone = {one for seen in book.every(DamageSeen) for one in seen.references}
    if gone:
        what = (
            f"{len(gone)} acknowledged writes were gone or changed before the rollback began, and "
            f"the fault {injected.name} damages no data"
        )
        yield Cause(Verdict.FAILED, "Data", what, "; ".join(sorted(gone)[:_EXAMPLES]))


@judging(110)
def of_contents(book: Book) -> Iterator[Cause]:
    """Compare what the database held before and after each procedure, as far as both were seen."""
    chosen = book.every(ProcedureChosen)
    for one in book.ask(touched):
        declared = {name for c in chosen if c.procedure == one.procedure for name in c.dropped}
        where = f"Data, Procedure {one.procedure}"
        dropped = one.found.undeclared(declared)
        if dropped:
            several = len(dropped) > 1
            what = (
                f"{few(dropped, _FEW, ', ')} {'were' if several else 'was'} dropped, and the "
                f"runbook does not say that {'they' if several else 'it'} will be"
            )
            whole = ", ".join(dropped) if len(dropped) > _FEW else ""
            yield Cause(Verdict.FAILED, where, what, whole)
        for what in one.found.changed:
            yield Cause(Verdict.FAILED, where, f"{what} after it")


@judging(270)
def of_totals(book: Book) -> Iterator[Cause]:
    """Whether what is said of the data can be: counts add up, and moments have a name."""
    for read in (*book.every(LedgerRead), *book.every(PathRead)):
        total = sum(getattr(read, name) for name in FATES)
        if total != read.acknowledged:
            what = (
                f"what became of {total} writes is known, and {read.acknowledged} were "
                f"acknowledged ({type(read).__name__})"
            )
            yield Cause(Verdict.UNKNOWN, "Record", what)
    for seen in book.every(DataSeen):
        if seen.moment not in _MOMENTS or not seen.tables:
            what = f"what data there was “{seen.moment}” Procedure {seen.procedure} is not said"
            yield Cause(Verdict.UNKNOWN, "Record", what)


def _lost(fates: Fates, where: str) -> Cause:
    what = f"{fates.lost} of {fates.acknowledged} acknowledged writes are lost"
    # That a row is gone or changed is said by the examples; what was dropped, nowhere else.
    reasons = "; ".join(why for why in fates.why if "dropped" in why)
    what += f", since {reasons}" if reasons else ""
    return Cause(Verdict.FAILED, where, what, "; ".join(fates.examples))
