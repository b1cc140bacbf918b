"""The commands behind the Makefile. A user's mistake ends in one sentence and exit code 2."""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import select
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from drill import files, history, vocabulary
from drill.authority import roles_of
from drill.clock import iso
from drill.conductor import Conductor
from drill.console import console, outlive_terminal, shown
from drill.errors import DrillError, Exit, UsageError
from drill.interruptions import interrupt, write_table
from drill.machine import keep_out, temporary
from drill.mishaps import endure
from drill.monitoring.made import dashboard, rules
from drill.plan import plan
from drill.progress import Progress
from drill.read_out import exit_of, read_out
from drill.replay import BASELINE, replay, sentences
from drill.report import overview
from drill.report.summary import print_summary
from drill.report.write import write_reports
from drill.report_folder import claim, prepare_directory
from drill.request import Request
from drill.resumption import ResumedDrill, read_left
from drill.revalidation import (
    SEVERITIES,
    Finding,
    compare_with,
    of_no_runbook,
    revalidate,
    supervisor_of,
    write_findings,
)
from drill.runbook.model import Runbook
from drill.runbook.parse import parse, read_document
from drill.signals import told_to_end
from drill.stage import StageOptions
from drill.stage_check import look
from drill.stages import open_stage
from drill.stages.staging import StagingStage
from drill.stages.supervision import SUPERVISORD
from drill.timeline import read
from drill.verdict import Verdict

_RATES = (1.0, 2_000.0)
_PACES = (1.0, 10_000.0)
_SUPERVISOR_HELP = "what runs the service on hosts in containers: supervisord or systemd"


def number(name: str, low: float, high: float) -> Callable[[str], float]:
    """Return a parser for the variable `name` between `low` and `high`, both allowed."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise UsageError(
                f"{name}: a number from {low:g} to {high:g}", repr(text), f"set {name}={low:g}"
            )
        return value

    return parse


def whole(name: str, low: int, high: int) -> Callable[[str], int]:
    """Return a parser for the whole number `name` between `low` and `high`, both allowed."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise UsageError(
                f"{name}: a whole number from {low} to {high}", repr(text), f"set {name}={low}"
            )
        return int(text)

    return parse


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError("a command as in `make help`", message, "see `make help`")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = _Parser(prog="drill", description="Rolls a broken release back by its runbook.")
    commands = top.add_subparsers(dest="command", required=True)

    drill = commands.add_parser("drill", help="hold one drill and write its report")
    drill.add_argument(
        "--stage",
        default="auto",
        help="auto (containers where an engine answers), containers, processes or FILE.toml",
    )
    drill.add_argument("--fault", default="connection-exhaustion", help="what to break")
    drill.add_argument("--procedure", default="auto", help="auto or a procedure's number")
    drill.add_argument("--runbook", default="runbook/rollback.md", type=Path)
    drill.add_argument("--report", default="reports/latest", type=Path, help="folder to write to")
    drill.add_argument("--pace", default=60.0, type=number("PACE", *_PACES), help="divides waits")
    drill.add_argument("--rate", default=100.0, type=number("RATE", *_RATES), help="requests/s")
    drill.add_argument("--seed", default=1, type=whole("SEED", 0, 2**31))
    drill.add_argument("--hosts", default=1, type=whole("HOSTS", 1, 8), help="service hosts")
    drill.add_argument(
        "--listings", default=5_000, type=whole("LISTINGS", 100, 10_000_000), help="seed data"
    )
    drill.add_argument("--supervisor", default=SUPERVISORD.name, help=_SUPERVISOR_HELP)
    drill.add_argument("--hazard", default="none", help="what goes wrong in the rollback")
    drill.add_argument(
        "--round-trip", default="", help="anything: deploy again afterwards, and roll back again"
    )
    drill.add_argument(
        "--authorized-by", default="", help="roles that start the rollback, comma-separated"
    )
    drill.add_argument(
        "--resume", default="", help="report of a drill that was killed: finish what it had begun"
    )
    drill.set_defaults(run=run_drill)

    drill.add_argument("--mode", default="automatic", help="operator: a person performs it")
    drill.add_argument("--history", default="", help="file in which drills are kept and compared")
    drill.add_argument("--channels", default="", help="file that says where messages are sent")
    drill.add_argument("--plan", default="", help="anything: print every command first, and ask")

    out = commands.add_parser("read", help="print a runbook as it is understood")
    out.add_argument("--runbook", default="runbook/rollback.md", type=Path)
    out.set_defaults(run=run_read)

    look = commands.add_parser("stage-check", help="say what a staging environment lacks")
    look.add_argument("--stage", required=True, help="FILE.toml")
    look.add_argument("--runbook", default="runbook/rollback.md", type=Path)
    look.set_defaults(run=run_stage_check)

    again = commands.add_parser("revalidate", help="bind and perform every procedure of a runbook")
    again.add_argument("--runbook", default="runbook/rollback.md", type=Path)
    again.add_argument("--stage", default="auto", help="as for `drill`")
    again.add_argument("--supervisor", default="", help=f"{_SUPERVISOR_HELP}; the runbook's own")
    again.add_argument("--report", default="reports/revalidation", type=Path)
    again.add_argument(
        "--fail-on", default="high", choices=SEVERITIES, help="least severity that fails"
    )
    again.set_defaults(run=run_revalidate)

    said = commands.add_parser("bindings", help="say what can be written in checkboxes")
    said.add_argument("--runbook", default="", help="say of each of its checkboxes what holds it")
    said.set_defaults(run=vocabulary.run)

    decide = commands.add_parser("decide", help="say what the detector decides on a record")
    decide.add_argument("--from", dest="record", required=True, type=Path)
    decide.add_argument("--runbook", default="runbook/rollback.md", type=Path)
    decide.add_argument("--pace", default=1.0, type=number("PACE", *_PACES))
    decide.add_argument("--baseline", default=BASELINE, type=whole("BASELINE", 59, 10**7))
    decide.set_defaults(run=run_decide)

    cut = commands.add_parser("interruptions", help="cut every procedure everywhere, repeat it")
    cut.add_argument("--runbook", default="runbook/rollback.md", type=Path)
    cut.add_argument("--stage", default="auto", help="as for `drill`")
    cut.add_argument("--report", default="reports/latest", type=Path)
    cut.set_defaults(run=run_interruptions)

    watch = commands.add_parser("monitoring", help="write alert rules and a dashboard")
    watch.add_argument("--runbook", default="runbook/rollback.md", type=Path)
    watch.add_argument("--to", default="reports/monitoring", type=Path, help="folder")
    watch.set_defaults(run=run_monitoring)

    index = commands.add_parser("index", help="render the page over all kept drills")
    index.add_argument("--history", default="reports/history.jsonl", type=Path)
    index.add_argument("--to", default="reports/index.html", type=Path)
    index.set_defaults(run=run_index)

    own = commands.add_parser("claim", help="make a folder ready for the reports of a gate")
    own.add_argument("--report", required=True, type=Path)
    own.set_defaults(run=run_claim)

    report = commands.add_parser("report", help="render the report again from a timeline")
    report.add_argument("--from", dest="timeline", required=True, type=Path)
    report.add_argument("--report", default="reports/latest", type=Path)
    report.set_defaults(run=run_report)
    return top


def run_drill(arguments: argparse.Namespace) -> int:
    """Hold one drill; return the exit code."""
    terminal = console(soft_wrap=False)
    if arguments.resume:
        return _resume(arguments, terminal)
    if arguments.plan not in ("", "0", "no"):
        try:
            if not _agreed(arguments):
                return Exit.PASSED
        except KeyboardInterrupt:
            terminal.print("\nEnded by the operator. Nothing was touched.")
            return Exit.UNKNOWN
    request = Request(
        runbook=arguments.runbook,
        report=arguments.report,
        stage=arguments.stage,
        fault=arguments.fault,
        procedure=arguments.procedure,
        pace=arguments.pace,
        rate=arguments.rate,
        seed=arguments.seed,
        options=StageOptions(
            listings=arguments.listings,
            seed=arguments.seed,
            hosts=arguments.hosts,
            supervisor=arguments.supervisor,
        ),
        hazard=arguments.hazard,
        round_trip=arguments.round_trip not in ("", "0", "no"),
        mode=arguments.mode,
        history=Path(arguments.history) if arguments.history else None,
        channels=Path(arguments.channels) if arguments.channels else None,
        authorized_by=roles_of(arguments.authorized_by),
    )
    with Progress(terminal) as progress:
        conductor = Conductor(request, progress=progress)
        conductor.run()
    judgement = write_reports(conductor.timeline.path, request.report)
    print_summary(judgement, request.report, terminal)
    if request.history:
        began = next(read(conductor.timeline.path)).at
        history.append(request.history, history.kept(judgement, conductor.history_key, iso(began)))
    return judgement.exit


def _resume(arguments: argparse.Namespace, terminal: Console) -> int:
    """Finish what a killed drill had begun; return the exit code. Such drills are not compared."""
    if arguments.plan not in ("", "0", "no"):
        raise UsageError(
            "PLAN or RESUME", "both", "leave PLAN out: the procedure has begun already"
        )
    left = read_left(Path(arguments.resume))
    report = arguments.report
    if report.resolve() == left.directory.resolve():
        report = report / "resumed"  # the dead drill's own record stays
    request = left.request(
        report,
        mode=arguments.mode,
        channels=Path(arguments.channels) if arguments.channels else None,
    )
    with Progress(terminal) as progress:
        conductor = ResumedDrill(left, request, progress=progress)
        conductor.run()
    judgement = write_reports(conductor.timeline.path, report)
    print_summary(judgement, report, terminal)
    return judgement.exit


def run_revalidate(arguments: argparse.Namespace) -> int:
    """Revalidate a runbook; return the exit code."""
    terminal = console()
    reading = read_document(arguments.runbook)
    runbook = reading.runbook
    if reading.problems.found:
        claim(arguments.report)
        return _say_findings(arguments, runbook, of_no_runbook(reading), terminal)
    supervisor = arguments.supervisor or supervisor_of(runbook, arguments.stage)
    request = Request(
        arguments.runbook,
        arguments.report,
        stage=arguments.stage,
        options=StageOptions(supervisor=supervisor),
    )
    claim(arguments.report)
    try:
        findings = revalidate(
            request,
            lambda: open_stage(arguments.stage, request.options, terminal.print),
            terminal.print,
        )
    except KeyboardInterrupt:
        terminal.print("Ended by the operator: nothing can be said about this runbook.")
        return Exit.UNKNOWN
    return _say_findings(arguments, runbook, findings, terminal)


def _say_findings(
    arguments: argparse.Namespace,
    runbook: Runbook,
    findings: list[Finding],
    terminal: Console,
) -> int:
    """Write and print `findings`; return the exit code."""
    changes = compare_with(arguments.report / "findings.json", findings, runbook)
    status = write_findings(findings, runbook, arguments.report, changes, fail_on=arguments.fail_on)
    for one in findings:
        terminal.print(f"{one.severity:6}  {one.where}: {one.what}")
    for change in changes:
        terminal.print(f"since the last time: {change}")
    terminal.print(f"{len(findings) or 'No'} finding(s). Findings: {arguments.report}/findings.md")
    return status


def _agreed(arguments: argparse.Namespace) -> bool:
    """Print the plan; return whether somebody at a terminal says to go on."""
    terminal = console()
    runbook = parse(arguments.runbook)
    stage = open_stage(arguments.stage, StageOptions(hosts=arguments.hosts), terminal.print)
    try:
        for line in plan(runbook, stage, arguments.procedure, arguments.fault):
            terminal.print(line)
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
    reading = read_document(arguments.runbook)
    for line in read_out(reading):
        terminal.print(line)
    return exit_of(reading)


def run_stage_check(arguments: argparse.Namespace) -> int:
    """Look at a staging environment; return 1 when a drill would not work there."""
    terminal = console()
    runbook = parse(arguments.runbook)
    stage = open_stage(arguments.stage, StageOptions(), terminal.print)
    if not isinstance(stage, StagingStage):
        raise UsageError(
            "STAGE=FILE.toml", repr(arguments.stage), "only a staging environment needs a check"
        )
    bad = 0
    try:
        for one in look(stage, runbook):
            bad += one.verdict is Verdict.FAILED
            mark = {Verdict.PASSED: "ok     ", Verdict.FAILED: "MISSING"}.get(
                one.verdict, "unknown"
            )
            terminal.print(f"{mark}  {one.what}: {one.found}")
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
    said = replay(arguments.record, runbook, pace=arguments.pace, baseline=arguments.baseline)
    for line in sentences(said):
        terminal.print(line)
    return Exit.PASSED


def run_interruptions(arguments: argparse.Namespace) -> int:
    """Cut every procedure everywhere, and let every mishap happen; write both tables."""
    terminal = console()
    runbook = parse(arguments.runbook)
    prepare_directory(arguments.report)
    path = arguments.report / "interruptions.md"
    try:
        with (
            open_stage(arguments.stage, StageOptions(), terminal.print) as stage,
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


def run_report(arguments: argparse.Namespace) -> int:
    """Render a report again from a timeline; return the exit code of its verdict."""
    judgement = write_reports(arguments.timeline, arguments.report)
    print_summary(judgement, arguments.report, console(soft_wrap=False))
    return judgement.exit


def run_claim(arguments: argparse.Namespace) -> int:
    """Claim a folder for a gate, which writes into it by tools that would follow links."""
    claim(arguments.report)
    for name in ("summary.md", "junit.xml", "allure-results"):
        files.remove(arguments.report / name)
    return Exit.PASSED


def run_monitoring(arguments: argparse.Namespace) -> int:
    """Write Prometheus' alert rules and a dashboard, made of the runbook's thresholds."""
    runbook = parse(arguments.runbook)
    try:
        arguments.to.mkdir(parents=True, exist_ok=True)
        files.write(arguments.to / "alerts.yml", rules(runbook))
        text = json.dumps(dashboard(runbook), indent=2, ensure_ascii=False)
        files.write(arguments.to / "dashboard.json", text + "\n")
    except OSError as error:
        raise UsageError(f"to write {arguments.to}", str(error.strerror), "set TO=DIR") from error
    console().print(f"Rules: {arguments.to}/alerts.yml\nDashboard: {arguments.to}/dashboard.json")
    return Exit.PASSED


def run_index(arguments: argparse.Namespace) -> int:
    """Render the page over all kept drills."""
    page = overview.render(history.read(arguments.history), datetime.now(UTC).date())
    try:
        arguments.to.parent.mkdir(parents=True, exist_ok=True)
        files.write(arguments.to, shown(page))
    except OSError as error:
        raise UsageError(f"to write {arguments.to}", str(error.strerror), "set TO=FILE") from error
    console().print(f"Page: {arguments.to}")
    return Exit.PASSED


_HEAR_S = 0.2
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _complain(expected: str, found: str, advice: str) -> None:
    console(errors=True).print(f"Expected {expected}; found {found}.\nTry: {advice}.")


def main(argv: list[str] | None = None) -> int:
    """Run a command; return its exit code (see `Exit`)."""
    keep_out()
    outlive_terminal()
    try:
        with told_to_end():
            arguments = parser().parse_args(argv)
            return int(arguments.run(arguments))
    except DrillError as error:
        _complain(error.expected, error.found, error.advice)
        return error.exit
    except KeyboardInterrupt:
        console(errors=True).print("Ended by the operator.")
        return Exit.UNKNOWN
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _complain("room on the disk", str(error), "make room and run the drill again")
        return Exit.USAGE
