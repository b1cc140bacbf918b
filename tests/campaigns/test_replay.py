"""What would it say: records of incidents, fed to the detector."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from rollback_drill.campaigns.replay import replay, replay_sentences
from rollback_drill.campaigns.simulation import simulate
from rollback_drill.cli import main
from rollback_drill.conduct.told import DrillStarted
from rollback_drill.conduct.worlds import Draw
from rollback_drill.decide.told import NOT_LONG_ENOUGH, Decided
from rollback_drill.ground.errors import UsageError
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.runbook.parse import parse
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.told import TrafficSecond

DOCUMENT = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
RUNBOOK = parse(DOCUMENT)
RECORDS = Path(__file__).resolve().parents[1] / "judge" / "records"
BEGAN = 1_800_000_000.0


def record(path: Path, *parts: tuple[int, float, float], planned: bool = False) -> Path:
    """Write (seconds, share that fails, latency) one after the other at 50 requests a second."""
    chance = random.Random(1)
    at, lines = BEGAN, ["time,status,latency,planned"]
    for seconds, share, latency in parts:
        for _ in range(seconds * 50):
            bad = chance.random() < share
            status = (503 if planned else 500) if bad else 200
            lines.append(f"{at:.3f},{status},{latency},{int(bad and planned)}")
            at += 0.02
    path.write_text("\n".join(lines) + "\n")
    return path


def test_an_incident_is_decided_within_a_second_of_where_it_began(tmp_path: Path) -> None:
    said = replay(record(tmp_path / "a.csv", (60, 0.002, 0.02), (30, 0.5, 0.02)), RUNBOOK)
    assert said.decision.rollback
    assert said.decision.trigger == "Error Rate >10%"
    assert said.decided_at is not None
    first = min(at for at, event in said.fired if event.trigger == "Error Rate >10%")
    assert 0 < first - (BEGAN + 60) < 1.5
    assert first <= said.decided_at < BEGAN + 66


def test_a_healthy_month_is_left_alone(tmp_path: Path) -> None:
    said = replay(record(tmp_path / "a.csv", (600, 0.004, 0.02)), RUNBOOK)
    assert said.decided_at is None
    assert said.fired == []
    assert said.decision.action == "no action"


def test_slowness_is_measured_against_the_record_s_own_beginning(tmp_path: Path) -> None:
    said = replay(record(tmp_path / "a.csv", (30, 0.0, 0.05), (60, 0.0, 0.2)), RUNBOOK)
    assert said.decision.trigger == "Performance Degradation >3x"


def test_planned_maintenance_is_no_error_of_the_release(tmp_path: Path) -> None:
    parts = ((30, 0.0, 0.02), (60, 1.0, 0.001), (60, 0.0, 0.02))
    said = replay(record(tmp_path / "a.csv", *parts, planned=True), RUNBOOK)
    assert not said.decision.rollback
    unplanned = record(tmp_path / "b.csv", *parts)
    assert replay(unplanned, RUNBOOK).decision.rollback


def test_a_timeline_without_raw_observations_is_read_by_its_seconds(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    good, bad = Histogram(), Histogram()
    for _ in range(50):
        good.add(0.02)
        bad.add(0.02)
    for second in range(60):
        outcomes = {"ok": 50} if second < 30 else {"ok": 25, "server_error": 25}
        timeline.record(
            TrafficSecond(int(BEGAN) + second, outcomes, {}, {}, good.to_text()),
            BEGAN + second + 1,
        )
    timeline.close()
    said = replay(timeline.path, RUNBOOK)
    assert said.decision.trigger == "Error Rate >10%"
    assert said.decided_at is not None
    assert said.decided_at - (BEGAN + 30) < 6


def test_milliseconds_since_1970_do_not_make_a_record_a_thousand_times_as_long(
    tmp_path: Path,
) -> None:
    seconds = record(tmp_path / "a.csv", (60, 0.002, 0.02), (30, 0.5, 0.02))
    lines = [line.split(",") for line in seconds.read_text().splitlines()[1:]]
    path = tmp_path / "ms.csv"
    path.write_text("".join(f"{float(at) * 1000:.0f},{rest[0]},{rest[1]}\n" for at, *rest in lines))
    said, same = replay(path, RUNBOOK), replay(seconds, RUNBOOK)
    assert said.decision == same.decision
    assert said.ended == pytest.approx(same.ended)


def test_a_sparse_record_is_decided_like_a_dense_one(tmp_path: Path) -> None:
    # One request a minute: all of it lies between two requests.
    lines = [f"{BEGAN + 60 * i:.0f},{500 if i > 450 else 200},0.02" for i in range(500)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines))
    said = replay(path, RUNBOOK)
    assert said.decision.rollback
    assert said.decided_at is not None
    assert BEGAN + 451 * 60 < said.decided_at < BEGAN + 470 * 60


def said_of(path: Path) -> tuple[Decided, Decided, float]:
    """Return what a drill decided, what is said of its record, and how far apart in seconds."""
    events = list(read(path))
    (start,) = (one.what for one in events if isinstance(one.what, DrillStarted))
    [*_, (at, decided)] = ((one.at, one.what) for one in events if isinstance(one.what, Decided))
    said = replay(path, RUNBOOK, pace=start.pace, baseline=100)
    return decided, said.decision, abs((said.decided_at or at) - at)


def same(one: Decided, other: Decided) -> bool:
    names = ("action", "rollback", "trigger", "procedure", "ours")
    return all(getattr(one, name) == getattr(other, name) for name in names)


@pytest.mark.parametrize("fault", ["slow-pages-5x", "error-rate-critical", "none"])
def test_of_the_record_of_a_drill_the_same_is_said_as_in_the_drill(
    fault: str, tmp_path: Path
) -> None:
    _, path = simulate(Draw(1, fault), DOCUMENT, tmp_path)
    decided, said, apart_s = said_of(path)
    assert same(decided, said), (decided, said)
    assert apart_s <= 0.5


@pytest.mark.parametrize(("name", "alike"), [("no-rollback", True), ("failed", False)])
def test_a_kept_record_is_judged_until_something_was_done(
    name: str, alike: bool, tmp_path: Path
) -> None:
    """The second one was decided upon by an alarm alone, after 2.3 s at 30 requests a second."""
    path = tmp_path / "timeline.jsonl"
    path.write_bytes(gzip.decompress((RECORDS / f"{name}.jsonl.gz").read_bytes()))
    decided, said, _ = said_of(path)
    assert same(decided, said) is alike
    if not alike:
        assert (said.action, said.more > 0) == (NOT_LONG_ENOUGH, True)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("1,200,0.1\n", "more than 400 requests"),
        ("time,status,latency\nyesterday,200,0.1\n", "line 2"),
        ("1,200\n", "line 1"),
    ],
)
def test_what_is_no_record_is_a_users_mistake(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=named):
        replay(path, RUNBOOK)


def test_a_records_mistake_ends_the_command_with_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"time,status,latency\n1,200,0.1\n\xff\xfe\n")
    assert main(["decide", "--from", str(path), "--runbook", str(DOCUMENT)]) == 2
    told = capsys.readouterr().err.strip()
    assert told.startswith("Expected text in UTF-8")
    assert "line 3" in told
    assert "Traceback" not in told


def test_the_command_prints_decision_and_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record(tmp_path / "a.csv", (60, 0.002, 0.02), (30, 0.5, 0.02))
    assert main(["decide", "--from", str(path), "--runbook", str(DOCUMENT)]) == 0
    told = capsys.readouterr().out
    assert "DECISION  roll back at once" in told
    assert "Error Rate >10%" in told
    assert main(["decide", "--from", str(tmp_path / "no.csv"), "--runbook", str(DOCUMENT)]) == 2


def test_iso_times_are_read_too(tmp_path: Path) -> None:
    lines = [f"2026-03-01T10:{i // 60:02d}:{i % 60:02d}Z,200,0.02" for i in range(500)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines))
    said = replay(path, RUNBOOK)
    assert said.requests == 500
    assert replay_sentences(said)[0].startswith("500 requests")
