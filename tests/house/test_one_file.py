"""One file adds a member to a family, wherever on the path a folder is called as the engine.

A drill is held with a fault, a hazard, a check, a trigger, a sentinel and a stage of a team's own.
Each of them that names what does not exist is refused before anything is touched.
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

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = ROOT / "runbook" / "rollback.md"
FAULT = '''
from rollback_drill.breaks.fault import LatentDefect, Scene, fault
from rollback_drill.stage import http


@fault
class EmptyTotals(LatentDefect):
    """Latent defect: lists say that there is nothing in all."""

    name = "empty-totals"
    symptom = "a list of rows says that there are 0 in all"
    trigger = "totals"

    def inject(self, scene: Scene) -> str:
        scene.stage.defects.set_defects({"wrong_totals": True})
        return self.symptom

    def attest(self, scene: Scene) -> tuple[bool, str]:
        headers = {"X-API-Key": scene.stage.api_key}
        seen = http.get(f"{scene.stage.base_url}/api/listings?limit=2", headers=headers).json()
        return seen["meta"]["total"] == 0, f"{len(seen['items'])} rows of {seen['meta']['total']}"
'''
HAZARD = '''
from rollback_drill.breaks.hazard import hazard
from rollback_drill.stage.host import look
from rollback_drill.stage.model import Stage


@hazard
class LeftNote:
    """Somebody leaves a note among the backups."""

    name = "left-note"
    step = "restart the application"
    needs = ("process",)
    mastered = True

    def arm(self, stage: Stage) -> str:
        for host in stage.hosts:
            host.run('echo hello > "$BACKUP_DIR/note"', limit_s=10)
        return "a note lies among the backups"

    def disarm(self, stage: Stage) -> str:
        said = [look(h, 'cat "$BACKUP_DIR/note" || true', limit_s=10).stdout for h in stage.hosts]
        for host in stage.hosts:
            host.run('rm -f "$BACKUP_DIR/note"', limit_s=10)
        return f"it says {said[0].strip()}"
'''
SENTINEL = '''
from rollback_drill.ground.verdict import Verdict
from rollback_drill.stage import http
from rollback_drill.watch.sentinel import Look, StageSentinel, sentinel


@sentinel
class Totals(StageSentinel):
    """Fails when a list of rows says that there are none."""

    name = "totals"
    needs = ("listings",)
    every_s = 0.5

    def look(self) -> Look:
        headers = {"X-API-Key": self._stage.api_key}
        (url, *_) = self._stage.direct_urls.values()
        total = http.get(f"{url}/api/listings?limit=2", headers=headers).json()["meta"]["total"]
        return Look(Verdict.PASSED if total else Verdict.FAILED, f"a list says {total} in all")
'''
TRIGGER = '''
import re

from rollback_drill.decide.evidence import Evidence
from rollback_drill.decide.trigger import Firing, PlainWatch, watch


@watch(r"totals are wrong")
class WrongTotals(PlainWatch):
    """Two looks in a row saw a list that says nothing of its rows."""

    sentinel = "totals"

    def __init__(self, match: re.Match[str]) -> None:
        del match

    def look(self, evidence: Evidence) -> Firing | None:
        series = evidence.series(self.sentinel)
        return Firing(series.failed_at[1], True, (series.failure,)) if series.streak > 1 else None
'''
CHECK = '''
import re

from rollback_drill.ground.finding import Finding, judged
from rollback_drill.perform.check import Moment, check
from rollback_drill.stage import http


@check(r"lists count what they hold", examples=["Lists count what they hold"], needs="listings")
def lists_count(moment: Moment, match: re.Match[str]) -> Finding:
    """A list says how many rows it has."""
    del match
    headers = {"X-API-Key": moment.stage.api_key}
    (url, *_) = moment.stage.direct_urls.values()
    count = http.get(f"{url}/api/listings?limit=2", headers=headers).json()["count"]
    return judged(count == 2, f"a list of 2 counts {count}", "2")
'''
STAGE = '''
from collections.abc import Callable

from rollback_drill.ground.errors import UsageError
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.opening import stage_kind
from rollback_drill.stage.processes import ProcessStage


class Rehearsal(ProcessStage):
    """Processes, under another name."""

    name = "rehearsal"


@stage_kind
class Rehearsals:
    name = "rehearsal"
    turn = 0
    because = ""

    def refusal(self) -> UsageError | None:
        return None

    def open(self, options: StageOptions, reason: str, progress: Callable[[str], None]) -> Stage:
        return Rehearsal(options, reason, progress)
'''
FILES = {
    "faults/totals": FAULT,
    "hazards/note": HAZARD,
    "sentinels/totals": SENTINEL,
    "triggers/totals": TRIGGER,
    "checks/totals": CHECK,
    "stages/rehearsal": STAGE,
}


def add(folder: Path, **files: str) -> Path:
    """Write a team's files; return the folder that has to be on the path."""
    for name, text in files.items():
        path = folder / "rollback_drill" / "team" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


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
        add(tmp_path, **FILES), "--stage", "rehearsal", "--fault", "empty-totals", "--hazard",
        "left-note", "--procedure", "1", "--report", str(report), runbook=runbook,
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
            "sentinels/totals", '"listings"', '"listing"', (),
            "sentinel totals needs 'listing'. Try: did you mean listings?",
        ),
        (
            "triggers/totals", 'sentinel = "totals"', 'sentinel = "totls"', (),
            "a trigger that reads 'totls'. Try: did you mean totals?",
        ),
        (
            "checks/totals", 'needs="listings"', 'needs="listngs"', (),
            "check lists_count needs 'listngs'. Try: did you mean listings?",
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
    planted = {**FILES, name: FILES[name].replace(old, new, 1) if old else FILES[name]}
    stage = () if "--stage" in words else ("--stage", "rehearsal")
    code, told = drill(
        add(tmp_path, **planted), *stage, "--procedure", "1", *words, "--report", str(report)
    )
    assert code == 2, told
    assert said in told
    assert not report.exists()
