"""Asks the questions of a golden set again, and compares: with the set, and with the rows of the
database where the subject can read them.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rollback_drill.golden.comparison import MayDiffer, Unlike, unlike_golden, unlike_rows
from rollback_drill.golden.series import unlike_series
from rollback_drill.golden.told import GoldenAsked, GoldenUnlike
from rollback_drill.ground import clock
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.http import Client
from rollback_drill.stage.model import Stage
from rollback_drill.stage.questioning import ask_once, asker
from rollback_drill.subject.questions import (
    Asks,
    GoldenAnswer,
    GoldenQuestion,
    GoldenSet,
    KnowsRows,
    Tells,
)
from rollback_drill.subject.values import way_of

SOON_S = 3.0
"""For all questions; those that matter are asked even then."""
_LATEST_S = 30.0
_EARLY_S = 1.0
_FRONT = "front door"
_BROKEN = 500
_AT_FRONT = 80  # questions; hosts are asked all
_SET, _ROWS, _TIME = "the golden set", "the rows of the database", "how long it took before"
_ENOUGH, _TIMES, _MORE_S = 8, 3.0, 0.15  # when even the fastest of so many is slow
_TOLD = 20  # kinds of differences

Rows = Mapping[GoldenQuestion, tuple[int, object]]


@dataclass(frozen=True, slots=True)
class Again:
    """What to ask again. `golden`: None where only rows can tell; `why`: why, in words; `owed`:
    whether there had to be one. `tells`: of what answers must tell as before; `declared`: what may
    differ, in words, and `fields` of it; `ours`: whether a row was written by the drill, `written`:
    how many; `seed` draws questions where no set has them. `early`: what was asked before, of rows
    that were changed since.
    """

    golden: GoldenSet | None
    why: str
    owed: bool
    tells: frozenset[Tells]
    declared: tuple[str, ...]
    fields: frozenset[str]
    ours: Callable[[object], bool]
    written: int
    seed: int
    early: tuple[GoldenQuestion, ...] = ()


@dataclass(slots=True)
class _Asked:
    """What one place was asked. `missed`: questions for which there was no time."""

    host: str
    answers: list[tuple[int, GoldenAnswer | NoAnswer]] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)


def look_early(stage: Stage) -> tuple[GoldenQuestion, ...]:
    """Ask about the newest rows, which clients go on to change, of every host and the front door;
    return the questions. What is kept too long of an answer shows when they are asked again.
    """
    subject = stage.subject
    if not isinstance(subject, KnowsRows) or not stage.database or stage.limits:
        return ()
    questions = subject.newest(stage)
    until = clock.monotonic() + _EARLY_S

    def look(url: str) -> None:
        with asker(url) as client, contextlib.suppress(NoAnswer):
            for question in questions:
                if clock.monotonic() < until:
                    ask_once(client, stage, question)

    clock.at_once(look, [*stage.direct_urls.values(), stage.base_url])
    return questions


class Asking:
    """Asks all of `again` of every host of `stage`, and some of its front door."""

    def __init__(self, stage: Stage, again: Again) -> None:
        self._stage = stage
        self._again = again
        self._golden = again.golden
        subject = stage.subject
        self._rows = subject if isinstance(subject, KnowsRows) and stage.database else None
        self._numbers: dict[GoldenQuestion, int] = {}  # place in the golden set
        self._not_allowed = 0  # questions beyond the stage's limits
        self._alike: dict[GoldenQuestion, tuple[int, str | None, str]] = {}  # to their rows
        self._questions = self._to_ask()

    def run(self) -> tuple[GoldenAsked, tuple[GoldenUnlike, ...]]:
        """Ask, and return what came of it. Raises StageError, NoAnswer."""
        again, began = self._again, clock.monotonic()
        asked = self._ask(began)
        heard = {self._questions[place] for each in asked for place, _ in each.answers}
        rows = self._by_rows([one for one in self._questions if one in heard])
        unlike = [one for each in asked for one in self._differences(each, rows)]
        unlike += self._slow(asked)
        missed = [self._questions[place] for each in asked for place in each.missed]
        every = [self._questions[place] for each in asked for place, _ in each.answers]
        golden = self._golden
        told = GoldenAsked(
            source=golden.source if golden else "",
            why=again.why,
            owed=again.owed,
            release=golden.release if golden else "",
            recorded_at=golden.recorded_at if golden else 0.0,
            digest=golden.digest if golden else "",
            questions=len(self._questions),
            compared=sum(one in self._numbers for one in every),
            by_rows=sum(one in rows for one in every),
            unasked=len(missed) + self._not_allowed,
            edges=sum(one.edge for one in missed),
            places={each.host: len(each.answers) for each in asked},
            operations=dict(sorted(Counter(one.operation for one in every).items())),
            declared=again.declared,
            unsteady=golden.unsteady if golden else (),
            took_s=round(clock.monotonic() - began, 3),
        )
        return told, _grouped(unlike)

    def _to_ask(self) -> list[GoldenQuestion]:
        found: list[GoldenQuestion] = []
        tells, golden, subject = self._again.tells, self._golden, self._stage.subject
        if golden:
            for place, question in enumerate(golden.questions):
                # What breaks a service on a healthy day is nothing to ask for again.
                breaks = question.front and golden.answers[place].status >= _BROKEN
                if question.tells in tells and not breaks:
                    self._numbers.setdefault(question, place)
            found += self._numbers
        elif self._rows and isinstance(subject, Asks):
            found += subject.questions(self._stage, self._again.seed)
        if self._rows:
            found += (*self._again.early, *self._rows.newest(self._stage))
        found = [one for one in dict.fromkeys(found) if one.tells in tells]
        # Where there is no time for all, some of each.
        random.Random(self._again.seed).shuffle(found)  # noqa: S311 - nothing secret
        # Metrics count what was asked before them.
        return sorted(found, key=lambda one: (self._is_of_metrics(one), not one.edge))

    def _by_rows(self, questions: Sequence[GoldenQuestion]) -> Rows:
        return self._rows.by_rows(self._stage, questions) if self._rows else {}

    def _ask(self, began: float) -> list[_Asked]:
        stage, limits = self._stage, self._stage.limits
        every = range(len(self._questions))
        # Some of each kind, edges among them.
        step = max(1, len(every) // _AT_FRONT)
        few = [one for one in every if one % step == 0 or self._questions[one].front]
        behind = [one for one in every if not self._questions[one].front]
        ways = [(name, url, behind) for name, url in stage.direct_urls.items()]
        ways.append((_FRONT, stage.base_url, few))
        if limits is None:
            return clock.at_once(
                lambda way: self._ask_one(
                    *way, began=began, pause_s=0.0, until=(SOON_S, _LATEST_S)
                ),
                ways,
            )
        # One after the other, and no more than is allowed in so many seconds.
        most = max(1, int(limits.rate * SOON_S) // len(ways))
        found = []
        for name, url, places in ways:
            one = self._ask_one(
                name,
                url,
                places[:most],
                began=clock.monotonic(),
                pause_s=1 / limits.rate,
                until=(_LATEST_S, _LATEST_S),
            )
            self._not_allowed += len(places[most:])
            found.append(one)
        return found

    def _ask_one(
        self,
        host: str,
        url: str,
        places: Sequence[int],
        *,
        began: float,
        pause_s: float,
        until: tuple[float, float],
    ) -> _Asked:
        found = _Asked(host)
        soon, latest = until
        with asker(url) as client:
            for place in places:
                question = self._questions[place]
                late = clock.monotonic() - began
                if late > latest or (late > soon and not question.edge):
                    found.missed.append(place)
                    continue
                if pause_s:
                    clock.sleep(pause_s)
                found.answers.append((place, self._answer(client, question)))
        return found

    def _answer(self, client: Client, question: GoldenQuestion) -> GoldenAnswer | NoAnswer:
        try:
            return ask_once(client, self._stage, question)
        except NoAnswer:  # a connection that was kept too long is no difference
            try:
                return ask_once(client, self._stage, question)
            except NoAnswer as error:
                return error

    def _differences(self, asked: _Asked, rows: Rows) -> Iterator[GoldenUnlike]:
        for place, answer in asked.answers:
            question = self._questions[place]
            if isinstance(answer, NoAnswer):
                nothing = Unlike("answer", "one", answer.reason)
                yield _told(question, asked.host, _SET, nothing)
                continue
            if question in self._numbers:
                found = self._unlike_golden(question, answer, asked.host)
                if not found and self._is_of_metrics(question) and asked.host != _FRONT:
                    found = self._unlike_metrics(
                        question, answer, whole=not self._lacks_edges(asked)
                    )
                if found:
                    yield _told(question, asked.host, _SET, found)
            if question in rows:
                found = self._unlike_rows(question, rows[question], answer)
                if found and not self._was_overtaken(question, rows[question]):
                    yield _told(question, asked.host, _ROWS, found)

    def _unlike_golden(
        self, question: GoldenQuestion, answer: GoldenAnswer, host: str
    ) -> Unlike | None:
        assert self._golden
        number = self._numbers[question]
        declared = MayDiffer(
            self._again.fields | frozenset(self._golden.volatile_of(number)),
            self._again.ours,
            self._again.written,
            behind_others=host == _FRONT,
        )
        return unlike_golden(question, self._golden.answers[number], answer, declared)

    def _is_of_metrics(self, question: GoldenQuestion) -> bool:
        return question.path == self._stage.interface.metrics

    def _lacks_edges(self, asked: _Asked) -> bool:
        """Whether there are kinds of requests that nobody made: edges are of all kinds."""
        return any(self._questions[place].edge for place in asked.missed)

    def _unlike_metrics(
        self, question: GoldenQuestion, answer: GoldenAnswer, *, whole: bool
    ) -> Unlike | None:
        assert self._golden
        stage, expected = self._stage, self._golden.answers[self._numbers[question]]
        apart = (stage.interface.health, stage.interface.metrics, stage.subject.ready)
        return unlike_series(expected.body, answer.body, apart, whole=whole)

    def _unlike_rows(
        self, question: GoldenQuestion, expected: tuple[int, object], answer: GoldenAnswer
    ) -> Unlike | None:
        """Return the first difference; hosts that answer alike are compared once."""
        said = (answer.status, answer.headers.get("content-type"), answer.body)
        if self._alike.get(question) == said:
            return None
        found = unlike_rows(expected, answer)
        if found is None:
            self._alike[question] = said
        return found

    def _was_overtaken(self, question: GoldenQuestion, before: tuple[int, object]) -> bool:
        """Whether the rows changed while they were read: a client's last write came late."""
        return question.written and self._by_rows([question]).get(question) != before

    def _slow(self, asked: Sequence[_Asked]) -> Iterator[GoldenUnlike]:
        """Yield the operations of which not even one answer came about as soon as before."""
        usual = self._golden.usual_s() if self._golden else {}
        for each in asked:
            took: dict[str, list[tuple[float, GoldenQuestion]]] = {}
            for place, answer in each.answers:
                question = self._questions[place]
                if isinstance(answer, GoldenAnswer) and question.operation in usual:
                    took.setdefault(question.operation, []).append((answer.took_s, question))
            for operation, times in took.items():
                fastest, question = min(times, key=lambda one: one[0])
                limit = _TIMES * usual[operation] + _MORE_S
                if fastest > limit and len(times) >= _ENOUGH:
                    told = f"{fastest * 1000:.0f} ms or more in {len(times)} answers"
                    expected = f"{limit * 1000:.0f} ms at most"
                    yield _told(question, each.host, _TIME, Unlike("latency", expected, told))


def _told(question: GoldenQuestion, host: str, against: str, unlike: Unlike) -> GoldenUnlike:
    return GoldenUnlike(
        operation=question.operation,
        question=str(question),
        host=host,
        against=against,
        place=unlike.place,
        expected=unlike.expected,
        seen=unlike.seen,
        times=1,
        hosts=(host,),
    )


def _grouped(unlike: Sequence[GoldenUnlike]) -> tuple[GoldenUnlike, ...]:
    """Return one of each kind, those that came most often first. An answer that is wrong by set and
    rows alike counts once.
    """
    kinds: dict[tuple[str, str], list[GoldenUnlike]] = {}
    for one in unlike:
        kinds.setdefault((one.operation, way_of(one.place)), []).append(one)
    found = [
        replace(
            first,
            against=" and ".join(dict.fromkeys(one.against for one in (first, *others))),
            times=len({(one.question, one.host) for one in (first, *others)}),
            hosts=tuple(dict.fromkeys(one.host for one in (first, *others))),
        )
        for first, *others in kinds.values()
    ]
    return tuple(sorted(found, key=lambda one: -one.times)[:_TOLD])
