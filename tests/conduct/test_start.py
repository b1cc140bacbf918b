"""Help and mistakes are answered before anything heavy is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rollback_drill import commands
from rollback_drill.cli import parser
from rollback_drill.ground.errors import Exit

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("scipy", "numpy", "docker", "testcontainers", "psycopg", "httpx", "locust", "jinja2")
ASK = f"""
import sys
from rollback_drill.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as ended:
    status = ended.code
print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
sys.exit(status)
"""


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], Exit.PASSED),
        (["drill", "--help"], Exit.PASSED),
        ([], Exit.USAGE),
        (["dril"], Exit.USAGE),
        (["drill", "--rate", "many"], Exit.USAGE),
        (["drill", "--runbook", "nowhere.md"], Exit.USAGE),
        (["revalidate", "--fail-on", "awful"], Exit.USAGE),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_nothing_heavy_is_loaded_for_help_or_a_mistake(arguments: list[str], status: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK, *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == status
    assert done.stderr.splitlines()[-1] == "", f"loaded: {done.stderr.splitlines()[-1]}"


def test_each_command_does_something() -> None:
    action = next(a for a in parser()._actions if a.dest == "command")
    assert action.choices
    named = {one.get_default("run") for one in dict(action.choices).values()}
    assert len(named) == len(dict(action.choices))
    assert all(callable(getattr(commands, name)) for name in named)
