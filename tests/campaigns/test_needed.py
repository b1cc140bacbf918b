"""Which blocks `check` cannot know the programs of: it says how many, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.kinto.environment import HERE
from rollback_drill.campaigns.needed import not_looked_for, programs_needed
from rollback_drill.campaigns.stage_check import ask_all
from rollback_drill.ground.verdict import Verdict
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.file import read_staging
from rollback_drill.stage.staging import StagingStage
from tests.stage.staging_support import scripts_alone

TOML = """
[stage]
name = "by hand"
kind = "staging"
failing = "v2"
stable = "v1"
base_url = "http://127.0.0.1:1"
alternatives = ["Caddy", "supervisord"]
[[hosts]]
name = "here"
local = true
directory = "{folder}"
url = "http://127.0.0.1:1"
"""
RUNBOOK = (HERE / "runbook.md").read_text(encoding="utf-8")
FETCH = "git fetch --quiet --all --tags\n"
USED = ("Caddy", "supervisord")


def written(tmp_path: Path, *first: str) -> Path:
    """Return a runbook of which a block begins with these lines."""
    path = tmp_path / "ours.md"
    path.write_text(
        RUNBOOK.replace(FETCH, "".join(f"{one}\n" for one in first) + f"kintoctl x\n{FETCH}")
    )
    return path


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('export PATH="/opt/bin:$PATH"', "sets PATH"),
        ("source deploy/env.sh", "reads another script"),
        ("cd x && . deploy/env.sh", "reads another script"),
        ("source .venv/bin/activate", "activates an environment and reads another script"),
        ("alias k=kubectl", "makes an alias"),
    ],
)
def test_a_block_with_a_path_of_its_own_is_told(tmp_path: Path, line: str, why: str) -> None:
    runbook = parse(written(tmp_path, line))
    at = runbook.text.splitlines().index(line) + 1
    assert not_looked_for(runbook, USED) == {at: why}
    assert "kintoctl" not in programs_needed(runbook, USED)


@pytest.mark.parametrize("line", ["MY_PATH=/x", "echo activated", "git add .", "# alias x"])
def test_a_block_without_one_is_looked_at(tmp_path: Path, line: str) -> None:
    runbook = parse(written(tmp_path, line))
    assert not_looked_for(runbook, USED) == {}
    assert "kintoctl" in programs_needed(runbook, USED)


def test_the_check_says_what_it_did_not_look_for(tmp_path: Path) -> None:
    (tmp_path / "staging.toml").write_text(TOML.format(folder=tmp_path))
    runbook = parse(written(tmp_path, "source deploy/env.sh"))
    with scripts_alone():
        stage = StagingStage(read_staging(tmp_path / "staging.toml"), print)
        try:
            found = {one.what: one for one in ask_all(stage, runbook)}
        finally:
            stage.__exit__()
    told = found["here has the programs of 1 block beside these"]
    assert told.verdict is Verdict.UNKNOWN
    assert "reads another script" in told.found
