"""A log that was not read to its end, or tells nothing of the time in question, has no "no errors"."""

from __future__ import annotations

import json
import os
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError
from rollback_drill.ground.finding import Finding
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.watch import log_reader
from rollback_drill.watch.logs import APPLICATION, DATABASE, MOST_ERRORS, Entry, Log
from tests.watch.log_support import Bench, line


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(log_reader, "_UNENDED_S", 0.3)
    monkeypatch.setattr(log_reader, "_ARRIVES_S", 0.5)
    return Bench(tmp_path)


def unknown(found: Finding, said: str) -> None:
    assert (found.verdict, said in found.evidence) == (Verdict.UNKNOWN, True), found


def test_a_log_that_was_read_to_its_end_passes_and_an_error_in_it_fails(bench: Bench) -> None:
    bench.write(line("old", "ERROR", now() - 60) + line())
    assert bench.check().verdict is Verdict.PASSED
    bench.write(line("broken", "ERROR"))
    found = bench.check()
    assert found.verdict is Verdict.FAILED
    assert "broken" in found.evidence
    assert bench.read == 3


def deleted(bench: Bench) -> None:
    bench.log.unlink()


def directory(bench: Bench) -> None:
    bench.log.unlink()
    bench.log.mkdir()


def fifo(bench: Bench) -> None:
    bench.log.unlink()
    os.mkfifo(bench.log)


def unreachable(bench: Bench) -> None:
    def refused(*_: object, **__: object) -> None:
        raise StageError("host-1", "ssh: connect to host: Connection refused", "see the host")

    bench.host.run = refused


def without_tools(bench: Bench) -> None:
    bench.host.environment["PATH"] = "/nowhere"


def emptied(bench: Bench) -> None:
    bench.log.write_text("")


def written_anew(bench: Bench) -> None:
    bench.log.write_text(line() * 500)


def replaced(bench: Bench) -> None:
    bench.log.unlink()
    (bench.log.parent / "other").write_text("keeps the inode")
    bench.log.write_text(line())


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (deleted, "there is no "),
        (directory, "is no regular file"),
        (fifo, "is no regular file"),
        (unreachable, "Connection refused"),
        (without_tools, "could not be read"),
        (emptied, "cut or written anew"),
        (written_anew, "cut or written anew"),
        (replaced, "not to be found"),
    ],
)
def test_a_log_that_cannot_be_read_to_its_end_is_unknown_with_the_reason(
    bench: Bench, plant: Callable[[Bench], None], said: str
) -> None:
    bench.write(line() * 3)
    assert bench.check().verdict is Verdict.PASSED
    plant(bench)
    unknown(bench.check(), said)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to root")
def test_a_log_that_may_not_be_read_is_unknown(bench: Bench) -> None:
    bench.write(line())
    bench.log.chmod(0)
    real = bench.host.run
    drop = "setpriv --reuid=65534 --regid=65534 --clear-groups bash -c "
    import shlex

    bench.host.run = lambda script, **how: real(drop + shlex.quote(script), **how)
    for folder in (bench.log.parent, *bench.log.parents):
        if str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    unknown(bench.check(), "may not be read by nobody")


def test_a_log_with_nothing_since_the_restart_is_unknown(bench: Bench) -> None:
    bench.write(line(at=now() - 60))
    unknown(bench.check(), " s to be judged")


def test_a_stage_that_names_no_log_is_unknown(bench: Bench) -> None:
    bench.stage.environment = {}
    unknown(bench.check(), "LOG_FILE")


def test_a_rotated_log_is_read_to_its_end_and_then_the_new_one(bench: Bench) -> None:
    bench.write(line())
    bench.tail.read()
    bench.write(line("last words", "ERROR"))
    bench.log.rename(bench.log.with_suffix(".1"))
    bench.write(line())
    found = bench.check()
    assert (found.verdict, "last words" in found.evidence) == (Verdict.FAILED, True)


def test_what_was_missed_long_before_the_restart_does_not_matter(bench: Bench) -> None:
    bench.write(line() * 3)
    bench.tail.read()
    emptied(bench)
    bench.tail.read()
    bench.since = now()
    bench.write(line())
    assert bench.check().verdict is Verdict.PASSED


@pytest.mark.parametrize(
    "text",
    [
        "[" * 1000,
        "[" * 100_000,
        '{"time": ' + "[" * 5000,
        "9" * 5000,
        "Traceback (most recent call last):",
        "{}",
        "\x00\x01\x02",
        "x" * 5_000_000,
    ],
)
def test_a_line_that_no_logger_wrote_is_an_error_and_breaks_nothing(
    bench: Bench, text: str
) -> None:
    bench.write(line() + text + "\n" + line())
    assert bench.check().verdict is Verdict.FAILED
    assert bench.read == 3


def test_bytes_that_are_no_text_are_read_as_a_line(bench: Bench) -> None:
    bench.write(line().encode() + bytes(range(128, 256)) + b"\n")
    assert bench.check().verdict is Verdict.FAILED


def test_a_lone_surrogate_and_depth_in_a_message_are_only_text(bench: Bench) -> None:
    told = json.loads(line())
    bench.write(json.dumps({**told, "level": "WARNING", "message": "\ud800", "x": [[[1]]]}) + "\n")
    assert bench.check().verdict is Verdict.PASSED


def test_a_line_that_is_being_written_is_not_torn(bench: Bench) -> None:
    whole = line("slow writer")
    bench.write(line() + whole[:30])
    bench.tail.read()
    assert bench.read == 1
    bench.write(whole[30:])
    assert bench.check().verdict is Verdict.PASSED
    assert bench.read == 2


def test_a_last_line_that_never_ends_counts(bench: Bench) -> None:
    bench.write(line() + "Segmentation fault")
    assert bench.check().verdict is Verdict.FAILED


def test_a_clock_that_is_ahead_does_not_make_old_errors_new(bench: Bench) -> None:
    bench.since = now() - 2
    ahead = "date() { echo $(( $(command date +%s) + 3600 )).0; }\n"
    real = bench.host.run
    bench.host.run = lambda script, **how: real(ahead + script, **how)
    bench.write(line("before the restart", "ERROR", now() + 3600 - 30) + line(at=now() + 3600))
    assert bench.check().verdict is Verdict.PASSED
    assert bench.tail.logs[APPLICATION].reading("host-1").skew_s == pytest.approx(3600, abs=3)


# Storms.


def test_a_storm_is_read_whole_with_little_memory(bench: Bench) -> None:
    piece = (line("x" * 900, "WARNING") * 400).encode()  # 400 kB
    over = threading.Event()
    written = [0]

    def storm() -> None:
        while not over.wait(0.1):  # 4 MB/s
            bench.write(piece)
            written[0] += 400

    thread = threading.Thread(target=storm)
    tracemalloc.start()
    thread.start()
    try:
        for waited in wait_until("two seconds of storm", 60, every_s=0.5):
            bench.tail.read()
            if waited > 2:
                break
        over.set()
        thread.join()
        for _ in wait_until("the reader to catch up", 60):
            bench.tail.read()
            if bench.read == written[0]:
                break
        assert bench.check().verdict is Verdict.PASSED
        _, peak = tracemalloc.get_traced_memory()
    finally:
        over.set()
        tracemalloc.stop()
    assert bench.read == written[0]
    assert peak < 60 * 2**20


def test_a_reader_that_fell_behind_is_unknown_and_says_by_how_much(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reader, "_CATCH_UP_S", 0.0)
    bench.write(line() * 50_000)
    unknown(bench.check(), "MB behind the log")


def test_a_million_errors_are_counted_as_many_and_not_kept() -> None:
    log = Log()
    for number in range(1_000_000):
        log.add(Entry(float(number), "host-1", "ERROR", "broken"))
    assert len(log.errors) == MOST_ERRORS
    assert log.forgotten_at == 1_000_000 - MOST_ERRORS - 1


def test_errors_that_were_forgotten_do_not_pass(bench: Bench) -> None:
    bench.postgres.text += "x\n"
    log = bench.tail.logs[DATABASE]
    for _ in range(MOST_ERRORS + 1):
        log.add(Entry(now(), "database", "ERROR", "due to lock timeout"))
    unknown(bench.check("No migration errors in logs"), "more errors")


# The database's log.

DATABASE_BOX = "Database logs show no errors"


def test_a_database_that_logs_what_it_is_asked_to_passes_and_an_error_fails(bench: Bench) -> None:
    assert bench.check(DATABASE_BOX).verdict is Verdict.PASSED
    bench.postgres.text += f"{bench.postgres.stamp()} UTC [3] ERROR:  relation is gone\n"
    assert bench.check(DATABASE_BOX).verdict is Verdict.FAILED


def test_a_database_log_that_is_another_servers_is_unknown(bench: Bench) -> None:
    bench.postgres.logs = False
    unknown(bench.check(DATABASE_BOX), "none within")


def test_a_database_log_that_cannot_be_read_is_unknown(bench: Bench) -> None:
    def refused() -> str:
        raise StageError("its log", "docker: no such container", "")

    bench.postgres.log = refused  # type: ignore[method-assign]
    unknown(bench.check(DATABASE_BOX), "no such container")


def test_a_database_log_of_a_constant_length_is_read_on(bench: Bench) -> None:
    real = bench.postgres.log
    bench.postgres.text += "2026-11-26 10:00:00.000 UTC [1] LOG:  quiet\n" * 100
    bench.postgres.log = lambda: "".join(real().splitlines(keepends=True)[-50:])  # type: ignore[method-assign]
    bench.tail.read()
    bench.postgres.text += f"{bench.postgres.stamp()} UTC [3] ERROR:  unseen\n"
    assert bench.check(DATABASE_BOX).verdict is Verdict.FAILED


def test_a_database_whose_clock_is_behind_does_not_hide_its_errors(bench: Bench) -> None:
    bench.postgres.clock_s = -3600
    bench.postgres.text += f"{bench.postgres.stamp()} UTC [3] ERROR:  late\n"
    assert bench.check(DATABASE_BOX).verdict is Verdict.FAILED


def test_reading_takes_no_longer_than_it_may(bench: Bench) -> None:
    bench.write(line() * 1000)
    began = time.monotonic()
    bench.tail.read()
    assert time.monotonic() - began < 30
