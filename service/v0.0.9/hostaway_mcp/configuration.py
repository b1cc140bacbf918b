"""The configuration in force, and its reload on SIGHUP."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

from hostaway_mcp import config
from hostaway_mcp.logs import fields, log


class Configuration:
    """Holds the last usable reading of the file; requests look at `current` once each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.current = config.load(path)
        self.after_reload: list[Callable[[], None]] = []
        self._warn()

    def reload(self) -> None:
        """Read the file again; one that cannot be used changes nothing and is logged."""
        try:
            self.current = config.load(self.path)
        except config.BadConfig as error:
            log.error(
                "Config not reloaded, the old configuration stays in force",
                extra=fields(pid=os.getpid(), error=str(error)),
            )
        else:
            self._warn()
            log.info("Config reloaded", extra=fields(pid=os.getpid()))
        for follower in self.after_reload:
            follower()

    def listen(self) -> None:
        """Reload on SIGHUP, between two steps of the event loop: no request is dropped."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.reload)

    def _warn(self) -> None:
        if self.current.unknown:
            log.warning(
                "Config has keys that mean nothing to this release",
                extra=fields(keys=", ".join(self.current.unknown)),
            )
