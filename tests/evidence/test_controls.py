"""A control is shown where the record shows it, and else not, with the reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollback_drill.breaks.told import FaultAttested
from rollback_drill.conduct.told import DrillStarted, Restored
from rollback_drill.data.told import LedgerRead
from rollback_drill.decide.told import TriggerFired
from rollback_drill.evidence.controls import controls
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import (
    Authorized,
    BackupProven,
    Checked,
    MessageHandled,
    ProcedureChosen,
    StepEnded,
)
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event, read
from rollback_drill.record.told import DrillEnded, Told
from rollback_drill.watch.metrics.told import Counted, Leaked
from tests.evidence.evidence_support import ROOT, kept_report

ALWAYS = {"A1.3", "CC7.5", "A.5.29", "Art. 11(6)(a)", "Art. 12(7)"}
OF_BACKUPS = {"A.8.13", "A1.2", "Art. 12(2)"}


def real(book: Book, *more: Told, leave: tuple[type[Told], ...] = (), **other: object) -> Book:
    """Return the record as if its stage were a real one, with `more` and without what to `leave`."""
    events = []
    for event in book.events:
        what = event.what
        if isinstance(what, DrillStarted):
            what = replace(what, stage="processes", **other)  # type: ignore[arg-type]
        if isinstance(what, DrillEnded):
            events += [Event(event.at, one) for one in more]
            kinds = [type(one.what).__name__ for one in events]
            what = replace(what, recorded={kind: kinds.count(kind) for kind in {*kinds}})
        if not isinstance(what, leave):
            events.append(Event(event.at, what))
    return Book(events)


def record(name: str = "passed") -> Book:
    return Book(read(kept_report(name) / "timeline.jsonl"))


def shown(book: Book) -> set[str]:
    return {one.control.number for one in controls(book) if one.shown}


def why(book: Book, number: str) -> str:
    [one] = [one for one in controls(book) if one.control.number == number]
    assert not one.shown
    return one.why


def test_a_model_shows_nothing() -> None:
    assert shown(record()) == set()
    assert "it is a model" in why(record(), "A1.3")


def test_a_drill_that_passed_shows_what_it_did() -> None:
    book = real(record())
    assert shown(book) == ALWAYS
    assert why(book, "A.8.13") == "no backup was restored"
    assert "one host" in why(book, "A.8.14")
    assert "0 of" in why(book, "Art. 11(6)(b)")


PROVEN = BackupProven("a.dump", Verdict.PASSED, "it restores")


def test_a_backup_counts_that_was_restored_and_verified() -> None:
    assert shown(real(record(), PROVEN)) == ALWAYS | OF_BACKUPS


@pytest.mark.parametrize("check", ["backup_exists", "backup_size", "restore_tested"])
def test_a_backup_that_is_only_there_shows_nothing(check: str) -> None:
    boxes = [one for one in record().every(Checked) if one.check == check]
    assert not shown(real(record(), *boxes)) & OF_BACKUPS


def test_a_backup_that_did_not_restore_shows_nothing() -> None:
    bad = replace(PROVEN, verdict=Verdict.UNKNOWN)
    assert not shown(real(record(), PROVEN, bad)) & OF_BACKUPS


@pytest.mark.parametrize("name", ["failed", "unknown"])
def test_a_drill_that_did_not_pass_shows_none(name: str) -> None:
    book = real(record(name), PROVEN)
    assert shown(book) == set()
    told = {"failed": "the drill failed", "unknown": "the drill remained unknown"}[name]
    assert all(told in one.why for one in controls(book))


@pytest.mark.parametrize(
    "kind",
    [FaultAttested, Restored, LedgerRead, TriggerFired, Authorized, ProcedureChosen, StepEnded],
)
def test_without_it_nothing_is_shown(kind: type[Told]) -> None:
    assert shown(real(record(), PROVEN, leave=(kind,))) == set()


def test_secrets_that_nobody_looked_for_are_not_said_to_be_kept() -> None:
    book = real(record(), leave=(Counted,))
    assert "A.5.29" not in shown(book)
    assert "A.5.29" not in shown(real(record(), Leaked("the log")))


def test_messages_count_that_reached_people() -> None:
    book = real(record())
    sent = [replace(one, outcome="sent") for one in book.every(MessageHandled)]
    there = real(record(), *sent, leave=())
    assert "of" in why(there, "Art. 11(6)(b)")  # those that were kept are no people's
    told = [
        Event(
            e.at, replace(e.what, outcome="sent") if isinstance(e.what, MessageHandled) else e.what
        )
        for e in book.events
    ]
    assert "Art. 11(6)(b)" in shown(Book(told))


def test_the_page_has_each_control() -> None:
    page = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    for one in controls(record()):
        assert f"| {one.control.framework} {one.control.number} |" in page
