"""The data: every acknowledged write and all rows, whichever way they were looked at."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.data.comparison import touched
from rollback_drill.data.told import FATES, DataSeen, Fates, LedgerRead, PathRead, taken_paths
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging

_MOMENTS = ("before", "after")


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


@judging(110)
def of_contents(book: Book) -> Iterator[Cause]:
    """Compare what the database held before and after each procedure, as far as both were seen."""
    chosen = book.every(ProcedureChosen)
    for one in book.ask(touched):
        declared = {name for c in chosen if c.procedure == one.procedure for name in c.dropped}
        where = f"Data, Procedure {one.procedure}"
        for name in one.found.undeclared(declared):
            what = f"{name} was dropped, and the runbook does not say that it will be"
            yield Cause(Verdict.FAILED, where, what)
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
