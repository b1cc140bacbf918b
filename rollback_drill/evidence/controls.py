"""Which controls of common standards a drill shows, by its record alone; else why it does not.

What is shown is an example of a control at work, on one stage and one day: whether it is in place
is for the auditor to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from rollback_drill.breaks.told import FaultAttested
from rollback_drill.conduct.told import SIMULATED, DrillStarted, Restored
from rollback_drill.data.told import LedgerRead
from rollback_drill.ground.verdict import GOOD, Verdict
from rollback_drill.judge.judgement import Judgement, judge
from rollback_drill.perform.told import (
    Authorized,
    BackupProven,
    Checked,
    MessageHandled,
    ProcedureChosen,
    StepEnded,
)
from rollback_drill.record.book import Book
from rollback_drill.watch.metrics.told import Counted, Leaked

_RESTORES = "backup_created"  # the check that restores what it looks at
_FEWEST_HOSTS = 2


@dataclass(frozen=True, slots=True)
class OnRecord:
    """Whether the record shows something, and in a sentence what it shows or lacks."""

    holds: bool
    told: str


Shows = Callable[[Book, Judgement], OnRecord]


@dataclass(frozen=True, slots=True)
class Control:
    """A control: who asks for it, by which number, what it asks, and what must be seen for it."""

    framework: str
    number: str
    asks: str
    needs: tuple[Shows, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """Whether a drill shows a control, and why, or why not."""

    control: Control
    shown: bool
    why: str

    def to_json(self) -> dict[str, object]:
        """Return it as the predicate has it."""
        return {
            "framework": self.control.framework,
            "control": self.control.number,
            "asks": self.control.asks,
            "shown": self.shown,
            "why": self.why,
        }


def _real(book: Book, _: Judgement) -> OnRecord:
    start = book.last(DrillStarted)
    if start is None or start.stage == SIMULATED:
        return OnRecord(False, "nothing was performed on anything real: it is a model")
    return OnRecord(True, f"held on the stage {start.stage}")


def _passed(_: Book, judgement: Judgement) -> OnRecord:
    return OnRecord(
        judgement.verdict is Verdict.PASSED, f"the drill {_in_words(judgement.verdict)}"
    )


def _in_words(verdict: Verdict) -> str:
    return "remained unknown" if verdict is Verdict.UNKNOWN else verdict.value


def _broken(book: Book, _: Judgement) -> OnRecord:
    seen = book.last(FaultAttested)
    if seen is None or not seen.seen:
        return OnRecord(False, "nobody saw the fault's symptom")
    return OnRecord(True, f"the symptom of {seen.name} was seen independently")


def _detected(_: Book, judgement: Judgement) -> OnRecord:
    after_s, decided = judgement.detected_after_s, judgement.decided
    if decided is None or after_s is None or judgement.uncredited:
        return OnRecord(False, judgement.uncredited or "no trigger fired")
    return OnRecord(True, f"“{decided.trigger}” fired {after_s:.1f} s after the symptom")


def _recovered(book: Book, _: Judgement) -> OnRecord:
    chosen, restored = book.last(ProcedureChosen), book.last(Restored)
    final = [one for one in book.every(StepEnded) if one.section == "Final verification"]
    if chosen is None:
        return OnRecord(False, "no procedure was performed")
    if restored is None or not final or final[-1].verdict not in GOOD:
        return OnRecord(False, "service was not seen to be restored and verified")
    told = f"Procedure {chosen.procedure} restored service in {restored.after_s:.0f} s, verified"
    return OnRecord(True, told)


def _backup(book: Book, _: Judgement) -> OnRecord:
    proofs = [one.verdict for one in book.every(BackupProven)]
    proofs += [one.verdict for one in book.every(Checked) if one.check == _RESTORES]
    if not proofs:
        return OnRecord(False, "no backup was restored")
    if any(verdict is not Verdict.PASSED for verdict in proofs):
        return OnRecord(False, "a backup was not proven by restoring it")
    return OnRecord(True, f"{len(proofs)} backups were restored and compared with what they are of")


def _whole(book: Book, _: Judgement) -> OnRecord:
    ledger = book.last(LedgerRead)
    if ledger is None or not ledger.acknowledged:
        return OnRecord(False, "no acknowledged write was read back")
    told = f"{ledger.lost} of {ledger.acknowledged} acknowledged writes were lost"
    return OnRecord(not ledger.lost, told)


def _without_break(book: Book, judgement: Judgement) -> OnRecord:
    start = book.last(DrillStarted)
    hosts = len(start.hosts) if start else 0
    if hosts < _FEWEST_HOSTS:
        return OnRecord(False, "there was one host, and none to stand in for it")
    told = f"of {hosts} hosts, and for {judgement.outage_s} s no client got a good answer"
    return OnRecord(not judgement.outage_s, told)


def _guarded(book: Book, _: Judgement) -> OnRecord:
    ruling = book.last(Authorized)
    if ruling is None or not ruling.allowed:
        return OnRecord(False, "that those who started the rollback may was not seen")
    if book.last(Counted) is None or book.last(Leaked):
        return OnRecord(False, "that no secret of the service stands in the open was not seen")
    return OnRecord(True, "who started it may, and no secret of the service stood in the open")


def _people(book: Book, _: Judgement) -> OnRecord:
    sent = sum(one.outcome == "sent" for one in book.every(MessageHandled))
    total = len(book.every(MessageHandled))
    return OnRecord(0 < sent == total, f"{sent} of {total} messages reached people by a channel")


_HELD = (_passed, _real, _broken)
_ISO, _SOC, _DORA = "ISO/IEC 27001:2022", "SOC 2", "DORA"
CONTROLS = (
    Control(
        _ISO,
        "A.5.29",
        "information security is maintained during a disruption",
        (*_HELD, _recovered, _guarded),
    ),
    Control(_ISO, "A.8.13", "backups are tested regularly", (*_HELD, _backup)),
    Control(
        _ISO,
        "A.8.14",
        "facilities are redundant enough for availability",
        (*_HELD, _recovered, _without_break),
    ),
    Control(
        _SOC,
        "A1.2",
        "backups and recovery infrastructure are operated",
        (*_HELD, _recovered, _backup),
    ),
    Control(_SOC, "A1.3", "procedures of the recovery plan are tested", (*_HELD, _recovered)),
    Control(
        _SOC,
        "CC7.5",
        "there is recovery from incidents that were identified",
        (*_HELD, _detected, _recovered),
    ),
    Control(_DORA, "Art. 11(6)(a)", "response and recovery plans are tested", (*_HELD, _recovered)),
    Control(_DORA, "Art. 11(6)(b)", "plans of crisis communication are tested", (*_HELD, _people)),
    Control(_DORA, "Art. 12(2)", "backup and restoration are tested", (*_HELD, _backup)),
    Control(
        _DORA,
        "Art. 12(7)",
        "integrity of the data is checked on recovery",
        (*_HELD, _recovered, _whole),
    ),
)


def controls(book: Book) -> tuple[Shown, ...]:
    """Return of each control whether the drill shows it."""
    return tuple(map(partial(_shown, book), CONTROLS))


def _shown(book: Book, control: Control) -> Shown:
    proofs = [need(book, book.ask(judge)) for need in control.needs]
    lacking = [one.told for one in proofs if not one.holds]
    return Shown(control, not lacking, "; ".join(lacking or [one.told for one in proofs]))
