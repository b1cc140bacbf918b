"""The verdict on a drill, computed from its timeline alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from rollback_drill.breaks.told import FaultAttested, FaultInjected, WritesUnderFire
from rollback_drill.conduct.told import DrillStarted, Restored, Resumed
from rollback_drill.data.balance import Balance, balance
from rollback_drill.data.told import LedgerRead, TakenPath, taken_paths
from rollback_drill.decide.judges import uncredited
from rollback_drill.decide.told import Decided
from rollback_drill.ground.errors import Exit
from rollback_drill.ground.verdict import GOOD, Verdict, worst
from rollback_drill.judge.impact import Impact, headlines, impact, left_in
from rollback_drill.judge.load import with_load
from rollback_drill.judge.unlooked import unlooked
from rollback_drill.perform.told import Checked, ProcedureChosen, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, all_judges
from rollback_drill.runbook.judges import assumed
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.told import LeftAs

_DATA = (
    "acknowledged",
    "preserved",
    "lost",
    "indeterminate",
    "damaged",
    "transformed",
    "dropped",
    "recovery_point_s",
    "survivor_age_s",
    "periods",
)


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
    balance: Balance | None
    causes: tuple[Cause, ...] = field(default=())
    chosen_by: str = ""  # who chose the procedure: "diagnosis", "operator", …; "": none was
    paths: tuple[TakenPath, ...] = field(default=())
    under_fire: WritesUnderFire | None = None
    resumed: Resumed | None = None  # the drill that this one continues
    impact: Impact | None = None  # None: no fault was made
    left: LeftAs | None = None  # None: nobody looked
    uncredited: str = ""  # why the time to detect is not the detector's merit
    symptom_after_s: float | None = None  # from the making of the fault to where judging began
    assumed: tuple[tuple[int | str, str, str, str], ...] = ()  # what its runbook does not say

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

    def _assumed(self) -> list[dict[str, object]]:
        names = ("line", "what", "value", "source")
        return [dict(zip(names, one, strict=True)) for one in self.assumed]

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
                **({"assumed": self._assumed()} if self.assumed else {}),
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
                **(self.balance.to_json() if self.balance else {}),
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


def judge(book: Book) -> Judgement:
    """Return the verdict on a drill: the worst that any room's judge finds in its book."""
    chosen, restored = book.last(ProcedureChosen), book.last(Restored)
    first = book.first(ProcedureChosen)  # later ones are of a round trip
    causes = with_load((cause for one in all_judges() for cause in one(book)), book)
    verdict = worst(cause.verdict for cause in causes) if causes else Verdict.PASSED
    causes.sort(key=lambda cause: cause.verdict is not verdict)  # the worst first, else in order
    if verdict is Verdict.UNCOVERED:
        verdict = Verdict.FAILED
    return Judgement(
        verdict=verdict,
        reason=str(causes[0]) if causes else _held(book),
        started=book.last(DrillStarted),
        decided=book.last(Decided),
        procedure=chosen.procedure if chosen else None,
        restored_after_s=restored.after_s if restored else None,
        outage_s=_outage_s(book),
        steps=tuple(book.every(StepEnded)),
        checklist=tuple(book.every(Checked)),
        ledger=book.last(LedgerRead),
        balance=book.ask(balance),
        causes=tuple(causes),
        chosen_by=first.chosen_by if first else "",
        paths=book.ask(taken_paths),
        under_fire=book.last(WritesUnderFire),
        resumed=book.last(Resumed),
        uncredited=book.ask(uncredited),
        symptom_after_s=_symptom_after_s(book),
        impact=book.ask(impact),
        left=book.last(LeftAs),
        assumed=tuple(book.ask(assumed)),
    )


def _held(book: Book) -> str:
    """Say that all held, of how much somebody else vouches for it, how much was assumed, and what
    nobody looked at.
    """
    checked, assumed_values = book.every(Checked), len(book.ask(assumed))
    attested = sum(one.verdict is Verdict.ATTESTED for one in checked)
    told = f" ({attested} of {len(checked)} checkboxes are attested, not seen)" if attested else ""
    if assumed_values:
        told += f"; the runbook does not say {assumed_values} of the values, which were assumed"
    if not_seen := book.ask(unlooked):
        told += f"; nobody looked {' or '.join(one.what for one in not_seen)}"
    return f"every step, checkbox and write held{told}"


def _symptom_after_s(book: Book) -> float | None:
    """Return from when on the release was judged, in seconds after the fault was switched on."""
    attested = book.last(FaultAttested)
    injected = book.at(FaultInjected)
    if injected is None or attested is None or not attested.seen or not attested.since:
        return None
    return max(0.0, attested.since - injected)


def _outage_s(book: Book) -> int:
    """Count the seconds since the fault in which clients asked and nobody got a good answer."""
    onset = book.at(FaultInjected)
    if onset is None:
        return 0
    seconds: dict[int, int] = {}
    for second in book.every(TrafficSecond):
        if second.second >= int(onset):
            seconds[second.second] = seconds.get(second.second, 0) + second.good
    return sum(good == 0 for good in seconds.values())
