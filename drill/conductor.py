"""Runs one drill through its phases. It records and never judges: see `judgement`."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from drill import events
from drill.check import Situation
from drill.clock import now
from drill.decision import Decider
from drill.errors import DrillError, StageError, UsageError, WaitTimeout
from drill.events import Phase
from drill.fault import Fault
from drill.faults import find
from drill.ledger import read_back
from drill.observation import Observation
from drill.probe import Probe
from drill.procedure import Performer, environment_for
from drill.progress import Progress
from drill.runbook.model import Runbook
from drill.runbook.parse import parse
from drill.stage import FAILING, STABLE, Stage, StageOptions
from drill.stages import open_stage
from drill.timeline import Event, Timeline
from drill.traffic import Traffic
from drill.verdict import Verdict
from drill.wait import wait_until

STEADY_REQUESTS = 400  # enough to prove an error rate below 1 % and to know the p95
_STEADY_LIMIT_S = 60.0
_DETECTION_LIMIT_S = 60.0
_VERIFY_LIMIT_S = 60.0
_ROOM_BYTES = 512 * 1024 * 1024
_PREPARATION_BUDGET_S = 300.0
_GENERATED = (
    "index.html", "verdict.json", "junit.xml", "timeline.jsonl", "allure-results", "traffic",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for. `rate` in requests per second; `pace` divides the waits."""

    runbook: Path
    report: Path
    stage: str = "auto"
    fault: str = "connection-exhaustion"
    procedure: str = "auto"
    pace: float = 60.0
    rate: float = 100.0
    seed: int = 1
    options: StageOptions = field(default_factory=StageOptions)
    lead: str = "drill"


class Conductor:
    """One drill. `run` records everything that happens; Ctrl-C at any time ends it cleanly.

    `stage` may be given by tests that keep one up between drills: it is then put back to the
    failing release first, and left up.
    """

    def __init__(
        self, request: Request, *, stage: Stage | None = None, progress: Progress | None = None
    ) -> None:
        self.request = request
        self.runbook: Runbook = parse(request.runbook)
        self.fault: Fault = find(request.fault)
        self._check_request()
        self._kept_stage = stage
        self._stopping = threading.Event()
        prepare_directory(request.report)
        self.timeline = Timeline(request.report / "timeline.jsonl")
        self._progress = progress
        if progress:
            self.timeline.subscribe(progress)

    def _check_request(self) -> None:
        request = self.request
        numbers = [procedure.number for procedure in self.runbook.procedures]
        if request.procedure != "auto" and request.procedure not in map(str, numbers):
            raise UsageError(
                f"PROCEDURE: auto, {', '.join(map(str, numbers))}",
                repr(request.procedure),
                f"these are the procedures of {request.runbook}",
            )

    def run(self) -> None:
        """Hold the drill. Raises nothing that a drill may meet: it is recorded instead.

        KeyboardInterrupt is recorded, everything is healed and removed, and the drill ends.
        """
        left_behind: list[str] = []
        try:
            self._hold(left_behind)
        except KeyboardInterrupt:
            self.timeline.record(events.Interrupted("the operator (Ctrl-C)"))
        except DrillError as error:
            self.timeline.record(events.DrillBroke(error.expected, error.found, error.advice))
        finally:
            self._stopping.set()
            self.timeline.record(events.DrillEnded(tuple(left_behind)))
            self.timeline.close()

    def _hold(self, left_behind: list[str]) -> None:
        request = self.request
        self._phase(Phase.SETUP)
        stage = self._kept_stage or open_stage(request.stage, request.options, self._note)
        try:
            with contextlib.ExitStack() as stack:
                if self._kept_stage:
                    stage.deploy(FAILING)
                else:
                    stack.enter_context(stage)
                self.timeline.redactor.add(*stage.secrets)
                self._record_start(stage)
                self._drill(stage)
        finally:
            if not self._kept_stage:
                left_behind.extend(stage.leftovers())

    def _record_start(self, stage: Stage) -> None:
        request = self.request
        self.timeline.record(
            events.DrillStarted(
                stage=stage.name,
                stage_reason=stage.reason,
                hosts=tuple(host.name for host in stage.hosts),
                failing=FAILING,
                stable=STABLE,
                fault=request.fault,
                procedure=request.procedure,
                runbook_path=str(request.runbook),
                runbook_sha256=self.runbook.sha256,
                runbook_title=self.runbook.title,
                pace=request.pace,
                rate=request.rate,
                seed=request.seed,
            )
        )

    def _drill(self, stage: Stage) -> None:
        request = self.request
        directory = request.report / "traffic"
        traffic = Traffic(
            stage.base_url, stage.api_key, request.rate, request.seed, directory, self.timeline
        )
        with Probe(stage, self.timeline) as probe, traffic:
            if self._progress:
                self._progress.follow(traffic)
            self._phase(Phase.STEADY)
            began = self._reach_steady_state(traffic)
            try:
                decided = self._break_and_decide(stage, traffic, began)
                if decided.rollback or request.procedure != "auto":
                    situation = Situation(
                        stage=stage,
                        runbook=self.runbook,
                        traffic=traffic,
                        timeline=self.timeline,
                        tail=probe.tail,
                        samples=probe.samples,
                        failing=FAILING,
                        stable=STABLE,
                        pace=request.pace,
                        decision=decided,
                    )
                    self._roll_back(situation, decided)
            finally:
                self._phase(Phase.TEARDOWN)
                self.fault.heal(stage)
                self.timeline.record(events.FaultHealed(self.fault.name))
            traffic.stop()
            self.timeline.record(read_back(stage.database, directory))

    def _reach_steady_state(self, traffic: Traffic) -> float:
        """Wait until clients are served well; return when the steady state began."""
        began = now()
        for _ in wait_until(
            f"{STEADY_REQUESTS} requests before anything is broken",
            _STEADY_LIMIT_S,
            advice="see traffic/*.log in the report's folder",
        ):
            seen = traffic.window(began)
            if seen.sent >= STEADY_REQUESTS:
                break
        if seen.failures > 0.01 * seen.sent:
            raise StageError(
                "a healthy service before the fault (less than 1 % of requests failing)",
                f"{seen.failures} of {seen.sent} requests failed: {seen.outcomes}",
                "the drill proves nothing on a service that is already broken; see its log",
            )
        return began

    def _break_and_decide(self, stage: Stage, traffic: Traffic, began: float) -> events.Decided:
        decider = Decider(self.runbook, pace=self.request.pace)
        decider.set_baseline(traffic.window(began).histogram)
        lock = threading.Lock()

        def observe(observation: Observation) -> None:
            with lock:
                decider.observe(observation)

        def listen(event: Event) -> None:
            with lock:
                if isinstance(event.what, events.ProbeSample):
                    decider.probe(event.what, event.at)
                elif isinstance(event.what, events.LogLine):
                    decider.log(event.what, event.at)

        self._phase(Phase.FAULT)
        onset = now()
        decider.onset(onset)
        how = self.fault.inject(stage)
        self.timeline.record(events.FaultInjected(self.fault.name, how), onset)
        traffic.subscribe(observe)
        self.timeline.subscribe(listen)
        with self._attesting(stage) as attested:
            decided = None
            with contextlib.suppress(WaitTimeout):
                for _ in wait_until("a decision", _DETECTION_LIMIT_S):
                    with lock:
                        decided = decided or decider.decide(now())
                    if decided and attested.is_set():
                        break
        with lock:
            decided = decided or decider.final(now())
        self.timeline.record(decided)
        return decided

    @contextlib.contextmanager
    def _attesting(self, stage: Stage) -> Iterator[threading.Event]:
        """Look for the fault's symptom beside the detector; set the event once it was seen."""
        seen = threading.Event()
        over = threading.Event()

        def look() -> None:
            evidence = "nobody could look"
            try:
                for _ in wait_until(self.fault.symptom, _DETECTION_LIMIT_S, every_s=0.25):
                    bites, evidence = self.fault.attest(stage)
                    if bites:
                        seen.set()
                        break
                    if over.is_set():
                        break
            except DrillError as error:
                evidence = f"{evidence}; {error}"
            self.timeline.record(
                events.FaultAttested(self.fault.name, self.fault.symptom, seen.is_set(), evidence)
            )

        thread = threading.Thread(target=look, name="attest", daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            over.set()
            thread.join(timeout=10)

    def _roll_back(self, situation: Situation, decided: events.Decided) -> None:
        request, runbook = self.request, self.runbook
        by_operator = request.procedure != "auto"
        number = int(request.procedure) if by_operator else decided.procedure
        procedure = runbook.procedure(number)
        decided_at = now()
        recent = situation.traffic.window(decided_at - decided.detected_after_s)
        performer = Performer(
            situation,
            environment_for(
                decided,
                lead=request.lead,
                incident=f"drill-{request.seed}",
                error_rate=recent.failures / recent.sent if recent.sent else 1.0,
            ),
            self._stopping,
        )
        self._phase(Phase.PREPARATION)
        performer.perform_checklist(runbook.pre_rollback, "Preparation", _PREPARATION_BUDGET_S)
        self._phase(Phase.ROLLBACK)
        self.timeline.record(
            events.ProcedureChosen(
                procedure=number,
                title=procedure.title,
                estimate_low_s=procedure.estimate.low_s,
                estimate_high_s=procedure.estimate.high_s,
                chosen_by="operator" if by_operator else "diagnosis",
            )
        )
        verdict = performer.perform(procedure)
        if verdict in (Verdict.FAILED, Verdict.UNCOVERED):
            return
        self._phase(Phase.VERIFICATION)
        self._verify(situation, performer)
        restored = situation.traffic.first_good_since(decided_at)
        if restored is not None:
            self.timeline.record(events.Restored(restored - decided_at))

    def _verify(self, situation: Situation, performer: Performer) -> None:
        """Verify the final checklist once enough requests were served since the rollback."""
        began = now()
        with contextlib.suppress(WaitTimeout):  # too few requests: the checks will say unknown
            for _ in wait_until(f"{STEADY_REQUESTS} requests", _VERIFY_LIMIT_S):
                if situation.traffic.window(began).sent >= STEADY_REQUESTS:
                    break
        performer.perform_checklist(
            self.runbook.verification,
            "Final verification",
            _PREPARATION_BUDGET_S,
            window_from=began,
        )

    def _phase(self, phase: Phase) -> None:
        self.timeline.record(events.PhaseStarted(phase))

    def _note(self, text: str) -> None:
        self.timeline.record(events.Noted(text))


def prepare_directory(directory: Path) -> None:
    """Make `directory` ready for a new report: what an earlier drill wrote there is removed.

    Raises UsageError when it cannot be written to or the disk has too little room.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name in _GENERATED:
            path = directory / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        (directory / "traffic").mkdir()
        free = shutil.disk_usage(directory).free
    except OSError as error:
        raise UsageError(
            f"a folder for the report at {directory}", str(error.strerror), "set REPORT=DIR"
        ) from error
    if free < _ROOM_BYTES:
        raise UsageError(
            f"{_ROOM_BYTES >> 20} MB free for {directory}",
            f"{free >> 20} MB",
            "make room or set REPORT to a folder on another disk",
        )
