"""Reads a runbook: Markdown in, typed objects out, or every problem with its line."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from dataclasses import replace
from pathlib import Path

from drill.errors import UsageError
from drill.runbook.amounts import band, budget, duration_s, percent
from drill.runbook.model import (
    Authority,
    Band,
    Budget,
    Checklist,
    Contact,
    MatrixRow,
    Procedure,
    Runbook,
    Scenario,
    Severity,
    Step,
    Template,
    Trigger,
)
from drill.runbook.outline import Section, outline
from drill.runbook.problems import Problems

_PROCEDURE = re.compile(r"procedure (?P<number>\d+)\s*[:.–-]\s*(?P<title>.+)", re.IGNORECASE)
_STEP = re.compile(
    r"steps? (?P<first>\d+)(\s*[-–]\s*(?P<last>\d+))?\s*[:.–-]\s*(?P<title>.+)", re.IGNORECASE
)
_IN_BRACKETS = re.compile(r"\s*\((?P<text>[^()]*\d[^()]*)\)\s*$")
_FOLLOW = re.compile(
    r"steps? (?P<first>\d+)(\s*[-–]\s*(?P<last>\d+))? (of|from|in) procedure (?P<number>\d+)",
    re.IGNORECASE,
)
_WATCH = re.compile(
    r"\b(watch|monitor|observe)\b.*?\bfor\s+(?P<window>\d[\d.]*\s*\w+)", re.IGNORECASE
)
_DROPPED = re.compile(r"dropped on purpose:\s*(?P<names>\w[\w., ]*)", re.IGNORECASE)
# A paragraph of its own: "Transformed: `table.column` by `expression`; `table.column` by …".
_TRANSFORMED = re.compile(r"^transformed:\s*(?P<all>.+?)\.?$", re.IGNORECASE)
_BY = re.compile(r"\s*(?P<column>\w+\.\w+) by (?P<expression>\S.*)")
_TRIGGER = re.compile(r"^(\[.\]\s*)?(?P<name>[^:]+):\s*(?P<text>.*)$")


def parse(path: Path) -> Runbook:
    """Return the runbook in the file `path`.

    Raises UsageError when it cannot be read, RunbookError with all its problems when it is none.
    """
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8")
    except OSError as error:
        raise UsageError(
            f"a runbook at {path}", error.strerror or str(error), "set RUNBOOK=FILE"
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"UTF-8 text in {path}", str(error), "save it as UTF-8") from error
    return _Reader(path, raw, text).runbook()


class _Reader:
    """One reading of a document: its outline, and the problems found on the way."""

    def __init__(self, path: Path, raw: bytes, text: str) -> None:
        self.path = path
        self.sha256 = hashlib.sha256(raw).hexdigest()
        self.problems = Problems(path)
        self.sections = list(outline(text).walk())

    def runbook(self) -> Runbook:
        """Return what the document says, or raise all problems."""
        title = next((s.title for s in self.sections if s.level == 1), "")
        if not title:
            self.problems.add(0, "a title (# …)", "none")
        found = Runbook(
            path=self.path,
            sha256=self.sha256,
            title=title,
            triggers=self._triggers(),
            matrix=self._matrix(),
            pre_rollback=self._checklist(
                r"pre-?roll ?back checklist|^preparation|^before you", "a checklist for preparation"
            ),
            procedures=self._procedures(),
            post_rollback=tuple(
                _as_checklist(s)
                for s in self.sections
                if s.checkboxes
                and re.search(r"within|immediate", s.title, re.IGNORECASE)
                and not _severity(s.title)
            ),
            verification=self._checklist(
                r"verification checklist|final verification", "a verification checklist"
            ),
            scenarios=self._scenarios(),
            authority=tuple(
                Authority(row.cells["severity"], row.cells["authorized by"], row.line)
                for section in self.sections
                for row in section.rows
                if {"severity", "authorized by"} <= row.cells.keys()
            ),
            templates=tuple(
                Template(fence.label or section.title, fence.content, fence.line)
                for section in self.sections
                for fence in section.fences
                if not fence.is_shell
            ),
            contacts=tuple(
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
            ),
        )
        self._check_scenarios(found)
        self.problems.raise_if_any()
        return found

    def _find(self, pattern: str) -> Section | None:
        found = (s for s in self.sections if re.search(pattern, s.title, re.IGNORECASE))
        return next(found, None)

    def _checklist(self, pattern: str, what: str) -> Checklist:
        section = self._find(pattern)
        if section is None or not section.checkboxes:
            line = section.line if section else 0
            self.problems.add(line, f"{what} (a heading with `- [ ]` items)", "none")
            return Checklist("", (), (), 0)
        return _as_checklist(section)

    def _triggers(self) -> tuple[Trigger, ...]:
        top = self._find(r"when to roll ?back|when to roll back")
        found = []
        for section in top.walk() if top else ():
            severity = _severity(section.title)
            for line, text in section.items if severity else ():
                match = _TRIGGER.match(text)
                if match and severity:
                    found.append(Trigger(severity, match["name"].strip(), match["text"], line))
                else:
                    self.problems.add(line, "a trigger such as '- **Name**: text'", repr(text))
        if not found:
            self.problems.add(top.line if top else 0, "triggers under 'When to roll back'", "none")
        return tuple(found)

    def _matrix(self) -> tuple[MatrixRow, ...]:
        wanted = {"condition", "error rate", "decision"}
        rows = [r for s in self.sections for r in s.rows if wanted <= r.cells.keys()]
        found: list[MatrixRow] = []
        for row in rows:
            speed = row.cells.get("performance") or row.cells.get("p95", "")
            try:
                found.append(
                    MatrixRow(
                        condition=row.cells["condition"],
                        error_rate=band(row.cells["error rate"], percent),
                        p95=band(speed, duration_s),
                        decision=re.sub(r"^[^\w]+", "", row.cells["decision"]).strip(),
                        line=row.line,
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

    def _procedures(self) -> tuple[Procedure, ...]:
        raw: dict[int, tuple[Procedure, list[Section]]] = {}
        for section in self.sections:
            match = _PROCEDURE.match(section.title)
            if match:
                number = int(match["number"])
                if number in raw:
                    self.problems.add(section.line, f"one Procedure {number}", "a second one")
                raw[number] = self._procedure(number, match["title"].strip(), section)
        if not raw:
            self.problems.add(0, "at least one heading 'Procedure 1: …'", "none")
        own = {number: self._own_steps(number, sections) for number, (_, sections) in raw.items()}
        return tuple(
            replace(procedure, steps=self._steps(number, sections, own))
            for number, (procedure, sections) in sorted(raw.items())
        )

    def _procedure(
        self, number: int, title: str, section: Section
    ) -> tuple[Procedure, list[Section]]:
        below = list(section.walk())
        lines = [(line, text) for line, text in section.texts]
        use_when = next(
            (t.partition(":")[2] for _, t in lines if t.lower().startswith("use when")), ""
        )
        estimate = Budget(0, math.inf, "")
        for line, text in lines:
            match = re.search(r"time estimate:?\s*(?P<text>.+)", text, re.IGNORECASE)
            if match:
                estimate = self._budget(line, match["text"], f"Procedure {number}") or estimate
        if not estimate.text:
            self.problems.add(
                section.line,
                f"a time estimate of Procedure {number} ('Time estimate: 5-10 minutes')",
                "none",
            )
        before = next((s for s in below if "prerequisite" in s.title.lower()), None)
        return (
            Procedure(
                number=number,
                title=title,
                use_when=use_when.strip(),
                estimate=estimate,
                prerequisites=before.checkboxes if before else (),
                steps=(),
                line=section.line,
                prerequisite_blocks=before.blocks if before else (),
                dropped=tuple(
                    name
                    for one in below
                    for _, text in one.texts
                    if (match := _DROPPED.search(text))
                    for name in re.findall(r"\w+(?:\.\w+)?", match["names"])
                ),
                transformed=self._transformed(below),
            ),
            [s for s in below if _STEP.match(s.title)],
        )

    def _transformed(self, below: list[Section]) -> dict[str, str]:
        """Return what becomes of columns, as a procedure declares it."""
        found = {}
        for line, text in (pair for section in below for pair in section.texts):
            declared = _TRANSFORMED.match(text)
            for one in declared["all"].split(";") if declared else ():
                match = _BY.fullmatch(one)
                if match:
                    found[match["column"]] = match["expression"].strip()
                else:
                    self.problems.add(line, "'Transformed: `table.column` by `expression`'", one)
        return found

    def _own_steps(self, procedure: int, sections: list[Section]) -> dict[int, Step]:
        """Return the steps that a procedure describes itself, by the number in their heading."""
        steps = {}
        for section in sections:
            match = _STEP.match(section.title)
            if not match or _followed(section):
                continue
            number = int(match["first"])
            bracket = _IN_BRACKETS.search(section.title)
            found = bracket and self._budget(section.line, bracket["text"], f"step {number}")
            if not bracket:
                self.problems.add(
                    section.line,
                    f"a budget of step {number} of Procedure {procedure}, such as '(2 minutes)'",
                    repr(section.title),
                )
            if number in steps:
                self.problems.add(
                    section.line, f"one step {number} of Procedure {procedure}", "two"
                )
            watch = next((m for _, t in section.texts if (m := _WATCH.search(t))), None)
            steps[number] = Step(
                number=number,
                title=_IN_BRACKETS.sub("", match["title"]).strip(),
                budget=found or Budget(0, 0, ""),
                blocks=section.blocks,
                checkboxes=section.checkboxes,
                line=section.line,
                window_s=duration_s(watch["window"]) if watch else 0.0,
            )
        return steps

    def _steps(
        self, procedure: int, sections: list[Section], own: dict[int, dict[int, Step]]
    ) -> tuple[Step, ...]:
        """Return the steps of a procedure with those that it takes over, numbered from 1."""
        steps: list[Step] = []
        for section in sections:
            follow = _followed(section)
            if follow is None:
                match = _STEP.match(section.title)
                assert match
                steps.append(own[procedure][int(match["first"])])
                continue
            other = int(follow["number"])
            for number in range(int(follow["first"]), int(follow["last"] or follow["first"]) + 1):
                if number in own.get(other, {}):
                    origin = f"Procedure {other}, Step {number}"
                    steps.append(replace(own[other][number], origin=origin))
                else:
                    self.problems.add(section.line, f"step {number} in Procedure {other}", "none")
        if not steps:
            self.problems.add(0, f"steps in Procedure {procedure}", "none")
        return tuple(replace(step, number=i) for i, step in enumerate(steps, 1))

    def _budget(self, line: int, text: str, whose: str) -> Budget | None:
        try:
            return budget(text)
        except ValueError as error:
            self.problems.add(line, f"a budget of {whose}", str(error))
            return None

    def _scenarios(self) -> tuple[Scenario, ...]:
        found = []
        for section in self.sections:
            heads = [(section.line, section.title), *section.texts]
            items = section.items
            for position, (line, head) in enumerate(heads):
                match = re.match(r"scenario (?P<n>\d+)\s*:\s*(?P<title>.+)", head, re.IGNORECASE)
                if not match:
                    continue
                after = heads[position + 1][0] if position + 1 < len(heads) else math.inf
                facts = {
                    key.strip().lower(): value.strip()
                    for at, text in items
                    if line < at < after
                    for key, _, value in [text.partition(":")]
                }
                number = re.search(r"procedure (\d+)", facts.get("procedure", ""), re.IGNORECASE)
                if not number or "symptom" not in facts:
                    self.problems.add(
                        line, "a symptom and a procedure of this scenario", str(facts)
                    )
                    continue
                found.append(
                    Scenario(
                        int(match["n"]), match["title"].strip(), facts["symptom"], int(number[1]),
                        facts.get("reason", ""), line,
                    )
                )  # fmt: skip
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


def _followed(section: Section) -> re.Match[str] | None:
    """Return where a step's text says that another procedure's steps are to be followed."""
    for _, text in section.texts:
        if text.lower().startswith("follow"):
            match = _FOLLOW.search(text)
            if match:
                return match
    return None


def _severity(title: str) -> Severity | None:
    return next((s for s in Severity if re.match(s.value, title, re.IGNORECASE)), None)


def _as_checklist(section: Section) -> Checklist:
    bracket = _IN_BRACKETS.search(section.title)
    try:
        found = budget(bracket["text"]) if bracket else None
    except ValueError:
        found = None
    title = _IN_BRACKETS.sub("", section.title) if found else section.title
    return Checklist(title, section.checkboxes, section.blocks, section.line, found)


__all__ = ["Band", "parse"]
