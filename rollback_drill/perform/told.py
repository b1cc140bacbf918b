"""What is told of the procedure, its commands and its checkboxes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.decoding import Form, Range
from rollback_drill.record.told import Box, Count, Name, Number, Seconds, Told

DELIVERIES = ("sent", "kept", "shown", "refused", "failed")
"""What may become of a message."""
NOBODY = "nobody was told"
"""What is said of a message that went there."""
STATUS_PAGE = "status-page"
"""The name of the message that stands on $STATUS_PAGE."""


@dataclass(frozen=True, slots=True)
class Authorized(Told):
    """Whether `roles` may start a rollback at `severity` (P0 … P3), by the runbook's table:
    `rule` in `line`.
    """

    roles: tuple[str, ...]
    severity: str
    allowed: bool
    rule: str
    line: Number


@dataclass(frozen=True, slots=True)
class ProcedureChosen(Told):
    """Which procedure is performed: `chosen_by` is "diagnosis" or "operator".

    `step_titles` and `step_budgets_s` say what is to be done, so that a step which was never
    reached can be told from one that does not exist; `dropped` what it takes away on purpose,
    `transformed` what becomes of columns: expressions by name. `alternatives`: what stands in for
    a step when it fails, by the step's title. `step_numbers`, and `prerequisites`: how many
    checkboxes are verified before the first step. `promises`: how many events of which kinds will
    be recorded if it holds. Both are None where an old record does not say.
    """

    procedure: Number
    title: Name
    estimate_low_s: Seconds
    estimate_high_s: Seconds
    chosen_by: Name
    step_titles: tuple[Name, ...] = ()
    dropped: tuple[str, ...] = ()
    step_budgets_s: tuple[Seconds, ...] = ()
    transformed: dict[str, str] = field(default_factory=dict)
    alternatives: dict[str, str] = field(default_factory=dict)
    step_numbers: tuple[Number, ...] | None = None
    prerequisites: Count = 0
    promises: dict[str, Count] | None = None


@dataclass(frozen=True, slots=True)
class AlternativeTaken(Told):
    """A step's commands failed for `reason`; what the runbook has for that case stands in:
    `commands` of them, None where an old record does not say.
    """

    section: Name
    number: Number
    title: Name
    alternative: Name
    reason: Name
    commands: Count | None = None


@dataclass(frozen=True, slots=True)
class StepStarted(Told):
    """`section`: "Procedure 1", "Preparation", "Final verification" …; `number` 0 outside
    procedures. `budget_s` is the upper end; `window_s` the watch window already paced.

    `boxes` are verified and `commands` run, one for each host, unless it fails; None where an old
    record does not say.
    """

    section: Name
    number: Number
    title: Name
    budget_s: Seconds
    window_s: Seconds
    line: Number
    boxes: tuple[Box, ...] | None = None
    commands: Count | None = None


@dataclass(frozen=True, slots=True)
class StepEnded(Told):
    """A step's commands ran and its checkboxes were verified, or it stopped early.

    `took_s` leaves out the watch window, which pace shortens: budgets are never shortened.
    `proving_s` comes on top: what the suite looks at beyond what any reader of the runbook would.
    `failed_commands`: the numbers of the commands that it failed by.
    """

    by_clients: ClassVar[bool] = True

    section: Name
    number: Number
    title: Name
    budget_s: Seconds
    took_s: Seconds
    verdict: Verdict
    reason: str
    advice: str
    failed_commands: tuple[Number, ...] = ()
    proving_s: Seconds = 0.0


@dataclass(frozen=True, slots=True)
class CommandStarted(Told):
    """A code block's alternative is run on a host, with a limit from the step's budget."""

    command: Number
    section: Name
    number: Number
    host: Name
    alternative: str
    script: Name
    line: Number
    limit_s: Seconds


@dataclass(frozen=True, slots=True)
class CommandOutput(Told):
    """One line of a command's output. `stream`: "stdout" or "stderr"."""

    command: Number
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class CommandEnded(Told):
    """`exit_status` is None when the command was ended at its limit, or before since it would never
    have ended, or when it was not `observed`: it may have run or not, and whatever it printed may
    be lost. `why`: why nobody saw its end, or what ended it that was neither itself nor its limit.
    """

    command: Number
    exit_status: Annotated[int, Range(-1000, 1000)] | None
    took_s: Seconds
    observed: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True)
class Checked(Told):
    """A checkbox was verified. `check` is the name of the bound check, "" when uncovered.

    `proof`: its time does not count for its step, see `perform.check.check`.
    """

    section: Name
    number: Number
    item: Name
    line: Number
    check: str
    verdict: Verdict
    evidence: Name
    took_s: Seconds = 0.0
    proof: bool = False


@dataclass(frozen=True, slots=True)
class BackupProven(Told):
    """A backup that was made before there were clients was restored and compared at once, while
    nobody wrote. `name`: of its file.
    """

    name: Name
    verdict: Verdict
    evidence: Name


@dataclass(frozen=True, slots=True)
class OperatorActed(Told):
    """What a person did in a step: done, effect seen, wrong turn (said to be done, and was not) or
    skipped.
    """

    section: Name
    number: Number
    title: Name
    what: Name
    detail: str


@dataclass(frozen=True, slots=True)
class MessageHandled(Told):
    """A message of the runbook. `outcome`: sent (a channel took it), kept (the drill's own mailbox
    did: nobody was told), shown (no channel for it), refused (it has blanks) or failed.
    """

    name: Name
    text: str
    outcome: Annotated[str, Form("an outcome", DELIVERIES.__contains__)]
    detail: str
