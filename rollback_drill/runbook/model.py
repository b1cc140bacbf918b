"""What a runbook says, as typed objects. Every object knows its line in the document."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

_REDEPLOY = re.compile(r"deploy .*again|re-?deploy", re.IGNORECASE)


class Severity(StrEnum):
    """Tiers of triggers, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"


@dataclass(frozen=True, slots=True)
class Checkbox:
    """One item with a box, such as `- [ ]` or `☐`. `text` is plain text without markup."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way of doing a code block. `label` is "" for a block's only or first way without a
    heading comment, else the words after `# Using` / `# OR using` (for example "supervisord").
    """

    label: str
    script: str
    line: int


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced shell block: `alternatives` has one entry per way, at least one.

    `once`: the fence says ```bash once: run it on one host only, however many there are.
    `fallback`: "" or the heading under which it stands as a fallback ("if the downgrade fails").
    `in_order`: its alternatives are options for everybody; the first is meant unless a stage knows
    another one.
    """

    alternatives: tuple[Alternative, ...]
    line: int
    once: bool = False
    fallback: str = ""
    in_order: bool = False


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds that a step or procedure may take. `low_s` equals `high_s` unless it is a range."""

    low_s: float
    high_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """A numbered part of a procedure. `number` is the number within this procedure; a step taken
    over from another procedure keeps `origin` ("Procedure 1, Step 4"). `window_s`: seconds to
    watch the service before verifying, unshortened by pace (0 when the step watches nothing);
    `least_s` of them in any case, where the text names a range (0 where it names one time).
    """

    number: int
    title: str
    budget: Budget
    blocks: tuple[CodeBlock, ...]
    checkboxes: tuple[Checkbox, ...]
    line: int
    window_s: float = 0.0
    least_s: float = 0.0
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Procedure:
    """One rollback. `prerequisites` must hold before step 1.

    `dropped`: tables ("audit") and columns ("orders.rank") that it takes away, as
    it says after "Dropped on purpose:"; `transformed`: what becomes of columns, as it says after
    "Transformed:", as SQL expressions by name.
    """

    number: int
    title: str
    use_when: str
    estimate: Budget
    prerequisites: tuple[Checkbox, ...]
    steps: tuple[Step, ...]
    line: int
    prerequisite_blocks: tuple[CodeBlock, ...] = ()
    dropped: tuple[str, ...] = ()
    transformed: dict[str, str] = field(default_factory=dict)

    @property
    def alternatives(self) -> dict[str, str]:
        """What stands in for a step when it fails, by the step's title."""
        return {s.title: b.fallback for s in self.steps for b in s.blocks if b.fallback}


@dataclass(frozen=True, slots=True)
class Trigger:
    """A condition under which to roll back, as written: "Error Rate >10%" and its explanation.
    `within_s`: seconds within which its tier has people act, inf where it names no time.
    """

    severity: Severity
    name: str
    text: str
    line: int
    within_s: float = math.inf


@dataclass(frozen=True, slots=True)
class Band:
    """Half-open interval [low, high): the value `low` belongs to this band, `high` to the next.

    Error rates are fractions (0.01 = 1 %), latencies seconds. `high` is inf for the last band.
    """

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One row of the decision matrix, mildest first. `p95`: its latencies, of the p95 or of the
    `quantile` that this row names.
    """

    condition: str
    error_rate: Band
    p95: Band
    decision: str
    line: int
    quantile: float = 0.95


@dataclass(frozen=True, slots=True)
class Scenario:
    """A common scenario: the symptom as written, and the procedure it calls for."""

    number: int
    title: str
    symptom: str
    procedure: int
    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class Authority:
    """Who may start a rollback at a severity (P0 … P3)."""

    severity: str
    authorized_by: str
    line: int


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to call in a role, as written; blanks such as "[name]" included."""

    role: str
    primary: str
    secondary: str
    escalation: str
    line: int


@dataclass(frozen=True, slots=True)
class Template:
    """A message with placeholders `[like this]` or `$NAMES`."""

    name: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Checklist:
    """A list of checkboxes outside the procedures: "Before you start", "Final verification" ….

    `blocks` are the code blocks that stand in its section, in order.
    """

    title: str
    checkboxes: tuple[Checkbox, ...]
    blocks: tuple[CodeBlock, ...]
    line: int
    budget: Budget | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that looks like something to do, to check or to hold, and was not taken; and why."""

    line: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Assumed:
    """A value that the document does not say. `line`: that of what it completes, or one behind the
    last of the document, as if it stood there; `source`: whence it is; `needs`: the ability of a
    stage without which it is left out, "" for none.
    """

    line: int
    what: str
    value: str
    source: str
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Runbook:
    """The whole document. `unread`: what of it nobody will perform, verify or hold; `text`: as it
    is written; `assumed`: what it does not say, and was taken from elsewhere.
    """

    path: Path
    sha256: str
    title: str
    triggers: tuple[Trigger, ...]
    matrix: tuple[MatrixRow, ...]
    pre_rollback: Checklist
    procedures: tuple[Procedure, ...]
    post_rollback: tuple[Checklist, ...]
    verification: Checklist
    scenarios: tuple[Scenario, ...]
    authority: tuple[Authority, ...]
    templates: tuple[Template, ...] = field(default=())
    contacts: tuple[Contact, ...] = field(default=())
    unread: tuple[Unread, ...] = field(default=())
    text: str = field(default="", repr=False)
    assumed: tuple[Assumed, ...] = field(default=())

    @property
    def redeployment(self) -> Procedure | None:
        """The procedure that deploys the release again, None when there is none."""
        return next((p for p in self.procedures if _REDEPLOY.search(p.title)), None)

    @property
    def blocks(self) -> tuple[CodeBlock, ...]:
        """All that may be performed: before the procedures, in each of them, and after them."""
        found = [*self.pre_rollback.blocks]
        for one in self.procedures:
            found += one.prerequisite_blocks
            found += [block for step in one.steps for block in step.blocks]
        found += self.verification.blocks
        found += [block for one in self.post_rollback for block in one.blocks]
        return tuple(found)

    def procedure(self, number: int) -> Procedure:
        """Return procedure `number`. Raises KeyError when the document has none of that number."""
        for procedure in self.procedures:
            if procedure.number == number:
                return procedure
        raise KeyError(number)
