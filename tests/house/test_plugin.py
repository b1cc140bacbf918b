"""Installed, the suite is a plugin of pytest, for features in a repository of one's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.wheel_support import ROOT, build

OWN = ROOT / "examples" / "own-repository"
FEATURE = Path("drills", "decisions.feature")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs, its entry points among it."""
    folder = tmp_path_factory.mktemp("plugin")
    with zipfile.ZipFile(build(folder / "tree", folder / "dist")) as opened:
        opened.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A team's repository, like the template."""
    return Path(shutil.copytree(OWN, tmp_path / "own"))


def pytest_in(own: Path, site: Path, *words: str) -> tuple[int, str]:
    """Run pytest in `own`; return its status and what it says."""
    told = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=own,
        env=told | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def test_features_beside_a_runbook_are_held_by_our_sentences(own: Path, site: Path) -> None:
    feature = own / FEATURE
    text = feature.read_text(encoding="utf-8")
    assert "| 7      |" in text
    feature.write_text(text.replace("| 7      |", "| 3      |"), encoding="utf-8")
    status, said = pytest_in(own, site, "-q")
    assert status == 1, said
    assert "1 failed, 2 passed" in said
    assert "'Monitor closely') == ('Alert'" in said.replace('"', "'")


@pytest.mark.wide
def test_the_template_is_green_and_says_where_it_looks_for_its_runbook(
    own: Path, site: Path
) -> None:
    status, said = pytest_in(own, site, "-q")
    assert (status, "3 passed" in said) == (0, True), said
    (own / "runbook").rename(own / "plans")
    status, said = pytest_in(own, site, "-q", "--runbook=plans/rollback.md")
    assert (status, "3 passed" in said) == (0, True), said
    status, said = pytest_in(own, site, "-q")
    assert status == 1
    assert "expected a runbook at" in said
    assert "rollback_runbook" in said


@pytest.mark.wide
def test_its_options_stand_in_one_group(own: Path, site: Path) -> None:
    status, said = pytest_in(own, site, "--help")
    assert status == 0
    group = said.partition("rollback-drill:")[2].partition("\n\n")[0]
    assert [
        one for one in ("--runbook", "--stages", "--history", "--summary") if one not in group
    ] == []
    assert "rollback_runbook" in said
