"""A staging environment as its file describes it: hosts, service, database, faults, limits.

The file names no secret. Where one is needed, it names the variable of this machine's environment
that holds it (`…_from`).
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rollback_drill.ground.declared import unknown_key
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.machine import variable
from rollback_drill.runbook.hints import read_hints
from rollback_drill.stage.declared import STAGING_TABLE, STAGING_TABLES, TOP
from rollback_drill.stage.entries import KINDS, FaultEntry, HostEntry, Limits
from rollback_drill.stage.unfilled import refuse_unfilled
from rollback_drill.subject.subject import SUBJECTS
from rollback_drill.traffic.interface import DESCRIBED, Interface, Operation

_WAYS = ("ssh", "container", "pod", "local")
_FORM = "docs/staging-file.md"
_INNER = {"service": ("operations",)}
"""Tables that stand within others."""


@dataclass(frozen=True, slots=True)
class Staging:
    """The file, read and checked. `secrets` are values that must never be written down."""

    path: Path
    name: str
    kind: str
    failing: str
    stable: str
    base_url: str
    alternatives: tuple[str, ...]
    hosts: tuple[HostEntry, ...]
    environment: Mapping[str, str]
    interface: Interface
    api: str  # name of its subject
    api_key: str
    dsn: str
    changing: tuple[str, ...]  # columns that the service changes by itself
    scripts: Mapping[str, str]
    checks: Mapping[str, str]
    faults: tuple[FaultEntry, ...]
    limits: Limits
    limited: bool  # whether the file says them; else they are the usual ones
    marker: str
    prometheus_url: str
    missing: tuple[str, ...]  # variables that are named and not set
    secrets: frozenset[str]


def read_staging(path: Path) -> Staging:
    """Read the file. Raises UsageError that names the place in it and what is expected there."""
    return _Reader(path, table_of(path)).read()


def table_of(path: Path) -> dict[str, Any]:
    """Return the file's tables as they stand. Raises UsageError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(
            "a file that describes the staging environment",
            f"no {path}",
            "make init, or begin with a copy of examples/kinto/staging.toml",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"TOML in {path}", str(error), "mend that line") from error


class _Reader:
    """Takes the tables apart; every complaint names the place."""

    def __init__(self, path: Path, table: dict[str, Any]) -> None:
        self._path = path
        self._table = table
        self._missing: list[str] = []
        self._secrets: set[str] = set()

    def read(self) -> Staging:
        refuse_unfilled(self._path, self._table)
        self._known("", self._table, TOP)
        read_hints(self._table.get("runbook", {}), self._path)
        stage = self._part("stage")
        kind = self._text(stage, "stage", "kind")
        if kind not in KINDS:
            raise UsageError(
                f"an environment that may be broken: kind = {' or '.join(map(repr, KINDS))}",
                f"kind = {kind!r} in {self._path}",
                "a drill breaks what it touches; never point it at production",
            )
        environment = self._texts("environment")
        for name, source in self._texts("environment_from").items():
            environment[name] = self._secret(source)
        service, database = self._part("service"), self._part("database")
        scripts = self._texts("scripts")
        checks = self._texts("checks")
        for pattern in checks:
            try:
                re.compile(pattern)
            except re.error as error:
                raise self._wrong("checks", "a regular expression", repr(pattern)) from error
        operations = self._many(service.pop("operations", []), "service.operations", Operation)
        for one in operations:  # a record of theirs is a line of values between commas
            if not one.name.isprintable() or "," in one.name or not one.name:
                what = "a name without commas and line ends"
                raise self._wrong("service.operations.name", what, repr(one.name))
        interface = self._one(
            {k: v for k, v in service.items() if k not in ("api", "api_key_from")},
            "service",
            Interface,
            operations=tuple(operations),
        )
        brought = [name for name in SUBJECTS.names() if name != DESCRIBED]
        api = self._typed(service, "service", "api", brought[0])
        if api not in (*brought, DESCRIBED) or (api == DESCRIBED) != bool(operations):
            raise self._wrong(
                "service.api",
                f"{', '.join(map(repr, brought))}, or {DESCRIBED!r} with [[service.operations]]",
                repr(api),
            )
        key = self._typed(service, "service", "api_key_from", "")
        dsn = self._typed(database, "database", "dsn_from", "")
        return Staging(
            path=self._path,
            name=self._text(stage, "stage", "name"),
            kind=kind,
            failing=self._text(stage, "stage", "failing"),
            stable=self._text(stage, "stage", "stable"),
            base_url=self._url(self._text(stage, "stage", "base_url")),
            alternatives=tuple(self._typed(stage, "stage", "alternatives", [])),
            hosts=self._hosts(),
            environment=environment,
            interface=interface,
            api=api,
            api_key=self._secret(key) if key else "",
            dsn=self._secret(dsn) if dsn else "",
            changing=tuple(self._typed(database, "database", "changing", [])),
            scripts=scripts,
            checks=checks,
            faults=tuple(self._many(self._table.get("faults", []), "faults", FaultEntry)),
            limits=self._limits(),
            limited="limits" in self._table,
            prometheus_url=self._typed(stage, "stage", "prometheus_url", "").rstrip("/"),
            marker=self._typed(stage, "stage", "marker", ""),
            missing=tuple(dict.fromkeys(self._missing)),
            secrets=frozenset(self._secrets),
        )

    def _limits(self) -> Limits:
        limits: Limits = self._one(self._part("limits"), "limits", Limits)
        for key in STAGING_TABLE["limits"].keys:
            value = getattr(limits, key.name)
            if key.least is not None and not key.least < value < math.inf:
                what = f"a number above {key.least:g}"
                raise self._wrong(f"limits.{key.name}", what, repr(value))
        return limits

    def _hosts(self) -> tuple[HostEntry, ...]:
        hosts = self._many(self._table.get("hosts", []), "hosts", HostEntry)
        if not hosts:
            raise self._wrong("hosts", "at least one [[hosts]]", "none")
        names = [one.name for one in hosts]
        if len(set(names)) < len(names):
            raise self._wrong("hosts", "a name of its own for each host", ", ".join(names))
        for one in hosts:
            ways = [way for way in _WAYS if getattr(one, way)]
            if len(ways) != 1:
                raise self._wrong(
                    f"host {one.name}", f"one of {', '.join(_WAYS)}", ", ".join(ways) or "none"
                )
            self._url(one.url)
        return tuple(hosts)

    def _part(self, name: str) -> dict[str, Any]:
        part = self._table.get(name, {})
        if not isinstance(part, dict):
            raise self._wrong(name, f"a table [{name}]", type(part).__name__)
        self._known(name, part, (*STAGING_TABLE[name].names, *_INNER.get(name, ())))
        return dict(part)

    def _known(self, table: str, part: Iterable[str], known: Iterable[str]) -> None:
        """Raise UsageError for a name in `part` that is none of those that its table has."""
        declared = STAGING_TABLE.get(re.sub(r"\[\d+\]$", "", table))
        if declared is not None and declared.free is not None:
            return
        known = tuple(known)
        for name in part:
            if name not in known:
                place = f"{table}.{name}" if table else name
                other = next((one for one in STAGING_TABLES if name in one.names), None)
                advice = f"it stands in [{other.name}]" if other else f"see {_FORM}"
                raise unknown_key(place, name, known, self._path, advice)

    def _texts(self, table: str) -> dict[str, str]:
        part = self._part(table)
        texts = {name: self._typed(part, table, name, "") for name in part}
        # In [environment] a port may stand as it is.
        return {
            name: value if isinstance(value, str) else str(value) for name, value in texts.items()
        }

    def _text(self, part: dict[str, Any], table: str, name: str) -> str:
        value: str = self._typed(part, table, name, "")
        if not value:
            raise self._wrong(f"{table}.{name}", "a text in quotes", "nothing")
        return value

    def _typed(self, part: dict[str, Any], table: str, name: str, default: Any) -> Any:
        """Return the value of a key, or `default` without one; it must be of the declared shape."""
        if name not in part:
            return default
        shape = STAGING_TABLE[re.sub(r"\[\d+\]$", "", table)].shape_of(name)
        if not shape.accepts(part[name]):
            raise self._wrong(f"{table}.{name}", shape.called, repr(part[name]))
        return part[name]

    def _url(self, text: str) -> str:
        if not re.match(r"https?://[^/]+", text):
            raise self._wrong("a URL", "http://… or https://…", repr(text))
        return text.rstrip("/")

    def _secret(self, name: str) -> str:
        value = variable(name)
        if value:
            self._secrets.add(value)
        else:
            self._missing.append(name)
        return value

    def _many(self, entries: object, where: str, kind: type[Any]) -> list[Any]:
        if not isinstance(entries, list):
            raise self._wrong(where, f"tables [[{where}]]", type(entries).__name__)
        return [self._one(entry, f"{where}[{n}]", kind) for n, entry in enumerate(entries, 1)]

    def _one(self, entry: object, where: str, kind: type[Any], **more: object) -> Any:
        if not isinstance(entry, dict):
            raise self._wrong(where, "a table", repr(entry))
        declared = STAGING_TABLE[re.sub(r"\[\d+\]$", "", where)]
        self._known(where, entry, declared.names)
        lacking = [one.name for one in declared.keys if one.needed and one.name not in entry]
        if lacking:
            raise self._wrong(where, f"all that it needs ({', '.join(lacking)})", "less")
        for name in entry:
            self._typed(entry, where, name, None)
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
        return kind(**values, **more)

    def _wrong(self, where: str, expected: str, found: str) -> UsageError:
        return UsageError(
            f"{expected} for {where} in {self._path}",
            found,
            f"see {_FORM}, and the comments in examples/kinto/staging.toml",
        )
