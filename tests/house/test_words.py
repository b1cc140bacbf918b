"""The engine speaks of any service: the words of the one that comes with it stand with that one."""

from __future__ import annotations

import re
from pathlib import Path

import rollback_drill

FOLDER = Path(rollback_drill.__file__).parent
DEMO = Path("subject", "hostaway")
WORDS = re.compile(
    r"\blistings?\b|reservations?\b|nextCursor|hostaway|context_protection|pagination|guest_name"
    r"|\bwalkers?\b|/api/[lr]|v0\.0\.9|v0\.1\.0"
)
# Which files of the engine speak them all the same, and why. This table only gets shorter.
STAY = {
    "__init__.py": "the map names each room",
    "ground/options.py": "the Makefile's variables and examples are a fixed contract",
    "stage/deployment.py": "asks for the option LISTINGS by its name",
    "stage/model.py": "has the option LISTINGS by its name",
    "stage/server_settings.py": "asks for the option LISTINGS by its name",
}


def spoken(folder: Path) -> dict[str, list[str]]:
    """Return the demo's words in each file of `folder` that says some, but for the demo's own."""
    found = {}
    for path in sorted((*folder.rglob("*.py"), *folder.rglob("*.j2"))):
        place = path.relative_to(folder)
        said = WORDS.findall(path.read_text(encoding="utf-8"))
        if said and not place.is_relative_to(DEMO):
            found[place.as_posix()] = said
    return found


def test_the_engine_speaks_no_words_of_one_service() -> None:
    assert {name: said for name, said in spoken(FOLDER).items() if name not in STAY} == {}


def test_what_stays_is_still_spoken() -> None:
    assert set(STAY) - set(spoken(FOLDER)) == set()


def test_a_word_of_the_demo_is_found_where_it_does_not_belong(tmp_path: Path) -> None:
    for place in ("stage/door.py", "subject/hostaway/door.py"):
        path = tmp_path / place
        path.parent.mkdir(parents=True)
        path.write_text('PATH = "/api/listings"\n')
    assert spoken(tmp_path) == {"stage/door.py": ["/api/l"]}
