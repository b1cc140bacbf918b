"""How long a step or a way may take, where a document of any form says so: in its heading, in a
line of its own, or in a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rollback_drill.runbook.budgets import budget, looks_like_time
from rollback_drill.runbook.model import Budget
from rollback_drill.runbook.procedures import split_budget
from rollback_drill.runbook.sessions import plainly_shell

_NAMED = re.compile(
    r"(?:(?:total |estimated |expected |approx(?:imate|\.)? |max(?:imum|\.)? |target )*"
    r"(?:time(?: (?:estimate|budget|limit|required|needed|to complete))?|duration|budget|eta|"
    r"time[ -]?box|deadline|(?:rollback )?(?:sla|slo|rto)))"
    r"(?: in total)?\s*[:=\u2013\u2014-]\s*(?P<text>\S.*)",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"\b(?:within|takes?|last(?:s|ing)?|(?:complete[ds]?|done|finished) in|in (?:less than|under"
    r"|at most)|"
    r"no (?:more|longer) than)\s+"
    r"(?P<text>(?:about |around |roughly |approximately |up to |~ ?|≈ ?)?\S.*)",
    re.IGNORECASE,
)
_OF_THE_WHOLE = re.compile(
    r"\b(?:roll-?back|roll back|procedure|process|runbook|step|whole|everything|this|it)\b"
    r".*\b(?:must|should|has to|have to|needs to|takes?|is|be|target|goal|aim)\b"
    r"|^(?:must|should|takes?|complete|done|finished|aim|target)\b",
    re.IGNORECASE,
)
_AT_MOST = re.compile(r" (?:max(?:imum)?|at most|in total)$", re.IGNORECASE)
_SIGNS = "\u23f0-\u23f3\u231a\u231b\u23f1\u23f2\U0001f550-\U0001f567"
_BEHIND = re.compile(rf"\s*(?:[|,;\u2010-\u2015]|:(?=\s)| - |[{_SIGNS}]\ufe0f?)\s*")
_MOST_LETTERS = 500
_WATCHES = re.compile(r"(?:watch|monitor|observe|wait|soak|keep|sleep)\b", re.IGNORECASE)


def split_time(title: str) -> tuple[str, str]:
    """Return a heading without the time that a step may take, and that; "" where it has none."""
    if len(title) > _MOST_LETTERS:
        return title, ""
    rest, text = split_budget(title, None)
    if text and not looks_like_time(text):
        rest, text = title, ""  # “(only when coming from 2.4)”: a number, and no time
    if plainly_shell(title):
        return (rest, text) if text and plainly_shell(rest) else (title, "")
    if text:
        return rest, text
    for match in reversed(list(_BEHIND.finditer(title))):
        behind = title[match.end() :].strip()
        if match.start() and _is_time(behind):
            return title[: match.start()].strip(), behind
    return title, ""


def is_left_in(title: str) -> bool:
    """Whether a time stands in a heading without its budget that says neither to wait nor to watch:
    nobody holds it.
    """
    if _WATCHES.match(title) or not re.search(r"\d", title) or plainly_shell(title):
        return False
    return looks_like_time(title)


def told_time(text: str) -> str:
    """Return the time that a line such as “Duration: 5 minutes” names, or a sentence such as “It
    must be complete within 15 minutes”; "" where it is neither.
    """
    text = text[:_MOST_LETTERS]
    named = _NAMED.fullmatch(text.strip())
    if named and looks_like_time(named["text"]):
        first, *rest = re.split(r"[.;]\s+", named["text"].strip(" ."), maxsplit=1)
        whole = _is_time(first) and not any(map(looks_like_time, rest))
        return first if whole else named["text"].strip(" .")
    alone = re.sub(rf"^[{_SIGNS}\ufe0f\s]+", "", text.strip())
    if alone != text.strip() and _is_time(alone):
        return alone
    for sentence in re.split(r"(?<=[.;!])\s+(?=\D)", text.strip()):
        part = _NAMED.fullmatch(sentence.strip(" ."))
        if part and _is_time(part["text"]):
            return part["text"]
        limit = _LIMIT.search(sentence) if _OF_THE_WHOLE.search(sentence) else None
        text = _AT_MOST.sub("", limit["text"].strip(" .!;")) if limit else ""
        if text and _is_time(text):
            return text
    return ""


def is_time_line(text: str) -> bool:
    """Whether a line names a time behind a colon, and nothing else: “Cool-down: 10 minutes”."""
    _, colon, behind = text[:_MOST_LETTERS].rpartition(":")
    return bool(colon) and _is_time(behind.strip(" ."))


def one_after_another(texts: Sequence[str]) -> list[Budget] | None:
    """Return how long each of “0-5 min”, “5-10 min”, “10-20 min” takes: they say from when to when;
    None where each begins at zero, or not where the one before ends.
    """
    if len(texts) < 2 or not all(map(_is_time, texts)):
        return None
    spans = [budget(one) for one in texts]
    ends = [0.0, *(one.high_s for one in spans)]
    if any(one.low_s != end for one, end in zip(spans, ends, strict=False)):
        return None
    lasting = [one.high_s - one.low_s for one in spans]
    return [
        Budget(lasts, lasts, f"{lasts / 60:g} minutes, of {text}")
        for lasts, text in zip(lasting, texts, strict=True)
    ]


def _is_time(text: str) -> bool:
    try:
        budget(text)
    except ValueError:
        return False
    return True
