"""The container engine: whether one answers, and the one client for it."""

from __future__ import annotations

import functools

import docker
from docker.errors import DockerException

from rollback_drill.stage.docker_context import adopt

__all__ = ["engine_client", "engine_problem"]

_PING_LIMIT_S = 5
_LIMIT_S = 600  # an image build's longest silence


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
