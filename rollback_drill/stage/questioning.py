"""Asks a service the questions of a golden set, and records one.

Fields that differ each time are found by asking again. What only sometimes differs is no such
field: the answer that comes most often is taken, and the question is called unsteady.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path

from rollback_drill.ground import clock
from rollback_drill.ground.errors import StageError
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.asking import keyed
from rollback_drill.stage.http import Client
from rollback_drill.subject import questions
from rollback_drill.subject.questions import Asks, GoldenAnswer, GoldenQuestion, GoldenSet
from rollback_drill.subject.subject import Place
from rollback_drill.subject.values import is_left_out, leaves, value_of, way_of

RECORDS = hashlib.sha256(
    Path(__file__).read_bytes() + Path(questions.__file__).read_bytes()
).hexdigest()[:16]
"""Changes with how a golden set is recorded and kept."""
MOST_ANSWER_BYTES = 512 * 1024
_LIMIT_S = 5.0
_CLOCKS_S = 300.0
_TWICE_S = 1.1  # between two times of asking: clocks that show seconds have moved on
_TIMES = 3  # that a question is asked again; all but once only what was answered in two ways
_PASSED_ON = frozenset(
    {
        "age",
        "alt-svc",
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "server",
        "transfer-encoding",
        "via",
    }
)
"""Headers of the way, of the moment, or of what the body says itself."""


def asker(url: str) -> Client:
    """Return who asks the service at `url`."""
    return Client(url, limit_s=_LIMIT_S, most=MOST_ANSWER_BYTES)


def ask_once(client: Client, place: Place, question: GoldenQuestion) -> GoldenAnswer:
    """Ask one question. Raises NoAnswer."""
    headers = keyed(place) if question.keyed else {}
    if question.body:
        headers["Content-Type"] = "application/json"
    answer = client.request(
        question.method,
        question.path,
        headers=headers | dict(question.headers),
        content=question.body or None,
    )
    told = {
        name: value.replace(client.base_url, "")  # by which each way in calls itself
        for name, value in answer.headers.items()
        if name not in _PASSED_ON
    }
    if _is_of_another_time(answer.headers.get("date", "")):
        told["date"] = "of another time"
    return GoldenAnswer(answer.status, told, answer.text, answer.took_s)


def _is_of_another_time(date: str) -> bool:
    """Whether a header says that it is another time by more than any clock is wrong."""
    try:
        said = parsedate_to_datetime(date) if date else None
    except ValueError:
        return True
    return said is not None and abs(said.timestamp() - clock.now()) > _CLOCKS_S


def record_golden(
    subject: Asks, place: Place, url: str, release: str, seed: int, source: str, pause_s: float = 0
) -> GoldenSet:
    """Record what the service at `url` answers; `pause_s`: how long to wait after each question.

    `source`: how the set is called. Raises StageError when a question gets no answer.
    """
    began = clock.now()
    with asker(url) as client:

        def ask(question: GoldenQuestion) -> GoldenAnswer:
            if pause_s:
                clock.sleep(pause_s)
            return ask_once(client, place, question)

        def ask_first(question: GoldenQuestion) -> GoldenAnswer | None:
            """Ask it, but where another way of asking is answered by nothing at all."""
            try:
                return ask(question)
            except NoAnswer:
                if question.front:
                    return None
                raise

        try:
            asked = subject.questions(place, seed)
            first = [(question, one) for question in asked if (one := ask_first(question))]
            asked = tuple(question for question, _ in first)
            answers = [[one] for _, one in first]
            open_ = [*range(len(asked))]  # places of those that have to be asked again
            for _ in range(_TIMES):
                clock.sleep(_TWICE_S)
                for number in open_:
                    answers[number].append(ask(asked[number]))
                open_ = [one for one in open_ if not _all_same(asked[one], answers[one])]
                if not open_:
                    break
        except NoAnswer as error:
            raise StageError(
                f"{release} to answer every question of a golden set",
                error.reason,
                "see the service's log",
            ) from error
    fields = {number: _always_other(asked[number], answers[number]) for number in open_}
    return GoldenSet(
        release,
        source,
        began,
        asked,
        tuple(_usual(one) for one in answers),
        {str(number): names for number, names in fields.items() if names},
        tuple(str(asked[number]) for number, names in fields.items() if not names),
    )


def _usual(answers: Sequence[GoldenAnswer]) -> GoldenAnswer:
    """Return the answer that came most often, as it came soonest."""
    counted = Counter((one.status, one.body) for one in answers)
    (usual, _), *_ = counted.most_common(1)
    alike = (one for one in answers if (one.status, one.body) == usual)
    return min(alike, key=lambda one: one.took_s)


def _all_same(
    question: GoldenQuestion, answers: Sequence[GoldenAnswer], but: tuple[str, ...] = ()
) -> bool:
    return all(_same(question, answers[0], other, but) for other in answers[1:])


def _same(
    question: GoldenQuestion, one: GoldenAnswer, other: GoldenAnswer, but: tuple[str, ...]
) -> bool:
    if (one.status, one.headers, one.body) == (other.status, other.headers, other.body):
        return True
    fields = frozenset((*but, *question.volatile))
    return one.status == other.status and _kept(one, fields) == _kept(other, fields)


def _told(answer: GoldenAnswer) -> dict[str, object]:
    """Return everything in an answer by its place."""
    headers = {f"header {name}": value for name, value in answer.headers.items()}
    return headers | dict(leaves(value_of(answer.body)))


def _kept(answer: GoldenAnswer, but: frozenset[str]) -> dict[str, object]:
    return {place: value for place, value in _told(answer).items() if not is_left_out(place, but)}


def _always_other(question: GoldenQuestion, answers: Sequence[GoldenAnswer]) -> tuple[str, ...]:
    """Return the ways to single values that were different in each of the answers, if there is no
    other difference.
    """
    told = [_told(one) for one in answers]
    shared = set.intersection(*(set(one) for one in told))
    different = (
        place for place in shared if len({json.dumps(one[place]) for one in told}) == len(answers)
    )
    found = tuple(sorted({way_of(place) for place in different}))
    return found if _all_same(question, answers, found) else ()
