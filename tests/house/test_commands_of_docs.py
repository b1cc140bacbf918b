"""What README and docs tell a user to type is what the suite takes.

Names such as `ours.md` are the reader's own. What the commands do is shown elsewhere.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollback_drill.cli import arguments_of
from rollback_drill.ground.asked_by_make import call
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.options import VERBS

ROOT = Path(__file__).resolve().parents[2]
_NAMED = 2  # words: "make report"
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:make|rollback-drill) [a-z][^`…<]*)`")
TARGETS = set(re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
LINK = re.compile(r"\]\((?!http)([^)#]*)(?:#([^)]*))?\)")


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command of ours; one that is only named in a sentence is left out."""
    lines = (line[2:] for block in BLOCK.findall(text) for line in block.splitlines())
    named = (line for line in INLINE.findall(text) if len(line.split()) > _NAMED)
    for line in (*lines, *named):
        words = shlex.split(line, comments=True)
        if words[0] in ("make", "rollback-drill"):
            yield words


def take(words: list[str]) -> None:
    """Raise UsageError, or end the program, for what the suite does not take."""
    program, *rest = words
    if program == "rollback-drill":
        if "--help" not in rest:
            arguments_of(rest)
        return
    name, *given = rest
    known = {one.name: one for one in VERBS}
    if name not in known:
        if name not in TARGETS:
            raise UsageError("a target of make", name, "see `make help`")
        return
    texts = dict(one.split("=", 1) for one in given)
    strange = set(texts) - {one.variable for one in known[name].options}
    if strange:
        raise UsageError(f"a variable of make {name}", ", ".join(strange), "see `make help`")
    module, *called = call(known[name], texts)
    if module == "rollback_drill":
        arguments_of(called)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_tells_to_type_is_taken(page: Path) -> None:
    for words in commands(page.read_text(encoding="utf-8")):
        take(words)


def test_the_readme_tells_to_type_something() -> None:
    assert len(list(commands(PAGES[0].read_text(encoding="utf-8")))) >= 8


@pytest.mark.parametrize(
    "line",
    ["make dril", "make drill FAUL=x", "make drill PACE=fast", "rollback-drill drill --fualt=x",
     "rollback-drill reed", "rollback-drill drill --pace=fast"],
)  # fmt: skip
def test_what_the_suite_does_not_take_is_found(line: str) -> None:
    ((words),) = commands(f"```console\n$ {line}\n```\n")
    with pytest.raises((UsageError, SystemExit)):
        take(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    for path, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), path
        if anchor and there.suffix == ".md":
            titles = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {slug(title) for title in titles}, f"{path}#{anchor}"


def slug(title: str) -> str:
    """Return the anchor that a heading has where Markdown is shown."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
