"""The verdict on a drill, computed from its timeline alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field

from drill import events
from drill.causes import GOOD, Cause
from drill.causes.busyness import with_load
from drill.causes.data import of_contents, of_cursors, of_fire, of_writes
from drill.causes.decision import of_rollback, uncredited
from drill.causes.end import of_end
from drill.causes.left import of_healing, of_service
from drill.causes.observers import of_observers, of_silence
from drill.causes.order import of_order
from drill.causes.others import of_authority, of_hazard, of_messages
from drill.causes.performed import of_checklists, of_parts, of_procedures
from drill.causes.promises import of_promises
from drill.causes.reading import of_reading
from drill.causes.steps import of_commands, of_steps
from drill.causes.times import of_trend
from drill.causes.traffic import of_generator, of_seconds
from drill.causes.triggers import of_triggers
from drill.causes.values import of_values
from drill.errors import Exit
from drill.impact import Impact, headlines, impact, left_in
from drill.observation import Outcome
from drill.paths import TakenPath, taken_paths
from drill.record import Record
from drill.timeline import Event
from drill.verdict import Verdict, worst

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
    impact: Impact | None = None  # None: no fault was made
    left: events.LeftAs | None = None  # None: nobody looked
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
    chosen, restored = record.last(events.ProcedureChosen), record.last(events.Restored)
    first = record.first(events.ProcedureChosen)  # later ones are of a round trip
    causes = with_load((cause for ask in _ASKED for cause in ask(record)), record)
    verdict = worst(cause.verdict for cause in causes) if causes else Verdict.PASSED
    causes.sort(key=lambda cause: cause.verdict is not verdict)  # the worst first, else in order
    if verdict is Verdict.UNCOVERED:
        verdict = Verdict.FAILED
    return Judgement(
        verdict=verdict,
        reason=str(causes[0]) if causes else _held(record.every(events.Checked)),
        started=record.last(events.DrillStarted),
        decided=record.last(events.Decided),
        procedure=chosen.procedure if chosen else None,
        restored_after_s=restored.after_s if restored else None,
        outage_s=_outage_s(record),
        steps=tuple(record.every(events.StepEnded)),
        checklist=tuple(record.every(events.Checked)),
        ledger=record.last(events.LedgerRead),
        causes=tuple(causes),
        chosen_by=first.chosen_by if first else "",
        paths=taken_paths(record.events),
        under_fire=record.last(events.WritesUnderFire),
        resumed=record.last(events.Resumed),
        uncredited=uncredited(record),
        symptom_after_s=_symptom_after_s(record),
        impact=impact(record),
        left=record.last(events.LeftAs),
    )


def _held(checked: list[events.Checked]) -> str:
    """Say that all held, and of how much somebody else vouches for it."""
    attested = sum(one.verdict is Verdict.ATTESTED for one in checked)
    told = f" ({attested} of {len(checked)} checkboxes are attested, not seen)" if attested else ""
    return f"every step, checkbox and write held{told}"


def _symptom_after_s(record: Record) -> float | None:
    """Return from when on the release was judged, in seconds after the fault was switched on."""
    attested = record.last(events.FaultAttested)
    injected = next(iter(record.timed(events.FaultInjected)), None)
    if injected is None or attested is None or not attested.seen or not attested.since:
        return None
    return max(0.0, attested.since - injected.at)


def _outage_s(record: Record) -> int:
    """Count the seconds since the fault in which clients asked and nobody got a good answer."""
    onset = next((event.at for event in record.timed(events.FaultInjected)), None)
    if onset is None:
        return 0
    seconds: dict[int, int] = {}
    for second in record.every(events.TrafficSecond):
        if second.second >= int(onset):
            good = second.outcomes.get(Outcome.OK, 0)
            seconds[second.second] = seconds.get(second.second, 0) + good
    return sum(good == 0 for good in seconds.values())
