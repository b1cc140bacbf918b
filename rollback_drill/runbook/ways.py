"""Which headings of a document are ways of rolling back, and what their steps are.

What cannot be told apart is left unread: whether headings are steps or alternatives.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rollback_drill.runbook.commands import not_commands
from rollback_drill.runbook.hints import Hints
from rollback_drill.runbook.kinds import Kind
from rollback_drill.runbook.marks import Marks
from rollback_drill.runbook.outline import Fence, Item, Section
from rollback_drill.runbook.performable import JUDGED_WAY, NO_STEPS, SHUT, Performable
from rollback_drill.runbook.problems import Problems
from rollback_drill.runbook.tablesteps import command_rows, fence_of, of_row
from rollback_drill.runbook.titles import bare

_BY = re.compile(r"\b(?:via|using|with|by|through)\b", re.IGNORECASE)
TRIED = "is it done after what stands above it, or only where that did not help?"
_SECOND = re.compile(r"^[a-z]+ (?:b|2)\b", re.IGNORECASE)
_STEPS = re.compile(r"\bsteps\b", re.IGNORECASE)
_BARE = re.compile(r"(?:the )?(?:execution )?(?:steps|procedures?|commands?)", re.IGNORECASE)


@dataclass(slots=True)
class LooseWay:
    """One way of rolling back: the section that it is, and its steps as sections."""

    title: str
    section: Section
    steps: list[Section]
    spans: list[range] = field(default_factory=list)


class Ways:
    """Finds the ways of rolling back that stand in the document `top`."""

    def __init__(
        self, top: Section, performable: Performable, problems: Problems, marks: Marks, hints: Hints
    ) -> None:
        self._top, self._performable = top, performable
        self._problems, self._marks, self._hints = problems, marks, hints

    def all(self) -> list[LooseWay]:
        """Return the ways, in the order of the document."""
        return self._by_hints() if self._hints.procedures else self._found()

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
        if self._hints.section or self._performable.kinds.about_rollback(top.title):
            return self._ways(top, top.title)
        return [way for one in self._outermost(top) for way in self._ways(one, one.title)]

    def _outermost(self, section: Section) -> Iterator[Section]:
        for one in section.children:
            kind = self._performable.kind_of(one)
            if kind is Kind.ROLLBACK and self._performable.kinds.about_rollback(one.title):
                yield one
            elif kind not in SHUT:
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
        kind, numbered = (
            self._performable.kind_of(one),
            self._performable.kinds.numbered(one.title) is not None,
        )
        if kind is Kind.VERIFICATION:
            return numbered or way is not self._top
        lines = [step.line for step in steps]
        if not lines:
            return False
        among = kind in (Kind.PREPARATION, Kind.AFTERWARDS) and min(lines) < one.line < max(lines)
        return numbered and among

    def _ways_in(self, section: Section, title: str) -> list[LooseWay]:
        children = section.children
        steps = [one for one in children if self._is_step(one)]
        if steps:
            return [LooseWay(title, section, self._with_own(section, steps))]
        open_ = [one for one in children if self._performable.kind_of(one) not in NO_STEPS]
        options = [
            one
            for one in open_
            if self._performable.kinds.option(one.title) and self._performable.performs(one)
        ]
        first = [one for one in open_ if one not in options and self._is_first(one, options)]
        if options:
            return [way for one in [*first, *options] for way in self._ways(one, one.title)]
        named = [
            one
            for one in open_
            if self._performable.kind_of(one) is Kind.ROLLBACK
            or any(
                self._performable.kinds.option(part.title) and self._performable.performs(part)
                for part in one.children
            )
        ]
        doing = [one for one in named if self._performable.performs(one)]
        others = [one for one in open_ if one not in named]
        other_doing = [one for one in others if self._performable.performs(one)]
        if self._is_sequence(section, open_, other_doing):
            steps = [step for one in self._told(open_) for step in self._step_of(one)]
            return [LooseWay(title, section, self._with_own(section, steps))]
        if len(doing) == 1 and not other_doing and section is not self._top:
            own = self._with_own(section, [])
            if own and not self._performable.kinds.option(doing[0].title):
                return [LooseWay(title, section, [*own, *self._step_of(doing[0])])]
        if len(named) >= 2 or (len(doing) == 1 and not other_doing):
            return [way for one in doing for way in self._ways(one, _named(one.title, title))]
        if doing or other_doing:
            row = self._in_a_row(section, title, open_, other_doing)
            return row or [way for one in doing for way in self._ways(one, one.title)]
        if self._performable.performs(section):
            return [LooseWay(title, section, self._with_own(section, []))]
        return []

    def _is_first(self, section: Section, options: Sequence[Section]) -> bool:
        """Whether `section` is the way beside which there is a “Plan B”, and no Plan A."""
        if not options or not _SECOND.search(bare(options[0].title)):
            return False
        rolls_back = self._performable.kind_of(section) is Kind.ROLLBACK
        return rolls_back and section.line < options[0].line

    def _in_a_row(
        self, section: Section, title: str, open_: list[Section], doing: list[Section]
    ) -> list[LooseWay]:
        """Return the one way whose steps are the headings below `section`, if they are steps."""
        ways = [one for one in doing if self._performable.kinds.platform(one.title)]
        if len(ways) == len(doing) and len(ways) > 1 and self._one_block_each(ways):
            return [
                LooseWay(
                    title, section, [*self._with_own(section, []), self._as_ways(section, ways)]
                )
            ]
        own = any(self._performable.usable(one, section) is None for one in section.fences)
        numbered = [one for one in open_ if self._performable.kinds.numbered(one.title)]
        told = self._told(open_)
        if len(told) == 1 and not own and all(map(self._is_numbered, told[0].children)):
            inner = self._ways(told[0], title) if told[0].children else []
            if len(inner) == 1:
                return inner
        if (
            (len(told) == 1 and not own)
            or len(numbered) == len(told)
            or all(
                self._performable.kinds.does(one.title)
                or self._performable.kind_of(one) is Kind.ROLLBACK
                for one in told
            )
        ):
            steps = [step for one in told for step in self._step_of(one)]
            return [LooseWay(title, section, [*self._with_own(section, []), *steps])]
        for one in doing:
            self._marks.refuse(
                one.line, "a step, or one of several ways? Number it, or name it in [runbook]"
            )
        return [LooseWay(title, section, self._with_own(section, []))] if own else []

    def _is_numbered(self, section: Section) -> bool:
        return self._performable.kinds.numbered(section.title) is not None

    def _told(self, open_: Sequence[Section]) -> list[Section]:
        """Return those that have a number, or something to perform."""
        numbered = self._performable.kinds.numbered
        return [one for one in open_ if numbered(one.title) or self._performable.performs(one)]

    def _is_sequence(
        self, section: Section, open_: Sequence[Section], others: Sequence[Section]
    ) -> bool:
        """Whether headings are steps because all have numbers, and not only rollbacks of several
        kinds do: “1. Stop writes, 2. Restore, 3. Switch over”.
        """
        kinds = self._performable.kinds
        told = self._told(open_)
        if not told or not all(kinds.numbered(one.title) for one in told):
            return False
        if any(kinds.option(one.title) for one in told):
            return False
        back = [one.title for one in told if kinds.about_rollback(one.title)]
        named = bool(_STEPS.search(section.title)) or any(
            kinds.does(one.title) and not kinds.about_rollback(one.title) for one in told
        )
        if not others and not (named and len(back) > 1):
            return False
        return sum(bool(_BY.search(one)) for one in back) < 2

    def _step_of(self, section: Section) -> list[Section]:
        """Return `section` as a step: of several ways one, where its headings name platforms."""
        doing = [one for one in section.children if self._performable.performs(one)]
        ways = [one for one in doing if self._performable.kinds.platform(one.title)]
        if len(ways) > 1 and len(ways) == len(doing) and self._one_block_each(ways):
            return [*self._with_own(section, []), self._as_ways(section, ways)]
        if not section.children and any(True for _ in self._items_with_blocks(section)):
            return self._with_own(section, [])
        return [section]

    def _as_ways(self, section: Section, ways: Sequence[Section]) -> Section:
        """Return platforms' blocks as options of one block."""
        fences = [
            replace(f, option=f"{JUDGED_WAY}Option {n}: {one.title}", said_in=one.line)
            for n, one in enumerate(ways, 1)
            for part in one.walk()
            for f in part.fences
            if self._performable.usable(f, part) is None
        ]
        return Section(section.title, 0, section.line, section.last_line, fences=fences)

    def refuse_unordered(self, step: Section) -> set[int]:
        """Return the lines of headings below `step` of which nobody knows whether they are parts of
        it or several ways: they say neither a number nor what to do.
        """
        parts = [one for one in step.children if any(part.fences for part in one.walk())]
        plain = [
            one
            for one in parts
            if self._performable.kinds.step(one.title) is None
            and not self._performable.kinds.numbered(one.title)
            and not self._performable.kinds.does(one.title)
            and self._performable.kind_of(one) is not Kind.VERIFICATION
        ]
        if len(parts) < 2 or not plain:
            return set()
        for one in parts:
            for fence in (f for part in one.walk() for f in part.fences):
                if not_commands(self._performable.meant(fence, one)) is None:
                    told = f"is “{one.title[:40]}” a part of this step, or one of several ways?"
                    self._marks.refuse(fence.line, f"{told} Number it, or name it in [runbook]")
                    self._marks.belong(fence.line, fence.last_line)
        return {part.line for one in parts for part in one.walk()}

    def _one_block_each(self, sections: Sequence[Section]) -> bool:
        return all(
            sum(
                self._performable.usable(f, part) is None
                for part in one.walk()
                for f in part.fences
            )
            == 1
            for one in sections
        )

    def _is_step(self, section: Section) -> bool:
        if section.title in self._hints.steps:
            return True
        if self._performable.kinds.step(section.title) is None or self._performable.kinds.option(
            section.title
        ):
            return False
        return self._performable.kind_of(section) not in (
            Kind.AUTOMATIC,
            Kind.AGAINST,
            Kind.FORWARD,
        )

    def _with_own(self, section: Section, steps: list[Section]) -> list[Section]:
        """Return `steps` behind what stands in `section` itself: its items, rows and blocks."""
        tried = [one for one in section.fences if self._performable.is_tried(one, section)]
        for fence in tried:
            self._marks.refuse(fence.line, TRIED)
            self._marks.belong(fence.line, fence.last_line)
        items = [one for one in self._items_with_blocks(section) if one[1][0] not in tried]
        taken = [one for _, fences in items for one in fences]
        rows = [of_row(one) for one in command_rows(section)]
        rest = [one for one in section.fences if one not in taken and one not in tried]
        if not items and not rows:
            plain = replace(section, children=[], fences=rest)
            return [plain, *steps] if self._does_any(rest, section) else steps
        starts = sorted([item.line for item, _ in items] + [one.line for one in rows])
        ends: dict[float, float] = dict(zip(starts, [*starts[1:], math.inf], strict=True))
        own = rows
        for first, until in itertools.pairwise([0, *starts, math.inf]):
            run = [one for one in rest if first < one.line < until]
            if not self._does_any(run, section):
                continue
            if not first:
                own.append(_before(section, run, until))
                continue
            begin = _begins(section, run[0], taken)
            ends[first] = min(ends[first], begin)
            own.append(_between(section, run[0].label or section.title, begin, until, run))
        own += [
            _between(section, item.text.rstrip(": "), item.line, ends[item.line], fences)
            for item, fences in items
        ]
        own.sort(key=lambda one: one.fences[0].line)
        return [*own, *steps]

    def _does_any(self, fences: Sequence[Fence], section: Section) -> bool:
        return any(self._performable.usable(one, section) is None for one in fences)

    def _items_with_blocks(self, section: Section) -> Iterator[tuple[Item, list[Fence]]]:
        commands = self._performable.command_items(section)
        last = 0
        for item in section.entries:
            if item.line <= last:
                continue
            last = item.last_line
            fences = [one for one in section.fences if item.line <= one.line <= item.last_line]
            inside = [line for line in commands if item.line <= line <= item.last_line]
            does = item.ordered or item.line in commands
            if not fences and does:
                fences = [fence_of(commands[line], line) for line in inside]
            fences = fences or (_right_below(section, item) if item.ordered else [])
            if fences and does:
                yield item, fences


def _right_below(section: Section, item: Item) -> list[Fence]:
    """Return the block that follows on `item` without being indented, so that it ends its list."""
    after = min((one.line for one in section.fences if one.line > item.last_line), default=0)
    between = [line for line, _ in section.texts if item.last_line < line < after]
    between += [one.line for one in section.entries if item.line < one.line < after]
    return [one for one in section.fences if one.line == after and not between]


def _between(section: Section, title: str, line: int, end: float, fences: list[Fence]) -> Section:
    """Return what stands in `section` from `line` on, and before `end`, as a step of its own."""
    return Section(
        title,
        0,
        line,
        line,
        fences=fences,
        boxes=[one for one in section.boxes if line <= one[1].line < end],
        texts=[one for one in section.texts if line <= one[0] < end],
        entries=[one for one in section.entries if line < one.line < end],
    )


def _before(section: Section, fences: list[Fence], end: float) -> Section:
    """Return what stands in `section` before its first item or row that is a step."""
    return replace(
        section,
        children=[],
        fences=fences,
        rows=[],
        boxes=[one for one in section.boxes if one[1].line < end],
        texts=[one for one in section.texts if one[0] < end],
        entries=[one for one in section.entries if one.line < end],
    )


def _begins(section: Section, fence: Fence, taken: Sequence[Fence]) -> int:
    """Return where what belongs to `fence` begins: with the text right above it, or with itself."""
    ends = [one.last_line for one in taken if one.line < fence.line]
    ends += [one.last_line for one in section.entries if one.last_line < fence.line]
    above = [line for line, _ in section.texts if max(ends, default=0) < line < fence.line]
    return max(above, default=fence.line)


def _insert(steps: list[Section], section: Section) -> None:
    """Put `section` among `steps` where it stands in the document."""
    behind = next((n for n, one in enumerate(steps) if one.line > section.line), len(steps))
    steps.insert(behind, section)


def _named(title: str, above: str) -> str:
    """Return a title that says something: that of the heading above for a bare “Steps”."""
    return above if _BARE.fullmatch(bare(title)) else title
