"""Runs one drill through its phases. It records and never judges: see `judgement`."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import traceback
from dataclasses import replace
from pathlib import Path

from rollback_drill.breaks.fault import ProvesHealed, Scene
from rollback_drill.breaks.hazard import Foreseen, Mishap, check_place, hazard_called
from rollback_drill.breaks.healing import heal
from rollback_drill.breaks.scripted import fault_called
from rollback_drill.conduct.attest import break_and_decide, expectation
from rollback_drill.conduct.guard import Guard
from rollback_drill.conduct.progress import Progress
from rollback_drill.conduct.request import Request, check_request
from rollback_drill.conduct.steady import PATIENCE_S, await_requests, reach_steady_state
from rollback_drill.conduct.told import DrillStarted, EarlierDrills, Restored, StageUp
from rollback_drill.conduct.triggers_read import check_joins, read_triggers
from rollback_drill.data.accounting import Accounting
from rollback_drill.decide.decider import Decider
from rollback_drill.decide.statistics import quantile_upper_bound
from rollback_drill.decide.told import Decided
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import DrillError, UsageError, WaitTimeout, in_words
from rollback_drill.ground.terminal import shown
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.judge import history
from rollback_drill.judge.impact import facts_after
from rollback_drill.perform.check import Moment
from rollback_drill.perform.foreign import may_perform, refuse_foreign
from rollback_drill.perform.messages import Courier, read_channels
from rollback_drill.perform.operator import OperatorPerformer
from rollback_drill.perform.performer import Part, Performer, facts_for
from rollback_drill.perform.supply import supply
from rollback_drill.perform.told import OWN_MAILBOX, Authorized, ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.record.told import DrillBroke, Interrupted, Noted, PhaseName, PhaseStarted
from rollback_drill.record.watched import reported_to
from rollback_drill.report.report_folder import prepare_directory
from rollback_drill.runbook import authority
from rollback_drill.runbook.amounts import within_s
from rollback_drill.runbook.maintenance import ENTER, LEAVE
from rollback_drill.runbook.model import Procedure, Runbook
from rollback_drill.runbook.outcome import outcome_of
from rollback_drill.runbook.parse import parse
from rollback_drill.runbook.told import FollowUp, RunbookRead, TemplatesRead
from rollback_drill.stage.model import Stage, lacks_of
from rollback_drill.stage.opening import open_stage
from rollback_drill.stage.sweep import identity
from rollback_drill.subject.hostaway.cursors import KeptCursors
from rollback_drill.subject.hostaway.walkers import Walkers
from rollback_drill.traffic.live import CLIENTS, Traffic
from rollback_drill.watch.busyness import Machine
from rollback_drill.watch.left import left_as
from rollback_drill.watch.probe import Probe
from rollback_drill.watch.sentinel import Sentinels, all_sentinels
from rollback_drill.watch.webhook import Webhook

_FRAMES = 3  # of a traceback, the innermost
_CHECKLIST_BUDGET_S = 300.0  # for checklists whose heading gives none
_CLOSING_BUDGET_S = 3600.0


class Conductor:
    """One drill. `run` records everything that happens; Ctrl-C at any time ends it cleanly.

    `stage` may be given by tests that keep one up between drills: it is then put back to the
    failing release first, and left up. Raises UsageError for a request that cannot be met.
    """

    def __init__(
        self, request: Request, *, stage: Stage | None = None, progress: Progress | None = None
    ) -> None:
        self.request = request
        self.runbook: Runbook = parse(request.runbook)
        hazard = hazard_called(request.hazard)
        check_joins()
        check_request(request, self.runbook)
        procedures = may_perform(self.runbook, request.procedure, round_trip=request.round_trip)
        if hazard:
            check_place(hazard, procedures)
        self._kept_stage = stage
        self._progress = progress
        self._stopping = threading.Event()
        self._scene: Scene | None = None
        self._stack = contextlib.ExitStack()
        self._healed = self._rolled_back = False
        self._procedure: Procedure | None = None  # the one that was performed last
        self._stage = stage or self._open()
        refuse_foreign(self.runbook, procedures, self._stage)
        self.fault = fault_called(request.fault, self._stage)
        self._check_rate()
        channels = read_channels(request.channels, request.report / OWN_MAILBOX)
        self._known = self._earlier()
        # Last of all: nothing is emptied for a request that cannot be met.
        prepare_directory(request.report)
        self.timeline = Timeline(request.report / "timeline.jsonl")
        self._mishap = Mishap(hazard, self.timeline)
        self._guard = Guard(self._stage.limits, request.rate)
        self.timeline.redactor.add(*channels.secrets)
        contacts = "; ".join(f"{c.role} → {c.escalation}" for c in self.runbook.contacts)
        self._machine = Machine(self.timeline)
        self._courier = Courier(channels, self.timeline, contacts)
        self._accounts = Accounting(self._stage, self.timeline, request.report / "traffic")
        self._cursors: KeptCursors | None = None
        if progress:
            self.timeline.subscribe(progress, "progress display")

    @property
    def history_key(self) -> str:
        """What a drill must have in common with this one to be compared with it."""
        asked = self.request
        parts = (self._stage.name, asked.fault, asked.procedure, asked.hazard, f"{asked.rate:g}/s")
        return " · ".join(parts)

    def _earlier(self) -> tuple[float, ...]:
        """Return the times to restore of earlier drills that compare; none without a history."""
        path = self.request.history
        if path is None:
            return ()
        history.prepare(path)
        return history.baseline(history.earlier(path), self.history_key)

    def _open(self) -> Stage:
        options, hazard = self.request.options, hazard_called(self.request.hazard)
        if isinstance(hazard, Foreseen):
            options = hazard.foresee(options)
        return open_stage(self.request.stage, options, self._note)

    def _check_rate(self) -> None:
        limits = self._stage.limits
        if limits and self.request.rate > limits.rate:
            raise UsageError(
                f"RATE up to {limits.rate:g} requests/s, the limit of {self._stage.name}",
                f"{self.request.rate:g}",
                f"set RATE={limits.rate:g}, or raise [limits] rate in the stage's file",
            )

    def run(self) -> None:
        """Hold the drill. What goes wrong is recorded instead of raised.

        KeyboardInterrupt is recorded too; everything is healed and removed, and the drill ends.
        """
        left_behind: list[str] = []
        with reported_to(self.timeline.record):
            try:
                self._hold(left_behind)
            except KeyboardInterrupt:
                self.timeline.record(Interrupted(self._guard.why or "the operator"))
            except DrillError as error:
                self.timeline.record(DrillBroke(error.expected, error.found, error.advice))
            except Exception as error:  # a defect of ours, which says nothing of the rollback
                frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
                where = ", ".join(f"{Path(one.filename).name}:{one.lineno}" for one in frames)
                self.timeline.record(
                    DrillBroke(
                        "a drill that goes on", in_words(error), f"report this, from {where}"
                    )
                )
            finally:
                self._stopping.set()
                self.timeline.end(left_behind)

    def _hold(self, left_behind: list[str]) -> None:
        stage = self._stage
        self.timeline.redactor.add(*stage.secrets)
        self._record_start(stage)
        self._phase(PhaseName.SETUP)
        try:
            with self._machine, self._stack as stack:
                touched = True
                try:
                    if self._kept_stage:
                        stage.deploy(stage.failing)
                    else:
                        stack.enter_context(stage)
                    where = "" if self._kept_stage else stage.where
                    self.timeline.record(StageUp(where, identity(os.getpid())))
                    self._drill(stage)
                except UsageError:
                    touched = self._scene is not None
                    raise
                finally:
                    # After all that the runbook wants done, or whatever it came to.
                    if touched:
                        self._see_how_it_is_left(stage)
        finally:
            if not self._kept_stage:
                left_behind.extend(stage.leftovers())

    def _record_start(self, stage: Stage) -> None:
        request = self.request
        self.timeline.record(
            DrillStarted(
                stage=stage.name,
                stage_reason=stage.reason,
                hosts=tuple(host.name for host in stage.hosts),
                failing=stage.failing,
                stable=stage.stable,
                fault=request.fault,
                procedure=request.procedure,
                runbook_path=str(request.runbook),
                runbook_sha256=self.runbook.sha256,
                runbook_title=self.runbook.title,
                pace=request.pace,
                rate=request.rate,
                seed=request.seed,
                hazard=request.hazard,
                clients=CLIENTS,
                promises=self._promises,
            )
        )
        self._record_reading()
        if request.history:
            self.timeline.record(EarlierDrills(self.history_key, self._known, len(self._known)))
        self.timeline.record(
            read_triggers(
                self.runbook,
                pace=request.pace,
                lacks=lacks_of(stage),
                fault=self.fault,
            )
        )
        templates = {one.name: one.text for one in self.runbook.templates}
        self.timeline.record(TemplatesRead(templates))
        for checklist in self.runbook.post_rollback:
            items = tuple(one.text for one in checklist.checkboxes)
            self.timeline.record(
                FollowUp(checklist.title, within_s(checklist.title), items, bool(checklist.blocks))
            )

    @property
    def _promises(self) -> dict[str, int]:
        """How many events of which kinds are recorded, whatever comes of the drill."""
        declared, _ = expectation(self.runbook, self.fault)
        return {
            "RunbookRead": 1,
            "TriggersRead": 1,
            "TemplatesRead": 1,
            "FollowUp": len(self.runbook.post_rollback),
            "EarlierDrills": int(self.request.history is not None),
            "TriggerFired": int(bool(declared)),
            "HealAttested": int(isinstance(self.fault, ProvesHealed)),
        }

    def _record_reading(self) -> None:
        """Say what of the runbook nobody will perform or verify, before anything is touched."""
        unread = self.runbook.unread
        self.timeline.record(
            RunbookRead(
                lines=tuple(one.line for one in unread),
                texts=tuple(one.text for one in unread),
                reasons=tuple(one.why for one in unread),
            )
        )

    def _drill(self, stage: Stage) -> None:
        request = self.request
        self.timeline.redactor.add(*stage.secrets)
        directory = request.report / "traffic"
        traffic = Traffic(
            stage.base_url, stage.api_key, request.rate, request.seed, directory, self.timeline,
            interface=stage.interface,
        )  # fmt: skip
        walkers = Walkers(stage, self.timeline, directory)
        with Webhook(self.timeline) as webhook, Probe(stage, self.timeline) as probe:
            self._note(f"incidents and tickets: POST to {webhook.url}/incidents and /tickets")
            moment = Moment(
                stage=stage,
                runbook=self.runbook,
                traffic=traffic,
                timeline=self.timeline,
                tail=probe.tail,
                samples=probe.samples,
                failing=stage.failing,
                stable=stage.stable,
                pace=request.pace,
                courier=self._courier,
                read_back=self._accounts.so_far if self._accounts.keeps_paths else None,
                busy=self._machine.sentence,
            )
            self._courier.begin(stage.hosts[0])
            performer = self._performer(moment)
            self._do_routine_work(performer)
            with traffic, walkers, self._guard:
                try:
                    self._under_traffic(moment, performer, webhook.url)
                finally:
                    # Before the clients are waited for: an abort must heal at once.
                    self._mishap.end(stage)
                    self._heal()
            performer.moment = replace(performer.moment, ledger=self._accounts.close())
            if self._rolled_back:
                self._close(moment, performer)

    def _do_routine_work(self, performer: Performer) -> None:
        if self.request.procedure == "auto":
            return
        asked = self.runbook.procedure(int(self.request.procedure))
        performer.run_routine(asked)
        if self.request.literal:
            for told in supply(asked, self._stage.hosts[0]):
                self._note(told)

    def _performer(self, moment: Moment) -> Performer:
        if self.request.mode != "operator":
            return Performer(moment, self._stopping, literal=self.request.literal)
        performer = OperatorPerformer(moment, self._stopping, self._tell)
        self._stack.enter_context(performer)
        return performer

    def _tell(self, line: str) -> None:
        """Show the operator a line."""
        sys.stdout.write(shown(line) + "\n")
        sys.stdout.flush()

    def _close(self, moment: Moment, performer: Performer) -> None:
        """Do what the runbook wants done at once after a rollback, if it has commands for it."""
        for checklist in self.runbook.post_rollback:
            if checklist.blocks:
                self._phase(PhaseName.AFTERWARDS)
                facts = facts_after(Book(read(self.timeline.path)))
                performer.environment = {**performer.environment, **facts}
                budget = checklist.budget.high_s if checklist.budget else _CLOSING_BUDGET_S
                performer.perform_checklist(checklist, "After the rollback", budget)
                self._courier.deliver(moment.stage.hosts[0], performer.environment)

    def _under_traffic(self, moment: Moment, performer: Performer, webhook: str) -> None:
        request, traffic = self.request, moment.traffic
        if self._progress:
            self._progress.follow(traffic)
        # They ask the database a lot, and would be in the way of its migrations.
        sentinels = all_sentinels(moment.stage, traffic.directory)
        with Sentinels(sentinels, self.timeline):
            self._phase(PhaseName.STEADY)
            steady = reach_steady_state(moment, request.rate)
            if moment.stage.listings:
                stage = moment.stage
                self._cursors = KeptCursors(stage.base_url, stage.api_key, self.timeline)
                self._cursors.keep()
            self._phase(PhaseName.FAULT)
            decider = Decider(self.runbook, request.pace)
            baseline = quantile_upper_bound(steady.histogram) or steady.histogram.quantile(0.95)
            self._scene = Scene(moment.stage, baseline, webhook, traffic.directory)
            decided = break_and_decide(
                self._scene, self.fault, decider, traffic, steady.histogram, self.timeline
            )
        performer.moment = replace(performer.moment, decision=decided)
        if decided.rollback or request.procedure != "auto":
            if self._authorize(decided):
                self._roll_back(moment, performer, decided)
        else:
            self._remove_cause(traffic)
        traffic.stop()

    def _authorize(self, decided: Decided) -> bool:
        """Record whether those who start this rollback may; without a table everybody may."""
        table = self.runbook.authority
        level = authority.level_of(decided.severity)
        if not table:
            self._note("the runbook has no table of authority: anybody may start a rollback")
            return True
        named = authority.rule_on(table, level, ())
        roles = self.request.authorized_by or (f"as the table says: {named.rule}",)
        ruling = authority.rule_on(table, level, self.request.authorized_by)
        allowed = ruling.allowed or not self.request.authorized_by
        self.timeline.record(Authorized(roles, level, allowed, ruling.rule, ruling.line))
        return allowed

    def _remove_cause(self, traffic: Traffic) -> None:
        """Heal the fault under traffic, and see whether clients are served well again."""
        decided_at = now()
        self._heal()
        with contextlib.suppress(WaitTimeout):
            for _ in wait_until("clients are served well again", PATIENCE_S):
                good = traffic.first_good_since(decided_at)
                if good is not None:
                    self.timeline.record(Restored(good - decided_at))
                    break

    def _roll_back(self, moment: Moment, performer: Performer, decided: Decided) -> None:
        request, runbook = self.request, self.runbook
        by_operator = request.procedure != "auto"
        procedure = runbook.procedure(int(request.procedure) if by_operator else decided.procedure)
        decided_at = now()
        recent = moment.traffic.window(decided_at - decided.detected_after_s)
        performer.environment = facts_for(
            decided,
            lead=request.lead,
            incident=f"drill-{request.seed}",
            error_rate=recent.failures / recent.sent if recent.sent else 1.0,
        )
        self._prepare(moment, performer)
        self._phase(PhaseName.ROLLBACK)
        self._choose(procedure, "operator" if by_operator else "diagnosis")
        self._carry_out(moment, performer, procedure, decided_at)
        if self._rolled_back and request.round_trip:
            self._round_trip(moment, performer, procedure)

    def _prepare(self, moment: Moment, performer: Performer) -> None:
        self._phase(PhaseName.PREPARATION)
        preparation = self.runbook.pre_rollback
        budget = preparation.budget.high_s if preparation.budget else _CHECKLIST_BUDGET_S
        performer.perform_checklist(preparation, "Preparation", budget)
        self._courier.deliver(moment.stage.hosts[0], performer.environment)

    def _carry_out(
        self,
        moment: Moment,
        performer: Performer,
        procedure: Procedure,
        decided_at: float,
        served_since: float | None = None,
    ) -> None:
        """Perform `procedure` and verify it. Clients count from `served_since`, by default from the
        decision on.
        """
        held = self._perform(moment, performer, procedure)
        if self.request.literal:
            left = outcome_of(procedure, lacks_of(moment.stage))
            performer.perform_checklist(left, "Outcome", _CHECKLIST_BUDGET_S)
        elif not held:
            return
        self._phase(PhaseName.VERIFICATION)
        self._verify(moment, performer)
        restored = moment.traffic.first_good_since(served_since or decided_at)
        if restored is not None:
            self.timeline.record(Restored(restored - decided_at))
        self._rolled_back = True

    def _round_trip(self, moment: Moment, performer: Performer, procedure: Procedure) -> None:
        """Deploy the release again, mended, and roll back once more: nothing may be lost by it."""
        self._heal()
        again = self.runbook.redeployment
        if again is None:
            self._note("the runbook has no procedure for deploying the release again")
            return
        for one in (again, procedure):
            performer.moment = replace(performer.moment, effective_at=0.0)
            self._choose(one, "round trip")
            if not self._perform(moment, performer, one):
                return

    def _choose(self, procedure: Procedure, chosen_by: str) -> None:
        self._procedure = procedure
        self.timeline.record(
            ProcedureChosen(
                procedure=procedure.number,
                title=procedure.title,
                estimate_low_s=procedure.estimate.low_s,
                estimate_high_s=procedure.estimate.high_s,
                chosen_by=chosen_by,
                step_titles=tuple(step.title for step in procedure.steps),
                dropped=procedure.dropped,
                step_budgets_s=tuple(step.budget.high_s for step in procedure.steps),
                transformed=procedure.transformed,
                alternatives=procedure.alternatives,
                step_numbers=tuple(step.number for step in procedure.steps),
                prerequisites=len(procedure.prerequisites),
                promises={
                    **self._accounts.promises(procedure),
                    "CursorShown": self._cursors.count if self._cursors else 0,
                    "Authorized": int(bool(self.runbook.authority)),
                },
            )
        )

    def _perform(self, moment: Moment, performer: Performer, procedure: Procedure) -> bool:
        """Perform `procedure`; account for the data while clients are out, or else at its end.

        Return whether it held.
        """
        accounts = self._accounts
        accounts.begin(procedure)
        ended = False

        def before(part: Part) -> None:
            nonlocal ended
            self._mishap.before_step(moment.stage, part.title)
            if LEAVE.search(part.title):
                accounts.see(procedure, "after")
                accounts.end()
                ended = True

        def after(part: Part) -> None:
            self._mishap.after_step(moment.stage)
            if part.number == 1:
                accounts.note_damage()
            if ENTER.search(part.title):
                accounts.see(procedure, "before")

        verdict = performer.perform(procedure, before_part=before, after_part=after)
        if not ended:
            accounts.end()
        held = verdict not in (Verdict.FAILED, Verdict.UNCOVERED)
        if held and self._cursors:
            self._cursors.show(f"after Procedure {procedure.number}")
        return held

    def _verify(self, moment: Moment, performer: Performer) -> None:
        """Verify the final checklist once enough requests were served since the rollback."""
        began = now()
        with contextlib.suppress(WaitTimeout):  # too few requests: the checks will say unknown
            await_requests(moment.traffic, began, self.request.rate)
        performer.perform_checklist(
            self.runbook.verification, "Final verification", _CHECKLIST_BUDGET_S, window_from=began
        )

    def _heal(self) -> None:
        """Heal the fault once; does nothing before it was made."""
        if self._healed or self._scene is None:
            return
        self._phase(PhaseName.TEARDOWN)
        self._healed = True
        heal(self.fault, self._scene, self.timeline)

    def _see_how_it_is_left(self, stage: Stage) -> None:
        """Record in what state the service is, once something was made that could break it: a
        fault, or a release that was deployed where it stays.
        """
        if self._scene is not None or stage.stays:
            self.timeline.record(left_as(stage, self._procedure))

    def _phase(self, phase: PhaseName) -> None:
        self.timeline.record(PhaseStarted(phase))

    def _note(self, text: str) -> None:
        self.timeline.record(Noted(text))
