"""One file adds a member to a family, wherever on the path a folder is called as the engine.

A drill is held with what `docs/adding.md` shows of each family. Each of them that names what does
not exist is refused before anything is touched.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rollback_drill.breaks.told import FaultAttested, HazardArmed, HazardOver
from rollback_drill.decide.told import Decided
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import Checked
from rollback_drill.record.timeline import read
from rollback_drill.watch.told import Looked
from tests.house.page_support import FILES, ROOT, put

RUNBOOK = ROOT / "runbook" / "rollback.md"
TEAM = "rollback_drill/team/"


def drill(path: Path, *words: str, runbook: Path = RUNBOOK) -> tuple[int, str]:
    """Hold a drill with `path` on the path; return its exit code and all that it said."""
    done = subprocess.run(
        [sys.executable, "-m", "rollback_drill", "drill", "--runbook", str(runbook), *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.mark.slow
@pytest.mark.drill
@pytest.mark.wide  # that each file adds its member is found by test_adding
def test_a_drill_is_held_with_a_file_for_each_member(tmp_path: Path) -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    box, trigger = "- [ ] API requests succeed\n", "- **P0 Incident**"
    assert box in text
    assert trigger in text
    text = text.replace(box, f"{box}- [ ] Lists count what they hold\n")
    text = text.replace(trigger, f"- **Totals**: totals are wrong\n{trigger}")
    runbook = tmp_path / "runbook.md"
    runbook.write_text(text, encoding="utf-8")
    report = tmp_path / "report"
    code, said = drill(
        put(tmp_path, FILES), "--stage", "rehearsal", "--fault", "empty-totals", "--hazard",
        "left-note", "--procedure", "1", "--pace", "600", "--report", str(report), runbook=runbook,
    )  # fmt: skip
    assert code == 0, said
    verdict = json.loads((report / "verdict.json").read_text())
    assert (verdict["verdict"], verdict["stage"]) == ("passed", "rehearsal")
    assert (verdict["fault"], verdict["decision"]["trigger"]) == ("empty-totals", "Totals")
    record = [event.what for event in read(report / "timeline.jsonl")]
    assert [one.seen for one in record if isinstance(one, FaultAttested)] == [True]
    looks = [one for one in record if isinstance(one, Looked) and one.sentinel == "totals"]
    assert {one.verdict for one in looks} >= {Verdict.PASSED, Verdict.FAILED}
    assert [one.trigger for one in record if isinstance(one, Decided)] == ["Totals"]
    assert [one.name for one in record if isinstance(one, HazardArmed)] == ["left-note"]
    assert [one.seen for one in record if isinstance(one, HazardOver)] == ["it says hello"]
    checked = [one for one in record if isinstance(one, Checked) and one.check == "lists_count"]
    assert {one.verdict for one in checked} == {Verdict.PASSED}


@pytest.mark.parametrize(
    ("name", "old", "new", "words", "said"),
    [
        (
            "faults/totals", "LatentDefect):", "LatentDefect):\n    needs = ('defcts',)", (),
            "fault empty-totals needs 'defcts'. Try: did you mean defects?",
        ),
        (
            "hazards/note", "process", "proces", (),
            "hazard left-note needs 'proces'. Try: did you mean process?",
        ),
        (
            "hazards/note", "restart the application", "restart teh application",
            ("--hazard", "left-note"),
            "did you mean “Restart the application”?",
        ),
        (
            "sentinels/totals", '"known"', '"knwn"', (),
            "sentinel totals needs 'knwn'. Try: did you mean known?",
        ),
        (
            "triggers/totals", 'sentinel = "totals"', 'sentinel = "totls"', (),
            "a trigger that reads 'totls'. Try: did you mean totals?",
        ),
        (
            "checks/totals", 'needs="known"', 'needs="knwn"', (),
            "check lists_count needs 'knwn'. Try: did you mean known?",
        ),
        (
            "stages/rehearsal", "", "", ("--stage", "rehersal"),
            "'rehersal'. Try: did you mean rehearsal?",
        ),
        (
            "faults/totals", "", "", ("--fault", "empty-totls"),
            "'empty-totls'. Try: did you mean empty-totals?",
        ),
        (
            "faults/totals", '"empty-totals"', '"postgres-down"', (),
            "rollback_drill.breaks.faults.outside and rollback_drill.team.faults.totals define it",
        ),
    ],
)  # fmt: skip
def test_a_member_that_names_what_does_not_exist_ends_the_start(
    name: str, old: str, new: str, words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    report = tmp_path / "report"
    path = f"{TEAM}{name}.py"
    planted = {**FILES, path: FILES[path].replace(old, new, 1) if old else FILES[path]}
    stage = () if "--stage" in words else ("--stage", "rehearsal")
    code, told = drill(
        put(tmp_path, planted), *stage, "--procedure", "1", *words, "--report", str(report)
    )
    assert code == 2, told
    assert said in told
    assert not report.exists()
