"""Every log of a host is read: what the service prints, what its supervisor says; and silence is
told, lines with times that are not theirs, and secrets.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rollback_drill.ground.clock import now
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.traffic.interface import Interface
from rollback_drill.watch.logs import APPLICATION, OUTPUT, Entry, record_entries
from rollback_drill.watch.told import LogLine
from tests.watch.log_support import Bench, line

BOX = "No errors in application logs"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.stage.interface = Interface(
        printed=(str(tmp_path / "service.err"), str(tmp_path / "sup.log"))
    )
    made.write(line())
    return made


def printed(bench: Bench, text: str, name: str = "service.err") -> None:
    with (bench.log.parents[1] / name).open("a") as file:
        file.write(text)


def test_what_is_printed_before_counts_for_nothing_and_what_is_printed_after_fails(
    bench: Bench,
) -> None:
    printed(bench, 'Traceback (most recent call last):\n  File "x"\nKeyError: 1\n')
    bench.tail.read()
    bench.since = now()
    bench.write(line())
    assert bench.check(BOX).verdict is Verdict.PASSED
    printed(bench, "Traceback (most recent call last):\n  File \"x\"\nKeyError: 'gone'\n")
    bench.write(line())
    found = bench.check(BOX)
    assert (found.verdict, "KeyError: 'gone'" in found.evidence) == (Verdict.FAILED, True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sup.log", "2026-11-27 05:00:00,123 WARN exited: x (exit status 1; not expected)\n"),
        ("service.err", '{"level": "FATAL", "msg": "gone"}\n'),
        ("service.err", "panic: gone, and no end of the line"),
    ],
)
def test_each_log_of_the_host_is_heard(bench: Bench, name: str, text: str) -> None:
    bench.tail.read()
    printed(bench, text, name)
    assert bench.check(BOX).verdict is Verdict.FAILED


def stamped(ago_s: float, text: str) -> str:
    at = datetime.fromtimestamp(now() - ago_s, UTC)
    return f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03} {text}\n"


@pytest.mark.parametrize(
    ("spawned_ago_s", "verdict"), [((20,), Verdict.PASSED), ((20, 4), Verdict.FAILED)]
)
def test_what_was_started_before_may_die_as_it_is_stopped_and_what_was_started_since_may_not(
    bench: Bench, spawned_ago_s: tuple[float, ...], verdict: Verdict
) -> None:
    for ago_s in spawned_ago_s:
        printed(bench, stamped(ago_s, "INFO spawned: 'hostaway-mcp' with pid 7"), "sup.log")
    printed(bench, stamped(3, "WARN exited: hostaway-mcp (exit status 1; not expected)"), "sup.log")
    bench.processes_began = {"host-1": now() - 1}
    assert bench.check(BOX).verdict is verdict


def test_what_is_gone_of_what_was_printed_leaves_unknown_what_was_told_in_it(bench: Bench) -> None:
    printed(bench, "INFO: Started server process [7]\n" * 9, "sup.log")
    assert bench.check(BOX).verdict is Verdict.PASSED
    (bench.log.parents[1] / "sup.log").write_text("")
    found = bench.check(BOX)
    assert (found.verdict, "cut or written anew" in found.evidence) == (Verdict.UNKNOWN, True)


def test_a_service_that_says_that_it_started_is_no_supervisor(bench: Bench) -> None:
    printed(bench, "Started the server\n")
    bench.tail.read()
    bench.since = now()
    printed(bench, "Traceback (most recent call last):\nKeyError: 'gone'\n")
    bench.processes_began = {"host-1": now() + 5}
    assert bench.check(BOX).verdict is Verdict.FAILED


def test_what_nobody_calls_an_error_is_none_in_what_is_printed(bench: Bench) -> None:
    printed(bench, "INFO: Started server process [7]\nlistening on 0.0.0.0:8000\n")
    found = bench.check(BOX)
    assert found.verdict is Verdict.PASSED
    assert [one.lines for one in bench.tail.logs[OUTPUT].readings.values()] == [2, 0]


def test_files_that_were_never_there_are_no_trouble_and_one_that_cannot_be_read_is(
    bench: Bench,
) -> None:
    assert bench.check(BOX).verdict is Verdict.PASSED
    (bench.log.parents[1] / "service.err").mkdir()
    found = bench.check(BOX)
    assert (found.verdict, "no regular file" in found.evidence) == (Verdict.UNKNOWN, True)


def test_what_is_declared_harmless_is_told_apart(bench: Bench) -> None:
    bench.stage.interface = Interface(log_harmless="known to be gone")
    bench.write(line("this is known to be gone", "ERROR"))
    assert bench.check(BOX).verdict is Verdict.PASSED
    bench.write(line("this is gone", "ERROR"))
    assert bench.check(BOX).verdict is Verdict.FAILED


def test_the_journal_is_read_when_somebody_wants_to_know(bench: Bench) -> None:
    journal = bench.log.parents[1] / "journal"
    journal.write_text("x.service: Main process exited, code=killed, status=9/KILL\n")
    stamped = datetime.fromtimestamp(now() + 1, UTC).isoformat()
    bench.stage.interface = Interface(journal=f'test "${{SINCE%.*}}" -gt 0; cat {journal}')
    bench.since = now()  # what was there before bears no time, and counts for none
    bench.write(line())
    assert bench.check(BOX).verdict is Verdict.PASSED
    with journal.open("a") as file:
        file.write(f"{stamped} python[7]: Traceback (most recent call last):\n")
    bench.write(line())
    assert bench.check(BOX).verdict is Verdict.FAILED
    bench.stage.interface = Interface(journal="exit 3")
    bench.since = now()
    bench.write(line())
    assert bench.check(BOX).verdict is Verdict.UNKNOWN


def test_lines_that_bear_another_time_fail_and_their_errors_count(bench: Bench) -> None:
    bench.tail.read()
    bench.write(line(at=now() - 3600) * 5)
    found = bench.check(BOX)
    assert (found.verdict, "3600 s before their own" in found.evidence) == (Verdict.FAILED, True)
    bench.write(line("hidden", "ERROR", at=now() - 3600))
    assert "hidden" in bench.check(BOX).evidence


def test_a_log_that_spoke_of_requests_and_does_not_any_more_fails(bench: Bench) -> None:
    # For four seconds it was silent, but for a line at their begin.
    bench.since = now() - 4
    bench.log.write_text("".join(line(at=now() - 34 + n / 20) for n in range(601)))
    bench.rate = 50.0
    found = bench.check(BOX)
    assert (found.verdict, "and none of" in found.evidence) == (Verdict.FAILED, True)
    bench.stage.interface = Interface(quiet_log=True)
    assert bench.check(BOX).verdict is Verdict.PASSED


def test_a_log_that_never_spoke_of_requests_may_be_silent(bench: Bench) -> None:
    bench.log.write_text(line(at=now() - 60))
    bench.rate = 50.0
    bench.since = now() - 4
    bench.write(line(at=now() - 4))
    assert bench.check(BOX).verdict is Verdict.PASSED


def test_a_secret_in_a_log_is_found_in_each_spelling(bench: Bench) -> None:
    bench.tail.read()
    assert bench.tail.leaked == {}
    bench.write(json.dumps({"level": "INFO", "message": "key the-key-of-all"}) + "\n")
    printed(bench, "dGhlLWtleS1vZi1hbG\n")
    bench.tail.read()
    assert set(bench.tail.leaked) == {
        f"the {APPLICATION} log of host-1",
        f"the {OUTPUT} log of host-1",
    }


def test_the_name_of_a_client_in_a_log_is_found(bench: Bench) -> None:
    bench.tail.read()
    assert bench.tail.named == {}
    bench.write(json.dumps({"level": "INFO", "message": "kept for José Núñez d-17"}) + "\n")
    bench.tail.read()
    assert set(bench.tail.named) == {f"the {APPLICATION} log of host-1"}
    assert bench.tail.leaked == {}


def test_what_more_lines_there_were_is_told_at_the_time_of_the_lines(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    written = now() - 30.0
    entries = [(APPLICATION, Entry(written + i, "host-1", "ERROR", f"{i}")) for i in range(8)]
    record_entries(timeline, entries)
    timeline.close()
    (*_, last) = read(tmp_path / "timeline.jsonl")
    assert last.what == LogLine(APPLICATION, "", "ERROR", "… and 3 more lines of this level")
    assert last.at == pytest.approx(written + 7, abs=0.1)
