"""Pace shortens the window of a step that watches, and none of its commands."""

from __future__ import annotations

from pathlib import Path

from rollback_drill.ground.verdict import Verdict
from tests.perform.perform_support import performed
from tests.runbook.runbook_support import changed

WATCHING = "```bash\necho watching\n```"


def test_a_command_that_ends_by_itself_is_not_cut_with_the_window(tmp_path: Path) -> None:
    text = changed(WATCHING, "```bash\nsleep 1.5\necho whole >> ran\n```")  # fmt: skip
    written, ended, _ = performed(tmp_path, text, 3, pace=10_000)
    assert (written, ended.verdict) == ("whole", Verdict.PASSED)


def test_a_command_of_a_watch_step_that_fails_fails_it(tmp_path: Path) -> None:
    text = changed(WATCHING, "```bash\nsleep 1.5\nfalse\n```")
    assert performed(tmp_path, text, 3, pace=10_000)[1].verdict is Verdict.FAILED


def test_what_watches_without_an_end_is_ended_with_the_window(tmp_path: Path) -> None:
    text = changed(WATCHING, "```bash\necho began >> ran\ntail -f /dev/null\n```")
    written, ended, _ = performed(tmp_path, text, 3, pace=10_000)
    assert (written, ended.verdict) == ("began", Verdict.PASSED)
