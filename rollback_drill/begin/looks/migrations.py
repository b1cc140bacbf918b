"""How the database is migrated: alembic, Django, Flyway, knex."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from rollback_drill.begin.clue import Clue
from rollback_drill.begin.folder import Folder


def look_at_migrations(folder: Folder) -> Iterator[Clue]:
    """Yield the command that brings the schema to the release, and that there is a database."""
    for tool, name, command in _tools(folder):
        yield Clue("migrate", command, f"{name} ({tool})")
        yield Clue("database", tool, name)


def _tools(folder: Folder) -> Iterator[tuple[str, str, str]]:
    for name in folder.called("alembic.ini"):
        yield "alembic", name, "alembic upgrade head"
        break
    for name in folder.called("manage.py"):
        if "django" in folder.text(name).lower():
            yield "Django", name, "python manage.py migrate --noinput"
            break
    flyway = [*folder.called("flyway.conf", "flyway.toml"), *folder.called("V[0-9]*__*.sql")]
    if flyway:
        yield "Flyway", flyway[0], "flyway migrate"
    knex = folder.called("knexfile.*") or [
        name for name in folder.called("package.json") if "knex" in _depends(folder.text(name))
    ]
    if knex:
        yield "knex", knex[0], "npx knex migrate:latest"


def _depends(text: str) -> set[str]:
    try:
        read = json.loads(text)
    except ValueError:
        return set(re.findall(r'"(knex)"', text))
    held = read.get("dependencies", {}) if isinstance(read, dict) else {}
    return set(held) if isinstance(held, dict) else set()
