"""The wheel holds the suite and its demo, whole and nothing else, and works where it is put."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import rollback_drill
from tests.house.wheel_support import ROOT, build, files_in, place_of, under_version_control

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# By lines: to parse all modules takes seconds, and style has one import on each.
_IMPORTS = re.compile(
    r"^\s*(?:from|import) (\w+)(?=[\w.]* import |[\w.]*(?: as \w+)?$)", re.MULTILINE
)
TAKEN = ("rollback_drill", "load", "steps")
QUOTED = ("hostaway_mcp",)  # a release of the demo, in what is planted there
EXTRAS = {
    "containers": {"docker", "testcontainers"},
    "gate": {"allure", "xdist"},
}
"""What is only imported by who asks for the extra."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    return build(folder / "tree", folder / "dist")


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(folder)
    return folder


def run_in(site: Path, folder: Path, *words: str, code: str = "") -> str:
    """Run the unpacked command in `folder`; return what it says."""
    run = code or "from rollback_drill.__main__ import command; command()"
    done = subprocess.run(
        [
            *(sys.executable, "-I", "-c"),
            f"import sys; sys.path.insert(0, {str(site)!r}); {run}",
            *words,
        ],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_has_what_it_should_and_no_more(wheel: Path) -> None:
    should = {place for path in under_version_control() if (place := place_of(path))}
    found = files_in(wheel)
    assert found - should == set()
    assert should - found == set()
    assert "rollback_drill/py.typed" in found


def test_there_is_one_package_one_command_and_the_licence(wheel: Path) -> None:
    assert {name.split("/")[0] for name in files_in(wheel)} == {"rollback_drill"}
    with zipfile.ZipFile(wheel) as opened:
        about = {n.split("/", 1)[1]: n for n in opened.namelist() if ".dist-info/" in n}
        told = Parser().parsestr(opened.read(about["METADATA"]).decode())
        commands = opened.read(about["entry_points.txt"]).decode()
        assert b"Apache License" in opened.read(about["licenses/LICENSE"])
    assert "rollback-drill = rollback_drill.__main__:command" in commands
    assert told["Name"] == "rollback-drill"
    assert told["Version"] == rollback_drill.__version__


def test_an_unpacked_wheel_says_its_version_and_writes_nothing(site: Path, tmp_path: Path) -> None:
    before = {path for path in site.rglob("*") if "__pycache__" not in path.parts}
    said = run_in(site, tmp_path, "--version")
    assert said == f"rollback-drill {rollback_drill.__version__}\n"
    assert {path for path in site.rglob("*") if "__pycache__" not in path.parts} == before
    assert [*tmp_path.iterdir()] == []


def test_an_unpacked_wheel_finds_its_parts_and_members(site: Path, tmp_path: Path) -> None:
    asked = (
        "from rollback_drill.family import modules; from rollback_drill.ground import home;"
        "print(home.DEMO / 'service', home.LOAD, home.cache(), home.LOAD_PACKAGE);"
        "print(*(one.__name__ for one in modules('sabotages')))"
    )
    places, sabotages = run_in(site, tmp_path, code=asked).splitlines()
    assert places.split() == [
        str(site / "rollback_drill" / "demo" / "service"),
        str(site / "rollback_drill" / "load"),
        str(tmp_path / "home" / ".cache" / "rollback-drill"),
        "rollback_drill.load",
    ]
    assert (site / "rollback_drill" / "demo" / "service" / "sabotages" / "wrapped.py").exists()
    assert sabotages
    assert "demo" not in sabotages


def imported(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the foreign packages that the modules below `folder` import, and where."""
    for path in folder.rglob("*.py"):
        for top in set(_IMPORTS.findall(path.read_text(encoding="utf-8"))):
            if top not in sys.stdlib_module_names and top not in (*TAKEN, *QUOTED):
                yield top, path


def needing(folder: Path, packages: set[str]) -> set[str]:
    """Return the modules below `folder` that cannot be imported without one of `packages`."""
    asked = {}
    for path in folder.rglob("*.py"):
        name = ".".join((folder.name, *path.relative_to(folder).with_suffix("").parts))
        text = path.read_text(encoding="utf-8")
        asked[name] = set(re.findall(r"^(?:from|import) ([\w.]+)", text, re.MULTILINE))
    found = {name for name, asks in asked.items() if {one.split(".")[0] for one in asks} & packages}
    while more := {name for name, asks in asked.items() if asks & found} - found:
        found |= more
    return found


def test_without_an_engine_s_packages_only_its_own_stage_is_missing() -> None:
    stage = "rollback_drill.stage"
    alone = needing(ROOT / "rollback_drill", EXTRAS["containers"])
    assert f"{stage}.containers" in alone  # through others, too
    assert alone <= {
        *(f"{stage}.{name}" for name in ("containers", "container_host", "container_sweep")),
        *(f"{stage}.{name}" for name in ("docker_context", "engine", "execution", "filled")),
        f"{stage}.images",
    }


def guessing(folder: Path) -> list[str]:
    """Return the modules below `folder` that find files by how deep they lie themselves."""
    return [
        path.name
        for path in sorted(folder.rglob("*.py"))
        if re.search(r"__file__\)[\w.()]*\.parents?\b.", path.read_text(encoding="utf-8"))
    ]


def test_only_one_module_says_where_the_parts_stand() -> None:
    assert [one for name in TAKEN for one in guessing(ROOT / name)] == ["home.py"]


def test_a_module_that_counts_folders_is_found(tmp_path: Path) -> None:
    (tmp_path / "deep.py").write_text("ROOT = Path(__file__).resolve().parents[2] / 'service'\n")
    assert guessing(tmp_path) == ["deep.py"]


def names_of(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(one).name) for one in requirements}


def undeclared(folder: Path) -> list[str]:
    """Return what is imported below `folder` that the project does not ask for."""
    project = PROJECT["project"]
    always = names_of(project["dependencies"])
    by_extra = {name: names_of(held) for name, held in project["optional-dependencies"].items()}
    owners = packages_distributions()
    bad = []
    for top, path in sorted(set(imported(folder))):
        extra = next((name for name, tops in EXTRAS.items() if top in tops), None)
        asked = always | by_extra[extra] if extra else always
        if not {canonicalize_name(owner) for owner in owners.get(top, ())} & asked:
            bad.append(f"{path.name} imports {top}")
    return bad


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_imported_is_asked_for(name: str) -> None:
    assert undeclared(ROOT / name) == []


def test_an_import_that_nobody_asks_for_is_found(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def late():\n    import moto.server\n")
    assert undeclared(tmp_path) == ["bad.py imports moto"]


def test_least_versions_are_named_and_not_above_what_is_pinned() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE):
        pinned.setdefault(canonicalize_name(name), []).append(version)
    project = PROJECT["project"]
    groups = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    ]
    for one in (Requirement(text) for group in groups for text in group):
        assert any(part.operator == ">=" for part in one.specifier), one
        versions = pinned[canonicalize_name(one.name)]
        assert all(one.specifier.contains(version) for version in versions), one
