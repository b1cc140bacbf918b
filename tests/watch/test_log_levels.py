"""Whatever way software has of saying that it broke, it is heard; what it refuses is told apart."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rollback_drill.ground.clock import now
from rollback_drill.watch.levels import ERRORS, WARNING, level_in, worst_level
from rollback_drill.watch.logs import Arrival, application_entry, database_entry, text_entry

BAD_RECORDS: tuple[dict[str, Any], ...] = (
    *({"level": name} for name in ("FATAL", "CRITICAL", "PANIC", "SEVERE", "EMERG", "Emergency")),
    *({"level": name} for name in ("alert", "error", "ERR", "crit", "dpanic", "E", "[ERROR]", "ERROR2")),
    *({key: "error"} for key in ("lvl", "severity", "log.level", "levelname", "severity_text", "@level")),
    *({key: "FATAL"} for key in ("Level", "LOGLEVEL", "log_level", "level_name", "errorSeverity")),
    {"log": {"level": "error"}},
    {"level": 50}, {"levelno": 40}, {"level": "40"}, {"level_value": 40000},
    {"level": 60, "pid": 1, "hostname": "h"}, {"level": 3, "short_message": "GELF"},
    {"PRIORITY": "3"}, {"priority": 2}, {"syslog.severity": 0}, {"severity": 500},
    {"severityNumber": 17}, {"SeverityNumber": 21, "level": "INFO"},
    {"level": "INFO", "levelno": 50}, {"level": "INFO", "severity": "CRITICAL"},
    {"level": "INFO", "exception": "Traceback (most recent call last):\n  File"},
    {"level": "INFO", "err": {"stack": "Error: x\n at y"}},
    {"level": "info", "msg": "panic: runtime error: index out of range"},
    {"level": "INFO", "message": "FATAL: cannot go on"},
    {"log": "[ERROR] cannot go on", "stream": "stderr"},
    {"level": "DEBUG", "message": "Task exception was never retrieved"},
    {"t": {"$date": "x"}, "s": "F", "c": "STORAGE", "msg": "no disk"},
)  # fmt: skip
GOOD_RECORDS: tuple[dict[str, Any], ...] = (
    {"level": "INFO", "message": "Request answered", "status": 500},
    {"level": "INFO", "message": "0 errors, no failure, nothing fatal"},
    {"level": "INFO", "message": "Request refused", "status": 422, "error": "invalid_request"},
    {"level": 30, "pid": 1, "hostname": "h"}, {"level": 20}, {"level": 6}, {"level": "info"},
    {"severity": 200}, {"severityNumber": 9}, {"levelno": 20, "levelname": "INFO"},
    {"level": "INFO", "exception": None}, {"level": "INFO", "exc_info": "None"},
    {"level": True}, {"level": None}, {"level": []}, {},
)  # fmt: skip
BAD_LINES = (
    "2026-11-27 05:00:00,123 ERROR app: cannot go on",
    "2026-11-27T05:00:00Z [CRITICAL] app: cannot go on",
    "FATAL: password authentication failed",
    "[emerg] 7#7: bind() failed",
    "[Fri Nov 27 05:00:00 2026] [core:error] [pid 7] AH00037: no",
    "time=2026-11-27T05:00:00Z level=error msg=gone",
    'ts=1 lvl=crit msg="gone"',
    "E1127 05:00:00.123456 7 main.go:3] gone",
    "<3>app[7]: gone",
    "\x1b[31mERROR\x1b[0m gone",
    "Traceback (most recent call last):",
    "KeyError: 'gone'",
    "panic: runtime error",
    "goroutine 1 [running]:",
    "Segmentation fault (core dumped)",
    "Exception in thread main java.lang.NullPointerException",
    "thread 'main' panicked at src/main.rs:3:5",
    "Unhandled rejection Error: gone",
    "app: error: cannot open the file",
    "SEVERE: Servlet.service() threw",
    "2026-11-27 05:00:00,123 WARN exited: hostaway-mcp (exit status 1; not expected)",
    "2026-11-27 05:00:00,123 WARN exited: x (terminated by SIGKILL; not expected)",
    "2026-11-27 05:00:00,123 INFO gave up: x entered FATAL state, too many start retries too quickly",
    "x.service: Main process exited, code=killed, status=9/KILL",
    "x.service: Main process exited, code=exited, status=1/FAILURE",
    "x.service: Start request repeated too quickly.",
    "api-1 exited with code 137",
    "Out of memory: Killed process 7 (python)",
)
GOOD_LINES = (
    "2026-11-27 05:00:00,123 INFO success: hostaway-mcp entered RUNNING state, process has stayed up",
    "2026-11-27 05:00:00,123 INFO stopped: hostaway-mcp (terminated by SIGTERM)",
    "2026-11-27 05:00:00,123 INFO exited: job (exit status 0; expected)",
    "2026-11-27 05:00:00,123 CRIT Supervisor is running as root.  Privileges were not dropped",
    "2026-11-27 05:00:00,123 CRIT Server 'unix_http_server' running without any HTTP authentication",
    "x.service: Main process exited, code=exited, status=143/n/a",
    "x.service: Main process exited, code=killed, status=15/TERM",
    "api-1 exited with code 0",
    'INFO: 1.2.3.4:5 - "GET /errors HTTP/1.1" 404 Not Found',
    "no error at all, nothing fatal",
    "I1127 05:00:00.123456 7 main.go:3] errors: 0",
    "level=info msg=\"error rate is 0\"",
    "",
)  # fmt: skip


@pytest.mark.parametrize("record", BAD_RECORDS, ids=json.dumps)
def test_a_record_that_says_that_it_broke_is_heard(record: dict[str, Any]) -> None:
    assert worst_level(record) in ERRORS


@pytest.mark.parametrize("record", GOOD_RECORDS, ids=json.dumps)
def test_a_record_of_what_goes_well_or_is_refused_is_no_error(record: dict[str, Any]) -> None:
    assert worst_level(record) not in ERRORS


@pytest.mark.parametrize("record", [
    {"level": "WARNING", "exception": "Traceback (most recent call last)"},
    {"level": "warn"}, {"level": 40, "v": 0}, {"level": 4}, {"severityNumber": 13},
])  # fmt: skip
def test_what_is_warned_of_is_a_warning(record: dict[str, Any]) -> None:
    assert worst_level(record) == WARNING


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_line_that_says_that_something_broke_is_heard(line: str) -> None:
    assert level_in(line) in ERRORS


@pytest.mark.parametrize("line", GOOD_LINES)
def test_a_line_of_what_goes_well_is_no_error(line: str) -> None:
    assert level_in(line) not in ERRORS


def stamp(ago_s: float, form: str = "%Y-%m-%dT%H:%M:%S.%f+00:00") -> str:
    return datetime.fromtimestamp(now() - ago_s, UTC).strftime(form)


def arrival() -> Arrival:
    return Arrival(now() - 0.5, now())


@pytest.mark.parametrize("ago_s", [3600.0, 90.0, -30.0, -7200.0])
def test_a_line_with_a_time_that_cannot_be_its_own_counts_for_when_it_came(ago_s: float) -> None:
    came = arrival()
    line = json.dumps({"time": stamp(ago_s), "level": "FATAL", "message": "gone"})
    entry = application_entry(line, "host-1", "", came)
    assert came.since <= entry.at <= came.until
    assert entry.astray_s == pytest.approx(-ago_s, abs=2.0)


@pytest.mark.parametrize("ago_s", [0.1, 20.0, -2.0])
def test_a_line_that_is_written_with_some_delay_is_not_astray(ago_s: float) -> None:
    line = json.dumps({"time": stamp(ago_s), "level": "INFO", "message": "here"})
    assert application_entry(line, "host-1", "", arrival()).astray_s == 0.0


def test_the_clock_of_the_host_is_not_the_lines_fault() -> None:
    came = Arrival(now() - 0.5, now(), skew_s=3600.0)
    line = json.dumps({"time": stamp(-3600.0), "level": "INFO", "message": "here"})
    entry = application_entry(line, "host-1", "", came)
    assert entry.astray_s == 0.0
    assert entry.at == pytest.approx(now(), abs=2.0)


@pytest.mark.parametrize("hours", [0, 1, 5.5, -8])
def test_a_time_without_a_zone_is_that_of_some_zone(hours: float) -> None:
    line = f"{stamp(-3600 * hours, '%Y-%m-%d %H:%M:%S')},123 ERROR gone"
    entry = text_entry(line, "host-1", arrival())
    assert (entry.level, entry.astray_s) == ("ERROR", 0.0)
    assert entry.at == pytest.approx(now(), abs=3.0)


def test_numbers_of_seconds_are_times_in_whatever_unit() -> None:
    for unit in (1, 1e3, 1e6, 1e9):
        record = {"ts": (now() - 3600) * unit, "level": "info", "msg": "here"}
        entry = application_entry(json.dumps(record), "host-1", "", arrival())
        assert entry.astray_s == pytest.approx(-3600, abs=2.0)


def test_a_log_of_text_has_no_json_and_one_of_json_no_text() -> None:
    assert application_entry("just words", "h").level == "ERROR"
    assert application_entry("just words", "h", text=True).level == "INFO"
    assert application_entry("just words", "h", error="gone").level == "INFO"
    assert application_entry("FATAL gone", "h", error="no such").level == "FATAL"


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("2026-11-27 05:00:00.123 UTC [7] PANIC:  could not write", "PANIC"),
        ("2026-11-27 05:00:00.123 UTC [7] FEHLER:  Relation gibt es nicht", "ERROR"),
        ('2026-11-27 05:00:00.123 UTC,"u","d",7,,,,,,,,ERROR,42P01,"relation is gone"', "ERROR"),
        ('{"timestamp":"x","error_severity":"FATAL","message":"gone"}', "FATAL"),
        ("… LOG:  server process (PID 7) was terminated by signal 9: Killed", "ERROR"),
        ("… LOG:  database system was not properly shut down; recovery in progress", "ERROR"),
    ],
)
def test_a_database_is_heard_in_each_of_its_forms(line: str, level: str) -> None:
    _, entry = database_entry(line)
    assert entry
    assert entry.level == level


def test_what_a_database_says_all_day_is_no_error() -> None:
    said = "2026-11-27 05:00:00.123 UTC [7] LOG:  checkpoint complete: wrote 3 buffers, 0 errors"
    assert database_entry(said)[1] is None
