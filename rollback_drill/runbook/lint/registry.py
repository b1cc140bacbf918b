"""What a rule is, and the list of all rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rollback_drill.runbook.model import Runbook
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

Rule = Callable[[Read], Said]
OfScript = Callable[[Script], Said]
OfRunbook = Callable[[Runbook], Said]

_RULES: list[tuple[str, str, str, Rule]] = []


def rule(name: str, severity: str, advice: str) -> Callable[[Rule], Rule]:
    """Register the decorated rule over a whole document."""

    def register(function: Rule) -> Rule:
        _RULES.append((name, severity, advice, function))
        return function

    return register


def rule_of_scripts(name: str, severity: str, advice: str) -> Callable[[OfScript], OfScript]:
    """Register the decorated rule over each script by itself."""

    def register(function: OfScript) -> OfScript:
        def everywhere(read: Read) -> Said:
            for script in read.scripts:
                yield from function(script)

        _RULES.append((name, severity, advice, everywhere))
        return function

    return register


def rule_of_runbooks(name: str, severity: str, advice: str) -> Callable[[OfRunbook], OfRunbook]:
    """Register the decorated rule over what the document says as a runbook."""

    def register(function: OfRunbook) -> OfRunbook:
        def if_it_is_one(read: Read) -> Said:
            if read.runbook is not None:
                yield from function(read.runbook)

        _RULES.append((name, severity, advice, if_it_is_one))
        return function

    return register
