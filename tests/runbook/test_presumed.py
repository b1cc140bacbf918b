"""A file that a procedure presumes is supplied, or it is said why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.perform.supply import supply
from rollback_drill.runbook.model import Alternative, Budget, CodeBlock, Procedure, Step
from rollback_drill.stage.host import LocalHost

BUDGET = Budget(60.0, 60.0, "1 minute")


def told(folder: Path, dump: str) -> list[str]:
    """Supply what a restore reads on a host whose pg_dump is the script `dump`."""
    tools = folder / "tools"
    tools.mkdir()
    (tools / "pg_dump").write_text(f"#!/bin/bash\n{dump}\n")
    (tools / "pg_dump").chmod(0o755)
    block = CodeBlock((Alternative("", "psql -d shop < kept/backup.sql", 7),), 6)
    step = Step(1, "Restore", BUDGET, (block,), (), 5)
    procedure = Procedure(1, "Database", "", BUDGET, (), (step,), 3)
    variables = {"PATH": f"{tools}:/usr/bin:/bin", "DB_HOST": "x", "DB_USER": "x", "DB_NAME": "x"}
    return list(supply(procedure, LocalHost("host-1", folder, variables)))


@pytest.mark.parametrize(
    ("dump", "there", "said"),
    [
        ("exit 0", False, "a dump from before the fault was supplied"),
        ("echo no room >&2; exit 1", False, "it could not be supplied: no room"),
        ("exit 3", False, "it could not be supplied: status 3"),
        ("exit 0", True, "one was there already, and the drill does not know of what"),
    ],
)
def test_what_became_of_a_presumed_file_is_said(
    tmp_path: Path, dump: str, there: bool, said: str
) -> None:
    if there:
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept" / "backup.sql").write_text("old")
    assert told(tmp_path, dump) == [
        f"line 7 reads kept/backup.sql, which nothing in the procedure makes: {said}"
    ]
