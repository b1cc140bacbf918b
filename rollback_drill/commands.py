"""What each command does; `cli` reads its arguments first, without importing any of this."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import select
import sys
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from rollback_drill.begin.begin import begin
from rollback_drill.campaigns import vocabulary
from rollback_drill.campaigns.found import Revalidated
from rollback_drill.campaigns.interruptions import interrupt, write_table
from rollback_drill.campaigns.mishaps import endure
from rollback_drill.campaigns.plan import plan
from rollback_drill.campaigns.read_out import exit_of, read_out
from rollback_drill.campaigns.replay import replay, replay_sentences
from rollback_drill.campaigns.revalidation import of_no_runbook, revalidate, supervisor_of
from rollback_drill.campaigns.since import Since, last_found, since_then
from rollback_drill.campaigns.stage_check import ask_all
from rollback_drill.campaigns.write_findings import write_findings
from rollback_drill.conduct.hold import hold
from rollback_drill.conduct.plans import plan_for
from rollback_drill.conduct.progress import Progress
from rollback_drill.conduct.request import Request
from rollback_drill.conduct.resume import continuation, read_left
from rollback_drill.conduct.turns import in_turn
from rollback_drill.golden.recording import record_on
from rollback_drill.ground import files
from rollback_drill.ground.console import console
from rollback_drill.ground.errors import DrillError, Exit, UsageError
from rollback_drill.ground.home import INSTALLED
from rollback_drill.ground.machine import temporary
from rollback_drill.ground.redact import masked
from rollback_drill.ground.terminal import shown
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge import history
from rollback_drill.judge.judgement import judge
from rollback_drill.report import overview
from rollback_drill.report.browser import needed_browser, print_page
from rollback_drill.report.folder import ENVELOPE, POSTMORTEM_PDF, RUNBOOK_COPY, claim
from rollback_drill.report.summary import print_summary
from rollback_drill.report.write import write_reports
from rollback_drill.runbook.model import Runbook
from rollback_drill.runbook.monitoring import dashboard, rules
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.hinted import reading_on, runbook_on
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.stage.schema import schema_text
from rollback_drill.stage.staging import StagingStage
from rollback_drill.subject.subject import own

_HEAR_S = 0.2
# Of a gate: what `conftest.py` says in a clone; pytest would keep its notes beside the features.
_OF_INSTALLED = ("-p", "rollback_drill.steps.fix_allure", "-p", "no:cacheprovider")


def run_drill(arguments: argparse.Namespace) -> int:
    """Hold one drill; return the exit code."""
    terminal = console(soft_wrap=False)
    if arguments.resume:
        return _resume(arguments, terminal)
    if arguments.plan:
        try:
            if not _agreed(arguments):
                return Exit.PASSED
        except KeyboardInterrupt:
            terminal.print("\nEnded by the operator. Nothing was touched.")
            return Exit.UNKNOWN
    request = Request.of(vars(arguments))
    with Progress(terminal) as progress:
        judgement = hold(in_turn(plan_for(request)), progress=progress).judgement
    print_summary(judgement, request.report, terminal)
    return judgement.exit


def _resume(arguments: argparse.Namespace, terminal: Console) -> int:
    """Finish what a killed drill had begun; return the exit code. Such drills are not compared."""
    left = read_left(arguments.resume)
    report = arguments.report
    if report.resolve() == left.directory.resolve():
        report = report / "resumed"  # the dead drill's own record stays
    request = left.request(
        report,
        mode=arguments.mode,
        channels=arguments.channels,
    )
    with Progress(terminal) as progress:
        judgement = hold(continuation(left, request), progress=progress).judgement
    print_summary(judgement, report, terminal)
    return judgement.exit


def run_revalidate(arguments: argparse.Namespace) -> int:
    """Revalidate a runbook; return the exit code."""
    terminal = console()
    reading = reading_on(arguments.runbook, arguments.stage)
    runbook = reading.runbook
    claim(arguments.report)
    last = last_found(arguments.report / "findings.json")

    def keep(found: Revalidated) -> None:
        write_findings(found, since_then(last, found), arguments.report)

    if reading.problems.found:
        found = Revalidated(runbook, tuple(of_no_runbook(reading)), fail_on=arguments.fail_on)
        keep(found)
        return _say_findings(arguments.report, found, since_then(last, found), terminal)
    supervisor = arguments.supervisor or supervisor_of(runbook, arguments.stage)
    request = Request(
        arguments.runbook,
        arguments.report,
        stage=arguments.stage,
        fault=arguments.fault,
        options=StageOptions(supervisor=supervisor),
    )
    try:
        found = revalidate(
            request,
            lambda: open_stage(arguments.stage, request.options, terminal.print),
            terminal.print,
            keep,
        )
    except DrillError:
        terminal.print(f"Findings, by reading alone: {arguments.report}/findings.md")
        raise
    except KeyboardInterrupt:
        terminal.print("Ended by the operator: nothing can be said about the rest of this runbook.")
        terminal.print(f"Findings up to there: {arguments.report}/findings.md")
        return Exit.UNKNOWN
    found = replace(found, fail_on=arguments.fail_on)
    keep(found)
    return _say_findings(arguments.report, found, since_then(last, found), terminal)


def _say_findings(report: Path, found: Revalidated, changes: Since, terminal: Console) -> int:
    """Print what was `found`; return the exit code."""
    for one in found.findings:
        terminal.print(f"{one.severity:6}  {one.where}: {one.what}")
    for change in changes.sentences():
        terminal.print(f"since the last time: {change}")
    many = len(found.findings) or "No"
    terminal.print(f"{many} finding(s). Findings: {report}/findings.html")
    return found.exit


def _agreed(arguments: argparse.Namespace) -> bool:
    """Print the plan; return whether somebody at a terminal says to go on."""
    terminal = console()
    runbook = runbook_on(arguments.runbook, arguments.stage)
    stage = open_stage(arguments.stage, StageOptions(hosts=arguments.hosts), terminal.print)
    try:
        for line in plan(runbook, stage, arguments.procedure, arguments.fault):
            terminal.print(masked(line))
    finally:
        if isinstance(stage, StagingStage):
            stage.__exit__()
    if not sys.stdin.isatty():
        terminal.print("Nothing was touched: there is no terminal to ask whether to go on.")
        return False
    terminal.print("Go on? [y/N] ", end="")
    # A Ctrl-C that comes just before somebody begins to wait for input is not heard while he waits.
    while not select.select([sys.stdin], [], [], _HEAR_S)[0]:
        pass
    answer = ""
    with contextlib.suppress(OSError):  # the terminal went away
        answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        terminal.print()
    if answer.strip().lower() in ("y", "yes"):
        return True
    terminal.print("Nothing was touched.")
    return False


def run_read(arguments: argparse.Namespace) -> int:
    """Print a runbook as it is understood; return 1 when a line is unread or it is no runbook."""
    terminal = console()
    reading = reading_on(arguments.runbook, arguments.stage)
    for line in read_out(reading):
        terminal.print(line)
    return exit_of(reading)


def run_bindings(arguments: argparse.Namespace) -> int:
    """Say what can be written in checkboxes, or what holds each of a runbook's."""
    return vocabulary.run(arguments)


def run_init(arguments: argparse.Namespace) -> int:
    """Begin a staging file of what is there, or print the schema of all such files."""
    if arguments.schema:
        sys.stdout.write(schema_text())
        return Exit.PASSED
    terminal = console()
    for line in begin(Path.cwd(), arguments.to, arguments.runbook, arguments.url):
        terminal.print(masked(line))
    return Exit.PASSED


def run_check(arguments: argparse.Namespace) -> int:
    """Look at a staging environment; return 1 when a drill would not work there."""
    terminal = console()
    runbook = runbook_on(arguments.runbook, arguments.stage)
    stage = open_stage(arguments.stage, StageOptions(), terminal.print)
    if not isinstance(stage, StagingStage):
        raise UsageError(
            "STAGE=FILE.toml", repr(arguments.stage), "only a staging environment needs a check"
        )
    bad = 0
    try:
        for one in ask_all(stage, runbook):
            bad += one.verdict is Verdict.FAILED
            mark = {Verdict.PASSED: "ok     ", Verdict.FAILED: "MISSING"}.get(
                one.verdict, "unknown"
            )
            terminal.print(masked(f"{mark}  {one.what}: {one.found}"))
            if one.advice:
                terminal.print(f"         try: {one.advice}")
    finally:
        stage.__exit__()
    terminal.print(f"{bad or 'No'} thing(s) are missing on {stage.name}.")
    return Exit.FAILED if bad else Exit.PASSED


def run_decide(arguments: argparse.Namespace) -> int:
    """Replay a record; return 0 whatever is decided: a decision is no failure."""
    terminal = console()
    runbook = parse(arguments.runbook)
    said = replay(arguments.from_, runbook, pace=arguments.pace, baseline=arguments.baseline)
    for line in (*_assumed_thresholds(runbook), *replay_sentences(said)):
        terminal.print(line)
    return Exit.PASSED


def _assumed_thresholds(runbook: Runbook) -> list[str]:
    """Return the rows of the matrix that the runbook does not have, as sentences."""
    rows = {row.line for row in runbook.matrix}
    return [
        f"Assumed, the runbook does not say it: {one.what}: {one.value} ({one.source})"
        for one in runbook.assumed
        if one.line in rows
    ]


def run_interruptions(arguments: argparse.Namespace) -> int:
    """Cut every procedure everywhere, and let every mishap happen; write both tables."""
    terminal = console()
    runbook = runbook_on(arguments.runbook, arguments.stage)
    opened = open_stage(arguments.stage, StageOptions(), terminal.print)
    claim(arguments.report)  # the report of a drill in that folder stays
    path = arguments.report / "interruptions.md"
    try:
        with (
            opened as stage,
            TemporaryDirectory(dir=temporary()) as scratch,
        ):
            cuts, mishaps, bad = [], [], 0
            for cut in interrupt(stage, runbook, tell=terminal.print):
                cuts.append(cut)
                bad = write_table(cuts, path)  # what there is, should it not come to the rest
            terminal.print("Mishaps:")
            for one in endure(stage, arguments.runbook, Path(scratch), tell=terminal.print):
                mishaps.append(one)
                bad = write_table(cuts, path, mishaps)
    except KeyboardInterrupt:
        terminal.print("Ended by the operator: not every cut was made.")
        return Exit.UNKNOWN
    told = f"{bad} cuts or mishaps ended badly" if bad else "All cuts and mishaps ended well"
    terminal.print(f"{told}. Table: {path}")
    return Exit.FAILED if bad else Exit.PASSED


def run_sabotage(arguments: argparse.Namespace) -> int:
    """Hold sabotages and clean drills, and write the matrix; return 1 unless all were caught.

    What was held before by this version is kept in the report's folder, and not held again.
    """
    from rollback_drill.campaigns import matrix, sabotage

    terminal = console()
    campaign = sabotage.Campaign(
        arguments.runbook,
        arguments.report,
        arguments.stage,
        arguments.only,
        arguments.seed,
        arguments.clean,
        arguments.singly,
    )
    claim(arguments.report)
    last = None
    try:
        for last in sabotage.hold_all(campaign, lambda line: terminal.print(masked(line))):
            matrix.write_matrix(last, arguments.report)
    except KeyboardInterrupt:
        terminal.print("Ended by the operator: the same command goes on from here.")
        return Exit.UNKNOWN
    assert last is not None  # there is one for each that is held, and one before
    for line in last.sentences():
        terminal.print(masked(line))
    terminal.print(f"Matrix: {arguments.report}/sabotage.html")
    return Exit.PASSED if last.good else Exit.FAILED


def run_report(arguments: argparse.Namespace) -> int:
    """Render a report again from a timeline; return the exit code of its verdict."""
    if arguments.pdf:
        needed_browser()  # said before anything is written
    judgement = write_reports(arguments.from_, arguments.report).ask(judge)
    print_summary(judgement, arguments.report, console(soft_wrap=False))
    if arguments.pdf:
        pdf = arguments.report / POSTMORTEM_PDF
        print_page(arguments.report / "postmortem.html", pdf)
        console().print(f"Post-mortem: {pdf}")
    return judgement.exit


def run_evidence(arguments: argparse.Namespace) -> int:
    """Sign a statement over a report; return 0 whatever its verdict is: it says so itself."""
    from rollback_drill.evidence.envelope import envelope, key_id, read_key
    from rollback_drill.evidence.statement import statement_over, summary

    report: Path = arguments.report
    if arguments.key.resolve().is_relative_to(report.resolve()):
        raise UsageError(
            "a private key outside of the report",
            f"{arguments.key}, which whoever is given the report would have",
            "make another one elsewhere, and remove that",
        )
    key = read_key(arguments.key)
    told, runbook = statement_over(report)
    try:
        files.write(report / RUNBOOK_COPY, runbook)
        files.write(report / ENVELOPE, envelope(told, key))
    except OSError as error:
        raise UsageError(
            f"to write into {report}", str(error.strerror), "set REPORT=DIR"
        ) from error
    console().print(
        f"Signed: {summary(told)}.\nEvidence: {report}/{ENVELOPE}, by the key {key_id(key)}\n"
        "docs/evidence.md says how it is verified."
    )
    return Exit.PASSED


def run_claim(arguments: argparse.Namespace) -> int:
    """Claim a folder for a gate, which writes into it by tools that would follow links."""
    claim(arguments.report)
    for name in ("summary.md", "junit.xml", "allure-results", "drills"):
        files.remove(arguments.report / name)
    return Exit.PASSED


def run_gate(arguments: argparse.Namespace) -> int:
    """Claim the folder, and become pytest, which holds the features."""
    for name in ("xdist", "allure_pytest"):
        if find_spec(name) is None:
            raise UsageError("what a gate runs by", f"no {name}", "install rollback-drill[gate]")
    run_claim(arguments)
    words = [*arguments.other, *(_OF_INSTALLED if INSTALLED else ())]
    os.execv(sys.executable, [sys.executable, "-m", *words])  # noqa: S606


def run_monitoring(arguments: argparse.Namespace) -> int:
    """Write Prometheus' alert rules and a dashboard, made of the runbook's thresholds."""
    runbook, metrics = parse(arguments.runbook), own()[0].metrics
    try:
        arguments.to.mkdir(parents=True, exist_ok=True)
        files.write(arguments.to / "alerts.yml", rules(runbook, metrics))
        text = json.dumps(dashboard(runbook, metrics), indent=2, ensure_ascii=False)
        files.write(arguments.to / "dashboard.json", text + "\n")
    except OSError as error:
        raise UsageError(f"to write {arguments.to}", str(error.strerror), "set TO=DIR") from error
    made = [f"Rules: {arguments.to}/alerts.yml", f"Dashboard: {arguments.to}/dashboard.json"]
    for line in (*_assumed_thresholds(runbook), *made):
        console().print(line)
    return Exit.PASSED


def run_simulate(arguments: argparse.Namespace) -> int:
    """Hold simulated drills; return 1 when one passed that should not, or failed that should not.

    A single one is held with its report.
    """
    from rollback_drill.campaigns import simulation

    terminal = console()
    parse(arguments.runbook)  # what is wrong with it is said before anything begins
    first, runs = arguments.seed, arguments.runs
    if runs == 1:
        drawn = simulation.draw(first)
        claim(arguments.report)
        one = simulation.simulate_with_report(drawn, arguments.runbook, arguments.report)
        terminal.print(f"{one.verdict.upper()} ({one.right.value}): {drawn}")
        terminal.print(f"Report: {arguments.report}/index.html")
        return Exit.PASSED if one.right.good else Exit.FAILED
    drills = simulation.simulate_all(
        first, runs, arguments.runbook, lambda done: terminal.print(f"{done} of {runs} drills")
    )
    rates = simulation.Rates(tuple(drills))
    for line in rates.sentences():
        terminal.print(line)
    return Exit.PASSED if rates.good else Exit.FAILED


def run_index(arguments: argparse.Namespace) -> int:
    """Render the page over all kept drills."""
    from rollback_drill.breaks.fault import FAULTS

    drills = history.earlier(arguments.history)
    known = [name for name in FAULTS.members() if name != "none"]
    folder = arguments.to.resolve().parent
    page = overview.overview(drills, datetime.now(UTC).date(), known, folder)
    try:
        arguments.to.parent.mkdir(parents=True, exist_ok=True)
        files.write(arguments.to, shown(page))
    except OSError as error:
        raise UsageError(f"to write {arguments.to}", str(error.strerror), "set TO=FILE") from error
    console().print(f"Page: {arguments.to}")
    return Exit.PASSED


def run_golden(arguments: argparse.Namespace) -> int:
    """Record what a staging environment answers while its stable release serves."""
    terminal = console()
    stage = open_stage(arguments.stage, StageOptions(), terminal.print)
    if not isinstance(stage, StagingStage):
        raise UsageError(
            "STAGE=FILE.toml", repr(arguments.stage), "other stages record a golden set themselves"
        )
    try:
        golden = record_on(stage, arguments.seed)
    finally:
        stage.__exit__()
    try:
        # Answers may hold what not everybody may read.
        files.write(arguments.to, golden.to_json(), mode=0o600)
    except OSError as error:
        raise UsageError(f"to write {arguments.to}", str(error.strerror), "set TO=FILE") from error
    unsteady = f"; {len(golden.unsteady)} were answered in two ways" if golden.unsteady else ""
    terminal.print(
        f"{len(golden.questions)} answers of {golden.release} were recorded{unsteady}. Golden set:"
        f" {arguments.to}"
    )
    return Exit.PASSED
