"""Each sabotage says what it breaks, finds it in the healthy release, and names who catches it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rollback_drill.breaks.sabotage import (
    Edit,
    PlantedIn,
    Rewrite,
    Sabotage,
    all_sabotages,
    edited,
    sabotages_called,
    written,
)
from rollback_drill.campaigns.bunches import known_keys
from rollback_drill.ground.errors import UsageError
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.release import texts_of
from rollback_drill.subject.subject import own

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = ROOT / "runbook" / "rollback.md"
SABOTAGES = all_sabotages()
RECIPE = own()[1]
RELEASES = {
    failing: texts_of(RECIPE.layers, RECIPE.failing if failing else RECIPE.stable)
    for failing in (True, False)
}


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_sabotage_finds_what_it_breaks(name: str) -> None:
    one = SABOTAGES[name]
    text = RUNBOOK.read_text(encoding="utf-8")
    assert one.plants
    for failing, files in RELEASES.items():
        changed = edited(files, [one], failing=failing)
        assert all(files.get(path, "") != text for path, text in changed.items())
        for path, program in changed.items():
            if path.endswith(".py"):
                compile(program, path, "exec")
    assert (written(text, [one]) != text) == any(isinstance(p, Rewrite) for p in one.plants)


def test_each_is_to_be_caught_by_something_that_is_there() -> None:
    known = known_keys(parse(RUNBOOK))
    strays = {
        one.name: one.caught_by
        for one in SABOTAGES.values()
        if not {one.caught_by, one.caught_by.partition(": ")[0]} & known
    }
    assert strays == {}


def test_what_is_not_there_cannot_be_broken() -> None:
    one = Sabotage("x", "nothing", PlantedIn.STABLE, "of_writes", (Edit("app.py", "a", "b"),))
    with pytest.raises(UsageError, match=r"app[.]py for x"):
        edited({"app.py": "c"}, [one], failing=False)
    with pytest.raises(UsageError, match="the runbook for x"):
        written("c", [replace(one, plants=(Rewrite("a", "b"),))])


def test_sabotages_of_one_file_compose() -> None:
    first = Sabotage("x", "a", PlantedIn.STABLE, "of_writes", (Edit("app.py", "a", "b"),))
    second = replace(first, name="y", plants=(Edit("app.py", "", "!"), Edit("new.py", "", "n")))
    assert edited({"app.py": "a"}, [first, second], failing=False) == {
        "app.py": "b!",
        "new.py": "n",
    }
    assert edited({"app.py": "a"}, [first, second], failing=True) == {}


def test_a_name_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean"):
        sabotages_called(["p1-reservation-fail"])


def test_what_another_one_rewrites_is_not_planted_beside_it() -> None:
    def one(name: str, old: str, new: str) -> Sabotage:
        return Sabotage(name, "a line", PlantedIn.RUNBOOK, "compiles", (Rewrite(old, new),))

    first, second = one("first", "fetch", "sleep 3; fetch"), one("second", "sleep 3;", "true;")
    assert written("fetch", [first]) == "sleep 3; fetch"
    with pytest.raises(UsageError, match=r"for first.*another one rewrote it"):
        written("fetch", [first, second])
