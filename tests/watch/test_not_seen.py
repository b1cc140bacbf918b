"""What nobody could look at is on record, and a drill that rests on it does not pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rollback_drill.breaks.judges import of_hazard
from rollback_drill.breaks.told import FaultInjected, HazardArmed, HazardOver
from rollback_drill.conduct.judges.promises import of_promises
from rollback_drill.conduct.told import Restored
from rollback_drill.decide.told import Decided
from rollback_drill.ground.errors import NotOffered, StageError
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.messages import Channels, Courier
from rollback_drill.perform.told import (
    Checked,
    CommandStarted,
    ProcedureChosen,
    StepEnded,
    StepStarted,
)
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event, Timeline, read
from rollback_drill.record.told import PhaseName, PhaseStarted, Told
from rollback_drill.stage.host import Completed
from rollback_drill.subject.hostaway.cursors import KeptCursors
from rollback_drill.traffic.interface import Interface
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.judges import of_memory, of_silence, of_the_unseen
from rollback_drill.watch.probe import Probe
from rollback_drill.watch.told import CUT, LeftAs, Looked, NotSeen, ProbeSample
from tests.judge.record_support import T, changed, good
from tests.traffic.listings_server import ListingsServer

LOG = "the database log of database"


def told(path: Path) -> list[NotSeen]:
    return [e.what for e in read(path) if isinstance(e.what, NotSeen)]


# Who could not look says so.


class Logs:
    """A stage of one host, whose logs can be read or not."""

    def __init__(self) -> None:
        self.error: StageError | None = None
        self.lines = "2030-01-01 00:00:00.000 UTC [7] LOG:  ready\n"
        self.hosts = (SimpleNamespace(name="host-1"),)
        self.environment: dict[str, str] = {}
        self.interface = Interface()
        self.secrets: frozenset[str] = frozenset()
        self.database = self

    def fetch(self, _: str) -> list[tuple[float]]:
        return [(0.0,)]

    def log(self) -> str:
        if self.error:
            raise self.error
        return self.lines


def test_a_log_that_cannot_be_read_is_told_once_and_that_it_can_again(tmp_path: Path) -> None:
    timeline, stage = Timeline(tmp_path / "timeline.jsonl"), Logs()
    probe = Probe(cast(Any, stage), timeline)
    refused = StageError("a log", "none", "see")
    for error in (None, refused, refused, None):
        stage.error = error
        probe._read_logs()
    stage.lines = "2030-01-01 00:00:09.000 UTC [7] LOG:  another file\n"
    probe._read_logs()
    assert [(one.what, bool(one.why), one.lost) for one in told(timeline.path)] == [
        (LOG, True, False),
        (LOG, False, False),
        (LOG, True, True),
    ]


def test_a_log_that_the_stage_does_not_offer_is_no_loss(tmp_path: Path) -> None:
    timeline, stage = Timeline(tmp_path / "timeline.jsonl"), Logs()
    stage.error = NotOffered("a script", "none", "write it")
    timeline.record(PhaseStarted(PhaseName.SETUP))
    Probe(cast(Any, stage), timeline)._read_logs()
    assert told(timeline.path) == []


def test_messages_that_cannot_be_read_are_told_until_they_can(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    courier = Courier(Channels({}, frozenset()), timeline)
    answers = iter((Completed(1, "", "broken", 0.1), Completed(0, "", "", 0.1)))
    host = SimpleNamespace(name="host-1", run=lambda *_, **__: next(answers))
    assert courier.deliver(cast(Any, host), {}) == "broken"
    assert courier.deliver(cast(Any, host), {}) == ""
    assert [bool(one.why) for one in told(timeline.path)] == [True, False]


@pytest.fixture
def server() -> Iterator[ListingsServer]:
    with ListingsServer("key") as running:
        yield running


@pytest.mark.drill
def test_cursors_that_could_not_be_kept_are_told(server: ListingsServer, tmp_path: Path) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    server.status = 500
    cursors = KeptCursors(server.url, "key", timeline)
    cursors.keep()
    assert cursors.count == 0
    (one,) = told(timeline.path)
    assert "500" in one.why


# Who judges it.


def among(record: list[Event], *more: tuple[float, Told]) -> Book:
    events = [*record[:-1], *(Event(T + at, what) for at, what in more)]
    return Book([*sorted(events, key=lambda e: e.at), record[-1]])


def undecided(*, ours: bool | None = True) -> list[Event]:
    """A drill in which a rollback was decided against after 30 s, 20 s after the fault."""
    record = changed(Decided, rollback=False, action="monitor", ours=ours)(good())
    gone = (ProcedureChosen, StepStarted, Checked, StepEnded, ProbeSample)
    times = {FaultInjected: T + 10, Decided: T + 30, Restored: T + 31}
    return sorted(
        (
            Event(times.get(type(e.what), e.at), e.what)
            for e in record
            if not isinstance(e.what, gone)
        ),
        key=lambda e: e.at,
    )


def looked(sentinel: str, verdict: Verdict) -> Looked:
    return Looked(sentinel, verdict, "as it was")


def killed(**kills: int) -> ProbeSample:
    return ProbeSample({"host-1": 200}, {}, 3, 40, kills)


SEEN = [(at, killed(host=0)) for at in (1.0, 29.0)]


@pytest.mark.parametrize(
    ("more", "ours", "said"),
    [
        ([], True, ""),
        ([(20.0, NotSeen(LOG, "refused"))], True, LOG),
        ([(20.0, NotSeen(LOG, "refused"))], None, LOG),
        ([(20.0, NotSeen(LOG, "refused"))], False, ""),
        ([(20.0, NotSeen(LOG, "refused")), (25.0, NotSeen(LOG))], True, ""),
        ([(20.0, NotSeen(LOG, "refused")), (31.0, NotSeen(LOG))], True, LOG),
        ([(31.0, NotSeen(LOG, "refused"))], True, ""),
        ([(20.0, NotSeen(LOG, "rotated", lost=True)), (21.0, NotSeen(LOG))], True, LOG),
        ([(5.0, NotSeen(LOG, "rotated", lost=True))], True, ""),
        ([(5.0, looked("doors", Verdict.PASSED)), (29.0, looked("doors", Verdict.UNKNOWN))], True, "doors"),
        ([(5.0, looked("doors", Verdict.PASSED)), (29.0, looked("doors", Verdict.FAILED))], True, ""),
        ([(5.0, looked("doors", Verdict.UNKNOWN))], True, ""),
        ([(29.5, killed())], True, ""),
    ],
)  # fmt: skip
def test_a_decision_without_a_rollback_that_rests_on_what_nobody_saw_is_unknown(
    more: list[tuple[float, Told]], ours: bool | None, said: str
) -> None:
    causes = of_the_unseen(among(undecided(ours=ours), *SEEN, *more))
    assert [one.verdict for one in causes] == [Verdict.UNKNOWN] * bool(said)
    assert all(said in one.what for one in causes)


def command(script: str) -> CommandStarted:
    return CommandStarted(7, "Procedure 1", 2, "host-1", "", script, 120, 9.0)


@pytest.mark.parametrize(
    "script",
    [
        '> "$LOG_FILE"',
        ': > "${LOG_FILE}"',
        'date; truncate -s 0 "$LOG_FILE"',
        "sudo rm -f /var/log/api/application.log",
        'cp /dev/null "$LOG_FILE"',
        'tail -n 5 "$LOG_FILE" | tee "$LOG_FILE"',
        "sed -i '/ERROR/d' \"$LOG_FILE\"",
    ],
)
def test_a_log_that_a_step_emptied_fails_the_drill(script: str) -> None:
    cut = (20.0, NotSeen(LOG, CUT, lost=True))
    causes = list(of_the_unseen(among(good(), (19.0, command(script)), cut)))
    assert [(c.verdict, c.where) for c in causes] == [(Verdict.FAILED, "Log")]
    assert "line 120" in causes[0].what
    assert of_the_unseen(among(good(), (21.0, command(script)), cut)) == []  # it came later


@pytest.mark.parametrize(
    "script",
    [
        'tail -n 100 "$LOG_FILE" > errors.txt',
        'cp "$LOG_FILE" "$EVIDENCE_DIR/application.log"',
        'echo back >> "$LOG_FILE"',
        'date | tee -a "$LOG_FILE"',
        'grep ERROR "$LOG_FILE" > "$EVIDENCE_DIR/errors.log"',
    ],
)
def test_a_log_that_somebody_else_cut_is_not_a_steps_doing(script: str) -> None:
    cut = (20.0, NotSeen(LOG, CUT, lost=True))
    assert of_the_unseen(among(good(), (19.0, command(script)), cut)) == []


def test_kills_that_nobody_could_count_any_more_are_unknown() -> None:
    (cause,) = of_the_unseen(among(undecided(), (1.0, killed(host=0)), (29.0, killed())))
    assert "killed for memory" in cause.what


def test_nobody_who_looked_before_a_decision_without_a_rollback_is_unknown() -> None:
    first = (0.0, next(e.what for e in good() if isinstance(e.what, TrafficSecond)))
    assert of_silence(among(undecided(), first, *SEEN, (14.0, killed()))) == []
    (cause,) = of_silence(among(undecided(), first, (1.0, killed())))
    assert cause.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], ""),
        ([(1.0, NotSeen(LOG, "refused"))], LOG),
        ([(1.0, NotSeen(LOG, "refused")), (900.0, NotSeen(LOG))], ""),
        ([(900.0, NotSeen(LOG, "refused"))], ""),
    ],
)
def test_what_nobody_can_see_when_the_last_step_ends_is_unknown(
    more: list[tuple[float, Told]], said: str
) -> None:
    causes = of_the_unseen(among(good(), *more))
    assert [one.verdict for one in causes] == [Verdict.UNKNOWN] * bool(said)
    assert all(said in one.what for one in causes)


def test_a_host_of_which_nobody_knows_how_it_was_left_is_unknown() -> None:
    left = next(e.what for e in good() if isinstance(e.what, LeftAs))
    assert left.hosts == {"host-1": 200}
    assert of_promises(Book(good())) == []
    causes = of_promises(Book(changed(LeftAs, maintenance={"host-2": False})(good())))
    assert [(one.where, one.verdict) for one in causes] == [("Service", Verdict.UNKNOWN)]


def test_a_hazard_that_could_not_be_taken_back_is_unknown() -> None:
    for undone, wanted in ((True, []), (False, [Verdict.UNKNOWN])):
        more = (HazardArmed("leak", "so", True), HazardOver("leak", "gone", "", undone))
        causes = of_hazard(among(good(), *((1.0, one) for one in more)))
        assert [one.verdict for one in causes] == wanted


# Memory, whether a box asks for it or not.


def remembered(
    size: list[int], kills: list[int], host: str = "host-1", every_s: float = 0.3
) -> Book:
    """A good drill with a look at memory every so often from its verification on."""
    record = [e for e in good() if not isinstance(e.what, ProbeSample)]
    began = next(e.at for e in record if e.what == PhaseStarted(PhaseName.VERIFICATION)) - T
    more: list[tuple[float, Told]] = []
    for i, (bytes_, killed_) in enumerate(zip(size, kills, strict=True)):
        at = began + every_s * i
        more.append((at, ProbeSample({host: 200}, {host: bytes_}, 3, 40, {host: killed_})))
    return among(record, *more)


STEADY = [100 << 20] * 10


@pytest.mark.parametrize(
    ("size", "kills", "wanted"),
    [
        (STEADY, [0] * 10, None),
        ([(100 + i) << 20 for i in range(10)], [0] * 10, None),
        ([(100 + 4 * i) << 20 for i in range(10)], [0] * 10, Verdict.FAILED),
        (STEADY, [0] * 5 + [1] * 5, Verdict.FAILED),
        (STEADY[:5], [0] * 5, Verdict.UNKNOWN),
    ],
)
def test_what_is_left_growing_does_not_pass_without_a_box(
    size: list[int], kills: list[int], wanted: Verdict | None
) -> None:
    causes = of_memory(remembered(size, kills))
    assert [one.verdict for one in causes] == ([wanted] if wanted else [])


@pytest.mark.parametrize(
    ("until", "every_s", "wanted"),
    [(12, 1.5, []), (12, 0.3, [Verdict.FAILED]), (19, 1.5, [Verdict.FAILED])],
)
def test_a_warm_up_ends_while_it_is_watched(
    until: int, every_s: float, wanted: list[Verdict]
) -> None:
    size = [(100 + 40 * min(i, until) // until) << 20 for i in range(20)]
    events = remembered(size, [0] * 20, every_s=every_s).events
    last = [event for event in events if isinstance(event.what, StepEnded)][-1]
    over = Event(max(event.at for event in events), last.what)
    book = Book([*(event for event in events if event is not last), over])
    assert [one.verdict for one in of_memory(book)] == wanted


def test_memory_of_a_host_that_is_not_seen_any_more_is_unknown() -> None:
    book = remembered(STEADY, [0] * 10)
    early = Event(T + 1, ProbeSample({}, {"host-2": 1 << 20}, 3, 40, {}))
    (cause,) = of_memory(Book([book.events[0], early, *book.events[1:]]))
    assert (cause.verdict, "host-2" in cause.what) == (Verdict.UNKNOWN, True)


def test_kills_that_were_counted_before_must_be_counted_in_the_end() -> None:
    events = [
        Event(e.at, dataclasses.replace(e.what, oom_kills={}))
        if isinstance(e.what, ProbeSample)
        else e
        for e in remembered(STEADY, [0] * 10).events
    ]
    assert of_memory(Book(events)) == []
    counted = Event(T + 1, ProbeSample({}, {}, 3, 40, {"host-1": 0}))
    (cause,) = of_memory(Book([events[0], counted, *events[1:]]))
    assert cause.verdict is Verdict.UNKNOWN


def test_the_watch_that_a_procedure_ended_with_counts_for_memory() -> None:
    """Also where the last checklist begins in the very moment in which its phase does."""
    record = [e for e in good() if not isinstance(e.what, ProbeSample)]
    verifies = next(e.at for e in record if e.what == PhaseStarted(PhaseName.VERIFICATION))
    shown, last = [], ("Procedure 1", "Final verification")
    for event in record:
        what = event.what
        if isinstance(what, StepStarted) and what.section in last:
            watches = what.section == last[0]
            what = dataclasses.replace(what, window_s=5.0 if watches else 0.0)
            event = Event(event.at if watches else verifies, what)
        shown.append(event)
    before = [(verifies - T - 0.3 * i, STEADY[0]) for i in range(9)]
    samples = ((at, ProbeSample({}, {"host-1": size}, 3, 40, {})) for at, size in before)
    assert of_memory(among(shown, *samples)) == []
