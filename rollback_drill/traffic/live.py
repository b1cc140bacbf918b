"""Traffic: open-loop clients in processes of their own, and what they see, live.

The generators (`load/`, run by Locust) write files; a thread here reads them as they grow. Raw
observations stay on disk; in memory there is one aggregate a second, and of the last minutes one
each tenth. Either is *complete* once every request that was due in it has been observed, time-outs
included. Windows are made of complete ones, so a request that is still under way is never taken for
one that did not happen.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from rollback_drill.ground import clock, home
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError, UsageError, WaitTimeout
from rollback_drill.ground.lines import read_lines
from rollback_drill.ground.priority import prefer
from rollback_drill.ground.wait import wait_until
from rollback_drill.ground.words import time_of_day
from rollback_drill.record.decoding import told
from rollback_drill.record.timeline import Timeline
from rollback_drill.record.told import Noted, ObserverDied
from rollback_drill.record.watched import Watched
from rollback_drill.traffic import orders
from rollback_drill.traffic.aggregate import Aggregate, Clients, Second, aggregate, combine
from rollback_drill.traffic.interface import Interface
from rollback_drill.traffic.observation import Observation
from rollback_drill.traffic.recordings import GENERATOR, OBSERVATIONS, path_of
from rollback_drill.traffic.schedule import SLOTS, Schedule
from rollback_drill.traffic.settings import KEY_VARIABLE, Settings
from rollback_drill.traffic.slots import Slots
from rollback_drill.traffic.told import BUSY_CPU, LATE_SHARE, GeneratorSample, TrafficSecond

__all__ = ["TIMEOUT_S", "Aggregate", "Traffic", "aggregate", "read_observations"]

TIMEOUT_S = 5.0
"""Seconds after which a client gives up."""
MOSTLY_BAD = 0.1
"""A second in which more than this share failed is not one of restored service."""

_POLL_S = 0.03
_START_LIMIT_S = 60.0
_GRACE_S = 3.0  # beyond the time-out, for answers to be written down and for Locust to end
_UNPACKED = 300  # seconds kept ready for windows; older ones are kept as text
_LIVE_S = 2
_LAST_LINES = 8
_READER = "reader of the traffic"
CLIENTS = 50
"""How many different clients a drill has, unless another number is asked for."""


class Traffic:
    """Clients at `rate` requests/s in all, shared by `workers` generators, at the front door.

    Use as a context manager. Files go to `directory`, one TrafficSecond a second and the
    generators' own health to `timeline`. Methods may be called from any thread. All that ask for
    data raise StageError once a generator ended by itself.
    """

    poll_s = _POLL_S
    loads = True
    """Whether generators are programs, which take a while to load before they can send."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        rate: float,
        seed: int,
        directory: Path,
        timeline: Timeline,
        workers: int = 1,
        clients: int = CLIENTS,
        timeout_s: float = TIMEOUT_S,
        cap: int | None = None,
        interface: Interface | None = None,
    ) -> None:
        # What is due while a client waits must fit, or a freeze would end in drops.
        self.cap = max(100, math.ceil(rate * timeout_s * 1.2)) if cap is None else cap
        self.directory = directory
        self.timeline = timeline
        self.timeout_s = timeout_s
        self._api_key = api_key
        self._interface = interface or Interface()
        self._settings = [
            Settings(
                base_url=base_url.rstrip("/"),
                rate=rate / workers,
                seed=seed,
                directory=directory.resolve(),
                worker=worker,
                workers=workers,
                clients=clients,
                timeout_s=timeout_s,
                cap=math.ceil(self.cap / workers),
                parent=os.getpid(),
            )
            for worker in range(workers)
        ]
        self._generators: list[Generator] = []
        self._lock = threading.RLock()
        self._subscribers: list[Callable[[Observation], None]] = []
        self._clients = Clients()
        self._seconds: dict[int, Second] = {}
        self._slots = Slots()
        self._recent: deque[Observation] = deque()  # in the order in which they ended, for `live`
        self._samples: list[tuple[float, float]] = []  # (at, cpu)
        self._next: int | None = None  # the first second that is not complete
        self._broken: StageError | None = None
        self._stopping = False
        self._ended = clock.signal()
        self._unread = ""
        self._thread = Watched(_READER, self._follow)

    def get_ready(self) -> None:
        """Start the generators, which take a while to load: they send nothing before the block of
        this context manager begins. Call `abandon` where it never does.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self._interface.leave(self.directory)
        if self.loads:
            orders.hold_back(self.directory)
        for settings in self._settings:
            self._generators.append(self.generator(settings, self._api_key))

    def abandon(self) -> None:
        """End generators that were got ready, if they still run."""
        for generator in self._generators:
            generator.kill()

    def __enter__(self) -> Traffic:
        """Let the generators send; return once each has begun its schedule.

        Raises StageError, with the last lines of its log, when one does not start.
        """
        try:
            if not self._generators:
                self.get_ready()
            if self.loads:
                orders.let_begin(self.directory)
            self._thread.start()
            for _ in wait_until("the traffic generators start", _START_LIMIT_S):
                self._raise_if_broken()
                if all(generator.schedule for generator in self._generators):
                    break
        except WaitTimeout as slow:
            self._kill()
            raise StageError(slow.expected, self._last_words(), "see its log") from slow
        except BaseException:
            self._kill()
            raise
        return self

    def generator(self, settings: Settings, api_key: str) -> Generator:
        """Return a generator that has been started."""
        return _Locust(settings, api_key)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.stop()
            return
        # An error is under way already, and it is the one that matters.
        with contextlib.suppress(StageError):
            self.stop()

    def stop(self) -> None:
        """Stop sending, wait for requests under way to end, and read everything they left.

        Takes at most the clients' time-out and a few seconds. May be called more than once.
        """
        self._stopping = True
        try:
            for generator in self._generators:
                generator.end(signal.SIGTERM)
            for _ in wait_until("the generators end", self.timeout_s + _GRACE_S):
                if not any(generator.alive for generator in self._generators):
                    break
        except WaitTimeout as stuck:
            self._break("generators that end when asked", f"they did not: {stuck.expected}")
        finally:
            self._kill()
        self._raise_if_broken()

    def subscribe(self, subscriber: Callable[[Observation], None]) -> None:
        """Call `subscriber` with every later observation, as they arrive, on the reading thread."""
        with self._lock:
            self._subscribers = [*self._subscribers, subscriber]

    def window(self, start: float, end: float | None = None) -> Aggregate:
        """Return what clients saw of the requests due in [start, end), by default until now.

        The window is made of the tenths of a second that begin at or after `start` and end at or
        before `end`, up to the first one that is not complete: nothing from before `start` counts,
        and `until` of the result says how far it goes. Poll until `until` or `sent` is enough. Of a
        window that began minutes ago its first and last second are whole ones.
        """
        with self._lock:
            self._raise_if_broken()
            first, until = self._slots.bounds(start, end)
            # Whole seconds where there are some, with what is beside them at either end.
            low, high = math.ceil(first / SLOTS), math.floor(until / SLOTS)
            if low < high:
                parts = [
                    *self._slots.between(first, low * SLOTS),
                    *(self._seconds[n] for n in self._known(low, high)),
                    *self._slots.between(high * SLOTS, until),
                ]
            else:
                parts = self._slots.between(first, until)
            return combine(first / SLOTS, until / SLOTS, parts, self._clients)

    def live(self) -> Aggregate:
        """Return what ended in the last two seconds, complete or not: for display, never to judge.

        Never raises: a dead generator shows as nothing.
        """
        with self._lock:
            at = now()
            recent = Second()
            for seen in self._recent:
                if seen.done >= at - _LIVE_S:
                    recent.add(seen, self._clients)
            return combine(at - _LIVE_S, at, [recent], self._clients)

    def pending(self) -> int:
        """Return how many requests have been due for at least a second and are not observed yet."""
        with self._lock:
            if self._next is None:
                return 0
            return sum(
                self._expected(n) - self._have(n) for n in range(self._next, math.floor(now()) - 1)
            )

    def honest(self, start: float, end: float) -> tuple[bool, str]:
        """Return (whether the generators kept up in [start, end), why) with numbers.

        False, so that whatever was measured is *unknown*, when more than 1 % of the requests were
        sent over 100 ms late, when a generator used more than 90 % of a core on average (it then
        also reads answers late), or when nothing says how it was.
        """
        with self._lock:
            if self._broken:
                return False, str(self._broken)
            seen = self.window(start, end)
            cpu = [share for at, share in self._samples if start <= at <= end + 1]
        if not seen.sent or not cpu:
            return False, "no traffic was observed to its end in this time"
        used = sum(cpu) / len(cpu)
        kept_up = seen.late <= LATE_SHARE * seen.sent and used <= BUSY_CPU
        return kept_up, (
            f"{seen.late} of {seen.sent} requests were sent more than 100 ms late"
            f" (worst {seen.lag_s * 1000:.0f} ms); the generator used {used:.0%} of a core"
        )

    def first_good_since(self, at: float, sustained_s: float = 2.0) -> float | None:
        """Return when (Unix seconds) clients were served again for good after `at`, or None.

        That is the first good answer to a request due after the last second in which more than
        10 % failed (within that second: after its last tenth with a failure). None when fewer than
        `sustained_s` complete seconds without such a relapse are known.
        """
        with self._lock:
            self._raise_if_broken()
            first = math.floor(at)
            until = self._next or first
            bad = [n for n in self._known(first, until) if self._mostly_bad(n)]
            since = bad[-1] + 1 if bad else first
            if until - since < sustained_s:
                return None
            good = self._seconds[bad[-1]].good_after_bad() if bad else math.inf
            for n in self._known(since, until):
                good = min(good, *self._seconds[n].first_good)
                if good < math.inf:
                    return max(good, at)
            return None

    def last_good_at(self, before: float) -> float | None:
        """Return the start of the last complete second before `before` that was not mostly bad."""
        with self._lock:
            self._raise_if_broken()
            for n in sorted(self._seconds, reverse=True):
                if n + 1 <= before and n < (self._next or 0) and not self._mostly_bad(n):
                    return float(n)
        return None

    def _known(self, first: int, until: int) -> list[int]:
        """Return the seconds in [first, until) in which requests were due, in order."""
        if until - first > len(self._seconds):  # from the beginning of time, for example
            return sorted(n for n in self._seconds if first <= n < until)
        return [n for n in range(first, until) if n in self._seconds]

    def _mostly_bad(self, second: int) -> bool:
        return self._seconds[second].share_bad > MOSTLY_BAD

    # The reading thread.

    def _follow(self) -> None:
        try:
            while True:
                # Asked before reading: what a dead process left is then read to its end.
                alive = [generator.alive for generator in self._generators]
                self._read()
                if not all(alive):
                    if not self._stopping:
                        self._break("traffic generators that run", self._last_words())
                    if not any(alive):
                        break
                if self._ended.wait(self.poll_s):
                    self._read()
                    break
        except Exception as error:  # a reader that stops in silence would freeze every window
            self._break("traffic that can be read", f"{type(error).__name__}: {error}")
        finally:
            self._record_rest()

    def _read(self) -> None:
        for generator in self._generators:
            # Health first: a sample vouches for all observations that were written before it.
            samples = list(generator.read_health())
            for seen in generator.read_observations():
                self._take(seen)
            for at, sample in samples:
                with self._lock:
                    self._samples.append((at, sample.cpu))
                self.timeline.record(sample, at)
            if generator.unread and not self._unread:
                self._unread = f"a line that cannot be read: {generator.example!r}"
                self._miss(self._unread)
        self._complete()

    def _take(self, seen: Observation) -> None:
        with self._lock:
            due = math.floor(seen.due)
            second = self._seconds.get(due)
            if second is None:
                second = self._seconds[due] = Second()
            second.add(seen, self._clients)
            self._slots.add(seen, self._clients)
            self._recent.append(seen)
            while self._recent[0].done < seen.done - _LIVE_S:
                self._recent.popleft()
            subscribers = self._subscribers
        for subscriber in subscribers:
            subscriber(seen)

    def _complete(self) -> None:
        """Record the seconds that have become complete, in order."""
        schedules = [g.schedule for g in self._generators if g.schedule]
        if len(schedules) < len(self._settings):
            return
        over = all(g.total is not None for g in self._generators)
        complete: list[TrafficSecond] = []
        with self._lock:
            start = min(s.start for s in schedules)
            if self._next is None:
                self._next = math.floor(start)
            end = max(self._seconds, default=self._next - 1) + 1 if over else math.floor(now())
            self._slots.complete(start, end if over else now(), self._expected_in_slot)
            while self._next < end and self._have(self._next) >= self._expected(self._next):
                complete += self._close(self._next)
                self._next += 1
            overdue = self._next + 1 + self.timeout_s + _GRACE_S
        for event in complete:
            self.timeline.record(event)
        if not over and all(g.vouched_until > overdue for g in self._generators):
            self._break(
                f"an observation of each request due at {time_of_day(self._next)}",
                f"{self.pending()} are missing{self._unread and ', and '}{self._unread}",
            )

    def _have(self, second: int) -> int:
        return self._seconds[second].sent if second in self._seconds else 0

    def _expected(self, second: int) -> int:
        return sum(g.schedule.expected(second, g.total) for g in self._generators if g.schedule)

    def _expected_in_slot(self, slot: int) -> int:
        return sum(
            g.schedule.expected_in_slot(slot, g.total) for g in self._generators if g.schedule
        )

    def _close(self, second: int) -> list[TrafficSecond]:
        """Return what is to be recorded of a second, and pack one that is long over."""
        if second - _UNPACKED in self._seconds:
            self._seconds[second - _UNPACKED].pack()
        return [self._seconds[second].to_event(second)] if second in self._seconds else []

    def _record_rest(self) -> None:
        """Record what a generator that did not end properly left incomplete."""
        with self._lock:
            rest = sorted(n for n in self._seconds if self._next is None or n >= self._next)
            incomplete = [event for n in rest for event in self._close(n)]
        for event in incomplete:
            self.timeline.record(event)
        if rest:
            self._miss(
                f"it lacks requests from {time_of_day(rest[0])} to {time_of_day(rest[-1] + 1)}"
            )

    def _miss(self, what: str) -> None:
        """Record that not all that clients saw is known."""
        self.timeline.record(ObserverDied(_READER, f"it did not see all: {what}"))

    # Ending.

    def _break(self, expected: str, found: str) -> None:
        with self._lock:
            if self._broken:
                return
            self._broken = StageError(expected, found, f"see generator-*.log in {self.directory}")
        # Never while holding the lock: the timeline's subscribers may ask us for live figures.
        self.timeline.record(Noted(f"the traffic broke: {self._broken}"))

    def _raise_if_broken(self) -> None:
        if self._broken:
            raise self._broken

    def _last_words(self) -> str:
        return "; ".join(g.last_words() for g in self._generators if not g.alive) or "no answer"

    def _kill(self) -> None:
        self._stopping = True
        for generator in self._generators:
            generator.kill()
        self._ended.set()
        self._thread.end(_GRACE_S)


class Generator(Protocol):
    """Who plays clients, as this module asks it. `schedule`: None before it has begun; `total`:
    how many requests there were in all, None before it has ended; `vouched_until`: up to when
    (Unix seconds) all that ended was told; `unread` lines could not be read, such as `example`.
    """

    schedule: Schedule | None
    total: int | None
    unread: int
    example: str
    vouched_until: float

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        ...

    def end(self, sent: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

    def last_words(self) -> str:
        """Return how it ended, and what it said at last."""
        ...

    def read_observations(self) -> Iterator[Observation]:
        """Yield the new observations."""
        ...

    def read_health(self) -> Iterator[tuple[float, GeneratorSample]]:
        """Yield the new samples with their times; note the schedule and the end."""
        ...


@dataclass(slots=True)
class _Lines:
    """The complete lines that were appended to a file since they were last asked for."""

    path: Path
    _file: BinaryIO | None = None
    _torn: bytes = b""

    def __iter__(self) -> Iterator[str]:
        if self._file is None:
            try:
                self._file = self.path.open("rb")
            except FileNotFoundError:
                return
        *lines, self._torn = (self._torn + self._file.read()).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")


@dataclass(slots=True)
class _Locust:
    """One Locust process, in a session of its own so that Ctrl-C is ours to pass on."""

    settings: Settings
    api_key: str = field(repr=False)
    schedule: Schedule | None = None
    total: int | None = None
    unread: int = 0
    example: str = ""
    vouched_until: float = 0.0
    _process: subprocess.Popen[bytes] = field(init=False)
    _health: _Lines = field(init=False)
    _observations: _Lines = field(init=False)

    def __post_init__(self) -> None:
        directory, worker = self.settings.directory, self.settings.worker
        self._health = _Lines(path_of(directory, GENERATOR, worker))
        self._observations = _Lines(path_of(directory, OBSERVATIONS, worker))
        # The user's own settings of Locust are not for this run, nor are configuration files in
        # the working directory, which is therefore the one of the records.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("LOCUST_")}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "locust",
                    "-f",
                    str(home.LOAD / "locustfile.py"),
                    "--headless",
                    "--users",
                    "1",
                    "--spawn-rate",
                    "1",
                    "--host",
                    self.settings.base_url,
                    "--only-summary",
                    "--loglevel",
                    "INFO",
                ],
                cwd=directory,
                env={
                    **inherited,
                    **self.settings.to_environment(),
                    KEY_VARIABLE: self.api_key,
                    "PYTHONPATH": str(home.PATH),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        prefer(self._process.pid)

    @property
    def log(self) -> Path:
        """What the process says."""
        return self.settings.directory / f"generator-{self.settings.worker}.log"

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def end(self, sent: signal.Signals) -> None:
        """Send a signal to the process, if it still runs."""
        if self.alive:
            os.killpg(self._process.pid, sent)

    def kill(self) -> None:
        """End the process at once."""
        self.end(signal.SIGKILL)
        self._process.wait()

    def last_words(self) -> str:
        """Return how the process ended and the last lines of its log."""
        text = self.log.read_text(errors="replace").replace(self.api_key, "[redacted]")
        tail = " | ".join(text.strip().splitlines()[-_LAST_LINES:])
        return f"generator {self.settings.worker} ended with {self._process.poll()}: {tail}"

    def read_observations(self) -> Iterator[Observation]:
        """Yield the new observations."""
        for line in self._observations:
            try:
                yield Observation.from_line(line)
            except ValueError:
                self.unread += 1
                self.example = self.example or line[:80]

    def read_health(self) -> Iterator[tuple[float, GeneratorSample]]:
        """Yield the new samples with their times; note the schedule and the end."""
        for line in self._health:
            kind, *rest = line.split(",")
            if kind == "start":
                self.schedule = Schedule(float(rest[0]), float(rest[1]))
            elif kind == "end":
                self.total = int(rest[0])
            else:
                at, lag_s, cpu, in_flight = rest
                self.vouched_until = float(at)
                yield (
                    float(at),
                    GeneratorSample(
                        str(self.settings.worker), float(lag_s), float(cpu), int(in_flight)
                    ),
                )


def read_observations(directory: Path) -> Iterator[Observation]:
    """Yield all observations of a finished run, worker by worker; a torn last line is left out.

    Raises UsageError that names the line which is none.
    """
    advice = "the file is damaged; without the folder, the timeline's seconds are taken"
    for path in sorted(directory.glob(f"{OBSERVATIONS}-*.csv")):
        for number, line in read_lines(path, f"observations in {path}", advice, whole_only=True):
            try:
                yield Observation.from_line(line)
            except ValueError as error:
                expected = f"an observation in line {number} of {path}"
                raise UsageError(expected, told(line), advice) from error
