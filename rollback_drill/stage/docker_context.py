"""Which engine the user's Docker tools talk to, told to everybody by the environment.

`docker context use` writes a name into Docker's configuration. Its own command follows that;
testcontainers, docker-py and docker-compose do so in part or not at all, so that one run could
reach two engines. As DOCKER_HOST and what belongs to it they all understand it.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from docker.errors import DockerException
from testcontainers.core.config import testcontainers_config

__all__ = ["adopt", "settings"]

_DEFAULT = "default"


def adopt() -> None:
    """Let every library and command of this process talk to the engine of the user's context.

    Raises DockerException when there is no such context, or its engine is on another machine.
    """
    os.environ.update(settings(os.environ))
    # A file of testcontainers' own, or what it infers, would reach another engine than the rest.
    testcontainers_config.tc_properties.pop("tc.host", None)
    host = os.environ.get("DOCKER_HOST", "")
    if host and not _is_here(host):
        raise DockerException(
            f"{host} is on another machine, and a stage's ports are published on its loopback"
        )


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that stand for the context which Docker's own command would take.

    Raises DockerException when there is no such context.
    """
    if environment.get("DOCKER_HOST"):
        return {}
    folder = Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker")
    name = environment.get("DOCKER_CONTEXT") or _current(folder / "config.json")
    if name in ("", _DEFAULT):
        return {}
    key = hashlib.sha256(name.encode()).hexdigest()
    meta = folder / "contexts" / "meta" / key / "meta.json"
    try:
        endpoint = json.loads(meta.read_text(encoding="utf-8"))["Endpoints"]["docker"]
        found = {"DOCKER_HOST": str(endpoint["Host"])}
        unproven = bool(endpoint.get("SkipTLSVerify", False))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DockerException(f"the Docker context {name!r} has no engine in {meta}") from error
    certificates = folder / "contexts" / "tls" / key / "docker"
    if certificates.is_dir():
        found["DOCKER_CERT_PATH"] = str(certificates)
        if not unproven:
            found["DOCKER_TLS_VERIFY"] = "1"
    return found


def _current(path: Path) -> str:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(told.get("currentContext") or "") if isinstance(told, dict) else ""


def _is_here(host: str) -> bool:
    """Whether the engine at `host`, as in DOCKER_HOST, publishes ports on this machine."""
    try:
        parts = urlsplit(host)
        if parts.scheme == "ssh":
            return False
        if parts.scheme not in ("tcp", "http", "https"):
            return True
        named = {str(one[4][0]) for one in socket.getaddrinfo(parts.hostname, None)}
    except (OSError, ValueError):
        return True  # whoever connects there will say what is wrong with it
    own = {one.address for found in psutil.net_if_addrs().values() for one in found}
    return bool(named & own)
