"""What else such a document says: triggers, preparation, verification, what comes after."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from rollback_drill.runbook.budgets import looks_like_time
from rollback_drill.runbook.hints import Hints
from rollback_drill.runbook.kinds import Kind
from rollback_drill.runbook.loose import LooseReader
from rollback_drill.runbook.marks import Marks
from rollback_drill.runbook.model import (
    Checkbox,
    Checklist,
    CodeBlock,
    MatrixRow,
    Severity,
    Trigger,
)
from rollback_drill.runbook.outline import Item, Row, Section
from rollback_drill.runbook.standard import Below, final_boxes, matrix_below, standard_set
from rollback_drill.runbook.titles import PROCEDURE_TITLE, bare
from rollback_drill.runbook.told_in_words import label_above, sentences_in
from rollback_drill.runbook.wording import PLAIN_TIME, seconds

_TIERS = (
    (Severity.CRITICAL, r"\b(?:critical|immediate(?:ly)?|emergency|at once|p0|sev-?[01])\b"),
    (Severity.MEDIUM, r"\b(?:medium|consider|warning|p2|sev-?[34])\b"),
    (Severity.HIGH, r"\b(?:high|urgent|p1|sev-?2)\b"),
)
_WITHIN = re.compile(rf"\bwithin (?P<time>{PLAIN_TIME})", re.IGNORECASE)
_NO_REASON = re.compile(
    r"\b(?:do not|don't|never|not|no roll-?back|hold|instead|roll forward|fix forward)\b",
    re.IGNORECASE,
)
_CALLS_FOR_NONE = re.compile(
    r"(?:\u2192|\u21d2|->|=>|:)\s*(?:no|do not|don't|not|never|fix|roll(?:ing)? forward|scale|"
    r"investigate|monitor|watch|page|talk|ask|call|escalate|wait|hold|tell|notify)\b(?! errors?\b)",
    re.IGNORECASE,
)
_NAMED = re.compile(r"^(?P<name>[^:]{2,80}):\s+(?P<text>.+)$")
_WHAT = re.compile(
    r"^(?:signal|metric|condition|symptom|trigger|indicator|what|criteri(?:on|a)|check|kpi)s?$"
)
_LIMIT = re.compile(
    r"^(?:threshold|value|limit|criteria|when|(?:go|roll) ?-?back (?:if|when|at)"
    r"|roll-?back threshold)s?$"
)
_ACTION = re.compile(r"^(?:action|response|decision|what to do|do|reaction)s?$")
_TIER = re.compile(r"^(?:severity|tier|priority|level|urgency|class|sev)$")
_LASTS = re.compile(r"^(?:duration|window|for|period|sustained(?: for)?|time|time window|lasting)$")
_AT_ONCE = re.compile(r"|-|–|—|any|none|n/?a|immediate(?:ly)?|at once|instant", re.IGNORECASE)
_ROLL_BACK_IF = re.compile(
    r"(?:we |you |please |always |then |the on-?call )*(?:should |must |will )*"
    r"(?:immediately |consider )*(?:roll(?:ing)?[ -]?back|revert(?:ing)?|abort(?:ing)?|"
    r"execute (?:a |the )?rollback|rollback)(?: the \w+| immediately| at once)?,? "
    r"(?:if|when|whenever|as soon as)\b(?P<name>.*)",
    re.IGNORECASE,
)
_ROLLS_BACK = re.compile(r"\broll|\brevert|\babort", re.IGNORECASE)
_SIGNS = re.compile(
    r"(?:symptoms?|triggers?|signals?|(?:roll-?back|abort|trigger) (?:criteria|conditions?|"
    r"thresholds?|if|when))\b\W",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"(?:when|criteria|conditions?|thresholds?)(?: to roll back)?\s*:", re.IGNORECASE
)
_OF_TIME = re.compile(
    r"(?:(?:estimated|expected|total|max(?:imum)?|roll-?back|back-?out|target) )*"
    r"(?:time|duration|timing|time ?frame|eta|rto|sla|time (?:limit|budget|estimate"
    r"|required))s?\W*$",
    re.IGNORECASE,
)
_STATE = re.compile(
    r"[<>≤≥%]|\b(?:is|are|works?|answers?|returns?|responds?|shows?|below|above|no errors?|"
    r"normal)\b",
    re.IGNORECASE,
)
_LONGEST_LABEL = 40
_IF = re.compile(r"\b(?:if|when|whenever|unless|once)\b|[<>≥≤]", re.IGNORECASE)
_SEVERAL = re.compile(r"\b(?:or|and|but|unless|any|all)\b|[;/]", re.IGNORECASE)
_IN_SENTENCE = "a condition within a sentence, which nobody holds: make it an item of a list"
_IN_WORDS = "an instruction in words: nobody performs or verifies it"
_FOR_NOTHING = "an item of which nobody knows what it is for"


def is_loose(sections: Sequence[Section]) -> bool:
    """Whether a document is of another form than ours.

    Who has our matrix, or our procedures with times, has begun with our form and is held to it.
    """
    rows = (row for one in sections for row in one.rows)
    if any({"condition", "error rate", "decision"} <= row.cells.keys() for row in rows):
        return False
    procedures = [one for one in sections if PROCEDURE_TITLE.match(bare(one.title))]
    below = (part for one in procedures for part in one.walk())
    return not any(
        re.search(r"\d ?(?:s|sec|min|m|h)\w*\)|time estimate", f"{part.title} {texts}", re.I)
        for part in below
        for texts in [" ".join(text for _, text in [*part.texts, *part.items])]
    )


class LooseParts:
    """Reads all but the procedures of such a document. `ways` has read those."""

    def __init__(
        self, top: Section, ways: LooseReader, marks: Marks, hints: Hints, below: Below
    ) -> None:
        self._top, self._ways, self._marks = top, ways, marks
        self._hints, self._below = hints, below
        self._sections = list(self._open(top))

    def triggers(self) -> tuple[Trigger, ...]:
        """Return conditions as triggers, each in the tier that is said, or the standard one."""
        found = [trigger for one in self._of(Kind.TRIGGERS) for trigger in self._triggers_in(one)]
        for section, kind in self._sections:
            if kind in (Kind.OTHER, Kind.ROLLBACK):
                found += self._labelled_triggers(section)
                self._refuse_conditions(section)
        for tier, texts in self._hints.triggers.items():
            for text in texts:
                line = self._below.add(f"trigger, {tier}", text, self._hints.source)
                found.append(Trigger(Severity(tier), text, "", line))
        return tuple(found)

    def matrix(self) -> tuple[MatrixRow, ...]:
        """Return the matrix of the staging file, or the standard one. Raises ValueError."""
        if not self._ways.found:
            return ()
        standard = standard_set()
        rows: Sequence[Mapping[str, str]] = self._hints.matrix or standard.matrix
        source = self._hints.source if self._hints.matrix else standard.matrix_source
        return tuple(matrix_below([dict(one) for one in rows], source, self._below))

    def preparation(self) -> Checklist:
        """Return what is to be done before: blocks and boxes."""
        sections = list(self._of(Kind.PREPARATION))
        boxes = [box for one in sections for box in one.checkboxes]
        blocks = self._blocks_of(sections)
        for one in sections:
            self._ways.words.refuse_words(one)
        if not boxes and not blocks:
            return Checklist("Preparation", (), (), 0)
        for one in sections:
            self._marks.use(one.line, f"checklist “{one.title}”", one.last_line)
        return Checklist(sections[0].title, tuple(boxes), blocks, sections[0].line)

    def verification(self) -> Checklist:
        """Return what is verified in the end: what the document says, and the standard boxes."""
        sections = list(self._of(Kind.VERIFICATION))
        boxes = [box for one in sections for box in self._ways.words.boxes_from(one, "box")]
        boxes += [
            box
            for one in self._of(Kind.AFTERWARDS)
            for box in (one.checkboxes if not one.fences else ())
            if self._is_state(box)
        ]
        blocks = self._blocks_of(sections)
        for box in boxes:
            self._marks.use(box.line, "final verification: box")
        for one in sections:
            self._ways.words.refuse_words(one)
            self._ways.words.refuse_checks(one)
            if one.checkboxes or one.fences or one.entries or one.rows:
                self._marks.use(one.line, f"checklist “{one.title}”", one.last_line)
        more = final_boxes(boxes, self._below) if self._ways.found else ()
        named = next((s for s in sections if s.checkboxes or s.fences or s.entries or s.rows), None)
        title = named.title if named else standard_set().final_title
        line = named.line if named else more[0].line if more else 0
        return Checklist(title, (*boxes, *more), blocks, line)

    def afterwards(self) -> tuple[Checklist, ...]:
        """Return what is to be done after a rollback: at once by commands, and by people."""
        found = []
        for one in self._of(Kind.AFTERWARDS):
            blocks = self._blocks_of([one])
            items = [
                Checkbox(item.text, item.line)
                for item in one.entries
                if item.text and not item.text.startswith("[ ]") and not item.detail
            ]
            if blocks:
                found.append(Checklist(one.title, one.checkboxes, blocks, one.line))
            tasks = [box for box in one.checkboxes if not self._is_state(box)]
            people = tuple(items) if blocks else (*tasks, *items)
            if people:
                found.append(Checklist(one.title, people, (), one.line))
                for item in one.entries:
                    self._marks.use(item.line, "for people to do afterwards")
                self._marks.use(one.line, f"checklist “{one.title}”", one.last_line)
        return tuple(found)

    def _blocks_of(self, sections: Sequence[Section]) -> tuple[CodeBlock, ...]:
        """Return the blocks of `sections` but for those whose heading is a condition."""
        plain = [one for one in sections if not self._ways.kinds.conditional(one.title)]
        for one in sections:
            if one not in plain:
                why = f"“{one.title[:60]}” is a condition that somebody must judge"
                self._ways.refuse_blocks([one], why)
        return self._ways.blocks_of(plain)

    def _is_state(self, box: Checkbox) -> bool:
        """Whether a box says what is to be seen, and not what people have to do."""
        return bool(_STATE.search(box.text)) and not self._ways.kinds.does(box.text)

    def refuse_left(self) -> None:
        """Name each item below a heading of which nobody knows what it is for, and what a heading
        about rolling back says to do in words.
        """
        for section, kind in self._sections:
            if _OF_TIME.match(bare(section.title)):
                for line, text in [*section.texts, *section.items]:
                    if looks_like_time(text) and line not in self._marks.used:
                        self._marks.refuse(line, "a time of which nobody knows what it is for")
            if kind not in (Kind.OTHER, Kind.ROLLBACK, Kind.CONDITION):
                continue
            for item in section.entries:
                inside = range(item.line, item.last_line + 1)
                if not item.text or item.text.startswith("[ ]"):
                    continue
                if not any(self._marks.knows(line) for line in inside):
                    why = _IN_WORDS if item.ordered else _FOR_NOTHING
                    self._marks.refuse(item.line, why)
            if kind is Kind.ROLLBACK:
                self._ways.words.refuse_words(section)

    def _open(self, section: Section, kind: Kind = Kind.OTHER) -> Iterator[tuple[Section, Kind]]:
        """Yield sections that are no part of a procedure, with what they are about.

        A heading without a word of its own is about what the one above it is about.
        """
        own = self._ways.performable.kind_of(section) if section is not self._top else Kind.OTHER
        if own in (Kind.OTHER, Kind.ROLLBACK) and kind in (
            Kind.VERIFICATION, Kind.PREPARATION, Kind.TRIGGERS, Kind.AFTERWARDS, Kind.TALK,
            Kind.AUTOMATIC, Kind.AGAINST, Kind.FORWARD,
        ):  # fmt: skip
            own = kind
        if section in self._ways.taken:
            own = Kind.ROLLBACK
        yield section, own
        for child in section.children:
            yield from self._open(child, own)

    def _of(self, wanted: Kind) -> Iterator[Section]:
        return (
            one for one, kind in self._sections if kind is wanted and one not in self._ways.taken
        )

    def _labelled_triggers(self, section: Section) -> Iterator[Trigger]:
        """Yield items below a label such as “Roll back if any of these is true:”."""
        for item in section.entries:
            label = label_above(section, item.line)
            if not item.text or item.holds or item.detail or self._marks.knows(item.line):
                continue
            if not label.endswith(":") and len(label) > _LONGEST_LABEL:
                continue
            if _NO_REASON.search(label) and _ROLLS_BACK.search(label):
                self._marks.refuse(item.line, "no reason to roll back: nobody holds that")
            elif _ROLL_BACK_IF.match(bare(label)) or (
                len(label) <= _LONGEST_LABEL and self._ways.kinds.of(label) is Kind.TRIGGERS
            ):
                found = self._trigger_of_item(item, label)
                self._marks.use(item.line, f"trigger, {found.severity.value}")
                yield found

    def _refuse_conditions(self, section: Section) -> None:
        """Name conditions in sentences, such as “Symptoms: lag > 100”."""
        for line, text in section.texts:
            for sentence in sentences_in(text):
                name = bare(sentence)
                begins = _ROLL_BACK_IF.match(name) or _SIGNS.match(name) or _WHEN.match(name)
                if begins and re.search(r"\d", name) and line not in self._marks.used:
                    self._marks.refuse(line, _IN_SENTENCE)

    def _trigger_of_item(self, item: Item, said: str) -> Trigger:
        text = re.sub(r"^\[.\]\s*", "", item.text).strip(" .")
        match = _NAMED.match(text)
        name, rest = (match["name"], match["text"]) if match else (text, "")
        if rest and _tier_of(bare(name)) and _tier_words(name):
            return self._trigger(name, rest, "", item.line)
        return self._trigger(said, name, rest, item.line)

    def _triggers_in(self, section: Section) -> Iterator[Trigger]:
        for item in section.entries:
            if not item.text:
                continue
            said = self._said_above(section, item.line)
            if _NO_REASON.search(said):
                self._marks.refuse(item.line, "no reason to roll back: nobody holds that")
                continue
            if item.holds or item.detail:
                continue
            if _CALLS_FOR_NONE.search(item.text):
                self._marks.refuse(item.line, "it calls for something else than a rollback")
                continue
            yield self._trigger_of_item(item, said or section.title)
        for row in section.rows:
            yield from self._trigger_of_row(section, row)
        yield from self._triggers_in_words(section)

    def _triggers_in_words(self, section: Section) -> Iterator[Trigger]:
        """Yield what a sentence names as the one reason to roll back; refuse what names several."""
        for line, text in section.texts:
            for sentence in sentences_in(text):
                match = _ROLL_BACK_IF.match(bare(sentence))
                if not match or line in self._marks.used:
                    if _IF.search(sentence) and re.search(r"\d", sentence):
                        self._marks.refuse(line, _IN_SENTENCE)
                    continue
                name = match["name"].strip(" .")
                if name.endswith(":") or not name:
                    continue
                if _SEVERAL.search(name):
                    self._marks.refuse(line, _IN_SENTENCE)
                    continue
                self._marks.use(line, "a trigger in a sentence")
                yield self._trigger(sentence, name, "", line)

    def _trigger_of_row(self, section: Section, row: Row) -> Iterator[Trigger]:
        what = next((cell for name, cell in row.cells.items() if _WHAT.match(name)), "")
        limit = next((cell for name, cell in row.cells.items() if _LIMIT.match(name)), "")
        if not what or not limit:
            return
        action = next((cell for name, cell in row.cells.items() if _ACTION.match(name)), "")
        if action and (not self._ways.kinds.about_rollback(action) or _NO_REASON.search(action)):
            self._marks.refuse(row.line, f"it calls for something else (“{action[:40]}”)")
            return
        tier = " ".join(cell for name, cell in row.cells.items() if _TIER.match(name))
        lasts = next((cell for name, cell in row.cells.items() if _LASTS.match(name)), "")
        told = "" if _AT_ONCE.fullmatch(lasts.strip()) else lasts.strip()
        text = f"{what} {limit}" + (f" for {told}" if told else "")
        known = (_WHAT, _LIMIT, _ACTION, _TIER, _LASTS)
        for name, cell in row.cells.items():
            if re.search(r"\d", cell) and not any(one.match(name) for one in known):
                self._marks.refuse(row.line, f"nobody reads the column {name!r} of it")
        yield self._trigger(f"{tier} {action}".strip() or section.title, text, "", row.line)

    def _trigger(self, said: str, name: str, text: str, line: int) -> Trigger:
        standard = standard_set()
        tier = _tier_of(said)
        within = _WITHIN.search(said)
        within_s = seconds(within["time"]) if within else math.inf
        if tier is None:
            tier = Severity(standard.tier)
            self._below.at(line, f"tier of “{name}”", standard.tier, standard.tier_source)
            within_s = seconds(standard.tier_within) if math.isinf(within_s) else within_s
        return Trigger(tier, name, text, line, within_s)

    def _said_above(self, section: Section, line: int) -> str:
        """Return the label or sentence above a list, "" for none: it names the tier."""
        before = [text for at, text in section.texts if at < line]
        return before[-1] if before else section.title


def _tier_of(said: str) -> Severity | None:
    return next((one for one, words in _TIERS if re.search(words, said, re.IGNORECASE)), None)


def _tier_words(name: str) -> bool:
    """Whether `name` names a tier and nothing else: “🔴 Critical”, “P1”, “High priority”."""
    rest = re.sub("|".join(words for _, words in _TIERS), " ", name, flags=re.IGNORECASE)
    return not re.search(r"\b(?!severity|priority|tier|level)[^\W\d_]+", rest, re.IGNORECASE)
