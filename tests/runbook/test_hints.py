"""What a staging file says of a runbook, without anybody editing it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from rollback_drill.cli import main
from rollback_drill.ground.errors import Exit, UsageError
from rollback_drill.runbook.hints import read_hints
from rollback_drill.runbook.model import Runbook
from rollback_drill.runbook.parse import parse
from rollback_drill.runbook.problems import FORM, RunbookError
from rollback_drill.stage.hinted import hints_of, runbook_on
from tests.runbook.runbook_support import written

TEXT = """\
# Running the shop

## Deploying

```bash
./deploy.sh
```

## Getting back

### Fast

```bash
git checkout <revision>
```

### Slow

```bash
./restore.sh
```

## When the moon is full

```bash
./howl.sh
```
"""


def told(tmp_path: Path, hints: str) -> Runbook:
    """Return the runbook as a staging file with `hints` has it read."""
    stage = tmp_path / "staging.toml"
    stage.write_text(hints)
    return runbook_on(written(tmp_path, TEXT), str(stage))


def test_headings_are_mapped_to_procedures(tmp_path: Path) -> None:
    hints = '[runbook]\nsection = "Getting back"\n[runbook.procedures]\nSlow = 1\nFast = 2\n'
    with pytest.raises(RunbookError, match="how to roll back"):
        parse(written(tmp_path, TEXT))
    runbook = told(tmp_path, hints)
    assert [(one.number, one.title) for one in runbook.procedures] == [(1, "Slow"), (2, "Fast")]
    # What does not stand below the section is no part of it.
    assert runbook.unread == ()


def test_headings_are_steps_where_it_says_so(tmp_path: Path) -> None:
    hints = '[runbook]\nsection = "Getting back"\nsteps = ["Fast", "Slow"]\nbudget = "3 minutes"\n'
    (procedure,) = told(tmp_path, hints).procedures
    assert [(one.title, one.budget.high_s) for one in procedure.steps] == [
        ("Fast", 180),
        ("Slow", 180),
    ]


def test_without_it_nobody_knows_whether_they_are_steps_or_ways(tmp_path: Path) -> None:
    with pytest.raises(RunbookError):
        told(tmp_path, '[runbook]\nsection = "Getting back"\n')


def test_every_key_that_the_page_shows_is_read() -> None:
    page = (Path(__file__).parents[2] / FORM).read_text()
    (table,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    hints = read_hints(tomllib.loads(table)["runbook"], "staging.toml")
    assert all(getattr(hints, one.name) for one in fields(hints))


def test_what_is_no_part_of_it_is_left_out_and_the_rest_is_not(tmp_path: Path) -> None:
    hints = '[runbook]\nignore = ["Deploying"]\n[runbook.procedures]\nFast = 1\n'
    left = [one.text for one in told(tmp_path, hints).unread]
    assert any("howl" in one for one in left)
    assert any("restore" in one for one in left)
    assert not any("deploy" in one for one in left)


def test_blanks_are_filled_and_told(tmp_path: Path) -> None:
    hints = '[runbook.procedures]\nFast = 1\n[runbook.fill]\n"<revision>" = "v1.4"\n'
    runbook = told(tmp_path, hints)
    (block,) = runbook.procedures[0].steps[0].blocks
    assert block.alternatives[0].script == "git checkout v1.4"
    (filled,) = [one for one in runbook.assumed if one.what.startswith("blank")]
    assert (filled.line, filled.value) == (14, "v1.4")
    assert "staging.toml" in filled.source


def test_matrix_and_triggers_are_added(tmp_path: Path) -> None:
    hints = """
[runbook.procedures]
Fast = 1
[runbook.triggers]
critical = ["Error rate >3%"]
[[runbook.matrix]]
condition = "Normal"
error_rate = "<2%"
performance = "p95 <300ms"
decision = "No action"
[[runbook.matrix]]
condition = "Bad"
error_rate = ">2%"
performance = "p95 >300ms"
decision = "Execute rollback"
"""
    runbook = told(tmp_path, hints)
    assert [row.error_rate.low for row in runbook.matrix] == [0.0, 0.02]
    (trigger,) = runbook.triggers
    assert (trigger.severity, trigger.name) == ("critical", "Error rate >3%")
    sources = {one.source for one in runbook.assumed if "row of the matrix" in one.what}
    assert all("staging.toml" in one for one in sources)


@pytest.mark.parametrize("name", ["Getting home", "Fast"])
def test_a_heading_that_there_is_not_is_refused(name: str, tmp_path: Path) -> None:
    hints = (
        f'[runbook]\nsection = "{name}"\nignore = ["{name}"]\n[runbook.procedures]\n"{name} " = 1\n'
    )
    with pytest.raises(RunbookError, match="no such heading"):
        told(tmp_path, hints)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"sektion": "x"}, "did you mean section"),
        ({"words": {"rolback": ["x"]}}, "did you mean rollback"),
        ({"triggers": {"crit": ["x"]}}, "did you mean critical"),
        ({"section": 3}, "a heading in quotes"),
        ({"procedures": {"A": 1, "B": 1}}, "numbers by heading"),
        ({"procedures": {"A": 0}}, "numbers by heading"),
        ({"steps": "A"}, "a list of headings"),
        ({"budget": "soon"}, "a time such as"),
        ({"fill": {"<x>": 1}}, "a table of texts"),
        ({"matrix": [{"condition": "x"}]}, "tables with"),
        ({"matrix": [dict.fromkeys(("condition", "error_rate", "performance", "decision"), "x")]},
         "tables with"),
        ([], "a table"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_the_page(table: object, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_hints(table, "staging.toml")
    assert said in str(caught.value)
    assert FORM in str(caught.value)
    assert "staging.toml" in str(caught.value)


def test_commands_read_a_runbook_as_the_stage_has_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, stage = written(tmp_path, TEXT), tmp_path / "staging.toml"
    stage.write_text((Path(__file__).parents[2] / "examples/kinto/staging.toml").read_text())
    with stage.open("a") as file:
        file.write('\n[runbook]\nsection = "Getting back"\n[runbook.procedures]\nFast = 1\n')
    words = ["--runbook", str(path)]
    assert main(["read", *words]) == Exit.FAILED
    assert "how to roll back" in capsys.readouterr().out
    main(["read", *words, "--stage", str(stage)])
    assert "Procedure 1: Fast" in capsys.readouterr().out
    assert main(["bindings", *words, "--stage", str(stage)]) == Exit.PASSED
    assert hints_of("auto").section == ""
    # An unknown key is refused by whoever reads the file.
    stage.write_text(stage.read_text() + 'ignor = ["x"]\n')
    assert main(["check", *words, "--stage", str(stage)]) == Exit.USAGE
