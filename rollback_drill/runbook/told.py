"""What is told of reading the runbook."""

from __future__ import annotations

from dataclasses import dataclass

from rollback_drill.record.told import Name, Number, Seconds, Told


@dataclass(frozen=True, slots=True)
class RunbookRead(Told):
    """What of the runbook was not read, though it looks like something to do, to check or to hold:
    its lines (1-based), what they say, and why each was not taken, in the same order. What it does
    not say and was assumed, in the same order: the line that it completes, or one behind the last;
    what it is, its value, and its source.
    """

    lines: tuple[Number, ...] = ()
    texts: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    assumed_lines: tuple[Number, ...] = ()
    assumed: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentKept(Told):
    """The runbook as it was written when it was performed, for readers of the record."""

    text: str


@dataclass(frozen=True, slots=True)
class DocumentAsked(Told):
    """What the runbook asks: its checkboxes and other parts by name; what is doubtful about that.
    Of each doubt in the same order: its key, its line (0: none), what it is, and advice;
    `commands`: the lines of the commands of which one must have been run for it to matter, none
    where it always does.
    """

    boxes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    lines: tuple[Number, ...] = ()
    whats: tuple[str, ...] = ()
    advices: tuple[str, ...] = ()
    commands: tuple[tuple[Number, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class TemplatesRead(Told):
    """The runbook's templates for messages and documents, by name, as they stood at the time."""

    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class FollowUp(Told):
    """What people have to do after a rollback, within `within_s` seconds of it. `at_once`: it has
    commands, which are performed as soon as the rollback is verified.
    """

    title: Name
    within_s: Seconds
    items: tuple[str, ...]
    at_once: bool = False
