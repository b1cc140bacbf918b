"""Ports that nobody listens on, and those that somebody should."""

from __future__ import annotations

import socket

from rollback_drill.ground.wait import wait_until

_START_LIMIT_S = 15.0


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_port(port: int, advice: str) -> None:
    """Wait until somebody listens on a loopback port. Raises WaitTimeout."""
    for _ in wait_until(f"somebody listens on port {port}", _START_LIMIT_S, advice=advice):
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
