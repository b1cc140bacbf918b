"""The data: every acknowledged write, whichever way it was looked at."""

from __future__ import annotations

from rollback_drill.breaks.told import WritesUnderFire
from rollback_drill.data.fingerprint import compare
from rollback_drill.data.paths import taken_paths
from rollback_drill.data.told import DataSeen, Fates, LedgerRead, PathRead
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.causes.cause import Cause
from rollback_drill.perform.told import ProcedureChosen
from rollback_drill.record.book import Record
from rollback_drill.subject.hostaway.told import CursorAnswer, CursorShown


def of_writes(record: Record) -> list[Cause]:
    """Every acknowledged write, after each procedure and when all was over."""
    ledger = record.last(LedgerRead)
    names = {id(path.read): path.name for path in taken_paths(record.events)}
    causes = [
        _lost(read, f"Data, {names.get(id(read), f'Procedure {read.procedure}')}")
        for read in record.every(PathRead)
        if read.lost
    ]
    if ledger is None:
        return [Cause(Verdict.UNKNOWN, "Data", "nobody read the writes back"), *causes]
    if ledger.lost:
        return [_lost(ledger, "Data"), *causes]
    if not ledger.acknowledged:
        return [Cause(Verdict.UNKNOWN, "Data", "no write was acknowledged"), *causes]
    return causes


def of_fire(record: Record) -> list[Cause]:
    """Writes that went on during a procedure are as good as any other."""
    seen = record.last(WritesUnderFire)
    where = "Data, under fire"
    if seen is None or (seen.written and seen.lost == 0):
        return []
    if not seen.written:
        return [Cause(Verdict.UNKNOWN, where, "no writes were made")]
    if seen.lost is None:
        what = f"nobody could read the {seen.written} writes under fire back"
        return [Cause(Verdict.UNKNOWN, where, what)]
    what = f"{seen.lost} of {seen.written} writes under fire are lost"
    return [Cause(Verdict.FAILED, where, what, ", ".join(seen.examples))]


def of_cursors(record: Record) -> list[Cause]:
    """A customer who kept a cursor may have to begin anew, but must not miss rows or get errors."""
    causes = []
    for one in record.every(CursorShown):
        where = f"Cursors, {one.moment}"
        if one.answer is CursorAnswer.ANOTHER_PAGE:
            what = f"the cursor of page {one.page} leads to another page: rows are skipped"
            causes.append(Cause(Verdict.FAILED, where, what))
        elif one.answer is CursorAnswer.NO_PAGE:
            verdict = Verdict.FAILED if one.status else Verdict.UNKNOWN
            what = f"the cursor of page {one.page} was answered {one.status or 'not at all'}"
            causes.append(Cause(verdict, where, what))
    return causes


def of_contents(record: Record) -> list[Cause]:
    """Compare what the database held before and after each procedure, as far as both were seen."""
    chosen = record.every(ProcedureChosen)
    causes = []
    before: DataSeen | None = None
    for one in record.every(DataSeen):
        if one.moment == "before":
            before = one
            continue
        if before is None or before.procedure != one.procedure:
            continue
        found = compare(before.tables, one.tables, before.expected)
        declared = {name for c in chosen if c.procedure == one.procedure for name in c.dropped}
        where = f"Data, Procedure {one.procedure}"
        for name in found.undeclared(declared):
            what = f"{name} was dropped, and the runbook does not say that it will be"
            causes.append(Cause(Verdict.FAILED, where, what))
        causes += [Cause(Verdict.FAILED, where, f"{what} after it") for what in found.changed]
        before = None
    return causes


def _lost(fates: Fates, where: str) -> Cause:
    what = f"{fates.lost} of {fates.acknowledged} acknowledged writes are lost"
    # That a row is gone or changed is said by the examples; what was dropped, nowhere else.
    reasons = "; ".join(why for why in fates.why if "dropped" in why)
    what += f", since {reasons}" if reasons else ""
    return Cause(Verdict.FAILED, where, what, "; ".join(fates.examples))
