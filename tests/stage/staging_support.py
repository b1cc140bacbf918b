"""How the tests of staging environments hold a drill there and read what came of it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollback_drill.ground.wait import wait_until

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "runbook" / "rollback.md").read_text()
# With somebody to call, as on a machine that is to be drilled.
FILLED = re.sub(r"\[name\]", "Grace", RUNBOOK)

needs_ssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh on this machine")


@contextlib.contextmanager
def scripts_alone() -> Iterator[None]:
    """Have this machine's hosts of staging to oneself: who ends what dead drills left on a host
    ends it for all who test beside him.
    """
    path = Path(tempfile.gettempdir(), f"rollback-drill-tests-of-hosts-{os.geteuid()}")
    with path.open("ab") as file:
        for _ in wait_until("the hosts of staging to oneself", 250, every_s=0.2):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
        yield


def write(folder: Path, toml: str, runbook: str = FILLED) -> list[str]:
    """Return the words that name the stage and the runbook on the command line."""
    (folder / "staging.toml").write_text(toml)
    (folder / "runbook.md").write_text(runbook)
    return ["--stage", f"{folder}/staging.toml", "--runbook", f"{folder}/runbook.md"]


def drill(folder: Path, toml: str, runbook: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Hold a drill as a user does; its report is in `folder`/report."""
    command = ["drill", *write(folder, toml, runbook), "--report", f"{folder}/report"]
    # A machine that others use has no priority here: at 100 requests/s it could not keep up.
    command += ["--rate", "50", "--pace", "600", *words]
    return subprocess.run(
        [sys.executable, "-m", "rollback_drill", *command],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=280,
        check=False,
    )  # fmt: skip


def verdict_in(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report" / "verdict.json").read_text())
    return found


def commands_in(folder: Path) -> list[dict[str, Any]]:
    """Return every command that the runbook's alternatives ran, as recorded."""
    lines = (folder / "report" / "timeline.jsonl").read_text().splitlines()
    return [e for e in map(json.loads, lines) if e["kind"] == "CommandStarted"]


def fake_kubectl(folder: Path, behind: str = "") -> Path:
    """Put a `kubectl` into `folder` that records its words and really runs the command.

    `behind`: what runs it, by default this machine itself. Return the file with the record, one
    line for each call.
    """
    folder.mkdir(exist_ok=True)
    record = folder / "record"
    (folder / "kubectl").write_text(
        "#!/usr/bin/env bash\n"
        f"printf '%q ' \"$@\" >> {record}; echo >> {record}\n"
        'while [ "$1" != -- ]; do shift; done; shift\n'
        f'exec {behind} "$@"\n'
    )
    (folder / "kubectl").chmod(0o755)
    return record


GOOD = """
[stage]
name = "checked"
kind = "staging"
failing = "v2"
stable = "v1"
base_url = "http://127.0.0.1:1"
alternatives = ["status file", "systemd", "folder"]
marker = "{folder}/may-be-broken"
[limits]
rate = 10
stop_file = "{folder}/STOP"
[[hosts]]
name = "app-1"
pod = "app-1"
directory = "{folder}"
url = "http://127.0.0.1:1"
[environment]
CONFIG_FILE = "{folder}/config.yaml"
[scripts]
defects = "touch {folder}/touched"
deploy = "touch {folder}/touched"
"""
