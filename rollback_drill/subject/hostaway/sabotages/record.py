"""What the suite itself might lose, garble or make up: each is a defect of its own record."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import Invent, Misrecord, Plant, PlantedIn, Sabotage
from rollback_drill.breaks.told import HazardOver, HealAttested, WritesUnderFire
from rollback_drill.conduct.told import EarlierDrills
from rollback_drill.contract.told import ContractBroken
from rollback_drill.data.told import ENDED, LedgerRead, RowsSeen
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import (
    STATUS_PAGE,
    Authorized,
    Checked,
    CommandEnded,
    MessageHandled,
    ProcedureChosen,
    StepEnded,
    StepStarted,
)
from rollback_drill.record.told import DrillEnded, Noted, ObserverDied, PhaseName, PhaseStarted
from rollback_drill.runbook.told import RunbookRead
from rollback_drill.subject.hostaway.told import CursorAnswer, CursorShown, SentAgain, Walked
from rollback_drill.traffic.told import GeneratorSample, TrafficSecond
from rollback_drill.watch.answers.told import AnswersContradict
from rollback_drill.watch.told import LeftAs, NotSeen, ProbeSample

_PREPARATION = {"section": "Preparation"}
_FINAL = {"section": "Final verification"}
_KILLED = ProbeSample({"host-1": 200}, {"host-1": 2**26}, 7, 40, {"host-1": 99})
_NEVER = 1e10
"""Unix seconds: after the end of any drill."""
_CONTRADICTION = AnswersContradict(
    "what was written is read back", "details", "reservation 7", "3 guests", "2 guests", 1,
    _NEVER, _NEVER, _NEVER, shared=False,
)  # fmt: skip
_BROKEN = ContractBroken(
    "GET /api/listings", "Response violates schema", "GET /api/listings?limit=3", "a list",
    "a number", 1, ("host-1",), compared=True,
)  # fmt: skip


def _sabotage(name: str, breaks: str, caught_by: str, *plants: Plant) -> Sabotage:
    return Sabotage(f"record-{name}", breaks, PlantedIn.SUITE, caught_by, plants)


SABOTAGES = (
    _sabotage("left-behind", "a process of the drill was left behind", "of_end",
              Misrecord(DrillEnded, says={"left_behind": ("process 4711",)})),
    _sabotage("line-unread", "a line of the runbook was not read", "of_reading",
              Misrecord(RunbookRead, says={
                  "lines": (12,), "texts": ("rm -rf data",), "reasons": ("a block",)})),
    _sabotage("reading-missing", "how the runbook was read is not on record", "of_reading",
              Misrecord(RunbookRead)),
    _sabotage("observer-died", "the probe died in the middle of the drill", "of_observers",
              Invent(ObserverDied("probe", "it died of MemoryError"))),
    _sabotage("nobody-looked", "nobody looked at health and memory", "of_silence",
              Misrecord(ProbeSample, every=True)),
    _sabotage("log-not-seen", "the application's log could not be read any more", "of_the_unseen",
              Invent(NotSeen("the application's log", "no such file"), StepEnded, _FINAL)),
    _sabotage("command-unobserved", "nobody saw how a command ended", "of_commands",
              Misrecord(CommandEnded, {"command": 3}, {"observed": False, "why": "the line broke"})),
    _sabotage("command-not-ended", "the end of a command is not on record", "of_parts",
              Misrecord(CommandEnded)),
    _sabotage("box-missing", "a checkbox was never looked at", "of_parts", Misrecord(Checked)),
    _sabotage("step-missing", "the last step of the procedure was not performed", "of_procedures",
              Misrecord(StepStarted, {"section": "Procedure 1"}),
              Misrecord(StepEnded, {"section": "Procedure 1"})),
    _sabotage("preparation-missing", "the preparation was not performed", "of_checklists",
              *(Misrecord(kind, _PREPARATION, every=True)
                for kind in (StepStarted, StepEnded, Checked))),
    _sabotage("under-fire", "two writes that went on in the rollback are lost", "of_fire",
              Invent(WritesUnderFire(40, 2, 0, 0.1, ("r-7", "r-8")))),
    _sabotage("harm", "a command ended the work of another program", "of_hazard",
              Invent(HazardOver("long-report", "its session is gone", "another was ended"))),
    _sabotage("not-healed", "the fault is still there after it was healed", "of_healing",
              Invent(HealAttested("error-rate-critical", gone=False, evidence="5 of 5 fail"))),
    _sabotage("contradiction", "clients read something else than they wrote", "of_answers",
              Invent(_CONTRADICTION)),
    _sabotage("schema-broken", "a list is a number after the rollback", "of_contract",
              Invent(_BROKEN)),
    _sabotage("rows-not-looked-at", "nobody looked at the rows after the last request",
              "of_looks_at_rows", Misrecord(RowsSeen, {"moment": ENDED})),
    _sabotage("rows-never-looked-at", "nobody ever looked at the rows", "of_promises",
              Misrecord(RowsSeen, every=True)),
    _sabotage("cursor-elsewhere", "a cursor that was kept leads to another page", "of_cursors",
              Misrecord(CursorShown, says={"answer": CursorAnswer.ANOTHER_PAGE})),
    _sabotage("walk-repeats", "rows came twice to a customer who began afterwards", "of_walks",
              Misrecord(Walked, says={"repeated": 2, "began_at": _NEVER})),
    _sabotage("sent-twice", "a reservation that was sent twice was made twice", "of_repeats",
              Misrecord(SentAgain, says={"status": 201, "rows_more": 1})),
    _sabotage("memory-grows", "the service was killed for memory while it was verified",
              "of_memory",
              Invent(_KILLED, StepEnded, _FINAL)),
    _sabotage("page-still-down", "the status page says at the end that all is down",
              "of_status_page",
              Misrecord(MessageHandled, {"name": STATUS_PAGE},
                        {"text": "The API is unavailable."})),
    _sabotage("not-allowed", "who began the rollback may not", "of_authority",
              Misrecord(Authorized, says={"allowed": False})),
    _sabotage("slower", "it took far longer than in six earlier drills", "of_trend",
              Invent(EarlierDrills("key", (0.01, 0.011, 0.01, 0.012, 0.01, 0.011), 6))),
    _sabotage("generator-late", "the generator was too busy to keep its schedule", "of_generator",
              Misrecord(GeneratorSample, says={"cpu": 1.0}, every=True)),
    _sabotage("requests-missing", "of each second three requests are on record", "of_seconds",
              Misrecord(TrafficSecond, says={"outcomes": {"ok": 3}}, every=True)),
    _sabotage("phase-missing", "no verification is on record", "of_order",
              Misrecord(PhaseStarted, {"phase": PhaseName.VERIFICATION})),
    _sabotage("state-not-told", "in what state the service was left is not on record",
              "of_promises", Misrecord(LeftAs)),
    _sabotage("sums", "a write is in no account", "of_totals",
              Misrecord(LedgerRead, says={"acknowledged": 10**6})),
    _sabotage("choice-garbled", "which steps the procedure has is not said", "of_procedures",
              Misrecord(ProcedureChosen, says={"step_numbers": None})),
    _sabotage("no-evidence", "a checkbox passed without evidence", "of_names",
              Misrecord(Checked, {"verdict": Verdict.PASSED}, {"evidence": ""})),
    _sabotage("too-many", "an event is on record that was not recorded", "of_number",
              Invent(Noted("made up"))),
)  # fmt: skip
