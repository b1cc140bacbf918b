"""Where the seconds of a drill go: `python -m bench.bench_drill` (a minute).

Holds `make drill STAGE=processes` as a user does, with the fault that is usual and with that of a
leak, after a first one that makes what is kept, and prints their wall-clock time by phase, as the
record tells it, and their CPU time by program, beside how busy the machine was with other things.
Exit code 1 when a drill did not pass, or took more than `LIMIT_S` on a machine that had nothing
else to do.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from rollback_drill.record.timeline import Event, read
from rollback_drill.record.told import DrillEnded, PhaseStarted

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 20.0
FAULTS = ("connection-exhaustion", "cursor-cache-leak")
_IDLE = 0.1  # of all cores, used by others
_LOOK_S = 0.1
# A word of a command line, and what it is of a drill.
_PROGRAMS = {
    "rollback_drill": "the suite itself",
    "hostaway_mcp": "the service",
    "locust": "traffic",
    "caddy": "load balancer",
    "postgres": "Postgres",
    "supervis": "supervisord",
}


def by_phase(events: Iterable[Event], began: float, ended: float) -> dict[str, float]:
    """Return the seconds of each phase of a record, and of what lies before and behind it; `began`
    and `ended`: when the command did, in Unix seconds.
    """
    found: dict[str, float] = {}
    name, since = "until the record begins", began
    last = began
    for event in events:
        if last == began:
            found[name], name, since = event.at - since, "admission", event.at
        last = event.at
        if isinstance(event.what, PhaseStarted):
            found[name] = found.get(name, 0.0) + event.at - since
            name, since = event.what.phase.value, event.at
        elif isinstance(event.what, DrillEnded):
            found[name] = found.get(name, 0.0) + event.at - since
            name, since = "judgement and report", event.at
    found[name] = found.get(name, 0.0) + ended - since
    return found


def held(report: Path, fault: str) -> tuple[float, float, Counter[str], int, float]:
    """Hold a drill of `fault`; return when it began and ended, CPU seconds by program, its exit
    code, and the share of all cores that others used meanwhile.
    """
    before, began = psutil.cpu_times(), time.time()
    with (report.parent / "output").open("wb") as output:
        drill = subprocess.Popen(
            [
                *(sys.executable, "-m", "rollback_drill", "drill", "--stage=processes"),
                *(f"--fault={fault}", f"--report={report}"),
            ],
            cwd=ROOT,
            # As make does: else all programs compile what they import, again and again.
            env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
            stdout=output,
            stderr=output,
        )
        used: dict[tuple[int, float], tuple[str, float]] = {}
        whole = psutil.Process(drill.pid)
        while drill.poll() is None:
            with contextlib.suppress(psutil.Error):
                for one in (whole, *whole.children(recursive=True)):
                    _look(one, used)
            time.sleep(_LOOK_S)
    ended, after = time.time(), psutil.cpu_times()
    seen: Counter[str] = Counter()
    for name, spent_s in used.values():
        seen[name] += spent_s  # type: ignore[assignment]
    busy = sum(after) - sum(before) - (after.idle - before.idle) - (after.iowait - before.iowait)
    others = max(0.0, busy - sum(seen.values())) / ((ended - began) * (os.cpu_count() or 1))
    return began, ended, seen, drill.returncode, others


def _look(one: psutil.Process, used: dict[tuple[int, float], tuple[str, float]]) -> None:
    with contextlib.suppress(psutil.Error):
        words, spent = " ".join(one.cmdline()), one.cpu_times()
        named = (name for word, name in _PROGRAMS.items() if word in words)
        used[one.pid, one.create_time()] = (next(named, "commands"), spent.user + spent.system)


def main() -> int:
    """Print both tables of each drill; return the exit code."""
    console = Console()
    with tempfile.TemporaryDirectory() as scratch:
        first, *rest = (Path(scratch, name, "report") for name in ("first", *FAULTS))
        for report in (first, *rest):
            report.parent.mkdir()
        held(first, FAULTS[0])
        return max([_measured(console, *one) for one in zip(rest, FAULTS, strict=True)])


def _measured(console: Console, report: Path, fault: str) -> int:
    began, ended, used, code, others = held(report, fault)
    phases = by_phase(read(report / "timeline.jsonl"), began, ended)
    table = Table("phase", "s", title=f"{fault} on processes, from typing to the report")
    for name, seconds in phases.items():
        table.add_row(name, f"{seconds:.1f}")
    table.add_row("together", f"{ended - began:.1f}", style="bold")
    console.print(table)
    table = Table("program", "CPU s", title="… and who computed")
    for name, seconds in used.most_common():
        table.add_row(name, f"{seconds:.1f}")
    table.add_row("together", f"{sum(used.values()):.1f}", style="bold")
    console.print(table)
    console.print(f"others used {others:.0%} of the machine; exit code of the drill: {code}")
    late = ended - began > LIMIT_S
    if late and others > _IDLE:
        console.print("the machine was busy with other things: its time says little")
    return int(code != 0 or (late and others <= _IDLE))


if __name__ == "__main__":
    raise SystemExit(main())
