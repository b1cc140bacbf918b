"""The map of the engine cannot lie: what it says of its rooms holds, rule by rule.

Each rule is shown to turn red on a small house that breaks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import rollback_drill
from tests.house.floor_plan import MACHINES, House, engine, reached

FOLDER = Path(rollback_drill.__file__).parent
TESTS = Path(__file__).parents[1]
DEPENDENTS = ("load", "steps", "features", "tests", "bench", "examples")
NO_MACHINE = ("ground", "record", "runbook", "decide", "report")
FAMILIES = ("told", "judges", "sections")
STAGE = "rollback_drill.stage"


def asked_tests(tests: House) -> list[str]:
    """Return each import of a module of tests: what is shared stands in a module of its own."""
    return [str(one) for one in tests.arrows if ".test_" in one.target]


def test_every_room_and_every_door_is_on_the_map() -> None:
    assert engine().missing_on_the_map() == []


def test_no_room_asks_one_above_it() -> None:
    assert engine().upwards() == []


def test_nothing_goes_in_a_circle() -> None:
    assert engine().circles() == []


def test_the_engine_knows_no_service_by_name() -> None:
    assert engine().private() == []


def test_the_engine_asks_none_of_those_that_depend_on_it() -> None:
    assert engine().abroad(DEPENDENTS) == []


def test_a_name_means_one_thing() -> None:
    assert engine().twice() == []


@pytest.mark.parametrize("room", [*NO_MACHINE, *FAMILIES])
def test_what_is_read_judged_and_shown_reaches_no_machine(room: str) -> None:
    assert reached(room, FOLDER, (*MACHINES, STAGE)) == []


def test_tests_stand_like_the_rooms() -> None:
    folders = {path.name for path in TESTS.iterdir() if (path / "__init__.py").exists()}
    assert folders == {*engine().order, "house"}
    assert [*TESTS.glob("test_*.py")] == []


def test_no_test_module_asks_another() -> None:
    assert asked_tests(House(TESTS)) == []


# Below: a house of two rooms, and each rule broken in it.

PLAN = '''"""Small.

- `low`: below.
- `high`: above.

`door` leads in; `family` knows all.
"""
'''
WHOLE = {
    "__init__.py": PLAN,
    "door.py": "from small.high import roof\n",
    "family.py": "",
    "low/__init__.py": "",
    "low/told.py": "class Word: ...\n",
    "low/stone.py": "from small.high.told import Said\nfrom .told import Word\n_DEPTH = 1\n",
    "high/__init__.py": "",
    "high/told.py": "class Said: ...\n",
    "high/roof.py": "from small.low.stone import Word\n_DEPTH = 2\n",
}


def small(root: Path, changed: Mapping[str, str] = WHOLE) -> House:
    """Build the whole house but for the files that are `changed`, each to its text."""
    for name, text in (WHOLE | dict(changed)).items():
        path = root / "small" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return House(root / "small")


def test_a_whole_house_has_nothing_to_say_against_it(tmp_path: Path) -> None:
    house = small(tmp_path)
    assert house.missing_on_the_map() == house.upwards() == house.circles() == house.twice() == []
    assert house.private() == house.abroad(DEPENDENTS) == []
    assert reached("low", tmp_path / "small", MACHINES) == []


@pytest.mark.parametrize(
    "path", ["attic/__init__.py", "attic/stair.py", "attic/deep/stair.py", "attic.py"]
)
def test_what_the_map_does_not_name_is_found(tmp_path: Path, path: str) -> None:
    assert small(tmp_path, {path: ""}).missing_on_the_map() == ["attic"]


def test_a_room_that_is_named_in_vain_is_found(tmp_path: Path) -> None:
    plan = PLAN.replace("- `high`", "- `attic`: gone.\n- `high`")
    assert small(tmp_path, {"__init__.py": plan}).missing_on_the_map() == ["attic"]


@pytest.mark.parametrize(
    "line",
    [
        "from small.high.roof import _DEPTH",
        "from small.high import roof",
        "from small import high",
        "import small.high.roof",
        "from ..high import roof",
        "from small import door",
        "def late():\n    from small.high.roof import _DEPTH",
    ],
)
def test_a_step_up_is_found_wherever_it_stands(tmp_path: Path, line: str) -> None:
    assert small(tmp_path, {"low/stone.py": line}).upwards()


def test_a_circle_is_found_however_wide(tmp_path: Path) -> None:
    house = small(
        tmp_path,
        {
            "low/told.py": "from small.low import sand",
            "low/sand.py": "def late():\n    from small.low.stone import Word",
        },
    )
    assert house.circles() == ["low.sand", "low.stone", "low.told"]


@pytest.mark.parametrize(
    "line", ["from small.subject.hostaway import pages", "import small.subject.hostaway.pages"]
)
def test_who_knows_the_demo_by_name_is_found(tmp_path: Path, line: str) -> None:
    house = small(
        tmp_path,
        {
            "subject/hostaway/pages.py": "from small.subject.hostaway import crowd",
            "subject/hostaway/crowd.py": "",
            "high/roof.py": line,
        },
    )
    assert house.private() == ["high.roof imports subject.hostaway.pages"]


@pytest.mark.parametrize(
    "line", ["import load.clients", "def late():\n    from steps import plans"]
)
def test_who_asks_a_dependent_is_found(tmp_path: Path, line: str) -> None:
    assert len(small(tmp_path, {"high/roof.py": line}).abroad(DEPENDENTS)) == 1


@pytest.mark.parametrize(
    "line", ["class Word: ...", "def Word(): ...", "Word = 1", "Word: int = 1"]
)
def test_a_name_for_two_things_is_found(tmp_path: Path, line: str) -> None:
    assert small(tmp_path, {"high/roof.py": line}).twice() == ["Word: high.roof, low.told"]


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_behind_the_next_module_is_found(tmp_path: Path, machine: str) -> None:
    late = {"low/stone.py": "from small.low import told", "low/told.py": f"import {machine}"}
    small(tmp_path, late)
    assert f"low reaches {machine}" in reached("low", tmp_path / "small", MACHINES)


def test_a_test_module_that_asks_another_is_found(tmp_path: Path) -> None:
    house = small(
        tmp_path, {"low/test_a.py": "GOOD = 1", "low/test_b.py": "from .test_a import GOOD"}
    )
    assert asked_tests(house) == ["low.test_b imports low.test_a"]
