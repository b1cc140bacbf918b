"""What Locust loads: one user whose open loop plays all simulated clients of this worker.

Locust's own statistics see every request too, so its reports and its distributed mode work.
"""

from __future__ import annotations

import logging
import os
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import gevent
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from rollback_drill.ground.home import LOAD_PACKAGE
from rollback_drill.traffic.crowd import Ask
from rollback_drill.traffic.settings import KEY_VARIABLE, Settings

if TYPE_CHECKING:
    from .openloop import OpenLoop
else:  # Locust loads this file by its path: it is in no package of which it could ask a neighbour
    OpenLoop = import_module(f"{LOAD_PACKAGE}.openloop").OpenLoop

_BROKEN = 70  # exit code for a defect of the generator itself (sysexits: EX_SOFTWARE)


class Clients(User):
    """All simulated clients of this worker."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        settings = Settings.from_environment()
        # Popped, so that nothing that prints the environment can print the key.
        self.loop = OpenLoop(settings, os.environ.pop(KEY_VARIABLE), self._finished)
        self._quitting = False
        environment.events.quitting.add_listener(self._quit)  # type: ignore[no-untyped-call]

    @task
    def play(self) -> None:
        """Run the open loop until the process is asked to end."""
        try:
            self.loop.run()
        except Exception:
            logging.exception("the generator itself is broken")
            self.environment.process_exit_code = _BROKEN
        if not self._quitting:
            gevent.spawn(self.environment.runner.quit)  # not from within: it ends this greenlet
        raise StopUser

    def _quit(self, **_: Any) -> None:
        self._quitting = True
        self.loop.stop()

    def _finished(self, ask: Ask, seconds: float, size: int, error: Exception | None) -> None:
        self.environment.events.request.fire(
            request_type=ask.method,
            name=ask.operation,
            response_time=seconds * 1000,
            response_length=size,
            exception=error,
            context={},
            start_time=time.time() - seconds,
            url=None,
            response=None,
        )
