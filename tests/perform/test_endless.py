"""A command that never returns is not waited for to the end of its budget, once that is proven."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.endless import Runs, comes_to_no_end, process_of, stuck_at
from rollback_drill.perform.told import CommandEnded
from rollback_drill.record.timeline import read
from tests.perform.perform_support import performed
from tests.runbook.runbook_support import changed

COMMAND = "```bash\necho old code\n```"


@pytest.mark.parametrize(
    "script",
    [
        "tail -f app.log",
        "curl -fsS http://127.0.0.1/health\ntail -F app.log | grep -i error",
        "git fetch && tail --follow app.log",
        "watch -n 10 'curl -s http://127.0.0.1/health'",
        "sleep infinity",
    ],
)
def test_what_comes_to_no_end_is_read(script: str) -> None:
    assert comes_to_no_end(script)


@pytest.mark.parametrize(
    "script",
    [
        "sleep 30",
        "timeout 60 tail -f app.log",
        "tail -f app.log | head -n 5",
        "tail -f app.log | head -n 5\ntail -f app.log",  # which of them it is nobody could tell
        "tail -f app.log &\nsleep 60\nkill %1",
        "sleep 30 &\ntail -f app.log",
        "make | tail -f",
        "tail -f < pipe",
        "trap 'exit 0' ALRM\ntail -f app.log",
        "docker logs -f api",  # ends with its container
        "ssh -N -L 1:a:1 b",
        "sudo tail -f app.log",
        "bash -c 'tail -f app.log'",
        "bash deploy.sh\ntail -f app.log",
        "while read -r line; do echo $line; done < <(tail -f app.log)",
    ],
)
def test_what_may_come_to_an_end_gets_its_whole_budget(script: str) -> None:
    assert not comes_to_no_end(script)


def test_only_the_shells_own_program_is_proven_to_be_stuck() -> None:
    tail = Runs(12, 3, ("tail", "-f", "app.log"))
    grep = Runs(13, 3, ("grep", "-i", "error"))
    assert stuck_at([grep, tail]) == tail
    assert stuck_at([Runs(3, 2, ("bash",)), tail]) == tail
    assert stuck_at([grep]) is None
    assert stuck_at([]) is None
    assert stuck_at([Runs(12, 3, ("tail", "-n", "5", "app.log"))]) is None
    of_another = Runs(12, 11, ("tail", "-f", "app.log"))
    assert stuck_at([Runs(11, 3, ("./deploy.sh",)), of_another]) is None
    assert stuck_at([Runs(12, 3, ())]) is None


@pytest.mark.parametrize(
    ("line", "runs"),
    [
        ("12\0373\037tail\037-f\037app.log\037", Runs(12, 3, ("tail", "-f", "app.log"))),
        ("12\0373\037", Runs(12, 3, ())),
        ("Welcome to host-1", None),
        ("12", None),
        ("12\037x\037tail\037", None),
        ("", None),
    ],
)
def test_what_no_look_has_written_is_no_process(line: str, runs: Runs | None) -> None:
    assert process_of(line) == runs


def ends(folder: Path) -> list[CommandEnded]:
    record = [event.what for event in read(folder / "timeline.jsonl")]
    return [one for one in record if isinstance(one, CommandEnded)]


def test_the_step_fails_long_before_its_budget_and_says_why(tmp_path: Path) -> None:
    text = changed(
        COMMAND, "```bash\ntail -n 0 -f ./$0.log 2>&1 | grep -v error\necho more >> ran\n```"
    )
    (tmp_path / "bash.log").touch()
    written, ended, _ = performed(tmp_path, text, pace=10_000)
    assert (written, ended.verdict) == ("", Verdict.FAILED)
    assert "'tail -n 0 -f ./bash.log' never returns by itself" in ended.reason
    (command,) = ends(tmp_path)
    assert command.exit_status is None
    assert 5 <= command.took_s < 30
    assert "never returns" in command.why


def test_without_pace_it_gets_all_of_its_budget(tmp_path: Path) -> None:
    text = changed(COMMAND, "```bash\ntail -f /dev/null\n```").replace("(3 minutes)", "(7 seconds)")
    _, ended, _ = performed(tmp_path, text, pace=1)
    assert "all that the budget of 7 s left it" in ended.reason
    assert ends(tmp_path)[0].why == ""
