"""Where no write was made, nobody says that none was lost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rollback_drill.breaks.told import WritesUnderFire
from rollback_drill.data.balance import Balance
from rollback_drill.data.told import Fates, LedgerRead, PathRead, data_loss, recovery
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.check import bind
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.report.summary import key_numbers

NONE = LedgerRead(0, 0, 0, 0)


def box(ledger: Fates | None, read_back: Any = None) -> tuple[Verdict, str]:
    bound = bind("No data loss")
    assert bound
    moment: Any = SimpleNamespace(balance=ledger and Balance(ledger), read_back=read_back)
    found = bound.check(moment, bound.match)
    return found.verdict, found.evidence


def test_no_data_loss_is_unknown_without_a_write() -> None:
    assert box(NONE) == (
        Verdict.UNKNOWN,
        "no writes were made that could be lost: 0 acknowledged",
    )


def test_no_data_loss_is_unsupported_where_nothing_can_be_looked_up() -> None:
    found, evidence = box(None)
    assert (found, "unsupported" in evidence) == (Verdict.UNKNOWN, True)


@pytest.mark.parametrize(
    ("read", "wanted", "said"),
    [
        (PathRead(9, 9, 0, 0), Verdict.PASSED, "9 of 9 acknowledged writes are there"),
        (PathRead(9, 8, 1, 0, ("r-1",)), Verdict.FAILED, "1 of 9 confirmed changes (r-1)"),
        (
            PathRead(9, 7, 0, 0, damaged=2),
            Verdict.FAILED,
            "2 confirmed changes were damaged",
        ),
    ],
)
def test_what_was_written_so_far_is_read_back(read: PathRead, wanted: Verdict, said: str) -> None:
    found, evidence = box(None, lambda: Balance(read))
    assert (found, said in evidence) == (wanted, True), evidence


def test_no_sentence_says_that_none_of_no_writes_was_lost() -> None:
    told = [
        data_loss(NONE),
        recovery(NONE, "the end"),
        *key_numbers(judge(Book([Event(0.0, NONE)]))),
    ]
    assert [line for line in told if "lost" in line or "none" in line.lower().split()] == []
    assert sum("no writes were made" in line for line in told) == 3


def test_no_writes_under_fire_leave_it_unknown() -> None:
    seen = WritesUnderFire(written=0, lost=0, refused=40, worst_stall_s=0.0)
    causes = [c for c in judge(Book([Event(0.0, seen)])).causes if c.where == "Data, under fire"]
    assert [(c.verdict, c.what) for c in causes] == [(Verdict.UNKNOWN, "no writes were made")]
