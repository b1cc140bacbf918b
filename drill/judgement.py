"""The verdict on a drill, computed from its timeline alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TypeVar

from drill import events
from drill.errors import Exit
from drill.fingerprint import compare
from drill.observation import Outcome
from drill.paths import TakenPath, taken_paths
from drill.regression import judge_restore_time
from drill.timeline import Event
from drill.verdict import Verdict, worst

# A generator that lags by more or needs more of its core measures itself (see drill.traffic).
_LAG_S = 0.1
_CPU = 0.9
_LATE_SHARE = 0.05  # of the seconds with traffic
_GOOD = (Verdict.PASSED, Verdict.ATTESTED)
_LAST_WORDS = 6  # lines of a failed command's output
_DATA = (
    "acknowledged", "preserved", "lost", "indeterminate", "damaged", "transformed", "dropped",
    "recovery_point_s", "survivor_age_s", "periods",
)  # fmt: skip

Payload = TypeVar("Payload")


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a verdict that is not `passed`, and the finding that it makes."""

    verdict: Verdict
    where: str
    what: str
    evidence: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a drill showed. Times in seconds; None: not observed."""

    verdict: Verdict
    reason: str
    started: events.DrillStarted | None
    decided: events.Decided | None
    procedure: int | None
    restored_after_s: float | None
    outage_s: int
    steps: tuple[events.StepEnded, ...]
    checklist: tuple[events.Checked, ...]
    ledger: events.LedgerRead | None
    causes: tuple[Cause, ...] = field(default=())
    chosen_by: str = ""  # who chose the procedure: "diagnosis", "operator", …; "": none was
    paths: tuple[TakenPath, ...] = field(default=())
    under_fire: events.WritesUnderFire | None = None
    resumed: events.Resumed | None = None  # the drill that this one continues

    @property
    def exit(self) -> Exit:
        """The exit code that this verdict calls for."""
        if self.verdict in _GOOD:
            return Exit.PASSED
        return Exit.UNKNOWN if self.verdict is Verdict.UNKNOWN else Exit.FAILED

    def to_json(self) -> dict[str, object]:
        """Return the contents of verdict.json."""
        start, decided, ledger = self.started, self.decided, self.ledger
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "stage": start.stage if start else None,
            "release": {
                "failing": start.failing if start else None,
                "stable": start.stable if start else None,
            },
            "fault": start.fault if start else None,
            "procedure": self.procedure,
            "chosen_by": self.chosen_by or None,
            "runbook": {
                "path": start.runbook_path if start else None,
                "sha256": start.runbook_sha256 if start else None,
            },
            "pace": start.pace if start else None,
            "seed": start.seed if start else None,
            "continues": self.resumed.directory if self.resumed else None,
            "decision": {
                "action": decided.action if decided else None,
                "procedure": decided.procedure if decided else None,
                "trigger": decided.trigger if decided else None,
                "detected_after_s": decided.detected_after_s if decided else None,
                "requests_to_detect": decided.requests if decided else None,
            },
            "restored_after_s": self.restored_after_s,
            "outage_s": self.outage_s,
            "steps": [
                {
                    "procedure": step.section,
                    "number": step.number,
                    "title": step.title,
                    "budget_s": step.budget_s,
                    "took_s": round(step.took_s, 3),
                    "proving_s": round(step.proving_s, 3),
                    "verdict": step.verdict,
                    "reason": step.reason,
                }
                for step in self.steps
            ],
            "checklist": [
                {"item": one.item, "verdict": one.verdict, "evidence": one.evidence}
                for one in self.checklist
            ],
            "data": {
                **{name: getattr(ledger, name) if ledger else None for name in _DATA},
                "paths": [path.to_json() for path in self.paths],
                "worst_stall_s": self.under_fire.worst_stall_s if self.under_fire else None,
                "under_fire": asdict(self.under_fire) if self.under_fire else None,
            },
            "findings": [
                {"id": f"finding-{number}", "severity": _severity(cause), **_finding(cause)}
                for number, cause in enumerate(self.causes, 1)
            ],
        }


def _finding(cause: Cause) -> dict[str, object]:
    plain = asdict(cause)
    del plain["verdict"]
    return plain


def _severity(cause: Cause) -> str:
    return "high" if cause.verdict in (Verdict.FAILED, Verdict.UNCOVERED) else "medium"


def judge(timeline: Iterable[Event]) -> Judgement:
    """Return the verdict on the drill that `timeline` records. What is not there is unknown."""
    record = list(timeline)

    def every(kind: type[Payload]) -> list[Payload]:
        return [event.what for event in record if isinstance(event.what, kind)]

    def last(kind: type[Payload]) -> Payload | None:
        found = every(kind)
        return found[-1] if found else None

    start, decided, ledger = (
        last(events.DrillStarted),
        last(events.Decided),
        last(events.LedgerRead),
    )
    chosen, restored = last(events.ProcedureChosen), last(events.Restored)
    first = next(iter(every(events.ProcedureChosen)), None)  # later ones are of a round trip
    steps, checked = every(events.StepEnded), every(events.Checked)
    paths, under_fire = taken_paths(record), last(events.WritesUnderFire)
    causes = [
        *_ended(last(events.DrillEnded), last(events.Interrupted), last(events.DrillBroke)),
        *_of_steps(steps, checked, _failed_commands(record, steps)),
        *_of_data(ledger, paths),
        *_of_fire(under_fire),
        *_of_cursors(every(events.CursorShown)),
        *_of_contents(every(events.DataSeen), every(events.ProcedureChosen)),
        *_of_hazard(last(events.HazardOver)),
        *_of_authority(last(events.Authorized)),
        *_of_messages(every(events.MessageHandled)),
        *_of_trend(restored, last(events.EarlierDrills)),
        *_of_rollback(
            start,
            last(events.FaultInjected),
            last(events.FaultAttested),
            decided,
            chosen,
            restored,
            steps,
            every(events.TriggerFired),
        ),
        *_of_generator(every(events.GeneratorSample)),
    ]
    verdict = worst(cause.verdict for cause in causes) if causes else Verdict.PASSED
    causes.sort(key=lambda cause: cause.verdict is not verdict)  # the worst first, else in order
    if verdict is Verdict.UNCOVERED:
        verdict = Verdict.FAILED
    return Judgement(
        verdict=verdict,
        reason=_sentence(causes[0]) if causes else "every step, checkbox and write held",
        started=start,
        decided=decided,
        procedure=chosen.procedure if chosen else None,
        restored_after_s=restored.after_s if restored else None,
        outage_s=_outage_s(record),
        steps=tuple(steps),
        checklist=tuple(checked),
        ledger=ledger,
        causes=tuple(causes),
        chosen_by=first.chosen_by if first else "",
        paths=paths,
        under_fire=under_fire,
        resumed=last(events.Resumed),
    )


def _sentence(cause: Cause) -> str:
    parts = [part for part in (cause.where, cause.what) if part]
    return ": ".join(parts)


def _ended(
    ended: events.DrillEnded | None,
    interrupted: events.Interrupted | None,
    broke: events.DrillBroke | None,
) -> list[Cause]:
    causes = []
    if interrupted:
        causes.append(Cause(Verdict.UNKNOWN, "Drill", f"interrupted by {interrupted.by}"))
    if broke:
        what = f"it could not go on: expected {broke.expected}; found {broke.found}"
        causes.append(Cause(Verdict.UNKNOWN, "Drill", what, advice=broke.advice))
    if ended is None:
        causes.append(Cause(Verdict.UNKNOWN, "Drill", "the timeline breaks off before the end"))
    elif ended.left_behind:
        left = ", ".join(ended.left_behind)
        causes.append(Cause(Verdict.FAILED, "Drill", "something was left behind", left))
    return causes


def _failed_commands(record: list[Event], steps: list[events.StepEnded]) -> dict[int, str]:
    """Return, for each command that a step failed by, what was run and what it said."""
    wanted = {number for step in steps for number in step.failed_commands}
    ran: dict[int, list[str]] = {}
    said: dict[int, deque[str]] = {number: deque(maxlen=_LAST_WORDS) for number in wanted}
    for event in record:
        match event.what:
            case events.CommandStarted(command=number) as one if number in wanted:
                ran[number] = [f"$ {line}" for line in one.script.splitlines()]
            case events.CommandOutput(command=number) as one if number in wanted:
                said[number].append(one.text)
    return {number: "\n".join([*ran.get(number, ()), *said[number]]) for number in wanted}


def _of_steps(
    steps: list[events.StepEnded], checked: list[events.Checked], commands: dict[int, str]
) -> list[Cause]:
    causes = []
    for step in steps:
        where = f"{step.section}, step {step.number}" if step.number else step.section
        where = f"{where} “{step.title}”"
        boxes = [c for c in checked if (c.section, c.number) == (step.section, step.number)]
        bad = [c for c in boxes if c.verdict not in _GOOD]
        for box in bad:
            word = box.verdict.value
            causes.append(
                Cause(
                    box.verdict, f"{where}, line {box.line}", f"“{box.item}” {word}: {box.evidence}"
                )
            )
        if step.verdict is Verdict.FAILED and (step.failed_commands or not bad):
            evidence = "\n".join(commands[number] for number in step.failed_commands)
            causes.append(Cause(Verdict.FAILED, where, step.reason, evidence, step.advice))
        elif step.took_s > step.budget_s:
            what = f"took {step.took_s:.1f} s of {step.budget_s:g} s"
            causes.append(Cause(Verdict.FAILED, where, what))
    return causes


def _of_trend(
    restored: events.Restored | None, earlier: events.EarlierDrills | None
) -> list[Cause]:
    """A rollback that takes provably longer than it used to."""
    if restored is None or earlier is None:
        return []
    verdict, told = judge_restore_time(restored.after_s, earlier.restored_s)
    if verdict is not Verdict.FAILED:
        return []
    advice = "find what made it slower, or remove the lines of HISTORY that no longer compare"
    return [Cause(verdict, "Time to restore", "a regression", told, advice)]


def _of_messages(messages: list[events.MessageHandled]) -> list[Cause]:
    """People who were to be told and were not: a message that was refused or did not arrive."""
    return [
        Cause(
            Verdict.FAILED, f"Message {one.name}", f"it was not sent: {one.detail}", one.text[:300],
            "fill its blanks" if one.outcome == "refused" else "see the file of channels",
        )
        for one in messages
        if one.outcome in ("refused", "failed")
    ]  # fmt: skip


def _of_data(ledger: events.LedgerRead | None, paths: Iterable[TakenPath]) -> list[Cause]:
    causes = [
        _lost(path.read, f"Data, {path.name}")
        for path in paths
        if path.read is not None and path.read.lost
    ]
    if ledger is None:
        return [Cause(Verdict.UNKNOWN, "Data", "nobody read the writes back"), *causes]
    if ledger.lost:
        return [_lost(ledger, "Data"), *causes]
    if not ledger.acknowledged:
        return [Cause(Verdict.UNKNOWN, "Data", "no write was acknowledged"), *causes]
    return causes


def _of_fire(seen: events.WritesUnderFire | None) -> list[Cause]:
    """Writes that went on during a procedure are as good as any other."""
    where = "Data, under fire"
    if seen is None or seen.lost == 0:
        return []
    if seen.lost is None:
        what = f"nobody could read the {seen.written} writes under fire back"
        return [Cause(Verdict.UNKNOWN, where, what)]
    what = f"{seen.lost} of {seen.written} writes under fire are lost"
    return [Cause(Verdict.FAILED, where, what, ", ".join(seen.examples))]


def _of_cursors(shown: list[events.CursorShown]) -> list[Cause]:
    """A customer who kept a cursor may have to begin anew, but must not miss rows or get errors."""
    causes = []
    for one in shown:
        where = f"Cursors, {one.moment}"
        if one.answer is events.CursorAnswer.ANOTHER_PAGE:
            what = f"the cursor of page {one.page} leads to another page: rows are skipped"
            causes.append(Cause(Verdict.FAILED, where, what))
        elif one.answer is events.CursorAnswer.NO_PAGE:
            verdict = Verdict.FAILED if one.status else Verdict.UNKNOWN
            what = f"the cursor of page {one.page} was answered {one.status or 'not at all'}"
            causes.append(Cause(verdict, where, what))
    return causes


def _lost(fates: events.Fates, where: str) -> Cause:
    what = f"{fates.lost} of {fates.acknowledged} acknowledged writes are lost"
    # That a row is gone or changed is said by the examples; what was dropped, nowhere else.
    reasons = "; ".join(why for why in fates.why if "dropped" in why)
    what += f", since {reasons}" if reasons else ""
    return Cause(Verdict.FAILED, where, what, "; ".join(fates.examples))


def _of_contents(seen: list[events.DataSeen], chosen: list[events.ProcedureChosen]) -> list[Cause]:
    """Compare what the database held before and after each procedure, as far as both were seen."""
    causes = []
    before: events.DataSeen | None = None
    for one in seen:
        if one.moment == "before":
            before = one
            continue
        if before is None or before.procedure != one.procedure:
            continue
        found = compare(before.tables, one.tables, before.expected)
        declared = {name for c in chosen if c.procedure == one.procedure for name in c.dropped}
        where = f"Data, Procedure {one.procedure}"
        for name in found.undeclared(declared):
            what = f"{name} was dropped, and the runbook does not say that it will be"
            causes.append(Cause(Verdict.FAILED, where, what))
        causes += [Cause(Verdict.FAILED, where, f"{what} after it") for what in found.changed]
        before = None
    return causes


def _of_rollback(
    start: events.DrillStarted | None,
    injected: events.FaultInjected | None,
    attested: events.FaultAttested | None,
    decided: events.Decided | None,
    chosen: events.ProcedureChosen | None,
    restored: events.Restored | None,
    steps: list[events.StepEnded],
    fired: list[events.TriggerFired],
) -> list[Cause]:
    if start is None:
        return [Cause(Verdict.UNKNOWN, "Drill", "it did not get as far as its start")]
    causes = []
    if attested is None or not attested.seen:
        evidence = attested.evidence if attested else "nobody looked"
        what = "the fault did not bite: its symptom was not seen"
        causes.append(Cause(Verdict.UNKNOWN, "Fault", what, evidence))
    if decided is None:
        causes.append(Cause(Verdict.UNKNOWN, "Decision", "none was made"))
    else:
        causes += _of_decision(start, injected, attested, decided, fired)
    if chosen is None:
        if restored is None and decided and not decided.rollback and decided.ours is False:
            what = "clients were not served well again after the cause was removed"
            causes.append(Cause(Verdict.FAILED, "Cause", what))
        return causes
    section = f"Procedure {chosen.procedure}"
    own = [step for step in steps if step.section == section]
    broken = not own or any(s.verdict in (Verdict.FAILED, Verdict.UNCOVERED) for s in own)
    total = sum(step.took_s for step in own)
    if total > chosen.estimate_high_s:
        what = f"took {total:.0f} s, its estimate ends at {chosen.estimate_high_s:g} s"
        causes.append(Cause(Verdict.FAILED, section, what))
    if broken:
        return causes
    if not any(step.section == "Final verification" for step in steps):
        # Only after it does anybody look for good answers: that none was seen says nothing.
        causes.append(Cause(Verdict.UNKNOWN, "Final verification", "it was not performed"))
    elif restored is None:
        what = "clients were not served well again"
        causes.append(Cause(Verdict.FAILED, section, what))
    return causes


def _of_decision(
    start: events.DrillStarted,
    injected: events.FaultInjected | None,
    attested: events.FaultAttested | None,
    decided: events.Decided,
    fired: list[events.TriggerFired],
) -> list[Cause]:
    """Hold the decision against what the fault called for."""
    wanted = injected.calls_for if injected else "rollback"
    seen = attested is not None and attested.seen
    verdict = Verdict.FAILED if seen else Verdict.UNKNOWN
    evidence = "; ".join((*decided.evidence, *decided.attribution))
    causes = []
    if wanted == "rollback" and not decided.rollback and start.procedure == "auto":
        what = f"no rollback was called for ({decided.action})"
        causes.append(Cause(verdict, "Decision", what, evidence))
    if wanted != "rollback" and decided.rollback:
        what = f"a rollback was called for, where “{wanted}” is right"
        causes.append(Cause(verdict, "Decision", what, evidence))
    if wanted == "no rollback" and not decided.rollback and not _right_not_to(decided):
        what = f"nobody can say why there should be no rollback ({decided.action})"
        causes.append(Cause(Verdict.UNKNOWN, "Decision", what, evidence))
    if injected and injected.trigger and injected.trigger not in [one.trigger for one in fired]:
        what = f"the trigger “{injected.trigger}”, which this fault is there for, did not fire"
        causes.append(Cause(verdict, "Decision", what, evidence))
    return causes


def _right_not_to(decided: events.Decided) -> bool:
    return decided.ours is False or decided.action == "no action"


def _of_hazard(over: events.HazardOver | None) -> list[Cause]:
    """What a procedure did to others, though all of its checkboxes may hold."""
    if over is None or not over.harm:
        return []
    advice = "mend the command in the runbook that reaches further than it should"
    return [Cause(Verdict.FAILED, f"Hazard {over.name}", over.harm, over.seen, advice)]


def _of_authority(ruling: events.Authorized | None) -> list[Cause]:
    if ruling is None or ruling.allowed:
        return []
    what = (
        f"{', '.join(ruling.roles)} may not start a rollback of {ruling.severity}; line "
        f"{ruling.line} of the runbook says: {ruling.rule}"
    )
    return [Cause(Verdict.FAILED, "Authority", what, advice="ask who may; set AUTHORIZED_BY")]


def _of_generator(samples: list[events.GeneratorSample]) -> list[Cause]:
    if not samples:
        return [Cause(Verdict.UNKNOWN, "Traffic", "the generator was not watched")]
    late = [s for s in samples if s.lag_s > _LAG_S]
    busy = sum(s.cpu for s in samples) / len(samples)
    if len(late) > _LATE_SHARE * len(samples) or busy > _CPU:
        what = (
            f"the generator was the bottleneck: late in {len(late)} of {len(samples)} seconds, "
            f"{busy:.0%} of a core"
        )
        return [Cause(Verdict.UNKNOWN, "Traffic", what, advice="lower RATE or free the machine")]
    return []


def _outage_s(record: list[Event]) -> int:
    """Count the seconds since the fault in which clients asked and nobody got a good answer."""
    onset = next((e.at for e in record if isinstance(e.what, events.FaultInjected)), None)
    if onset is None:
        return 0
    seconds: dict[int, int] = {}
    for event in record:
        if isinstance(event.what, events.TrafficSecond) and event.what.second >= int(onset):
            good = event.what.outcomes.get(Outcome.OK, 0)
            seconds[event.what.second] = seconds.get(event.what.second, 0) + good
    return sum(good == 0 for good in seconds.values())
