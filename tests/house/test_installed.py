"""The wheel, installed into a new environment, in an empty folder of a user who has nothing else.

Wide, since it fetches all that the suite needs; `test_wheel` holds a cheap part at each push.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rollback_drill
from tests.house.wheel_support import ROOT, build

pytestmark = [pytest.mark.wide, pytest.mark.slow, pytest.mark.timeout(900)]
UV = Path(sys.executable).with_name("uv")
TOOLS = [
    "bash",
    "cp",
    "cat",
    "curl",
    "env",
    "git",
    "ldconfig",
    "ls",
    "mkdir",
    "rm",
    "sed",
    "sh",
    "sleep",
    "test",
    "true",
    "uname",
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command, in an environment of its own."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = build(folder / "tree", folder / "dist")
    venv = folder / "venv"
    for words in (
        ["venv", "--quiet", "--python", sys.executable, str(venv)],
        ["pip", "install", "--quiet", "--python", str(venv / "bin" / "python"), str(wheel)],
    ):
        subprocess.run([UV, *words], check=True, timeout=600)
    shutil.rmtree(folder / "tree")
    return venv / "bin" / "rollback-drill"


def called(
    program: Path, home: Path, *words: str, path: str = "/usr/bin:/bin"
) -> subprocess.CompletedProcess[str]:
    """Call the command in an empty folder below `home`, whose user has set nothing but `path`."""
    folder = home / "here"
    folder.mkdir(parents=True, exist_ok=True)
    index = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "UV_", "SSL_"))}
    return subprocess.run(
        [program, *words],
        cwd=folder,
        env={**index, "HOME": str(home), "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


def installed(program: Path) -> dict[str, tuple[int, int]]:
    """Return what is installed of us: size and time of each file, but for compiled code."""
    (site,) = program.parents[1].glob("lib/python*/site-packages")
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in (site / "rollback_drill").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_it_says_what_it_is_and_what_was_meant(program: Path, tmp_path: Path) -> None:
    said = called(program, tmp_path, "--version")
    assert (said.returncode, said.stdout) == (0, f"rollback-drill {rollback_drill.__version__}\n")
    helped = called(program, tmp_path, "--help")
    assert helped.returncode == 0
    assert "Example: rollback-drill demo" in helped.stdout
    wrong = called(program, tmp_path, "dmeo")
    assert wrong.returncode == 2
    assert "did you mean demo?" in wrong.stderr
    assert [*(tmp_path / "here").iterdir()] == []


def test_it_reads_the_runbook_that_comes_with_it(program: Path, tmp_path: Path) -> None:
    said = called(program, tmp_path, "read", "--runbook=demo")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Procedure 1: Application rollback" in said.stdout
    none = called(program, tmp_path, "read")
    assert none.returncode == 2
    assert "--runbook=demo" in none.stderr


def test_without_git_the_demo_says_so(program: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in set(TOOLS) - {"git"}:
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    said = called(program, tmp_path, "demo", path=str(tools))
    assert said.returncode == 2
    assert "Expected git on this machine; found none.\nTry: install git." in said.stderr


def test_without_extras_it_says_what_to_install_and_takes_what_there_is(
    program: Path, tmp_path: Path
) -> None:
    asked = ("drill", "--runbook=demo")
    said = called(program, tmp_path, *asked, "--stage=containers")
    assert said.returncode == 2
    assert "rollback-drill[containers]" in said.stderr
    said = called(program, tmp_path, *asked, "--plan=1")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Nothing was touched" in said.stdout
    said = called(program, tmp_path, "gate", "--features=demo", "--runbook=demo")
    assert said.returncode == 2
    assert "rollback-drill[gate]" in said.stderr


def test_its_demo_ends_in_a_verdict_and_writes_nothing_beside_its_code(
    program: Path, tmp_path: Path
) -> None:
    before = installed(program)
    said = called(program, tmp_path, "demo", "--fault=connection-exhaustion")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Report: reports/latest/index.html" in said.stdout
    report = tmp_path / "here" / "reports" / "latest"
    verdict = json.loads((report / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["verdict"] == "passed"
    assert verdict["stage"] == "processes"
    assert str(ROOT) not in (report / "timeline.jsonl").read_text(encoding="utf-8")
    assert (report / "index.html").stat().st_size > 10_000
    assert installed(program) == before
    assert {one.name for one in (tmp_path / "here").iterdir()} == {"reports"}
    assert {one.name for one in tmp_path.iterdir() if one.name != "here"} == {".cache"}
