"""Git's tags: the newest release is to be rolled back, to the one before it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

from rollback_drill.begin.clue import Clue
from rollback_drill.begin.folder import Folder
from rollback_drill.stage.host import run_bounded

_LIMIT_S = 20
_RELEASE = re.compile(r"^(?:[\w-]*?[-_/])?v?\d+(?:\.\d+)+(?P<rest>[\w.+-]*)$")


def look_at_tags(folder: Folder) -> Iterator[Clue]:
    """Yield both releases, of the tags that look like versions, newest by version first."""
    if shutil.which("git") is None:
        return
    asked = ["git", "-C", str(folder.root), "tag", "--list", "--sort=-version:refname"]
    done = run_bounded(asked, limit_s=_LIMIT_S)
    named = [tag for tag in done.stdout.split() if _RELEASE.match(tag)] if done.ok else []
    whole = [tag for tag in named if not re.search(r"(?:rc|alpha|beta|dev|pre)\W?\d*$", tag, re.I)]
    for place, tag, which in zip(
        ("stage.failing", "stage.stable"), whole, ("the newest", "the one before"), strict=False
    ):
        yield Clue(place, tag, f"git tag: {which} of {len(whole)} by version")
