"""What customers in the middle of all pages tell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from rollback_drill.record.told import Count, Name, Number, Seconds, Status, Told, UnixTime


@dataclass(frozen=True, slots=True)
class Walked(Told):
    """A customer walked all pages of the list. `formats`: in the order in which they came.

    `rows` that came, `repeated` ones among them; `skipped`: rows that never came, of all where it
    `ended`, else of those before the last that came; `refused`: answers 400; `unanswered`: anything
    else that was no page; `ended`: whether it found an end; `began_at` in Unix seconds, 0 where an
    old record does not tell.
    """

    walker: Name
    formats: tuple[str, ...]
    rows: Count
    repeated: Count
    skipped: Count
    refused: Count
    unanswered: Count
    ended: bool
    began_at: UnixTime = 0.0


class CursorAnswer(StrEnum):
    """What a service made of a cursor that was handed out earlier."""

    WENT_ON = "went on"  # where the cursor stands
    BEGAN_ANEW = "began anew"  # without a word: rows come twice
    REFUSED = "refused"  # 4xx: the customer knows, and begins anew
    ANOTHER_PAGE = "another page"  # rows are skipped without a word
    NO_PAGE = "no page"  # an error, or no answer at all


@dataclass(frozen=True, slots=True)
class CursorShown(Told):
    """A cursor of the failing release was shown again, `age_s` after it was handed out.

    `moment`: "after Procedure 2" …; `page`: the one that it stands for; `format` of the answer.
    """

    by_clients: ClassVar[bool] = True

    moment: Name
    page: Number
    age_s: Seconds
    status: Status
    format: str
    answer: CursorAnswer


@dataclass(frozen=True, slots=True)
class SentAgain(Told):
    """A reservation that was acknowledged was sent once more, word for word, when clients were
    gone. `status` of the answer, 0 for none; `rows_more` than before are there now.
    """

    reference: Name
    status: Status
    rows_more: Number
