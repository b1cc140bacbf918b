"""The releases of the subject service: layers of files that become a repository with tags."""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from rollback_drill.ground.errors import UsageError
from rollback_drill.stage.host import run_bounded

__all__ = ["Release", "build_origin", "load_releases", "texts_of"]

_INDEX = "releases.toml"
_AUTHOR = ("Release Manager", "releases@example.invalid")
_IGNORED = shutil.ignore_patterns("__pycache__", ".venv", "uv.lock")
_GIT_LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class Release:
    """A tagged version. `layer` holds what it adds to or replaces in the release before it.

    `delete`: paths, relative to the tree, that it takes away. `date`: with its time zone.
    """

    tag: str
    date: datetime
    message: str
    layer: Path
    delete: tuple[str, ...] = ()


def load_releases(directory: Path) -> list[Release]:
    """Return the releases listed in `directory`/releases.toml, oldest first.

    Raises UsageError for a file that is missing or malformed, a release without a folder, a tag
    that stands twice, and dates that do not rise.
    """
    index = directory / _INDEX
    try:
        document = tomllib.loads(index.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"the list of releases {index}", error.strerror or str(error), "restore the file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"TOML in {index}", str(error), "correct the file") from error
    entries = document.get("release")
    if not isinstance(entries, list) or not entries:
        raise UsageError(f"at least one [[release]] in {index}", "none", "add a release")
    releases = [_release(entry, number, directory) for number, entry in enumerate(entries, 1)]
    _must_rise(releases, index)
    return releases


def texts_of(directory: Path, tag: str) -> dict[str, str]:
    """Return the text of each file of the release `tag`, by its path in the tree.

    Raises UsageError when the layers are malformed, or none is called so.
    """
    tree: dict[str, str] = {}
    for release in load_releases(directory):
        for doomed in release.delete:
            tree = {path: text for path, text in tree.items() if not _below(path, doomed)}
        for path in sorted(release.layer.rglob("*")):
            place = path.relative_to(release.layer)
            if path.is_file() and not {"__pycache__", ".venv", "uv.lock"} & set(place.parts):
                tree[place.as_posix()] = path.read_text(encoding="utf-8")
        if release.tag == tag:
            return tree
    raise UsageError(f"a release {tag} in {directory}", "none", "name one that is listed there")


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def build_origin(directory: Path, origin: Path) -> None:
    """Make the bare repository `origin` out of the layers in `directory`.

    It has one commit for each release on the branch `main`, each with an annotated tag. The same
    layers give the same hashes on every machine: the user's settings and hooks play no part.
    Raises UsageError when the layers are malformed, or when `origin` exists or cannot be made.
    """
    releases = load_releases(directory)
    if origin.exists():
        raise UsageError(f"no file at {origin}", "one that exists", "remove it or choose another")
    if shutil.which("git") is None:
        raise UsageError("git", "none on the PATH", "install git")
    try:
        origin.parent.mkdir(parents=True, exist_ok=True)
        # A git that is just being interrupted may still write: that must not hide the interruption.
        with tempfile.TemporaryDirectory(
            prefix="origin-", dir=origin.parent, ignore_cleanup_errors=True
        ) as scratch:
            tree, bare = Path(scratch, "tree"), Path(scratch, "bare")
            tree.mkdir()
            _git(["init", "--quiet", "--bare", "--initial-branch=main", str(bare)], tree)
            for release in releases:
                _apply(release, tree)
                _commit(release, tree, bare)
            bare.rename(origin)
    except OSError as error:
        raise UsageError(
            f"to make the repository {origin}", str(error), "check the folder and its free space"
        ) from error


def _release(entry: object, number: int, directory: Path) -> Release:
    where = f"release {number} of {directory / _INDEX}"
    if not isinstance(entry, dict):
        raise UsageError(f"a table for {where}", repr(entry), "write it as [[release]]")
    tag, date, message = (entry.get(key) for key in ("tag", "date", "message"))
    delete = entry.get("delete", [])
    for key, value in (("tag", tag), ("message", message)):
        if not isinstance(value, str) or not value.strip():
            raise UsageError(f"a text as {key} of {where}", repr(value), "correct the entry")
    if not isinstance(date, datetime) or date.tzinfo is None:
        raise UsageError(
            f"a time with its zone as date of {where}", repr(date), "write 2025-10-15T14:00:00Z"
        )
    if not isinstance(delete, list) or not all(_is_inside(path) for path in delete):
        raise UsageError(
            f"paths inside the tree as delete of {where}", repr(delete), "correct the entry"
        )
    stray = sorted(set(entry) - {"tag", "date", "message", "delete"})
    if stray:
        raise UsageError(
            f"tag, date, message and delete in {where}", ", ".join(stray), "remove what is foreign"
        )
    assert isinstance(tag, str)
    assert isinstance(message, str)
    layer = directory / tag
    if not _is_inside(tag) or not layer.is_dir():
        raise UsageError(f"the folder {layer} for {where}", "none", "add it or correct the tag")
    return Release(tag, date, message, layer, tuple(delete))


def _is_inside(path: object) -> bool:
    if not isinstance(path, str) or not path:
        return False
    parts = Path(path).parts
    return bool(parts) and not Path(path).is_absolute() and not {"..", ".git"} & set(parts)


def _must_rise(releases: list[Release], index: Path) -> None:
    for earlier, later in pairwise(releases):
        if later.date <= earlier.date:
            raise UsageError(
                f"dates that rise from release to release in {index}",
                f"{later.tag} is not later than {earlier.tag}",
                "list the oldest first and correct the dates",
            )
    tags = [release.tag for release in releases]
    twice = sorted({tag for tag in tags if tags.count(tag) > 1})
    if twice:
        raise UsageError(f"each tag once in {index}", ", ".join(twice), "rename one of them")


def _apply(release: Release, tree: Path) -> None:
    for path in release.delete:
        doomed = tree / path
        if doomed.is_dir():
            shutil.rmtree(doomed)
        elif doomed.exists():
            doomed.unlink()
        else:
            raise UsageError(
                f"{path} in the tree before {release.tag}, which deletes it",
                "no such file",
                f"correct {_INDEX}",
            )
    shutil.copytree(release.layer, tree, dirs_exist_ok=True, ignore=_IGNORED)


def _commit(release: Release, tree: Path, bare: Path) -> None:
    name, email = _AUTHOR
    date = release.date.isoformat()
    repository = ["--git-dir", str(bare), "--work-tree", str(tree)]
    identity = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", name), ("EMAIL", email), ("DATE", date))
    }
    # An empty index makes git read every file: it takes one of equal size and time for unchanged.
    _git([*repository, "read-tree", "--empty"], tree, identity)
    _git([*repository, "add", "--all", "--force", "."], tree, identity)
    _git([*repository, "commit", "--quiet", "--allow-empty", "-m", release.message], tree, identity)
    _git([*repository, "tag", "-a", release.tag, "-m", release.message], tree, identity)


def _git(arguments: list[str], cwd: Path, identity: dict[str, str] | None = None) -> None:
    # Neither the user's settings, templates and hooks nor an outer repository may interfere.
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(cwd),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TEMPLATE_DIR": "",
        "LC_ALL": "C",
        **(identity or {}),
    }
    # Modes of files depend on the umask of whoever cloned the project: leave them out.
    settings = ["core.fileMode=false", "core.autocrlf=false", "commit.gpgSign=false"]
    flags = [word for setting in settings for word in ("-c", setting)]
    done = run_bounded(["git", *flags, *arguments], limit_s=_GIT_LIMIT_S, cwd=cwd, env=environment)
    if done.exit_status is None:
        raise UsageError(
            f"git to end within {_GIT_LIMIT_S} s", "it did not", "try git on this machine by hand"
        )
    if not done.ok:
        raise UsageError(
            "git to make the repository of releases",
            f"`git {' '.join(arguments)}` exited {done.exit_status}: {done.stderr.strip()}",
            "check the version of git (2.30 or newer)",
        )
