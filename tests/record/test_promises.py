"""A record without the thing is no record of the thing: what is removed, cut off or changed in the
record of a drill that passed never passes.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollback_drill.data.told import DamageSeen, DataSeen, PathRead
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.told import (
    Authorized,
    Checked,
    CommandEnded,
    CommandOutput,
    CommandStarted,
    ProcedureChosen,
    StepEnded,
    StepStarted,
)
from rollback_drill.record.book import Book
from rollback_drill.record.decoding import decode, load
from rollback_drill.record.timeline import Event, read, to_line
from rollback_drill.record.told import Noted, PhaseName, PhaseStarted, UnixTime, kinds
from rollback_drill.subject.hostaway.told import CursorShown
from rollback_drill.traffic.told import TrafficSecond
from tests.judge.kept_records import events_of, kept
from tests.judge.record_support import counted

RECORDS = ("procedure-2", "no-rollback")

# Of these the drill's own count knows whether one is missing, and nothing else does, for they bear
# on no verdict by themselves:
TOLD = {
    "CommandOutput": "what a command said; that it ran and how it ended are events of their own",
    "LogLine": "samples of the log; checks read the log itself",
    "Looked": "evidence of the decision, which is judged by what it led to",
    "MessageHandled": "a message fails a drill by being refused, and is promised by no runbook",
    "Noted": "a remark for the reader",
    "NotSeen": "that somebody could not look; what he looks at is missing then, too",
    "Walked": "what customers met, told in the report",
    "MachineSample": "how busy the machine was, told beside what was too slow",
    "TriggerFired": "the one that the decision rests on is demanded, others are told",
}
# One is as good as the next; that nobody is silent for long is judged.
STEADY = {"GeneratorSample", "ProbeSample"}


@cache
def record(name: str) -> tuple[Event, ...]:
    with TemporaryDirectory() as folder:
        return tuple(events_of(name, Path(folder)))


def kind(event: Event) -> str:
    return type(event.what).__name__


@pytest.mark.parametrize("name", RECORDS)
def test_the_records_themselves_pass(name: str) -> None:
    judgement = judge(Book(record(name)))
    assert judgement.verdict is Verdict.PASSED, judgement.causes


@pytest.mark.parametrize("name", RECORDS)
def test_no_record_without_a_kind_of_event_passes_even_if_the_count_is_corrected(name: str) -> None:
    whole = record(name)
    missed = {
        one
        for one in {kind(event) for event in whole}
        if judge(Book(counted([e for e in whole if kind(e) != one]))).verdict is Verdict.PASSED
    }
    assert missed <= TOLD.keys()


@pytest.mark.parametrize("name", RECORDS)
def test_no_record_without_an_event_passes(name: str) -> None:
    whole = list(record(name))
    some: Counter[str] = Counter()
    missed = set()
    for place, event in enumerate(whole):
        some[kind(event)] += 1
        rest = [*whole[:place], *whole[place + 1 :]]
        if some[kind(event)] <= 12:
            assert judge(Book(rest)).verdict is not Verdict.PASSED, kind(event)
        if kind(event) in TOLD or kind(event) in STEADY or some[kind(event)] > 12:
            continue
        if judge(Book(counted(rest))).verdict is Verdict.PASSED:
            missed.add((kind(event), getattr(event.what, "second", None)))
    seconds = [e.what.second for e in whole if isinstance(e.what, TrafficSecond)]
    # Before the steady state and after the last look nobody needs clients.
    assert missed <= {("TrafficSecond", min(seconds)), ("TrafficSecond", max(seconds))}


def test_silence_of_any_observer_is_unknown_even_if_the_count_is_corrected() -> None:
    whole = list(record("procedure-2"))
    middle = (whole[0].at + whole[-1].at) / 2
    for one, silent_s in (("GeneratorSample", 4.0), ("ProbeSample", 12.0), ("TrafficSecond", 1.5)):
        rest = [e for e in whole if kind(e) != one or abs(e.at - middle) > silent_s]
        assert len(rest) < len(whole)
        assert judge(Book(counted(rest))).verdict is Verdict.UNKNOWN, one


@pytest.mark.parametrize("name", RECORDS)
def test_no_beginning_of_a_record_passes(name: str) -> None:
    whole = record(name)
    passing = [n for n in range(len(whole)) if judge(Book(whole[:n])).verdict is Verdict.PASSED]
    assert passing == []


@pytest.mark.parametrize("name", RECORDS)
def test_no_record_passes_with_an_event_twice_or_two_that_changed_places(name: str) -> None:
    whole = list(record(name))
    for place, event in enumerate(whole[:-1]):
        if kind(event) in TOLD or kind(event) in STEADY or event.what == AFTERWARDS:
            continue
        twice = counted([*whole[: place + 1], event, *whole[place + 1 :]])
        assert judge(Book(twice)).verdict is not Verdict.PASSED or kind(event) in REPEATED, kind(
            event
        )
    after = [*whole, Event(whole[-1].at, Noted("one more thing"))]
    assert judge(Book(after)).verdict is Verdict.UNKNOWN
    for one in range(1, len(whole) // 7):
        place = 7 * one
        swapped = [*whole]
        swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
        both = {kind(swapped[place]), kind(swapped[place + 1])}
        if both & (TOLD.keys() | STEADY | BACKDATED) or kind(event) == "TrafficSecond":
            continue
        near = abs(swapped[place].at - swapped[place + 1].at) <= 1e-3
        assert near or judge(Book(swapped)).verdict is not Verdict.PASSED, both


# Said once or twice, it is the same.
REPEATED = {
    "RunbookRead",
    "TriggersRead",
    "TemplatesRead",
    "FollowUp",
    "FaultHealed",
    "LeftAs",
    "DamageSeen",
    "Authorized",
    "HealAttested",
}
AFTERWARDS = PhaseStarted(PhaseName.AFTERWARDS)  # once for each closing checklist
BACKDATED = {"FaultInjected", "TriggerFired", "LogLine"}


@pytest.mark.parametrize("name", RECORDS)
def test_two_verdicts_on_one_box_never_pass_and_the_worse_one_counts(name: str) -> None:
    whole = list(record(name))
    checkboxes = [n for n, event in enumerate(whole) if kind(event) == "Checked"]
    for place in checkboxes[::5]:
        event = whole[place]
        assert isinstance(event.what, Checked)
        for verdict in Verdict:
            other = Event(event.at, dataclasses.replace(event.what, verdict=verdict))
            both = counted([*whole[:place], other, *whole[place:]])
            failed = verdict in (Verdict.FAILED, Verdict.UNCOVERED)
            expected = Verdict.FAILED if failed else Verdict.UNKNOWN
            assert judge(Book(both)).verdict is expected


def test_a_drill_without_any_step_is_unknown() -> None:
    part = (
        StepStarted,
        StepEnded,
        Checked,
        CommandStarted,
        CommandOutput,
        CommandEnded,
        ProcedureChosen,
        PathRead,
        DataSeen,
        DamageSeen,
        CursorShown,
        Authorized,
    )
    rest = counted([e for e in record("procedure-2") if not isinstance(e.what, part)])
    judgement = judge(Book(rest))
    assert judgement.verdict is Verdict.UNKNOWN
    assert "Procedure 2: that it was performed is not on record" in map(str, judgement.causes)


def test_what_is_missing_is_named() -> None:
    whole = record("procedure-2")
    boxes = [e for e in whole if isinstance(e.what, Checked)]
    box = boxes[len(boxes) // 2].what
    assert isinstance(box, Checked)
    told = judge(Book(counted([e for e in whole if e.what is not box]))).reason
    assert f"“{box.item}” (line {box.line}) was not verified" in told
    fourth = [e for e in whole if getattr(e.what, "number", 0) != 4]
    assert "step 4 “Revert the migrations” was not performed" in judge(Book(counted(fourth))).reason


# What a value may be changed to without a change of the verdict, and why. `*` is any field.
FREE = {
    "LogLine.*": TOLD["LogLine"],
    "Looked.*": TOLD["Looked"],
    "Noted.*": TOLD["Noted"],
    "Walked.*": TOLD["Walked"],
    "CommandOutput.*": TOLD["CommandOutput"],
    "MachineSample.*": TOLD["MachineSample"],
    "TemplatesRead.*": "what the post-mortem is made of",
    "FollowUp.*": "what people have to do",
    "ProbeSample.*": "drawn in the report; what is judged of it, checks and triggers said",
    "StageUp.*": "by what a drill that was killed is found again",
    "DrillStarted.at": "a drill may take as long as it takes",
    "DrillStarted.hosts": "names",
    "DrillStarted.stage": "a name",
    "DrillStarted.stage_reason": "free text",
    "DrillStarted.failing": "a name; what ran is seen by checks",
    "DrillStarted.stable": "the same",
    "DrillStarted.runbook_path": "a name",
    "DrillStarted.runbook_sha256": "a name",
    "DrillStarted.runbook_title": "a name",
    "DrillStarted.version": "a name; of another one no proof of the checks is told",
    "TriggersRead.watched": "names; what nobody watches for is judged",
    "TriggersRead.fault": "free text",
    "TriggerFired.*": "another trigger than the one that was acted on",
    "FaultInjected.how": "free text",
    "FaultInjected.damages": "what it excuses; that nothing else is damaged is judged",
    "FaultAttested.symptom": "free text",
    "FaultAttested.evidence": "free text",
    "FaultAttested.since": "from when on it counts, told",
    "Decided.diagnosis": "the operator chose",
    "Decided.explanation": "free text",
    "Decided.answer": "free text",
    "Decided.attribution": "sentences",
    "Decided.evidence": "the same",
    "Decided.severity": "what followed from it is recorded as Authorized",
    "Decided.ours": "whether it is known or not, the fault called for a rollback",
    "Authorized.roles": "a name; that they may is judged",
    "Authorized.rule": "free text",
    "Authorized.severity": "a name",
    "ProcedureChosen.title": "a name",
    "ProcedureChosen.alternatives": "headings, told",
    "StepEnded.reason": "free text",
    "StepEnded.advice": "free text",
    "CommandStarted.host": "a name",
    "CommandStarted.alternative": "a name",
    "CommandStarted.script": "what was run, told",
    "CommandEnded.why": "free text",
    "Checked.check": "a name",
    "Checked.evidence": "free text",
    "Checked.proof": "whose time it was, which was counted while it passed",
    "MessageHandled.*": "free text and names; an outcome that fails is judged",
    "GeneratorSample.worker": "a name",
    "TrafficSecond.formats": "told; what clients must be served in, checks said",
    "TrafficSecond.unhappy": "told",
    "CursorShown.moment": "free text",
    "CursorShown.format": "told beside the answer, which is judged",
    "LedgerRead.periods": "told; their totals are judged",
    "DataSeen.tables": "hashes of what the procedure drops on purpose",
    "LeftAs.reads": "a service may have none; its front door and hosts were asked as well",
    "LeftAs.releases": "told",
    "LeftAs.undo": "free text",
    "LeftAs.stays": "who is told of it",
}
# Where nothing is rolled back, nothing rests on the trigger either.
CALM = {"Decided.trigger"}
OTHER: tuple[Any, ...] = (
    float("nan"),
    float("inf"),
    None,
    -1,
    -1.5,
    "",
    "x",
    [],
    {},
    True,
    10**30,
    1e300,
    [None],
    {"x": None},
)


def unsummed(event: Event) -> str:
    """Return the line of an event without its sum, by which any damage shows."""
    raw = json.loads(to_line(event))
    del raw["sum"]
    return json.dumps(raw)


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where values stand in an object: all of its fields, and what is first in each."""
    if before:
        yield before
    inside: list[Any] = []
    if isinstance(value, dict):
        inside = list(value) if not before else list(value)[:1]
    elif isinstance(value, list):
        inside = [0] if value else []
    for one in inside:
        yield from places(value[one], (*before, one))


def with_value(line: str, place: tuple[Any, ...], value: object) -> str:
    raw = inner = json.loads(line)
    for one in place[:-1]:
        inner = inner[one]
    inner[place[-1]] = value
    return json.dumps(raw)


def read_line(line: str) -> Event | None:
    """Return the event of a line, None where it is refused."""
    try:
        raw = load(line)
        name, at = raw.pop("kind"), raw.pop("at")
        raw.pop("time")
        return Event(decode(At, {"at": at}).at, decode(kinds()[name], raw))
    except ValueError:
        return None


@dataclasses.dataclass(frozen=True)
class At:
    at: UnixTime


@pytest.mark.parametrize("name", RECORDS)
def test_no_record_with_another_value_passes(name: str) -> None:
    whole = list(record(name))
    ends: dict[str, set[int]] = {}
    for number, event in enumerate(whole):
        ends[kind(event)] = {min(ends.get(kind(event), {number})), number}
    passing = set()
    for number in sorted(one for both in ends.values() for one in both):
        line = unsummed(whole[number])
        for place in places(json.loads(line)):
            field = f"{kind(whole[number])}.{place[0]}"
            if place[0] in ("kind", "time") or {field, f"{kind(whole[number])}.*"} & FREE.keys():
                continue
            if name == "no-rollback" and field in CALM:
                continue
            for value in OTHER:
                changed = read_line(with_value(line, place, value))
                if changed is None or changed == whole[number]:
                    continue
                others = [*whole[:number], changed, *whole[number + 1 :]]
                if judge(Book(others)).verdict is Verdict.PASSED:
                    passing.add((field, repr(value)))
    assert passing == set()


@pytest.mark.parametrize("name", RECORDS)
def test_each_other_value_is_refused_by_its_type_or_is_text(name: str) -> None:
    """Whatever a field bears on: a number that is none, or another type, is never read."""
    strange = (float("nan"), float("inf"), 10**30, 1e300, [None], {"x": None})
    seen = set()
    for event in record(name):
        if kind(event) in seen:
            continue
        seen.add(kind(event))
        line = unsummed(event)
        for place in places(json.loads(line)):
            if place[0] in ("kind", "time"):
                continue
            for value in strange:
                assert read_line(with_value(line, place, value)) is None, (kind(event), place)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_no_damage_of_bytes_passes(data: st.DataObject) -> None:
    raw = kept(RECORDS[0])
    place = data.draw(st.integers(0, len(raw) - 1))
    length = data.draw(st.integers(0, 3))
    damaged = raw[:place] + data.draw(st.binary(max_size=3)) + raw[place + length :]
    with TemporaryDirectory() as folder:
        path = Path(folder, "timeline.jsonl")
        path.write_bytes(damaged)
        try:
            left = tuple(read(path))
        except UsageError:
            return
    # White space between lines, perhaps.
    assert left == record(RECORDS[0]) or judge(Book(left)).verdict is not Verdict.PASSED


# Numbers of which nobody knows how large they may be.
ANY_NUMBER = {"Looked.numbers"}


def bare(hint: Any) -> Iterator[Any]:
    """Yield the number types in a hint that nothing narrows."""
    if hint in (int, float):
        yield hint
    elif get_origin(hint) is not Annotated:
        for inner in get_args(hint):
            yield from bare(inner)


def test_every_number_of_an_event_says_how_large_it_may_be() -> None:
    found = {
        f"{name}.{field}"
        for name, one in kinds().items()
        for field, hint in get_type_hints(one, include_extras=True).items()
        if any(bare(hint))
    }
    assert found <= ANY_NUMBER
