"""`docs/adding.md` shows one file for each family, and each does what the page says of it.

A drill is held with them in `test_one_file`, a record is judged and shown in
`tests/report/test_added_by_one_file`.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import rollback_drill
from tests.house.page_support import FILES, PAGE, ROOT, files_of, put

ENGINE = Path(rollback_drill.__file__).parent
SCRIPT = """
import json, sys
from pathlib import Path
from rollback_drill.breaks.fault import FAULTS
from rollback_drill.breaks.hazard import HAZARDS
from rollback_drill.decide.attribution import ALIBIS
from rollback_drill.decide.diagnosis import SCENARIOS
from rollback_drill.decide.trigger import TRIGGERS
from rollback_drill.perform.check import CHECKS, bind
from rollback_drill.record.judge import JUDGES, all_judges
from rollback_drill.record.told import kinds
from rollback_drill.record.section import SECTIONS, all_sections
from rollback_drill.runbook.lint import RULES, lint_document
from rollback_drill.stage.opening import STAGES
from rollback_drill.watch.sentinel import SENTINELS

all_judges(), all_sections()
families = (
    FAULTS, HAZARDS, SENTINELS, TRIGGERS, CHECKS, SCENARIOS, ALIBIS, STAGES, RULES, JUDGES, SECTIONS
)
print(json.dumps({
    "names": [name for family in families for name in family.names()],
    "kinds": [*kinds()],
    "bound": bind("Lists count what they hold").name,
    "stage": STAGES.find("rehearsal", "").name,
    "lint": [f"{one.rule}, line {one.line}: {one.what}" for one in lint_document(Path(sys.argv[1]))],
}))
"""


def families() -> set[str]:
    """Return the folder of each family that the engine has."""
    calls = (
        node.args[0]
        for path in ENGINE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Family", "modules")
    )
    return {str(one.value) for one in calls if isinstance(one, ast.Constant)}


def test_each_family_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert len(families()) > 9
    assert [
        one for one in families() if f"`{one}/`" not in page and f"`{one}.py`" not in page
    ] == []


def test_each_file_of_the_page_adds_its_member(tmp_path: Path) -> None:
    runbook = tmp_path / "ours.md"
    runbook.write_text("# Ours\n\n```bash\ncurl http://example.com/x\n```\n")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(runbook)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(put(tmp_path, FILES))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert {
        "empty-totals", "left-note", "totals", "WrongTotals", "lists_count", "rehearsal",
        "wrong_totals", "the machine of the clients is the cause", "plain-http", "of_rain", "the_rain", "the_releases",
    } <= {*said["names"]}  # fmt: skip
    assert "Rained" in said["kinds"]
    assert (said["bound"], said["stage"]) == ("lists_count", "rehearsal")
    assert "plain-http, line 4: http://example.com/x is asked without encryption" in said["lint"]


def test_what_the_page_shows_is_styled_as_the_rest(tmp_path: Path) -> None:
    put(tmp_path, FILES)
    ruff = [sys.executable, "-m", "ruff"]
    alike = ["--no-cache", "--config", str(ROOT / "pyproject.toml")]
    for words in (["format", "--check"], ["check", "--ignore", "D,ARG"]):
        done = subprocess.run(
            [*ruff, *words, *alike, str(tmp_path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_a_block_that_is_no_file_is_none() -> None:
    assert files_of("```python\nprint()\n```\n") == {}
    text = "```python\n# rollback_drill/a/b.py\nprint()\n```\n"
    assert files_of(text) == {"rollback_drill/a/b.py": "print()\n"}
