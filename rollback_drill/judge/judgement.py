"""The verdict on a drill, computed from its timeline alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field

from rollback_drill.breaks.told import FaultAttested, FaultInjected, WritesUnderFire
from rollback_drill.conduct.told import DrillStarted, Restored, Resumed
from rollback_drill.data.paths import TakenPath, taken_paths
from rollback_drill.data.told import LedgerRead
from rollback_drill.decide.told import Decided
from rollback_drill.ground.errors import Exit
from rollback_drill.ground.verdict import Verdict, worst
from rollback_drill.judge.causes import GOOD, Cause
from rollback_drill.judge.causes.busyness import with_load
from rollback_drill.judge.causes.data import of_contents, of_cursors, of_fire, of_writes
from rollback_drill.judge.causes.decision import of_rollback, uncredited
from rollback_drill.judge.causes.end import of_end
from rollback_drill.judge.causes.left import of_healing, of_service
from rollback_drill.judge.causes.observers import of_observers, of_silence
from rollback_drill.judge.causes.order import of_order
from rollback_drill.judge.causes.others import of_authority, of_hazard, of_messages
from rollback_drill.judge.causes.performed import of_checklists, of_parts, of_procedures
from rollback_drill.judge.causes.promises import of_promises
from rollback_drill.judge.causes.reading import of_reading
from rollback_drill.judge.causes.steps import of_commands, of_steps
from rollback_drill.judge.causes.times import of_trend
from rollback_drill.judge.causes.traffic import of_generator, of_seconds
from rollback_drill.judge.causes.triggers import of_triggers
from rollback_drill.judge.causes.values import of_values
from rollback_drill.judge.impact import Impact, headlines, impact, left_in
from rollback_drill.perform.told import Checked, ProcedureChosen, StepEnded
from rollback_drill.record.book import Record
from rollback_drill.record.timeline import Event
from rollback_drill.traffic.observation import Outcome
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.told import LeftAs

_ASKED: tuple[Callable[[Record], list[Cause]], ...] = (
    of_end,
    of_reading,
    of_observers,
    of_silence,
    of_steps,
    of_commands,
    of_triggers,
    of_writes,
    of_fire,
    of_cursors,
    of_contents,
    of_hazard,
    of_healing,
    of_service,
    of_authority,
    of_messages,
    of_trend,
    of_rollback,
    of_generator,
    of_seconds,
    of_order,
    of_promises,
    of_procedures,
    of_checklists,
    of_parts,
    of_values,
)
"""What is asked of a record; of causes that are equally bad the first gives the reason."""
_DATA = (
    "acknowledged", "preserved", "lost", "indeterminate", "damaged", "transformed", "dropped",
    "recovery_point_s", "survivor_age_s", "periods",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a drill showed. Times in seconds; None: not observed."""

    verdict: Verdict
    reason: str
    started: DrillStarted | None
    decided: Decided | None
    procedure: int | None
    restored_after_s: float | None
    outage_s: int
    steps: tuple[StepEnded, ...]
    checklist: tuple[Checked, ...]
    ledger: LedgerRead | None
    causes: tuple[Cause, ...] = field(default=())
    chosen_by: str = ""  # who chose the procedure: "diagnosis", "operator", …; "": none was
    paths: tuple[TakenPath, ...] = field(default=())
    under_fire: WritesUnderFire | None = None
    resumed: Resumed | None = None  # the drill that this one continues
    impact: Impact | None = None  # None: no fault was made
    left: LeftAs | None = None  # None: nobody looked
    uncredited: str = ""  # why the time to detect is not the detector's merit
    symptom_after_s: float | None = None  # from the making of the fault to where judging began

    @property
    def detected_after_s(self) -> float | None:
        """From the fault's symptom to the trigger; None where that is not credited."""
        return None if self.uncredited or not self.decided else self.decided.detected_after_s

    @property
    def requests_to_detect(self) -> int | None:
        """Requests in that time."""
        return None if self.uncredited or not self.decided else self.decided.requests

    @property
    def exit(self) -> Exit:
        """The exit code that this verdict calls for."""
        if self.verdict in GOOD:
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
                "detected_after_s": self.detected_after_s,
                "requests_to_detect": self.requests_to_detect,
                "uncredited": self.uncredited or None,
                "symptom_after_s": self.symptom_after_s,
            },
            "restored_after_s": self.restored_after_s,
            "outage_s": self.outage_s,
            "headlines": headlines(self.impact),
            "restored": self.impact.restored if self.impact else None,
            "impact": self.impact.to_json() if self.impact else None,
            "left": left_in(self.left) or None,
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
    record = Record(timeline)
    chosen, restored = record.last(ProcedureChosen), record.last(Restored)
    first = record.first(ProcedureChosen)  # later ones are of a round trip
    causes = with_load((cause for ask in _ASKED for cause in ask(record)), record)
    verdict = worst(cause.verdict for cause in causes) if causes else Verdict.PASSED
    causes.sort(key=lambda cause: cause.verdict is not verdict)  # the worst first, else in order
    if verdict is Verdict.UNCOVERED:
        verdict = Verdict.FAILED
    return Judgement(
        verdict=verdict,
        reason=str(causes[0]) if causes else _held(record.every(Checked)),
        started=record.last(DrillStarted),
        decided=record.last(Decided),
        procedure=chosen.procedure if chosen else None,
        restored_after_s=restored.after_s if restored else None,
        outage_s=_outage_s(record),
        steps=tuple(record.every(StepEnded)),
        checklist=tuple(record.every(Checked)),
        ledger=record.last(LedgerRead),
        causes=tuple(causes),
        chosen_by=first.chosen_by if first else "",
        paths=taken_paths(record.events),
        under_fire=record.last(WritesUnderFire),
        resumed=record.last(Resumed),
        uncredited=uncredited(record),
        symptom_after_s=_symptom_after_s(record),
        impact=impact(record),
        left=record.last(LeftAs),
    )


def _held(checked: list[Checked]) -> str:
    """Say that all held, and of how much somebody else vouches for it."""
    attested = sum(one.verdict is Verdict.ATTESTED for one in checked)
    told = f" ({attested} of {len(checked)} checkboxes are attested, not seen)" if attested else ""
    return f"every step, checkbox and write held{told}"


def _symptom_after_s(record: Record) -> float | None:
    """Return from when on the release was judged, in seconds after the fault was switched on."""
    attested = record.last(FaultAttested)
    injected = next(iter(record.timed(FaultInjected)), None)
    if injected is None or attested is None or not attested.seen or not attested.since:
        return None
    return max(0.0, attested.since - injected.at)


def _outage_s(record: Record) -> int:
    """Count the seconds since the fault in which clients asked and nobody got a good answer."""
    onset = next((event.at for event in record.timed(FaultInjected)), None)
    if onset is None:
        return 0
    seconds: dict[int, int] = {}
    for second in record.every(TrafficSecond):
        if second.second >= int(onset):
            good = second.outcomes.get(Outcome.OK, 0)
            seconds[second.second] = seconds.get(second.second, 0) + good
    return sum(good == 0 for good in seconds.values())
