"""The decision: which trigger fires, what the runbook says to do, and by which procedure.

`detected_after_s` counts from the onset, which in a drill is the beginning of the look that first
saw the fault's symptom (`conduct.attest`), to the instant at which the trigger fired. The decision
itself may be handed out a little later, within stated bounds: at most `HOLD_S` while a trigger of
the tier below the worst may yet turn out to be the worst, and at most `SHARPEN_S` for the
diagnosis, because probes look twice a second while an error rate is certain after a tenth of one
(`BLIND_S` while probes that look at other times get no answer). And nothing is rolled back for a
share of the requests before there is proof that holds for requests which depend on each other
(`decide.e_detector`): the trigger is the alarm until then. Where the time is over before, the
answer is that it was not long enough to say.
The same looks damp flapping: a trigger that no longer holds when the decision is to be handed out
was a blip and is withdrawn; unless it is the `FLAPS`th within `FLAP_WINDOW_S`, and the error rate
from the first to the last of them, good times included, is proven to be one that calls for a
rollback.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rollback_drill.decide.attribution import Attribution, attribute
from rollback_drill.decide.detector import ALPHA, HORIZON, Detector, SlowShare, Stream
from rollback_drill.decide.diagnosis import Diagnosis, Strength, diagnose
from rollback_drill.decide.evidence import Evidence, memory_sentences
from rollback_drill.decide.matrix import ErrorRow, LatencyRow, key_of, matrix_conditions
from rollback_drill.decide.proof import more_sentence, proof_sentence
from rollback_drill.decide.statistics import (
    LatencyCounts,
    Proof,
    error_rate_proven_below,
    lower_bound,
    more_needed,
    p95_proven_below,
    quantile_upper_bound,
)
from rollback_drill.decide.told import NOT_LONG_ENOUGH, Decided, TriggerFired
from rollback_drill.decide.trigger import (
    ANSWERS,
    Condition,
    Firing,
    Lasting,
    Pending,
    Waiting,
    conditions,
)
from rollback_drill.decide.triggers.latency import Slowest
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.pace import paced_s
from rollback_drill.ground.verdict import Verdict, worst
from rollback_drill.record.timeline import Event
from rollback_drill.runbook.model import MatrixRow, Runbook, Severity
from rollback_drill.traffic.observation import Observation
from rollback_drill.watch.told import DATABASE, FRONT_DOOR, LogLine, Looked, ProbeSample, Reported

HOLD_S = 8.0  # real seconds; telling 8 % from 12 % takes some 470 requests
SHARPEN_S = 2.8  # real seconds; several looks of a probe, even of one that answers slowly
BLIND_S = 8.0  # real seconds; two looks of a probe that runs into all of its time limits
FLAPS = 3
FLAP_WINDOW_S = 60.0
_LOOKS = 2  # the first look after the trigger may have begun before it
_SEVERITIES = {Severity.CRITICAL: 3, Severity.HIGH: 2, Severity.MEDIUM: 1}


class Decider:
    """Decides from observations, probes and log lines, all told in order of time.

    `pace` divides the runbook's waits. Times are Unix seconds. Not thread-safe: the caller holds a
    lock. `unwatched` are the runbook's triggers that nothing watches for.
    """

    def __init__(
        self, runbook: Runbook, pace: float = 1.0, *, alpha: float = ALPHA, horizon: int = HORIZON
    ) -> None:
        self.runbook = runbook
        by_triggers, self.unwatched = conditions(runbook)
        # What was found in the evidence so far, None: to be looked at anew.
        self._fires: list[tuple[Condition, Firing]] | None = None
        self._diagnosis: Diagnosis | None = None
        self._conditions = [*by_triggers, *matrix_conditions(runbook.matrix)]
        if not runbook.matrix:
            raise UsageError(
                "a decision matrix", f"none in {runbook.path}", "add one: it says what is normal"
            )
        normal = runbook.matrix[0]
        self._error_limit = key_of(normal.error_rate.high)
        self._speed = SlowShare(key_of(normal.p95.high), normal.quantile)
        watches = [condition.watch for condition in self._conditions]
        questions = [self._speed, *(one for watch in watches for one in watch.questions)]
        slowest = [watch.slowest_s for watch in watches if isinstance(watch, Slowest)]
        self.detector = Detector(
            [self._error_limit, *(edge for watch in watches for edge in watch.error_edges)],
            (),
            [factor for watch in watches for factor in watch.factors],
            questions,
            slowest,
            alpha=alpha,
            horizon=horizon,
        )
        for watch in watches:
            if isinstance(watch, Lasting):
                watch.follow(self.detector)
        self._evidence = Evidence(self.detector, pace)
        self._onset = math.nan
        self._before: dict[str, tuple[int, int]] = {}
        self._committed: tuple[Condition, Firing] | None = None
        self._mildest: tuple[str, float] | None = None  # what is held for the worst, and since when
        self._told: set[tuple[str, int]] = set()
        self._decided_on: tuple[str, int] | None = None
        self._withdrawn: list[tuple[float, int, int]] = []  # at, failures and requests so far
        self._rollback_share = min(
            (
                c.watch.error_edges[0]
                for c in self._conditions
                if c.rollback and c.watch.error_edges
            ),
            default=1.0,
        )

    @property
    def longest_s(self) -> float:
        """The longest time for which a trigger has to last, in seconds, shortened by the pace."""
        waits = [c.watch.limit_s for c in self._conditions if isinstance(c.watch, Waiting)]
        return max((paced_s(one, self._evidence.pace) for one in waits), default=0.0)

    def set_baseline(self, healthy: LatencyCounts) -> None:
        """Tell the latencies of the healthy service, for triggers such as "3x slower".

        Too few of them (59 for an upper bound of the p95) leave those triggers dormant.
        """
        self._changed()
        upper = quantile_upper_bound(healthy)
        if upper is not None:
            self.detector.set_baseline(upper)

    def onset(self, at: float) -> None:
        """Tell that judging begins at `at`: what came before it is no evidence."""
        self._changed()
        self._onset = at
        self._before = {stream.name: (stream.hits, stream.n) for stream in self.detector.streams}
        self._evidence.forget()

    def observe(self, observation: Observation, *, on_purpose: bool = False) -> None:
        """Take a finished request in, in order of completion (see Detector.observe)."""
        self._changed()
        self.detector.observe(observation, on_purpose=on_purpose)
        if not on_purpose:
            self._evidence.observe(observation)

    def take(self, event: Event) -> None:
        """Take in what was recorded, if it is evidence; requests are told by `observe`."""
        match event.what:
            case ProbeSample() as sample:
                self.probe(sample, event.at)
            case LogLine() as line:
                self.log(line, event.at)
            case Looked() as looked:
                self.look(looked, event.at)
            case Reported() as reported:
                self.report(reported, event.at)

    def look(self, looked: Looked, at: float) -> None:
        """Take a sentinel's look in."""
        self._changed()
        self._evidence.look(looked, at)

    def report(self, reported: Reported, at: float) -> None:
        """Take an incident or a ticket in."""
        self._changed()
        self._evidence.report(reported, at)

    def newly_fired(self) -> list[tuple[TriggerFired, float]]:
        """Return each trigger and row that holds for the first time, and since when.

        One that may pass is told once it is proven, or once a decision rests on it.
        """
        new = []
        for condition, firing in self._fired():
            key = (condition.name, condition.line)
            passing = firing.may_pass and not condition.proven(self.detector)
            if key in self._told or (passing and key != self._decided_on):
                continue
            self._told.add(key)
            event = TriggerFired(
                condition.name,
                condition.line,
                condition.severity.value,
                condition.action,
                self._after_s(firing.at),
                firing.evidence,
            )
            new.append((event, firing.at))
        return new

    def probe(self, sample: ProbeSample, at: float) -> None:
        """Take a look at the system in."""
        self._changed()
        self._evidence.probe(sample, at)

    def log(self, line: LogLine, at: float) -> None:
        """Take a noteworthy log line in."""
        self._changed()
        self._evidence.log(line, at)

    def decide(self, now: float) -> Decided | None:
        """Return the decision to roll back once the evidence suffices, else None.

        Never returns a milder decision, since a fault may yet grow: see `settled`. Where the
        release is not to blame, the decision is not to roll back.
        """
        self._commit(now)
        if self._committed is None:
            return None
        _, firing = self._committed
        diagnosis = self._diagnose()
        if not self._sharp_enough(diagnosis, firing.at, now) or self._withdraw(now):
            return None
        if not self._committed[0].proven(self.detector):
            return None
        # The trigger stays the one that fired; its numbers are those of now.
        return self._rollback(*self._committed, diagnosis)

    @property
    def waiting(self) -> bool:
        """Whether what was seen so far calls for a rollback, so that time alone may decide it."""
        fired = self._fired()
        return self._committed is not None or bool(fired and fired[0][0].rollback)

    def may_pass(self, now: float) -> bool:
        """Whether what presses most is not proven and began less than HOLD_S ago."""
        for condition, firing in self._fired()[:1]:
            counts = condition.rollback or firing.may_pass
            return counts and not condition.proven(self.detector) and now - firing.at < HOLD_S
        return False

    def settled(self, now: float) -> Decided | None:
        """Return a decision that is milder than a rollback once it cannot become worse by more
        evidence of its kind, and nothing worse came for HOLD_S, nor may by lasting.
        """
        fired = self._fired()
        if not fired or fired[0][0].rollback or not fired[0][1].sharp or self._pending():
            self._mildest = None
            return None
        name = fired[0][0].name
        if self._mildest is None or self._mildest[0] != name:
            self._mildest = (name, now)
        return self.final(now) if now - self._mildest[1] >= HOLD_S else None

    def _pending(self) -> bool:
        """Whether what calls for a rollback is under way and has only to last."""
        return any(
            condition.rollback
            and isinstance(condition.watch, Pending)
            and condition.watch.pending(self._evidence)
            for condition in self._conditions
        )

    def _withdraw(self, now: float) -> bool:
        """Withdraw the trigger to act on when it does not hold any more; return whether it was."""
        assert self._committed
        standing = [pair for pair in self._fired() if pair[0].rollback]
        for condition, firing in standing:
            if condition is self._committed[0]:
                again = firing.at > self._committed[1].at
                self._committed = condition, firing
                return again and now - firing.at < SHARPEN_S  # one that ended and came back
        if standing:  # a milder one stands: it has patience of its own
            self._committed = None
            return True
        errors = self.detector.errors
        self._withdrawn = [flap for flap in self._withdrawn if now - flap[0] < FLAP_WINDOW_S]
        if len(self._withdrawn) >= FLAPS - 1:
            _, hits, n = self._withdrawn[0]
            if lower_bound(errors.hits - hits, errors.n - n) >= self._rollback_share:
                return False
        self._withdrawn.append((now, errors.hits, errors.n))
        self._committed = None
        return True

    def final(self, now: float) -> Decided:
        """Return the decision when the time for one is over, whatever the evidence.

        "no action" only when the evidence proves the matrix's first row. Otherwise, without a
        trigger, it was not long enough to say, or the action is "monitor"; the evidence then begins
        with "unknown". A trigger that calls for a rollback and is not proven is none.
        """
        fired = self._fired()
        calling = [self._committed] if self._committed else []
        calling += [pair for pair in fired if pair[0].rollback]
        for condition, firing in calling:
            if condition.proven(self.detector):
                return self._rollback(condition, firing, self._diagnose())
        if fired:
            condition, firing = fired[0]
            if condition.rollback:
                return self._unproven(condition, firing, now)
            attribution = attribute(self._evidence)
            told = (*firing.evidence, *self._others(condition, fired))
            return self._decided(condition, firing, told, attribution=attribution)
        return self._nothing_fired(now)

    def _commit(self, now: float) -> None:
        """Settle on the trigger to act on. Only a worse one replaces it afterwards."""
        fired = self._fired()
        if self._committed and not self._committed[0].proven(self.detector):
            proven = self._proven_for_long(now)
            if proven:
                self._committed = proven
                return
        if self._committed and self._committed[0].severity is Severity.CRITICAL:
            return
        if not fired or not fired[0][0].rollback:
            return
        condition, firing = fired[0]
        held = now - firing.at < HOLD_S and not firing.sharp
        if condition.severity is Severity.CRITICAL or not (held or self._committed):
            self._committed = fired[0]

    def _proven_for_long(self, now: float) -> tuple[Condition, Firing] | None:
        """Return a trigger to act on where the one that presses most is not proven in HOLD_S."""
        for condition, firing in self._fired():
            late = now - firing.at >= HOLD_S
            if condition.rollback and late and condition.proven(self.detector):
                return condition, firing
        return None

    def _sharp_enough(self, diagnosis: Diagnosis, fired_at: float, now: float) -> bool:
        looks = sum(at > fired_at for at in self._evidence.probed_at)
        # A host that thrashes answers no probe for seconds, and why is what it would tell.
        blind = bool(self._evidence.probed_at) and looks < _LOOKS
        if now - fired_at >= (BLIND_S if blind else SHARPEN_S):
            return True
        around = all(
            self._evidence.series(name).last_at > fired_at
            for name in self._evidence.watched & {DATABASE, FRONT_DOOR}
        )
        return diagnosis.strength is Strength.PROVEN and looks >= _LOOKS and around

    def _fired(self) -> list[tuple[Condition, Firing]]:
        """Return what fires, the most pressing first: rollbacks, then by severity, then what
        needs no more evidence; triggers before rows of the matrix. Nothing but evidence changes it.
        """
        if self._fires is not None:
            return self._fires
        fired = [
            (condition, firing)
            for condition in self._conditions
            if (firing := condition.watch.look(self._evidence))
        ]
        fired.sort(
            key=lambda pair: (
                not pair[0].rollback,
                -_SEVERITIES[pair[0].severity],
                not (pair[1].sharp and pair[0].proven(self.detector)),
            )
        )
        self._fires = fired
        return fired

    def _diagnose(self) -> Diagnosis:
        if self._diagnosis is None:
            self._diagnosis = diagnose(self.runbook, self._evidence)
        return self._diagnosis

    def _changed(self) -> None:
        """Forget what was found: there is new evidence."""
        self._fires = self._diagnosis = None

    def _others(
        self, chosen: Condition, fired: Sequence[tuple[Condition, Firing]]
    ) -> tuple[str, ...]:
        return tuple(
            f"also: {condition.name} (line {condition.line})"
            for condition, _ in fired
            if condition is not chosen
        )

    def _rollback(self, condition: Condition, firing: Firing, diagnosis: Diagnosis) -> Decided:
        fresh = condition.watch.look(self._evidence) or firing
        stream = condition.stream(self.detector)
        told = (
            *fresh.evidence,
            *((proof_sentence(stream),) if stream else ()),
            *diagnosis.evidence,
            *diagnosis.alternatives,
            *self._others(condition, self._fired()),
        )
        return self._decided(condition, firing, told, diagnosis, attribute(self._evidence))

    def _explain(self, condition: Condition) -> str:
        """Say how the matrix and the trigger led to what is to be done."""
        normal = self.runbook.matrix[0]
        proofs = dict(zip((ErrorRow, LatencyRow), self._normal(), strict=True))
        rows: dict[type, str] = {
            kind: normal.condition + ("" if proof.verdict is Verdict.PASSED else " so far")
            for kind, proof in proofs.items()
        }
        worst_row, line = normal, 0
        by_name = {row.line: row for row in self.runbook.matrix}
        for one, _ in self._fired():
            kind = type(one.watch)
            if kind in rows:
                row = by_name[one.line]
                rows[kind] = row.condition
                if row.line > line:
                    worst_row, line = row, row.line
        errors, p95 = rows[ErrorRow], rows[LatencyRow]
        both = f"both columns of the matrix say {max(errors, p95, key=len)}"
        if errors != p95 and line:
            both = (
                f"the matrix says {errors} by error rate and {p95} by p95, and the worse one wins: "
                f"{worst_row.condition}"
            )
        return (
            f"{both} (“{worst_row.decision}”); “{condition.name}” (line {condition.line}, "
            f"{condition.severity.value}) says: {ANSWERS[condition.severity]}"
        )

    def _after_s(self, at: float) -> float:
        return max(0.0, at - self._onset) if not math.isnan(self._onset) else 0.0

    def _decided(
        self,
        condition: Condition,
        firing: Firing,
        told: tuple[str, ...],
        diagnosis: Diagnosis | None = None,
        attribution: Attribution | None = None,
    ) -> Decided:
        self._decided_on = condition.name, condition.line
        ours = attribution.ours if attribution else None
        reason = diagnosis.reason if diagnosis else ""
        if attribution and ours is False:
            reason, diagnosis = attribution.reason, None
        return Decided(
            action=condition.action if ours is not False else "no rollback",
            rollback=condition.rollback and ours is not False,
            trigger=condition.name,
            trigger_line=condition.line,
            severity=condition.severity.value,
            procedure=diagnosis.procedure if diagnosis else 0,
            diagnosis=reason,
            scenario=diagnosis.scenario.number if diagnosis and diagnosis.scenario else 0,
            evidence=tuple(dict.fromkeys(told)),  # a trigger and a diagnosis may say the same
            detected_after_s=self._after_s(firing.at),
            requests=self._since(self.detector.errors)[1],
            answer=ANSWERS[condition.severity] if ours is not False else "do not roll back",
            explanation=self._explain(condition),
            ours=ours,
            attribution=(attribution.reason, *attribution.evidence) if attribution else (),
        )

    def _since(self, stream: Stream) -> tuple[int, int]:
        """Return hits and observations of `stream` since the onset."""
        hits, n = self._before.get(stream.name, (0, 0))
        return stream.hits - hits, stream.n - n

    def _normal(self) -> tuple[Proof, Proof]:
        """Return what is proven since the onset of the first row: its error rate, its p95."""
        failures, requests = self._since(self.detector.errors)
        slow, timed = self._since(self.detector.asked[self._speed])
        return (
            error_rate_proven_below(failures, requests, self._error_limit),
            p95_proven_below(slow, timed, self._speed.limit_s, quantile=self._speed.quantile),
        )

    def _nothing_fired(self, now: float) -> Decided:
        errors, p95 = self._normal()
        memory = memory_sentences(self._evidence)
        normal = (
            worst((errors.verdict, p95.verdict)) is Verdict.PASSED
            and not memory
            and not self.detector.alarmed
        )
        told = (errors.sentence, p95.sentence, *memory)
        if not normal and not memory and Verdict.FAILED not in (errors.verdict, p95.verdict):
            return self._not_long_enough(self._more(), "no trigger fired", told, now)
        if not normal:
            why = "no trigger fired, yet the evidence does not prove the service normal"
            told = (f"unknown: {why}", *told)
        row = self.runbook.matrix[0] if normal else None
        return self._quiet("no action" if normal else "monitor", row, told, now)

    def _unproven(self, condition: Condition, firing: Firing, now: float) -> Decided:
        """Say that what calls for a rollback is an alarm so far, and how much would be proof."""
        stream, change = condition.stream(self.detector), self.detector.change
        assert stream
        more = stream.proof.requests_left(change.since if change else firing.at)
        told = (proof_sentence(stream), *firing.evidence)
        what = f"“{condition.name}” (line {condition.line}) began to hold"
        return self._not_long_enough(more, what, told, now)

    def _more(self) -> int | None:
        """Return how many more requests it takes to prove the service normal, or sick."""
        if self.detector.alarmed:
            tests = [test for one in self.detector.streams for test in one.edges.values()]
            return max(test.left for test in tests)
        speed = self.detector.asked[self._speed]
        needed = [
            more_needed(*self._since(stream), limit)
            for stream, limit in ((self.detector.errors, self._error_limit), (speed, speed.p0))
        ]
        return None if None in needed else max(one for one in needed if one is not None)

    def _not_long_enough(
        self, more: int | None, what: str, told: tuple[str, ...], now: float
    ) -> Decided:
        said = f"unknown: {NOT_LONG_ENOUGH}: {what}, and {more_sentence(more)}"
        return self._quiet(NOT_LONG_ENOUGH, None, (said, *told), now, more or 0)

    def _quiet(
        self, action: str, row: MatrixRow | None, told: tuple[str, ...], now: float, more: int = 0
    ) -> Decided:
        return Decided(
            action=action,
            rollback=False,
            trigger=row.condition if row else "",
            trigger_line=row.line if row else 0,
            severity="",
            procedure=0,
            diagnosis="",
            scenario=0,
            evidence=told,
            detected_after_s=self._after_s(now),
            requests=self._since(self.detector.errors)[1],
            more=more,
        )
