"""Which blocks of a document of any form are performed, and why the others are not.

What is said against, what stands under a condition, and what is one of several ways is told apart
by what stands around a block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rollback_drill.runbook.blocks import code_block
from rollback_drill.runbook.commands import not_commands
from rollback_drill.runbook.hints import Hints
from rollback_drill.runbook.kinds import Kind, Kinds
from rollback_drill.runbook.modifiers import OF_THE_STEP, is_understood, without_order
from rollback_drill.runbook.outline import Fence, Item, Section
from rollback_drill.runbook.sessions import holds_command, plainly_shell
from rollback_drill.runbook.tablesteps import command_rows
from rollback_drill.runbook.times import split_time
from rollback_drill.runbook.titles import bare

SHUT = (Kind.AUTOMATIC, Kind.AGAINST, Kind.FORWARD, Kind.TALK, Kind.CONDITION)
"""Below such a heading nothing is performed."""
NO_STEPS = (*SHUT, Kind.TRIGGERS, Kind.PREPARATION, Kind.VERIFICATION, Kind.AFTERWARDS)
JUDGED_WAY = "\u2063"
"""Stands before the name of a platform's heading that was judged to be a way."""
_IF = re.compile(r"^\s*#+\s*(?:\d+[.)]\s*)?(?:only )?(?:if|when|in case|unless)\b", re.IGNORECASE)
_ONLY_COMMAND = re.compile(
    r"^\s*(?:[-*+]|\d{1,3}[.)])\s+(?:(?:run|execute|enter|type):?\s+)?`(?P<command>[^`]+)`[.:;]?"
    r"(?:\s+(?P<time>[(\[][^()\[\]`]*\d[^()\[\]`]*[)\]]))?\s*$",
    re.IGNORECASE,
)
_WITH_COMMAND = re.compile(
    r"^\s*(?:[-*+]|\d{1,3}[.)])\s+(?P<words>[^`]{3,80}?)"
    r"(?::|\u2192|\s[\u2010-\u2015-]|\b(?:with|via|using|run|running|execute|by running))\**:?\s+"
    r"`(?P<command>[^`]+)`[.;]?\s*$",
    re.IGNORECASE,
)
# Who looks sees more than whether a command ends well.
_LOOKS = re.compile(
    r"(?:check|verify|confirm|validate|ensure|make sure|inspect|review|watch|monitor|compare|view|"
    r"look|test|see|observe|repeat|choose|select)\b",
    re.IGNORECASE,
)
_STEPS = re.compile(r"\bsteps\b", re.IGNORECASE)
_SEVERAL = re.compile(r"\b(?:one of|either|or|each|all of|every)\b", re.IGNORECASE)
_VIA = re.compile(r"(?:or,? )?(?:via|using|with|by|through|from) (?:the )?\w", re.IGNORECASE)
_BACK_TO = re.compile(
    r"(?:to |for |how to )?(?:a )?(?:full |partial |complete |quick )?"
    r"(?:roll(?:ing)?[ -]?backs?|revert|undo|downgrad|restor)(?:e|ing)?\b",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"^\s*#+\s*(?P<text>\S.*)$")
_INSTEAD = re.compile(r"(?:alternatively|otherwise|last resort|instead)\b", re.IGNORECASE)
_IN_TURN = re.compile(
    r"\b(?:in turn|one of|either|any of|whichever|(?:choose|pick|select|use) one|"
    r"try (?:these|the following|them)"
    r"|until (?:the |it |one ))",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"\[![a-z]+\]|(?:note|tip|hint|warning|caution|info|fyi)\b\s*[:!\u2013\u2014-]", re.IGNORECASE
)
# Below another block: what one can do besides, and a rollback of something else.
_ONE_MORE = re.compile(
    r"(?:you|we|one) can (?!now\b|then\b|continue\b)|roll-?back (?:of|for) ", re.IGNORECASE
)
_LABEL = re.compile(r"[^.!?]{2,80}")
_FIRST_WORDS = 2  # of a label, among which it says that it rolls back
_BARE_RUN = re.compile(
    r"(?:then |please |just )?(?:run|use|execute|do|enter|type|issue)"
    r"(?: (?:it|this|that|so|the|these|following|commands?|below|like|as|follows?))*",
    re.IGNORECASE,
)
_MANUAL = re.compile(r"manual\b.*", re.IGNORECASE)


class Performable:
    """Says of each block of the document `top` whether it is performed."""

    def __init__(self, top: Section, lines: Sequence[str], hints: Hints) -> None:
        self._lines, self._hints = lines, hints
        self.kinds = Kinds(hints.words)
        self._headings = {one.line for one in top.walk()}
        self._deploying = {one.line for part in top.walk() for one in self._deployed(part)}

    def kind_of(self, section: Section) -> Kind:
        """Return what `section` is about."""
        if section.title in self._hints.procedures or section.title in self._hints.steps:
            return Kind.ROLLBACK
        return Kind.FORWARD if section.line in self._deploying else self.kinds.of(section.title)

    def _deployed(self, section: Section) -> Iterator[Section]:
        """Yield what below `section` belongs to deploying: where a heading says so before the first
        about rolling back, or the title names both.
        """
        children, kinds = section.children, self.kinds
        back = [one.line for one in children if kinds.about_rollback(one.title)]
        deploying = [one for one in children if kinds.deploys(one.title)]
        first = min(back, default=0)
        kept = (Kind.TRIGGERS, Kind.PREPARATION, Kind.TALK, Kind.AUTOMATIC)
        for one in children:
            if not back or not deploying or one.line in back:
                continue
            before = deploying[0].line < first and one.line < first
            if (before and kinds.of(one.title) not in kept) or (
                one in deploying and kinds.about_both(section.title)
            ):
                yield from one.walk()

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
        if self._is_other_way(fence, above):
            return f"“{said[:60]}”: is it a part of it, or another way?"
        if _REMARK.match(fence.label):
            return f"“{fence.label[:60]}” is a remark: is it to be performed?"
        for one in filter(None, [said, _last_sentence(said), *self._leading_to(above, fence)]):
            if self.kinds.conditional(one) and not self.is_use_when(one, above):
                return f"it is only done under a condition that somebody must judge (“{one[:60]}”)"
        later = any(one.line < fence.line for one in above.fences)
        if later and _ONE_MORE.match(bare(said)):
            return f"“{said[:60]}”: is it a part of it, or something one may do?"
        if self.kinds.of(said) in (Kind.TALK, Kind.FORWARD, Kind.AUTOMATIC) and _LABEL.fullmatch(
            said
        ):
            return f"it stands under “{said[:60]}”: is it to be performed?"
        name = without_order(fence.label)
        begin = " ".join(name.split()[:_FIRST_WORDS])
        does = self.kinds.does(name) or self.kinds.about_rollback(begin)
        if not (does or self.meant(fence, above).option or is_understood(fence.label)):
            return f"“{fence.label[:60]}”: is it to be performed, and always?"
        lines = fence.content.split("\n")
        for number, line in enumerate(lines):
            comment = _COMMENT.match(line)
            said = comment["text"] if comment else ""
            doubt = _IF.match(line) or _INSTEAD.match(said) or self.kinds.conditional(said)
            if doubt and holds_command("\n".join(lines[number + 1 :])):
                return f"“{line.strip()[:60]}” within it is a condition that somebody must judge"
        return None

    def _leading_to(self, section: Section, fence: Fence) -> Iterator[str]:
        """Yield what leads to `fence` besides the last sentence: the one before a bare “Run:”, what
        ends in a colon above it, and what says of the whole step when it is done.
        """
        *above, last = _texts_before(section, fence) or [""]
        before, _, run = last.rstrip(": ").rpartition(". ")
        if before and _BARE_RUN.fullmatch(run):
            yield _last_sentence(before)
        yield from (_last_sentence(one) for one in above if one.endswith(":"))
        for item in section.entries:
            if item.line <= fence.line <= item.last_line:
                yield item.text.removeprefix("[ ] ")
        step = self.kinds.step(section.title) or self.kinds.numbered(section.title)
        told = [text for line, text in section.texts if line < fence.line] if step else above
        for sentence in (one for text in [*told, last] for one in _sentences(text)):
            if OF_THE_STEP.match(bare(sentence)):
                yield sentence

    def meant(self, fence: Fence, above: Section) -> Fence:
        """Return `fence` without what headings say of it that `_ways` has judged: which of several
        ways it is, when to take that, and that “Manual rollback” is no automatic one.
        """
        judged = fence.said_in in self._headings and not fence.option.startswith(JUDGED_WAY)
        doubt = "" if judged and _MANUAL.match(bare(fence.doubt)) else fence.doubt
        fallback = fence.fallback
        if fallback and self.is_use_when(fallback.rstrip(":"), above):
            fallback = ""
        option = "" if judged else fence.option
        name = _name_of(fence, above)
        platform = self.kinds.platform_alone(name)
        said = next(filter(self.kinds.option, [name, *_texts_before(above, fence)]), "")
        if not option and said:
            option = f"{JUDGED_WAY}Option {fence.line}: {said}"
        if not option and (
            (_VIA.match(bare(_last_sentence(name))) and self._several_ways(above))
            or (platform and sum(map(self.kinds.platform_alone, _labels(above))) > 1)
        ):
            option = f"{JUDGED_WAY}Option {fence.line}: {name}"
        return replace(fence, doubt=doubt, option=option, fallback=fallback)

    def is_tried(self, fence: Fence, above: Section) -> bool:
        """Whether `fence` is not the first in a list that is tried “until the service is back”."""
        line, text = max((one for one in above.texts if one[0] < fence.line), default=(0, ""))
        if _IN_TURN.search(text) and any(line < one.line < fence.line for one in above.fences):
            return True  # “Choose one:” above several blocks
        first = next(iter(above.entries), None)
        if first is None or fence.line <= first.last_line:
            return False
        return any(at < first.line and _IN_TURN.search(said) for at, said in above.texts)

    def _is_other_way(self, fence: Fence, above: Section) -> bool:
        """Whether what stands above `fence` says how to roll back once more: “To roll back to a
        given release:”, or what a block that can be folded away is called.
        """
        said = [one for one in above.fences if _BACK_TO.match(bare(one.label))]
        labels = list(dict.fromkeys(one.label for one in said))
        return fence in said and len(labels) > 1 and fence.label != labels[0]

    def _several_ways(self, section: Section) -> bool:
        """Whether “Via the CLI: … Via the console: …” stand there: ways of doing one thing."""
        said = [text for _, text in section.texts] + [one.text for one in section.entries]
        return sum(bool(_VIA.match(bare(_last_sentence(text)))) for text in said) > 1

    def is_use_when(self, said: str, above: Section) -> bool:
        """Whether `said` is when to take the way `above`: it stands first, of all that is below the
        heading, no other condition stands there, and no step has blocks of its own.
        """
        if self.kinds.step(above.title) is not None or self.kinds.numbered(above.title):
            return False
        if not above.level and above.line > 1:  # an item, which is a step
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

    def performs(self, section: Section) -> bool:
        """Whether something below `section` is performed."""
        if any(self.usable(fence, section) is None for fence in section.fences):
            return True
        if self.command_items(section) or command_rows(section):
            return True
        return any(self.performs(one) for one in section.children if self.kind_of(one) not in SHUT)

    def command_items(self, section: Section) -> dict[int, str]:
        """Return the commands of items that say nothing else, or what a command does, by line: of
        items with a number, and of those below one.
        """
        found = {}
        if self._all_do(section):
            return {item.line: one for item in section.entries if (one := self._command_of(item))}
        ordered = closed = 0  # the last lines of the item with a number, and of one that is none
        for item in section.entries if self.kind_of(section) not in NO_STEPS else ():
            ordered = max(ordered, item.last_line) if item.ordered else ordered
            text = "" if plainly_shell(item.text) else item.text
            if _SEVERAL.search(text) or self.kinds.conditional(text) or self.kinds.against(text):
                closed = max(closed, item.last_line if item.holds else item.line)
            if item.holds or item.line > ordered or item.line <= closed:
                continue
            command = self._command_of(item)
            if command:
                found[item.line] = command
        return found

    def _command_of(self, item: Item) -> str:
        """Return the command that an item says, or what it does is done by; "" for another one."""
        line = self._lines[item.line - 1]
        match = _ONLY_COMMAND.match(line) or self._does_by(line)
        more = [one for one in self._lines[item.line : item.last_line] if one.strip()]
        if len(more) == 1 and not match:
            below = more.pop().strip()
            match = self._does_by(f"{line.rstrip()} {below}")
            if not match and re.fullmatch(r"`[^`]+`", below):
                match = self._does_by(f"{line.rstrip(' :')}: {below}")
        timed = match and match.groupdict().get("time")
        if timed and not split_time(f"x {timed}")[1]:
            return ""
        found = match and not more and plainly_shell(match["command"])
        return match["command"] if match and found else ""

    def _all_do(self, section: Section) -> bool:
        """Whether all items below a heading that says that it has the steps are commands."""
        if not _STEPS.search(section.title) or len(section.entries) < 2 or section.fences:
            return False
        if any(one.ordered or one.holds for one in section.entries):
            return False
        return all(map(self._command_of, section.entries))

    def _does_by(self, line: str) -> re.Match[str] | None:
        """Return the match of an item such as “Stop the shop: `…`” or “Start it with `…`”."""
        match = _WITH_COMMAND.match(line)
        words = match["words"] if match else ""
        if not self.kinds.does(words) or _LOOKS.match(bare(words)) or _SEVERAL.search(words):
            return None
        said_otherwise = self.kinds.conditional(words) or self.kinds.against(words)
        return None if said_otherwise else match


def _text_before(section: Section, fence: Fence) -> str:
    """Return the last paragraph above `fence`, below the block before it."""
    return next(reversed(_texts_before(section, fence)), "")


def _texts_before(section: Section, fence: Fence) -> list[str]:
    """Return the paragraphs between the block before `fence`, or the heading, and `fence`."""
    after = max((one.last_line for one in section.fences if one.line < fence.line), default=0)
    return [text for line, text in section.texts if after <= line < fence.line]


def _labels(section: Section) -> list[str]:
    return list(dict.fromkeys(_name_of(one, section) for one in section.fences))


def _name_of(fence: Fence, section: Section) -> str:
    """Return the label of `fence`, or what the item says that it stands in."""
    within = [one for one in section.entries if one.line <= fence.line <= one.last_line]
    return fence.label or (within[-1].text if within else "")


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.;!])\s+", text.strip())


def _last_sentence(text: str) -> str:
    return _sentences(text)[-1] if text else ""
