"""A staging environment as its file describes it: hosts, service, database, faults, limits.

The file names no secret. Where one is needed, it names the variable of this machine's environment
that holds it (`…_from`).
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.machine import variable
from rollback_drill.runbook.hints import read_hints
from rollback_drill.subject.subject import SUBJECTS
from rollback_drill.traffic.interface import DESCRIBED, Interface, Operation

KINDS = ("staging", "disposable")
"""What an environment must say that it is before a drill touches it."""
SCRIPTS = (
    "deploy",
    "defects",
    "stop_database",
    "start_database",
    "health_path",
    "slow_network",
    "pid",
    "oom_kills",
    "database_log",
    "release",
)
"""What a script of the file can be for. `deploy` finds the tag in $TAG, `defects` JSON in $DEFECTS,
`health_path` the path in $HEALTH_PATH, `slow_network` seconds in $DELAY_S (0: slow no more); `pid`
and `oom_kills` print a number, `release` the commit or tag that the process was built of."""
_WAYS = ("ssh", "container", "pod")
_KEYS = {
    "stage": {
        "name",
        "kind",
        "failing",
        "stable",
        "base_url",
        "alternatives",
        "marker",
        "prometheus_url",
    },
    "service": {"api", "api_key_from", *(one.name for one in fields(Interface))},
    "database": {"dsn_from"},
}
_TEXTS, _TABLE = tuple[str, ...], Mapping[str, str]
# What a key of such a type may hold in the file, and how that is called.
_ACCEPTED: dict[Any, tuple[Callable[[object], bool], str]] = {
    str: (lambda value: isinstance(value, str), "a text in quotes"),
    bool: (lambda value: isinstance(value, bool), "true or false"),
    int: (lambda value: type(value) is int, "a whole number"),
    float: (lambda value: type(value) in (int, float), "a number"),
    _TEXTS: (
        lambda value: isinstance(value, list | tuple) and all(isinstance(v, str) for v in value),
        "a list of texts",
    ),
    _TABLE: (
        lambda value: isinstance(value, dict) and all(isinstance(v, str) for v in value.values()),
        "a table of texts",
    ),
}


@dataclass(frozen=True, slots=True)
class HostEntry:
    """A service host. One of `ssh` ("user@name"), `container` and `pod` says how to reach it;
    `url`: its service past the load balancer; `options`: further words for ssh or kubectl.
    """

    name: str
    directory: str
    url: str
    ssh: str = ""
    container: str = ""
    pod: str = ""
    port: int = 22
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FaultEntry:
    """A fault made by scripts on every host. `attest` runs on this machine's side of the front
    door: `method` and `path` are asked for, and the symptom is there when `status` is answered.
    `damages`: whether it changes or takes away data.
    """

    name: str
    symptom: str
    inject: str
    heal: str
    path: str
    status: int
    method: str = "GET"
    body: str = ""
    trigger: str = ""
    ours: bool = True
    damages: bool = False
    watch_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a drill may do here at most. `rate` in requests/s; `stop_file`: when it appears, the
    drill is aborted at once.
    """

    rate: float = 50.0
    requests: int = 200_000
    minutes: float = 60.0
    stop_file: str = ""


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
            "begin with a copy of examples/kinto/staging.toml",
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
        known = {
            "stage",
            "limits",
            "hosts",
            "environment",
            "environment_from",
            "service",
            "database",
            "scripts",
            "checks",
            "faults",
            "runbook",
        }
        read_hints(self._table.get("runbook", {}), self._path)
        for name in self._table.keys() - known:
            raise self._wrong(name, f"one of the tables {', '.join(sorted(known))}", "another one")
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
        self._known("scripts", scripts, SCRIPTS)
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
        api = str(service.get("api", brought[0]))
        if api not in (*brought, DESCRIBED) or (api == DESCRIBED) != bool(operations):
            raise self._wrong(
                "service.api",
                f"{', '.join(map(repr, brought))}, or {DESCRIBED!r} with [[service.operations]]",
                repr(api),
            )
        key = self._typed(service, "service", "api_key_from", str, "")
        dsn = self._typed(database, "database", "dsn_from", str, "")
        return Staging(
            path=self._path,
            name=self._text(stage, "stage", "name"),
            kind=kind,
            failing=self._text(stage, "stage", "failing"),
            stable=self._text(stage, "stage", "stable"),
            base_url=self._url(self._text(stage, "stage", "base_url")),
            alternatives=tuple(self._typed(stage, "stage", "alternatives", _TEXTS, [])),
            hosts=self._hosts(),
            environment=environment,
            interface=interface,
            api=api,
            api_key=self._secret(key) if key else "",
            dsn=self._secret(dsn) if dsn else "",
            scripts=scripts,
            checks=checks,
            faults=tuple(self._many(self._table.get("faults", []), "faults", FaultEntry)),
            limits=self._limits(),
            limited="limits" in self._table,
            prometheus_url=self._typed(stage, "stage", "prometheus_url", str, "").rstrip("/"),
            marker=self._typed(stage, "stage", "marker", str, ""),
            missing=tuple(self._missing),
            secrets=frozenset(self._secrets),
        )

    def _limits(self) -> Limits:
        limits: Limits = self._one(self._part("limits"), "limits", Limits)
        for name in ("rate", "requests", "minutes"):
            value = getattr(limits, name)
            if not 0 < value < math.inf:
                raise self._wrong(f"limits.{name}", "a number above 0", repr(value))
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
        if name in _KEYS:
            self._known(name, part, _KEYS[name])
        return dict(part)

    def _known(self, table: str, part: Iterable[str], known: Iterable[str]) -> None:
        for name in part:
            if name not in known:
                raise self._wrong(f"{table}.{name}", f"one of {', '.join(sorted(known))}", name)

    def _texts(self, table: str) -> dict[str, str]:
        part = self._part(table)
        if table == "environment":  # where a port may stand as it is
            part = {k: str(v) if type(v) in (int, float) else v for k, v in part.items()}
        return {name: self._typed(part, table, name, str, "") for name in part}

    def _text(self, part: dict[str, Any], table: str, name: str) -> str:
        value: str = self._typed(part, table, name, str, "")
        if not value:
            raise self._wrong(f"{table}.{name}", "a text in quotes", "nothing")
        return value

    def _typed(self, part: dict[str, Any], table: str, name: str, kind: Any, default: Any) -> Any:
        """Return the value of a key, or `default` without one; it must be of the type `kind`."""
        if name not in part:
            return default
        accepts, called = _ACCEPTED[kind]
        if not accepts(part[name]):
            raise self._wrong(f"{table}.{name}", called, repr(part[name]))
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
        allowed = {one.name for one in fields(kind)} - more.keys()
        self._known(where, entry, allowed)
        types = get_type_hints(kind)
        for name in entry:
            self._typed(entry, where, name, types[name], None)
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
        try:
            return kind(**values, **more)
        except TypeError as error:
            needed = str(error).partition("argument")[2].lstrip("s: ") or str(error)
            raise self._wrong(where, f"all that it needs ({needed})", "less") from error

    def _wrong(self, where: str, expected: str, found: str) -> UsageError:
        return UsageError(
            f"{expected} for {where} in {self._path}",
            found,
            "see the comments in examples/kinto/staging.toml",
        )
