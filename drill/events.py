"""Everything that can stand in a timeline: one frozen class per kind of event.

Times inside events are Unix seconds (`drill.clock`) unless a name ends in `_s` (a duration).
Nobody but the timeline is asked what happened: decisions, verdicts and reports are computed
from these objects, so what a judge needs must be recorded here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from drill.decoding import NAMED, Form, Holds, Range
from drill.histogram import Histogram
from drill.observation import Outcome
from drill.verdict import Verdict

Moment = Annotated[float, Range(0.0, 1e11)]
"""Unix seconds."""
Seconds = Annotated[float, Range(0.0, 1e9)]
"""A duration."""
Count = Annotated[int, Range(0, 10**15)]
Number = Annotated[int, Range(0, 10**9)]
"""Of a line, a step, a procedure, a command."""
Status = Annotated[int, Range(0, 999)]
"""Of HTTP; 0: no answer."""
PerSecond = Annotated[int, Range(0, 10**6)]
"""Requests in one second."""
Name = Annotated[str, NAMED]
Where = Annotated[str, Form("a path", lambda text: "\0" not in text)]
Latencies = Annotated[str, Form("a histogram", Histogram.from_text)]
StatusText = Annotated[str, Form("an HTTP status", re.compile("[1-9][0-9]{2}").fullmatch)]
OutcomeName = Annotated[str, Form("an outcome", Outcome)]
ACTIONS = ("no action", "monitor", "prepare", "rollback", "no rollback")
"""Words of the matrix and the tiers for what to do."""
DELIVERIES = ("sent", "kept", "shown", "refused", "failed")
"""What may become of a message."""
Box = tuple[Number, Name]
"""A checkbox: its line in the runbook and its text."""


class Phase(StrEnum):
    """Parts of a drill, in order."""

    SETUP = "setup"
    STEADY = "steady state"
    FAULT = "fault"
    PREPARATION = "preparation"
    ROLLBACK = "rollback"
    VERIFICATION = "verification"
    AFTERWARDS = "after the rollback"
    TEARDOWN = "teardown"


@dataclass(frozen=True, slots=True)
class DrillStarted:
    """What was asked for. `procedure` is "auto" or a number.

    `promises`: how many events of which kinds will be recorded, whatever comes of the drill; None
    where an old record does not say.
    """

    stage: Name
    stage_reason: str
    hosts: tuple[str, ...]
    failing: Name
    stable: Name
    fault: Name
    procedure: Annotated[str, Form("auto or a number", re.compile(r"auto|\d{1,6}").fullmatch)]
    runbook_path: Where
    runbook_sha256: Name
    runbook_title: str
    pace: Annotated[float, Range(1e-3, 1e6)]
    rate: Annotated[float, Range(1e-3, 1e6)]
    seed: Count
    hazard: Name = "none"
    clients: Count = 0  # of the traffic; 0 where an old record does not say
    promises: dict[str, Count] | None = None


@dataclass(frozen=True, slots=True)
class StageUp:
    """The stage stands. `where`: by what it is found again should this drill be killed (a folder of
    this machine, a staging environment's file), "" where it cannot be. `owner`: the drill's process
    id and when it was made (Unix seconds), which together name one process for ever.
    """

    where: Where
    owner: tuple[Number, Moment] = (0, 0.0)


@dataclass(frozen=True, slots=True)
class Resumed:
    """All before this was recorded by a drill that was killed; what follows continues it.

    `directory`: its report, with its traffic; `died_at`: when it recorded its last event;
    `ended_scripts`: commands that still ran on the hosts and were ended.
    """

    directory: Where
    died_at: Moment
    ended_scripts: Count = 0


@dataclass(frozen=True, slots=True)
class RunbookRead:
    """What of the runbook was not read, though it looks like something to do, to check or to hold:
    its lines (1-based), what they say, and why each was not taken, in the same order.
    """

    lines: tuple[Number, ...] = ()
    texts: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TemplatesRead:
    """The runbook's templates for messages and documents, by name, as they stood at the time."""

    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A phase lasts until the next one starts or the drill ends."""

    phase: Phase


@dataclass(frozen=True, slots=True)
class TrafficSecond:
    """Aggregate of all requests that were *due* in the second [second, second + 1).

    `outcomes`: count by `Outcome` value. `formats`: count of good answers by format ("old",
    "new"). `operations`: count by operation. `histogram`: latency of every finished request, as
    `drill.histogram.Histogram.to_text()`. `unhappy`: the clients with a failed request, as the
    bits of a hexadecimal number: one and the same bit for a client in all seconds of a drill.
    `statuses`: count of the answers that were not good, by their HTTP status ("503").
    """

    second: Annotated[int, Range(0, 10**11)]
    outcomes: dict[OutcomeName, PerSecond]
    formats: dict[str, PerSecond]
    operations: dict[str, PerSecond]
    histogram: Latencies
    unhappy: Annotated[str, Form("a hexadecimal number", re.compile("[0-9a-f]*").fullmatch)] = ""
    statuses: dict[StatusText, PerSecond] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GeneratorSample:
    """How honest the load generator was in the last second: `lag_s` is the worst distance
    between due and sent, `cpu` the share of one core (0–1), `in_flight` at the sample.
    """

    worker: Name
    lag_s: Seconds
    cpu: Annotated[float, Range(0.0, 1e3)]
    in_flight: Count


@dataclass(frozen=True, slots=True)
class ProbeSample:
    """One look at the system, past the load balancer. None: could not be read.

    `health_status`: HTTP status of each host's /health by host name (0: no answer).
    `rss_bytes`: resident memory of the service by host. `connections`: sessions on Postgres.
    `oom_kills`: kills since the stage came up, by host.
    """

    health_status: dict[str, Status]
    rss_bytes: dict[str, Count]
    connections: Count | None
    connection_limit: Annotated[int, Range(-1, 10**9)] | None
    oom_kills: dict[str, Count]


@dataclass(frozen=True, slots=True)
class LogLine:
    """A noteworthy line (warning or worse) of a log. `source`: "application" or "database"."""

    source: Name
    host: str
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Looked:
    """A sentinel looked at one thing. `verdict`: passed, failed (what it looks for is there) or
    unknown (it could not look); `numbers` carry what a trigger computes with.
    """

    sentinel: Name
    verdict: Verdict
    evidence: str
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reported:
    """Somebody told the drill's webhook. `form`: "incident" (`level` "P0" … "P3") or "ticket"
    (`level` is its priority); `reporter`: who, for tickets the customer.
    """

    form: str
    level: str
    title: str
    reporter: str


@dataclass(frozen=True, slots=True)
class TriggersRead:
    """How the runbook's triggers are held: `watched` are the names of those that are.

    `uncovered`: why nothing watches for (all of) a trigger, by "Trigger “name”, line n"; `unseen`:
    why nobody can look for it on this stage; `stretched`: waits that the pace would have made
    shorter than a service takes to start; `fault`: what to know of the fault's own trigger, "" for
    nothing.
    """

    watched: tuple[Name, ...]
    uncovered: dict[str, str] = field(default_factory=dict)
    unseen: dict[str, str] = field(default_factory=dict)
    stretched: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class MachineSample:
    """How busy the drill's own machine was: the `load` of the last minute, the `cores` that it has,
    the share of them that all programs used since the last sample (`cpu`, 0–1) and the memory that
    is still to be had. None: it could not be read.
    """

    load: Annotated[float, Range(0.0, 1e6)] | None
    cores: Number
    cpu: Annotated[float, Range(0.0, 1.0)] | None
    memory_available_bytes: Count | None


@dataclass(frozen=True, slots=True)
class TriggerFired:
    """A trigger of the runbook or a row of its matrix began to hold, `after_s` from the onset."""

    trigger: Name
    line: Number
    severity: Name
    action: Name
    after_s: Seconds
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Authorized:
    """Whether `roles` may start a rollback at `severity` (P0 … P3), by the runbook's table:
    `rule` in `line`.
    """

    roles: tuple[str, ...]
    severity: str
    allowed: bool
    rule: str
    line: Number


@dataclass(frozen=True, slots=True)
class FaultInjected:
    """A fault was switched on. `how` says in words what was done.

    `trigger`: the runbook's trigger that must fire for it, "" for none in particular; `calls_for`:
    the action that the runbook then wants, "no rollback" where the release is not to blame;
    `took_s`: how long it took, in which the release is not judged.
    """

    name: Name
    how: str
    trigger: str = ""
    calls_for: Annotated[str, Form("an action", ACTIONS.__contains__)] = "rollback"
    took_s: Seconds = 0.0


@dataclass(frozen=True, slots=True)
class FaultAttested:
    """Somebody independent of the detector looked for the fault's symptom. `since`: when the last
    look began (Unix seconds); from there on the release is judged.
    """

    name: Name
    symptom: Name
    seen: bool
    evidence: Name
    since: Moment = 0.0


@dataclass(frozen=True, slots=True)
class HazardArmed:
    """Something was made to go wrong in the rollback. `mastered`: the procedure must get by."""

    name: Name
    how: Name
    mastered: bool


@dataclass(frozen=True, slots=True)
class HazardOver:
    """It was taken back; `seen` says what there was to be seen of it, `harm` what the procedure did
    that it must never do, "" for nothing.
    """

    name: Name
    seen: str
    harm: str = ""


@dataclass(frozen=True, slots=True)
class WritesUnderFire:
    """What became of writes that went on during a procedure, straight on the database.

    `written`: acknowledged ones; `lost`: of these, not there afterwards, None when nobody could
    look, `examples` names some; `worst_stall_s`: the longest that one waited from when it was due.
    """

    written: Count
    lost: Count | None
    refused: Count
    worst_stall_s: Seconds
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FaultHealed:
    """A fault was switched off."""

    name: Name


@dataclass(frozen=True, slots=True)
class HealAttested:
    """Somebody looked whether the fault's symptom is gone after it was healed."""

    name: str
    gone: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class LeftAs:
    """In what state the service was once the drill had stopped and healed its fault, by asking it.

    HTTP statuses, 0 for no answer: `front` of the health endpoint through the front door, `hosts`
    of each host's own, `reads` of each reading operation through the front door. `maintenance`:
    whether the file that takes a host out is there, `releases`: what is checked out, both by host
    and without those that could not be asked. `undo`: the runbook's step that ends maintenance.
    `stays`: whether people find it so, on a stage that is still there after the drill.
    """

    front: Status
    hosts: dict[str, Status]
    reads: dict[str, Status]
    maintenance: dict[str, bool]
    releases: dict[str, str]
    undo: str = ""
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """The detector's decision. `action` is the matrix's or tier's word for what to do:
    "no action", "monitor", "prepare", "rollback". `rollback` is True when one is to be done.

    `trigger`: the runbook's trigger as written, `trigger_line` its line. `procedure` and
    `diagnosis` come from the runbook's scenarios (0 and "" without a rollback); `evidence` is a
    list of sentences with numbers and their confidence.
    `detected_after_s` counts from the beginning of the look that saw the fault's symptom to the
    instant at which the trigger held, `requests` those that were due in between.
    `answer`: how soon the trigger's tier wants it; `explanation`: how trigger and matrix led to it.
    `ours`: whether the release is to blame, None when that is not known; `attribution`: why.
    """

    action: Annotated[str, Form("an action", ACTIONS.__contains__)]
    rollback: bool
    trigger: str
    trigger_line: Number
    severity: str
    procedure: Number
    diagnosis: str
    scenario: Number
    evidence: Annotated[tuple[str, ...], NAMED]
    detected_after_s: Seconds
    requests: Count
    answer: str = ""
    explanation: str = ""
    ours: bool | None = None
    attribution: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcedureChosen:
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
class AlternativeTaken:
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
class StepStarted:
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
class StepEnded:
    """A step's commands ran and its checkboxes were verified, or it stopped early.

    `took_s` leaves out the watch window, which pace shortens: budgets are never shortened.
    `proving_s` comes on top: what the suite looks at beyond what any reader of the runbook would.
    `failed_commands`: the numbers of the commands that it failed by.
    """

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
class CommandStarted:
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
class CommandOutput:
    """One line of a command's output. `stream`: "stdout" or "stderr"."""

    command: Number
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class CommandEnded:
    """`exit_status` is None when the command was ended at its limit, or when it was not `observed`:
    it may have run or not, and whatever it printed may be lost. `why`: why nobody saw its end, or
    what ended it that was neither itself nor its limit.
    """

    command: Number
    exit_status: Annotated[int, Range(-1000, 1000)] | None
    took_s: Seconds
    observed: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """A checkbox was verified. `check` is the name of the bound check, "" when uncovered.

    `proof`: its time does not count for its step, see `drill.check.check`.
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
class Restored:
    """The first good answer that clients got, and kept getting, after the decision."""

    after_s: Seconds


@dataclass(frozen=True, slots=True)
class Fates:
    """What became of every acknowledged write: preserved + transformed + dropped + damaged + lost =
    acknowledged. See `drill.ledger` for what each means.

    `examples` names at most ten lost references; `why`: counts the lost ones by reason.
    `recovery_point_s`: how long before the reading the first of the lost was acknowledged, 0 when
    none is lost; `survivor_age_s`: the same for the newest that survived, None when none did.
    """

    acknowledged: Count
    preserved: Count
    lost: Count
    indeterminate: Count
    examples: tuple[str, ...] = ()
    damaged: Count = 0
    transformed: Count = 0
    dropped: Count = 0
    why: dict[str, Count] = field(default_factory=dict)
    recovery_point_s: Seconds = 0.0
    survivor_age_s: Seconds | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class LedgerRead(Fates):
    """The fate of every acknowledged write when all was over.

    `periods`: counts by fate of the writes acknowledged before, during and after each procedure.
    """

    periods: dict[str, dict[str, Count]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PathRead(Fates):
    """The fate of every write acknowledged so far, at the end of a procedure that was performed."""

    procedure: Number = 0


@dataclass(frozen=True, slots=True)
class DamageSeen:
    """Acknowledged writes that were gone or changed before the rollback touched anything."""

    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Walked:
    """A customer walked all pages of the list. `formats`: in the order in which they came.

    `rows` that came, `repeated` ones among them; `skipped`: rows that never came, of all where it
    `ended`, else of those before the last that came; `refused`: answers 400; `unanswered`: anything
    else that was no page; `ended`: whether it found an end.
    """

    walker: Name
    formats: tuple[str, ...]
    rows: Count
    repeated: Count
    skipped: Count
    refused: Count
    unanswered: Count
    ended: bool


class CursorAnswer(StrEnum):
    """What a service made of a cursor that was handed out earlier."""

    WENT_ON = "went on"  # where the cursor stands
    BEGAN_ANEW = "began anew"  # without a word: rows come twice
    REFUSED = "refused"  # 4xx: the customer knows, and begins anew
    ANOTHER_PAGE = "another page"  # rows are skipped without a word
    NO_PAGE = "no page"  # an error, or no answer at all


@dataclass(frozen=True, slots=True)
class CursorShown:
    """A cursor of the failing release was shown again, `age_s` after it was handed out.

    `moment`: "after Procedure 2" …; `page`: the one that it stands for; `format` of the answer.
    """

    moment: Name
    page: Number
    age_s: Seconds
    status: Status
    format: str
    answer: CursorAnswer


@dataclass(frozen=True, slots=True)
class DataSeen:
    """All data while no client could write. `moment`: "before" or "after" a procedure changed
    anything. `tables`: by table its "rows" (count) and, by column, a hash of all its values.
    `expected`: the hashes that columns will have once they are transformed as the runbook says.
    """

    procedure: Number
    moment: Name
    tables: dict[str, Annotated[dict[str, str], Holds("rows")]]
    expected: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OperatorActed:
    """What a person did in a step: done, effect seen, wrong turn (said to be done, and was not) or
    skipped.
    """

    section: Name
    number: Number
    title: Name
    what: Name
    detail: str


@dataclass(frozen=True, slots=True)
class EarlierDrills:
    """Times to restore of earlier drills that passed and compare with this one, in seconds:
    `count` of them, None where an old record does not say.
    """

    key: str
    restored_s: tuple[Seconds, ...]
    count: Count | None = None


@dataclass(frozen=True, slots=True)
class MessageHandled:
    """A message of the runbook. `outcome`: sent (a channel took it), kept (the drill's own mailbox
    did: nobody was told), shown (no channel for it), refused (it has blanks) or failed.
    """

    name: Name
    text: str
    outcome: Annotated[str, Form("an outcome", DELIVERIES.__contains__)]
    detail: str


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What people have to do after a rollback, within `within_s` seconds of it. `at_once`: it has
    commands, which are performed as soon as the rollback is verified.
    """

    title: Name
    within_s: Seconds
    items: tuple[str, ...]
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Noted:
    """A remark for the reader of the timeline."""

    text: str


@dataclass(frozen=True, slots=True)
class ObserverDied:
    """Somebody who looks for the drill looks no more: `error` says in words of what he died, or
    that he hangs. Nothing is known of what he would have seen.
    """

    observer: str
    error: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The operator or the system asked the drill to stop."""

    by: str


@dataclass(frozen=True, slots=True)
class DrillBroke:
    """The drill itself could not go on: not the rollback's failure."""

    expected: str
    found: str
    advice: str


@dataclass(frozen=True, slots=True)
class DrillEnded:
    """Always the last event. `left_behind`: what could not be removed, empty when clean.

    `recorded`: how many events of each kind come before this one; None where an old record does
    not say.
    """

    left_behind: tuple[str, ...] = field(default=())
    recorded: dict[str, Count] | None = None


Payload = (
    DrillStarted | StageUp | Resumed | DamageSeen
    | PhaseStarted | TrafficSecond | GeneratorSample | ProbeSample | LogLine
    | Looked | Reported | TriggersRead | TriggerFired | Authorized | DataSeen | Walked
    | TemplatesRead | MachineSample | RunbookRead
    | HazardArmed | HazardOver | WritesUnderFire
    | FaultInjected | FaultAttested | FaultHealed | Decided | ProcedureChosen | StepStarted
    | StepEnded | CommandStarted | CommandOutput | CommandEnded | Checked | Restored | LedgerRead
    | OperatorActed | EarlierDrills | MessageHandled | FollowUp | Noted | Interrupted
    | DrillBroke | DrillEnded | PathRead | AlternativeTaken | CursorShown | HealAttested | LeftAs
    | ObserverDied
)  # fmt: skip
