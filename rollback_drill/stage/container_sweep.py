"""Marks what a drill makes in the engine, and removes what a killed drill left there."""

from __future__ import annotations

import json
import os
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from rollback_drill.stage.engine import engine_client

__all__ = ["OWNER", "RUN", "labels", "made", "remove_from_engine", "sweep_engine"]

RUN = "rollback-drill.run"
OWNER = "rollback-drill.owner"


def labels() -> dict[str, str]:
    """Return the labels of a new run: its id, and the process that owns it."""
    created = psutil.Process().create_time()
    owner = json.dumps([socket.gethostname(), os.getpid(), created])
    return {RUN: uuid.uuid4().hex, OWNER: owner}


def made(run: dict[str, str]) -> list[Any]:
    """Return the containers and networks that bear the labels of `run`."""
    return _labelled(f"{RUN}={run[RUN]}")


def _labelled(label: str) -> list[Any]:
    wanted: dict[str, str | list[str] | bool] = {"label": label}
    engine = engine_client()
    return [
        *engine.containers.list(all=True, filters=wanted, ignore_removed=True),
        *engine.networks.list(filters=wanted),
    ]


def remove_from_engine(things: list[Any]) -> None:
    """Remove containers with their volumes, then networks. What is gone already is no error."""
    containers = [thing for thing in things if isinstance(thing, Container)]
    # Side by side, with what is to be waited for anyway; leaving the pool waits for all of them.
    with ThreadPoolExecutor(max_workers=max(1, len(containers))) as pool:
        removed = [pool.submit(_remove, one, force=True, v=True) for one in containers]
    for one in removed:
        one.result()
    for thing in things:
        if not isinstance(thing, Container):
            _remove(thing)


def _remove(thing: Any, **how: bool) -> None:
    try:
        thing.remove(**how)
    except NotFound:
        return
    except APIError as error:
        # The engine is removing it at this moment, on somebody's earlier wish.
        if error.status_code != 409:
            raise


def sweep_engine() -> list[str]:
    """Remove what dead drills of this machine left in the engine; return the names."""
    left = [one for one in _labelled(OWNER) if _is_dead(_labels_of(one).get(OWNER, ""))]
    remove_from_engine(left)
    return [str(thing.name) for thing in left]


def _labels_of(thing: Any) -> dict[str, str]:
    return dict(thing.attrs.get("Labels") or thing.attrs.get("Config", {}).get("Labels") or {})


def _is_dead(owner: str) -> bool:
    try:
        machine, pid, created = json.loads(owner)
        if machine != socket.gethostname():
            return False  # the engine serves other machines too: theirs are not ours to remove
        return abs(psutil.Process(int(pid)).create_time() - float(created)) > 0.01
    except psutil.NoSuchProcess:
        # Of another user's processes the kernel may show nothing but that they are there.
        return not psutil.pid_exists(int(pid))
    except (ValueError, TypeError, OverflowError, RecursionError, psutil.Error):
        return False
