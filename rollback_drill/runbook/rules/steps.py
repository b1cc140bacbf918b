"""Steps that are missing, or stand in the wrong order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rollback_drill.runbook.lint import Said, rule_of_runbooks
from rollback_drill.runbook.model import Procedure, Runbook, Step
from rollback_drill.runbook.scripts import commands_of
from rollback_drill.runbook.shell import Command

_MIGRATES_BACK = re.compile(r"\bdowngrade\b|migrate.*\bzero\b|\bdb:rollback\b")
_REVERTS = re.compile(
    r"^git (?:\S+ )*?(?:checkout|switch|reset|revert)\b|^kubectl (?:\S+ )*?rollout undo\b"
    r"|^kubectl (?:\S+ )*?set image\b|^helm (?:\S+ )*?(?:rollback|upgrade)\b|\bimage[:=]"
)
_OLD_TREE = re.compile(r"^git (?:\S+ )*?(?:checkout|switch)\b.*(?:tags/|v?\d+\.\d+|-b\b)")
_CHANGES = re.compile(
    r"\b(?:checkout|switch|reset|restart|stop|start|sync|install|downgrade|upgrade|apply|"
    r"rollout|pg_restore|rm|cp|mv)\b"
)


@rule_of_runbooks("migrations-without-code", "high", "revert the code too, after the migrations")
def migrations_without_code(runbook: Runbook) -> Said:
    """A procedure that takes the schema back but leaves the newer code on it."""
    for procedure in runbook.procedures:
        texts = [command.text for step in procedure.steps for command in _commands(step)]
        texts += _heredocs(procedure)
        migrates = any(_MIGRATES_BACK.search(text) for text in texts)
        if migrates and not any(_REVERTS.search(text) for text in texts):
            yield (
                procedure.line,
                f"Procedure {procedure.number} reverts the migrations and never the code",
            )


@rule_of_runbooks(
    "code-before-migrations", "high", "revert the migrations from the new tree, then the code"
)
def code_before_migrations(runbook: Runbook) -> Said:
    """The old tree does not know the revision that is to be undone."""
    for procedure in runbook.procedures:
        checkout = 0
        for step in procedure.steps:
            for block in step.blocks:
                for command in commands_of(block):
                    if _OLD_TREE.search(command.text):
                        checkout = checkout or block.line
                    downgrades = command.name == "alembic" and "downgrade" in command.arguments
                    if checkout and not block.fallback and downgrades:
                        yield block.line, "the downgrade comes after the checkout of the old tree"


@rule_of_runbooks("skipped-step", "medium", "follow it too, or say why it is left out")
def skipped_step(runbook: Runbook) -> Said:
    """A procedure follows another one's steps around one that it neither follows nor replaces."""
    for procedure in runbook.procedures:
        followed: dict[int, set[int]] = {}
        for step in procedure.steps:
            match = re.fullmatch(r"Procedure (\d+), Step (\d+)", step.origin)
            if match:
                followed.setdefault(int(match[1]), set()).add(int(match[2]))
        for number, steps in followed.items():
            other = runbook.procedure(number)
            for missing in sorted(set(range(min(steps), max(steps))) - steps):
                yield from (
                    (
                        procedure.line,
                        f"Procedure {procedure.number} leaves out Step {missing} of Procedure "
                        f"{number} ({left.title})",
                    )
                    for left in other.steps
                    if left.number == missing and _changes(left) and not _does(procedure, left)
                )


def _commands(step: Step) -> Iterator[Command]:
    for block in step.blocks:
        yield from commands_of(block)


def _heredocs(procedure: Procedure) -> Iterator[str]:
    """Yield what the procedure writes, such as an image's name in a settings file."""
    for step in procedure.steps:
        for command in _commands(step):
            yield from (body.body for body in command.bodies)


def _changes(step: Step) -> bool:
    """Whether a command of `step` changes anything, rather than only looks."""
    return any(_CHANGES.search(command.text) for command in _commands(step))


def _does(procedure: Procedure, step: Step) -> bool:
    """Whether `procedure` has at least half of the commands of `step`, by their first words."""
    wanted = {_first_words(command) for command in _commands(step)}
    own = {_first_words(command) for one in procedure.steps for command in _commands(one)}
    return 2 * len(wanted & own) >= len(wanted) > 0


def _first_words(command: Command) -> tuple[str, ...]:
    return (command.name, *(w for w in command.arguments if not w.startswith("-")))[:2]
