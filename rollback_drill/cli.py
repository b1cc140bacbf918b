"""The commands behind the Makefile. A user's mistake ends in one sentence and exit code 2.

What a command does stands in `commands`, which is imported once its arguments are right: its
statistics, database drivers and engine take seconds to load.
"""

from __future__ import annotations

import argparse
import errno
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from rollback_drill.ground.console import console, outlive_terminal
from rollback_drill.ground.errors import DrillError, Exit, UsageError
from rollback_drill.ground.machine import keep_out
from rollback_drill.ground.redact import masked
from rollback_drill.ground.signals import told_to_end
from rollback_drill.ground.verdict import SEVERITIES
from rollback_drill.runbook.text import read_text

_RATES = (1.0, 2_000.0)
_PACES = (1.0, 10_000.0)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
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
    drill.add_argument("--supervisor", default="", help=_SUPERVISOR_HELP)
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
    drill.set_defaults(run="run_drill")

    drill.add_argument("--mode", default="automatic", help="operator: a person performs it")
    drill.add_argument("--history", default="", help="file in which drills are kept and compared")
    drill.add_argument("--channels", default="", help="file that says where messages are sent")
    drill.add_argument("--plan", default="", help="anything: print every command first, and ask")

    out = commands.add_parser("read", help="print a runbook as it is understood")
    out.add_argument("--runbook", default="runbook/rollback.md", type=Path)
    out.set_defaults(run="run_read")

    look = commands.add_parser("stage-check", help="say what a staging environment lacks")
    look.add_argument("--stage", required=True, help="FILE.toml")
    look.add_argument("--runbook", default="runbook/rollback.md", type=Path)
    look.set_defaults(run="run_stage_check")

    again = commands.add_parser("revalidate", help="bind and perform every procedure of a runbook")
    again.add_argument("--runbook", default="runbook/rollback.md", type=Path)
    again.add_argument("--stage", default="auto", help="as for `drill`")
    again.add_argument("--supervisor", default="", help=f"{_SUPERVISOR_HELP}; the runbook's own")
    again.add_argument("--report", default="reports/revalidation", type=Path)
    again.add_argument(
        "--fail-on", default="high", choices=SEVERITIES, help="least severity that fails"
    )
    again.set_defaults(run="run_revalidate")

    said = commands.add_parser("bindings", help="say what can be written in checkboxes")
    said.add_argument("--runbook", default="", help="say of each of its checkboxes what holds it")
    said.set_defaults(run="run_bindings")

    decide = commands.add_parser("decide", help="say what the detector decides on a record")
    decide.add_argument("--from", dest="record", required=True, type=Path)
    decide.add_argument("--runbook", default="runbook/rollback.md", type=Path)
    decide.add_argument("--pace", default=1.0, type=number("PACE", *_PACES))
    decide.add_argument("--baseline", default=0, type=whole("BASELINE", 59, 10**7))
    decide.set_defaults(run="run_decide")

    cut = commands.add_parser("interruptions", help="cut every procedure everywhere, repeat it")
    cut.add_argument("--runbook", default="runbook/rollback.md", type=Path)
    cut.add_argument("--stage", default="auto", help="as for `drill`")
    cut.add_argument("--report", default="reports/latest", type=Path)
    cut.set_defaults(run="run_interruptions")

    watch = commands.add_parser("monitoring", help="write alert rules and a dashboard")
    watch.add_argument("--runbook", default="runbook/rollback.md", type=Path)
    watch.add_argument("--to", default="reports/monitoring", type=Path, help="folder")
    watch.set_defaults(run="run_monitoring")

    index = commands.add_parser("index", help="render the page over all kept drills")
    index.add_argument("--history", default="reports/history.jsonl", type=Path)
    index.add_argument("--to", default="reports/index.html", type=Path)
    index.set_defaults(run="run_index")

    own = commands.add_parser("claim", help="make a folder ready for the reports of a gate")
    own.add_argument("--report", required=True, type=Path)
    own.set_defaults(run="run_claim")

    report = commands.add_parser("report", help="render the report again from a timeline")
    report.add_argument("--from", dest="timeline", required=True, type=Path)
    report.add_argument("--report", default="reports/latest", type=Path)
    report.set_defaults(run="run_report")
    return top


def _complain(expected: str, found: str, advice: str) -> None:
    told = f"Expected {expected}; found {found}.\nTry: {advice}."
    console(errors=True).print(masked(told))


def main(argv: list[str] | None = None) -> int:
    """Run a command; return its exit code (see `Exit`)."""
    keep_out()
    outlive_terminal()
    try:
        with told_to_end():
            arguments = parser().parse_args(argv)
            if getattr(arguments, "runbook", ""):
                read_text(Path(arguments.runbook))  # what is mistyped is told at once
            run: Callable[[argparse.Namespace], int] = getattr(
                import_module("rollback_drill.commands"), arguments.run
            )
            return int(run(arguments))
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
