"""What another state of the stage than before is said to be, condition by condition."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from rollback_drill.effects.judges import of_effects
from rollback_drill.effects.sections import what_else
from rollback_drill.effects.told import (
    AFTER,
    BEFORE,
    CLOSED,
    GONE,
    NOT_HELD,
    PREPARATION,
    EffectsDeclared,
    HostSeen,
    ServerSeen,
)
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import DrillEnded, PhaseName, PhaseStarted, Told

DECLARED = EffectsDeclared(1, ("enabled",), (".*_replaced_.*",), ("scratch_.*",), False, "shop")
MOMENTS = (PREPARATION, BEFORE, AFTER, GONE, CLOSED)
WELL = HostSeen(
    PREPARATION,
    "host-1",
    config={"feature.enabled": "1", "pool": "1"},
    head="aaa",
    tree=("?? notes",),
    files={"/backups/old.dump": "9 bytes"},
    processes={"1 since 5": "init", "7 since 8": "exporter"},
    balancer={"path": "1"},
    crontab=("1",),
)
DATABASES = {"postgres": "1", "shop": "2", "others": "3"}


def book(
    changes: dict[str, dict[str, object]],
    databases: dict[str, dict[str, str]] | None = None,
    declared: EffectsDeclared = DECLARED,
) -> Book:
    """Return a record in which the host is as `changes` say at these moments, else as it was."""
    told: list[Told] = [declared]
    for moment in MOMENTS:
        told.append(replace(WELL, moment=moment, **changes.get(moment, {})))  # type: ignore[arg-type]
        told.append(ServerSeen(moment, (databases or {}).get(moment, DATABASES)))
    numbers = count()
    return Book(Event(float(next(numbers)), one) for one in [*told, DrillEnded()])


def from_on(moment: str, **fields: object) -> dict[str, dict[str, object]]:
    return dict.fromkeys(MOMENTS[MOMENTS.index(moment) :], fields)


def test_nothing_that_differs_is_no_cause() -> None:
    assert of_effects(book({})) == []
    assert "3 databases" in what_else.markup(book({}))


WRONG = {
    "a setting beside the flag": (
        from_on(AFTER, config={"feature.enabled": "2", "pool": "2"}, uncommitted=("pool",)),
        "Configuration: host-1: pool of the configuration has another value than before,"
        " by the procedure",
    ),
    "a setting that is gone": (
        from_on(BEFORE, config={"feature.enabled": "1"}),
        "Configuration: host-1: pool of the configuration has another value than before,"
        " in the preparation",
    ),
    "a setting that the other release does not have": (
        from_on(AFTER, head="bbb", config={"pool": "3"}, uncommitted=("pool",)),
        "Configuration: host-1: pool of the configuration has another value than before,"
        " by the procedure",
    ),
    "no configuration": (
        from_on(GONE, config={}),
        "Configuration: host-1: the configuration file is gone, after the procedure",
    ),
    "a file among the code": (
        from_on(AFTER, tree=("?? notes", "?? debug.sql"), head="bbb"),
        "Deployment's folder: host-1: debug.sql is new and belongs to no release, by the procedure",
    ),
    "changed code": (
        from_on(CLOSED, tree=("?? notes", " M app.py")),
        "Deployment's folder: host-1: app.py was changed, by the closing steps",
    ),
    "a file of nobody's, removed": (
        from_on(AFTER, tree=()),
        "Deployment's folder: host-1: notes, which belongs to no release, is gone,"
        " by the procedure",
    ),
    "an old backup, removed": (
        from_on(AFTER, files={}),
        "Kept files: host-1: /backups/old.dump is gone, by the procedure",
    ),
    "an old backup, written over": (
        from_on(CLOSED, files={"/backups/old.dump": "8 bytes"}),
        "Kept files: host-1: /backups/old.dump is another than before, by the closing steps:"
        " 8 bytes, not 9 bytes",
    ),
    "a process that is gone": (
        from_on(AFTER, processes={"1 since 5": "init"}),
        "Processes: host-1: process exporter (7 since 8) is gone, by the procedure",
    ),
    "another process with its id": (
        from_on(AFTER, processes={"1 since 5": "init", "7 since 99": "exporter"}),
        "Processes: host-1: process exporter (7 since 8) is gone, by the procedure",
    ),
    "a process that was left": (
        from_on(AFTER, processes={**WELL.processes, "9 since 9": "tail"}),
        "Processes: host-1: process tail (9 since 9) was left running, by the procedure",
    ),
    "the load balancer": (
        from_on(AFTER, balancer={"path": "2"}),
        "Load balancer: host-1: path of the load balancer is another than before, by the procedure",
    ),
    "more of the load balancer": (
        from_on(BEFORE, balancer={"path": "1", "route": "1"}),
        "Load balancer: host-1: route of the load balancer is another than before,"
        " in the preparation",
    ),
    "the crontab": (
        from_on(AFTER, crontab=("2",)),
        "Crontab: host-1: 1 lines of the crontab are gone and 1 new, by the procedure",
    ),
}


@pytest.mark.parametrize(("changes", "told"), WRONG.values(), ids=WRONG)
def test_what_no_step_says_fails_once_with_who_did_it(
    changes: dict[str, dict[str, object]], told: str
) -> None:
    found = of_effects(book(changes))
    assert told in map(str, found)
    assert {one.verdict for one in found} == {Verdict.FAILED}
    assert len({one.where for one in found}) == 1


RIGHT = {
    "the flag": from_on(AFTER, config={"feature.enabled": "2", "pool": "1"}),
    "the configuration of another release": from_on(AFTER, head="bbb", config={"pool": "3"}),
    "an edit that was put aside": {PREPARATION: {"tree": ("?? notes", " M app.py")}},
    "a new backup": from_on(AFTER, files={**WELL.files, "/backups/new.dump": "7 bytes"}),
    "the service, started anew": from_on(
        AFTER, processes={**WELL.processes, "9 since 9": "python"}, service=("9 since 9",)
    ),
    "a look of the suite's own": {AFTER: {"processes": {**WELL.processes, "9 since 9": "bash"}}},
    "another look of its own": {BEFORE: {"processes": {**WELL.processes, "9 since 9": "bash"}}},
    "a load balancer that the drill took back": from_on(GONE, balancer={"path": "2"}),
    "processes where nobody knows the service's": from_on(
        AFTER, processes={}, unseen={"processes": "?"}
    ),
    "a crontab that cannot be read": from_on(AFTER, crontab=(), unseen={"crontab": "?"}),
}


@pytest.mark.parametrize("changes", RIGHT.values(), ids=RIGHT)
def test_what_a_step_says_is_no_cause(changes: dict[str, dict[str, object]]) -> None:
    assert of_effects(book(changes)) == []


def test_backups_may_go_where_the_runbook_takes_old_ones_away() -> None:
    changes = from_on(AFTER, files={})
    assert of_effects(book(changes, declared=replace(DECLARED, rotates=True))) == []


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ({"postgres": "1", "shop": "2"}, "Databases: others is gone, by the procedure"),
        ({**DATABASES, "others": "9"}, "Databases: others was made anew, by the procedure"),
        ({**DATABASES, "scratch_7": "9"}, "Databases: scratch_7 was left behind, by the procedure"),
        ({**DATABASES, "shop": "9", "shop_replaced_7": "2"}, ""),
    ],
)
def test_databases_beside_the_services_own_stay(after: dict[str, str], told: str) -> None:
    databases = dict.fromkeys((AFTER, GONE, CLOSED), after)
    assert [str(one) for one in of_effects(book({}, databases))] == [told] * bool(told)


def test_a_scratch_database_that_stood_there_may_go() -> None:
    before = {**DATABASES, "scratch_7": "9"}
    assert of_effects(book({}, dict.fromkeys((PREPARATION, BEFORE), before))) == []


def test_what_nobody_saw_is_unknown() -> None:
    blind = book({AFTER: {"unseen": {"host": "it had not answered after 10 s"}}})
    (cause,) = of_effects(blind)
    assert cause.verdict is Verdict.UNKNOWN
    assert "host-1 after the procedure, nobody saw: it had not answered" in str(cause)
    assert "it had not answered" in what_else.markup(blind)
    told = [DECLARED, WELL, ServerSeen(AFTER, why="refused"), DrillEnded()]
    causes = of_effects(Book(Event(1.0, one) for one in told))
    assert [one.verdict for one in causes] == [Verdict.UNKNOWN] * 2
    assert "0 of 1 times" in str(causes[0])
    assert "refused" in str(causes[1])
    (nothing,) = of_effects(Book(Event(1.0, one) for one in (DECLARED, DrillEnded())))
    assert nothing.verdict is Verdict.UNKNOWN


def test_a_procedure_that_did_not_hold_has_causes_of_its_own() -> None:
    told = [DECLARED, WELL, replace(WELL, moment=NOT_HELD, files={}), DrillEnded()]
    assert of_effects(Book(Event(1.0, one) for one in told)) == []


def test_the_first_few_of_a_kind_are_named_and_the_others_counted() -> None:
    files = {f"/backups/{n}": "1 bytes" for n in range(8)}
    changes: dict[str, dict[str, object]] = {one: {"files": files} for one in (PREPARATION, BEFORE)}
    found = of_effects(book(changes | from_on(AFTER, files={})))
    assert len(found) == 5
    assert str(found[-1]).endswith("and 3 more like it")


def test_what_a_drill_that_was_killed_left_is_nobodys_effect() -> None:
    begins = PhaseStarted(PhaseName.SETUP)
    in_maintenance = {
        "balancer": {"path": "2"},
        "processes": {**WELL.processes, "9 since 9": "tail"},
    }
    left = {**DATABASES, "scratch_7": "9"}
    told: list[Told] = [begins, WELL, replace(WELL, moment=BEFORE), DECLARED]
    told += [ServerSeen(BEFORE, DATABASES), begins, DECLARED]
    told += [replace(WELL, moment=BEFORE, **in_maintenance), ServerSeen(BEFORE, left)]  # type: ignore[arg-type]
    told += [replace(WELL, moment=AFTER), ServerSeen(AFTER, left)]
    told += [replace(WELL, moment=GONE), DrillEnded()]
    assert of_effects(Book(Event(1.0, one) for one in told)) == []
    changed = [
        one if one != replace(WELL, moment=AFTER) else replace(WELL, moment=AFTER, files={})
        for one in told
    ]
    (cause,) = of_effects(Book(Event(1.0, one) for one in changed))
    assert cause.where == "Kept files"
