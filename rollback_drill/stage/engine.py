"""The container engine: whether one answers, and the one client for it."""

from __future__ import annotations

import functools

import docker
from docker.errors import DockerException

from rollback_drill.ground.priority import SHARES
from rollback_drill.stage.docker_context import adopt

__all__ = ["engine_client", "engine_problem", "priority"]

_PING_LIMIT_S = 5
_LIMIT_S = 600  # an image build's longest silence
_USUAL_SHARES = 1024  # of a container that has no priority


@functools.cache
def engine_problem() -> str:
    """Return why no container engine can be used here, in a few words; "" when one answers."""
    try:
        adopt()
        pinged = docker.from_env(use_context=False, timeout=_PING_LIMIT_S)
        try:
            pinged.ping()
        finally:
            pinged.close()
    except DockerException as error:
        words = " ".join(str(error).split())
        return f"no container engine answers ({words[:120]})"
    return ""


@functools.cache
def engine_client() -> docker.DockerClient:
    """Return the client of the engine that DOCKER_HOST or the Docker context names, by default the
    local one.
    """
    adopt()
    return docker.from_env(use_context=False, timeout=_LIMIT_S)


def priority(*, apart: bool) -> dict[str, object]:
    """Return the options by which a container goes before other programs, as `ground.priority` has
    processes do.

    `apart`: also where the engine keeps all containers in one group, which together get no more
    than one program does: it then stands beside that group, as far as the engine can.
    """
    options: dict[str, object] = {"cpu_shares": _USUAL_SHARES * SHARES}
    if apart and stands_apart():
        options["cgroup_parent"] = "/"
    return options


def stands_apart() -> bool:
    """Whether what is `apart` stands beside the group of all containers. Raises DockerException."""
    return _groups() == ("cgroupfs", "1")


@functools.cache
def _groups() -> tuple[str, str]:
    """Return who makes the engine's control groups, and their version."""
    info = engine_client().info()
    return str(info.get("CgroupDriver")), str(info.get("CgroupVersion"))
