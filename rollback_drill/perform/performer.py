"""Performs the runbook: runs code blocks on the hosts, watches, and verifies the checkboxes."""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from rollback_drill.decide.statistics import CONFIDENCE
from rollback_drill.decide.told import Decided
from rollback_drill.ground import clock
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError
from rollback_drill.ground.verdict import Verdict, worst
from rollback_drill.perform import check
from rollback_drill.perform.endless import Patience
from rollback_drill.perform.moment import Moment, Waited
from rollback_drill.perform.succession import when_begun
from rollback_drill.perform.told import (
    AlternativeTaken,
    Checked,
    CommandEnded,
    CommandOutput,
    CommandStarted,
    StepEnded,
    StepStarted,
)
from rollback_drill.perform.watch import OF_TWO_LOOKS, can_end_early, proven_now
from rollback_drill.record.timeline import Timeline
from rollback_drill.record.told import Noted
from rollback_drill.runbook.authority import level_of
from rollback_drill.runbook.model import (
    Alternative,
    Checkbox,
    Checklist,
    CodeBlock,
    Procedure,
    Step,
)
from rollback_drill.runbook.rules.endless import never_returns
from rollback_drill.runbook.shell import read_script
from rollback_drill.stage.host import Completed, Host, look
from rollback_drill.watch.probe import health

_OUTPUT_LINES = 500  # of one command on the timeline; a report needs no more
_LAST_LINES = 10  # of each stream of a longer one: how it ended
_LEAST_LIMIT_S = 1.0
_STATE_LIMIT_S = 5.0
_STATE = (
    'git describe --tags --always 2>/dev/null || echo "no release"\n'
    '[ -e "$MAINTENANCE_FILE" ] && echo "in maintenance" || echo "not in maintenance"'
)
FACTS = ("REASON", "SEVERITY", "LEAD", "INCIDENT", "ERROR_RATE")
"""Variables that the drill sets for the runbook's messages."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is performed as one: a step, or a checklist outside the procedures."""

    section: str
    number: int
    title: str
    budget_s: float
    window_s: float  # paced, as is the next one
    blocks: tuple[CodeBlock, ...]
    checkboxes: tuple[Checkbox, ...]
    line: int
    least_s: float = 0.0


class StepFailed(Exception):
    """A step did not do what it is for; the procedure must not go on. `commands`: the numbers of
    those that failed.
    """

    def __init__(self, reason: str, advice: str, commands: tuple[int, ...] = ()) -> None:
        self.reason, self.advice, self.commands = reason, advice, commands
        super().__init__(reason)


class Performer:
    """Performs parts of a runbook on a stage; everything that happens goes to the timeline.

    It stops at the first step that fails. Use as a context manager.
    """

    stops = True
    literal = False  # see LiteralPerformer

    def __init__(self, moment: Moment) -> None:
        self.moment = moment
        self.environment: Mapping[str, str] = {}  # for the blocks, on top of the host's own
        self._commands = itertools.count(1)
        self._unseen_s = 0.0  # of a command of which nobody saw the end
        self.watched_from = 0.0
        """Since when clients are watched, if the last part that was performed watches them."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is left to clear up."""

    def count_from(self, command: int) -> None:
        """Give the next command the number `command`: a record that is continued has others."""
        self._commands = itertools.count(command)

    def perform(
        self,
        procedure: Procedure,
        *,
        before_part: Callable[[Part], None] = lambda _: None,
        after_part: Callable[[Part], None] = lambda _: None,
    ) -> Verdict:
        """Perform `procedure` step by step.

        `before_part` and `after_part` are called around each of its parts, outside their budgets.

        Return the worst verdict of its steps. A step with an unknown checkbox does not stop it.
        """
        section = f"Procedure {procedure.number}"
        verdicts: list[Verdict] = []
        parts = [step_part(section, step, self.moment.pace) for step in procedure.steps]
        if procedure.prerequisites:
            parts.insert(0, prerequisites_part(section, procedure))
        for part in parts:
            before_part(part)
            verdicts.append(self.perform_part(part))
            after_part(part)
            # After the first step the failing behaviour must be over (flag off) or out of sight
            # (maintenance); a later restart moves this on, see perform_part.
            self.moment = replace(self.moment, effective_at=self.moment.effective_at or now())
            if self.stops and verdicts[-1] in (Verdict.FAILED, Verdict.UNCOVERED):
                break
        return worst(verdicts)

    def run_routine(self, procedure: Procedure) -> None:
        """Run the blocks of the procedure's prerequisites: work that is done before any incident.

        Nothing is verified: that is the first part of `perform`.
        """
        if procedure.prerequisite_blocks:
            routine = prerequisites_part("Routine", procedure)
            self.perform_part(replace(routine, blocks=procedure.prerequisite_blocks, checkboxes=()))

    def perform_checklist(
        self, checklist: Checklist, section: str, budget_s: float, *, window_from: float = 0.0
    ) -> Verdict:
        """Run the blocks of a checklist and verify its checkboxes within `budget_s` seconds.

        Client traffic counts from `window_from` (Unix seconds) on, by default from now.
        """
        return self.perform_part(
            Part(
                section=section,
                number=0,
                title=checklist.title,
                budget_s=budget_s,
                window_s=0.0,
                blocks=checklist.blocks,
                checkboxes=checklist.checkboxes,
                line=checklist.line,
            ),
            window_from=window_from,
        )

    def perform_part(self, part: Part, *, window_from: float = 0.0) -> Verdict:
        """Run one part: commands, watch window, checkboxes; hold it to its budget."""
        timeline = self.moment.timeline
        pids_before = self._pids()
        started = now()
        self.moment = replace(
            self.moment,
            section=part.section,
            title=part.title,
            outputs=[],
            waited=Waited(),
            facts=self.environment,
            told_by="",
            pids_before=pids_before,
            began_at=started,
            window_from=window_from or started,
            confidence=CONFIDENCE,
        )
        self.watched_from = self.moment.window_from if part.window_s else 0.0
        timeline.record(
            StepStarted(
                part.section,
                part.number,
                part.title,
                part.budget_s,
                part.window_s,
                part.line,
                tuple((box.line, box.text) for box in part.checkboxes),
                self._to_run(part),
            )
        )
        verdict, reason, advice = Verdict.PASSED, "", ""
        watched = proving = 0.0
        broken: StepFailed | None = None
        try:
            self._run_blocks(part, started)
        except StepFailed as error:
            broken = error
        except StageError as error:
            # Whether it was done nobody knows, so that nothing that comes after it can be judged.
            # Its time is that of what was seen: waiting for an answer is none of the runbook's.
            took = max(0.0, now() - started - self._unseen_s)
            reason = f"expected {error.expected}; found {error.found}"
            self._record_end(part, took, Verdict.UNKNOWN, reason, error.advice)
            raise
        if broken is None or self.literal:
            pids = self._pids()
            if pids != pids_before:
                began = when_begun(self.moment.stage, pids or {})
                self.moment = replace(self.moment, effective_at=started, processes_began=began)
            watched, checked = self._watch(part)
            moment = self.moment
            if checked is None:
                checked = [check.verify(one, part.number, moment) for one in part.checkboxes]
            proving = sum(one.took_s for one in checked if one.proof)
            for one in checked:
                timeline.record(one)
            verdict, reason = _of_checks(checked)
            if verdict is Verdict.FAILED:
                advice = self._next_move(part)
        if broken is not None:
            verdict, reason = Verdict.FAILED, broken.reason
            advice = f"{broken.advice}; {self._next_move(part)}"
        took = max(0.0, now() - started - watched - proving - self.moment.waited.total_s)
        if took > part.budget_s and verdict is not Verdict.FAILED:
            verdict = Verdict.FAILED
            reason = f"took {took:.1f} s, its budget is {part.budget_s:g} s"
            advice = "make the step faster or give it the time it needs in the runbook"
        commands = broken.commands if broken else ()
        self._record_end(part, took, verdict, reason, advice, commands, proving)
        return verdict

    def _record_end(
        self,
        part: Part,
        took_s: float,
        verdict: Verdict,
        reason: str,
        advice: str,
        commands: tuple[int, ...] = (),
        proving_s: float = 0.0,
    ) -> None:
        self.moment.timeline.record(
            StepEnded(
                part.section,
                part.number,
                part.title,
                part.budget_s,
                took_s,
                verdict,
                reason,
                advice,
                commands,
                proving_s,
            )
        )

    def _pids(self) -> dict[str, int] | None:
        """Return the services' process ids by host, None when nobody could see them."""
        try:
            return self.moment.stage.process.pids()
        except StageError:
            return None

    def _to_run(self, part: Part) -> int:
        """Return how many commands `part` runs if none of them fails."""
        return self._count(block for block in part.blocks if not block.fallback)

    def _count(self, blocks: Iterable[CodeBlock]) -> int:
        """Return how many commands `blocks` make on all hosts."""
        hosts = len(self.moment.stage.hosts)
        return sum(1 if block.once else hosts for block in blocks)

    def _run_blocks(self, part: Part, started: float) -> None:
        """Run the part's blocks in order. Where blocks fail, the fallback right behind them stands
        in for them, and the next fallback for that one; where nothing fails, no fallback is run.
        """
        failures: list[StepFailed] = []  # for which nothing stood in
        failure: StepFailed | None = None
        groups = [
            (fallback, list(blocks))
            for fallback, blocks in itertools.groupby(part.blocks, key=lambda one: one.fallback)
        ]
        for place, (fallback, blocks) in enumerate(groups):
            if fallback and failure is None:
                continue
            if not fallback and failure is not None:
                if not self.literal:
                    raise failure
                failures.append(failure)
            elif failure is not None:
                later = [one for other, rest in groups[place + 1 :] if not other for one in rest]
                self.moment.timeline.record(
                    AlternativeTaken(
                        part.section,
                        part.number,
                        part.title,
                        fallback,
                        failure.reason,
                        self._count([*blocks, *later]),
                    )
                )
            try:
                self._run_each(part, blocks, started)
                failure = None
            except StepFailed as error:
                failure = error
        if failure is not None:
            failures.append(failure)
        _raise_any(failures)

    def _run_each(self, part: Part, blocks: Sequence[CodeBlock], started: float) -> None:
        failures: list[StepFailed] = []
        for block in blocks:
            try:
                self._run_block(part, block, started)
            except StepFailed as error:
                if not self.literal:
                    raise
                failures.append(error)
        _raise_any(failures)

    def _run_block(self, part: Part, block: CodeBlock, started: float) -> None:
        alternative = choose(block, self.moment.stage.alternatives, default_first=self.literal)
        hosts = list(self.moment.stage.hosts)
        if block.once:
            hosts = hosts[:1]
        # What watches without an end is ended with the window; all else has what is left of the
        # budget, in a step that watches too: pace shortens no command.
        watches = part.window_s > 0 and any(never_returns(read_script(alternative.script)))
        left = part.window_s if watches else part.budget_s - (now() - started)
        limit = max(_LEAST_LIMIT_S, left)
        # In a step that watches, what never returns is watched for the whole window.
        pace = 1.0 if watches else self.moment.pace

        def abort() -> None:  # nothing may wait for a long command
            for host in hosts:
                host.abort()

        results = clock.at_once(
            lambda host: self._run(part, alternative, host, limit, pace), hosts, abort
        )
        self.moment.outputs.extend(done for _, done in results)
        for host, (command, done) in zip(hosts, results, strict=True):
            if done.exit_status is None and watches:
                continue
            if not done.ok:
                raise StepFailed(*_why(part, alternative, host, done, limit), (command,))

    def _run(
        self, part: Part, alternative: Alternative, host: Host, limit_s: float, pace: float
    ) -> tuple[int, Completed]:
        timeline = self.moment.timeline
        command = next(self._commands)
        timeline.record(
            CommandStarted(
                command,
                part.section,
                part.number,
                host.name,
                alternative.label,
                alternative.script,
                alternative.line,
                limit_s,
            )
        )
        lines = _Lines(timeline, command)
        began = now()
        try:
            with Patience(host, alternative.script, limit_s, pace) as patience:
                done = host.run(
                    alternative.script,
                    limit_s=limit_s,
                    environment={**self.environment, **patience.marks},
                    on_line=lines.take,
                )
            done = patience.told(done)
        except StageError as error:
            self._unseen_s = max(self._unseen_s, now() - began)
            lines.finish()
            timeline.record(
                CommandEnded(command, None, now() - began, observed=False, why=error.found)
            )
            raise
        lines.finish()
        timeline.record(CommandEnded(command, done.exit_status, done.took_s, why=done.why))
        return command, done

    def _watch(self, part: Part) -> tuple[float, list[Checked] | None]:
        """Let the rest of the window pass while traffic goes on; return the seconds waited, and
        what was found of its boxes when it could end early (see `perform.watch`).
        """
        if not part.window_s:
            return 0.0, None
        began = now()
        over = self.moment.began_at + part.window_s
        found: list[Checked] | None = None
        if part.least_s and can_end_early(part.checkboxes, self.moment.stage.checks):
            self.moment = replace(self.moment, confidence=OF_TWO_LOOKS)
            clock.sleep(max(0.0, self.moment.began_at + part.least_s - began))
            left = over - now()
            if left > 0:
                moment = replace(self.moment, to_come_s=left)
                found = proven_now(part.checkboxes, part.number, moment)
            if found:
                told = (
                    f"{part.section}: watched for {part.window_s - left:.1f} s of "
                    f"{part.window_s:.1f} s: each box was proven by then"
                )
                self.moment.timeline.record(Noted(told))
        if found is None:
            clock.sleep(max(0.0, over - now()))
        return now() - began, found

    def _next_move(self, part: Part) -> str:
        """Say in which state the service was left, and what to do next."""
        stage = self.moment.stage
        states = []
        for host in stage.hosts:
            try:
                told = look(host, _STATE, limit_s=_STATE_LIMIT_S).stdout.replace("\n", ", ")
            except StageError as error:
                told = f"nobody can tell its state ({error.found})"
            status = health(stage.direct_urls[host.name], stage.interface.health)
            answer = f"health {status}" if status else "no answer on /health"
            states.append(f"{host.name}: {told}, {answer}")
        return (
            f"the service was left as it is ({'; '.join(states)}); mend the cause, then perform "
            f"{part.section} again from its first step"
        )


class LiteralPerformer(Performer):
    """Presses on after a step that fails, and looks at the checkboxes of a step whose commands
    failed too, so that no defect hides behind another.
    """

    stops = False
    literal = True


class _Lines:
    """Records the output of one command: its first lines as they come, of a long one its last."""

    def __init__(self, timeline: Timeline, command: int) -> None:
        self._timeline = timeline
        self._command = command
        self._count = 0
        self._last: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=_LAST_LINES))

    def take(self, stream: str, text: str) -> None:
        self._count += 1
        if self._count <= _OUTPUT_LINES:
            self._record(stream, text)
        else:
            self._last[stream].append(text)

    def finish(self) -> None:
        left_out = self._count - _OUTPUT_LINES - sum(map(len, self._last.values()))
        if left_out > 0:
            self._record("stderr", f"… ({left_out} lines left out) …")
        for stream, lines in self._last.items():
            for text in lines:
                self._record(stream, text)

    def _record(self, stream: str, text: str) -> None:
        self._timeline.record(CommandOutput(self._command, stream, text))


def _raise_any(failures: Sequence[StepFailed]) -> None:
    """Raise all of `failures` as one, if there are any."""
    if failures:
        commands = tuple(number for error in failures for number in error.commands)
        reasons = "; ".join(error.reason for error in failures)
        raise StepFailed(reasons, failures[0].advice, commands)


def step_part(section: str, step: Step, pace: float) -> Part:
    """Return `step` of `section` as a part. Pace shortens its watch window, not its budget."""
    return Part(
        section=section,
        number=step.number,
        title=step.title,
        budget_s=step.budget.high_s,
        window_s=step.window_s / pace,
        least_s=step.least_s / pace,
        blocks=step.blocks,
        checkboxes=step.checkboxes,
        line=step.line,
    )


def prerequisites_part(section: str, procedure: Procedure) -> Part:
    """Return the prerequisites of `procedure` as a part before step 1: to be verified, not done."""
    return Part(
        section=section,
        number=0,
        title="Prerequisites",
        budget_s=procedure.estimate.high_s,
        window_s=0.0,
        blocks=(),
        checkboxes=procedure.prerequisites,
        line=procedure.line,
    )


def choose(block: CodeBlock, words: Sequence[str], *, default_first: bool = False) -> Alternative:
    """Return the alternative of `block` that this stage wants most.

    An alternative is wanted when one of `words` stands in its label. Without labels the first is
    meant for everybody, and so is the first of options. Raises StepFailed when a choice is offered
    and none of it works here; with `default_first` the first is tried then, as a reader would.
    """
    if len(block.alternatives) == 1:
        return block.alternatives[0]
    for word in words:
        for alternative in block.alternatives:
            if word.lower() in alternative.label.lower():
                return alternative
    if default_first or block.in_order or not block.alternatives[0].label:
        return block.alternatives[0]
    offered = ", ".join(repr(alternative.label) for alternative in block.alternatives)
    raise StepFailed(
        f"line {block.line}: none of the alternatives {offered} works on this stage",
        f"this stage knows {', '.join(words)}: add such an alternative to the runbook",
    )


def _why(
    part: Part, alternative: Alternative, host: Host, done: Completed, limit_s: float
) -> tuple[str, str]:
    where = f"the command at line {alternative.line} on {host.name}"
    if done.exit_status is None and done.why:
        return (
            f"{where} was ended after {done.took_s:.0f} s: {done.why}",
            "give the command an end of its own",
        )
    if done.exit_status is None:
        return (
            f"{where} was ended after {limit_s:.0f} s, all that the budget of {part.budget_s:g} s "
            "left it",
            "give the command an end of its own, or the step more time",
        )
    words = (done.stderr or done.stdout).strip().splitlines()
    said = f": {words[-1]}" if words else ""
    if done.why:
        return (
            f"{where} did not come to its end: {done.why}",
            "have it reach no more than it is meant for, such as the one process of the service",
        )
    return (
        f"{where} ended with status {done.exit_status}{said}",
        "read its output, mend the command in the runbook",
    )


def _of_checks(checked: list[Checked]) -> tuple[Verdict, str]:
    """Return the worst verdict of the checkboxes, and the first reason for it."""
    if not checked:
        return Verdict.PASSED, ""  # a step without checkboxes is judged by its commands
    verdict = worst(one.verdict for one in checked)
    if verdict in (Verdict.PASSED, Verdict.ATTESTED):
        return verdict, ""
    first = next(one for one in checked if one.verdict is verdict)
    return verdict, f"“{first.item}”: {first.evidence}"


def facts_for(
    decision: Decided | None, *, lead: str, incident: str, error_rate: float
) -> dict[str, str]:
    """Return the variables that the runbook's messages need, from the facts of the decision."""
    reason = decision.diagnosis or decision.trigger if decision else "operator's request"
    severity = decision.severity if decision else ""
    values = (reason, level_of(severity), lead, incident, f"{error_rate:.1%}")
    return dict(zip(FACTS, values, strict=True))
