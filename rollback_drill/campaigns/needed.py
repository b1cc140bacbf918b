"""What a runbook's commands need of a host: variables and programs."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence

from rollback_drill.perform.performer import FACTS, StepFailed, choose
from rollback_drill.runbook.model import CodeBlock, Runbook
from rollback_drill.runbook.shell import read_script

_USED = re.compile(r"\$\{?(?P<name>[A-Z][A-Z0-9_]*)")
_SET = re.compile(r"\b(?P<name>[A-Z][A-Z0-9_]*)=|\bread -?\w* ?(?P<read>[A-Z][A-Z0-9_]*)")
# Of the messages after a rollback: the record says them, see `facts`.
_MEASURED = ("START", "END", "DURATION", "IMPACT", "DATA_LOSS")
_PROGRAM = re.compile(r"[A-Za-z0-9][\w.+-]*")
_HERE = frozenset(
    ("sudo", "env", "timeout", "gtimeout", "command", "setsid", "xargs", "eval", "flock", "find")
)
"""Programs that run others on the same machine, with the same PATH."""
# Behind these a script has another PATH, or functions and aliases of its own: (what, how it looks).
_OTHER_PATHS = (
    ("sets PATH", re.compile(r"\bPATH=")),
    ("activates an environment", re.compile(r"\bactivate\b")),
    ("reads another script", re.compile(r"(?:^|[;&|(]|&&)\s*(?:source|\.)\s", re.MULTILINE)),
    ("makes an alias", re.compile(r"^\s*alias\s", re.MULTILINE)),
)
_DEFINED = re.compile(r"^\s*(?:function\s+)?(?P<name>[\w-]+)\s*\(\)", re.MULTILINE)
_ASKED_FOR = re.compile(r"\b(?:command -v|which|type(?: -\w+)?|hash)\s+(?P<name>[\w.+-]+)")


def variables_needed(runbook: Runbook, alternatives: Sequence[str]) -> set[str]:
    """Return every variable that the runbook's commands use here and do not set."""
    needed: set[str] = set()
    for block in all_blocks(runbook):
        with contextlib.suppress(StepFailed):  # told where the runbook is looked at
            script = choose(block, alternatives).script
            own = {m["name"] or m["read"] for m in _SET.finditer(script)}
            needed |= {m["name"] for m in _USED.finditer(script)} - own
    return needed - {*FACTS, *_MEASURED}


def programs_needed(runbook: Runbook, alternatives: Sequence[str]) -> set[str]:
    """Return every program that the runbook's commands call here by its name alone.

    What runs elsewhere (`ssh`, `kubectl exec`) is none, nor what a script looks for itself, defines
    or brings along; see `not_looked_for`.
    """
    needed: set[str] = set()
    for block in all_blocks(runbook):
        with contextlib.suppress(StepFailed):  # told where the runbook is looked at
            script = choose(block, alternatives).script
            if _elsewhere(script):
                continue
            read = read_script(script)
            called = {
                command.words[0].text
                for command in (*read.commands, *read.carriers)
                if _HERE.issuperset(command.context.wrappers)
            }
            own = {m["name"] for one in (_DEFINED, _ASKED_FOR) for m in one.finditer(script)}
            needed |= {one for one in called - own if _PROGRAM.fullmatch(one)}
    return needed


def not_looked_for(runbook: Runbook, alternatives: Sequence[str]) -> dict[int, str]:
    """Return, by line, why the programs of a block cannot be known from here."""
    found: dict[int, str] = {}
    for block in all_blocks(runbook):
        with contextlib.suppress(StepFailed):
            chosen = choose(block, alternatives)
            if why := _elsewhere(chosen.script):
                found[chosen.line] = why
    return found


def _elsewhere(script: str) -> str:
    return " and ".join(what for what, looks in _OTHER_PATHS if looks.search(script))


def all_blocks(runbook: Runbook) -> Iterator[CodeBlock]:
    """Yield each block that a rollback may perform; procedures share some."""
    yield from runbook.pre_rollback.blocks
    for procedure in runbook.procedures:
        if procedure is runbook.redeployment:
            continue
        yield from procedure.prerequisite_blocks
        for step in procedure.steps:
            yield from step.blocks
    for checklist in runbook.post_rollback:
        yield from checklist.blocks
