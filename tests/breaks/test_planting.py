"""Sabotages are planted in a real origin, looked for, and taken back."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from rollback_drill.breaks.planting import (
    look_for_edits,
    origin_kept,
    plant_release,
    run_plant,
    take_back,
)
from rollback_drill.breaks.sabotage import UP, Bash, Edit, PlantedIn, Sabotage, Sql
from rollback_drill.ground.errors import StageError, UsageError
from rollback_drill.stage.deployment import must
from rollback_drill.stage.host import LocalHost
from rollback_drill.stage.model import Stage
from rollback_drill.stage.release import build_origin
from rollback_drill.subject.subject import own

AUTH = "hostaway_mcp/auth.py"
OPEN = Edit(AUTH, "return hmac.compare_digest(given, self._key)", "return True")
NEWER = Edit("hostaway_mcp/cursors.py", "", "\nLEFT = 1\n", failing=True)


def sabotage(*plants: object, name: str = "x") -> Sabotage:
    return Sabotage(name, "it", PlantedIn.STABLE, "of_writes", plants)  # type: ignore[arg-type]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A host with an origin and a clone of it, as far as planting asks a stage."""
    subject, recipe = own()
    build_origin(recipe.layers, tmp_path / "origin.git")
    app = tmp_path / "app"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "APP_DIR": str(app)}
    must(LocalHost("host-1", tmp_path, environment), f"git clone -q {tmp_path}/origin.git {app}")
    asked: list[str] = []
    made = SimpleNamespace(
        name="here",
        hosts=(LocalHost("host-1", app, environment),),
        subject=subject,
        failing=recipe.failing,
        stable=recipe.stable,
        database=SimpleNamespace(fetch=asked.append, asked=asked),
    )
    return cast(Stage, made)


def fetched(stage: Stage, tag: str, path: str) -> str:
    """What a runbook finds that fetches tags and checks one out."""
    return must(stage.hosts[0], f"git fetch -q --tags origin; git show tags/{tag}:{path}")


def test_who_fetches_the_tag_has_what_was_planted(stage: Stage) -> None:
    some = [sabotage(OPEN), sabotage(NEWER, name="y")]
    with origin_kept(stage):
        plant_release(stage, some, failing=True)
        plant_release(stage, some, failing=False)
        assert set(look_for_edits(stage, some)) == {("x", OPEN), ("y", NEWER)}
        assert "return True" in fetched(stage, stage.stable, AUTH)
        assert "LEFT = 1" in fetched(stage, stage.failing, NEWER.path)
        dates = f"git log -1 --format=%ct {stage.stable}; git log -1 --format=%ct {stage.failing}"
        older, newer = map(int, must(stage.hosts[0], dates).split())
        assert older < newer
    with pytest.raises(StageError, match="as it was planted"):
        look_for_edits(stage, some)


def test_the_origin_is_put_back_whatever_came_of_it(stage: Stage) -> None:
    refs = 'git -C "$(git remote get-url origin)" for-each-ref'
    before = must(stage.hosts[0], refs)
    with origin_kept(stage):
        plant_release(stage, [sabotage(OPEN)], failing=False)
        must(stage.hosts[0], "git tag more; git push -q origin more")
        assert must(stage.hosts[0], refs) != before
    assert must(stage.hosts[0], refs) == before


def test_what_is_not_there_is_not_planted(stage: Stage) -> None:
    with pytest.raises(UsageError, match="nothing like it"):
        plant_release(stage, [sabotage(Edit(AUTH, "no such line", ""))], failing=False)


def test_statements_and_scripts_are_done_and_undone(stage: Stage, tmp_path: Path) -> None:
    left = tmp_path / "left"
    one = sabotage(
        Sql(UP, ("DELETE FROM listings WHERE name LIKE '%a'",), ("DROP ROLE x",)),
        Bash(UP, f"touch {left}; echo done", f"rm -f {left}"),
    )
    assert [run_plant(stage, plant) for plant in one.plants] == [  # type: ignore[arg-type]
        "1 statement(s) were executed",
        "its script ran on 1 host(s): done",
    ]
    assert left.exists()
    assert take_back(stage, [one]) == []
    assert not left.exists()
    asked = stage.database.asked  # type: ignore[attr-defined]
    assert asked == ["DELETE FROM listings WHERE name LIKE '%%a'", "DROP ROLE x"]


def test_what_fails_is_said(stage: Stage) -> None:
    failing = Bash(UP, "false", "exit 3")
    with pytest.raises(StageError):
        run_plant(stage, failing)
    assert len(take_back(stage, [sabotage(failing)])) == 1
