"""Reads a runbook for what goes wrong in every runbook. Rules are general; each knows its line.

A rule is a generator over scripts, as `runbook.shell` reads them, or over the runbook: to add one,
put a module into `runbook/rules` with a function under `@rule_of_scripts` or another below. What
only execution can show is left to `campaigns.revalidation`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from rollback_drill.family import Family
from rollback_drill.runbook.model import Runbook
from rollback_drill.runbook.scripts import scripts_in
from rollback_drill.runbook.shell import Script


@dataclass(frozen=True, slots=True)
class Lint:
    """One suspicion. `rule`: its name; `severity`: "high", "medium" or "low"."""

    rule: str
    severity: str
    line: int
    what: str
    advice: str


@dataclass(frozen=True, slots=True)
class Read:
    """A document as rules see it: the scripts of all its shell blocks, in order, and the runbook
    that they are part of, None when the document is none.
    """

    scripts: tuple[Script, ...]
    runbook: Runbook | None


Said = Iterator[tuple[int, str]]
"""Pairs of a line and what is wrong there."""

OfDocument = Callable[[Read], Said]
OfScript = Callable[[Script], Said]
OfRunbook = Callable[[Runbook], Said]


@dataclass(frozen=True, slots=True)
class Rule:
    """What all suspicions of one kind have in common, and who has them."""

    severity: str
    advice: str
    look: OfDocument


RULES: Family[Rule] = Family("rules", "a rule")


def rule(name: str, severity: str, advice: str) -> Callable[[OfDocument], OfDocument]:
    """Register the decorated rule over a whole document."""

    def register(function: OfDocument) -> OfDocument:
        RULES.add(name, Rule(severity, advice, function), function)
        return function

    return register


def rule_of_scripts(name: str, severity: str, advice: str) -> Callable[[OfScript], OfScript]:
    """Register the decorated rule over each script by itself."""

    def register(function: OfScript) -> OfScript:
        def everywhere(read: Read) -> Said:
            for script in read.scripts:
                yield from function(script)

        RULES.add(name, Rule(severity, advice, everywhere), function)
        return function

    return register


def rule_of_runbooks(name: str, severity: str, advice: str) -> Callable[[OfRunbook], OfRunbook]:
    """Register the decorated rule over what the document says as a runbook."""

    def register(function: OfRunbook) -> OfRunbook:
        def if_it_is_one(read: Read) -> Said:
            if read.runbook is not None:
                yield from function(read.runbook)

        RULES.add(name, Rule(severity, advice, if_it_is_one), function)
        return function

    return register


def lint(runbook: Runbook, only: Collection[str] = ()) -> list[Lint]:
    """Return what all rules, or `only` some, have to say about `runbook`, by line."""
    return suspicions(Read(scripts_in(runbook.path), runbook), only)


def lint_document(path: Path) -> list[Lint]:
    """Return what the rules say about the shell blocks of a document that is no runbook."""
    return suspicions(Read(scripts_in(path), None))


def suspicions(read: Read, only: Collection[str] = ()) -> list[Lint]:
    """Return what all rules, or `only` some, have to say about what was read, by line."""
    found = {
        (name, line): Lint(name, one.severity, line, what, one.advice)
        for name, one in RULES.members().items()
        if not only or name in only
        for line, what in one.look(read)
    }
    return sorted(found.values(), key=lambda one: (one.line, one.rule))
