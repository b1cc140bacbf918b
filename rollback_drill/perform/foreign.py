"""Commands that would reach beyond a stage whose hosts are this very machine.

What a stage may be told is a property of it (`Stage.confined`): one that does not say that nothing
of this machine can be reached is told nothing that reaches for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rollback_drill.ground.errors import UsageError
from rollback_drill.perform.performer import StepFailed, choose
from rollback_drill.runbook.model import CodeBlock, Procedure, Runbook
from rollback_drill.stage.model import Stage

_FOREIGN = re.compile(
    r"\b(?:sudo|systemctl|pkill|pgrep|killall|shutdown|reboot|docker(?:-compose)?)\b"
    # what is installed, or set, for all of a machine
    r"|\b(?:apt(?:-get)?|dnf|yum|apk|brew|snap|pipx|gem)\s+(?:-\S+\s+)*(?:install|remove|upgrade)\b"
    r"|\s--system(?=\s|$)"
    r"|(?<![\w$}/.:])/(?!dev/(?:null|tcp)|maintenance\b|ready\b|health\b|api\b)\w+/[\w/.]*"
)
_COMMENT = re.compile(r"(?:^|\s)#")


def foreign(
    runbook: Runbook, procedures: Iterable[Procedure], stage: Stage
) -> list[tuple[int, str]]:
    """Return (line, words) of the commands that `stage` must not be told, by line."""
    if stage.confined:
        return []
    blocks = [*runbook.pre_rollback.blocks, *(b for c in runbook.post_rollback for b in c.blocks)]
    for procedure in procedures:
        blocks += procedure.prerequisite_blocks
        blocks += [block for step in procedure.steps for block in step.blocks]
    return list(dict.fromkeys(hit for block in blocks for hit in _foreign_in(block, stage)))


def may_perform(runbook: Runbook, asked: str, *, round_trip: bool) -> list[Procedure]:
    """Return the procedures that a drill may come to perform. `asked`: a number, or "auto"."""
    again = runbook.redeployment
    return [
        one
        for one in runbook.procedures
        if (round_trip if one is again else asked in ("auto", str(one.number)))
    ]


def refuse_foreign(runbook: Runbook, procedures: Iterable[Procedure], stage: Stage) -> None:
    """Raise UsageError when one of `procedures` has commands that `stage` must not be told."""
    hits = foreign(runbook, procedures, stage)
    if hits:
        told = ", ".join(f"{words!r} in line {line}" for line, words in hits[:5])
        raise UsageError(
            f"commands that stay inside the stage {stage.name}, whose hosts are this very machine",
            f"{told}{', …' if len(hits) > 5 else ''} of {runbook.path}",
            "use STAGE=containers, or name hosts and paths by environment variables",
        )


def _foreign_in(block: CodeBlock, stage: Stage) -> Iterator[tuple[int, str]]:
    try:
        alternative = choose(block, stage.alternatives)
    except StepFailed:
        return  # nothing of it will be performed
    for offset, text in enumerate(alternative.script.splitlines()):
        match = _FOREIGN.search(_without_comment(text))
        if match:
            yield alternative.line + offset, match.group()


def _without_comment(text: str) -> str:
    for match in _COMMENT.finditer(text):
        before = text[: match.start()]
        if before.count("'") % 2 == 0 and before.count('"') % 2 == 0:
            return before
    return text
