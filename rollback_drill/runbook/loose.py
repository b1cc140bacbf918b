"""Documents of another form than `procedures` knows: which headings are ways of rolling back, and
what their steps are.

What cannot be told apart is left unread: whether headings are steps or alternatives, whether a
condition holds, what is said against. Nothing is performed because it stands near a rollback.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rollback_drill.runbook.blocks import code_block
from rollback_drill.runbook.budgets import budget, looks_like_time
from rollback_drill.runbook.commands import commands, not_commands
from rollback_drill.runbook.hints import Hints
from rollback_drill.runbook.kinds import Kind, Kinds
from rollback_drill.runbook.leftovers import looks_like
from rollback_drill.runbook.marks import Marks
from rollback_drill.runbook.model import Budget, Checkbox, CodeBlock, Procedure, Step
from rollback_drill.runbook.outline import Fence, Item, Section
from rollback_drill.runbook.problems import Problems
from rollback_drill.runbook.procedures import ProcedureReader, split_budget
from rollback_drill.runbook.sessions import holds_command, plainly_shell
from rollback_drill.runbook.standard import Below, standard_set
from rollback_drill.runbook.titles import bare

_SHUT = (Kind.AUTOMATIC, Kind.AGAINST, Kind.TALK, Kind.CONDITION)
"""Below such a heading nothing is performed."""
_NO_STEPS = (*_SHUT, Kind.TRIGGERS, Kind.PREPARATION, Kind.VERIFICATION, Kind.AFTERWARDS)
_IF = re.compile(r"^\s*#+\s*(?:\d+[.)]\s*)?(?:only )?(?:if|when|in case|unless)\b", re.IGNORECASE)
_ONLY_COMMAND = re.compile(
    r"^\s*(?:[-*+]|\d{1,3}[.)])\s+(?:(?:run|execute|enter|type):?\s+)?`(?P<command>[^`]+)`[.:;]?\s*$",
    re.IGNORECASE,
)
_BARE = re.compile(r"(?:the )?(?:execution )?(?:steps|procedures?|commands?)", re.IGNORECASE)
_VIA = re.compile(r"(?:via|using|with|by|through|from) (?:the )?\w", re.IGNORECASE)
_THEN = re.compile(r"\bthen (?:verify|check|run|restart|confirm|wait)\b", re.IGNORECASE)
_FIRST_WORDS = re.compile(
    r"^(?:then|now|next|also|finally|first|afterwards?|after that|please|and)[,:]?\s+",
    re.IGNORECASE,
)
_EXPECTED = re.compile(r"(?:expected|check after|must|should)\b", re.IGNORECASE)
_MANUAL = re.compile(r"manual\b.*", re.IGNORECASE)
_WAY = "\u2063"  # before the name of a platform's heading that was judged to be a way
_WORDS_ONLY = "an instruction in words: nobody performs or verifies it"


@dataclass(slots=True)
class LooseWay:
    """One way of rolling back: the section that it is, and its steps as sections."""

    title: str
    section: Section
    steps: list[Section]
    spans: list[range] = field(default_factory=list)


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
        self._top, self._lines, self._hints, self._below = top, lines, hints, below
        self.kinds = Kinds(hints.words)
        self._headings = {one.line for one in top.walk()}
        self.taken: list[Section] = []
        self.found = False  # whether there is a way of rolling back: nothing else is completed

    def read(self) -> tuple[Procedure, ...]:
        """Return the ways of rolling back as procedures, each with its steps."""
        found = self._by_hints() if self._hints.procedures else self._found()
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

    def kind_of(self, section: Section) -> Kind:
        """Return what `section` is about."""
        if section.title in self._hints.procedures or section.title in self._hints.steps:
            return Kind.ROLLBACK
        return self.kinds.of(section.title)

    def usable(self, fence: Fence, above: Section) -> str | None:
        """Return why nobody performs `fence` of the section `above`; None when it is performed."""
        why = not_commands(self.meant(fence, above))
        if why is not None:
            return why
        block = code_block(fence.content, fence.line, fence.first_line, fence.info, "")
        last = block.alternatives[-1].script
        rest = re.search(r"\n\s*\n\s*#\s*(.+)\n(?P<more>(?:.|\n)*)", last)
        if len(block.alternatives) > 1 and rest and holds_command(rest["more"]):
            return f"does “{rest[1][:60]}” belong to the last of several ways, or to all?"
        said = fence.label or _last_sentence(_text_before(above, fence))
        if said and self.kinds.against(said):
            return f"“{said[:60]}” speaks against it"
        if said and self.kinds.conditional(said) and not self._is_use_when(said, above):
            return f"it is only done under a condition that somebody must judge (“{said[:60]}”)"
        lines = fence.content.split("\n")
        for number, line in enumerate(lines):
            if _IF.match(line) and holds_command("\n".join(lines[number + 1 :])):
                return f"“{line.strip()[:60]}” within it is a condition that somebody must judge"
        return None

    def meant(self, fence: Fence, above: Section) -> Fence:
        """Return `fence` without what headings say of it that `_ways` has judged: which of several
        ways it is, when to take that, and that “Manual rollback” is no automatic one.
        """
        judged = fence.said_in in self._headings and not fence.option.startswith(_WAY)
        doubt = "" if judged and _MANUAL.match(bare(fence.doubt)) else fence.doubt
        fallback = fence.fallback
        if fallback and self._is_use_when(fallback.rstrip(":"), above):
            fallback = ""
        option = "" if judged else fence.option
        if not option and _VIA.match(fence.label) and self._several_ways(above):
            option = f"{_WAY}Option {fence.line}: {fence.label}"
        return replace(fence, doubt=doubt, option=option, fallback=fallback)

    def _several_ways(self, section: Section) -> bool:
        """Whether “Via the CLI: … Via the console: …” stand there: ways of doing one thing."""
        return sum(bool(_VIA.match(bare(text))) for _, text in section.texts) > 1

    def blocks_of(self, sections: Sequence[Section]) -> tuple[CodeBlock, ...]:
        """Return the blocks of `sections` that are performed; the others are refused."""
        kept = [
            replace(one, fences=[self.meant(f, one) for f in one.fences if self._take(f, one)])
            for one in sections
        ]
        return tuple(self._filled(block) for block in commands(kept))

    def boxes_from(self, section: Section, what: str) -> tuple[Checkbox, ...]:
        """Return the boxes of `section`, and its items as boxes where they have none."""
        found = list(section.checkboxes)
        for item in section.entries:
            if item.text.startswith("[ ]") or item.holds or not item.text or item.detail:
                continue
            if item.line in self._marks.unread or looks_like(self._lines[item.line - 1]):
                continue  # a command in words, which nobody performs
            if self.kinds.conditional(item.text):
                self._marks.refuse(item.line, "a condition that somebody must judge")
                continue
            found.append(Checkbox(item.text, item.line))
            source = "an item below a heading that says to verify is taken as a box"
            self._below.at(item.line, what, item.text, source)
        return tuple(sorted(found, key=lambda one: one.line))

    def refuse_words(self, section: Section) -> None:
        """Name what `section` says to do in words, and nobody took."""
        for line, text in section.texts:
            if line in self._marks.used or (text.endswith(":") and not _THEN.search(text)):
                continue
            sentences = re.split(r"(?<=[.;!])\s+", text)
            if any(self._says_to(one) for one in sentences):
                self._marks.refuse(line, _WORDS_ONLY)
        for item in section.entries:
            if item.line in self._marks.used or item.line in self._marks.unread:
                continue
            if item.text.startswith("[ ]") or not item.text:
                continue
            inside = range(item.line, item.last_line + 1)
            holds = item.holds and any(one in self._marks.used for one in inside)
            if (item.ordered or self.kinds.does(item.text)) and not holds:
                self._marks.refuse(item.line, _WORDS_ONLY)

    def _says_to(self, sentence: str) -> bool:
        plain = _FIRST_WORDS.sub("", bare(sentence))
        return self.kinds.does(plain) or bool(_EXPECTED.match(plain))

    def _take(self, fence: Fence, above: Section) -> bool:
        why = self.usable(fence, above)
        if why:
            self._marks.refuse(fence.line, why)
            self._marks.belong(fence.line, fence.last_line)
        return why is None

    def _is_use_when(self, said: str, above: Section) -> bool:
        """Whether `said` is when to take the way `above`: it stands first, of all that is below the
        heading, no other condition stands there, and no step has blocks of its own.
        """
        if self.kinds.step(above.title) is not None:
            return False
        if not self.kinds.option(above.title) and self.kind_of(above) is not Kind.ROLLBACK:
            return False
        if any(part.fences for one in above.children for part in one.walk()):
            return False
        if sum(self.kinds.conditional(text) for _, text in above.texts) != 1:
            return False
        lines = [one.line for one in above.fences]
        lines += [one.line for one in above.entries] + [one.line for one in above.rows]
        first = min((line for line, _ in above.texts), default=0)
        told = any(line == first and said in text for line, text in above.texts)
        return told and first < min(lines, default=first + 1)

    def _performs(self, section: Section) -> bool:
        """Whether something below `section` is performed."""
        if any(self.usable(fence, section) is None for fence in section.fences):
            return True
        if self._command_items(section) or _command_rows(section):
            return True
        return any(
            self._performs(one) for one in section.children if self.kind_of(one) not in _SHUT
        )

    def _by_hints(self) -> list[LooseWay]:
        wanted = self._hints.procedures
        found = [one for one in self._top.walk() if one.title in wanted]
        for title in wanted.keys() - {one.title for one in found}:
            self._problems.add(
                0, f"the heading {title!r} of [runbook.procedures]", "no such heading"
            )
        return [way for one in found for way in self._ways(one, one.title)[:1]]

    def _found(self) -> list[LooseWay]:
        """Return the ways of a document about rolling back, or those of the part that is."""
        top = self._top
        if self._hints.section or self.kinds.about_rollback(top.title):
            return self._ways(top, top.title)
        return [way for one in self._outermost(top) for way in self._ways(one, one.title)]

    def _outermost(self, section: Section) -> Iterator[Section]:
        for one in section.children:
            kind = self.kind_of(one)
            if kind is Kind.ROLLBACK and self.kinds.about_rollback(one.title):
                yield one
            elif kind not in _SHUT:
                yield from self._outermost(one)

    def _ways(self, section: Section, title: str) -> list[LooseWay]:
        """Return the ways of rolling back that stand in `section`; where it is one, what verifies
        it there is its end.
        """
        found = self._ways_in(section, title)
        if len(found) == 1:
            for one in section.children:
                if one not in found[0].steps and self._stands_among(one, found[0].steps, section):
                    _insert(found[0].steps, one)
        return found

    def _stands_among(self, one: Section, steps: list[Section], way: Section) -> bool:
        """Whether `one` is a step by where it stands: it verifies a way, or has a number of its
        own among those of the steps.
        """
        kind, numbered = self.kind_of(one), self.kinds.numbered(one.title) is not None
        if kind is Kind.VERIFICATION:
            return numbered or way is not self._top
        lines = [step.line for step in steps]
        among = kind in (Kind.PREPARATION, Kind.AFTERWARDS) and min(lines) < one.line < max(lines)
        return numbered and among

    def _ways_in(self, section: Section, title: str) -> list[LooseWay]:
        children = section.children
        steps = [one for one in children if self._is_step(one)]
        if steps:
            return [LooseWay(title, section, self._with_own(section, children, steps))]
        open_ = [one for one in children if self.kind_of(one) not in _NO_STEPS]
        options = [one for one in open_ if self.kinds.option(one.title) and self._performs(one)]
        if options:
            return [way for one in options for way in self._ways(one, one.title)]
        named = [
            one
            for one in open_
            if self.kind_of(one) is Kind.ROLLBACK
            or any(self.kinds.option(part.title) and self._performs(part) for part in one.children)
        ]
        doing = [one for one in named if self._performs(one)]
        others = [one for one in open_ if one not in named]
        other_doing = [one for one in others if self._performs(one)]
        if len(named) >= 2 or (len(doing) == 1 and not other_doing):
            return [way for one in doing for way in self._ways(one, _named(one.title, title))]
        if doing or other_doing:
            return self._in_a_row(section, title, open_, other_doing)
        if self._performs(section):
            return [LooseWay(title, section, self._with_own(section, children, []))]
        return []

    def _in_a_row(
        self, section: Section, title: str, open_: list[Section], doing: list[Section]
    ) -> list[LooseWay]:
        """Return the one way whose steps are the headings below `section`, if they are steps."""
        ways = [one for one in doing if self.kinds.platform(one.title)]
        if len(ways) == len(doing) and len(ways) > 1 and self._one_block_each(ways):
            return [
                LooseWay(
                    title, section, [*self._with_own(section, [], []), self._as_ways(section, ways)]
                )
            ]
        own = any(self.usable(one, section) is None for one in section.fences)
        numbered = [one for one in open_ if self.kinds.numbered(one.title)]
        told = [one for one in open_ if one in numbered or self._performs(one)]
        if (
            (len(told) == 1 and not own)
            or len(numbered) == len(told)
            or all(self.kinds.does(one.title) or self.kind_of(one) is Kind.ROLLBACK for one in told)
        ):
            steps = [step for one in told for step in self._step_of(one)]
            return [LooseWay(title, section, [*self._with_own(section, [], []), *steps])]
        for one in doing:
            self._marks.refuse(
                one.line, "a step, or one of several ways? Number it, or name it in [runbook]"
            )
        return []

    def _step_of(self, section: Section) -> list[Section]:
        """Return `section` as a step: of several ways one, where its headings name platforms."""
        doing = [one for one in section.children if self._performs(one)]
        ways = [one for one in doing if self.kinds.platform(one.title)]
        if len(ways) > 1 and len(ways) == len(doing) and self._one_block_each(ways):
            return [*self._with_own(section, [], []), self._as_ways(section, ways)]
        if not section.children and any(True for _ in self._items_with_blocks(section)):
            return self._with_own(section, [], [])
        return [section]

    def _as_ways(self, section: Section, ways: Sequence[Section]) -> Section:
        """Return platforms' blocks as options of one block."""
        fences = [
            replace(f, option=f"{_WAY}Option {n}: {one.title}", said_in=one.line)
            for n, one in enumerate(ways, 1)
            for part in one.walk()
            for f in part.fences
            if self.usable(f, part) is None
        ]
        return Section(section.title, 0, section.line, section.last_line, fences=fences)

    def _refuse_unordered(self, step: Section) -> set[int]:
        """Return the lines of headings below `step` of which nobody knows whether they are parts of
        it or several ways: they say neither a number nor what to do.
        """
        parts = [one for one in step.children if any(part.fences for part in one.walk())]
        plain = [
            one
            for one in parts
            if self.kinds.step(one.title) is None
            and not self.kinds.numbered(one.title)
            and not self.kinds.does(one.title)
            and self.kind_of(one) is not Kind.VERIFICATION
        ]
        if len(parts) < 2 or not plain:
            return set()
        for one in parts:
            for fence in (f for part in one.walk() for f in part.fences):
                if not_commands(self.meant(fence, one)) is None:
                    told = f"is “{one.title[:40]}” a part of this step, or one of several ways?"
                    self._marks.refuse(fence.line, f"{told} Number it, or name it in [runbook]")
                    self._marks.belong(fence.line, fence.last_line)
        return {part.line for one in parts for part in one.walk()}

    def _one_block_each(self, sections: Sequence[Section]) -> bool:
        return all(
            sum(self.usable(f, part) is None for part in one.walk() for f in part.fences) == 1
            for one in sections
        )

    def _is_step(self, section: Section) -> bool:
        if section.title in self._hints.steps:
            return True
        if self.kinds.step(section.title) is None or self.kinds.option(section.title):
            return False
        return self.kind_of(section) not in (Kind.AUTOMATIC, Kind.AGAINST)

    def _with_own(
        self, section: Section, children: list[Section], steps: list[Section]
    ) -> list[Section]:
        """Return `steps` behind what stands in `section` itself: its items, rows and blocks."""
        own: list[Section] = []
        rest = list(section.fences)
        for item, fences in self._items_with_blocks(section):
            rest = [one for one in rest if one not in fences]
            boxes = [one for one in section.boxes if item.line <= one[1].line <= item.last_line]
            own.append(
                Section(
                    item.text.rstrip(": "),
                    0,
                    item.line,
                    item.line,
                    fences=fences,
                    boxes=boxes,
                    texts=[one for one in section.texts if item.line < one[0] <= item.last_line],
                )
            )
        own += [_of_row(one) for one in _command_rows(section)]
        if any(self.usable(one, section) is None for one in rest):
            plain = replace(section, children=[], fences=rest)
            own.append(plain)
            own.sort(key=lambda one: min((f.line for f in one.fences), default=one.line))
        del children
        return [*own, *steps]

    def _items_with_blocks(self, section: Section) -> Iterator[tuple[Item, list[Fence]]]:
        last = 0
        for item in section.entries:
            if item.line <= last:
                continue
            last = item.last_line
            fences = [one for one in section.fences if item.line <= one.line <= item.last_line]
            command = self._command_items(section).get(item.line)
            if command and not fences:
                yield item, [_fence_of(command, item.line)]
            elif fences and item.ordered:
                yield item, fences

    def _command_items(self, section: Section) -> dict[int, str]:
        """Return the commands of items that say nothing but a command, by line."""
        found = {}
        for item in section.entries if self.kind_of(section) not in _NO_STEPS else ():
            match = _ONLY_COMMAND.match(self._lines[item.line - 1])
            if match and item.ordered and plainly_shell(match["command"]):
                found[item.line] = match["command"]
        return found

    def _way(self, number: int, way: LooseWay) -> Procedure:
        """Return `way` as Procedure `number`."""
        section = way.section
        name = f"Procedure {number}"
        title, bracket = split_budget(way.title, None)
        self._marks.use(section.line, name, section.last_line)
        use_when, estimate = self._said_of(section, number)
        steps = [
            one
            for position, part in enumerate(way.steps, 1)
            if (one := self._loose_step(number, position, part, section)) is not None
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
        self.refuse_words(section)
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
        use_when, estimate = "", None
        for line, text in section.texts:
            when = re.match(r"use (?:this|it|when|if)\b.*", text, re.IGNORECASE)
            timed = re.match(
                r"(?:time estimate|estimated (?:time|duration)|expected (?:time|duration)|duration|"
                r"time to complete|eta)\s*:?\s*(?P<text>\S.*)",
                text,
                re.IGNORECASE,
            )
            if when:
                use_when = use_when or text
                self._marks.use(line, f"when to use Procedure {number}")
            elif timed:
                estimate = self._time(line, timed["text"])
                self._marks.use(line, f"time estimate of Procedure {number}")
        return use_when, estimate

    def _loose_step(
        self, procedure: int, position: int, part: Section, way: Section
    ) -> Step | None:
        where = f"Procedure {procedure}, step {position}"
        unclear = self._refuse_unordered(part)
        inside = [one for one in part.walk() if self._in_step(one, part)]
        sections = [one for one in inside if one is part or one.line not in unclear]
        self.taken += sections
        blocks = self.blocks_of(sections)
        name = self.kinds.step(part.title) or self.kinds.numbered(part.title) or part.title
        title, bracket = split_budget(name, None)
        boxes = [box for one in sections for box in one.checkboxes]
        if self.kind_of(part) is Kind.VERIFICATION or self.kinds.of(name) is Kind.VERIFICATION:
            boxes = [box for one in sections for box in self.boxes_from(one, f"{where}: box")]
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
        for one in sections:
            self.refuse_words(one)
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
        shut = [one for one in step.walk() if one is not step and self.kind_of(one) in _SHUT]
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


def _insert(steps: list[Section], section: Section) -> None:
    """Put `section` among `steps` where it stands in the document."""
    behind = next((n for n, one in enumerate(steps) if one.line > section.line), len(steps))
    steps.insert(behind, section)


def _named(title: str, above: str) -> str:
    """Return a title that says something: that of the heading above for a bare “Steps”."""
    return above if _BARE.fullmatch(bare(title)) else title


def _text_before(section: Section, fence: Fence) -> str:
    """Return the paragraph between the block before `fence`, or the heading, and `fence`."""
    after = max((one.last_line for one in section.fences if one.line < fence.line), default=0)
    found = [text for line, text in section.texts if after <= line < fence.line]
    return found[-1] if found else ""


def _last_sentence(text: str) -> str:
    return re.split(r"(?<=[.;!])\s+", text.strip())[-1] if text else ""


def _fence_of(command: str, line: int) -> Fence:
    return Fence("bash", command + "\n", line, line, line, "")


_COMMAND_COLUMN = re.compile(r"^(?:command|commands|how|code|run)$")
_TITLE_COLUMN = re.compile(r"^(?:action|step|what|task|description|title)$")
_TIME_COLUMN = re.compile(r"^(?:time|duration|budget|eta|estimate)$")
_CHECK_COLUMN = re.compile(r"^(?:verify|verification|check|expected|expected result|validation)$")


def _command_rows(section: Section) -> list[tuple[int, str, str, str, str]]:
    """Return (line, title, command, time, check) of the rows of a table of steps."""
    found = []
    for row in section.rows:
        command = _cell(row.cells, _COMMAND_COLUMN)
        if command and plainly_shell(command):
            titles = [cell for name, cell in row.cells.items() if _TITLE_COLUMN.match(name)]
            title = next((one for one in titles if not one.strip().isdigit()), command)
            time, check = _cell(row.cells, _TIME_COLUMN), _cell(row.cells, _CHECK_COLUMN)
            found.append((row.line, title, command, time, check))
    return found


def _cell(cells: dict[str, str], column: re.Pattern[str]) -> str:
    return next((cell.strip() for name, cell in cells.items() if column.match(name)), "")


def _of_row(row: tuple[int, str, str, str, str]) -> Section:
    line, title, command, time, check = row
    name = f"{title} ({time})" if time else title
    boxes = [("", Checkbox(check, line))] if check else []
    return Section(name, 0, line, line, fences=[_fence_of(command, line)], boxes=boxes)
