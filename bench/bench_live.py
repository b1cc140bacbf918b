"""The detector on the live service: A/A runs and delays: `python -m bench.bench_live [STAGE]`.

Holds drills on one stage that stays up, each until it is decided (about 20 minutes in all). For
every fault it prints, as means over the runs, how many requests were observed until the alarm,
counted twice: from the moment at which the fault was switched on, and from the first answer that
showed it, since some time passes before the service has read its settings and before a page is
asked for. The floor is the optimum (`bench.optimum`) for the share of bad answers that the clients
really got from there.
Runs in which the generator was late are repeated, since they measure the machine.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from bench.bench_detector import EDGES, GOAL
from bench.optimum import optimum
from rollback_drill.breaks.scripted import fault_called
from rollback_drill.breaks.told import FaultInjected
from rollback_drill.conduct.conductor import Conductor
from rollback_drill.conduct.plans import deciding_plan
from rollback_drill.conduct.request import Request
from rollback_drill.decide.detector import Detector
from rollback_drill.decide.statistics import quantile_upper_bound
from rollback_drill.decide.told import Decided, TriggerFired
from rollback_drill.ground.machine import keep_out
from rollback_drill.ground.signals import told_to_end
from rollback_drill.record.timeline import Event, read
from rollback_drill.record.told import Interrupted, PhaseName, PhaseStarted
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.live import read_observations
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.traffic.told import GeneratorSample

RUNBOOK = Path(__file__).resolve().parent.parent / "runbook" / "rollback.md"
HEALTHY_RUNS = 3
HEALTHY_S = 30.0
RUNS = 5
TRIES = 3
RATE = 100.0
LATE_S = 0.1
LATENCY_S = (0.5, 1.0, 2.0)
# By what multiple of the healthy p95 a bad answer is known; 0: it fails.
FAULTS = {
    "error-rate-medium": 0.0,
    "error-rate-high": 0.0,
    "error-rate-critical": 0.0,
    "connection-exhaustion": 0.0,
    "slow-pages-2x": 2.0,
    "slow-pages-5x": 3.0,
}

out = sys.stdout.write


@dataclass(frozen=True, slots=True)
class Run:
    """Requests until the alarm, from the switching-on and from the first bad answer; the share of
    bad answers from there on; the floor for it.
    """

    since_onset: int
    since_first: int
    share: float
    floor: float


def _hold(stage: Stage, fault: str, report: Path) -> list[Event]:
    made = fault_called(fault, stage)
    if fault == "none":
        made.watch_s = HEALTHY_S
    request = Request(RUNBOOK, report, fault=fault, rate=RATE, pace=60)
    conductor = Conductor(replace(deciding_plan(request), fault=made), stage=stage)
    conductor.run()
    record = list(read(conductor.timeline.path))
    if any(isinstance(event.what, Interrupted) for event in record):
        raise KeyboardInterrupt  # a drill keeps it to itself
    return record


def _late(record: list[Event]) -> bool:
    """Whether the generator was late in more than one second of twenty."""
    lags = [e.what.lag_s for e in record if isinstance(e.what, GeneratorSample)]
    return sum(lag > LATE_S for lag in lags) > 0.05 * len(lags)


def _measure(record: list[Event], report: Path, factor: float) -> Run | None:
    """Return the delays of this drill, None when there was no alarm."""
    onset = next(e.at for e in record if isinstance(e.what, FaultInjected))
    steady = next(e.at for e in record if _begins(e, PhaseName.STEADY))
    breaking = next(e.at for e in record if _begins(e, PhaseName.FAULT))
    ended = next(e.at for e in record if _begins(e, PhaseName.TEARDOWN))
    seen = sorted(read_observations(report / "traffic"), key=lambda one: one.done)
    healthy = Histogram(one.latency_s for one in seen if steady <= one.done <= breaking)
    baseline_s = quantile_upper_bound(healthy) or healthy.quantile(0.95)
    detector = Detector(EDGES, LATENCY_S, (2.0, 3.0))
    detector.set_baseline(baseline_s)

    def bad(one: Observation) -> bool:
        return one.latency_s >= factor * baseline_s if factor else one.outcome is not Outcome.OK

    stream = detector.slower[factor] if factor else detector.errors
    since = [one for one in seen if onset <= one.done <= ended]
    first = next((i for i, one in enumerate(since) if bad(one)), len(since))
    # What is bad by accident before the fault bites is none of its answers.
    while first < len(since) and not any(bad(one) for one in since[first + 1 : first + 40]):
        first = next((i for i in range(first + 1, len(since)) if bad(since[i])), len(since))
    for number, one in enumerate(since, 1):
        detector.observe(one)
        if stream.alarmed:
            rest = since[first:]
            share = sum(bad(one) for one in rest) / len(rest)
            if share <= stream.p0:
                return None  # it passed: there is no such change to find
            return Run(number, number - first, share, optimum(stream.p0, share).mean)
    return None


def _begins(event: Event, phase: PhaseName) -> bool:
    return isinstance(event.what, PhaseStarted) and event.what.phase is phase


def _healthy(stage: Stage, scratch: Path) -> int:
    """Print the A/A runs; return how often a trigger fired or the detector alarmed."""
    fired: Counter[str] = Counter()
    requests = late = 0
    for number in range(HEALTHY_RUNS):
        record = _hold(stage, "none", scratch / f"none-{number}")
        fired.update(e.what.trigger for e in record if isinstance(e.what, TriggerFired))
        requests += sum(e.what.requests for e in record if isinstance(e.what, Decided))
        late += _late(record)
    out(
        f"A/A on stage {stage.name}: {requests:,} requests at {RATE:g}/s in {HEALTHY_RUNS} drills, "
    )
    told = ", ".join(f"{name} ({count})" for name, count in fired.items()) or "none"
    out(f"triggers fired: {told}; the generator was late in {late} of the drills\n\n")
    sys.stdout.flush()
    return fired.total()


def _delays(stage: Stage, scratch: Path) -> None:
    out(f"Means over {RUNS} drills; in brackets the fastest and the slowest\n")
    out(f"{'fault':22} {'bad':>6} {'floor':>6} {'from on':>17} {'ratio':>6}")
    out(f" {'from the first':>17} {'ratio':>6}  repeated\n")
    for fault, factor in FAULTS.items():
        runs: list[Run] = []
        repeated = 0
        for number in range(RUNS * TRIES):
            report = scratch / f"{fault}-{number}"
            record = _hold(stage, fault, report)
            injected = any(isinstance(e.what, FaultInjected) for e in record)
            measures = injected and not _late(record)
            run = _measure(record, report, factor) if measures else None
            if run is None:
                repeated += 1
            else:
                runs.append(run)
            if len(runs) == RUNS:
                break
        if len(runs) < RUNS:
            out(
                f"{fault:22} unknown: {repeated} of {repeated + len(runs)} drills were no measure\n"
            )
            continue
        floor = statistics.mean(run.floor for run in runs)
        share = statistics.mean(run.share for run in runs)
        out(f"{fault:22} {share:6.1%} {floor:6.0f}")
        for name in ("since_onset", "since_first"):
            counts = sorted(getattr(run, name) for run in runs)
            ratio = statistics.mean(counts) / floor
            told = f"{statistics.mean(counts):.0f} ({counts[0]}–{counts[-1]})"
            out(f" {told:>17} {ratio:5.2f}{'!' if ratio > GOAL else ' '}")
        out(f" {repeated:8}\n")
        sys.stdout.flush()
    out(f"!: above the goal of {GOAL} floors\n")


def main() -> int:
    """Print the tables; return 1 when a trigger fired on a healthy release."""
    name = sys.argv[1] if len(sys.argv) > 1 else "auto"
    busy, cores = os.getloadavg()[0], os.cpu_count()
    out(f"load of this machine before: {busy:.1f} on {cores} cores\n")
    with (
        tempfile.TemporaryDirectory() as folder,
        open_stage(name, StageOptions(), lambda _: None) as stage,
    ):
        fired = _healthy(stage, Path(folder))
        _delays(stage, Path(folder))
    return int(fired > 0)


if __name__ == "__main__":
    keep_out()
    with told_to_end():
        raise SystemExit(main())
