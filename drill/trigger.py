"""Triggers: conditions of the runbook, bound by their text to code that watches for them.

To add one, put a module into `drill/triggers` with a class that `@watch(pattern)` binds.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from drill.evidence import Evidence
from drill.runbook.model import Runbook, Severity, Trigger


@dataclass(frozen=True, slots=True)
class Firing:
    """A trigger whose condition holds. `at`: since when, in Unix seconds.

    `sharp`: no further evidence can make it a worse one of its kind; `evidence`: sentences;
    `may_pass`: it comes in spells, so that it counts only once it has lasted.
    """

    at: float
    sharp: bool
    evidence: tuple[str, ...]
    may_pass: bool = False

    @property
    def certain(self) -> bool:
        """Whether nothing is gained by waiting for more of its evidence."""
        return self.sharp and not self.may_pass


class Watch(Protocol):
    """Watches for one trigger."""

    @property
    def error_edges(self) -> tuple[float, ...]:
        """Shares at which the detector must classify the error rate for it."""
        ...

    @property
    def factors(self) -> tuple[float, ...]:
        """Multiples of the baseline's p95 that the detector must watch for it."""
        ...

    def look(self, evidence: Evidence) -> Firing | None:
        """Return why the trigger fires, or None while the evidence does not suffice."""
        ...


Factory = Callable[[re.Match[str]], Watch]
_F = TypeVar("_F", bound=Factory)
_REGISTRY: list[tuple[re.Pattern[str], Factory]] = []


def watch(*patterns: str) -> Callable[[_F], _F]:
    """Bind the decorated class to every trigger in which one of `patterns` is found.

    Patterns are tried on "name: text" of the trigger, case ignored; the first that matches, in
    order of the modules' names, is taken. The class gets the match, with its numbers.
    """

    def register(factory: _F) -> _F:
        _REGISTRY.extend((re.compile(pattern, re.IGNORECASE), factory) for pattern in patterns)
        return factory

    return register


@dataclass(frozen=True, slots=True)
class Condition:
    """A trigger or a row of the matrix, with its watch and what it calls for.

    `action`: "rollback", "prepare" or "monitor".
    """

    name: str
    line: int
    severity: Severity
    action: str
    watch: Watch

    @property
    def rollback(self) -> bool:
        """Whether a rollback is to be done."""
        return self.action == "rollback"


ANSWERS = {
    Severity.CRITICAL: "roll back at once",
    Severity.HIGH: "roll back within one hour",
    Severity.MEDIUM: "consider a rollback",
}
TIER_ACTIONS = {
    Severity.CRITICAL: "rollback",  # immediately
    Severity.HIGH: "rollback",  # within the hour
    Severity.MEDIUM: "monitor",  # "consider" is for a human
}


def bind(trigger: Trigger) -> Condition | None:
    """Return the watched condition of `trigger`, None when no watch is bound to its text."""
    for module in _modules():
        importlib.import_module(module)
    text = f"{trigger.name}: {trigger.text}"
    for pattern, factory in _REGISTRY:
        match = pattern.search(text)
        if match:
            action = TIER_ACTIONS[trigger.severity]
            return Condition(trigger.name, trigger.line, trigger.severity, action, factory(match))
    return None


def conditions(runbook: Runbook) -> tuple[list[Condition], list[Trigger]]:
    """Return the conditions that can be watched for, and the triggers to which nothing is bound."""
    bound = [(trigger, bind(trigger)) for trigger in runbook.triggers]
    return (
        [condition for _, condition in bound if condition],
        [trigger for trigger, condition in bound if not condition],
    )


def _modules() -> Iterable[str]:
    from drill import triggers

    return (f"drill.triggers.{m.name}" for m in pkgutil.iter_modules(triggers.__path__))
