"""Reads a runbook: Markdown in, typed objects out, or every problem with its line."""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
import re
from pathlib import Path

from rollback_drill.runbook.amounts import band, duration_s, percent, speed_of
from rollback_drill.runbook.budgets import budget, looks_like_time
from rollback_drill.runbook.commands import commands, template
from rollback_drill.runbook.coverage import Reading, account, span_of
from rollback_drill.runbook.dialects import front_title
from rollback_drill.runbook.hints import NO_HINTS, Hints
from rollback_drill.runbook.kinds import Kinds
from rollback_drill.runbook.language import check_language
from rollback_drill.runbook.loose import LooseReader
from rollback_drill.runbook.looseparts import LooseParts, is_loose
from rollback_drill.runbook.marks import Marks
from rollback_drill.runbook.model import (
    Authority,
    Band,
    Checklist,
    Contact,
    MatrixRow,
    Runbook,
    Scenario,
    Severity,
    Template,
    Trigger,
)
from rollback_drill.runbook.outline import Section, outline
from rollback_drill.runbook.problems import Problems
from rollback_drill.runbook.procedures import ProcedureReader, split_budget
from rollback_drill.runbook.standard import Below
from rollback_drill.runbook.text import read_text, without_separators
from rollback_drill.runbook.titles import PROCEDURE_TITLE, STEP, bare
from rollback_drill.runbook.wording import PLAIN_TIME, seconds

_SCENARIO = re.compile(
    r"scenario (?P<n>\d{1,4})\s*[:.\u2010-\u2015\uff1a-]\s*(?P<title>.+)", re.IGNORECASE
)
_NUMBER = re.compile(r"procedure (\d{1,4})(?!\d)", re.IGNORECASE)
_WITHIN = re.compile(rf"\bwithin (?P<time>{PLAIN_TIME})", re.IGNORECASE)
_TRIGGER = re.compile(r"^(\[.\]\s*)?(?P<name>[^:]+):\s*(?P<text>.*)$")


def parse(path: Path, hints: Hints = NO_HINTS) -> Runbook:
    """Return the runbook in the file `path`; `hints`: what its team says of it elsewhere.

    Raises UsageError when it cannot be read, RunbookError with all its problems when it is none.
    """
    return _parsed(path, *read_text(path), hints)


@functools.lru_cache(maxsize=4)  # many drills of one document
def _parsed(path: Path, raw: bytes, text: str, hints: Hints) -> Runbook:
    found = _Reader(path, raw, text, hints).reading()
    found.problems.raise_if_any()
    return found.runbook


def read_document(path: Path, hints: Hints = NO_HINTS) -> Reading:
    """Return what could be understood of the document in the file `path`, drillable or not.

    Raises UsageError when the file cannot be read.
    """
    raw, text = read_text(path)
    return _Reader(path, raw, text, hints).reading()


class _Reader:
    """One reading of a document: its outline, and the problems found on the way."""

    def __init__(self, path: Path, raw: bytes, text: str, hints: Hints) -> None:
        self.path = path
        self.hints = hints
        self.sha256 = hashlib.sha256(raw).hexdigest()
        self.problems = Problems(path)
        self.marks = Marks()
        self.lines = text.split("\n")
        self.root = outline(without_separators(text))
        self.sections = list(self.root.walk())

    def reading(self) -> Reading:
        """Return what the document says, and what became of each of its lines."""
        loose = self.hints is not NO_HINTS or is_loose(self.sections)
        title = next((s for s in self.sections if s.level == 1), None)
        if title is None and loose:
            title = next((s for s in self.sections if s.title), None)
        if title is None or not title.title:
            self.problems.add(0, "a title (# …)", "none")
        else:
            self.marks.use(title.line, "title", title.last_line)
        if loose:
            return self._loosely(title.title if title else "")
        found = Runbook(
            path=self.path,
            sha256=self.sha256,
            title=title.title if title else "",
            triggers=self._triggers(),
            matrix=self._matrix(),
            pre_rollback=self._checklist(
                r"pre-?roll ?back checklist|^preparation|^before you", "a checklist for preparation"
            ),
            procedures=ProcedureReader(self.sections, self.problems, self.marks).read(),
            verification=self._checklist(
                r"verification checklist|final verification", "a verification checklist"
            ),
            post_rollback=self._post_rollback(),
            scenarios=self._scenarios(),
            authority=self._authority(),
            templates=self._templates(),
            contacts=self._contacts(),
            text="\n".join(self.lines),
        )
        self._check_scenarios(found)
        return account(found, self.problems, self.root, self.marks, self.lines)

    def _loosely(self, title: str) -> Reading:
        """Return what a document of another form says, completed by the standard set."""
        below = Below(len(self.lines))
        top = self._runbook_in()
        check_language(list(top.walk()), self.hints, self.problems)
        ways = LooseReader(top, self.lines, self.problems, self.marks, self.hints, below)
        procedures = ways.read()
        parts = LooseParts(top, ways, self.marks, self.hints, below)
        try:
            own = self._has_matrix() and not self.hints.matrix
            matrix = self._matrix() if own else parts.matrix()
        except ValueError as error:
            self.problems.add(0, "rows of [[runbook.matrix]] as in docs/runbook.md", str(error))
            matrix = ()
        found = Runbook(
            path=self.path,
            sha256=self.sha256,
            title=title,
            triggers=parts.triggers(),
            matrix=matrix,
            pre_rollback=parts.preparation(),
            procedures=procedures,
            verification=parts.verification(),
            post_rollback=parts.afterwards(),
            scenarios=(),
            authority=self._authority(),
            templates=self._templates(),
            contacts=self._contacts(),
            text="\n".join(self.lines),
            assumed=tuple(sorted(below.found, key=lambda one: one.line)),
        )
        parts.refuse_left()
        return account(found, self.problems, top, self.marks, self.lines)

    def _has_matrix(self) -> bool:
        wanted = {"condition", "error rate", "decision"}
        return any(wanted <= row.cells.keys() for one in self.sections for row in one.rows)

    def _runbook_in(self) -> Section:
        """Return the part of the document that is the runbook: all, or what the hints name."""
        wanted = self.hints.section
        top = next((s for s in self.sections if wanted and s.title == wanted), None)
        if wanted and top is None:
            self.problems.add(0, f"the heading {wanted!r} of [runbook]", "no such heading")
        firsts = self.root.children
        alone = len(firsts) == 1 and firsts[0].level == 1
        whole = firsts[0] if alone else self.root
        if whole is self.root:
            whole.title = self._title_of_all(firsts)
        if top is not None:
            inside = span_of(top, self.sections, len(self.lines))
            for line in range(1, len(self.lines) + 1):
                if line not in inside:
                    self.marks.pass_over(line, f"not below “{top.title}”")
        for title in self.hints.ignore:
            one = next((s for s in self.sections if s.title == title), None)
            if one is None:
                self.problems.add(
                    0, f"the heading {title!r} of [runbook] ignore", "no such heading"
                )
                continue
            span = span_of(one, self.sections, len(self.lines))
            self.marks.pass_over(span.start, "left out by the staging file", span.stop - 1)
            for parent in self.sections:
                parent.children = [child for child in parent.children if child is not one]
        return top or whole

    def _title_of_all(self, firsts: list[Section]) -> str:
        """Return what stands above several first headings: the title of the front matter, or the
        first of them where nothing stands below it.
        """
        first = firsts[0] if firsts and firsts[0].level == 1 else None
        alone = first and not (first.children or first.fences or first.entries or first.rows)
        named = first.title if first and alone else front_title("\n".join(self.lines))
        return named if Kinds(self.hints.words).about_rollback(named) else ""

    def _authority(self) -> tuple[Authority, ...]:
        return tuple(
            Authority(row.cells["severity"], row.cells["authorized by"], row.line)
            for section in self.sections
            for row in section.rows
            if {"severity", "authorized by"} <= row.cells.keys()
        )

    def _contacts(self) -> tuple[Contact, ...]:
        return tuple(
            Contact(
                row.cells["role"],
                row.cells["primary"],
                row.cells.get("secondary", ""),
                row.cells.get("escalation", ""),
                row.line,
            )
            for section in self.sections
            for row in section.rows
            if {"role", "primary"} <= row.cells.keys()
        )

    def _post_rollback(self) -> tuple[Checklist, ...]:
        found: list[Checklist] = []
        named = [s for s in self.sections if _is_afterwards(s) and s.line not in self.marks.used]
        for section in named:
            parts = [one for one in section.part() if one is section or one not in named]
            if any(part.checkboxes for part in parts):
                found.append(self._as_checklist(section, parts))
        return tuple(found)

    def _templates(self) -> tuple[Template, ...]:
        found: list[Template] = []

        def visit(section: Section, titles: list[str], *, performed: bool) -> None:
            performed = performed or bool(STEP.match(bare(section.title)))
            above = [*titles, section.title]
            for fence in section.fences:
                one = None if performed else template(fence, above)
                if one is not None:
                    found.append(one)
                    self.marks.use(fence.line, f"template “{one.name}”", fence.last_line)
            for child in section.children:
                visit(child, above, performed=performed)

        visit(self.root, [], performed=False)
        return tuple(found)

    def _find(self, pattern: str) -> Section | None:
        named = (s for s in self.sections if re.search(pattern, bare(s.title), re.IGNORECASE))
        return next(named, None)

    def _checklist(self, pattern: str, what: str) -> Checklist:
        section = self._find(pattern)
        parts = list(section.part()) if section else []
        if section is None or not any(part.checkboxes for part in parts):
            line = section.line if section else 0
            self.problems.add(line, f"{what} (a heading with `- [ ]` items)", "none")
            return Checklist("", (), (), 0)
        return self._as_checklist(section, parts)

    def _as_checklist(self, section: Section, parts: list[Section]) -> Checklist:
        title, bracket = split_budget(section.title, None)
        try:
            found = budget(bracket) if bracket else None
        except ValueError as error:
            found = None
            if looks_like_time(bracket):
                self.marks.refuse(section.line, f"a budget that cannot be read: {error}")
        self.marks.use(section.line, f"checklist “{section.title}”", section.last_line)
        boxes = tuple(box for part in parts for box in part.checkboxes)
        name = title if found else section.title
        return Checklist(name, boxes, commands(parts), section.line, found)

    def _triggers(self) -> tuple[Trigger, ...]:
        top = self._find(r"when to roll ?back|when to roll back")
        found = []
        for section in top.walk() if top else ():
            severity, within_s = _severity(section.title), _within_s(section.title)
            for line, text in section.items if severity else ():
                match = _TRIGGER.match(text)
                assert severity
                # Without a name before a colon, all of it is the name.
                name, rest = (match["name"], match["text"]) if match else (_unboxed(text), "")
                found.append(Trigger(severity, name.strip(), rest, line, within_s))
        if not found:
            self.problems.add(top.line if top else 0, "triggers under 'When to roll back'", "none")
        return tuple(found)

    def _matrix(self) -> tuple[MatrixRow, ...]:
        wanted = {"condition", "error rate", "decision"}
        rows = [r for s in self.sections for r in s.rows if wanted <= r.cells.keys()]
        found: list[MatrixRow] = []
        for row in rows:
            try:
                quantile, speed = speed_of(row.cells)
                found.append(
                    MatrixRow(
                        condition=row.cells["condition"],
                        error_rate=band(row.cells["error rate"], percent),
                        p95=band(speed, duration_s),
                        decision=re.sub(r"^[^\w]+", "", row.cells["decision"]).strip(),
                        line=row.line,
                        quantile=quantile,
                    )
                )
            except ValueError as error:
                self.problems.add(row.line, "a row of the matrix", str(error))
        if not rows:
            self.problems.add(0, "a decision matrix (Condition, Error rate, …, Decision)", "none")
        for before, after in itertools.pairwise(found):
            for name, low, high in (
                ("error rate", before.error_rate, after.error_rate),
                ("performance", before.p95, after.p95),
            ):
                if not math.isclose(low.high, high.low):
                    self.problems.add(
                        after.line,
                        f"{name} to go on where the row above ends ({low.high:g})",
                        f"{high.low:g}",
                    )
        _check_open_end(found, self.problems)
        return tuple(found)

    def _scenarios(self) -> tuple[Scenario, ...]:
        found = []
        for section in self.sections:
            heads = [(section.line, section.title), *section.texts]
            items = section.items
            for position, (line, head) in enumerate(heads):
                match = _SCENARIO.match(bare(head))
                if not match:
                    continue
                after = heads[position + 1][0] if position + 1 < len(heads) else math.inf
                facts = {
                    key.strip().lower(): value.strip()
                    for at, text in items
                    if line < at < after
                    for key, _, value in [text.partition(":")]
                }
                number = _NUMBER.search(facts.get("procedure", ""))
                if not number or "symptom" not in facts:
                    self.problems.add(
                        line, "a symptom and a procedure of this scenario", str(facts)
                    )
                    continue
                for at in (line, *(at for at, _ in items if line < at < after)):
                    self.marks.use(at, f"scenario {int(match['n'])}")
                found.append(
                    Scenario(
                        int(match["n"]),
                        match["title"].strip(),
                        facts["symptom"],
                        int(number[1]),
                        facts.get("reason", ""),
                        line,
                    )
                )
        return tuple(found)

    def _check_scenarios(self, found: Runbook) -> None:
        numbers = {procedure.number for procedure in found.procedures}
        for scenario in found.scenarios:
            if scenario.procedure not in numbers:
                self.problems.add(
                    scenario.line, "a procedure of this document", f"Procedure {scenario.procedure}"
                )


def _check_open_end(rows: list[MatrixRow], problems: Problems) -> None:
    if rows and (rows[-1].error_rate.high, rows[-1].p95.high) != (math.inf, math.inf):
        problems.add(rows[-1].line, "an open end in the last row, such as '>10%'", "an upper edge")
    if rows and (rows[0].error_rate.low, rows[0].p95.low) != (0.0, 0.0):
        problems.add(rows[0].line, "the first row to begin at zero, such as '<1%'", "a lower edge")


def _is_afterwards(section: Section) -> bool:
    """Whether `section` says what is to be done after a rollback."""
    name = bare(section.title)
    return bool(
        re.search(r"within|immediate", name, re.IGNORECASE)
        and not _severity(name)
        and not STEP.match(name)
        and not PROCEDURE_TITLE.match(name)
    )


def _unboxed(text: str) -> str:
    return re.sub(r"^\[.\]\s*", "", text)


def _severity(title: str) -> Severity | None:
    name = bare(title)
    return next((s for s in Severity if re.match(s.value, name, re.IGNORECASE)), None)


def _within_s(title: str) -> float:
    match = _WITHIN.search(title)
    return seconds(match["time"]) if match else math.inf


__all__ = ["Band", "Reading", "parse", "read_document"]
