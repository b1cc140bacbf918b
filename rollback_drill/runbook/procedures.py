"""The procedures of a document and their steps, those that they take over from others included."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from rollback_drill.runbook.budgets import budget, looks_like_time, watch_window_s
from rollback_drill.runbook.commands import commands
from rollback_drill.runbook.marks import Marks
from rollback_drill.runbook.model import Budget, Checkbox, CodeBlock, Procedure, Step
from rollback_drill.runbook.outline import Section
from rollback_drill.runbook.problems import Problems
from rollback_drill.runbook.titles import NUMBERED, PREREQUISITES, PROCEDURE_TITLE, STEP, bare

_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_BEHIND_DASH = re.compile(r"\s[-\u2010-\u2015\u2212|]\s([^-\u2010-\u2015\u2212|]*\d[^|]*)$")
_STEPS = (
    r"steps?\s*(?P<{0}first>\d{{1,4}})(?!\d)"
    r"(\s*(?:[-–—]|to|through)\s*(?P<{0}last>\d{{1,4}})(?!\d))?"
)
_FOLLOW = re.compile(
    rf"{_STEPS.format('a')},?\s+(?:of|from|in)\s+procedure\s*(?P<anumber>\d{{1,4}})(?!\d)"
    rf"|procedure\s*(?P<bnumber>\d{{1,4}})(?!\d)\s*[,:-]?\s*{_STEPS.format('b')}",
    re.IGNORECASE,
)
_EXCEPT = re.compile(
    r"\b(?:except|excluding|without|skip(?:ping)?|omit(?:ting)?|but not|instead|leave out|minus)\b",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(
    r"(?:now |then |first )?(?:follow|repeat|perform|execute|run|do|same|as in|apply|go through|"
    r"steps? \d|procedure \d)",
    re.IGNORECASE,
)
_USE_WHEN = re.compile(r"use (?:this )?(?:when|if)\b:?", re.IGNORECASE)
_ESTIMATE = re.compile(
    r"(?:time estimate|estimated (?:time|duration)|expected (?:time|duration)|duration)\s*:?\s*"
    r"(?P<text>\S.*)",
    re.IGNORECASE,
)
_DROPPED = re.compile(r"dropped on purpose:\s*(?P<names>\w[\w., ]*)", re.IGNORECASE)
# A paragraph of its own: "Transformed: `table.column` by `expression`; `table.column` by …".
_TRANSFORMED = re.compile(r"^transformed:\s*(?P<all>.+?)\.?$", re.IGNORECASE)
_BY = re.compile(r"\s*(?P<column>\w+\.\w+) by (?P<expression>\S.*)")
_NOTHING = "nothing of this step can be performed or verified: it has no commands and no boxes"


class ProcedureReader:
    """Reads the procedures of a document, and says what became of their lines."""

    def __init__(self, sections: list[Section], problems: Problems, marks: Marks) -> None:
        self._sections = sections
        self._problems = problems
        self._marks = marks

    def read(self) -> tuple[Procedure, ...]:
        """Return the procedures by number, each with all of its steps."""
        raw: dict[int, tuple[Procedure, list[Section]]] = {}
        previous = 0
        for section in self._sections:
            match = PROCEDURE_TITLE.match(bare(section.title))
            if not match:
                continue
            number = int(match["number"])
            if number in raw:
                self._problems.add(section.line, f"one Procedure {number}", "a second one")
            elif previous and number != previous + 1:
                self._marks.refuse(
                    section.line, f"Procedure {number} follows on Procedure {previous}"
                )
            previous = number
            raw[number] = self._procedure(number, _title(match), section)
        if not raw:
            self._problems.add(0, "at least one heading 'Procedure 1: …'", "none")
        elif min(raw) > 1:
            first = raw[min(raw)][0]
            self._marks.refuse(first.line, f"there is no Procedure {first.number - 1} before it")
        own = {number: self._own_steps(number, sections) for number, (_, sections) in raw.items()}
        return tuple(
            replace(procedure, steps=self._steps(procedure, sections, own))
            for number, (procedure, sections) in sorted(raw.items())
        )

    def _procedure(
        self, number: int, title: str, section: Section
    ) -> tuple[Procedure, list[Section]]:
        self._marks.use(section.line, f"Procedure {number}", section.last_line)
        below = _own(section)
        use_when, estimate = "", Budget(0, math.inf, "")
        for line, text in [*section.texts, *section.items]:
            said, timed = _USE_WHEN.match(text), _ESTIMATE.match(text)
            if said:
                use_when = use_when or text[said.end() :].strip()
                self._marks.use(line, f"when to use Procedure {number}")
            elif timed:
                estimate = self._budget(line, timed["text"], f"Procedure {number}") or estimate
                self._marks.use(line, f"time estimate of Procedure {number}")
        rest, bracket = split_budget(title, None)
        if not estimate.text and _is_budget(bracket):
            title, estimate = rest, budget(bracket)
        elif _is_budget(bracket) and budget(bracket).high_s != estimate.high_s:
            self._marks.refuse(section.line, f"another time estimate is {estimate.text!r}")
        if not estimate.text:
            self._problems.add(
                section.line,
                f"a time estimate of Procedure {number} ('Time estimate: 5-10 minutes')",
                "none",
            )
        boxes, blocks = self._prerequisites(number, section, below)
        return (
            Procedure(
                number=number,
                title=title,
                use_when=use_when,
                estimate=estimate,
                prerequisites=boxes,
                steps=(),
                line=section.line,
                prerequisite_blocks=blocks,
                dropped=self._dropped(below),
                transformed=self._transformed(below),
            ),
            _step_sections(section),
        )

    def _prerequisites(
        self, number: int, procedure: Section, below: list[Section]
    ) -> tuple[tuple[Checkbox, ...], tuple[CodeBlock, ...]]:
        parts: list[Section] = []
        for section in below:
            if PREREQUISITES.search(section.title) and section is not procedure:
                parts += [one for one in section.part() if one not in parts]
                self._marks.use(section.line, f"prerequisites of Procedure {number}")
        labelled = [box for label, box in procedure.boxes if PREREQUISITES.search(label)]
        boxes = [*labelled, *(box for part in parts for box in part.checkboxes)]
        return tuple(boxes), commands(parts)

    def _dropped(self, below: list[Section]) -> tuple[str, ...]:
        found: list[str] = []
        for line, text in (pair for section in below for pair in section.texts):
            match = _DROPPED.search(text)
            if match:
                found += re.findall(r"\w+(?:\.\w+)?", match["names"])
                self._marks.use(line, "what is dropped on purpose")
        return tuple(found)

    def _transformed(self, below: list[Section]) -> dict[str, str]:
        """Return what becomes of columns, as a procedure declares it."""
        found = {}
        for line, text in (pair for section in below for pair in section.texts):
            declared = _TRANSFORMED.match(text)
            for one in declared["all"].split(";") if declared else ():
                match = _BY.fullmatch(one)
                if match:
                    found[match["column"]] = match["expression"].strip()
                    self._marks.use(line, "what is transformed")
                else:
                    self._problems.add(line, "'Transformed: `table.column` by `expression`'", one)
        return found

    def _own_steps(self, procedure: int, sections: list[Section]) -> dict[int, Step]:
        """Return the steps that a procedure describes itself, by the number in their heading."""
        steps: dict[int, Step] = {}
        for section in sections:
            match = _step_match(section)
            if match is None or _followed(section):
                continue
            number = int(match["first"])
            name = f"step {number} of Procedure {procedure}"
            if number in steps:
                self._problems.add(section.line, f"one {name}", "two")
            title, budget_text = split_budget(_title(match), match.groupdict().get("early"))
            found = budget_text and self._budget(section.line, budget_text, name)
            if not budget_text:
                self._problems.add(
                    section.line,
                    f"a budget of {name}, such as '(2 minutes)'",
                    repr(section.title[:80]),
                )
            if len({one[1] for one in _BRACKETS.finditer(section.title) if _is_budget(one[1])}) > 1:
                self._marks.refuse(section.line, f"more than one budget of {name}")
            parts = list(section.part())
            least_s, window_s = self._window(parts, title, found or None)
            steps[number] = Step(
                number=number,
                title=title,
                budget=found or Budget(0, 0, ""),
                blocks=commands(parts),
                checkboxes=tuple(box for part in parts for box in part.checkboxes),
                line=section.line,
                window_s=window_s,
                least_s=least_s if least_s < window_s else 0.0,
            )
            self._marks.use(
                section.line, f"Procedure {procedure}, step {number}", section.last_line
            )
            if not steps[number].blocks and not steps[number].checkboxes:
                self._marks.refuse(section.line, _NOTHING)
        return steps

    def _window(self, parts: list[Section], title: str, own: Budget | None) -> tuple[float, float]:
        """Return for how long a step says that the service is watched, at the least and in all."""
        windows = []
        texts = [(parts[0].line, title)]
        texts += [pair for part in parts for pair in part.texts]
        texts += [(one.line, one.text) for part in parts for one in part.entries]
        for line, text in texts:
            if text.startswith("[ ] "):
                continue  # a box has a check of its own
            if _FOLLOW.search(text[:500]):
                self._marks.refuse(line, "it names steps of a procedure: 'Follow Steps 1-2 of …'")
            try:
                seconds = watch_window_s(text)
            except ValueError as error:
                self._marks.refuse(line, str(error))
                continue
            if seconds[1]:
                windows.append(seconds)
                told = f"{seconds[0]:g} to " if seconds[0] < seconds[1] else ""
                self._marks.use(line, f"watched for {told}{seconds[1]:g} s")
        if not windows and own and re.match(r"(?:watch|monitor|observe)\b", title, re.IGNORECASE):
            return own.low_s, own.high_s
        return max(windows, key=lambda one: (one[1], one[0]), default=(0.0, 0.0))

    def _steps(
        self, procedure: Procedure, sections: list[Section], own: dict[int, dict[int, Step]]
    ) -> tuple[Step, ...]:
        """Return the steps of a procedure with those that it takes over, numbered from 1."""
        steps: list[Step] = []
        expected: int | None = None
        name = f"Procedure {procedure.number}"
        for section in sections:
            match = _step_match(section)
            assert match
            first = int(match["first"])
            last = int(match.groupdict().get("last") or first)
            if first != expected and (expected is not None or first > 1):
                missing = "1" if expected is None else f"{expected}"
                self._marks.refuse(
                    section.line, f"step {missing} of {name} is missing before step {first}"
                )
            expected = max(last, first) + 1
            follow = _followed(section)
            if not follow:
                if last > first:
                    self._marks.refuse(
                        section.line, f"it stands for steps {first} to {last} and follows none"
                    )
                steps.append(own[procedure.number][first])
                continue
            self._refuse_beside_followed(section)
            told = f"{name}, step {match['first']}"
            taken = [step for one in follow for step in self._follow(section, one, own, told)]
            if len(taken) < last - first + 1 and taken:
                self._marks.refuse(
                    section.line,
                    f"it stands for {last - first + 1} steps, and follows {len(taken)}",
                )
            steps += taken
        if not steps:
            self._problems.add(procedure.line, f"steps in {name}", "none")
        return tuple(replace(step, number=i) for i, step in enumerate(steps, 1))

    def _follow(
        self,
        section: Section,
        follow: tuple[int, int, int, int],
        own: dict[int, dict[int, Step]],
        name: str,
    ) -> list[Step]:
        line, other, first, last = follow
        taken = []
        for number in range(first, last + 1):
            if number not in own.get(other, {}):
                self._problems.add(section.line, f"step {number} in Procedure {other}", "none")
                break
            origin = f"Procedure {other}, Step {number}"
            taken.append(replace(own[other][number], origin=origin))
        if last < first:
            self._problems.add(section.line, "a range of steps that rises", f"{first}-{last}")
        told = f"{name}: steps {first}-{last} of Procedure {other}"
        self._marks.use(section.line, told, section.last_line)
        self._marks.use(line, told)
        return taken

    def _refuse_beside_followed(self, section: Section) -> None:
        """Name what a step that follows others says of its own: they are taken as they are."""
        if looks_like_time(section.title):
            self._marks.refuse(section.line, "a budget beside followed steps, which have their own")
        for line, text in [*section.texts, *section.items]:
            if _FOLLOW.search(text[:500]) and _EXCEPT.search(text):
                self._marks.refuse(line, "steps are followed but for some: name those to follow")
            if looks_like_time(text):
                self._marks.refuse(line, "a time beside followed steps, which have their own")

    def _budget(self, line: int, text: str, whose: str) -> Budget | None:
        try:
            return budget(text)
        except ValueError as error:
            self._problems.add(line, f"a budget of {whose}", str(error))
            return None


def _own(procedure: Section) -> list[Section]:
    """Return `procedure` and what stands below it, without other procedures."""
    found = [procedure]
    for child in procedure.children:
        if not PROCEDURE_TITLE.match(bare(child.title)):
            found += _own(child)
    return found


def _step_sections(procedure: Section) -> list[Section]:
    """Return the headings of steps below `procedure`: "Step 1: …", or "1. …" right below it."""
    named = [one for one in _own(procedure) if STEP.match(bare(one.title))]
    return named or [
        one
        for one in procedure.children
        if NUMBERED.match(one.title) and not PREREQUISITES.search(one.title)
    ]


def _step_match(section: Section) -> re.Match[str] | None:
    return STEP.match(bare(section.title)) or NUMBERED.match(section.title)


def _title(match: re.Match[str]) -> str:
    return match["title"].strip(" *:")


def split_budget(title: str, early: str | None) -> tuple[str, str]:
    """Return a step's title without its budget, and the budget's text, "" where it has none."""
    if early:
        return title, early
    found = [one for one in _BRACKETS.finditer(title) if _is_budget(one[1])]
    found = found or [one for one in _BRACKETS.finditer(title) if looks_like_time(one[1])]
    if not found:
        found = [one for one in _BRACKETS.finditer(title) if re.search(r"\d", one[1])]
        found = [one for one in found if one.end() == len(title)]
    if not found and (behind := _BEHIND_DASH.search(title)) and _is_budget(behind[1]):
        found = [behind]
    if not found:
        return title, ""
    last = found[-1]
    rest = f"{title[: last.start()].rstrip()} {title[last.end() :].strip(' :')}"
    return rest.strip(), last[1]


def _is_budget(text: str) -> bool:
    try:
        budget(text)
    except ValueError:
        return False
    return True


def _followed(section: Section) -> list[tuple[int, int, int, int]]:
    """Return (line, procedure, first, last) of all steps that a step's text says to follow."""
    found = []
    for line, text in [*section.texts, *section.items]:
        for match in _FOLLOW.finditer(text[:500]) if _FOLLOWS.match(text) else ():
            kind = "a" if match["anumber"] else "b"
            first = int(match[f"{kind}first"])
            last = int(match[f"{kind}last"] or first)
            found.append((line, int(match[f"{kind}number"]), first, last))
    return found
