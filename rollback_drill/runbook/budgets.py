"""How long something may take or has to be watched, as people write it: in full, or not at all.

Read are "2 minutes", "1 h 30 min", "1h30m", "90s", "1.5 minutes", "1,5 minutes", "1:30 min",
"five minutes", ranges of them ("5-10 minutes", "30 s to 2 min"), and what people put around them
("about", "at most", "~", "≤"). What is not understood to its last letter is refused: half of an
amount is another amount.
"""

from __future__ import annotations

import re

from rollback_drill.runbook.model import Budget
from rollback_drill.runbook.text import plain_spaces

_UNITS_S = {
    1e-3: "ms|msecs?|milliseconds?",
    1.0: "s|secs?|seconds?",
    60.0: "m|mins?|minutes?",
    3600.0: "h|hrs?|hours?",
    86_400.0: "d|days?",
    604_800.0: "weeks?",
}
_WORDS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "twelve": 12,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "forty-five": 45,
    "sixty": 60,
    "ninety": 90,
    "half a": 0.5,
    "half an": 0.5,
}
_UNIT = "(?:" + "|".join(_UNITS_S.values()) + r")(?![A-Za-z])\.?"
_DIGITS = r"\d{1,9}(?:[.,]\d{1,4})?"
_COUNT = rf"(?:{_DIGITS}|(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})(?=[ -]))"
_SINGLE = rf"{_COUNT}[ -]?{_UNIT}"
_COMPOUND = rf"{_SINGLE}(?:(?:,? and |, ?| ?){_SINGLE}){{0,3}}"
_CLOCK = rf"\d{{1,3}}:\d\d(?::\d\d)?(?: ?{_UNIT})?"
_TO = r"(?: ?- ?| to )"
_RANGE = rf"(?P<low>{_COMPOUND}|{_COUNT}){_TO}(?P<high>{_COMPOUND})"
_AMOUNT = rf"(?:{_RANGE}|(?P<clock>{_CLOCK})|(?P<one>{_COMPOUND}))"
_ABOUT = (
    r"(?:(?:~|≈|≤|<=?|about|approx\.?|approximately|around|roughly|circa|ca\.?|est\.?|estimated|"
    r"expected|up to|at most|at least|a minimum of|minimum|max\.?|maximum|less than|under|within|"
    r"no more than|not more than|no longer than|another|the next|a full|budget|duration|"
    r"time|sla|eta|rto|target|(?:(?:this|it|can|may|will|should|usually) )*takes?)[ :]*)"
)
_AFTER = (
    r"(?: ?(?:or less|or so|max\.?|maximum|at most|total|in total|budget|estimated|approx\.?))?"
)
_WHOLE = re.compile(rf" ?{_ABOUT}{{0,4}}{_AMOUNT}{_AFTER} ?", re.IGNORECASE | re.ASCII)
_ANYWHERE = re.compile(rf"(?<![\w.,:-]){_AMOUNT}(?!\w|:\d)", re.IGNORECASE | re.ASCII)
_WATCH = re.compile(
    r"\b(?:watch|monitor|observe|soak|keep (?:an eye|watching)|(?P<wait>wait))(?:ing)?\b",
    re.IGNORECASE,
)
# What stands before a time for which nobody is to watch: "every 30 seconds", "the last 5 minutes".
_NOT_FOR = (
    r"(?:\b(?:every|each|per|last|past|previous|within|after|than|ago|older|interval(?: of)?|"
    r"timeout(?: of)?|in|from)|[<>=≤≥]) ?(?:the )?(?:about |~)?"
)
# Units of other languages, which are not read, and must not be overlooked.
_ELSEWHERE = (
    r"\d ?(?:minut|minuut|sekund|segund|second[eio]|seg\b|stunde|std\b|hora|heure|ore\b|uur)"
)
_LONGEST_S = 31 * 86_400.0
_MOST_LETTERS = 200


def budget(text: str) -> Budget:
    """Return the duration or range of durations that `text` is. Raises ValueError."""
    clean = _clean(text)
    # What follows a comma explains, unless it has numbers of its own.
    clean, _, remark = _split_remark(clean)
    match = _WHOLE.fullmatch(clean) if len(clean) <= _MOST_LETTERS else None
    if not match or re.search(r"\d|\bper\b|\beach\b", remark, re.IGNORECASE):
        raise ValueError(f"expected a time such as '2 minutes' or '5-10 min'; found {text[:80]!r}")
    low, high = _bounds_s(match)
    if low > high:
        raise ValueError(f"expected a range that rises; found {text[:80]!r}")
    if not 0 < high <= _LONGEST_S:
        raise ValueError(f"expected a time from 1 ms to 31 days; found {text[:80]!r}")
    return Budget(low, high, text.strip())


def window_s(text: str) -> float:
    """Return for how long a sentence says to watch, see `watch_window_s`: the upper end."""
    return watch_window_s(text)[1]


def watch_window_s(text: str) -> tuple[float, float]:
    """Return for how long a sentence says to watch, in seconds: the ends of a range, twice the same
    where it names one time; zeros when it does not. Raises ValueError when it names a time and one
    cannot tell, or says to wait.
    """
    text = _clean(text)
    verb = _WATCH.search(text[: 50 * _MOST_LETTERS])
    if not verb:
        return 0.0, 0.0
    rest = text[verb.end() : 50 * _MOST_LETTERS]
    found = []
    for match in _ANYWHERE.finditer(rest):
        before = rest[: match.start()]
        if re.search(rf"{_NOT_FOR}$", before, re.IGNORECASE):
            continue
        said_for = bool(re.search(rf"\b(?:for|another|next)\b[ :]*(?:{_ABOUT})*$", before, re.I))
        found.append((said_for, _bounds_s(match)))
    times = {seconds for said_for, seconds in found if said_for} or {s for _, s in found}
    if verb["wait"] and not any(said_for for said_for, _ in found):
        # "Wait 5 minutes", but not "wait until it answers, 5 minutes at most".
        times = {s for _, s in found} if re.match(rf" ?(?:{_ABOUT})*\d", rest, re.I) else set()
        if re.match(r" ?(?:up to|at most|no more|max|until|within|less)", rest, re.IGNORECASE):
            return 0.0, 0.0
    if verb["wait"] and times:
        raise ValueError(
            "expected a command that waits, as nobody does: write `sleep 300` into the block"
        )
    if len(times) > 1:
        raise ValueError(f"expected one time for which to watch; found {len(times)}")
    left = _ANYWHERE.sub("", rest)
    if not found and re.search(rf"\bfor\b[^.;]*?(?:\d|several|a few|some)[ -]?{_UNIT}", left, re.I):
        raise ValueError("expected a time for which to watch, such as 'for 10 minutes'")
    low, high = times.pop() if times else (0.0, 0.0)
    if high > _LONGEST_S:
        raise ValueError("expected a time of at most 31 days")
    return min(low, high), high


def looks_like_time(text: str) -> bool:
    """Whether a number with a unit of time, or a clock, stands in `text`."""
    pattern = rf"\d ?-?(?:{_UNIT})(?![A-Za-z])|\d:\d\d|\b(?:minutes?|seconds?|hours?)\b"
    return bool(re.search(rf"{pattern}|{_ELSEWHERE}", _clean(text), re.IGNORECASE))


def _clean(text: str) -> str:
    text = re.sub(r"[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]", "-", plain_spaces(text))
    text = re.sub(r"\s+", " ", text.replace("\uff1a", ":"))
    return re.sub(r"\bbetween ([^,;]{1,40}?) and ", r"\1 to ", text, flags=re.IGNORECASE)


def _split_remark(text: str) -> tuple[str, str, str]:
    match = re.search(r"[;,] ?(?=[A-Za-z])", text)
    if match and not _WHOLE.fullmatch(text):
        return text[: match.start()], match.group(), text[match.end() :]
    return text, "", ""


def _bounds_s(match: re.Match[str]) -> tuple[float, float]:
    if match["clock"]:
        seconds = _clock_s(match["clock"])
    elif match["one"]:
        seconds = _compound_s(match["one"])
    else:
        high = _compound_s(match["high"])
        singles = re.findall(rf"{_COUNT}[ -]?({_UNIT})", match["high"], re.IGNORECASE)
        if re.fullmatch(_DIGITS, match["low"]) or match["low"].lower() in _WORDS:
            if len(singles) != 1:
                raise ValueError(f"expected one unit for both ends of {match.group()!r}")
            return _count(match["low"]) * _factor(singles[0]), high
        return _compound_s(match["low"]), high
    return seconds, seconds


def _compound_s(text: str) -> float:
    parts = re.findall(rf"({_COUNT})[ -]?({_UNIT})", text, re.IGNORECASE)
    factors = [_factor(unit) for _, unit in parts]
    if factors != sorted(set(factors), reverse=True):
        raise ValueError(f"expected larger units before smaller ones; found {text!r}")
    return sum(_count(count) * factor for (count, _), factor in zip(parts, factors, strict=True))


def _clock_s(text: str) -> float:
    """Return "1:30 min" (minutes and seconds), "1:30 h", "1:02:03" in seconds."""
    match = re.fullmatch(rf"([\d:]+) ?({_UNIT})?", text, re.IGNORECASE)
    assert match
    numbers = [int(one) for one in match[1].split(":")]
    factor = _factor(match[2]) if match[2] else 0.0
    if len(numbers) == 3 and factor in (0.0, 3600.0):
        weights = (3600.0, 60.0, 1.0)
    elif len(numbers) == 2 and factor in (60.0, 3600.0):
        weights = (factor, factor / 60, 0.0)
    else:
        raise ValueError(f"expected a unit that says what {text!r} counts, such as '1:30 min'")
    if any(number >= 60 for number in numbers[1:]):
        raise ValueError(f"expected less than 60 behind the colon; found {text!r}")
    return sum(number * weight for number, weight in zip(numbers, weights, strict=False))


def _factor(unit: str) -> float:
    name = unit.lower().rstrip(".")
    return next(factor for factor, names in _UNITS_S.items() if re.fullmatch(names, name))


def _count(text: str) -> float:
    text = text.strip().lower()
    if text in _WORDS:
        return _WORDS[text]
    if re.fullmatch(r"\d+,\d{3}", text):
        raise ValueError(f"expected a number that is read in one way only; found {text!r}")
    return float(text.replace(",", "."))
