"""Which sabotages are held together, what is made of a drill with them, and what the matrix says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rollback_drill.breaks.sabotage import Edit, PlantedIn, Rewrite, Sabotage
from rollback_drill.campaigns import sabotage
from rollback_drill.campaigns.bunches import bunches, places
from rollback_drill.campaigns.matrix import (
    Found,
    HeldSabotage,
    Matrix,
    keep_held,
    kept_outcomes,
    write_matrix,
)
from rollback_drill.campaigns.planted import HeldWith
from rollback_drill.campaigns.sabotage import Campaign, chosen, hold_all, settings_of_clean
from rollback_drill.ground.errors import StageError, UsageError
from rollback_drill.ground.verdict import Verdict
from rollback_drill.runbook.parse import parse

RUNBOOK = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
RED = (Verdict.FAILED, "it is red")


def planted(name: str, caught_by: str = "of_writes", **changes: object) -> Sabotage:
    plants = (Edit("x.py", "", "1"),)
    one = Sabotage(name, f"{name} is broken", PlantedIn.STABLE, caught_by, plants)
    return replace(one, **changes)  # type: ignore[arg-type]


def drill(*red: str, verdict: Verdict = Verdict.FAILED, **planted: int) -> HeldWith:
    return HeldWith(verdict, {key: (verdict, f"{key} is red") for key in red}, planted, False, "")


def held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drills: list[object], **asked: object
) -> list[Matrix]:
    """Hold sabotages a, b and c, by the drills that come one after another."""
    every = {one: planted(one, f"check_{one}") for one in "abc"}
    monkeypatch.setattr(sabotage, "all_sabotages", lambda: every)
    monkeypatch.setattr(sabotage, "_check_all", lambda some, runbook: None)

    def hold(stages: object, some: list[Sabotage], *rest: object) -> object:
        told.append("+".join(one.name for one in some) or "clean")
        return drills.pop(0)

    told: list[str] = []
    monkeypatch.setattr(sabotage, "_hold", hold)
    found = list(hold_all(Campaign(RUNBOOK, tmp_path, **asked)))  # type: ignore[arg-type]
    TOLD[:] = told
    return found


TOLD: list[str] = []


def test_what_turns_other_checks_red_at_the_same_time_is_held_together() -> None:
    some = [planted(name, name) for name in "abcd"] + [planted("again", "a")]
    found = bunches(some, lambda one: one.procedure, lambda _: True, most=3)
    assert [[one.name for one in bunch] for bunch in found] == [["a", "b", "c"], ["d", "again"]]


def test_what_cannot_be_held_together_is_not() -> None:
    some = [planted("a", "a"), planted("b", "b", procedure=2), planted("c", "c", alone=True)]
    some += [planted("d", "d")]
    apart = bunches(some, lambda one: one.procedure, lambda _: True)
    assert [[one.name for one in bunch] for bunch in apart] == [["a", "d"], ["b"], ["c"]]
    assert len(bunches(some, lambda one: 0, lambda _: False)) == 4


def test_a_check_has_its_place_in_the_procedure() -> None:
    place = places(parse(RUNBOOK), 1)
    assert place("maintenance_enabled") == place("budget: Enter maintenance") == 1
    assert place("restarted") == place("budget: Restart the application") == 4
    assert place("authentication") == place("of_writes") == place("team_notified") == 1000
    assert place("of_document: Runbook, gone x") == place("of_triggers: Trigger “x”")
    assert place("command: Preparation") != place("command: Enter maintenance") != 1
    assert places(parse(RUNBOOK), 2)("backup_exists") == 0


def test_in_a_bunch_each_is_caught_by_its_own_check_and_the_rest_is_held_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drills = [
        drill("check_a", "check_x", a=1, b=1, c=1),
        drill("check_x", b=1),
        drill(verdict=Verdict.PASSED, c=1),
    ]
    *_, last = held(tmp_path, monkeypatch, list(drills))
    assert TOLD == ["a+b+c", "b", "c"]
    fates = {name: (one.fate, one.how) for name, one in last.outcomes.items()}
    assert fates == {
        "a": (Found.CAUGHT, "in a bunch of 3"),
        "b": (Found.ELSEWHERE, "alone"),
        "c": (Found.SURVIVED, "alone"),
    }
    assert not last.good


def test_what_was_held_is_not_held_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    caught = drill("check_a", "check_b", "check_c", a=1, b=1, c=1)
    clean = drill(verdict=Verdict.PASSED)
    *_, first = held(tmp_path, monkeypatch, [clean, caught], clean=1)
    assert TOLD == ["clean", "a+b+c"]
    *_, again = held(tmp_path, monkeypatch, [], clean=1)
    assert TOLD == []
    assert again.outcomes == first.outcomes
    assert again.good
    held(
        tmp_path,
        monkeypatch,
        [drill("check_a", a=1), drill("check_b", b=1), drill("check_c", c=1)],
        singly=True,
    )
    assert TOLD == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("came", "fate"),
    [
        (drill(verdict=Verdict.PASSED), Found.UNPLANTED),
        (replace(drill("check_a", a=1), never_performed=frozenset("a")), Found.UNPLANTED),
        (drill(verdict=Verdict.PASSED, a=1), Found.SURVIVED),
        (drill("check_a", verdict=Verdict.UNKNOWN, a=1), Found.UNKNOWN),
        (drill("check_b", "check_a", a=1), Found.CAUGHT),
        (drill("check_a"), Found.CAUGHT),
        (StageError("a host", "none", "wait"), Found.UNPLANTED),
    ],
)
def test_what_became_of_a_sabotage(
    came: object, fate: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, last = held(tmp_path, monkeypatch, [came], only=("a",))
    assert last.outcomes["a"].fate == fate


def test_what_nobody_could_tell_is_held_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsure = drill("check_a", verdict=Verdict.UNKNOWN, a=1)
    held(
        tmp_path, monkeypatch, [unsure, StageError("a host", "none", "wait")], only=("a",), clean=1
    )
    again = [drill(verdict=Verdict.PASSED), drill("check_a", a=1)]
    *_, last = held(tmp_path, monkeypatch, list(again), only=("a",), clean=1)
    assert TOLD == ["clean", "a"]
    assert last.good


def test_what_nobody_asks_for_is_unknown_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = planted("a", "of_document: Runbook, hidden-failure")
    unsure = drill(one.caught_by, verdict=Verdict.UNKNOWN, a=1)
    assert sabotage._outcome(one, "k", unsure, "alone").fate == Found.CAUGHT


def test_more_hosts_than_a_stage_has_are_not_to_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = {"a": planted("a", hosts=2)}
    monkeypatch.setattr(sabotage, "all_sabotages", lambda: every)
    monkeypatch.setattr(sabotage, "_check_all", lambda some, runbook: None)
    *_, last = hold_all(Campaign(RUNBOOK, tmp_path))
    assert last.outcomes["a"].fate == Found.NOT_HERE
    assert last.good


def test_clean_drills_differ_in_procedure_seed_and_rate() -> None:
    settings = settings_of_clean(Campaign(RUNBOOK, Path("x"), clean=8, seed=5, stage="containers"))
    assert {one.procedure for one in settings} == {1, 2, 3, 4}
    assert [one.seed for one in settings] == [*range(5, 13)]
    assert len({one.rate for one in settings}) > 1
    assert {one.hosts for one in settings} == {1, 2}


def test_a_pattern_that_nothing_matches_is_refused() -> None:
    assert {one.name for one in chosen(["auth-*"])} >= {"auth-open", "auth-prefix"}
    with pytest.raises(UsageError, match="auth-nobody"):
        chosen(["auth-nobody"])


def test_the_matrix_says_by_check_what_became_of_each(tmp_path: Path) -> None:
    some = [planted("a"), planted("b"), planted("c", "error_rate")]
    outcomes = {
        "a": HeldSabotage("1", "a", Found.CAUGHT, ("of_writes",), "2 are lost", "alone"),
        "b": HeldSabotage("2", "b", Found.SURVIVED, (), "", "alone"),
    }
    red = HeldSabotage("3", "clean drill 1", Found.ELSEWHERE, ("error_rate",), "2 %", "alone")
    matrix = Matrix("0.1.0", "2026-11-27", some, outcomes, (red,))
    write_matrix(matrix, tmp_path)
    told = json.loads((tmp_path / "sabotage.json").read_text())
    assert told["totals"] == {
        "sabotages": 3,
        "caught": 1,
        "caught by another": 0,
        "unknown": 0,
        "survived": 1,
        "not planted": 0,
        "not to be had here": 0,
        "not held": 1,
        "clean drills": 1,
        "clean drills that were red": 1,
    }
    assert {one["name"]: one["fate"] for one in told["sabotages"]} == {
        "a": "caught", "b": "survived", "c": None,
    }  # fmt: skip
    assert told["good"] is False
    for name in ("sabotage.html", "sabotage.md"):
        text = (tmp_path / name).read_text()
        assert text.index("error_rate") < text.index("of_writes") < text.index("survived, alone")
        assert "a is broken" in text
    sentences = "\n".join(matrix.sentences())
    assert "b: survived, alone" in sentences
    assert "1, 1 of them red" in sentences


def test_an_outcome_of_another_version_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    one = HeldSabotage("1", "a", Found.CAUGHT, ("of_writes",), "", "alone")
    keep_held(path, [one])
    with path.open("a") as file:
        file.write('{"key": 7}\n')
    assert kept_outcomes(path) == {"1": one}
    assert kept_outcomes(tmp_path / "none") == {}


def test_a_sabotage_that_finds_nothing_is_refused_before_any_drill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stray = planted("a", plants=(Rewrite("not in any runbook", ""),))
    monkeypatch.setattr(sabotage, "all_sabotages", lambda: {"a": stray})
    with pytest.raises(UsageError, match="not in any runbook"):
        next(iter(hold_all(Campaign(RUNBOOK, tmp_path))))
