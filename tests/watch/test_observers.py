"""Who looks for a drill cannot die or fall silent without the drill's verdict saying so."""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from rollback_drill.conduct.attest import _attesting
from rollback_drill.conduct.conductor import Conductor
from rollback_drill.conduct.guard import Guard
from rollback_drill.conduct.progress import Progress
from rollback_drill.conduct.told import Resumed
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.told import StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event, Timeline, read
from rollback_drill.record.told import Noted, ObserverDied
from rollback_drill.record.watched import Watched, reported_to
from rollback_drill.stage.database import PostgresDatabase
from rollback_drill.stage.entries import Limits
from rollback_drill.stage.processes import ProcessStage
from rollback_drill.subject.hostaway.faults.customer_reports import CustomerReports
from rollback_drill.subject.hostaway.faults.slow_database import SlowDatabase
from rollback_drill.subject.hostaway.hazards.downgrade import DowngradeConnectionLost
from rollback_drill.subject.hostaway.hazards.under_fire import UnderFire
from rollback_drill.subject.hostaway.walkers import Walkers
from rollback_drill.traffic.live import Traffic
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.judges import of_silence
from rollback_drill.watch.probe import Probe
from rollback_drill.watch.sentinel import Sentinels
from rollback_drill.watch.told import ProbeSample
from rollback_drill.watch.webhook import Webhook
from tests.judge.record_support import good

ROOT = Path(__file__).resolve().parents[2]
T = 1_000_000.0


class Planted(Exception):
    """An error that nobody expects."""


ERRORS = (RecursionError, MemoryError, UnicodeError, Planted)


class Broken:
    """Whatever is asked of it raises `error`, but for what is given."""

    def __init__(self, error: type[Exception], **given: Any) -> None:
        self.__dict__.update(given)
        self._error = error

    def __getattr__(self, name: str) -> Any:
        raise self._error("planted")


class Recorded:
    """A real timeline, and what was recorded of deaths in it."""

    def __init__(self, folder: Path) -> None:
        self.timeline = Timeline(folder / "timeline.jsonl")
        self.timeline.record(Noted("a drill"))

    def deaths(self) -> list[ObserverDied]:
        found = [event.what for event in read(self.timeline.path)]
        return [one for one in found if isinstance(one, ObserverDied)]

    def await_death(self, observer: str) -> ObserverDied:
        for _ in wait_until(f"the death of {observer}", 60):
            for death in self.deaths():
                if observer in death.observer:
                    return death
        raise AssertionError


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


def stage(error: type[Exception], **given: Any) -> Any:
    usual = {
        "hosts": (),
        "known": False,
        "secrets": frozenset(),
        "environment": {"DB_USER": "u", "DB_NAME": "d"},
        "direct_urls": {},
        "subject": None,
    }
    return Broken(error, **{**usual, **given})


def probe(error: type[Exception], record: Recorded) -> Any:
    return Probe(stage(error), record.timeline)


def log_reader(error: type[Exception], record: Recorded) -> Any:
    planted = stage(error, hosts=(Broken(error, name="h"),), environment={"LOG_FILE": "/a"})
    return Probe(planted, record.timeline)


def sentinel(error: type[Exception], record: Recorded) -> Any:
    def look() -> Any:
        return Broken(error)  # what it saw cannot even be looked at

    return Sentinels(
        [cast(Any, SimpleNamespace(name="odd", look=look, every_s=9.0))], record.timeline
    )


def walker(error: type[Exception], record: Recorded) -> Any:
    database = SimpleNamespace(fetch=lambda *_: [(1,)])
    planted = stage(error, known=True, database=database)
    return Walkers(planted, record.timeline, record.timeline.path.parent)


def ticker(error: type[Exception], record: Recorded) -> Any:
    progress = Progress(Console(force_terminal=False))
    progress._every_s = 0.01
    progress.follow(Broken(error))  # type: ignore[arg-type]
    return progress


def attest(error: type[Exception], record: Recorded) -> Any:
    fault = Broken(error, attest=lambda _: (True, "seen"))  # and its name cannot be recorded
    return _attesting(cast(Any, None), cast(Any, fault), record.timeline)


def limits(error: type[Exception], record: Recorded) -> Any:
    guard = Guard(Limits(10, 10, 10.0, "/no/file"), 1.0)
    guard._limits = Broken(error)  # type: ignore[assignment]
    return guard


class Started(AbstractContextManager[None]):
    """A thread that `start` begins and `end` ends."""

    def __init__(self, start: Callable[[], object], end: Callable[[], object]) -> None:
        self._start, self._end = start, end

    def __enter__(self) -> None:
        self._start()

    def __exit__(self, *_: object) -> None:
        self._end()


def customer(error: type[Exception], record: Recorded) -> Any:
    fault = CustomerReports("f", "s", "t", "defect", ("incidents", "P0"))
    defects = SimpleNamespace(set_defects=lambda _: None)
    scene = cast(Any, SimpleNamespace(stage=stage(error, defects=defects)))
    return Started(lambda: fault.inject(scene), lambda: fault.heal(scene))


def neighbour(error: type[Exception], record: Recorded) -> Any:
    fault = SlowDatabase()
    scene = cast(Any, SimpleNamespace(stage=stage(error)))
    return Started(lambda: fault.inject(scene), lambda: fault.heal(scene))


def hazard(error: type[Exception], record: Recorded) -> Any:
    mishap = DowngradeConnectionLost()
    return Started(lambda: mishap._watch(mishap._cut, stage(error)), lambda: mishap._over.set())


def under_fire(error: type[Exception], record: Recorded) -> Any:
    mishap = UnderFire()
    return Started(lambda: mishap.arm(stage(error)), lambda: mishap._over.set())


def keeper(error: type[Exception], record: Recorded) -> Any:
    database = PostgresDatabase("postgresql://nobody@127.0.0.1:1/none", lambda: "")
    database._server = cast(Any, Broken(error, open=lambda: None, close=lambda: None))
    database._service = cast(Any, Broken(error, open=lambda: None, close=lambda: None))
    return Started(database.open, database.close)


def guard(error: type[Exception], record: Recorded) -> Any:
    here = ProcessStage.__new__(ProcessStage)
    here._over = threading.Event()
    here.pids = _raising(error)  # type: ignore[method-assign]
    thread = Watched("guard of the memory limit", here._guard, over=here._over)
    return Started(thread.start, here._over.set)


def _raising(error: type[Exception]) -> Callable[..., Any]:
    def raises(*_: object) -> Any:
        raise error("planted")

    return raises


def traffic(error: type[Exception], record: Recorded) -> Any:
    made = Traffic("http://127.0.0.1:1", "", 1.0, 1, record.timeline.path.parent, record.timeline)
    made._read = _raising(error)  # type: ignore[method-assign]
    made._record_rest = _raising(error)  # type: ignore[method-assign]
    return Started(made._thread.start, lambda: None)


def webhook(error: type[Exception], record: Recorded) -> Any:
    made = Webhook(record.timeline)
    made._server.service_actions = _raising(error)  # type: ignore[method-assign]
    return made


KINDS = {
    "health probe": probe,
    "log reader": log_reader,
    "sentinel “odd”": sentinel,
    "walker-1": walker,
    "progress display": ticker,
    "observer of the symptom": attest,
    "watch over the limits": limits,
    "customer-1": customer,
    "neighbour": neighbour,
    "hazard downgrade-connection-lost": hazard,
    "writer under fire": under_fire,
    "keeper of the database's session": keeper,
    "guard of the memory limit": guard,
    "reader of the traffic": traffic,
    "webhook": webhook,
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("observer", KINDS)
def test_an_observer_that_dies_of_anything_leaves_the_drill_unknown(
    observer: str, error: type[Exception], recorded: Recorded
) -> None:
    with reported_to(recorded.timeline.record), KINDS[observer](error, recorded):
        death = recorded.await_death(observer)
    assert error.__name__ in death.error
    verdict = judge(Book([*good()[:-1], Event(T + 30, death), good()[-1]]))
    assert verdict.verdict is Verdict.UNKNOWN
    assert observer in verdict.reason


def test_a_thread_that_hangs_at_the_end_is_told(recorded: Recorded) -> None:
    stuck = threading.Event()
    with reported_to(recorded.timeline.record):
        Watched("log reader", stuck.wait).start().end(0.05)
    assert "it hung" in recorded.await_death("log reader").error
    stuck.set()


def test_a_death_before_the_drill_is_told_to_it_and_one_on_the_way_out_is_nobodys(
    recorded: Recorded,
) -> None:
    over = threading.Event()
    early = Watched("guard", _raising(Planted), over=over).start()
    assert early.ended(5)
    over.set()
    assert Watched("late", _raising(Planted), over=over).start().ended(5)
    with reported_to(recorded.timeline.record):
        assert recorded.await_death("guard")
    assert [one.observer for one in recorded.deaths()] == ["guard"]


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_of_the_drill_itself_is_unknown_and_no_traceback(
    error: type[Exception], recorded: Recorded
) -> None:
    drill = Conductor.__new__(Conductor)
    drill.timeline = recorded.timeline
    drill._hold = _raising(error)  # type: ignore[method-assign]
    drill.run()
    verdict = judge(Book(read(recorded.timeline.path)))
    assert verdict.verdict is Verdict.UNKNOWN
    assert error.__name__ in verdict.reason


def test_a_subscriber_that_raises_costs_no_record_and_is_not_unseen(recorded: Recorded) -> None:
    heard: list[Event] = []

    def breaks(event: Event) -> None:
        raise RecursionError

    recorded.timeline.subscribe(breaks, "progress display")
    recorded.timeline.subscribe(heard.append, "detector")
    for text in ("one", "two"):
        recorded.timeline.record(Noted(text))
    assert [event.what for event in read(recorded.timeline.path)][1:] == [
        Noted("one"),
        ObserverDied("progress display", "it died of RecursionError"),
        Noted("two"),
    ]
    assert len(heard) == 3


def looked_at(*times: float, until: float = 30.0, resumed: float | None = None) -> list[Event]:
    sample = ProbeSample({"host-1": 200}, {}, 1, 40, {})
    record = [e for e in good() if not isinstance(e.what, ProbeSample)]
    second = next(e.what for e in record if isinstance(e.what, TrafficSecond))
    step = next(e.what for e in record if isinstance(e.what, StepEnded))
    more = [Event(T, second), Event(T + until, step), *(Event(T + at, sample) for at in times)]
    if resumed is not None:
        more.append(Event(T + resumed, Resumed("r", T)))
    return [*record[:-1], *sorted(more, key=lambda e: e.at), record[-1]]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (looked_at(), "nobody looked at health and memory"),
        (looked_at(1.0, 2.0), "for 28 s"),
        (looked_at(20.0, 29.0), "for 20 s"),
        (looked_at(1.0, 14.0, 28.0), ""),
        (looked_at(1.0, 28.0, resumed=27.0, until=29.0), ""),
    ],
)
def test_nobody_who_looked_is_unknown(record: list[Event], said: str) -> None:
    causes = of_silence(Book(record))
    assert [one.verdict for one in causes] == [Verdict.UNKNOWN] * bool(said)
    assert all(said in one.what for one in causes)


# Who else may start a thread by himself, and why.
OTHERS = {
    "rollback_drill/ground/clock.py": "this is the one, for `record.watched`",
    "rollback_drill/stage/host.py": "an output that does not arrive whole is not observed, by the mark at its end",
    "rollback_drill/stage/container_host.py": "the same",
}


def test_no_other_module_starts_threads_by_itself() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "rollback_drill").rglob("*.py")
        if str(path.relative_to(ROOT)) not in OTHERS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("threading.Thread", "Thread")
    ]
    assert found == []
