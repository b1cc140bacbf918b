"""A process runs from the deployment's folder, however it was started, or from elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.check import bind
from rollback_drill.stage.host import LocalHost

PYTHON = Path(sys.executable).resolve()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("app", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "server.py").write_text(
            "import time\nprint(flush=True)\ntime.sleep(60)\n"
        )
    venv.create(tmp_path / "other" / ".venv")
    (tmp_path / "current").symlink_to("app")
    return tmp_path


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    found: list[subprocess.Popen[bytes]] = []
    yield found
    for one in found:
        one.kill()
        one.wait()


@pytest.mark.parametrize(
    ("command", "in_folder", "deployed", "verdict"),
    [
        (f"{PYTHON} server.py", "app", "app", Verdict.PASSED),
        (f"{PYTHON} ./server.py", "app", "app", Verdict.PASSED),
        (f"{PYTHON} -m server", "app", "app", Verdict.PASSED),
        (f"{PYTHON} {{folder}}/app/server.py", ".", "app", Verdict.PASSED),
        (f"{PYTHON} server.py", "current", "current", Verdict.PASSED),
        (f"{PYTHON} server.py", "other", "app", Verdict.FAILED),
        (f"{PYTHON} {{folder}}/other/server.py", "app", "app", Verdict.FAILED),
        ("{folder}/other/.venv/bin/python server.py", "app", "app", Verdict.FAILED),
        (f"{PYTHON} -c print(flush=True);input()", "app", "app", Verdict.FAILED),
    ],
)
def test_a_process_is_of_the_folder_by_what_it_was_started_with(
    folder: Path,
    started: list[subprocess.Popen[bytes]],
    command: str,
    in_folder: str,
    deployed: str,
    verdict: Verdict,
) -> None:
    words = command.format(folder=folder).split()
    process = subprocess.Popen(words, cwd=folder / in_folder, stdout=subprocess.PIPE)
    started.append(process)
    assert process.stdout
    process.stdout.readline()  # it runs
    host = LocalHost("host-1", folder / deployed, {"PATH": os.environ["PATH"]})
    running = SimpleNamespace(pids=lambda: {"host-1": process.pid})
    stage = SimpleNamespace(hosts=(host,), process=running, running_releases=dict)
    bound = bind("Its process is running")
    assert bound
    found = bound.verify(cast(Any, SimpleNamespace(stage=stage)))
    assert found.verdict is verdict, found
