"""Tests run on all cores, and features once next to nothing else is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Writes down when it begins and ends.
TEST = """
import os, time
from pathlib import Path
import pytest

{mark}
@pytest.mark.parametrize("number", range({count}))
def test_it(number):
    began = time.monotonic()
    time.sleep({seconds})
    with (Path({log!r}) / os.environ["PYTEST_XDIST_WORKER"]).open("a") as log:
        print({name!r}, began, time.monotonic(), file=log)
"""


def run(folder: Path, *options: str) -> tuple[str, list[tuple[str, str, float, float]]]:
    """Run the tests of `folder` by two workers; return what is said, and (test, worker, beginning,
    end) of each in the order of their beginnings.
    """
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "steps.fix_stages"),
            *("-p", "steps.fix_cores", "-p", "no:locust", "-p", "no:cacheprovider"),
            *("--stages=processes", f"--rootdir={folder}", "-c", os.devnull, *options),
            str(folder),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    rows = [
        (line.split()[0], log.name, float(line.split()[1]), float(line.split()[2]))
        for log in (folder / "log").iterdir()
        for line in log.read_text().splitlines()
    ]
    return done.stdout, sorted(rows, key=lambda one: one[2])


def put(folder: Path, name: str, count: int, seconds: float = 0.05, mark: str = "") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    (folder / "log").mkdir(exist_ok=True)
    text = TEST.format(name=name, count=count, seconds=seconds, mark=mark, log=str(folder / "log"))
    path.write_text(text)


def left_when_features_began(rows: list[tuple[str, str, float, float]]) -> int:
    """Return how many of all other tests had not ended when the first feature began."""
    began = min(one[2] for one in rows if one[0].startswith("features"))
    return sum(one[3] > began for one in rows if not one[0].startswith("features"))


def test_features_begin_once_next_to_nothing_else_is_left_and_are_shared(tmp_path: Path) -> None:
    put(tmp_path, "features/test_features.py", 6, seconds=0.2)
    for name, count in {"a": 3, "b": 3, "c": 2, "d": 4}.items():
        put(tmp_path, f"tests/test_{name}.py", count)
    said, rows = run(tmp_path)
    assert "18 passed" in said
    assert len(rows) == 18
    assert left_when_features_began(rows) <= 2
    assert len({worker for name, worker, *_ in rows if name.startswith("features")}) == 2


def test_by_another_rule_more_would_be(tmp_path: Path) -> None:
    put(tmp_path, "features/test_features.py", 4, seconds=0.2)
    put(tmp_path, "tests/test_a.py", 6, seconds=0.2)
    _, rows = run(tmp_path, "--dist=loadfile")
    assert len(rows) == 10
    assert left_when_features_began(rows) > 2


def test_modules_are_shared_and_what_takes_long_begins_first(tmp_path: Path) -> None:
    put(tmp_path, "test_a.py", 4)
    put(tmp_path, "test_b.py", 4)
    put(tmp_path, "test_long.py", 2, seconds=0.3, mark="@pytest.mark.slow")
    said, rows = run(tmp_path)
    assert "10 passed" in said
    assert "test_long.py" in {one[0] for one in rows[:2]}
    workers = {name: {one[1] for one in rows if one[0] == name} for name, *_ in rows}
    assert all(len(one) == 1 for one in workers.values())
    assert len(set().union(*workers.values())) == 2
