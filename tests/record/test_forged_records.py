"""Records that are whole by their sums and untrue: shown without a traceback, and never passed when
something of what was seen is gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from rollback_drill.cli import main
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.record.book import Book
from rollback_drill.record.decoding import decode, load
from rollback_drill.record.timeline import Event, to_line
from rollback_drill.record.told import kinds
from rollback_drill.traffic.told import TrafficSecond
from steps.fix_examples import Examples
from tests.judge.kept_records import events_of
from tests.judge.record_support import counted

DOCUMENT = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
RECORDS = ("procedure-2", "no-rollback", "failed", "unknown")
# Of these nobody promised how many there are (see `test_promises.py`).
FREE = {
    *("CommandOutput", "LogLine", "Looked", "MessageHandled", "Noted", "NotSeen", "Walked"),
    *("MachineSample", "TriggerFired", "GeneratorSample", "ProbeSample"),
}
TEXTS = (
    *("", " ", "<script>alert(1)</script>", "]]>", "\x1b[31mred", "\u202eltr", "|", "`", "a" * 20_000),
    *("\0", "\ufffe", "é\n# heading", "[x](javascript:y)", "&amp;", "1", "auto", "none", "passed"),
)  # fmt: skip
NUMBERS = (0, 1, -1, 2, 7, 404, 1e-9, 0.5, 1e6, 1e9, 2**40, 2**62)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Event]]:
    folder = tmp_path_factory.mktemp("kept")
    return {name: events_of(name, folder) for name in RECORDS}


def other(value: object, choice: int) -> object:
    """Return another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return NUMBERS[choice % len(NUMBERS)]
    if isinstance(value, str):
        return TEXTS[choice % len(TEXTS)]
    if isinstance(value, list):
        return ([], value[:1], value * 2, value[::-1])[choice % 4]
    if isinstance(value, dict):
        return ({}, dict([*value.items()][:1]), {**value, "": next(iter(value.values()), 0)})[
            choice % 3
        ]
    return value


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if before:
        yield before
    inside = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for name in inside:
        yield from places(value[name], (*before, name))


def forged(event: Event, where: float, choice: int) -> Event:
    """Return `event` with another value at one place, or as it is where that is refused."""
    raw = json.loads(to_line(event))
    for name in ("at", "kind", "time", "sum"):
        raw.pop(name, None)
    found = [*places(raw)]
    if not found:
        return event
    place = found[int(where * len(found))]
    inner = raw
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = other(inner[place[-1]], choice)
    with suppress(ValueError):
        return Event(event.at, decode(kinds()[type(event.what).__name__], load(json.dumps(raw))))
    return event


SPANS = st.lists(
    st.tuples(st.sampled_from(("drop", "double", "move")), st.floats(0, 1), st.integers(1, 40), st.floats(0, 1)),
    min_size=1, max_size=3,
)  # fmt: skip


def moved(events: list[Event], spans: list[tuple[str, float, int, float]]) -> list[Event]:
    """Return the events without some, with some twice, or with some elsewhere; the end stays."""
    *found, end = events
    for kind, place, length, target in spans:
        at = int(place * len(found))
        span = found[at : at + length]
        if kind != "double":
            del found[at : at + length]
        if kind != "drop":
            there = int(target * len(found))
            found[there:there] = span
    return [*found, end]


@pytest.mark.parametrize("name", RECORDS[:2])
def test_no_stretch_of_a_record_goes_unseen(
    examples: Examples, records: dict[str, list[Event]], name: str
) -> None:
    whole = records[name]
    seconds = [e.what.second for e in whole if isinstance(e.what, TrafficSecond)]
    edges = (min(seconds), max(seconds))  # before the steady state nobody needs clients, nor after

    def bears(event: Event) -> bool:
        if isinstance(event.what, TrafficSecond):
            return event.what.second not in edges
        return type(event.what).__name__ not in FREE

    def lose(spans: list[tuple[str, float, int, float]]) -> None:
        left = moved(whole, [("drop", *span[1:]) for span in spans])
        there = {id(event) for event in left}
        gone = [event for event in whole if id(event) not in there and bears(event)]
        if gone:
            verdict = judge(Book(counted(left))).verdict
            assert verdict is not Verdict.PASSED, gone[:5]

    examples.hold(12, SPANS, lose)


FORGERIES = st.tuples(
    st.sampled_from(RECORDS),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 99)), min_size=1, max_size=12),
    st.just([]) | SPANS,
)  # fmt: skip


def test_no_forged_record_ends_in_a_traceback(
    examples: Examples, records: dict[str, list[Event]], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    timeline = tmp_path / "timeline.jsonl"
    commands = (
        ["report", "--from", str(timeline), "--report", str(tmp_path / "report")],
        ["decide", "--runbook", str(DOCUMENT), "--from", str(timeline)],
    )

    def show(example: tuple[str, list[tuple[float, float, int]], list[Any]]) -> None:
        name, changes, spans = example
        events = [*records[name]]
        firsts = {type(event.what).__name__: at for at, event in enumerate(events)}
        rare = sorted(firsts.values())  # most events are of a few kinds
        for place, where, choice in changes:
            at = rare[min(int(place * len(rare)), len(rare) - 1)]
            events[at] = forged(events[at], min(where, 0.999), choice)
        events = counted(moved(events, spans) if spans else events)
        timeline.write_text("".join(f"{to_line(event)}\n" for event in events), encoding="utf-8")
        for command in commands:
            assert main(command) in (0, 1, 2, 3)
        capsys.readouterr()

    examples.hold(8, FORGERIES, show)
