"""Documents of another form than `procedures` knows: their ways of rolling back as procedures.

`ways` says which headings are ways and steps, `performable` which blocks are commands,
`told_in_words` what stands there in words. Nothing is performed because it stands near a rollback.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rollback_drill.runbook.budgets import budget, looks_like_time
from rollback_drill.runbook.commands import commands
from rollback_drill.runbook.hints import Hints
from rollback_drill.runbook.kinds import Kind
from rollback_drill.runbook.marks import Marks
from rollback_drill.runbook.model import Budget, Checkbox, CodeBlock, Procedure, Step
from rollback_drill.runbook.outline import Fence, Section
from rollback_drill.runbook.performable import SHUT, Performable
from rollback_drill.runbook.problems import Problems
from rollback_drill.runbook.procedures import ProcedureReader
from rollback_drill.runbook.sessions import plainly_shell
from rollback_drill.runbook.standard import Below, standard_set
from rollback_drill.runbook.times import is_left_in, one_after_another, split_time, told_time
from rollback_drill.runbook.told_in_words import Words, sentences_in
from rollback_drill.runbook.ways import TRIED, LooseWay, Ways


class LooseReader(ProcedureReader):
    """Reads procedures from a document whose headings have other words than ours."""

    def __init__(
        self,
        top: Section,
        lines: Sequence[str],
        problems: Problems,
        marks: Marks,
        hints: Hints,
        below: Below,
    ) -> None:
        super().__init__(list(top.walk()), problems, marks)
        self._top, self._hints, self._below = top, hints, below
        self.performable = Performable(top, lines, hints)
        self.kinds = self.performable.kinds
        self.words = Words(lines, marks, self.kinds, below)
        self._ways = Ways(top, self.performable, problems, marks, hints)
        self.taken: list[Section] = []
        self._refused: set[int] = set()
        self._single = False  # whether there is one way alone, of which all times are
        self.found = False  # whether there is a way of rolling back: nothing else is completed

    def read(self) -> tuple[Procedure, ...]:
        """Return the ways of rolling back as procedures, each with its steps."""
        found = self._ways.all()
        self._single = len(found) == 1
        known = {one.title for one in self._top.walk()}
        for title in (one for one in self._hints.steps if one not in known):
            self._problems.add(0, f"the heading {title!r} of [runbook] steps", "no such heading")
        numbered = [
            (self._hints.procedures.get(way.section.title, number), way)
            for number, way in enumerate(found, 1)
        ]
        read = [self._way(number, way) for number, way in sorted(numbered, key=lambda one: one[0])]
        read = [one for one in read if one.steps]
        self.found = bool(read)
        if not read:
            self._problems.add(
                0, "a heading that says how to roll back, with commands below", "none"
            )
        return tuple(read)

    def blocks_of(self, sections: Sequence[Section]) -> tuple[CodeBlock, ...]:
        """Return the blocks of `sections` that are performed; the others are refused."""
        kept = [
            replace(
                one,
                fences=[self.performable.meant(f, one) for f in one.fences if self._take(f, one)],
            )
            for one in sections
        ]
        return tuple(self._filled(block) for block in commands(kept))

    def refuse_blocks(self, sections: Sequence[Section], why: str) -> None:
        """Say that none of the blocks in `sections` is performed."""
        for fence in (fence for one in sections for fence in one.fences):
            self._marks.refuse(fence.line, why)
            self._marks.belong(fence.line, fence.last_line)
            self._refused.add(fence.line)

    def _take(self, fence: Fence, above: Section) -> bool:
        if fence.line in self._refused:
            return False
        why = self.performable.usable(fence, above)
        if why:
            self._marks.refuse(fence.line, why)
            self._marks.belong(fence.line, fence.last_line)
        return why is None

    def _way(self, number: int, way: LooseWay) -> Procedure:
        """Return `way` as Procedure `number`."""
        section = way.section
        name = f"Procedure {number}"
        title, bracket = split_time(way.title)
        self._marks.use(section.line, name, section.last_line)
        use_when, estimate = self._said_of(section, number)
        spans = self._spans_of(way.steps)
        steps = [
            one
            for position, part in enumerate(way.steps, 1)
            if (one := self._loose_step(number, position, part, section, spans)) is not None
        ]
        self._gaps(way)
        steps = self._with_look(steps)
        if bracket and looks_like_time(bracket) and not estimate:
            estimate = self._time(section.line, bracket)
        if estimate is None:
            low, high = sum(s.budget.low_s for s in steps), sum(s.budget.high_s for s in steps)
            estimate = Budget(low, high, f"{high / 60:g} minutes")
            told = "the sum of its steps' budgets"
            self._below.at(section.line, f"time estimate of {name}", estimate.text, told)
        self.words.refuse_words(section)
        return Procedure(
            number=number,
            title=title or way.title,
            use_when=use_when,
            estimate=estimate,
            prerequisites=(),
            steps=tuple(replace(one, number=at) for at, one in enumerate(steps, 1)),
            line=section.line,
            dropped=self._dropped(list(section.walk())),
            transformed=self._transformed(list(section.walk())),
        )

    def _said_of(self, section: Section, number: int) -> tuple[str, Budget | None]:
        above = [self._top] if self._single and section is not self._top else []
        own = [one for one in section.entries if one.ordered and one.holds]
        inside = {line for one in own for line in range(one.line + 1, one.last_line + 1)}
        outside = replace(
            section,
            texts=[one for one in section.texts if one[0] not in inside],
            entries=[one for one in section.entries if one.line not in inside],
        )
        told = self._told_time([outside, *above], f"time estimate of Procedure {number}")
        use_when, estimate = "", told
        for line, text in section.texts:
            when = re.match(r"use (?:this|it|when|if)\b.*", text, re.IGNORECASE)
            if when:
                use_when = use_when or text
                self._marks.use(line, f"when to use Procedure {number}")
        return use_when, estimate

    def _told_time(self, sections: Sequence[Section], what: str) -> Budget | None:
        """Return the time that lines of their own name for all that stands in `sections`."""
        found: list[Budget] = []
        for section in sections:
            items = [one for one in section.items if not one[1].startswith("[ ]")]
            for line, text in sorted([*section.texts, *items]):
                said = told_time(text) if line not in self._marks.used else ""
                timed = self._time(line, said) if said else None
                if timed is None:
                    continue
                self._marks.use(line, what)
                if found and timed.high_s != found[0].high_s:
                    self._marks.refuse(line, f"another {what} is {found[0].text!r}")
                found.append(timed)
        return found[0] if found else None

    def _spans_of(self, steps: Sequence[Section]) -> dict[int, Budget]:
        """Return, by line, what steps may take whose headings say from when to when they last."""
        timed = [(one.line, split_time(one.title)[1]) for one in steps]
        told = [(line, text) for line, text in timed if text]
        found = one_after_another([text for _, text in told])
        return {line: one for (line, _), one in zip(told, found, strict=True)} if found else {}

    def _loose_step(
        self,
        procedure: int,
        position: int,
        part: Section,
        way: Section,
        spans: Mapping[int, Budget],
    ) -> Step | None:
        where = f"Procedure {procedure}, step {position}"
        unclear = self._ways.refuse_unordered(part)
        inside = [one for one in part.walk() if self._in_step(one, part)]
        sections = [one for one in inside if one is part or one.line not in unclear]
        self.taken += sections
        name = self.kinds.step(part.title) or self.kinds.numbered(part.title) or part.title
        title, bracket = split_time(name)
        verifies = self.kinds.of(name) is Kind.VERIFICATION
        asked = part is way or part.line == way.line or part.title in self._hints.steps
        said = () if plainly_shell(title) else (title, *sentences_in(title))
        if any(map(self.kinds.conditional, said)) and not asked:
            self.refuse_blocks(sections, f"“{title[:60]}” is a condition that somebody must judge")
        for one in sections:
            tried = [fence for fence in one.fences if self.performable.is_tried(fence, one)]
            self.refuse_blocks([replace(one, fences=tried)], TRIED)
        blocks = self.blocks_of(sections)
        boxes = [
            box
            for one in sections
            for box in (
                self.words.boxes_from(one, f"{where}: box")
                if verifies or self.performable.kind_of(one) is Kind.VERIFICATION
                else self.words.boxes_below_labels(one, f"{where}: box")
            )
        ]
        for box in boxes:
            self._marks.use(box.line, f"{where}: box")
        for line in (one.line for block in blocks for one in block.alternatives):
            self._marks.use(line, f"{where}: commands")
        for fence in (f for one in sections for f in one.fences):
            if fence.line in {block.line for block in blocks}:
                self._marks.use(fence.line, f"{where}: commands", fence.last_line)
        if part is not way and part.line != way.line:
            self._marks.use(part.line, where, part.last_line)
        timed = self._time(part.line, bracket) if looks_like_time(bracket) else None
        told = None
        if part is not way and part.line != way.line:
            told = self._told_time(sections, f"budget of {where}")
        if timed and told and timed.high_s != told.high_s:
            self._marks.refuse(part.line, f"another budget of this step is {told.text!r}")
        if not timed and is_left_in(title):
            self._marks.refuse(part.line, "a time that nobody reads: write it in brackets")
        for one in sections:
            if one is not part and looks_like_time(split_time(one.title)[1]):
                self._marks.refuse(one.line, "a time within a step, which nobody holds")
        timed = spans.get(part.line) or timed or told
        for one in sections:
            self.words.refuse_words(one)
            if verifies or self.performable.kind_of(one) is Kind.VERIFICATION:
                self.words.refuse_checks(one)
        if not blocks and not boxes:
            if part.line != way.line:
                self._marks.refuse(part.line, "nothing of this step can be performed or verified")
            return None
        if timed is None:
            timed = self._standard_budget(part.line, where)
        least_s, window_s = self._window(sections, title, timed)
        return Step(
            number=position,
            title=title or name,
            budget=timed,
            blocks=blocks,
            checkboxes=tuple(boxes),
            line=part.line,
            window_s=window_s,
            least_s=least_s if least_s < window_s else 0.0,
        )

    def _in_step(self, section: Section, step: Section) -> bool:
        """Whether what stands in `section` belongs to `step`; a heading that shuts, shuts."""
        if section is step:
            return True
        shut = [
            one
            for one in step.walk()
            if one is not step
            and (self.performable.kind_of(one) in SHUT or self.kinds.conditional(one.title))
        ]
        return not any(section in list(one.walk()) for one in shut)

    def _standard_budget(self, line: int, where: str) -> Budget:
        given = self._hints.budget and self._time(line, self._hints.budget)
        if given:
            self._below.at(line, f"budget of {where}", given.text, self._hints.source)
            return given
        standard = standard_set()
        self._below.at(line, f"budget of {where}", standard.step_budget.text, standard.step_source)
        return standard.step_budget

    def _time(self, line: int, text: str) -> Budget | None:
        """Return the time in `text`; one that is not understood is unread, and no budget."""
        words = re.sub(r"^[A-Za-z ]+,\s*(?=[~≈<≤\d])", "", text.strip())
        try:
            return budget(words)
        except ValueError as error:
            self._marks.refuse(line, f"a time that cannot be read: {error}")
            return None

    def _with_look(self, steps: list[Step]) -> list[Step]:
        """Return `steps` whose last one looks whether the service works."""
        if not steps:
            return steps
        standard, last = standard_set(), steps[-1]
        boxes = tuple(
            Checkbox(
                text, self._below.add(f"box of the step “{last.title}”", text, standard.look_source)
            )
            for text in standard.looks
        )
        return [*steps[:-1], replace(last, checkboxes=(*last.checkboxes, *boxes))]

    def _gaps(self, way: LooseWay) -> None:
        """Name numbers of steps that are missing, or come twice."""
        expected = None
        for one in way.section.children:
            match = re.match(
                r"\W*(?:step|phase|stage)?\s*#?(?P<n>\d{1,3})(?![\d.]*\d)\b", one.title, re.I
            )
            if not match:
                continue
            number = int(match["n"])
            if expected is not None and number != expected:
                self._marks.refuse(one.line, f"{number} stands where {expected} is to be expected")
            expected = number + 1

    def _filled(self, block: CodeBlock) -> CodeBlock:
        """Return `block` with what the staging file gives for its blanks."""
        ways = []
        for way in block.alternatives:
            script = way.script
            for blank, value in self._hints.fill.items():
                if blank in script:
                    script = script.replace(blank, value)
                    self._below.at(way.line, f"blank {blank}", value, self._hints.source)
            ways.append(replace(way, script=script))
        # Where several ways are offered, the first is meant unless the stage knows another.
        return replace(block, alternatives=tuple(ways), in_order=len(ways) > 1)
