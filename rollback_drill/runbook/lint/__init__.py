"""Reads a runbook for what goes wrong in every runbook. Rules are general; each knows its line.

A rule is a generator over scripts, as `runbook.shell` reads them, or over the runbook. Its file
stands for a family of defects. What only execution can show is left to `campaigns.revalidation`.
"""

from pathlib import Path

from rollback_drill.runbook.lint import (  # noqa: F401
    blanks,
    configuration,
    destruction,
    downgrades,
    endless,
    errors,
    numbers,
    people,
    restores,
    steps,
    unread,
)
from rollback_drill.runbook.lint.document import scripts_in
from rollback_drill.runbook.lint.registry import _RULES, Lint, Read
from rollback_drill.runbook.model import Runbook

__all__ = ["_RULES", "Lint", "lint", "lint_document"]


def lint(runbook: Runbook) -> list[Lint]:
    """Return what all rules have to say about `runbook`, by line."""
    return _said(Read(scripts_in(runbook.path), runbook))


def lint_document(path: Path) -> list[Lint]:
    """Return what the rules say about the shell blocks of a document that is no runbook."""
    return _said(Read(scripts_in(path), None))


def _said(read: Read) -> list[Lint]:
    found = {
        (name, line): Lint(name, severity, line, what, advice)
        for name, severity, advice, function in _RULES
        for line, what in function(read)
    }
    return sorted(found.values(), key=lambda one: (one.line, one.rule))
