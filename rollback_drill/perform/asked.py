"""What a runbook does not ask: checks of the standard set, a look before it is over, and boxes and
other parts that it had when a drill was kept last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from rollback_drill.perform.check import bind
from rollback_drill.runbook.lint import Lint, lint
from rollback_drill.runbook.model import Alternative, Procedure, Runbook
from rollback_drill.runbook.parts import parts
from rollback_drill.runbook.rules.nothing import boxes_of
from rollback_drill.runbook.told import DocumentAsked

# By the check: what nobody knows without it, the ability that it needs, and who sees as much.
_STANDARD: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "health_status": ("that the service is healthy", "", ("service_up", "smoke_tests")),
    "endpoints_functional": ("that every endpoint works", "known", ("smoke_tests",)),
    "error_rate": ("how many requests fail", "", ("no_complaints",)),
    "response_time": ("how long requests take", "", ()),
    "database_queries": ("that writes are kept", "known", ("smoke_tests", "no_data_loss")),
    "authentication": ("that strangers are refused", "known", ("smoke_tests",)),
    "application_log": ("that the application logs no errors", "", ()),
    "database_log": ("that the database logs no errors", "known", ()),
    "metrics_collecting": ("that metrics are collected", "metrics", ("no_alerts",)),
    "dashboards_normal": ("that dashboards are normal", "metrics", ("no_alerts",)),
}
_LOOKS = {
    *("api_requests_succeed", "endpoints_functional", "health_status", "service_up"),
    *("smoke_tests", "old_format", "new_format", "error_rate", "no_immediate_errors"),
}
SUSPECT = ("hidden-failure", "does-nothing", "done-by-nothing", "comes-too-late")
"""Rules for runbooks whose suspicions keep a drill from passing."""
OF_COMMANDS = ("hidden-failure", "does-nothing")
"""Those that matter where the command is run."""
_ADVICE = {
    "unverified": "add a checkbox for it; `make bindings` shows how they are worded",
    "gone": "put it back, or hold a drill that is kept to say that it is meant",
}


def asked_by(runbook: Runbook, lacks: Collection[str], before: Sequence[str]) -> DocumentAsked:
    """Return what `runbook` asks, and what is doubtful about that.

    `lacks`: abilities that the stage has not; `before`: parts of what the drill kept last asked, as
    `identities` names them.
    """
    now = identities(runbook)
    found = [*_standard(runbook, lacks), *_unlooked(runbook), *_gone(before, now)]
    found += [(one.rule, one.line, one.what, one.advice) for one in _suspected(runbook)]
    keys, lines, whats, advices = zip(*found, strict=True) if found else ((), (), (), ())
    ways = list(_ways(runbook))
    commands = tuple(
        _commands(ways, line) if key in OF_COMMANDS else ()
        for key, line in zip(keys, lines, strict=True)
    )
    return DocumentAsked(tuple(now), keys, lines, whats, advices, commands)


_read: dict[str, list[Lint]] = {}


def _suspected(runbook: Runbook) -> list[Lint]:
    """Return what is suspected of its commands, once for all drills of one document."""
    if runbook.sha256 not in _read:
        _read.clear()
        _read[runbook.sha256] = lint(runbook, SUSPECT)
    return _read[runbook.sha256]


def identities(runbook: Runbook) -> list[str]:
    """Return a name for each checkbox: where it stands, the check that it is bound to, and which of
    several; then those of all other parts. Another wording, or another step, is no other box.
    """
    bound = [(where, box.text, bind(box.text)) for where, box in boxes_of(runbook)]
    boxes = [f"{where}: {one.name if one else text}" for where, text, one in bound]
    counts: Counter[str] = Counter()
    found = []
    for name in (*boxes, *parts(runbook)):
        counts[name] += 1
        found.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    return found


def _ways(runbook: Runbook) -> Iterator[tuple[int, tuple[Alternative, ...]]]:
    """Yield the line of each block that may be performed, and its ways."""
    for block in runbook.blocks:
        yield block.line, block.alternatives


def _commands(ways: list[tuple[int, tuple[Alternative, ...]]], line: int) -> tuple[int, ...]:
    """Return the lines of the ways to which the command at `line` belongs: one, or all of a block
    before which it stands. What is in none is never run.
    """
    for begin, alternatives in ways:
        end = max(one.line + one.script.count("\n") + 1 for one in alternatives)
        if begin <= line <= end and not any(begin < other <= line for other, _ in ways):
            own = [one.line for one in alternatives if one.line <= line]
            return (own[-1],) if own else tuple(one.line for one in alternatives)
    return (line,)


_Doubt = tuple[str, int, str, str]


def _standard(runbook: Runbook, lacks: Collection[str]) -> Iterator[_Doubt]:
    bound = {one.name for box in runbook.verification.checkboxes if (one := bind(box.text))}
    for name, (what, ability, others) in _STANDARD.items():
        if ability not in lacks and not bound & {name, *others}:
            told = f"after a rollback nobody verifies {what}"
            yield f"unverified {name}", runbook.verification.line, told, _ADVICE["unverified"]


def _unlooked(runbook: Runbook) -> Iterator[_Doubt]:
    for procedure in runbook.procedures:
        if not _looks(procedure):
            told = f"no step of Procedure {procedure.number} looks whether the service works"
            advice = "add a step that does, before the procedure is over"
            yield f"unverified Procedure {procedure.number}", procedure.line, told, advice


def _looks(procedure: Procedure) -> bool:
    boxes = (box for step in procedure.steps for box in step.checkboxes)
    return any((one := bind(box.text)) is not None and one.name in _LOOKS for box in boxes)


def _gone(before: Sequence[str], now: Collection[str]) -> Iterator[_Doubt]:
    for name in before:
        if name not in now:
            told = "the runbook of the drill that was kept last had it"
            yield f"gone {name}", 0, told, _ADVICE["gone"]
