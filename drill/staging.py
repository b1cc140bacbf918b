"""A staging environment as its file describes it: hosts, service, database, faults, limits.

The file names no secret. Where one is needed, it names the variable of this machine's environment
that holds it (`…_from`).
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from drill.errors import UsageError
from drill.interface import Interface, Operation

KINDS = ("staging", "disposable")
"""What an environment must say that it is before a drill touches it."""
SCRIPTS = (
    "deploy", "defects", "stop_database", "start_database", "health_path", "slow_network", "pid",
    "oom_kills", "database_log",
)  # fmt: skip
"""What a script of the file can be for. `deploy` finds the tag in $TAG, `defects` JSON in $DEFECTS,
`health_path` the path in $HEALTH_PATH, `slow_network` seconds in $DELAY_S (0: slow no more); `pid`
and `oom_kills` print a number."""
_WAYS = ("ssh", "container", "pod")


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
    speaks_listings: bool
    api_key: str
    dsn: str
    scripts: Mapping[str, str]
    checks: Mapping[str, str]
    faults: tuple[FaultEntry, ...]
    limits: Limits
    marker: str
    prometheus_url: str
    missing: tuple[str, ...]  # variables that are named and not set
    secrets: frozenset[str]


def read(path: Path) -> Staging:
    """Read the file. Raises UsageError that names the place in it and what is expected there."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(
            "a file that describes the staging environment", f"no {path}",
            "begin with a copy of examples/kinto/staging.toml",
        ) from error  # fmt: skip
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"TOML in {path}", str(error), "mend that line") from error
    return _Reader(path, table).read()


class _Reader:
    """Takes the tables apart; every complaint names the place."""

    def __init__(self, path: Path, table: dict[str, Any]) -> None:
        self._path = path
        self._table = table
        self._missing: list[str] = []
        self._secrets: set[str] = set()

    def read(self) -> Staging:
        known = {
            "stage", "limits", "hosts", "environment", "environment_from", "service", "database",
            "scripts", "checks", "faults",
        }  # fmt: skip
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
        environment = {str(k): str(v) for k, v in self._part("environment").items()}
        for name, source in self._part("environment_from").items():
            environment[name] = self._secret(str(source))
        service, database = self._part("service"), self._part("database")
        scripts = {str(k): str(v) for k, v in self._part("scripts").items()}
        for name in scripts.keys() - set(SCRIPTS):
            raise self._wrong(f"scripts.{name}", f"one of {', '.join(SCRIPTS)}", "another name")
        checks = {str(k): str(v) for k, v in self._part("checks").items()}
        for pattern in checks:
            try:
                re.compile(pattern)
            except re.error as error:
                raise self._wrong("checks", "a regular expression", repr(pattern)) from error
        operations = self._many(service.pop("operations", []), "service.operations", Operation)
        interface = self._one(
            {k: v for k, v in service.items() if k not in ("api", "api_key_from")},
            "service", Interface, operations=tuple(operations),
        )  # fmt: skip
        api = str(service.get("api", "listings"))
        if api not in ("listings", "other") or (api == "other") != bool(operations):
            raise self._wrong(
                "service.api", "'listings', or 'other' with [[service.operations]]", repr(api)
            )
        key = service.get("api_key_from")
        dsn = database.get("dsn_from")
        return Staging(
            path=self._path,
            name=self._text(stage, "stage", "name"),
            kind=kind,
            failing=self._text(stage, "stage", "failing"),
            stable=self._text(stage, "stage", "stable"),
            base_url=self._url(self._text(stage, "stage", "base_url")),
            alternatives=tuple(map(str, stage.get("alternatives", ()))),
            hosts=self._hosts(),
            environment=environment,
            interface=interface,
            speaks_listings=api == "listings",
            api_key=self._secret(str(key)) if key else "",
            dsn=self._secret(str(dsn)) if dsn else "",
            scripts=scripts,
            checks=checks,
            faults=tuple(self._many(self._table.get("faults", []), "faults", FaultEntry)),
            limits=self._one(self._part("limits"), "limits", Limits),
            prometheus_url=str(stage.get("prometheus_url", "")).rstrip("/"),
            marker=str(stage.get("marker", "")),
            missing=tuple(self._missing),
            secrets=frozenset(self._secrets),
        )

    def _hosts(self) -> tuple[HostEntry, ...]:
        hosts = self._many(self._table.get("hosts", []), "hosts", HostEntry)
        if not hosts:
            raise self._wrong("hosts", "at least one [[hosts]]", "none")
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
        return dict(part)

    def _text(self, part: dict[str, Any], table: str, name: str) -> str:
        value = part.get(name)
        if not isinstance(value, str) or not value:
            raise self._wrong(f"{table}.{name}", "a text", repr(value))
        return value

    def _url(self, text: str) -> str:
        if not re.match(r"https?://[^/]+", text):
            raise self._wrong("a URL", "http://… or https://…", repr(text))
        return text.rstrip("/")

    def _secret(self, variable: str) -> str:
        value = os.environ.get(variable, "")
        if value:
            self._secrets.add(value)
        else:
            self._missing.append(variable)
        return value

    def _many(self, entries: object, where: str, kind: type[Any]) -> list[Any]:
        if not isinstance(entries, list):
            raise self._wrong(where, f"tables [[{where}]]", type(entries).__name__)
        return [self._one(entry, f"{where}[{n}]", kind) for n, entry in enumerate(entries, 1)]

    def _one(self, entry: dict[str, Any], where: str, kind: type[Any], **more: object) -> Any:
        allowed = {one.name for one in fields(kind)} - more.keys()
        for name in entry.keys() - allowed:
            raise self._wrong(f"{where}.{name}", f"one of {', '.join(sorted(allowed))}", "it")
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
        try:
            return kind(**values, **more)
        except TypeError as error:
            needed = str(error).partition("argument")[2].lstrip("s: ") or str(error)
            raise self._wrong(where, f"all that it needs ({needed})", "less") from error

    def _wrong(self, where: str, expected: str, found: str) -> UsageError:
        return UsageError(
            f"{expected} for {where} in {self._path}", found,
            "see the comments in examples/kinto/staging.toml",
        )  # fmt: skip
