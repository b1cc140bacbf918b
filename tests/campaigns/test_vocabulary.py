"""`make bindings`: what can be said in checkboxes, and what holds each box of a runbook."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rollback_drill.campaigns.found import coverage
from rollback_drill.campaigns.vocabulary import vocabulary
from rollback_drill.cli import main
from rollback_drill.ground.asked_by_make import call, verb
from rollback_drill.perform.check import registered
from rollback_drill.runbook.parse import parse

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = ROOT / "runbook" / "rollback.md"


def test_every_check_is_told_with_its_sentences() -> None:
    told = list(vocabulary())
    for one in registered():
        assert any(line.startswith(f"{one.name}: ") for line in told)
        assert {f"  - {text}" for text in one.examples} <= set(told)


def test_each_box_of_a_runbook_is_told_with_its_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bindings", "--runbook", str(RUNBOOK)]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^line \d+: error_rate: Error rate <1%$", told, re.MULTILINE)
    assert "UNCOVERED" not in told


def test_a_box_that_nothing_holds_is_named_with_what_is_near(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ours.md"
    text = RUNBOOK.read_text(encoding="utf-8")
    path.write_text(text.replace("- [ ] Pagination is off", "- [ ] Pagination is off for guests"))
    assert main(["bindings", "--runbook", str(path)]) == 1
    told = capsys.readouterr().out
    assert "UNCOVERED: Pagination is off for guests" in told
    assert "nearest are “Pagination is off”" in told


def test_boxes_after_the_rollback_are_covered_where_the_drill_performs_them(tmp_path: Path) -> None:
    path = tmp_path / "ours.md"
    text = RUNBOOK.read_text(encoding="utf-8")
    path.write_text(text.replace("the rollback\n\n### Within 24", "the moon\n\n### Within 24"))
    assert [one.item for one in coverage(parse(path)) if not one.check] == [
        "History: a tag in the origin marks the moon"
    ]


def test_make_asks_of_a_runbook_only_when_one_is_named() -> None:
    assert call(verb("bindings"), {})[1:] == ["bindings"]
    assert call(verb("bindings"), {"RUNBOOK": "ours.md"})[1:] == ["bindings", "--runbook=ours.md"]
