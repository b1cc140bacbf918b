"""Whether a container engine answers."""

from __future__ import annotations

from functools import cache

import docker
import requests

_TIMEOUT_S = 5


@cache
def engine_problem() -> str | None:
    """Return None when a container engine answers, else why none does, in a few words."""
    try:
        client = docker.from_env(timeout=_TIMEOUT_S)
        try:
            client.ping()
        finally:
            client.close()
    except (docker.errors.DockerException, requests.RequestException) as error:
        return str(error).splitlines()[0]
    return None
