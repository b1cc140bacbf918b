"""What is joined by name is checked at the start: nothing is waited for that cannot come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from rollback_drill.breaks.fault import FAULTS, LatentDefect
from rollback_drill.breaks.hazard import HAZARDS, hazard_called
from rollback_drill.cli import main
from rollback_drill.conduct.conductor import Conductor
from rollback_drill.conduct.plans import plan_for
from rollback_drill.conduct.request import Request
from rollback_drill.conduct.triggers_read import check_joins, read_triggers
from rollback_drill.decide import trigger as triggers
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.foreign import foreign
from rollback_drill.record.book import Book
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.containers import ContainerStage
from rollback_drill.stage.model import OwnStage, Stage
from rollback_drill.stage.processes import ProcessStage
from rollback_drill.stage.staging import StagingStage
from tests.judge.record_support import changed, good

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = ROOT / "runbook" / "rollback.md"


def test_every_trigger_reads_a_sentinel_that_exists() -> None:
    check_joins()
    assert triggers.sentinels_read() == {"integrity", "security", "metrics", "pages", "adoption"}


def test_a_trigger_that_reads_no_sentinel_that_exists_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "rollback_drill.conduct.triggers_read.sentinels_read", lambda: {"integrety"}
    )
    assert main(["drill", "--stage", "processes", "--report", str(tmp_path / "r")]) == 2
    assert "a trigger that reads 'integrety'" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["--fault", "conection-exhaustion"], "did you mean connection-exhaustion?"),
        (["--fault", "Slow-Pages-5x"], "did you mean slow-pages-5x?"),
        (["--hazard", "disk-ful"], "did you mean disk-full?"),
        (["--stage", "container"], "did you mean containers?"),
        (["--mode", "operater"], "did you mean operator?"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_one_that_was_meant(
    arguments: list[str], meant: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rest = [] if "--stage" in arguments else ["--stage", "processes"]
    assert main(["drill", *arguments, *rest, "--report", str(tmp_path / "r")]) == 2
    assert meant in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "r").exists()


def test_a_hazard_without_its_step_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    request = Request(
        RUNBOOK, tmp_path / "r", stage="processes", procedure="3", hazard="downgrade-times-out"
    )
    with pytest.raises(UsageError, match=r"a step like .* for HAZARD=downgrade-times-out"):
        Conductor(plan_for(request))
    assert not (tmp_path / "r").exists()


def test_a_hazard_that_was_never_made_leaves_the_drill_unknown() -> None:
    start = next(e.what for e in good() if type(e.what).__name__ == "DrillStarted")
    judgement = judge(Book(changed(type(start), hazard="disk-full")(good())))
    assert judgement.verdict is Verdict.UNKNOWN
    assert "Hazard disk-full: it was asked for and never made" in judgement.reason


class Stray(LatentDefect):
    """A fault for a trigger that no runbook has."""

    name = "stray"
    symptom = ""
    trigger = r"raven"


def test_a_fault_whose_trigger_the_runbook_has_not_is_said_at_the_start() -> None:
    told = read_triggers(parse(RUNBOOK), fault=Stray()).fault  # type: ignore[arg-type]
    assert "a trigger like “raven”, and this runbook has none: “Data Corruption”" in told
    for make in FAULTS.members().values():
        assert read_triggers(parse(RUNBOOK), fault=make()).fault == ""


def test_a_fault_whose_trigger_is_not_held_is_said_at_the_start(tmp_path: Path) -> None:
    text = RUNBOOK.read_text(encoding="utf-8").replace("**Memory Leak**", "**Memory Leak in EU**")
    path = tmp_path / "runbook.md"
    path.write_text(text, encoding="utf-8")
    told = read_triggers(parse(path), fault=FAULTS.members()["cursor-cache-leak"]()).fault
    assert "line 25, and nothing holds “in EU” of it" in told


def words(column: str, said: str) -> Iterator[str]:
    """The names that features use: in a column of their tables, and in their sentences."""
    for path in sorted((ROOT / "features").glob("*.feature")):
        place: int | None = None
        for line in path.read_text(encoding="utf-8").splitlines():
            cells = [cell.strip() for cell in line.strip().split("|")]
            if not line.strip().startswith("|"):
                place = None
                yield from (m for m in re.findall(said, line) if "<" not in m)
            elif column in cells:
                place = cells.index(column)
            elif place is not None:
                yield cells[place]


def test_features_name_what_exists() -> None:
    book = parse(RUNBOOK)
    assert set(words("fault", r'suffers from "([^"]+)"')) <= set(FAULTS.names())
    assert set(words("hazard", r'"([^"]+)" happens in the rollback')) <= set(HAZARDS.names())
    named = set(words("trigger", r'the trigger "([^"]+)"'))
    assert named
    assert named <= {one.name for one in book.triggers}
    numbers = {str(one.number) for one in book.procedures}
    assert set(words("procedure", r"Procedure (\d+)")) <= numbers


def test_what_a_stage_may_be_told_is_its_own_word_and_refused_by_default(tmp_path: Path) -> None:
    assert not OwnStage.confined
    assert not ProcessStage.confined
    assert ContainerStage.confined
    assert StagingStage.confined
    text = RUNBOOK.read_text(encoding="utf-8")
    path = tmp_path / "runbook.md"
    path.write_text(
        text.replace("git log --oneline -1\n", "sudo reboot  # now\n"), encoding="utf-8"
    )
    book = parse(path)
    named_otherwise = SimpleNamespace(name="my-laptop", confined=False, alternatives=("script",))
    stage = cast("Stage", named_otherwise)
    assert {found for _, found in foreign(book, book.procedures[:1], stage)} >= {"sudo"}
    safe = cast("Stage", SimpleNamespace(**{**vars(named_otherwise), "confined": True}))
    assert foreign(book, book.procedures, safe) == []


def test_a_drill_on_this_very_machine_is_refused_such_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    path = tmp_path / "runbook.md"
    path.write_text(text.replace("git log --oneline -1\n", "pkill -f python\n"), encoding="utf-8")
    words_ = ["drill", "--stage", "processes", "--runbook", str(path), "--report", f"{tmp_path}/r"]
    assert main(words_) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "'pkill' in line" in told
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("apt-get -y install jq", ["apt-get -y install"]),
        ("uv pip install --system jq", [" --system"]),
        ("git config --system core.pager cat", [" --system"]),
        ("echo 'an apt remark'; uv pip install jq", []),
        ("systemd-cat --systemd", []),
    ],
)
def test_what_installs_or_sets_for_all_of_a_machine_is_told_to_nobody(
    script: str, told: list[str]
) -> None:
    assert reached(script) == told


def test_words_in_a_comment_are_told_to_nobody() -> None:
    assert reached("echo done  # never use pkill here\n# nor /etc/passwd\n") == []


def reached(script: str) -> list[str]:
    book = parse(RUNBOOK)
    step = book.procedures[0].steps[0]
    (block, *_) = step.blocks
    (way, *_) = block.alternatives
    one = replace(block, alternatives=(replace(way, script=script),))
    procedure = replace(
        book.procedures[0], steps=(replace(step, blocks=(one,)),), prerequisite_blocks=()
    )
    stage = cast("Stage", SimpleNamespace(name="processes", confined=False, alternatives=("x",)))
    rest = replace(book, pre_rollback=replace(book.pre_rollback, blocks=()), post_rollback=())
    return [words for _, words in foreign(rest, [procedure], stage)]


def test_unknown_names_have_no_neighbour() -> None:
    with pytest.raises(UsageError, match="set HAZARD to one of these names") as raised:
        hazard_called("zzzzzz")
    assert "did you mean" not in str(raised.value)
