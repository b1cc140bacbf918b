"""What a document of any form says in words: items that are boxes, and instructions that nobody
performs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rollback_drill.runbook.kinds import Kind, Kinds
from rollback_drill.runbook.leftovers import looks_like
from rollback_drill.runbook.marks import Marks
from rollback_drill.runbook.model import Checkbox
from rollback_drill.runbook.outline import Item, Section
from rollback_drill.runbook.standard import Below
from rollback_drill.runbook.tablesteps import checked_in
from rollback_drill.runbook.times import is_time_line
from rollback_drill.runbook.titles import bare

_THEN = re.compile(
    r"\b(?:then|and) (?:then )?(?:verify|check|run|restart|confirm|wait|make sure|notify|tell|test|"
    r"watch|look)\b",
    re.IGNORECASE,
)
_FIRST_WORDS = re.compile(
    r"^(?:then|now|next|also|finally|first|afterwards?|after that|please|and)[,:]?\s+",
    re.IGNORECASE,
)
_EXPECTED = re.compile(
    r"(?:expected|check after|must|should|success(?: criteria| means| looks)?\b|done when)\b",
    re.IGNORECASE,
)
# What somebody must look at: “All pods should be Running”, “The error rate must be below 1%”.
_ASKS = re.compile(
    r"\b(?:must|should|has to|have to|needs? to|expect(?: to)?)\b.*"
    r"(?:\b(?:be|see|shows?|stay|remain|returns?|responds?|answers?|reports?|match(?:es)?|equals?|contains?|drops?|falls?|recovers?|"
    r"go (?:down|up|back)|come (?:down|up|back))\b|[<>≤≥%]|\d)",
    re.IGNORECASE,
)
_NEEDS = re.compile(
    r"\b(?:requires?|needs?|only (?:with|after)|get|ask for) (?:\w+ ){0,3}(?:approval|sign-?off|"
    r"permission|confirmation)\b",
    re.IGNORECASE,
)
_THRESHOLD = re.compile(
    r"(?:[<>≤≥]|\b(?:below|above|under|over|less than|more than|at (?:most|least)|within|"
    r"exceeds?)) ?"
    r"~?\d|\b(?:returns?|answers?|responds?|says?|shows?|prints?)\b",
    re.IGNORECASE,
)
_BANS = re.compile(r"(?:never|do not|don't|avoid)\b", re.IGNORECASE)
_LABELS_CHECKS = re.compile(
    r"(?:expected(?: results?| outcomes?)?|success(?: criteria)?|"
    r"check(?: that| the following| list)?|make sure(?: that)?|ensure(?: that)?|"
    r"confirm(?: that)?|done when)\W*$",
    re.IGNORECASE,
)
_MET = re.compile(r"^[✅✔✓☑]\ufe0f?\s*")
_NOT_MET = re.compile(r"^[❌✗✘✖🚫⛔]")
_ENUMERATED = re.compile(r"^\d{1,2}[.)]\s+(?=\S)")
_LONGEST_LABEL = 40
_MOST_LETTERS = 1_000  # of a sentence that are looked at
_WORDS_ONLY = "an instruction in words: nobody performs or verifies it"
_SOURCE = "an item below a heading that says to verify is taken as a box"


class Words:
    """Reads what sections say in words."""

    def __init__(self, lines: Sequence[str], marks: Marks, kinds: Kinds, below: Below) -> None:
        self._lines, self._marks, self._kinds, self._below = lines, marks, kinds, below
        self._labels: set[int] = set()  # lines of those whose items are boxes

    def boxes_from(self, section: Section, what: str) -> tuple[Checkbox, ...]:
        """Return the boxes of `section`, and its items as boxes where they have none."""
        return self._boxes(section, section.entries, what)

    def boxes_below_labels(self, section: Section, what: str) -> tuple[Checkbox, ...]:
        """Return the boxes of `section`, and the items below a label such as “Verify:”."""
        labelled = [one for one in section.entries if self._says_to_verify(section, one)]
        return self._boxes(section, labelled, what)

    def _boxes(self, section: Section, items: Sequence[Item], what: str) -> tuple[Checkbox, ...]:
        found = [Checkbox(_ENUMERATED.sub("", one.text), one.line) for one in section.checkboxes]
        if items is section.entries:
            found += self._ticked(section, what)
        for item in items:
            if item.text.startswith("[ ]") or item.holds or not item.text or item.detail:
                continue
            if _NOT_MET.match(item.text):
                self._marks.refuse(item.line, "it is marked as not met: is it to hold, or not?")
                continue
            met = _MET.sub("", item.text)
            if item.line in self._marks.used or item.line in self._marks.unread:
                continue
            if met == item.text and looks_like(self._lines[item.line - 1]):
                continue  # a command in words, which nobody performs
            if self._kinds.conditional(met):
                self._marks.refuse(item.line, "a condition that somebody must judge")
                continue
            found.append(self._taken(item.line, met, what))
        return tuple(sorted(found, key=lambda one: one.line))

    def _ticked(self, section: Section, what: str) -> Iterator[Checkbox]:
        """Yield lines with a tick, and rows of a table that say one thing and have a box."""
        for line, text in section.texts:
            if _MET.match(text) and line not in self._marks.used:
                yield self._taken(line, _MET.sub("", text), what)
        for row in section.rows:
            said = checked_in(row)
            if said and row.line not in self._marks.used:
                yield self._taken(row.line, said, what)

    def _taken(self, line: int, text: str, what: str) -> Checkbox:
        self._below.at(line, what, text, _SOURCE)
        return Checkbox(text, line)

    def _says_to_verify(self, section: Section, item: Item) -> bool:
        outer = [one for one in section.entries if one.line < item.line <= one.last_line]
        if outer:
            verifies = self._verifies(outer[-1].text)
            self._labels |= {outer[-1].line} if verifies else set()
            return verifies
        label = label_above(section, item.line)
        if not label.endswith(":") and len(label) > _LONGEST_LABEL:
            return False
        if self._kinds.conditional(label) or self._kinds.against(label):
            return False
        if self._verifies(label):
            self._labels.add(max(at for at, _ in section.texts if at < item.line))
            return True
        return False

    def _verifies(self, label: str) -> bool:
        says = self._kinds.of(label) is Kind.VERIFICATION
        return says or bool(_LABELS_CHECKS.fullmatch(bare(label)))

    def refuse_words(self, section: Section) -> None:
        """Name what `section` says to do in words, and nobody took."""
        for line, text in section.texts:
            if line in self._labels:
                continue
            if line in self._marks.used or (text.endswith(":") and not _THEN.search(text)):
                continue
            if is_time_line(text):
                self._marks.refuse(line, "a time of which nobody knows what it is for")
            said = list(sentences_in(text))
            if any(map(self._says_to, said)):
                self._marks.refuse(line, _WORDS_ONLY)
            elif any(_BANS.match(bare(one)) for one in said):
                self._marks.refuse(line, "what must not be done, which nobody holds")
        for item in section.entries:
            if item.line in self._marks.used or item.line in self._marks.unread:
                continue
            if item.text.startswith("[ ]") or not item.text or item.line in self._labels:
                continue
            inside = range(item.line, item.last_line + 1)
            holds = item.holds and any(one in self._marks.used for one in inside)
            if (item.ordered or self._kinds.does(item.text)) and not holds:
                self._marks.refuse(item.line, _WORDS_ONLY)

    def refuse_checks(self, section: Section) -> None:
        """Name what a section that verifies says in sentences: nobody looks at it."""
        for line, text in section.texts:
            if line in self._marks.used or line in self._labels or text.endswith(":"):
                continue
            if _THRESHOLD.search(text):
                self._marks.refuse(line, "a check within a sentence: make it an item of a list")

    def _says_to(self, sentence: str) -> bool:
        plain = _FIRST_WORDS.sub("", bare(sentence))
        if self._kinds.does(plain) or _EXPECTED.match(plain) or _NEEDS.search(plain):
            return True
        return bool(_ASKS.search(plain[:_MOST_LETTERS]))


def sentences_in(text: str) -> Iterator[str]:
    """Yield the sentences of a paragraph."""
    yield from re.split(r"(?<=[.;!])\s+", text)


def label_above(section: Section, line: int) -> str:
    """Return the text right above a list whose item stands in `line`; "" where a block or nothing
    stands there.
    """
    at, text = max((one for one in section.texts if one[0] < line), default=(0, ""))
    blocks = [*(one.line for one in section.fences), *(one.line for one in section.rows)]
    between = any(at < one < line for one in blocks)
    return "" if between else text
