"""A staging file to begin with, made of clues: every key with its meaning and where it is from."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tomlkit

from rollback_drill.begin.clue import Clue
from rollback_drill.data.fingerprint import BOOKKEEPING
from rollback_drill.data.migrations import TOOLS
from rollback_drill.ground.redact import masked
from rollback_drill.stage.declared import STAGING_TABLE, STAGING_TABLES
from rollback_drill.stage.unfilled import FILL_IN

_SECRET = re.compile(r"pass|pwd|secret|token|key|credential|auth|dsn|database_url", re.IGNORECASE)
_KEY = re.compile(r"api_?key|access_?token|auth_?token|authorization", re.IGNORECASE)
_DSN = re.compile(r"database_url|dsn|db_url|postgres_url", re.IGNORECASE)
_URL = re.compile(r"(?:^|_)(?:service|public|app|api|base|front|site)_?(?:url|host|address)$", re.I)
_NAME = "app-1"
_WIDTH = 97
_READS = 3  # enough to begin with
_HEAD = """\
# How a drill reaches this service:
# `rollback-drill drill --stage={file} --runbook={runbook}`.
# Each key says what it means and where its value was found. Replace what says “{mark}”: nothing
# runs before. docs/staging-file.md lists every key. No secret belongs here: `…_from` names a
# variable of the shell that starts the drill.
"""


@dataclass(frozen=True, slots=True)
class Field:
    """A key of the file. `place`: ("hosts", 0, "ssh"); `why`: its comment."""

    place: tuple[str | int, ...]
    value: Any
    why: str

    @property
    def open(self) -> bool:
        """Whether a person must fill it in."""
        return isinstance(self.value, str) and self.value.startswith(FILL_IN)


class Draft:
    """The file. `fields` in the order in which they are written; `notes`: what is good to know."""

    def __init__(self, name: str, clues: list[Clue]) -> None:
        self._clues = clues
        self.notes = [str(one.value) for one in clues if not one.place]
        self.fields = (
            *self._stage(name),
            *self._limits(),
            *self._hosts(),
            *self._environment(),
            *self._service(),
            *self._operations(),
            *self._of("scripts", "pid"),
        )

    def _first(self, place: str) -> Clue | None:
        return next((one for one in self._clues if one.place == place), None)

    def _all(self, place: str) -> list[Clue]:
        return [one for one in self._clues if one.place == place]

    def _made(self, table: str, key: str, *, needed: bool = False) -> Iterator[Field]:
        """Yield the key with what was found for it; without that nothing, or what to fill in."""
        told = next(one for one in STAGING_TABLE[table].keys if one.name == key)
        inside = (0,) if STAGING_TABLE[table].many else ()
        place = (*table.split("."), *inside, key)
        clue = self._first(f"{table}.{key}")
        if clue is not None:
            yield Field(place, clue.value, f"{told.meaning}; found: {clue.where}")
        elif needed:
            such = " or ".join(told.one_of) or f"such as {told.example}"
            yield Field(place, f"{FILL_IN}: {such}", told.meaning)

    def _of(self, table: str, *keys: str) -> Iterator[Field]:
        for key in keys:
            yield from self._made(table, key)

    def _stage(self, name: str) -> Iterator[Field]:
        yield Field(("stage", "name"), f"{name}-staging", "what reports call it; the folder's name")
        for key in ("kind", "failing", "stable", "base_url"):
            yield from self._made("stage", key, needed=True)
        ways = list(dict.fromkeys(one.value for one in self._all("alternative")))
        if ways:
            why = "words of the runbook's alternatives that apply here; found: "
            yield Field(("stage", "alternatives"), ways, why + "files of this repository")

    def _limits(self) -> Iterator[Field]:
        for key in STAGING_TABLE["limits"].keys:
            if key.least is not None:
                why = f"{key.meaning}, at most; a careful beginning"
                yield Field(("limits", key.name), key.example, why)

    def _hosts(self) -> Iterator[Field]:
        yield Field(("hosts", 0, "name"), _NAME, "what reports call it")
        ssh = next(self._made("hosts", "ssh", needed=True))
        why = f"{ssh.why}; or container = for docker exec, or pod = for kubectl exec"
        yield Field(ssh.place, ssh.value, why)
        yield from self._made("hosts", "directory", needed=True)
        url = next(self._made("hosts", "url", needed=True))
        if base := self._first("stage.base_url"):
            why = f"{url.why}; found: {base.where}. Correct it where a load balancer stands before"
            url = Field(url.place, base.value, why)
        yield url

    def _environment(self) -> Iterator[Field]:
        known = {one.value: one.where for one in reversed(self._all("variable"))}
        base = self._first("stage.base_url")
        secret = []
        for one in self._all("needed"):
            why = f"used by {one.where}"
            if _SECRET.search(one.value) or one.value in known:
                where = f"; found: {known[one.value]}" if one.value in known else ""
                secret.append(Field(("environment_from", one.value), one.value, why + where))
            elif base and _URL.search(one.value):
                told = f"{why}; taken for the service's own: {base.where}"
                yield Field(("environment", one.value), base.value, told)
            else:
                yield Field(("environment", one.value), f"{FILL_IN}: its value on the hosts", why)
        yield from secret

    def _service(self) -> Iterator[Field]:
        yield Field(("service", "api"), "other", "its requests are described below")
        key = next((one for one in self._all("variable") if _KEY.search(one.value)), self._sent())
        if key:
            why = f"name of the variable of this machine that holds the key; found: {key.where}"
            yield Field(("service", "api_key_from"), key.value, why)
            yield from self._of("service", "key_header")
        yield from self._of("service", "health", "metrics", "document", "printed")
        if not self._first("service.printed"):
            yield from self._of("service", "journal")

    def _sent(self) -> Clue | None:
        """Return the variable that the runbook sends in the header of the service's key."""
        header = self._first("service.key_header")
        for one in self._all("sent") if header else ():
            name, variable = one.value
            if header and name.lower() == header.value.lower():
                return Clue("variable", variable, one.where)
        return None

    def _operations(self) -> Iterator[Field]:
        reads = self._first("reads")
        paths = reads.value[:_READS] if reads else [f"{FILL_IN}: such as /orders?limit=20"]
        where = f"; found: {reads.where}" if reads else ""
        for number, path in enumerate(paths):
            inside = ("service", "operations", number)
            yield Field((*inside, "name"), f"read {number + 1}", "what reports call it")
            yield Field((*inside, "method"), "GET", "a read")
            yield Field((*inside, "path"), path, "path and query that clients ask for" + where)

    def text(self, file: str, runbook: str) -> str:
        """Return the file as it is written where there is none."""
        lines = [_HEAD.format(file=file, runbook=runbook, mark=FILL_IN).rstrip()]
        if self.notes:
            lines += ["#", "# The runbook, as it is read today:"]
            lines += [f"#   {_line(masked(note))}" for note in self.notes]
        last: tuple[str | int, ...] = ()
        for one in self.fields:
            table = one.place[:-1]
            if table != last:
                name = ".".join(part for part in table if isinstance(part, str))
                many = any(isinstance(part, int) for part in table)
                meaning = next((t.meaning for t in STAGING_TABLES if t.name == name), "")
                lines += ["", *_comment(meaning), f"[[{name}]]" if many else f"[{name}]"]
                last = table
            lines += _comment(one.why)
            lines.append(f"{tomlkit.key(str(one.place[-1])).as_string()} = {toml_of(one.value)}")
        return "\n".join([*lines, "", *self._suggested(), ""])

    def _suggested(self) -> Iterator[str]:
        """Yield what changes something or is optional: only a person turns that on."""
        yield "# What follows is only suggested: take the first sign of a line off, and correct it."
        yield "#"
        yield "# [scripts]  # or below the table above, if there is one"
        yield "# deploy = '''"
        yield "# git fetch --quiet --tags --force origin"
        yield '# git checkout --quiet --force --detach "tags/$TAG"'
        for place, missing in (("migrate", ""), ("restart", "false  # restart the service here")):
            if clue := self._first(place):
                yield f"# {_line(clue.value)}  # found: {_line(clue.where)}"
            elif missing:
                yield f"# {missing}"
        yield "# '''"
        yield "#"
        yield "# [[faults]]  # what is broken on purpose; without one there is nothing to roll back"
        for key in STAGING_TABLE["faults"].keys:
            if key.needed:
                yield f"# {key.name} = {toml_of(key.example)}  # {key.meaning}"
        if database := self._first("database"):
            dsn = next((one for one in self._all("variable") if _DSN.search(one.value)), None)
            yield "#"
            yield "# [database]  # Postgres alone: compares all data before and after"
            yield f'# dsn_from = "{dsn.value if dsn else "STAGING_ADMIN_DSN"}"'
            tables = {one.name: one.table for one in TOOLS if one.table != BOOKKEEPING}
            if table := tables.get(database.value):
                told = f"where {database.value} writes down what a procedure takes back"
                yield f"# changing = {toml_of([table])}  # {told}"


def toml_of(value: Any) -> str:
    """Return a value as TOML has it."""
    return str(tomlkit.item(value).as_string())


def _line(words: str) -> str:
    """Return `words` in one line that may stand in a comment: without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def _comment(words: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(_line(words), _WIDTH, break_long_words=False)]
