"""What another state of the stage than before is said to be, condition by condition."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from rollback_drill.effects.judges import of_effects, of_usage
from rollback_drill.effects.sections import what_else
from rollback_drill.effects.told import (
    AFTER,
    BEFORE,
    CLOSED,
    GONE,
    HANDLES,
    NOT_HELD,
    PREPARATION,
    THREADS,
    UNBROKEN,
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
    evidence={"/evidence/metrics.txt": 90},
    rights={"/app/config.yaml": "644 of app:app"},
    repository={
        "setting core.bare": "1",
        "hook pre-push": "1",
        "tag v1": "1",
        "stash abc": "1",
        "origin refs/tags/v1": "1",
        "origin refs/heads/main": "1",
    },
    starts={"/etc/app.conf": "1"},
    secrets=("/etc/app.conf",),
    processes={"1 since 5": "init", "7 since 8": "exporter"},
    conditions={"open files": "1024 1024", "nice": "0"},
    open=("/app/known",),
    home=("/home/notes",),
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


def test_what_is_mended_again_is_no_cause() -> None:
    """A lock of a git that was killed, and limits that a fault set."""
    locked = {**WELL.repository, "lock index.lock": "1"}
    for moment in (BEFORE, AFTER):
        assert of_effects(book({moment: {"repository": locked}})) == []
    limited = {"open files": "64 64", "nice": "0"}
    assert of_effects(book({BEFORE: {"conditions": limited}, AFTER: {"conditions": {}}})) == []


def test_nothing_that_differs_is_no_cause() -> None:
    assert of_effects(book({})) == []
    assert "3 databases" in what_else.markup(book({}))


def git(changes: dict[str, str | None]) -> dict[str, dict[str, object]]:
    """Return what git tells of after the procedure; None: it does no more."""
    now = {**WELL.repository, **changes}
    return from_on(AFTER, repository={name: is_ for name, is_ in now.items() if is_ is not None})


WRONG = {
    "the load balancer, by the closing steps": (
        from_on(CLOSED, balancer={"path": "2"}),
        "Load balancer: host-1: path of the load balancer is another than before,"
        " by the closing steps",
    ),
    "a setting of git": (
        git({"setting core.bare": "2"}),
        "Repository: host-1: git's setting core.bare is another than before, by the procedure",
    ),
    "a new setting of git": (
        git({"setting core.hookspath": "1"}),
        "Repository: host-1: git's setting core.hookspath is new, by the procedure",
    ),
    "a new hook": (
        git({"hook post-merge": "1"}),
        "Repository: host-1: git's hook post-merge is new, by the procedure",
    ),
    "a tag that moved": (
        git({"tag v1": "2"}),
        "Repository: host-1: the tag v1 is another than before, by the procedure",
    ),
    "a tag that is gone from the origin": (
        git({"origin refs/tags/v1": None}),
        "Repository: host-1: the origin's refs/tags/v1 is gone, by the procedure",
    ),
    "a branch that moved in the origin": (
        git({"origin refs/heads/main": "2"}),
        "Repository: host-1: the origin's refs/heads/main is another than before, by the procedure",
    ),
    "what was put aside, dropped": (
        git({"stash abc": None}),
        "Repository: host-1: what was put aside as abc is gone, by the procedure",
    ),
    "a file that git does not look at": (
        git({"hidden app.py": "1"}),
        "Repository: host-1: git's mark not to look at app.py is new, by the procedure",
    ),
    "a rule of what git leaves out": (
        git({"rule info/exclude": "1"}),
        "Repository: host-1: git's file info/exclude is new, by the procedure",
    ),
    "a lock that is left": (
        git({"lock index.lock": "1"}),
        "Repository: host-1: git's lock index.lock is new, by the procedure",
    ),
    "a file for everybody": (
        from_on(AFTER, open=("/app/known", "/backups/new.dump")),
        "Rights: host-1: everybody may write /backups/new.dump, by the procedure",
    ),
    "a file at home": (
        from_on(GONE, home=("/home/notes", "/home/rows.csv")),
        "Left files: host-1: /home/rows.csv was left at home, after the procedure",
    ),
    "a limit of the service": (
        from_on(AFTER, conditions={"open files": "64 64", "nice": "0"}),
        "Service's limits: host-1: the service runs with open files 64 64, not 1024 1024 as before,"
        " by the procedure",
    ),
    "rights": (
        from_on(GONE, rights={"/app/config.yaml": "666 of app:app"}),
        "Rights: host-1: /app/config.yaml has other rights than before, after the procedure:"
        " 666 of app:app, not 644 of app:app",
    ),
    "how the service is started": (
        from_on(AFTER, starts={"/etc/app.conf": "2"}),
        "Services' settings: host-1: /etc/app.conf, which says how programs are started, is"
        " another than before, by the procedure",
    ),
    "another service": (
        from_on(AFTER, starts={**WELL.starts, "/etc/b.conf": "1"}),
        "Services' settings: host-1: /etc/b.conf, which says how programs are started, is new,"
        " by the procedure",
    ),
    "no service": (
        from_on(AFTER, starts={}),
        "Services' settings: host-1: /etc/app.conf, which says how programs are started, is gone,"
        " by the procedure",
    ),
    "a secret in a file": (
        from_on(AFTER, secrets=(*WELL.secrets, "/evidence/env")),
        "Secrets: host-1: /evidence/env holds a secret of the environment, by the procedure",
    ),
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
    "evidence that is thrown away": (
        from_on(AFTER, evidence={}),
        "Evidence: host-1: /evidence/metrics.txt is gone, by the procedure",
    ),
    "evidence that is cut, at last": (
        from_on(CLOSED, evidence={"/evidence/metrics.txt": 89}),
        "Evidence: host-1: /evidence/metrics.txt is smaller than before, by the closing steps: 89"
        " bytes, not 90",
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
    "more evidence": from_on(AFTER, evidence={"/evidence/metrics.txt": 91, "/evidence/more": 1}),
    "evidence that the preparation keeps anew": from_on(BEFORE, evidence={}),
    "a new backup": from_on(AFTER, files={**WELL.files, "/backups/new.dump": "7 bytes"}),
    "the service, started anew": from_on(
        AFTER, processes={**WELL.processes, "9 since 9": "python"}, service=("9 since 9",)
    ),
    "a look of the suite's own": {AFTER: {"processes": {**WELL.processes, "9 since 9": "bash"}}},
    "another look of its own": {BEFORE: {"processes": {**WELL.processes, "9 since 9": "bash"}}},
    "a load balancer that the drill took back": from_on(GONE, balancer={"path": "2"}),
    "new tags, and what is put aside": git(
        {"tag v2": "1", "stash b": "1", "origin refs/tags/v2": "1", "origin refs/heads/b": "1"}
    ),
    "what git notes of a branch": git({"setting branch.b.remote": "1"}),
    "a folder that was made": from_on(AFTER, rights={**WELL.rights, "/outbox": "755 of app:app"}),
    "a file with a secret that is gone": from_on(AFTER, secrets=()),
}


@pytest.mark.parametrize("changes", RIGHT.values(), ids=RIGHT)
def test_what_a_step_says_is_no_cause(changes: dict[str, dict[str, object]]) -> None:
    assert of_effects(book(changes)) == []


@pytest.mark.parametrize(
    ("what", "more", "told"),
    [
        (HANDLES, 51, "it had 20 open files after the procedure, and 71 when all clients had gone"),
        (THREADS, 51, "it had 10 threads after the procedure, and 61 when all clients had gone"),
        (HANDLES, 50, ""),
        (THREADS, -5, ""),
    ],
)
def test_a_service_that_keeps_something_of_each_request_fails(
    what: str, more: int, told: str
) -> None:
    had = {THREADS: 10, HANDLES: 20}
    now = had | {what: had[what] + more}
    changes: dict[str, dict[str, object]] = {
        AFTER: {"usage": had, "service": ("9 since 9",)},
        GONE: {"usage": now, "service": ("9 since 9",)},
    }
    assert [one.what for one in of_usage(book(changes))] == ([told] if told else [])
    changes[GONE]["service"] = ("10 since 12",)  # another process
    assert of_usage(book(changes)) == []


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


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("origin HEAD:main", 0),
        ("origin main --tags", 0),
        ("origin HEAD:refs/heads/main", 0),
        ("--force origin HEAD:main", 1),
        ("origin +HEAD:main", 1),
        ("-f origin main", 1),
        ("origin maintenance", 1),
        ("origin", 1),
    ],
)
def test_a_branch_of_the_origin_may_move_on_where_a_step_pushes_it(words: str, told: int) -> None:
    pushes = replace(DECLARED, pushes=(words,))
    assert len(of_effects(book(git({"origin refs/heads/main": "2"}), declared=pushes))) == told
    gone = git({"origin refs/heads/main": None})
    assert len(of_effects(book(gone, declared=pushes))) == 1


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ({"table bills": "r", "what bills holds": "1"}, ""),
        ({"table bills": "r", "what bills holds": "2"}, "what bills holds of others"),
        ({"table bills": "r"}, "what bills holds of others"),
        ({"table bills": "r", "what bills holds": "1", "index i": "1"}, "index i of others"),
    ],
)
def test_what_other_databases_hold_stays(after: dict[str, str], told: str) -> None:
    before = {"table bills": "r", "what bills holds": "1"}
    events: list[Told] = [DECLARED]
    for moment in MOMENTS:
        held = before if moment in (PREPARATION, BEFORE) else after
        events += [replace(WELL, moment=moment), ServerSeen(moment, DATABASES, {"others": held})]
    causes = of_effects(Book(Event(1.0, one) for one in [*events, DrillEnded()]))
    said = f"Databases: {told} is another than before, by the procedure"
    assert [str(one) for one in causes] == [said] * bool(told)


@pytest.mark.parametrize(
    ("blind", "told"),
    [
        ((PREPARATION, BEFORE), ""),  # it was seen while all was well
        ((UNBROKEN, PREPARATION), ""),
        ((UNBROKEN, PREPARATION, BEFORE), "what others held before the procedure, nobody saw"),
        ((AFTER,), "what others held before its end, nobody saw"),
        ((GONE,), ""),
    ],
)
def test_another_database_that_nobody_could_look_into_is_unknown(
    blind: tuple[str, ...], told: str
) -> None:
    seen = [
        ServerSeen(one, DATABASES, {"others": {} if one in blind else {"objects": "0"}})
        for one in (UNBROKEN, *MOMENTS)
    ]
    looks = [replace(WELL, moment=moment) for moment in MOMENTS]
    causes = of_effects(Book(Event(1.0, one) for one in [DECLARED, *looks, *seen, DrillEnded()]))
    assert [(str(one), one.verdict) for one in causes] == [
        (f"Databases: {told}", Verdict.UNKNOWN)
    ] * bool(told)


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


BLIND: dict[str, dict[str, object]] = {
    "config": {},
    "tree": {},
    "origin": {
        "repository": {k: v for k, v in WELL.repository.items() if not k.startswith("origin")}
    },
    "secrets": {},
    "crontab": {"crontab": ()},
    "balancer": {"balancer": {}},
    "processes": {"processes": {}},
}


@pytest.mark.parametrize("what", BLIND)
def test_what_could_be_seen_before_and_not_behind_it_is_unknown(what: str) -> None:
    blind: dict[str, object] = {"unseen": {what: "for lack of time"}, **BLIND[what]}
    (cause,) = of_effects(book({AFTER: blind}))
    assert (cause.verdict, cause.where) == (Verdict.UNKNOWN, "Effects")
    assert "nobody saw: for lack of time" in cause.what
    assert of_effects(book(dict.fromkeys(MOMENTS, blind))) == [], "it never could be seen"


def test_a_secret_is_not_new_where_nobody_saw_whether_it_was_there() -> None:
    blind: dict[str, object] = {"unseen": {"secrets": "for lack of time"}, "secrets": ()}
    assert of_effects(book({PREPARATION: blind, BEFORE: blind})) == []
    found = of_effects(book({PREPARATION: {"secrets": ()}, BEFORE: {"secrets": ()}}))
    assert [one.verdict for one in found] == [Verdict.FAILED]
