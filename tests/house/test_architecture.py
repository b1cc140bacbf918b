"""The pages of `docs/` name files that are there, and the conductor is as small as they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rollback_drill
from tests.house.floor_plan import engine

ENGINE = Path(rollback_drill.__file__).parent
ROOT = ENGINE.parent
PAGES = [ROOT / "docs" / name for name in ("architecture.md", "adding.md")]
_NAMED = re.compile(r"`([a-z_]+(?:/[a-z_]*)+(?:\.[a-z]+)?|[a-z_]+\.(?:py|md))`")
_LINKED = re.compile(r"\]\(([^)#]+)[^)]*\)")


def missing(page: str) -> list[str]:
    """Return what a page names, or links to, that is not there. A name without its folder is that
    of a family, or of a file that several rooms have.
    """
    return [
        *(one for one in _NAMED.findall(page) if not _there(one)),
        *(one for one in _LINKED.findall(page) if not (ROOT / "docs" / one).exists()),
    ]


def _there(name: str) -> bool:
    if (ENGINE / name).exists() or (ROOT / name).exists():
        return True
    last = name.rstrip("/")
    return "/" not in last and any((*ENGINE.rglob(last), *ENGINE.rglob(f"{last}.py")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    assert missing(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "gone",
    ["`conduct/nobody.py`", "`nowhere/`", "`nobody.py`", "`load/nothing.py`", "[a](nothing.md)"],
)
def test_a_file_that_is_not_there_is_found(gone: str) -> None:
    assert len(missing(f"See {gone}.")) == 1
    assert missing("See `conduct/hold.py`, `load/`, `family.py`, `faults/`, [b](adding.md).") == []


def test_the_conductor_stays_small() -> None:
    assert len({one.target for one in engine().arrows if one.source == "conduct.conductor"}) <= 15
