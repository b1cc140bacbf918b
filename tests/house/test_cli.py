import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from rollback_drill.cli import main
from rollback_drill.ground.wait import wait_until
from tests.conduct.signals_support import heard

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = str(ROOT / "runbook" / "rollback.md")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--fault", "bad-luck"], "connection-exhaustion"),
        (["--stage", "moon"], "STAGE"),
        (["--procedure", "9"], "PROCEDURE"),
        (["--pace", "fast"], "PACE"),
        (["--rate", "0"], "RATE"),
        (["--rate", "nan"], "RATE"),
        (["--seed", "-1"], "SEED"),
        (["--runbook", "/nowhere/rollback.md"], "runbook"),
        (["--report", "/proc/nowhere"], "report"),
        (["--stage", "processes", "--hosts", "2"], "HOSTS"),
        (["--hazard", "earthquake"], "downgrade-forbidden"),
        (["--procedure", "4"], "ROUND_TRIP"),
        (["--authorized-by", "Night Porter"], "AUTHORIZED_BY"),
        (["--bad-option"], "make help"),
    ],
)
def test_a_users_mistake_ends_in_one_sentence_and_code_2(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    defaults = ["drill", "--runbook", RUNBOOK, "--report", str(tmp_path / "report")]
    assert main([*defaults, *arguments]) == 2
    told = capsys.readouterr().err
    assert named in told
    assert "Traceback" not in told
    assert "Try:" in told
    assert not (tmp_path / "report" / "verdict.json").exists()


def test_a_timeline_that_is_not_there_is_a_users_mistake(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["report", "--from", str(tmp_path / "no.jsonl"), "--report", str(tmp_path)]) == 2
    assert "timeline" in capsys.readouterr().err


def begin_drill(stage: str, report: Path, moment: str) -> subprocess.Popen[str]:
    """Start a drill and return once `moment` stands in its timeline."""
    drill = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "rollback_drill",
            "drill",
            "--stage",
            stage,
            "--runbook",
            RUNBOOK,
            "--report",
            str(report),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=heard,
    )
    timeline = report / "timeline.jsonl"
    for _ in wait_until(moment, 90, every_s=0.2):
        assert drill.poll() is None, drill.stdout and drill.stdout.read()
        if timeline.exists() and moment in timeline.read_text(encoding="utf-8"):
            break
    return drill


def lives(process: psutil.Process) -> bool:
    """Whether it still runs; an orphan that has ended may wait for process 1 to notice."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize(
    "moment",
    ["starting Postgres", pytest.param("StageUp", marks=pytest.mark.wide), "FaultInjected"],
)
def test_ctrl_c_heals_stops_everything_and_still_reports(
    stage_name: str, tmp_path: Path, moment: str
) -> None:
    report = tmp_path / "report"
    drill = begin_drill(stage_name, report, moment)
    children = psutil.Process(drill.pid).children(recursive=True)
    drill.send_signal(signal.SIGINT)
    output, _ = drill.communicate(timeout=60)
    assert drill.returncode == 3, output
    assert "Traceback" not in output
    assert [child for child in children if lives(child)] == []
    text = (report / "timeline.jsonl").read_text(encoding="utf-8")
    assert ('"kind":"FaultHealed"' in text) == (moment == "FaultInjected")
    assert '"kind":"DrillEnded","left_behind":[]' in text
    verdict = json.loads((report / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["verdict"] == "unknown"
    assert "interrupted" in verdict["reason"]
