from pathlib import Path

import pytest

from drill.cli import main

ROOT = Path(__file__).resolve().parent.parent
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
