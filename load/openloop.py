"""Sends each request when it is due, whether or not earlier ones were answered.

Latency counts from the due time: a service that freezes for three seconds makes everyone who came
in these seconds wait, and so says the record (no coordinated omission). Nothing is sent twice.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from geventhttpclient.response import HTTPParseError

from rollback_drill.ground.clock import now
from rollback_drill.traffic import interface, orders
from rollback_drill.traffic.crowd import CROWDS, Ask, Crowd
from rollback_drill.traffic.interface import DESCRIBED
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.traffic.schedule import Schedule
from rollback_drill.traffic.settings import Settings

from .http import Connections, TooLarge
from .recorder import Recorder

FLUSH_S = 0.02
_OBEY_S = 0.2
_SAMPLE_S = 1.0
_LEAD_S = 0.05  # the first request is due this long after the start
_SPARE_FILES = 100  # descriptors for anything but connections

Finished = Callable[[Ask, float, int, Exception | None], None]
"""Called after each request with (ask, seconds since it was sent, bytes, error or None)."""


class GaveUp(gevent.Timeout):  # type: ignore[misc]
    """The client has waited as long as it is willing to."""


class OpenLoop:
    """One worker's requests. `run` returns after `stop`, when every request has ended."""

    def __init__(self, settings: Settings, api_key: str, finished: Finished | None = None) -> None:
        self.settings = settings
        self.in_flight = 0
        self.scheduled = 0
        self.failure: BaseException | None = None
        self._finished = finished
        self._cap = min(settings.cap, _files() - _SPARE_FILES)
        self._interface = interface.read_interface(settings.directory)
        self._connections = Connections(
            settings.base_url, api_key, self._cap, settings.timeout_s, self._interface.key_header
        )
        self._recorder = Recorder(settings.directory, settings.worker)
        self._stopping = Event()
        self._over = Event()
        self._worst_lag = 0.0

    def run(self) -> None:
        """Send requests until `stop` is called. Raises the first error that is a defect of ours."""
        settings = self.settings
        if not self._let_begin():
            self._over.set()
            return
        # Workers take turns: together they are as even as one of the whole rate.
        shift = settings.worker / settings.workers / settings.rate
        schedule = Schedule(round(now() + _LEAD_S + shift, 6), settings.rate)
        names = [f"c{n:03d}" for n in range(settings.clients)]
        crowd = self._crowd(
            names[settings.worker :: settings.workers] or [f"c{settings.worker:03d}"],
            f"d{int(schedule.start * 1000):x}-{settings.worker}",
        )
        self._recorder.start(schedule.start, schedule.rate)
        helpers = [
            gevent.spawn(self._flush),
            gevent.spawn(self._sample, crowd),
            gevent.spawn(self._obey, crowd),
        ]
        for helper in helpers:
            helper.link_exception(self._broke)
        try:
            self._send_all(schedule, crowd)
            # Every request ends by its own time-out, so this ends too.
            while self.in_flight and not self.failure:
                gevent.sleep(FLUSH_S)
        finally:
            gevent.killall(helpers)
            if not self.failure:
                self._recorder.contradict([crowd.contradictions.count()])
                self._recorder.end(self.scheduled)
            self._over.set()
        if self.failure:
            raise self.failure

    def _let_begin(self) -> bool:
        """Wait until sending may begin; False when it is over before that."""
        while not orders.may_begin(self.settings.directory):
            if self._stopping.wait(FLUSH_S) or os.getppid() != self.settings.parent:
                return False
        return True

    def _crowd(self, names: list[str], run: str) -> Crowd[Any]:
        seed = self.settings.seed * self.settings.workers + self.settings.worker
        described = bool(self._interface.operations)
        make = next(
            one for name, one in CROWDS.members().items() if (name == DESCRIBED) == described
        )
        return make(names, seed, run, self._interface)

    def stop(self) -> None:
        """Send nothing more; return once every request has ended and was written down."""
        self._stopping.set()
        self._over.wait(self.settings.timeout_s + 2)

    def _send_all(self, schedule: Schedule, crowd: Crowd[Any]) -> None:
        while not self._stopping.is_set() and not self.failure:
            due = schedule.due(self.scheduled)
            wait = due - now()
            if wait > 0:
                if self._stopping.wait(wait):
                    break
            elif self.scheduled % 100 == 0:
                gevent.sleep(0)  # behind schedule: answers still have to be read
            ask = crowd.ask(self.scheduled)
            self.scheduled += 1
            if self.in_flight >= self._cap:
                self._drop(crowd, ask, due)
                continue
            self.in_flight += 1
            gevent.spawn(self._request, crowd, ask, due).link_exception(self._broke)

    def _drop(self, crowd: Crowd[Any], ask: Ask, due: float) -> None:
        at = now()
        crowd.never_sent(ask)
        self._see(ask, due, at, at, 0, Outcome.DROPPED, "", announced=False)

    def _request(self, crowd: Crowd[Any], ask: Ask, due: float) -> None:
        status, form, size = 0, "", 0
        error: Exception | None = None
        if ask.reference:
            self._recorder.announce(ask)
        sent = now()
        try:
            with GaveUp(self.settings.timeout_s):
                answer = self._connections.send(
                    ask.method,
                    ask.path,
                    ask.body.encode() if ask.body else None,
                    bad_key=ask.bad_key,
                )
            done = now()
            status, size = answer.status, len(answer.body)
            outcome, form = crowd.learn(ask, status, answer.body, answer.headers)
        except (GaveUp, TimeoutError):
            done, outcome = now(), Outcome.TIMEOUT
            error = TimeoutError("gave up")
        except (OSError, HTTPParseError) as broken:
            done, outcome = now(), Outcome.CONNECTION
            # By its class alone: Locust keeps every text that it is given.
            error = ConnectionError(type(broken).__name__)
        except (TooLarge, UnicodeError) as bad:
            done, outcome = now(), Outcome.BAD_BODY
            error = ConnectionError(type(bad).__name__)
        finally:
            self.in_flight -= 1
        self._recorder.contradict(crowd.contradictions.take(sent))
        self._see(ask, due, sent, done, status, outcome, form)
        if self._finished:
            self._finished(ask, done - sent, size, error)

    def _see(
        self,
        ask: Ask,
        due: float,
        sent: float,
        done: float,
        status: int,
        outcome: Outcome,
        form: str,
        *,
        announced: bool = True,
    ) -> None:
        self._worst_lag = max(self._worst_lag, sent - due)
        reference = ask.reference if announced else ""
        seen = Observation(
            due, sent, done, ask.client.name, ask.operation, status, outcome, form, reference
        )
        self._recorder.observe(seen)

    def _flush(self) -> None:
        while True:
            gevent.sleep(FLUSH_S)
            self._recorder.flush()

    def _obey(self, crowd: Crowd[Any]) -> None:
        while True:
            crowd.orders = orders.read_orders(self.settings.directory)
            gevent.sleep(_OBEY_S)

    def _sample(self, crowd: Crowd[Any]) -> None:
        before, cpu_before = time.monotonic(), time.process_time()
        while True:
            gevent.sleep(_SAMPLE_S)
            at, cpu = time.monotonic(), time.process_time()
            share = (cpu - cpu_before) / (at - before)
            before, cpu_before = at, cpu
            self._recorder.flush()  # a sample vouches for everything before it
            self._recorder.sample(now(), self._worst_lag, share, self.in_flight)
            self._recorder.contradict([crowd.contradictions.count()])
            self._worst_lag = 0.0
            if os.getppid() != self.settings.parent:
                self._stopping.set()  # the drill was killed: nobody is left who wants traffic

    def _broke(self, greenlet: gevent.Greenlet) -> None:
        self.failure = self.failure or greenlet.exception
        self._stopping.set()


def _files() -> int:
    """Raise the limit on open files as far as it goes and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard > 65_536:
        hard = max(soft, 65_536)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        return soft
    return hard
