"""How the service is run: compose files, systemd units, supervisor's settings, Dockerfiles."""

from __future__ import annotations

import configparser
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from rollback_drill.begin.clue import Clue
from rollback_drill.begin.folder import Folder

_COMPOSE = ("compose.y*ml", "docker-compose.y*ml", "compose.*.y*ml", "docker-compose.*.y*ml")
_DATABASES = re.compile(r"postgres|mysql|maria|redis|mongo|rabbit|kafka|haproxy|nginx|caddy")


def look_at_compose(folder: Folder) -> Iterator[Clue]:
    """Yield what the first compose file says of the service that it builds, or of its first."""
    for name in folder.called(*_COMPOSE):
        try:
            read = yaml.safe_load(folder.text(name))
        except yaml.YAMLError:
            continue
        services = read.get("services") if isinstance(read, dict) else None
        if not isinstance(services, dict):
            continue
        ours = {k: v for k, v in services.items() if isinstance(v, dict) and not _beside(v)}
        if not ours:
            continue
        service, said = next(
            ((k, v) for k, v in ours.items() if "build" in v), next(iter(ours.items()))
        )
        where = f"{name}, service {service}"
        yield Clue("stage.alternatives", "Docker Compose", name)
        up = f"docker compose up --detach --build {shlex.quote(str(service))}"
        yield Clue("restart", up, where)
        what = shlex.quote(str(said.get("container_name") or ""))
        found = what if what != "''" else f'"$(docker compose ps -q {shlex.quote(str(service))})"'
        yield Clue("scripts.pid", f"docker inspect --format '{{{{.State.Pid}}}}' {found}", where)
        yield Clue(
            "service.journal",
            'docker compose logs --no-color --timestamps --since "$SINCE" '
            + shlex.quote(str(service)),
            where,
        )
        yield from _variables(said.get("environment"), where)
        return


def _beside(said: Mapping[str, Any]) -> bool:
    return "build" not in said and bool(_DATABASES.search(str(said.get("image", ""))))


def _variables(said: object, where: str) -> Iterator[Clue]:
    """Yield the names of variables; never a value."""
    for one in said if isinstance(said, dict | list) else ():
        name = str(one).partition("=")[0]
        if re.fullmatch(r"[A-Za-z_]\w*", name):
            yield Clue("variable", name, where)


def look_at_systemd(folder: Folder) -> Iterator[Clue]:
    """Yield what the first unit of a service says."""
    for name in folder.called("*.service"):
        text = folder.text(name)
        if not re.search(r"^ExecStart=", text, re.MULTILINE):
            continue
        unit = name.rpartition("/")[2]
        yield Clue("stage.alternatives", "systemd", name)
        yield Clue("restart", f"sudo systemctl restart {shlex.quote(unit)}", name)
        if found := re.search(r"^WorkingDirectory=-?(/\S*)", text, re.MULTILINE):
            yield Clue("hosts.directory", found[1], f"{name}, WorkingDirectory")
        yield Clue(
            "scripts.pid", f"systemctl show --property MainPID --value {shlex.quote(unit)}", name
        )
        yield Clue(
            "service.journal", f'journalctl --unit {shlex.quote(unit)} --since "@$SINCE"', name
        )
        for line in re.findall(r"^Environment=(.*)", text, re.MULTILINE):
            for one in re.findall(r"([A-Za-z_]\w*)=", line):
                yield Clue("variable", one, name)
        return


def look_at_supervisor(folder: Folder) -> Iterator[Clue]:
    """Yield what supervisor's settings say of their first program."""
    for name in folder.called("supervisor*.conf", "supervisor*.ini", "*.conf", "*.ini"):
        text = folder.text(name)
        if not re.search(r"^\[program:", text, re.MULTILINE):
            continue
        settings = configparser.RawConfigParser(strict=False)
        try:
            settings.read_string(text)
        except configparser.Error:
            continue
        section = next(one for one in settings.sections() if one.startswith("program:"))
        program = section.removeprefix("program:")
        yield Clue("stage.alternatives", "supervisord", name)
        yield Clue("restart", f"supervisorctl restart {shlex.quote(program)}", name)
        yield Clue(
            "scripts.pid", f"supervisorctl pid {shlex.quote(program)}", f"{name}, [{section}]"
        )
        directory = settings.get(section, "directory", fallback="")
        if directory.startswith("/") and "%(" not in directory:
            yield Clue("hosts.directory", directory, f"{name}, directory")
        log = settings.get(section, "stderr_logfile", fallback="")
        if log.startswith("/") and "%(" not in log:
            yield Clue("service.printed", [log], f"{name}, stderr_logfile")
        for one in re.findall(
            r"([A-Za-z_]\w*)=", settings.get(section, "environment", fallback="")
        ):
            yield Clue("variable", one, name)
        return


def look_at_dockerfile(folder: Folder) -> Iterator[Clue]:
    """Yield what the first Dockerfile says: its health check's path, and its variables' names."""
    for name in folder.called("Dockerfile", "Containerfile", "Dockerfile.*"):
        text = folder.text(name)
        if found := re.search(r"^HEALTHCHECK\b.*?https?://[^/\s]+(/[\w./-]*)", text, re.M | re.S):
            yield Clue("service.health", found[1], f"{name}, HEALTHCHECK")
        for one in re.findall(r"^ENV\s+([A-Za-z_]\w*)", text, re.MULTILINE):
            yield Clue("variable", one, name)
        return


def look_at_variables(folder: Folder) -> Iterator[Clue]:
    """Yield the names in examples of `.env` files; nothing else of them is looked at."""
    for name in folder.called(".env", ".env.*", "*.env"):
        for one in re.findall(
            r"^\s*(?:export\s+)?([A-Za-z_]\w*)=", folder.text(name), re.MULTILINE
        ):
            yield Clue("variable", one, name)
