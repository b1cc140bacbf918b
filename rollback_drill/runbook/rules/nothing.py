"""Steps that only seem to be done: commands that do nothing, and boxes that nothing makes true."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rollback_drill.runbook.lint import Said, rule_of_runbooks, rule_of_scripts
from rollback_drill.runbook.model import Checkbox, Checklist, CodeBlock, Procedure, Runbook
from rollback_drill.runbook.rules.untaken import untaken
from rollback_drill.runbook.shell import Script, read_script

_IDLE = ("true", ":")
_PROGRAMS = re.compile(
    r"alembic|aws|cmp|cp|curl|date|diff|docker|find|git|grep|kubectl|md5sum|mv|pg_dump|pg_restore"
    r"|pip3?|psql|python3?|rm|rsync|scp|sed|sha\d*sum|ssh|sudo|supervisorctl|systemctl|tar|test"
    r"|timeout|uv|wget"
)
_DEFINED = re.compile(
    r"(?:\bfunction\s+(?P<function>[\w-]+)\s*(?:\(\s*\))?\s*|(?:^|[;\s])(?P<name>[\w-]+)\s*\(\s*\)\s*)"
    r"[{(](?P<body>.*?)(?:[;\n]\s*\}|\)\s*$|\Z)|\balias\s+(?P<alias>[\w-]+)=(?P<value>\"[^\"]*\"|'[^']*'|\S+)",
    re.DOTALL,
)
_CALLS = r"(?:\bcommand\s+|\benv\s+|[/\\]|\bsudo\s+|['\"]){0}\b"
_DRY = ("--dry-run", "--just-print", "--simulate")
_TRIES = {
    "alembic": ("--sql",),
    "ansible-playbook": ("--check",),
    "make": (*_DRY, "-n"),
    "rsync": (*_DRY, "-n"),
}
# These cannot have done any of what boxes claim. Whatever is not known may: a script of the team's
# own, a tool of tomorrow.
_LOOKS = (
    r"true|:|echo|printf|cat|tail|head|less|grep|egrep|wc|ls|cd|pwd|sleep|test|\[|export|set|date|"
    r"touch|mkdir|mktemp|rm|cut|sort|find|curl|exec|trap|local|read|git|break|exit"
)
_CLAIMS = (
    (r"\bdependenc", rf"(?:{_LOOKS}|python3? -m (?:compileall|py_compile))\b"),
    (
        r"\bchecksum (?:was |is )?verified",
        r"(?!.*(?:sum\b.*(?:--check|-c\b)|\bcmp\b|\bdiff\b|\brsync\b|\.(?:sh|py)\b|^make\b|"
        r"^\w+sum$|checksum|etag|verify|restic|pgbackrest|barman|wal-g))",
    ),
    (
        r"\brestores? into|\brestor(?:ation|ing) .*tested",
        rf"(?:{_LOOKS}|pg_dump|pg_restore -f /dev/null|sha256sum|psql (?!.*(?:-f|<)))",
    ),
)


@rule_of_scripts("does-nothing", "medium", "put the command there that the step is for, or none")
def does_nothing(script: Script) -> Said:
    """A command that does nothing stands where one that does something should."""
    for command in script.commands:
        context = command.context
        alone = not (context.condition or context.wrappers or context.feeders or context.readers)
        if command.name == "false" and context.condition:
            yield command.line, "'false' is never true: what it guards is never run"
        if command.name == ":" and any("$" not in word for word in command.arguments):
            yield command.line, f"{command.text!r} is no command that does anything"
        if command.name in _IDLE and len(command.words) == 1 and alone:
            if _answers_a_failure(script, command.line):
                continue  # the rule for hidden failures has it
            yield command.line, f"{command.name!r} does nothing, and always succeeds"
    for line in script.unreached:
        yield line, "it stands behind an `exit`, and is never run"
    yield from untaken(script)
    yield from _shadowed(script)
    yield from _only_tried(script)


def _shadowed(script: Script) -> Said:
    """A function or an alias takes the place of a program, and does not call it."""
    names = {one.name for one in script.commands}
    for found in _DEFINED.finditer(script.text):
        name = found["function"] or found["name"] or found["alias"]
        body = found["body"] or found["value"] or ""
        if _PROGRAMS.fullmatch(name) and name in names and not re.search(_CALLS.format(name), body):
            line = next(one.line for one in script.commands if one.name == name)
            yield line, f"{name!r} is no program here: the script makes something else of it"


def _only_tried(script: Script) -> Said:
    """A command only says what it would do, and nobody does it."""
    for command in script.commands:
        tried = _TRIES.get(command.name, _DRY)
        if not any(word.partition("=")[0] in tried for word in command.arguments):
            continue
        real = any(
            one.name == command.name
            and not any(word.partition("=")[0] in tried for word in one.arguments)
            for one in script.commands
        )
        if not real and "=none" not in command.text:
            yield command.line, f"{command.text[:60]!r} only says what it would do"


def _answers_a_failure(script: Script, line: int) -> bool:
    return any(one.line == line and one.context.swallowed for one in script.commands)


@rule_of_runbooks(
    "done-by-nothing", "medium", "write the command that does it, or take the box out"
)
def done_by_nothing(runbook: Runbook) -> Said:
    """A box says that something was done, and no command before it can have done that."""
    for procedure in runbook.procedures:
        yield from _undone(procedure)


def _undone(procedure: Procedure) -> Said:
    yield from _of_boxes(procedure.prerequisites, procedure.prerequisite_blocks)
    for step in procedure.steps:
        yield from _of_boxes(step.checkboxes, step.blocks)


def _of_boxes(boxes: tuple[Checkbox, ...], blocks: tuple[CodeBlock, ...]) -> Said:
    if not blocks:
        return  # nobody said how: a person does it
    for box in boxes:
        for says, cannot in _CLAIMS:
            claimed = re.search(says, box.text, re.IGNORECASE)
            if claimed and not any(_may_do(block, cannot) for block in blocks):
                yield box.line, f"no command can have done what “{box.text}” says"


def _may_do(block: CodeBlock, cannot: str) -> bool:
    """Whether each way of doing `block` has a command that is none of those that `cannot`."""
    return all(
        any(not re.match(cannot, one.text) for one in read_script(way.script).commands)
        for way in block.alternatives
    )


def boxes_of(runbook: Runbook) -> Iterator[tuple[str, Checkbox]]:
    """Yield every checkbox that a drill may verify, with where it stands."""
    closing = [one for one in runbook.post_rollback if one.blocks]  # others are for people
    checklists: tuple[Checklist, ...] = (runbook.pre_rollback, runbook.verification, *closing)
    for checklist in checklists:
        for box in checklist.checkboxes:
            yield checklist.title, box
    for procedure in runbook.procedures:
        boxes = [*procedure.prerequisites]
        boxes += [box for step in procedure.steps for box in step.checkboxes]
        for box in boxes:
            yield f"Procedure {procedure.number}", box
