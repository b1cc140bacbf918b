"""The generator against a real HTTP server: what it says it saw must be what happened."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rollback_drill.data.writes import Fate, read_writes
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError
from rollback_drill.ground.wait import wait_until
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.record.told import Noted
from rollback_drill.traffic.aggregate import aggregate
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.live import Traffic, read_observations
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.traffic.recordings import OBSERVATIONS, path_of
from rollback_drill.traffic.schedule import Schedule
from rollback_drill.traffic.told import GeneratorSample, TrafficSecond
from tests.traffic.listings_server import ListingsServer

KEY = "test-key-Vb7QmZ"
RATE = 200.0

pytestmark = pytest.mark.drill


@pytest.fixture
def server() -> Iterator[ListingsServer]:
    with ListingsServer(KEY) as running:
        yield running


@pytest.fixture
def timeline(tmp_path: Path) -> Iterator[Timeline]:
    record = Timeline(tmp_path / "timeline.jsonl")
    yield record
    record.close()


def traffic_to(
    server: ListingsServer, timeline: Timeline, *, rate: float = RATE, workers: int = 1,
    timeout_s: float = 1.5, cap: int | None = None,
) -> Traffic:  # fmt: skip
    directory = timeline.path.parent / "traffic"
    return Traffic(
        server.url, KEY, rate, 1, directory, timeline,
        workers=workers, timeout_s=timeout_s, cap=cap,
    )  # fmt: skip


def wait_for(traffic: Traffic, since: float, outcome: Outcome, count: int = 10) -> None:
    for _ in wait_until(f"{count} times {outcome}", 60):
        if traffic.window(since).outcomes.get(outcome, 0) >= count:
            return


def wait_for_death(traffic: Traffic) -> None:
    for _ in wait_until("the death is noticed", 60):
        traffic.window(0)


def processes_of(traffic: Traffic) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cwd", "cmdline"])
        if process.info["cwd"] == str(traffic.directory.resolve())
        and "locust" in " ".join(process.info["cmdline"] or [])
    ]


def test_generators_that_are_got_ready_send_nothing_before_they_may(
    server: ListingsServer, timeline: Timeline
) -> None:
    traffic = traffic_to(server, timeline)
    traffic.get_ready()
    for _ in wait_until("the generator has loaded", 60):
        if path_of(traffic.directory, OBSERVATIONS, 0).exists():
            break
    began = now()
    for _ in wait_until("nothing", 1.5):
        assert not server.seen
        if now() - began > 1:
            break
    with traffic:
        for _ in wait_until("some traffic", 60):
            if traffic.window(began).sent:
                break
    (start,) = [g.schedule.start for g in traffic._generators if g.schedule]
    assert start > began + 1
    assert not processes_of(traffic)


def test_generators_that_never_begin_are_gone_when_abandoned(
    server: ListingsServer, timeline: Timeline
) -> None:
    traffic = traffic_to(server, timeline)
    traffic.get_ready()
    assert processes_of(traffic)
    traffic.abandon()
    assert not processes_of(traffic)
    assert not server.seen


def test_everything_that_was_due_is_seen_live_and_recorded(
    server: ListingsServer, timeline: Timeline
) -> None:
    arrived: list[Observation] = []
    with traffic_to(server, timeline) as traffic:
        traffic.subscribe(arrived.append)
        for _ in wait_until("the first request", 60):  # before it a tenth has fewer
            if arrived:
                break
        began = now()
        for _ in wait_until("two seconds of traffic", 60):
            window = traffic.window(began)
            if window.until - window.start >= 2:
                break
        assert window.sent == pytest.approx(RATE * (window.until - window.start), abs=1)
        assert window.outcomes == {Outcome.OK: window.sent}
        assert set(window.formats) == {"new"}
        assert {"list_page", "details", "reservations", "create"} <= set(window.operations)
        assert traffic.live().sent > 0
        assert traffic.window(began, began + 0.05).sent == 0  # no tenth of a second lies in it
        half = traffic.window(began, began + 0.5)
        assert began <= half.start < began + 0.1
        assert began + 0.4 < half.until <= began + 0.5
        assert half.sent == pytest.approx(RATE * (half.until - half.start), abs=1)
        honest, why = traffic.honest(began, now())
        assert honest, why
        assert not traffic.honest(now() + 100, now() + 200)[0]  # nothing seen, nothing known
    assert not processes_of(traffic)
    assert traffic.pending() == 0

    stored = list(read_observations(traffic.directory))
    assert len(stored) == sum(server.seen.values())
    assert traffic.window(0).sent == len(stored)
    assert traffic.window(0).histogram == aggregate(stored).histogram
    assert set(arrived) <= set(stored)
    assert [o.done for o in stored] == sorted(o.done for o in stored)

    timeline.close()
    recorded = [event.what for event in read(timeline.path)]
    seconds = [what for what in recorded if isinstance(what, TrafficSecond)]
    assert sum(sum(second.outcomes.values()) for second in seconds) == len(stored)
    assert sum(Histogram.from_text(s.histogram).count for s in seconds) == len(stored)
    assert [s.second for s in seconds] == sorted({s.second for s in seconds})
    assert sum(isinstance(what, GeneratorSample) for what in recorded) >= 2
    assert not any(isinstance(what, Noted) for what in recorded)

    writes = [write for group in read_writes(traffic.directory).values() for write in group]
    assert {write.fate for write in writes} == {Fate.ACKNOWLEDGED}
    assert sum(write.kind == "create" for write in writes) == len(server.reservations)


def test_a_freeze_counts_from_the_moment_a_request_was_due(
    server: ListingsServer, timeline: Timeline
) -> None:
    with traffic_to(server, timeline, timeout_s=5) as traffic:
        began = now()
        wait_for(traffic, began, Outcome.OK, 100)
        server.freeze_for(1.5)
        froze = now()
        for _ in wait_until("the frozen seconds are complete", 60):
            window = traffic.window(began)
            if window.until >= froze + 2.5:
                break
    assert window.failures == 0
    # Of the 1.5 s in which nothing was answered, those due in the first second waited 0.5 s or
    # more, those due in the first half second 1 s or more.
    assert window.histogram.count_above(0.49) >= 0.9 * RATE
    assert window.histogram.count_above(0.99) >= 0.9 * RATE / 2
    assert window.late == 0  # it was the service that was late, not the generator


def test_requests_of_a_frozen_second_are_not_taken_for_absent(
    server: ListingsServer, timeline: Timeline
) -> None:
    with traffic_to(server, timeline) as traffic:
        for _ in wait_until("a whole second of good answers", 60):
            if traffic.last_good_at(now()) is not None:
                break
        server.freeze()
        frozen_at = now()
        for _ in wait_until("requests that nobody answers", 60):
            if traffic.pending() > RATE / 4:
                break
        assert traffic.window(frozen_at).until <= frozen_at + 1.1 + traffic.timeout_s
        wait_for(traffic, frozen_at, Outcome.TIMEOUT, 50)
        frozen = traffic.window(frozen_at)
        assert frozen.outcomes == {Outcome.TIMEOUT: frozen.sent}
        assert frozen.histogram.quantile(0.0) >= 0.99 * traffic.timeout_s
        thaw_began_at = now()  # before it: an answer may come sooner than the call returns
        server.thaw()
        for _ in wait_until("service is back", 60):
            restored = traffic.first_good_since(frozen_at)
            if restored is not None:
                break
    assert restored is not None
    assert restored >= thaw_began_at
    last_good = traffic.last_good_at(frozen_at)
    assert last_good is not None
    assert last_good < frozen_at


def test_what_exceeds_the_cap_is_dropped_and_counts_as_failed(
    server: ListingsServer, timeline: Timeline
) -> None:
    with traffic_to(server, timeline, cap=20) as traffic:
        wait_for(traffic, now(), Outcome.OK)
        server.freeze()
        frozen_at = now()
        wait_for(traffic, frozen_at, Outcome.DROPPED, 50)
        window = traffic.window(frozen_at)
    stored = list(read_observations(traffic.directory))
    assert window.failures == window.sent
    assert window.histogram.count == window.sent - window.outcomes[Outcome.DROPPED]
    dropped = [o for o in stored if o.outcome is Outcome.DROPPED]
    assert all(o.status == 0 and o.reference == "" for o in dropped)
    ends = sorted((o.done, -1) for o in stored if o not in dropped)
    starts = sorted((o.sent, 1) for o in stored if o not in dropped)
    in_flight = most = 0
    for _, step in sorted(ends + starts):
        in_flight += step
        most = max(most, in_flight)
    assert 15 <= most <= 20


def test_clients_follow_the_format_when_it_switches_in_mid_walk(
    server: ListingsServer, timeline: Timeline
) -> None:
    with traffic_to(server, timeline) as traffic:
        began = now()
        wait_for(traffic, began, Outcome.OK, 100)
        server.mode = "old"
        switched = now()
        wait_for(traffic, switched, Outcome.OK, 100)
        window = traffic.window(switched)
        assert set(window.formats) == {"old"}
        server.mode = "new"
        back = now()
        wait_for(traffic, back, Outcome.OK, 100)
        assert set(traffic.window(back).formats) == {"new"}
        assert traffic.window(began).failures == 0
    assert any("offset=" in query for query in server.queries)
    assert any("cursor=" in query for query in server.queries)


def test_a_refused_cursor_is_told_apart_and_restarts_the_walk(
    server: ListingsServer, timeline: Timeline
) -> None:
    with traffic_to(server, timeline) as traffic:
        wait_for(traffic, now(), Outcome.OK, 100)
        server.refuse_cursors = True
        refused = now()
        wait_for(traffic, refused, Outcome.INVALID_CURSOR, 50)
        window = traffic.window(refused)
        assert set(window.outcomes) == {Outcome.OK, Outcome.INVALID_CURSOR}
        assert window.operations["list_first"] > 10
        assert window.clients_with_failures


def test_each_kind_of_bad_answer_has_its_outcome(
    server: ListingsServer, timeline: Timeline
) -> None:
    server.status = 500
    with traffic_to(server, timeline) as traffic:
        began = now()
        wait_for(traffic, began, Outcome.SERVER_ERROR)
        window = traffic.window(began)
        assert window.outcomes == {Outcome.SERVER_ERROR: window.sent}
        assert traffic.first_good_since(began, 0) is None
        server.status = 503
        wait_for(traffic, now(), Outcome.UNAVAILABLE)
        server.status, server.api_key = 0, "another"
        wait_for(traffic, now(), Outcome.REJECTED)
        server.mode, server.api_key = "gibberish", KEY
        spoilt = now()
        wait_for(traffic, spoilt, Outcome.BAD_BODY)
        assert not traffic.window(spoilt).formats


def test_a_connection_closed_without_an_answer_is_not_tried_again(
    server: ListingsServer, timeline: Timeline
) -> None:
    server.hang_up = True
    with traffic_to(server, timeline) as traffic:
        began = now()
        wait_for(traffic, began, Outcome.CONNECTION, 50)
        server.hang_up = False
        answering = now()
        wait_for(traffic, answering, Outcome.OK)
    stored = list(read_observations(traffic.directory))
    assert server.seen["hung up"] == sum(o.outcome is Outcome.CONNECTION for o in stored)
    assert sum(server.seen.values()) == len(stored)


def test_nobody_listening_is_a_lost_connection(timeline: Timeline) -> None:
    with ListingsServer(KEY) as server:
        url = server.url
    directory = timeline.path.parent / "traffic"
    with Traffic(url, KEY, RATE, 1, directory, timeline, timeout_s=1) as traffic:
        wait_for(traffic, now(), Outcome.CONNECTION)


def test_several_workers_share_the_rate(server: ListingsServer, timeline: Timeline) -> None:
    with traffic_to(server, timeline, workers=2) as traffic:
        wait_for(traffic, now(), Outcome.OK, int(RATE))  # both have begun
        began = now()
        for _ in wait_until("two seconds of traffic", 60):
            window = traffic.window(began)
            if window.until - window.start >= 2:
                break
        assert window.sent == pytest.approx(RATE * (window.until - window.start), abs=1)
    assert traffic.pending() == 0
    names = [
        {o.client for o in map(Observation.from_line, path.read_text().splitlines())}
        for path in sorted(traffic.directory.glob("observations-*.csv"))
    ]
    assert len(names) == 2
    assert not names[0] & names[1]


def test_a_generator_that_dies_is_reported(server: ListingsServer, timeline: Timeline) -> None:
    traffic = traffic_to(server, timeline)
    traffic.__enter__()
    began = now()
    wait_for(traffic, began, Outcome.OK)
    (process,) = processes_of(traffic)
    process.kill()
    with pytest.raises(StageError, match="ended with -9"):
        wait_for_death(traffic)
    with pytest.raises(StageError, match="ended with -9"):
        traffic.__exit__(None)
    traffic.__exit__(ValueError)  # an error that is under way is not covered up
    assert traffic.honest(began, now())[0] is False
    assert traffic.live().sent >= 0  # the display goes on
    timeline.close()
    notes = [e.what.text for e in read(timeline.path) if isinstance(e.what, Noted)]
    assert any("traffic broke" in note for note in notes)


def test_a_generator_that_cannot_start_is_reported_with_its_last_lines(
    server: ListingsServer, timeline: Timeline
) -> None:
    traffic = traffic_to(server, timeline)
    (traffic.directory / "observations-0.csv").mkdir(parents=True)  # it cannot write there
    with pytest.raises(StageError, match="Is a directory"), traffic:
        pass
    assert not processes_of(traffic)


def test_a_lost_observation_is_noticed(server: ListingsServer, timeline: Timeline) -> None:
    traffic = traffic_to(server, timeline, timeout_s=0.5, rate=20)
    traffic.__enter__()
    (generator,) = traffic._generators
    assert generator.schedule
    # As if the generator had kept one request of every second to itself.
    generator.schedule = Schedule(generator.schedule.start, 21.0)
    with pytest.raises(StageError, match="an observation of each request"):
        wait_for_death(traffic)
    traffic.__exit__(StageError)


def test_an_overloaded_generator_is_not_honest(server: ListingsServer, timeline: Timeline) -> None:
    with traffic_to(server, timeline) as traffic:
        began = now()
        wait_for(traffic, began, Outcome.OK, 100)
        (process,) = processes_of(traffic)
        process.suspend()  # as a machine would that has no time for it
        suspended = now()
        for _ in wait_until("half a second without the generator", 60):
            if now() > suspended + 0.5:
                break
        process.resume()
        for _ in wait_until("traffic catches up", 60):
            if traffic.window(began).until > suspended + 2:
                break
        honest, why = traffic.honest(began, now())
    assert not honest
    assert "late" in why


def test_the_key_is_in_no_file_and_no_command_line(
    server: ListingsServer, timeline: Timeline
) -> None:
    traffic = traffic_to(server, timeline)
    traffic.__enter__()
    wait_for(traffic, now(), Outcome.OK)
    (process,) = processes_of(traffic)
    assert KEY not in " ".join(process.cmdline())
    process.send_signal(signal.SIGABRT)  # ends with whatever Python has to say
    with pytest.raises(StageError):
        wait_for_death(traffic)
    traffic.__exit__(StageError)
    for path in timeline.path.parent.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


_DRILL = """
import sys
from pathlib import Path
from rollback_drill.record.timeline import Timeline
from rollback_drill.traffic.live import Traffic
from threading import Event
folder = Path(sys.argv[2])
try:
    with Traffic(sys.argv[1], "", 50, 1, folder / "traffic", Timeline(folder / "t.jsonl")):
        print("started", flush=True)
        Event().wait()
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_drill_that_ends_leaves_no_generator(tmp_path: Path, sent: signal.Signals) -> None:
    with (
        ListingsServer() as server,
        subprocess.Popen(
            [sys.executable, "-c", _DRILL, server.url, str(tmp_path)],
            cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True,
        ) as drill,
    ):  # fmt: skip
        assert drill.stdout
        assert drill.stdout.readline() == "started\n"
        (generator,) = psutil.Process(drill.pid).children()
        assert os.getpgid(generator.pid) != os.getpgid(drill.pid)
        drill.send_signal(sent)
        for _ in wait_until("the generator ends", 60):
            if not generator.is_running() or generator.status() == psutil.STATUS_ZOMBIE:
                break
        rest = drill.stdout.read()
    assert (rest == "interrupted\n") is (sent is signal.SIGINT)


def test_a_torn_last_line_is_left_out_until_it_is_whole(tmp_path: Path) -> None:
    whole = Observation(1.0, 1.0, 1.1, "c000", "details", 200, Outcome.OK, "")
    path = tmp_path / "observations-0.csv"
    path.write_text(f"{whole.to_line()}\n{whole.to_line()[:20]}")
    assert list(read_observations(tmp_path)) == [whole]
    from rollback_drill.traffic.live import _Lines

    lines = _Lines(path)
    assert list(lines) == [whole.to_line()]
    with path.open("a") as file:
        file.write(whole.to_line()[20:] + "\n")
    assert list(lines) == [whole.to_line()]
    assert list(lines) == []
