"""What a trigger's words ask for besides what its watch reads: durations, quantiles, places, more.

A watch that held only half of a condition would call for a rollback that the runbook does not want,
or for none where it wants one. So every number, every known qualifier, and every word of the
clause that a watch measures by must be held, or the trigger is not watched and says by what.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from rollback_drill.runbook.amounts import duration_s

NUMBER = r"\d{1,9}(?:[.,]\d{1,9}){0,3}"
ABOVE = (
    r"(?:>=?|≥|=>|above|over|more than|greater than|higher than|longer than|exceed(?:s|ed|ing)?"
    r"|at least|beyond|reach(?:es|ed)?)\s*"
)
BELOW = r"(?:<=?|≤|below|under|less than|fewer than|lower than)\s*"
TIME = r"(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)\b"
PLAIN_TIME = rf"(?<![\d.,])(?<!\d )(?:\d{{1,3}},\d{{3}}|\d{{1,5}}(?:[.,]\d{{1,2}})?)\s*{TIME}"
"""What `seconds` reads in any case."""
PERCENT = r"(?:%|percent\b|per cent\b)"

_SMALL = "one two three four five six seven eight nine ten"
_WORDS = ["a", "an", *_SMALL.split(), "fifteen", "twenty", "thirty", "sixty"]
_VALUES = (1, 1, *range(1, 11), 15, 20, 30, 60)
WORD_NUMBERS = {**dict(zip(_WORDS, _VALUES, strict=True)), "hundred": 100, "a hundred": 100}
NUMBER_OR_WORD = rf"(?:{NUMBER}|a hundred|hundred|{'|'.join(sorted(_WORDS, key=len)[::-1])})"

_AMOUNT_OF_TIME = (
    rf"{NUMBER_OR_WORD}[\s-]*(?:(?:consecutive|straight|full|whole) )?"
    r"(?:seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)\b"
    rf"(?:\s+(?:and\s+)?{NUMBER}\s*(?:seconds?|secs?|s|minutes?|mins?|m)\b)*"
)
_LASTS = re.compile(
    r"\b(?:sustained (?:for|over)|continuously for|for|lasting|lasts|persist(?:s|ing)?)\s+"
    rf"(?:(?:at least|more than|longer than|over|>=?|≥)\s*)*(?P<amount>{_AMOUNT_OF_TIME})",
    re.IGNORECASE,
)
_QUALIFIERS = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        # Of what, and how it is counted.
        (r"\bp\d{2,3}(?:\.\d+)?\b|\b\d{2}(?:\.\d+)?(?:st|nd|rd|th)?[\s-]percentile", re.IGNORECASE),
        (r"\b(?:median|average|avg|mean|max(?:imum)?|minimum)\b", re.IGNORECASE),
        (r"\b(?:HTTP\s*)?[1-5]xx\b|\bHTTP\s*[1-5]\d\d\b", re.IGNORECASE),
        (r"\bper\s+(?!cent\b)[\w-]+", re.IGNORECASE),
        (r"\b(?:rolling|moving|consecutive|in a row)\b", re.IGNORECASE),
        (
            rf"\b(?:over|within|in|during)\s+(?:a |the |any )?(?:last |past )?{_AMOUNT_OF_TIME}",
            re.IGNORECASE,
        ),
        (r"\bfor (?:several|some|a few|a couple of|many) \w+", re.IGNORECASE),
        # Where and when.
        (
            r"\b(?:on|in|at|from|across|for|of|by)\s+(?:any|each|every|one|two|three|four|five|several"
            r"|multiple|many|some|most|half|at least|more than|a single|both|only|\d+)\b"
            r"(?:\s+(?:of\s+)?(?:the\s+|our\s+)?[\w-]+)?",
            re.IGNORECASE,
        ),
        (r"\b(?:in|from|at)\s+(?:the\s+)?(?!API\b|HTTP\b|P[0-3]\b)[A-Z][\w-]*", 0),
        (r"\b(?:us|eu|ap|sa|ca|af|me)-(?:north|south|east|west|central)\w*(?:-\d)?", re.IGNORECASE),
        (
            r"\b(?:regions?|zones?|data ?cent(?:er|re)s?|tenants?|endpoints?|routes?)\b",
            re.IGNORECASE,
        ),
        (r"\b(?:GET|POST|PUT|PATCH|DELETE)\b|(?<![\w/])/[a-z][\w/{}-]*", 0),
        (r"\b(?!the\b|not\b|is\b)[\w-]+\s+only\b", re.IGNORECASE),
        (
            r"\b(?:unless|except|excluding|outside|only (?:if|when|for|in|on|during)"
            r"|during)\s+[\w-]+(?:\s+[\w-]+)?",
            re.IGNORECASE,
        ),
    )
)
_AMOUNT = re.compile(
    rf"(?<![\w.,])(?P<number>{NUMBER})\s*(?P<unit>%|percent\b|per cent\b|[x×]|"
    r"(?:ms|milliseconds?|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?"
    r"|[KMGT]i?B|rps|qps|requests?|errors?|failures?|users?|customers?|clients?|tickets?|hosts?"
    r"|nodes?|pods?|instances?|times)\b|/\s*\w+)",
    re.IGNORECASE,
)
_COMPARED = re.compile(rf"(?:{ABOVE}|{BELOW})(?P<number>{NUMBER})", re.IGNORECASE)
_SAME = {"percent": "%", "per cent": "%", "×": "x"}
# What may stand in the clause that is measured by, without asking for more.
_PLAIN_WORDS = """
a above all an and answer answered answers anybody anyone anything api app application are at
availability baseline be been before being below beyond call calls cent check checks client
clients climb climbs code codes compared complete completely constantly continuous continuously
critical customer customers degradation degraded degrades detected does down drop drops duration
durations elevated end ends entire entirely error errored erroring errors everybody everyone
exceed exceeded exceeding exceeds fail failed failing fails failure failures fall falls for
fully general get gets global go goes going good got greater has have health healthy high higher
host hosts http https if increase increased increases increasing is it its jump jumps last
lasting lasts latencies latency least less limit longer major more no nobody none normal not
observed of or outage over overall pass passes passing per percent percentage performance
persistent persistently rate rates ratio reach reachable reaches red reported request requests
respond responding response responses return returned returning returns rise rises rising seen
served server servers service services severe share sharply single site slow slowdown slower
slowness spike spikes spiking status stay staying stays success successful sustained sustainedly
system take takes taking than that the there they this threshold time times to too took total
totally traffic unavailable under unhealthy unreachable user users usual versus very vs was were
what when which whole with
"""
_PLAIN = frozenset(_PLAIN_WORDS.split())
_WORD = re.compile(r"[^\W_][\w./'’-]*")
_CLAUSE_END = re.compile(r"[:;()–—]|[.,](?=\s)")


@dataclass(frozen=True, slots=True)
class Duration:
    """For how long it must last, in seconds, and how that is written."""

    seconds: float
    text: str
    span: tuple[int, int]


def as_number(text: str) -> float:
    """Return "2,5" as 2.5, "1,000" as 1000 and "twenty" as 20."""
    lowered = text.lower()
    if lowered in WORD_NUMBERS:
        return float(WORD_NUMBERS[lowered])
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", text):
        return float(text.replace(",", ""))
    return float(text.replace(",", "."))


def seconds(text: str) -> float:
    """Return "five minutes", "2m" or "1 hour 30 minutes" in seconds. Raises ValueError."""
    total = 0.0
    plain = re.sub(r"\b(?:consecutive|straight|full|whole) ", "", text, flags=re.IGNORECASE)
    parts = re.findall(rf"({NUMBER_OR_WORD})[\s-]*([a-z]+)", plain, re.IGNORECASE)
    if not parts:
        raise ValueError(f"expected a duration such as '30 seconds'; found {text!r}")
    for amount, unit in parts:
        name = {"hr": "h", "hrs": "h", "d": "day"}.get(unit.lower(), unit)
        total += duration_s(f"{as_number(amount):g} {name}")
    return total


def lasting(text: str) -> Duration | None:
    """Return for how long a trigger's text wants its condition to last, None when it says nothing.

    Where it says so twice, the first; the second is left over unless it is the same.
    """
    for match in _LASTS.finditer(text):
        return Duration(seconds(match["amount"]), match.group(), match.span())
    return None


def left_over(
    text: str, match: re.Match[str], duration: Duration | None, *, by_words: bool
) -> tuple[str, ...]:
    """Return what of `text` is held neither by the groups of `match` nor by `duration`.

    `by_words`: the clause of the match is the condition, so that each of its words counts.
    """
    held = [span for span in map(match.span, range(1, match.re.groups + 1)) if span != (-1, -1)]
    if duration:
        held.append(duration.span)
    found = [*_qualifiers(text), *_amounts(text, held)]
    if by_words:
        # What was read includes the comparison: a clause ends where the next one begins.
        end = _CLAUSE_END.search(text, match.end())
        begin = max((m.end() for m in _CLAUSE_END.finditer(text, 0, match.start())), default=0)
        found += _strange_words(text, begin, end.start() if end else len(text))
    left: list[tuple[int, int]] = []
    for span in sorted(set(found), key=lambda one: (one[0], -one[1])):
        inside = any(span[0] < high and low < span[1] for low, high in [*held, *left])
        if not inside:
            left.append(span)
    return tuple(text[low:high].strip() for low, high in left)


def _qualifiers(text: str) -> Iterator[tuple[int, int]]:
    for pattern in _QUALIFIERS:
        for match in pattern.finditer(text):
            yield match.span()


def _amounts(text: str, held: Collection[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the amounts that are none of the held ones, told again or not."""
    amounts = [(m.span(), _amount(m)) for m in _AMOUNT.finditer(text)]
    known = {
        amount for (low, high), amount in amounts if any(low < b and a < high for a, b in held)
    }
    for span, amount in amounts:
        if amount not in known:
            yield span
    covered = [span for span, _ in amounts]
    for match in _COMPARED.finditer(text):
        low, high = match.span("number")
        if not any(a <= low < b for a, b in covered):
            yield low, high


def _amount(match: re.Match[str]) -> tuple[float, str]:
    unit = match["unit"].lower().strip()
    try:
        return seconds(f"{match['number']} {unit}"), "s"
    except ValueError:
        return as_number(match["number"]), _SAME.get(unit, unit)


def _strange_words(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    for match in _WORD.finditer(text, begin, end):
        if match.group().lower().rstrip(".") not in _PLAIN:
            yield match.span()
