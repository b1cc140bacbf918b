"""The layers become a repository: one commit and one annotated tag for each release."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from rollback_drill.ground.errors import UsageError
from rollback_drill.stage.release import build_origin, load_releases
from tests.subject.service_process import CANDIDATE, NEW, OLD, SERVICE


def git(repository: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(repository), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout.strip()


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    origin = tmp_path_factory.mktemp("release") / "deep" / "origin.git"
    build_origin(SERVICE, origin)
    return origin


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    """Two small releases, of which the second replaces, adds and deletes."""
    directory = tmp_path / "layers"
    for name, text in {
        "v1/kept": "one",
        "v1/replaced": "one",
        "v1/gone": "one",
        "v1/folder/gone": "one",
        "v1/.gitignore": "*.log\n",
        "v1/listed.log": "a release's own file counts even when it is ignored",
        "v1/__pycache__/rubbish.pyc": "",
        "v2/replaced": "two",
        "v2/added": "two",
    }.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (directory / "releases.toml").write_text(INDEX)
    return directory


INDEX = """
[[release]]
tag = "v1"
date = 2025-01-01T00:00:00Z
message = "First"

[[release]]
tag = "v2"
date = 2025-01-02T00:00:00+02:00
message = "Second"
delete = ["gone", "folder"]
"""


def test_the_newest_tag_comes_first_by_date(origin: Path) -> None:
    assert git(origin, "tag", "--sort=-creatordate").split() == [NEW, CANDIDATE, OLD]


def test_tags_are_annotated_and_lie_on_main_in_order(origin: Path) -> None:
    for tag in (OLD, CANDIDATE, NEW):
        assert git(origin, "cat-file", "-t", tag) == "tag"
    commits = git(origin, "rev-list", "--reverse", "main").split()
    assert commits == [
        git(origin, "rev-parse", f"{tag}^{{commit}}") for tag in (OLD, CANDIDATE, NEW)
    ]
    assert git(origin, "rev-parse", "--is-bare-repository") == "true"
    assert git(origin, "symbolic-ref", "HEAD") == "refs/heads/main"
    git(origin, "fsck", "--strict")


def test_dates_and_messages_are_those_of_the_list(origin: Path) -> None:
    for release in load_releases(SERVICE):
        seconds = int(release.date.timestamp())
        assert git(origin, "log", "-1", "--format=%at %ct %s", release.tag) == (
            f"{seconds} {seconds} {release.message}"
        )


def test_a_clone_has_the_tree_of_its_layers(origin: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(origin), "hostaway-mcp")
    clone = tmp_path / "hostaway-mcp"
    for tag in (NEW, OLD, CANDIDATE):
        git(clone, "checkout", "--quiet", f"tags/{tag}")
        assert git(clone, "status", "--porcelain", "--ignored") == ""
        for path in (SERVICE / tag).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert (clone / path.relative_to(SERVICE / tag)).read_bytes() == path.read_bytes()
    git(clone, "checkout", "--quiet", f"tags/{OLD}")
    assert not (clone / "hostaway_mcp/cursors.py").exists()
    assert not (clone / "migrations/versions/0002_pagination.py").exists()


def test_hashes_depend_on_the_layers_alone(
    layers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_origin(layers, tmp_path / "a.git")
    hooks = tmp_path / "template" / "hooks"
    hooks.mkdir(parents=True)
    hook = hooks / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(
        "[user]\nname = Somebody\nemail = somebody@example.invalid\n"
        f"[core]\nautocrlf = true\nhooksPath = {hooks}\n[init]\ndefaultBranch = trunk\n"
        "[commit]\ngpgSign = true\n[tag]\ngpgSign = true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(hooks.parent))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    for path in layers.rglob("*"):
        if path.is_file():
            path.chmod(0o755)
            os.utime(path, (0, 0))
    build_origin(layers, tmp_path / "b.git")
    monkeypatch.undo()
    for tag in ("v1", "v2"):
        assert git(tmp_path / "a.git", "rev-parse", tag) == git(
            tmp_path / "b.git", "rev-parse", tag
        )


def test_a_layer_replaces_adds_and_deletes(layers: Path, tmp_path: Path) -> None:
    origin = tmp_path / "origin.git"
    build_origin(layers, origin)

    def files(tag: str) -> list[str]:
        return git(origin, "ls-tree", "-r", "--name-only", tag).splitlines()

    assert files("v1") == [".gitignore", "folder/gone", "gone", "kept", "listed.log", "replaced"]
    assert files("v2") == [".gitignore", "added", "kept", "listed.log", "replaced"]
    assert git(origin, "show", "v2:replaced") == "two"
    assert git(origin, "show", "v2:kept") == "one"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('tag = "v2"', 'tag = "v3"', "v3"),
        ('tag = "v2"', 'tag = "../v2"', "folder"),
        ('tag = "v2"', "", "tag"),
        ('tag = "v2"', 'tag = "v1"', "v1"),
        ("2025-01-02", "2024-01-02", "v2 is not later than v1"),
        ("2025-01-02T00:00:00+02:00", '"yesterday"', "yesterday"),
        ("2025-01-02T00:00:00+02:00", "2025-01-02", "zone"),
        ('message = "Second"', 'message = " "', "message"),
        ('"gone"', '"missing"', "missing"),
        ('"gone"', '"../../gone"', "inside"),
        ('"gone"', '".git/config"', "inside"),
        ('"gone"', "3", "inside"),
        ('message = "Second"', 'message = "Second"\nsurprise = 1', "surprise"),
        ("[[release]]", "[[release", "TOML"),
        (INDEX, "", "at least one"),
        (INDEX, "release = 3", "at least one"),
        (INDEX, "release = [3]", "table"),
    ],
)
def test_a_malformed_list_is_refused_in_one_sentence(
    layers: Path, tmp_path: Path, before: str, after: str, said: str
) -> None:
    assert before in INDEX
    (layers / "releases.toml").write_text(INDEX.replace(before, after))
    with pytest.raises(UsageError, match=re.escape(said)):
        build_origin(layers, tmp_path / "origin.git")
    assert not (tmp_path / "origin.git").exists()
    assert not list(tmp_path.glob("origin-*"))


def test_a_missing_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"releases\.toml"):
        load_releases(tmp_path)


def test_an_existing_origin_is_not_overwritten(layers: Path, tmp_path: Path) -> None:
    origin = tmp_path / "origin.git"
    origin.mkdir()
    (origin / "precious").write_text("data")
    with pytest.raises(UsageError, match="exists"):
        build_origin(layers, origin)
    assert (origin / "precious").read_text() == "data"


def test_without_git_it_says_so(
    layers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="install git"):
        build_origin(layers, tmp_path / "origin.git")


def test_the_changelog_names_each_version_and_the_one_to_return_to() -> None:
    changelog = (SERVICE / NEW / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## (\S+) \((\S+)\)$", changelog, re.MULTILINE)
    assert headings == [
        (release.tag, release.date.date().isoformat()) for release in load_releases(SERVICE)[::-1]
    ]
    sections = dict(re.findall(r"^## (\S+) .*?\n(.*?)(?=^## |\Z)", changelog, re.M | re.S))
    assert "last stable release before pagination" in sections[OLD]
    assert "stable" not in sections[CANDIDATE] + sections[NEW]


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\s\[<>=;#]", line, maxsplit=1)[0] for line in requirements}


def _dependencies(tag: str) -> set[str]:
    project = tomllib.loads((SERVICE / tag / "pyproject.toml").read_text())
    return _names(project["project"]["dependencies"])


def test_releases_need_what_the_wheelhouse_has_and_not_the_same() -> None:
    asked = _names((SERVICE / "requirements.in").read_text().splitlines()) - {""}
    tools = {"uv"}  # no release asks for what installs it
    assert set().union(*map(_dependencies, (OLD, CANDIDATE, NEW))) == asked - tools
    assert tools <= asked
    assert _dependencies(NEW) - _dependencies(OLD) == {"cachetools"}
    locked = _names((SERVICE / "requirements.lock").read_text().splitlines())
    assert asked <= locked
