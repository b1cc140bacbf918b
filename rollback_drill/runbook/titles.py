"""What headings, bold lines and labels are by their first words, whatever stands around them."""

from __future__ import annotations

import re

# Between "Step 1" and its title: a colon, a full stop, any dash, or only a space.
_BETWEEN = r"\s*(?:[:.)|·»>-]|[\u2010-\u2015\u2212\uff1a])?\s*"
_DASH = r"(?:[-\u2010-\u2015\u2212]|to|through)"
_BUDGET = r"(?:[(\[](?P<early>[^()\[\]]*\d[^()\[\]]*)[)\]])?"
_NOT_OF = r"(?!(?:of|in|from|and|to|or|is|was|has|must|as)\b)"
PROCEDURE_TITLE = re.compile(
    rf"(?:\d{{1,3}}[.)]\s*)?(?:roll ?back )?procedure\s*#?\s*(?P<number>\d{{1,4}})(?![\d.,]*\d)"
    rf"\s*{_BUDGET}{_BETWEEN}(?!steps? \d){_NOT_OF}(?P<title>\w.*)",
    re.IGNORECASE,
)
STEP = re.compile(
    rf"(?:\d{{1,3}}[.)]\s*)?steps?\s*#?\s*(?P<first>\d{{1,4}})(?:\s*(?:/|of)\s*\d{{1,3}})?"
    rf"(?:\s*{_DASH}\s*(?P<last>\d{{1,4}})(?!\d))?(?![\d.]*\d)"
    rf"\s*{_BUDGET}{_BETWEEN}{_NOT_OF}(?P<title>\S.*)",
    re.IGNORECASE,
)
NUMBERED = re.compile(r"(?P<first>\d{1,3})[.):]\s*(?P<title>\S.*)")
PREREQUISITES = re.compile(r"prerequisite|pre-?conditions?\b", re.IGNORECASE)
OPTION = re.compile(
    r"(?:option|method|variant|alternative|approach)\s+(?:[a-z]|\d{1,2})\b[\s:.)–—-]*(?P<label>.*)",
    re.IGNORECASE,
)
FALLBACK = re.compile(
    r"(?:alternativ|fall-? ?backs?\b|plan [b-d]\b|otherwise\b|(?:as a )?last resort\b|"
    r"(?:only )?(?:if|when|in case|should)\b.{0,80}?\b(?:fail|failed|fails|unsuccessful|"
    r"(?:does|did|is|was)(?: not|n't)|cannot)\b|(?:in case of|on|upon) (?:a )?failure\b)"
    r"|.*[(–—,-] ?(?:only )?(?:if|when|in case) [^()]{0,80}\bfail(?:s|ed)?\b",
    re.IGNORECASE,
)
# What stands below such a heading may or may not be meant to be performed.
DOUBTFUL = re.compile(
    r"trouble-?shoot|(?:for )?examples?\b|for instance\b|usage\b|syntax\b|"
    r"optional|appendix|for reference|manual(?:ly)?\b|"
    r"to undo\b|undo (?:this|that|it)\b|if (?:needed|necessary|required)|"
    r"not recommended|deprecated|obsolete",
    re.IGNORECASE,
)
# How what belongs to a rollback begins. What begins like that and is nothing known is unread.
KEYWORD = re.compile(
    r"(?:steps?|procedures?|fall-?backs?|roll(?:ing)? ?-?backs?|alternatives?|alternatively|revert|"
    r"restore|undo|plan [a-d])\b"
    r"|(?:phases?|stages?|options?|methods?|variants?|approach(?:es)?|parts?|tasks?)"
    r"\s*(?:#?\d|[a-z]\b|one\b|two\b|three\b|[:\u2013\u2014-]|$)",
    re.IGNORECASE,
)
_MARKS = re.compile(r"^[\W_]+")
_CLOCK = r"T ?[+-] ?\d+(?: ?(?:min|minutes|m|s|h)\b)?"
AT_TIME = re.compile(
    rf"{_CLOCK}(?: ?(?:[\u2010-\u2015-]|to) ?{_CLOCK})?\s*[:.)|\u2010-\u2015-]?\s*(?=\w)"
)
"""When a step is due, such as “T+5: ”."""
_ENUMERATION = re.compile(
    r"^(?:\d{1,3}(?:\.\d{1,3})*(?:[.)]|\ufe0f?\u20e3)?|[A-Z][.)]|[IVX]{1,4}[.)])\s+(?=\S)"
)


def bare(title: str) -> str:
    """Return `title` without the marks, emoji and enumeration that it begins with."""
    named = AT_TIME.sub("", _MARKS.sub("", title), count=1) if "T" in title[:8] else title
    return _MARKS.sub("", _ENUMERATION.sub("", _MARKS.sub("", named)))
