"""The detector on the live service: A/A runs and delays: `python -m bench.bench_live` (5 minutes).

Holds drills on one stage that stays up. For every fault it prints after how many requests the
alarm came, as a ratio to the floor for the error rate that the clients really saw.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.bench_detector import EDGES, _detector, _floor
from drill import events
from drill.conductor import Conductor, Request
from drill.observation import Outcome
from drill.stage import StageOptions
from drill.stages import open_stage
from drill.timeline import Event, read
from drill.traffic import read_observations

RUNBOOK = Path(__file__).resolve().parent.parent / "runbook" / "rollback.md"
HEALTHY_RUNS = 3
HEALTHY_S = 30.0
RATE = 200.0
FAULTS = ("error-rate-medium", "error-rate-high", "error-rate-critical", "connection-exhaustion")

out = sys.stdout.write


def _hold(stage: object, fault: str, report: Path) -> list[Event]:
    request = Request(RUNBOOK, report, fault=fault, rate=RATE, pace=600)
    conductor = Conductor(request, stage=stage)  # type: ignore[arg-type]
    if fault == "none":
        conductor.fault.watch_s = HEALTHY_S
    conductor.run()
    return list(read(conductor.timeline.path))


def _first_alarm(record: list[Event], report: Path) -> tuple[int, float]:
    """Return after how many requests the detector alarms, and the share of failures thereafter."""
    onset = next(e.at for e in record if isinstance(e.what, events.FaultInjected))
    decided = next(e.at for e in record if isinstance(e.what, events.Decided))
    seen = sorted(read_observations(report / "traffic"), key=lambda one: one.done)
    detector = _detector()
    alarm = 0
    since = [one for one in seen if onset <= one.done <= decided]
    for one in since:
        detector.observe(one)
        if not alarm and detector.errors.alarmed:
            alarm = detector.n
    failed = sum(one.outcome is not Outcome.OK for one in since)
    return alarm, failed / len(since)


def main() -> int:
    """Print the tables; return 1 when a healthy release was alarmed about."""
    false = requests = 0
    with (
        tempfile.TemporaryDirectory() as scratch,
        open_stage("auto", StageOptions(), lambda _: None) as stage,
    ):
        for run in range(HEALTHY_RUNS):
            record = _hold(stage, "none", Path(scratch, f"none-{run}"))
            false += sum(isinstance(e.what, events.TriggerFired) for e in record)
            requests += sum(e.what.requests for e in record if isinstance(e.what, events.Decided))
        out(f"A/A on stage {stage.name}: {requests:,} requests at {RATE:g}/s, ")
        out(f"{false} triggers fired\n\n")
        out(f"{'fault':24} {'failed':>7} {'floor':>6} {'alarm':>6} {'ratio':>6}  requests\n")
        for fault in FAULTS:
            report = Path(scratch, fault)
            record = _hold(stage, fault, report)
            alarm, share = _first_alarm(record, report)
            floor = _floor(_detector().h, share, EDGES[0])
            out(f"{fault:24} {share:7.1%} {floor:6.0f} {alarm:6} {alarm / floor:6.2f}\n")
    return int(false > 0)


if __name__ == "__main__":
    raise SystemExit(main())
