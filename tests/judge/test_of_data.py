"""What is said of the data, judge by judge: each condition has a record of its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rollback_drill.breaks.told import FaultInjected
from rollback_drill.data import judges
from rollback_drill.data.told import DamageSeen, DataSeen, LedgerRead, PathRead, RowsCounted
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Judge
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import Told
from tests.judge.record_support import also, changed, good, without

FAILED, UNKNOWN = Verdict.FAILED, Verdict.UNKNOWN


def told(judge: Judge, *what: Told) -> list[tuple[Verdict, str, str]]:
    book = Book([Event(1.0 + number, one) for number, one in enumerate(what)])
    return [(one.verdict, one.where, one.what) for one in judge(book)]


def chosen(number: int, *dropped: str) -> ProcedureChosen:
    return ProcedureChosen(number, "", 0, 0, "", dropped=dropped)


def seen(number: int, moment: str, expected: Any = None, **tables: dict[str, str]) -> DataSeen:
    return DataSeen(number, moment, tables, expected or {})


HOMES = {"rows": "3", ".name": "a", ".price": "b"}
OTHER = {"rows": "3", ".name": "a", ".price": "c"}
FEWER = {"rows": "3", ".name": "a"}


def contents(*what: Told) -> list[tuple[Verdict, str, str]]:
    return told(judges.of_contents, *what)


def test_contents_are_compared_before_and_after_the_same_procedure_alone() -> None:
    before, after = seen(1, "before", homes=HOMES), seen(1, "after", homes=OTHER)
    assert contents(before, after) == [
        (FAILED, "Data, Procedure 1", "homes.price has other values after it")
    ]
    assert contents(before, seen(1, "after", homes=HOMES)) == []
    assert contents(before, seen(2, "after", homes=OTHER)) == []  # of another procedure
    assert contents(before) == contents(after) == []
    assert contents(after, before) == []
    both = (before, seen(1, "after", homes=HOMES), seen(2, "before", homes=HOMES))
    assert contents(*both, seen(2, "after", homes=OTHER))[0][1] == "Data, Procedure 2"
    assert contents(before, after, seen(1, "after", homes=HOMES)) == contents(before, after)


def test_what_a_procedure_drops_it_alone_may_drop() -> None:
    looks = seen(1, "before", homes=HOMES), seen(1, "after", homes=FEWER)
    gone = "homes.price was dropped, and the runbook does not say that it will be"
    assert contents(*looks) == [(FAILED, "Data, Procedure 1", gone)]
    assert contents(chosen(1, "homes.price"), *looks) == []
    assert contents(chosen(2, "homes.price"), *looks) == [(FAILED, "Data, Procedure 1", gone)]
    assert contents(chosen(1, "homes.name"), *looks) == [(FAILED, "Data, Procedure 1", gone)]
    assert contents(chosen(1, "homes.price"), chosen(1), *looks) == []


def test_many_that_are_dropped_are_one_finding_that_names_them_below() -> None:
    many = {"rows": "3", **{f".c{n}": "a" for n in range(7)}}
    looks = seen(1, "before", homes=many), seen(1, "after", homes={"rows": "3"})
    (found,) = judges.of_contents(Book([Event(float(at), one) for at, one in enumerate(looks, 1)]))
    names = [f"homes.c{n}" for n in range(7)]
    assert found.what == (
        f"{', '.join(names[:5])}, and 2 more were dropped, and the runbook does not say that they "
        "will be"
    )
    assert found.evidence == ", ".join(names)


def test_rows_that_are_fewer_and_values_that_are_not_as_said_are_told() -> None:
    less = seen(1, "after", homes={**HOMES, "rows": "2"})
    assert contents(seen(1, "before", homes=HOMES), less)[0][2] == (
        "homes had 3 rows and has 2 after it"
    )
    said = {"homes": {".price": "c"}}
    assert contents(seen(1, "before", said, homes=HOMES), seen(1, "after", homes=OTHER)) == []
    (found,) = contents(seen(1, "before", said, homes=HOMES), seen(1, "after", homes=HOMES))
    assert found[2] == "homes.price is not what the runbook says after it"


def injected(damages: bool | None) -> FaultInjected:
    return FaultInjected("leak", "on", damages=damages)


def test_damage_before_the_rollback_is_the_faults_only_where_it_damages() -> None:
    gone = [DamageSeen(("d-2", "d-1")), DamageSeen(("d-2", "d-3"))]
    (found,) = told(judges.of_damage, injected(False), *gone)
    assert found[:2] == (FAILED, "Data")
    assert found[2].startswith("3 acknowledged writes were gone or changed before the rollback")
    assert "the fault leak damages no data" in found[2]
    assert told(judges.of_damage, injected(True), *gone) == []
    assert told(judges.of_damage, injected(None), *gone) == []
    assert told(judges.of_damage, *gone) == []
    assert told(judges.of_damage, injected(False)) == []
    assert told(judges.of_damage, injected(False), DamageSeen(())) == []


def test_of_many_damaged_writes_ten_are_named() -> None:
    many = DamageSeen(tuple(f"d-{n:02}" for n in range(12)))
    (cause,) = judges.of_damage(Book([Event(1.0, injected(False)), Event(2.0, many)]))
    assert cause.evidence == "; ".join(f"d-{n:02}" for n in range(10))


def rows(**changed: Any) -> RowsCounted:
    counts = dict.fromkeys(("stood", "clients", "own", "strangers", "refused", "twice"), 0)
    return RowsCounted("orders", **{**counts, "stood": 9, "examples": ("x", "y"), **changed})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, None),
        ({"twice": 2}, "2 references stand twice in orders"),
        ({"refused": 1}, "1 rows of orders are there though their makers were refused"),
        ({"strangers": 1}, "1 rows of orders were made by nobody in this drill"),
        ({"strangers": 1, "shared": True}, None),
        ({"twice": 1, "shared": True}, "1 references stand twice in orders"),
        ({"own": 3, "clients": 4}, None),
    ],
)
def test_rows_of_clients_are_whose_they_can_be(changed: dict[str, Any], said: str | None) -> None:
    found = list(judges.of_rows_of_clients(Book([Event(1.0, rows(**changed))])))
    assert [one.what for one in found] == ([said] if said else [])
    assert {(one.verdict, one.where, one.evidence) for one in found} <= {(FAILED, "Data", "x; y")}


def test_writes_are_read_back_and_none_is_lost() -> None:
    assert told(judges.of_writes, LedgerRead(9, 9, 0, 0)) == []
    assert told(judges.of_writes) == [(UNKNOWN, "Data", "nobody read the writes back")]
    none = told(judges.of_writes, LedgerRead(0, 0, 0, 0))
    assert none == [(UNKNOWN, "Data", "no write was acknowledged")]
    lost = LedgerRead(9, 8, 1, 0, ("d-1",), why={"orders was dropped": 1, "gone": 1})
    (cause,) = judges.of_writes(Book([Event(1.0, lost)]))
    assert (cause.verdict, cause.where, cause.evidence) == (FAILED, "Data", "d-1")
    assert cause.what == "1 of 9 acknowledged writes are lost, since orders was dropped"
    plain = told(judges.of_writes, LedgerRead(9, 8, 1, 0, why={"gone": 1}))
    assert plain == [(FAILED, "Data", "1 of 9 acknowledged writes are lost")]


def test_each_procedures_losses_bear_its_name() -> None:
    record = also(PathRead(9, 8, 1, 0, procedure=4))(changed(PathRead, lost=1)(good()))
    found = [(one.where, one.what) for one in judges.of_writes(Book(record))]
    assert found == [
        ("Data, Procedure 1", "1 of 9 acknowledged writes are lost"),
        ("Data, Procedure 4", "1 of 9 acknowledged writes are lost"),
    ]
    assert list(judges.of_writes(Book(good()))) == []
    assert list(judges.of_writes(Book(without(PathRead)(good())))) == []


@pytest.mark.parametrize(
    ("read", "total"),
    [
        (LedgerRead(9, 9, 0, 0), None),
        (LedgerRead(9, 4, 1, 0, damaged=1, transformed=1, dropped=2), None),
        (LedgerRead(9, 8, 0, 1), 8),  # what is indeterminate was not acknowledged
        (LedgerRead(9, 9, 1, 0), 10),
        (PathRead(9, 8, 0, 0, procedure=1), 8),
    ],
)
def test_fates_add_up(read: LedgerRead | PathRead, total: int | None) -> None:
    said = (
        f"what became of {total} writes is known, and 9 were acknowledged ({type(read).__name__})"
    )
    assert told(judges.of_totals, read) == ([(UNKNOWN, "Record", said)] if total else [])


def test_a_look_at_data_has_a_moment_and_tables() -> None:
    assert told(judges.of_totals, seen(1, "before", homes=HOMES)) == []
    assert told(judges.of_totals, seen(1, "after", homes=HOMES)) == []
    for strange in (seen(2, "meanwhile", homes=HOMES), seen(2, "before")):
        (found,) = told(judges.of_totals, strange)
        assert found == (
            UNKNOWN, "Record", f"what data there was “{strange.moment}” Procedure 2 is not said",
        )  # fmt: skip


class Asked:
    """A book that answers what it is asked with something that was worked out already."""

    def __init__(self, answer: Any, *, cut_short: bool = False) -> None:
        self.answer, self.cut_short = answer, cut_short

    def ask(self, question: object) -> Any:
        del question
        return self.answer


def test_rows_that_stood_are_nobodys_to_change() -> None:
    one = SimpleNamespace(what=("1 row of x is gone", "x.y is other"), when="between a and b")
    found: Any = SimpleNamespace(losses=[one], unread={"prices": "no key"}, lacks=["at the end"])
    causes: Any = list(judges.of_rows_that_stood(Asked(found)))  # type: ignore[arg-type]
    assert [(c.verdict, c.where, c.what) for c in causes] == [
        (FAILED, "Data", "1 row of x is gone; x.y is other, between a and b"),
        (UNKNOWN, "Data", "nobody could look at prices: no key"),
    ]
    causes = list(judges.of_looks_at_rows(Asked(found)))  # type: ignore[arg-type]
    assert [(c.verdict, c.where, c.what) for c in causes] == [
        (UNKNOWN, "Data", "at the end nobody looked at the rows that stood")
    ]
    assert list(judges.of_looks_at_rows(Asked(found, cut_short=True))) == []  # type: ignore[arg-type]
    for judge in (judges.of_rows_that_stood, judges.of_looks_at_rows):
        assert list(judge(Asked(None))) == []  # type: ignore[arg-type]


class Alteration:
    def __init__(self, certain: bool) -> None:
        self.certain = certain

    def __str__(self) -> str:
        return "index i is gone"


def test_structure_that_nobody_said_would_go_fails_where_it_is_certain() -> None:
    causes = list(judges.of_structure(Asked([Alteration(True), Alteration(False)])))  # type: ignore[arg-type]
    assert [(c.verdict, c.where) for c in causes] == [(FAILED, "Database"), (UNKNOWN, "Database")]
    assert causes[0].what == "index i is gone"
    assert causes[1].what.startswith("index i is gone; whether the release's migrations")
    assert causes[1].advice
