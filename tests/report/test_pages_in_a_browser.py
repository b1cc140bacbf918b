"""Every page in a browser, light and dark, on a desk and on a phone: axe-core finds nothing, nothing
is wider than the screen, and Lighthouse gives all points for accessibility and good practice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.report.browser_support import look, served, tools
from tests.report.pages_support import pages

pytestmark = [pytest.mark.wide, pytest.mark.slow, pytest.mark.timeout(1_800)]
_WIDTHS, _SCHEMES = (1440, 390), ("light", "dark")
_BAD = """<!doctype html><html lang="en"><head><title>Bad</title>
<meta name="viewport" content="width=device-width"></head>
<body><main><h1>Bad</h1><input type="text"><p style="color:#bbb;background:#fff">Faint</p>
<div style="width: 3000px">wide</div></main></body></html>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of one page of each kind, and of a bad one."""
    tools()
    folder = tmp_path_factory.mktemp("pages")
    paths = pages(folder)
    (folder / "bad.html").write_text(_BAD)
    with served(folder) as address:
        found = {name: f"{address}/{path.relative_to(folder)}" for name, path in paths.items()}
        yield found | {"bad": f"{address}/bad.html"}


def jobs_of(site: dict[str, str], **more: Any) -> dict[str, dict[str, Any]]:
    """Return what is to be looked at, by names for people."""
    return {
        f"{name}, {width} px, {scheme}": {"url": url, "width": width, "scheme": scheme, **more}
        for name, url in site.items()
        for width in _WIDTHS
        for scheme in _SCHEMES
    }


def test_axe_finds_nothing_and_nothing_is_too_wide(site: dict[str, str]) -> None:
    asked = jobs_of(site, open=True)
    asked |= {
        f"{name}, paper": {"url": url, "width": 794, "scheme": "light", "media": "print"}
        for name, url in site.items()
    }
    seen = dict(zip(asked, look(list(asked.values())), strict=True))
    bad = {name: one for name, one in seen.items() if name.startswith("bad")}
    for one in bad.values():  # it can see what is wrong
        found = {flaw["id"] for flaw in one["axe"]}
        assert {"label", "color-contrast"} <= found
        assert one["wider"] > 0
    good = {name: one for name, one in seen.items() if name not in bad}
    assert len(good) == 7 * (len(_WIDTHS) * len(_SCHEMES) + 1)
    assert all(one["rules"] > 10 for one in good.values())
    assert {name: one["axe"] for name, one in good.items() if one["axe"]} == {}
    assert {name: one["wider"] for name, one in good.items() if one["wider"] > 0} == {}


def test_lighthouse_gives_all_points(site: dict[str, str]) -> None:
    asked = jobs_of(site, lighthouse=True)
    asked = {name: job for name, job in asked.items() if job["scheme"] == "light"}
    seen = dict(zip(asked, look(list(asked.values())), strict=True))
    scores = {name: one["scores"] for name, one in seen.items()}
    for name, one in seen.items():
        assert one["error"] == "", name
        assert set(one["scores"]) == {"accessibility", "best-practices"}
    bad = {name for name in scores if name.startswith("bad")}
    assert all(scores[name]["accessibility"] < 100 for name in bad)
    short = {
        name: (one["scores"], one["failed"])
        for name, one in seen.items()
        if name not in bad and set(one["scores"].values()) != {100}
    }
    assert short == {}
