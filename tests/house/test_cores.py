"""Tests run on all cores, and no feature beside what it could be disturbed by."""

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


# A machine of two cores, whose drills go before other programs, or not.
MACHINE = """
import os
from rollback_drill.ground import priority
os.cpu_count = lambda: 2
priority.may_prefer = lambda: {}
"""


def run(
    folder: Path, *options: str, workers: int = 2, preferred: bool = False
) -> tuple[str, list[tuple[str, str, float, float]]]:
    """Run the tests of `folder`; return what is said, and (test, worker, beginning, end) of each in
    the order of their beginnings.
    """
    (folder / "machine.py").write_text(MACHINE.format(preferred))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-n", str(workers), "-p", "machine"),
            *("-p", "steps.fix_stages", "-p", "steps.fix_cores", "-p", "steps.fix_alone"),
            *("-p", "no:locust"),
            *("-p", "no:cacheprovider", "--stages=processes", f"--rootdir={folder}"),
            *("-c", os.devnull, *options),
            str(folder),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
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


DRILL = "@pytest.mark.drill"


def most_at_a_time(rows: list[tuple[str, str, float, float]], word: str) -> int:
    """Return how many tests with `word` in their names at most ran beside each other, while others
    had not ended.
    """
    others = max(end for name, _, _, end in rows if word not in name)
    mine = [(began, end) for name, _, began, end in rows if word in name and began < others]
    return max(sum(b <= began < e for b, e in mine) for began, _ in mine)


def workers_of(rows: list[tuple[str, str, float, float]], word: str) -> int:
    return len({worker for name, worker, *_ in rows if word in name})


def some(folder: Path) -> None:
    put(folder, "features/test_features.py", 6, seconds=0.2)
    for name in "abc":
        put(folder, f"tests/test_stage_{name}.py", 3, seconds=0.2, mark=DRILL)
    for name in "defghi":
        put(folder, f"tests/test_{name}.py", 6, seconds=0.1)


def test_features_begin_once_next_to_nothing_else_is_left_and_few_workers_have_stages(
    tmp_path: Path,
) -> None:
    some(tmp_path)
    said, rows = run(tmp_path, workers=3)
    assert "51 passed" in said
    assert len(rows) == 51
    assert left_when_features_began(rows) <= 3
    assert workers_of(rows, "features") == 2
    rest = [one for one in rows if "features" not in one[0]]
    assert workers_of(rest, "") == 3
    assert most_at_a_time(rest, "stage") == 2


def test_where_drills_go_before_others_features_come_first_and_whoever_has_none_waits(
    tmp_path: Path,
) -> None:
    some(tmp_path)
    said, rows = run(tmp_path, "-n", "auto", preferred=True)
    assert "51 passed" in said
    assert workers_of(rows, "") == 4
    assert workers_of(rows, "features") == 2
    over = max(end for name, *_, end in rows if "features" in name)
    held = {worker for name, worker, *_ in rows if "features" in name}
    beside = [one for one in rows if one[2] < over and "features" not in one[0]]
    # Whoever ends its last feature first goes on.
    assert not [one for one in beside if "stage" in one[0] or one[1] not in held]


@pytest.mark.parametrize(
    ("mark", "alone"), [("@pytest.mark.drill\n@pytest.mark.alone", True), (DRILL, False)]
)
def test_nothing_has_a_stage_beside_a_test_that_is_to_be_alone(
    tmp_path: Path, mark: str, alone: bool
) -> None:
    put(tmp_path, "tests/test_stage_a.py", 6, seconds=0.3, mark=mark)
    put(tmp_path, "tests/test_stage_b.py", 6, seconds=0.3, mark=DRILL)
    put(tmp_path, "tests/test_c.py", 30, seconds=0.1)
    said, rows = run(tmp_path, workers=3)
    assert "42 passed" in said
    assert (most_at_a_time(rows, "stage") == 1) is alone


@pytest.mark.parametrize(
    ("word", "most"), [("  # scripts_alone", 1), pytest.param("", 2, marks=pytest.mark.wide)]
)
def test_nobody_waits_for_a_module_that_has_the_hosts_to_itself(
    tmp_path: Path, word: str, most: int
) -> None:
    for name in "abc":
        put(tmp_path, f"tests/test_stage_{name}.py", 4, seconds=0.2, mark=DRILL + word)
    put(tmp_path, "tests/test_d.py", 40, seconds=0.1)
    said, rows = run(tmp_path, workers=3)
    assert "52 passed" in said
    assert most_at_a_time(rows, "stage") == most


@pytest.mark.wide  # shows that the tests of the rule can fail
def test_by_another_rule_more_would_be(tmp_path: Path) -> None:
    some(tmp_path)
    _, rows = run(tmp_path, "--dist=loadfile", "--no-loadscope-reorder", workers=3)
    assert len(rows) == 51
    assert most_at_a_time([one for one in rows if "features" not in one[0]], "stage") > 2
    assert left_when_features_began(rows) > 3 or workers_of(rows, "features") == 1


@pytest.mark.wide  # a part of what is seen above
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
