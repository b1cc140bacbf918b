"""What a runbook does not ask, or only seems to do, is said; of a sound one nothing is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

import pytest

from rollback_drill.breaks.sabotage import Sabotage, all_sabotages, written
from rollback_drill.campaigns.bunches import bunches
from rollback_drill.conduct.told import DrillStarted
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.red import red
from rollback_drill.perform.asked import asked_by, identities
from rollback_drill.perform.told import CommandStarted
from rollback_drill.record.book import Book
from rollback_drill.runbook.coverage import Reading
from rollback_drill.runbook.model import CodeBlock, Runbook
from rollback_drill.runbook.parse import parse, read_document
from rollback_drill.runbook.told import DocumentAsked
from rollback_drill.stage.model import ABILITIES
from tests.judge.record_support import also, changed, good

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = ROOT / "runbook" / "rollback.md"
TEXT = RUNBOOK.read_text(encoding="utf-8")
BOXES = tuple(identities(parse(RUNBOOK)))
DOUBTED = [one for one in all_sabotages().values() if one.caught_by.startswith("of_document: ")]
MASKS = [one for one in DOUBTED if not one.name.startswith("box-")]
VERIFIED = {one.plants for one in DOUBTED if "verification-checklist" in one.name}
BOXES_GONE = [one for one in DOUBTED if one.name.startswith("box-")]


def asked(tmp_path: Path, text: str, before: tuple[str, ...] = BOXES) -> DocumentAsked:
    return asked_by(document(tmp_path, text), (), before)


def document(tmp_path: Path, text: str) -> Runbook:
    path = tmp_path / "ours.md"
    path.write_text(text, encoding="utf-8")
    return parse(path)


def performed(runbook: Runbook, procedure: int) -> list[CommandStarted]:
    """What a drill of `procedure` would run, each block by its alternative for plain processes."""
    chosen = runbook.procedure(procedure)
    blocks = [*runbook.pre_rollback.blocks, *chosen.prerequisite_blocks]
    blocks += [block for step in chosen.steps for block in step.blocks]
    blocks += [block for one in runbook.post_rollback for block in one.blocks]
    return [started(block) for block in blocks]


def started(block: CodeBlock) -> CommandStarted:
    named = {"Caddy", "supervisord", "a folder", "plain processes"}
    ways = block.alternatives
    one = next((way for way in ways if way.label.removeprefix("using ") in named), ways[0])
    return CommandStarted(1, "Procedure", 1, "host-1", one.label, one.script, one.line, 30)


def outside_blocks(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the index of each line that is no part of a block's commands, and the line."""
    inside = False
    for number, line in enumerate(lines):
        inside ^= line.startswith("```")
        if line.strip() and not inside and not line.startswith("```"):
            yield number, line


def read_without(lines: list[str], number: int, folder: Path) -> Reading:
    path = folder / "less.md"
    path.write_text("".join(lines[:number] + lines[number + 1 :]), encoding="utf-8")
    return read_document(path)


def differs(whole: Runbook, less: Reading) -> bool:
    """Whether anything else was read, wherever it stands."""

    def meant(runbook: Runbook) -> str:
        fields = {f.name: getattr(runbook, f.name) for f in fields_of(runbook)}
        for name in ("path", "sha256", "title", "unread"):
            del fields[name]
        return re.sub(r"\bline=\d+", "", repr(fields))

    return meant(whole) != meant(less.runbook)


@pytest.mark.parametrize("runbook", [RUNBOOK, ROOT / "examples" / "kinto" / "runbook.md"])
def test_of_a_sound_runbook_nothing_is_said(runbook: Path) -> None:
    read = parse(runbook)
    here = () if runbook == RUNBOOK else [*ABILITIES]
    assert asked_by(read, here, identities(read)).keys == ()


def first_of_each(some: list[Sabotage]) -> list[Any]:
    """Each of `some` as a parameter; those that another one of is caught alike are wide."""
    known: set[str] = set()
    found = []
    for one in some:
        marks = (pytest.mark.wide,) if one.caught_by in known else ()
        known.add(one.caught_by)
        found.append(pytest.param([one], id=one.name, marks=marks))
    return found


def together(some: list[Sabotage]) -> list[Any]:
    """Those of `some` that fit into one document, as one parameter each."""

    def fit(members: list[Sabotage]) -> bool:
        gone = {one.plants for one in members}
        return not gone >= VERIFIED  # a runbook without any of them is none

    return [
        pytest.param(list(one), id=f"{len(one)}-at-once")
        for one in bunches(some, lambda _: 0, fit, most=100)
    ]


@pytest.mark.parametrize("some", [*first_of_each(MASKS), *together(BOXES_GONE)])
def test_what_the_document_does_not_ask_keeps_a_drill_from_passing(
    some: list[Sabotage], tmp_path: Path
) -> None:
    runbook = document(tmp_path, written(TEXT, some))
    said = asked_by(runbook, (), BOXES)
    found = red(Book(also(said, *performed(runbook, some[0].procedure))(good())))
    verdicts = {one.name: found.get(one.caught_by, ("",))[0] for one in some}
    assert verdicts == {one.name: Verdict.UNKNOWN for one in some}


def test_what_is_not_performed_is_no_doubt_of_this_drill() -> None:
    doubt = DocumentAsked((), ("hidden-failure",), (51,), ("'|| true'",), ("let it",), ((50,),))
    elsewhere = CommandStarted(1, "Procedure 1", 1, "host-1", "", "date\ndate", 20, 30)
    here = CommandStarted(1, "Procedure 1", 1, "host-1", "", "date\ndate", 50, 30)
    assert "of_document" not in red(Book(also(doubt, elsewhere)(good())))
    assert red(Book(also(doubt, here)(good())))["of_document"][0] is Verdict.UNKNOWN


def test_what_the_stage_cannot_show_need_not_be_asked(tmp_path: Path) -> None:
    text = TEXT.replace("- [ ] Metrics are being collected\n", "")
    runbook = document(tmp_path, text)
    assert "unverified metrics_collecting" in asked_by(runbook, (), ()).keys
    assert asked_by(runbook, ("metrics",), ()).keys == ()


def test_another_wording_of_a_box_is_the_same_box(tmp_path: Path) -> None:
    text = TEXT.replace("- [ ] The application was restarted", "- [ ] Restart the service")
    assert asked(tmp_path, text).keys == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("**Error Rate 5-10%**: it stays there, it is no spike", "**Error Rate 5-10%**: it stays"),
        ("**Memory Leak**: the service", "**Memory Leak**: the whole service"),
        ("| P1 (High) | Engineering Lead or above |", "| P1 (High) | Engineering Manager |"),
        ("#### Step 2: Verify that the feature is off (1 minute)", "#### Step 2: Look (2 minutes)"),
    ],
)
def test_another_wording_of_a_part_is_the_same_part(old: str, new: str, tmp_path: Path) -> None:
    assert TEXT.count(old) == 1
    assert asked(tmp_path, TEXT.replace(old, new)).keys == ()


@pytest.mark.wide  # reads the document once for each of its lines
def test_no_line_is_lost_that_changes_what_is_performed_or_decided(tmp_path: Path) -> None:
    """Each line outside the blocks is taken away once: what was read differs, and it is said."""
    lines, here = TEXT.splitlines(keepends=True), parse(RUNBOOK)
    unsaid = [
        line
        for number, line in outside_blocks(lines)
        if differs(here, one := read_without(lines, number, tmp_path))
        and not (one.problems.found or one.runbook.unread or asked_by(one.runbook, (), BOXES).keys)
    ]
    assert [line for line in unsaid if not line.startswith("- **Reason**: ")] == []


def test_a_box_that_was_never_there_is_not_missed(tmp_path: Path) -> None:
    text = TEXT.replace("- [ ] No customer complaints\n", "")
    assert asked(tmp_path, text, before=()).keys == ()


def test_an_old_record_says_nothing_of_it() -> None:
    assert "of_document" not in red(Book(changed(DrillStarted, seed=2)(good())))
