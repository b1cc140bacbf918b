"""The demo's own clients, played in virtual time against the simulated front door."""

from __future__ import annotations

import heapq
import itertools
import signal
from collections.abc import Callable, Iterator
from typing import Any

from rollback_drill.ground import clock
from rollback_drill.record.watched import Watched
from rollback_drill.subject.hostaway.crowds import ListsCrowd
from rollback_drill.subject.hostaway.simulated.losses import Losses
from rollback_drill.subject.hostaway.simulated.service import Reply
from rollback_drill.traffic import orders
from rollback_drill.traffic.interface import Interface
from rollback_drill.traffic.live import Generator, Traffic
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.traffic.recordings import (
    CONTRADICTIONS,
    GENERATOR,
    OBSERVATIONS,
    WRITES,
    path_of,
)
from rollback_drill.traffic.schedule import Schedule
from rollback_drill.traffic.settings import Settings
from rollback_drill.traffic.told import GeneratorSample

_LEAD_S = 0.05
_OBEY_S = 0.2
_SAMPLE_S = 1.0
_CPU = 0.1
_LATE_S = 0.3
_POLL_S = 0.1

AnswersRequest = Callable[[str, str, str, bytes | None], Reply]
"""What answers a request: its method, its path with the query, the customer's key, its body."""


class SimulatedClients:
    """See traffic.live.Generator. `lags`: how late each request is sent, in seconds."""

    def __init__(
        self, settings: Settings, api_key: str, send: AnswersRequest, losses: Losses
    ) -> None:
        self.schedule: Schedule | None = None
        self.total: int | None = None
        self.unread, self.example = 0, ""
        self.vouched_until = 0.0
        self._settings = settings
        self._key = api_key
        self._send = send
        self._losses = losses
        self._seen: list[Observation] = []
        self._samples: list[tuple[float, GeneratorSample]] = []
        self._over = clock.signal()
        self._lag_s = 0.0
        self._under_way: list[tuple[float, int, Any, float, float, Reply]] = []
        self._count = itertools.count()
        self._files = {
            kind: path_of(settings.directory, kind, settings.worker).open("a", encoding="utf-8")
            for kind in (OBSERVATIONS, WRITES, GENERATOR, CONTRADICTIONS)
        }
        self._worker = Watched("simulated clients", self._play).start()

    @property
    def alive(self) -> bool:
        """See Generator.alive."""
        return not self._worker.ended()

    def end(self, sent: signal.Signals) -> None:
        """See Generator.end."""
        del sent
        self._over.set()

    def kill(self) -> None:
        """See Generator.kill."""
        self._over.set()
        self._worker.ended(self._settings.timeout_s + 1)

    def last_words(self) -> str:
        """See Generator.last_words."""
        return "the simulated clients ended"

    def read_observations(self) -> Iterator[Observation]:
        """See Generator.read_observations."""
        if self._losses.now("reader"):
            raise ValueError("the reader is lost")
        found, self._seen = self._seen, []
        yield from found

    def read_health(self) -> Iterator[tuple[float, GeneratorSample]]:
        """See Generator.read_health."""
        found, self._samples = self._samples, []
        for at, one in found:
            self.vouched_until = at
            yield at, one

    def _play(self) -> None:
        settings = self._settings
        schedule = Schedule(round(clock.now() + _LEAD_S, 6), settings.rate)
        names = [f"c{n:03d}" for n in range(settings.clients)]
        run = f"d{int(schedule.start * 1000):x}-{settings.worker}"
        crowd = ListsCrowd(names, settings.seed, run, Interface())
        self.schedule = schedule
        obeyed = sampled = clock.now()
        for i in itertools.count():
            due = schedule.due(i)
            self._end_until(crowd, due)
            late = _LATE_S if self._losses.now("lag") else 0.0
            if self._losses.now("generator"):
                break
            clock.sleep(due + late - clock.now())
            if self._over.is_set():
                self.total = i
                break
            at = clock.now()
            if at - obeyed >= _OBEY_S:
                obeyed, crowd.orders = at, orders.read_orders(settings.directory)
            if at - sampled >= _SAMPLE_S:
                sampled = at
                self._sample(at)
                self._contradict([crowd.contradictions.count()])
            self._begin(crowd.ask(i), due, at)
        self._end_until(crowd, clock.now() + settings.timeout_s + 1)
        self._contradict([crowd.contradictions.count()])
        for file in self._files.values():
            file.close()

    def _begin(self, ask: Any, due: float, sent: float) -> None:
        if ask.reference:
            written = f"{ask.reference},{ask.operation},{ask.subject},{ask.body}\n"
            self._files[WRITES].write(written)
            self._files[WRITES].flush()
        key = "wrong" if ask.bad_key else self._key
        body = ask.body.encode() if ask.body else None
        if sent - due > self._lag_s:
            self._lag_s = sent - due
        reply = self._send(ask.method, ask.path, key, body)
        limit = self._settings.timeout_s
        never = (reply.status == 0 and not reply.took_s) or reply.took_s > limit
        done = sent + (limit if never else reply.took_s)
        heapq.heappush(self._under_way, (done, next(self._count), ask, due, sent, reply))

    def _end_until(self, crowd: ListsCrowd, at: float) -> None:
        """Let the answers come that come before `at`."""
        under_way, limit_s = self._under_way, self._settings.timeout_s
        write = self._files[OBSERVATIONS].write
        while under_way and under_way[0][0] <= at:
            done, _, ask, due, sent, reply = heapq.heappop(under_way)
            clock.sleep(done - clock.now())
            form, status = "", reply.status
            if done - sent >= limit_s:
                status, outcome = 0, Outcome.TIMEOUT
            elif reply.status == 0:
                outcome = Outcome.CONNECTION
            else:
                outcome, form = crowd.learn(ask, reply.status, reply.content, {})
                self._contradict(crowd.contradictions.take(sent))
            seen = Observation(
                due,
                sent,
                done,
                ask.client.name,
                ask.operation,
                status,
                outcome,
                form,
                ask.reference,
            )
            line = seen.to_line()
            if self._losses.now("torn-record"):
                self.unread, self.example = 1, line[:20]
            else:
                self._seen.append(seen)
            write(line + "\n")
            if ask.reference:
                self._files[OBSERVATIONS].flush()

    def _contradict(self, lines: list[str]) -> None:
        self._files[CONTRADICTIONS].writelines(f"{line}\n" for line in lines)

    def _sample(self, at: float) -> None:
        self._files[OBSERVATIONS].flush()
        one = GeneratorSample(str(self._settings.worker), self._lag_s, _CPU, len(self._under_way))
        self._samples.append((at, one))
        self._lag_s = 0.0


def traffic_of(send: AnswersRequest, losses: Losses) -> type[Traffic]:
    """Return a kind of traffic whose clients speak by `send`."""

    class SimulatedTraffic(Traffic):
        """See traffic.live.Traffic."""

        poll_s = _POLL_S
        loads = False

        def generator(self, settings: Settings, api_key: str) -> Generator:
            """See Traffic.generator."""
            return SimulatedClients(settings, api_key, send, losses)

    return SimulatedTraffic
