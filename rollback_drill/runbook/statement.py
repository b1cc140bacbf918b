"""What people write in checkboxes, as statements: one is understood as a whole or not at all.

A pattern has to cover a statement from its first word to its last. What it may leave over is
harmless: articles, “verify that” before it, “successfully” behind it, markup. A negation, another
tense, subject or quantile, or a condition (“on the replica”) is left over and so is not understood.

In patterns `<SERVICE>` and the other words of _WORDS stand for what has many spellings.
"""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata
from collections.abc import Iterable

_WORDS = {
    "SERVICE": r"(?:(?:web )?(?:application|app|service)|API)",
    "IS": r"(?: (?:is|are|remains?|stays?))?",
    "DONE": r"(?: (?:is|are|was|were|has been|have been))?",
    "BELOW": (r"(?: ?(?:<=?|≤) ?| (?:below|under|less than|lower than|at most|no more than) )"),
    "SHARE": r"\d{1,2}(?:[.,]\d{1,4})? ?(?:%|percent\b|per cent\b)",
    "TIME": (
        r"(?:\d{1,5}(?:\.\d{1,4}|,\d{1,2})?|\d{1,3},\d{3}) ?"
        r"(?:ms|milliseconds?|s|secs?|seconds?|min|mins|minutes?|h|hours?)\b"
    ),
    "FOR": r"(?: (?:for|over|during)(?: at least| last)? (?P<time><TIME>))?",
    "TAG": r"v\d[\w.+-]*",
}
_LEAD = r"(?:(?:please )?(?:verify|check|confirm|ensure|make sure|validate)(?: that)? )?"
_TAIL = r"(?: (?:again|now|successfully|properly|correctly|as expected))*"
_MARKS = re.compile(r"[`*\"“”„‘’()]|(?<!\d):|:(?!\d)|[,;](?= )|(?<= )[-–—](?= )")
_ARTICLES = re.compile(r"\b(?:the|a|an|its|our)\b", re.IGNORECASE)
_END = re.compile(r"[\s.!;,:]+$")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_LONGEST = 300  # letters of a statement that others are compared with
_NEAR = 0.35  # below that likeness two sentences have nothing to do with each other


@functools.lru_cache(maxsize=2_048)
def without_articles(pattern: str) -> str:
    """Return a pattern that is written as a checkbox is, for the box as `plain` reads it."""
    return re.sub(rf"{_ARTICLES.pattern}\s+", "", pattern, flags=re.IGNORECASE)


def plain(text: str) -> str:
    """Return `text` without what says nothing: markup, articles, brackets, needless blanks."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(" " if unicodedata.category(one) in ("So", "Cf", "Mn") else one for one in text)
    text = _ARTICLES.sub(" ", _MARKS.sub(" ", text))
    return _END.sub("", " ".join(text.split()))


@functools.lru_cache(maxsize=2_048)
def statement(pattern: str) -> re.Pattern[str]:
    """Return `pattern` as one of a whole statement: to be matched in full with a `plain` text."""
    for _ in range(2):  # FOR is made of TIME
        for name, meaning in _WORDS.items():
            pattern = pattern.replace(f"<{name}>", meaning)
    return re.compile(f"{_LEAD}(?:{pattern}){_TAIL}", re.IGNORECASE)


def amount(text: str) -> str:
    """Return an amount as `runbook.amounts` reads it: "0,5 per cent" is "0.5 %"."""
    text = _THOUSANDS.sub("", text).replace(",", ".")
    text = re.sub(r"\b(?:percent|per cent)\b", "%", text, flags=re.IGNORECASE)
    return re.sub(r"\bmilliseconds?\b", "ms", text, flags=re.IGNORECASE)


def most_like(text: str, sentences: Iterable[str], count: int = 3) -> list[str]:
    """Return those of `sentences` that are most like `text`, at most `count`, the nearest first."""
    asked = plain(text[:_LONGEST]).lower()
    scored = sorted(
        ((_likeness(asked, plain(one).lower()), one) for one in sentences),
        key=lambda pair: (-pair[0], pair[1]),
    )
    return [one for score, one in scored[:count] if score >= _NEAR]


def _likeness(one: str, other: str) -> float:
    """How alike two plain sentences are, from 0 to 1: by their words, and by their letters."""
    words, others = set(one.split()), set(other.split())
    shared = 2 * len(words & others) / (len(words) + len(others)) if words and others else 0.0
    return (shared + difflib.SequenceMatcher(None, one, other).ratio()) / 2
