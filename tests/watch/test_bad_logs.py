"""Whatever stands in a log or on a page of metrics: it is read, or refused in our words."""

from __future__ import annotations

import json
import math
from contextlib import suppress

from hypothesis import strategies as st

from rollback_drill.record.timeline import Event, to_line
from rollback_drill.stage.answers import BadAnswer
from rollback_drill.subject.subject import own
from rollback_drill.watch.levels import ERRORS
from rollback_drill.watch.logs import (
    NOTEWORTHY,
    Arrival,
    application_entry,
    database_entry,
    text_entry,
)
from rollback_drill.watch.metrics.page import measured
from rollback_drill.watch.told import LogLine
from steps.fix_examples import Examples
from tests.ground.damage_support import damaged

LINES = (
    '{"time": "2026-01-01T00:00:00Z", "level": "INFO", "message": "x", "log": {"level": 30}}',
    '{"level": 50, "msg": "x", "time": 1690000000000, "pid": 1, "hostname": "h", "v": 0}',
    '{"severity_number": 17, "body": "x", "ts": 1.7e9}',
    "2026-01-01 00:00:00,123 ERROR x",
    "<11>Jan 1 00:00:00 host app: x",
    "E0101 00:00:00.0 x",
    "2026-01-01 00:00:00.1 UTC [1] FATAL:  x",
    "level=error ts=2026-01-01T00:00:00Z msg=x",
)
KEYS = (
    *("level", "lvl", "severity", "severity_number", "priority", "time", "ts", "t", "message", "msg"),
    *("log", "exception", "stack", "s", "v", "pid", "levelno", "extra", "syslog"),
)  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.integers(-9, 60_000), st.text(max_size=8),
    st.sampled_from(("error", "FATAL", "9" * 5000, "\ud800", "2026-13-45T99:99:99Z", "0001-01-01T00:00:00+14:00")),
)  # fmt: skip
RECORDS = st.recursive(
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6),
    lambda inner: st.dictionaries(st.sampled_from(KEYS), VALUES | inner, max_size=4),
    max_leaves=4,
)
WRITTEN = st.one_of(
    RECORDS.map(json.dumps),
    st.sampled_from(LINES).flatmap(damaged).map(lambda raw: raw.decode("utf-8", "replace")),
    st.text(max_size=60),
    st.sampled_from(("{" * 5000, '{"a":' * 5000, '{"level": ' + "9" * 5000 + "}")),
)
ARRIVALS = st.sampled_from((Arrival(), Arrival(1.7e9, 1.8e9, 0.5, 1.75e9)))


def test_no_line_breaks_who_reads_logs(examples: Examples) -> None:
    def read(example: tuple[str, Arrival]) -> None:
        line, arrival = example
        entries = [
            application_entry(line, "host-1", "", arrival),
            application_entry(line, "host-1", "fail(ed|ure)", arrival),
            application_entry(line, "host-1", "", arrival, text=True),
            text_entry(line, "host-1", arrival),
            database_entry(line, arrival)[1],
        ]
        for one in entries:
            if one is not None:
                assert one.level in NOTEWORTHY or one.level == "INFO"
                to_line(Event(one.at, LogLine("application", one.host, one.level, one.text)))

    examples.hold(150, st.tuples(WRITTEN, ARRIVALS), read)


BROKEN = (
    '{"level": "ERROR", "message": "x"}', '{"level": 50, "msg": "x"}', "ERROR: x", "panic: x",
    "Traceback (most recent call last):", '{"severity": "CRITICAL", "message": "x"}',
)  # fmt: skip


def test_what_broke_is_told_whatever_stands_behind_it(examples: Examples) -> None:
    """A line that says that something broke, however long and strange the rest of it is."""

    def read(example: tuple[str, str]) -> None:
        begin, rest = example
        text = begin.replace('"x"', json.dumps(f"x{rest}")) if '"x"' in begin else f"{begin} {rest}"
        assert application_entry(text, "host-1").level in ERRORS

    rest = st.text(st.characters(codec="utf-8"), max_size=80) | st.just("y" * 9000)
    examples.hold(60, st.tuples(st.sampled_from(BROKEN), rest), read)


NAMES = own()[0].metrics
PAGE = (
    f"# TYPE {NAMES.requests} counter\n"
    f'{NAMES.requests}{{method="GET",path="/x",status="200"}} 12\n'
    f'{NAMES.requests}{{method="GET",path="/health",status="500"}} 2\n'
    f"# TYPE {NAMES.seconds} histogram\n"
    + "".join(
        f'{NAMES.seconds}_bucket{{path="/x",le="{edge}"}} {count}\n'
        for edge, count in (("0.1", 3), ("0.5", 10), ("+Inf", 12))
    )
    + f'{NAMES.seconds}_count{{path="/x"}} 12\n{NAMES.seconds}_sum{{path="/x"}} 2.5\n'
    "process_start_time_seconds 1.7e9"
)
ODD = (
    f'{NAMES.requests}{{status="200"}} NaN', f'{NAMES.seconds}_bucket{{le="NaN"}} 3', "x 1e400",
    f'{NAMES.seconds}_bucket{{le="-Inf"}} 3', f"{NAMES.seconds}_sum -1", 'x{a="b\\"} 1', "x 1 2 3",
    "process_start_time_seconds NaN", "# EOF", f'{NAMES.requests}{{status="200"}} -1',
)  # fmt: skip


def test_no_page_of_metrics_breaks_who_reads_it(examples: Examples) -> None:
    def read(example: tuple[bytes, bool]) -> None:
        raw, strict = example
        with suppress(BadAnswer):
            seen = measured(raw.decode("utf-8", "replace"), NAMES, ("/health",), strict=strict)
            least, most = seen.since(seen).slower_than(0.5)
            assert seen.flaws or (math.isfinite(seen.count) and least <= most)

    examples.hold(60, st.tuples(damaged(PAGE, more=ODD), st.booleans()), read)
