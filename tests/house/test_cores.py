"""Tests run on all cores, but for features, beside which nothing runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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


def beside_features(
    rows: list[tuple[str, str, float, float]],
) -> list[tuple[str, str, float, float]]:
    """Return what ran while a feature did, on another worker or of another kind."""
    alone = [one for one in rows if one[0].startswith("features")]
    return [
        one
        for one in rows
        for feature in alone
        if one is not feature and one[2] < feature[3] and one[3] > feature[2]
    ]


@pytest.mark.parametrize(
    ("modules", "features"),
    [({"a": 1}, 4), ({"a": 3, "b": 3, "c": 2, "d": 4}, 3)],
)
def test_nothing_runs_beside_features(
    modules: dict[str, int], features: int, tmp_path: Path
) -> None:
    put(tmp_path, "features/test_features.py", features)
    for name, count in modules.items():
        put(tmp_path, f"tests/test_{name}.py", count)
    said, rows = run(tmp_path)
    assert f"{features + sum(modules.values())} passed" in said
    assert len(rows) == features + sum(modules.values())
    assert beside_features(rows) == []


def test_features_alone_are_shared_scenario_by_scenario(tmp_path: Path) -> None:
    put(tmp_path, "features/test_features.py", 6, seconds=0.2)
    said, rows = run(tmp_path)
    assert "6 passed" in said
    assert len({worker for _, worker, *_ in rows}) == 2


def test_by_another_rule_something_would(tmp_path: Path) -> None:
    put(tmp_path, "features/test_features.py", 4, seconds=0.2)
    put(tmp_path, "tests/test_a.py", 4, seconds=0.2)
    _, rows = run(tmp_path, "--dist=loadfile")
    assert len(rows) == 8
    assert beside_features(rows)


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
