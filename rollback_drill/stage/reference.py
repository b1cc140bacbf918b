"""The page of every key of a staging file: `docs/staging-file.md` is what this prints.

`python -m rollback_drill.stage.reference page` prints it, `schema` the schema beside it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from rollback_drill.ground.declared import Key, KeyTable
from rollback_drill.stage.declared import STAGING_TABLES
from rollback_drill.stage.schema import schema_text
from rollback_drill.stage.unfilled import FILL_IN

SCHEMA_FILE = "staging-file.schema.json"
"""Name of the published schema, beside the page."""


def key_page() -> Iterator[str]:
    """Yield the lines of the page."""
    yield "# Every key of a staging file"
    yield ""
    yield (
        "`rollback-drill init` writes such a file of what it finds; [staging.md](staging.md) says "
        "what it is for. An unknown key is refused, with the one that was probably meant, and so "
        f"is a value that begins with “{FILL_IN}”, with its line. No secret stands in the file: "
        "keys that end in `_from`, and `[environment_from]`, name variables of the shell that "
        f"starts the drill. [`{SCHEMA_FILE}`]({SCHEMA_FILE}) is the same for editors; "
        "`rollback-drill init --schema=1` prints it. All three are made of "
        "`rollback_drill/stage/declared.py`: "
        "`python -m rollback_drill.stage.reference page > docs/staging-file.md`."
    )
    for one in STAGING_TABLES:
        yield ""
        yield from _section(one)


def _section(one: KeyTable) -> Iterator[str]:
    yield f"## [[{one.name}]]" if one.many else f"## [{one.name}]"
    yield ""
    yield one.meaning + (" It must be there." if one.needed else "")
    yield ""
    yield "| key | is | can be | when left out | for example |"
    yield "|---|---|---|---|---|"
    for key in (*one.keys, *([one.free] if one.free else ())):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in _cells(key, one))} |"


def _cells(key: Key, table: KeyTable) -> Iterator[str]:
    yield f"`{key.name}`" if key is not table.free else "any name"
    yield key.meaning
    called = key.shape.called
    if key.one_of:
        called = " or ".join(f"`{_toml(one)}`" for one in key.one_of)
    if key.least is not None:
        called += f" above {key.least:g}"
    yield called
    needed = "**refused**" if key.needed else ""
    if key.name in table.one_way:
        needed = "another way"
    yield needed or (f"`{_toml(key.default)}`" if key.default is not None else "")
    yield f"`{_toml(key.example)}`"


def _toml(value: Any) -> str:
    """Return a value as TOML has it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_name(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, str) and '"' in value and "'" not in value:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)


def _name(text: str) -> str:
    bare = text.replace("-", "").replace("_", "").isalnum() and text.isascii()
    return text if bare else json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    if sys.argv[1] == "schema":
        sys.stdout.write(schema_text())
    else:
        sys.stdout.writelines(f"{line}\n" for line in key_page())
