"""A test plays the person: it reads what is shown, works in the shell that is named, and answers."""

import json
import queue
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from rollback_drill.perform.performer import choose
from rollback_drill.runbook.model import CodeBlock
from rollback_drill.runbook.parse import parse

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = ROOT / "runbook" / "rollback.md"
WORDS = ("status file", "Caddy", "supervisord", "folder")


class Person:
    """Performs what is shown, but answers too early in step 1 and leaves step 2 out."""

    def __init__(self, report: Path) -> None:
        self.drill = subprocess.Popen(
            [
                sys.executable, "-m", "rollback_drill", "drill", "--stage", "processes", "--mode", "operator",
                "--pace", "600", "--runbook", str(RUNBOOK), "--report", str(report),
            ],
            cwd=ROOT, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.seen: list[str] = []

    def _read(self) -> None:
        assert self.drill.stdout
        for line in self.drill.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def read_until(self, pattern: str) -> re.Match[str] | None:
        """Return the match in the next line that has one, None at the end of the output."""
        while (line := self.lines.get(timeout=240)) is not None:
            self.seen.append(line)
            if match := re.search(pattern, line):
                return match
        return None

    def say(self, text: str = "") -> None:
        assert self.drill.stdin
        self.drill.stdin.write(text + "\n")
        self.drill.stdin.flush()

    def work(self, shell: str, blocks: tuple[CodeBlock, ...]) -> None:
        for block in blocks:
            script = choose(block, WORDS).script
            done = subprocess.run(
                ["bash", "-c", f"set -a; . {shell}; set -euo pipefail\n{script}"],
                capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_person_is_shown_watched_timed_and_told_off(tmp_path: Path) -> None:
    report = tmp_path / "report"
    person = Person(report)
    runbook = parse(RUNBOOK)
    steps = {step.number: step.blocks for step in runbook.procedure(1).steps}
    shown = r"^(?P<section>Preparation|Procedure 1, step (?P<step>\d+)|Final verification|After the rollback): "
    while match := person.read_until(shown):
        named = person.read_until(r"bash --rcfile (?P<shell>\S+)")
        assert named
        shell = named["shell"]
        if match["section"] == "Preparation":
            person.work(shell, runbook.pre_rollback.blocks)
            person.say()
        elif match["section"] == "After the rollback":
            person.work(shell, runbook.post_rollback[0].blocks)
            person.say()
        elif match["step"] == "1":
            person.say()
            assert person.read_until(r"Not yet: .*Maintenance mode is on")
            person.work(shell, steps[1])  # its effect is seen without a word
        elif match["step"] == "2":
            person.say("skip")
        elif match["step"]:
            person.work(shell, steps[int(match["step"])])
            person.say()
        else:
            person.say()
    assert person.drill.wait(60) == 1, "\n".join(person.seen)
    verdict = json.loads((report / "verdict.json").read_text())
    failed = [
        step["title"] for step in verdict["steps"] if step["verdict"] not in ("passed", "attested")
    ]
    assert failed == ["Identify the stable release"], verdict["reason"]
    acts = [event for event in events_of(report) if event["kind"] == "OperatorActed"]
    assert [a["number"] for a in acts if a["what"] == "wrong turn"] == [1]
    assert [a["number"] for a in acts if a["what"] == "skipped"] == [2]
    assert 1 in [a["number"] for a in acts if a["what"] == "effect seen"]
    assert not Path(shell).exists()  # it held secrets
    assert (
        "1 wrong turn of the operator: Procedure 1, step 1"
        in (report / "postmortem.md").read_text()
    )


@pytest.mark.slow
@pytest.mark.wide
def test_an_operator_who_is_not_there_ends_the_drill_as_unknown(tmp_path: Path) -> None:
    report = tmp_path / "report"
    person = Person(report)
    assert person.drill.stdin
    person.drill.stdin.close()
    assert person.read_until("nothing matches this") is None
    assert person.drill.wait(60) == 3
    assert (
        "an operator at the terminal" in json.loads((report / "verdict.json").read_text())["reason"]
    )
    assert any(event["kind"] == "FaultHealed" for event in events_of(report))


def events_of(report: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (report / "timeline.jsonl").read_text().splitlines()]
