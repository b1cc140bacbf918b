"""How honest, and how small, the traffic is: `python -m bench.bench_traffic` (about a minute).

Prints three tables of ratios, all measured in this one run against
`tests/traffic/listings_server.py`:

- rate: achieved / asked requests per second at 100 to 2000, worst lag between due and sent as a
  share of what would make the run *unknown* (100 ms), share of one core used. Generator and server
  are each pinned to a core of their own where there are two.
- memory: what one hour at 1,000 requests/s takes on the reading side (an hour of observations is
  aggregated) and to read the ledger back, as shares of the 500 MB that the suite may take; and how
  much the generator grew while it ran.
- freeze: the same 3 s freeze, with latency counted from the due time and as a client sees it that
  sends its next request only after the answer (coordinated omission).

Exit code 1 when 1,000 requests/s are not achieved honestly or the memory does not fit.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from rollback_drill.data.writes import read_writes
from rollback_drill.ground.clock import now
from rollback_drill.ground.machine import keep_out
from rollback_drill.ground.signals import told_to_end
from rollback_drill.ground.wait import wait_until
from rollback_drill.record.timeline import Timeline
from rollback_drill.traffic.aggregate import Clients, Second, combine
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.live import Traffic
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.traffic.told import LATE_S

ROOT = Path(__file__).resolve().parent.parent
RATES = (100.0, 500.0, 1_000.0, 2_000.0)
MEASURED_S = 6
HOUR_S = 3_600
HOURLY_RATE = 1_000
LIMIT_BYTES = 500 * 1024 * 1024
FREEZE_S = 3.0  # as the listings server does on SIGUSR1
_MUST_REACH = 1_000.0
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Rate:
    """What came of one asked rate; `grown` in bytes over the measured time."""

    asked: float
    achieved: float
    lag_s: float
    cpu: float
    honest: bool
    grown: int


@contextmanager
def server(core: int | None) -> Iterator[tuple[str, psutil.Process]]:
    """Run the listings server in a process of its own; yield its URL and process."""
    command = [sys.executable, str(ROOT / "tests" / "traffic" / "listings_server.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        seen = psutil.Process(process.pid)
        pin(seen, core)
        try:
            yield url, seen
        finally:
            process.kill()


def pin(process: psutil.Process, core: int | None) -> None:
    """Keep `process` on one core, where there is more than one and the system can."""
    if core is not None and hasattr(process, "cpu_affinity"):
        process.cpu_affinity([core])


def cores() -> tuple[int | None, int | None]:
    """Return a core for the generator and another for the server, None where there is one only."""
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)


def measure_rate(url: str, rate: float, folder: Path, core: int | None) -> Rate:
    """Send `rate` requests/s for some seconds."""
    timeline = Timeline(folder / "timeline.jsonl")
    with Traffic(url, "", rate, 1, folder / "traffic", timeline) as traffic:
        (generator,) = psutil.Process().children()[-1:]
        pin(generator, core)
        began = now() + 1  # connections are made first
        before = generator.memory_info().rss
        for _ in wait_until("enough traffic", 60):
            seen = traffic.window(began)
            if seen.until - seen.start >= MEASURED_S:
                break
        grown = generator.memory_info().rss - before
        honest, _ = traffic.honest(began, seen.until)
        samples = [cpu for at, cpu in traffic._samples if at >= began]
    good = seen.outcomes.get(Outcome.OK, 0)
    achieved = good / (seen.until - seen.start)
    timeline.close()
    return Rate(rate, achieved, seen.lag_s, sum(samples) / len(samples), honest, grown)


def hour_of_aggregates() -> tuple[int, float]:
    """Aggregate an hour of observations; return (bytes taken, seconds to merge them all)."""
    clients = Clients()
    seconds: dict[int, Second] = {}
    process = psutil.Process()
    before = process.memory_info().rss
    for second in range(HOUR_S):
        kept = seconds[second] = Second()
        for n in range(HOURLY_RATE):
            due = second + n / HOURLY_RATE
            done = due + 0.002 + (n * 7919 % 997) ** 3 / 1e10
            kept.add(
                Observation(due, due, done, f"c{n % 50:03d}", "details", 200, Outcome.OK, ""),
                clients,
            )
        if second >= 300:
            seconds[second - 300].pack()
    taken = process.memory_info().rss - before
    began = time.perf_counter()
    whole = combine(0, HOUR_S, seconds.values(), clients)
    assert whole.sent == HOUR_S * HOURLY_RATE
    return taken, time.perf_counter() - began


def hour_of_writes(folder: Path) -> int:
    """Read the ledger of an hour (10 % writes) in a process of its own; return its peak bytes."""
    writes = HOUR_S * HOURLY_RATE // 10
    with (
        (folder / "writes-0.csv").open("w") as file,
        (folder / "observations-0.csv").open("w") as observed,
    ):
        for n in range(writes):
            reference, subject = f"d1a20bde71f1-0-{n}", f"d1a20bde71f1-0-{n - n % 5}"
            kind = "update" if n % 5 > 2 else "create"
            fields = (
                '{"total_cents":883264}'
                if kind == "update"
                else f'{{"reference":"{reference}","listing_id":10,"guest_name":"Ana Öztürk '
                f'{reference}","check_in":"2031-04-16","check_out":"2031-04-23",'
                '"total_cents":883264}'
            )
            subject = subject if kind == "update" else reference
            file.write(f"{reference},{kind},{subject},{fields}\n")
            at = 1.7e9 + n / 100
            seen = Observation(at, at, at + 0.01, "c001", kind, 200, Outcome.OK, "", reference)
            observed.write(seen.to_line() + "\n")
    asked = [sys.executable, "-m", "bench.bench_traffic", "--ledger", str(folder)]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)


def peak_of_ledger(folder: Path) -> int:
    """Read the ledger; return the peak memory of this process in bytes."""
    assert read_writes(folder)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def freeze(folder: Path) -> tuple[float, float]:
    """Return the p95 through a freeze (from due, from a client that waits for each answer)."""
    waiting = Histogram()
    timeline = Timeline(folder / "timeline.jsonl")
    with (
        server(None) as (url, process),
        Traffic(url, "", 100, 1, folder / "traffic", timeline) as traffic,
    ):
        began = now()
        frozen = False
        while now() < began + 15:
            if not frozen and now() > began + 4:
                frozen = True
                process.send_signal(signal.SIGUSR1)
            asked = time.perf_counter()
            with urllib.request.urlopen(f"{url}/api/listings/1") as answer:  # noqa: S310
                answer.read()
            waiting.add(time.perf_counter() - asked)
            time.sleep(0.01)  # the pause of a naive client: it also sends 100 requests/s at most
        seen = traffic.window(began)
    timeline.close()
    return seen.histogram.quantile(0.95), waiting.quantile(0.95)


def table(title: str, *columns: str) -> Table:
    """Return an empty table whose first column is text."""
    made = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        made.add_column(column, justify="right" if number else "left")
    return made


def main() -> int:
    """Measure everything and print it; return the exit code."""
    if sys.argv[1:2] == ["--ledger"]:
        print(peak_of_ledger(Path(sys.argv[2])))  # noqa: T201
        return 0
    console = Console()
    good = True
    with tempfile.TemporaryDirectory(prefix="drill-bench-") as scratch:
        folder = Path(scratch)
        for_generator, for_server = cores()
        rates = table(
            "Rate", "asked /s", "achieved / asked", "worst lag / 100 ms", "core", "honest"
        )
        grown = 0
        with server(for_server) as (url, _):
            for rate in RATES:
                place = folder / f"{rate:g}"
                place.mkdir()
                found = measure_rate(url, rate, place, for_generator)
                grown = max(grown, found.grown)
                share = found.achieved / rate
                if rate <= _MUST_REACH:
                    good &= found.honest and share > 0.99
                rates.add_row(
                    f"{rate:g}",
                    f"{share:.3f}",
                    f"{found.lag_s / LATE_S:.2f}",
                    f"{found.cpu:.2f}",
                    "yes" if found.honest else "no",
                )
        console.print(rates)

        memory = table("Memory of an hour at 1,000 requests/s", "what", "MB", "share of 500 MB")
        aggregates, merge_s = hour_of_aggregates()
        place = folder / "writes"
        place.mkdir()
        ledger = hour_of_writes(place)
        for what, taken in (
            ("per-second aggregates", aggregates),
            ("reading the ledger (whole process, at the end)", ledger),
            (f"growth of the generator in {MEASURED_S} s, worst of all rates", grown),
        ):
            memory.add_row(what, f"{taken / _MEGABYTE:.0f}", f"{taken / LIMIT_BYTES:.2f}")
        good &= aggregates + ledger < LIMIT_BYTES
        console.print(memory)
        console.print(f"Merging the whole hour into one window takes {merge_s:.2f} s.")

        place = folder / "freeze"
        place.mkdir()
        due, naive = freeze(place)
        omitted = table(
            f"p95 of 15 s at 100/s with a freeze of {FREEZE_S:g} s", "counted", "s", "ratio"
        )
        omitted.add_row("from due (open loop)", f"{due:.3f}", f"{due / naive:.0f}")
        omitted.add_row("one request after the other", f"{naive:.3f}", "1")
        console.print(omitted)
    console.print("good" if good else "NOT good: see the limits in this module's docstring")
    return 0 if good else 1


if __name__ == "__main__":
    keep_out()
    with told_to_end():
        sys.exit(main())
