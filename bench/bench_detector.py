"""How fast, how prompt and how quiet the detector is: `python -m bench.bench_detector`.

The floor of the delay is h / KL(p‖p0), with KL the Kullback–Leibler divergence of two Bernoulli
variables: what a CUSUM that knew the new rate p would need on average (Lorden 1971). The detector
watches for several rates at once, and stops on whole requests: ratios somewhat above 1 are due.
"""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Iterator

from drill.detector import ALPHA, Detector, Side
from drill.observation import Observation, Outcome

EDGES = (0.01, 0.05, 0.10)
LATENCY_S = (0.5, 1.0, 2.0)
RATES = (0.02, 0.07, 0.12, 0.20, 0.50, 1.0)
RUNS = 20
HEALTHY = 1_000_000
_MOST = 60_000


def _detector() -> Detector:
    detector = Detector(EDGES, LATENCY_S, (2.0, 3.0))
    detector.set_baseline(0.05)
    return detector


def _requests(p: float, seed: int, n: int) -> Iterator[Observation]:
    chance = random.Random(seed)  # noqa: S311 - simulated traffic
    for i in range(n):
        at = i / 100.0
        bad = chance.random() < p
        outcome = Outcome.SERVER_ERROR if bad else Outcome.OK
        yield Observation(at - 0.02, at - 0.02, at, "c", "list_page", 500 if bad else 200,
                          outcome, "new")  # fmt: skip


def _floor(h: float, p: float, p0: float) -> float:
    rest = (1.0 - p) * math.log((1.0 - p) / (1.0 - p0)) if p < 1.0 else 0.0
    return h / (p * math.log(p / p0) + rest)


def _delays(p: float, seed: int) -> tuple[int, int | None]:
    """Return requests until the alarm, and until the highest edge below `p` was told."""
    detector = _detector()
    alarm = 0
    told_edge = max(edge for edge in EDGES if edge < p)
    for observation in _requests(p, seed, _MOST):
        detector.observe(observation)
        if not alarm and detector.errors.alarmed:
            alarm = detector.n
        if alarm and detector.errors.side(told_edge) is Side.ABOVE:
            return alarm, detector.n
    return alarm or _MOST, None


def main() -> None:
    """Print the table."""
    out = sys.stdout.write
    h = _detector().h
    out(f"h = {h:.2f}; false alarms: at most {ALPHA:g} per drill\n\n")
    out("errors   floor   alarm   alarm/floor   classified   classified/floor\n")
    for p in RATES:
        runs = [_delays(p, seed) for seed in range(RUNS)]
        floor = _floor(h, p, EDGES[0])
        alarm = sum(run[0] for run in runs) / RUNS
        told = [run[1] for run in runs if run[1] is not None]
        classified = sum(told) / len(told) if told else math.nan
        out(
            f"{p:6.0%} {floor:7.0f} {alarm:7.0f} {alarm / floor:13.2f} {classified:12.0f} "
            f"{classified / floor:18.2f}\n"
        )
    out("\nA/A: healthy requests, at the highest error rate that is still normal (1 %)\n")
    detector = _detector()
    alarms = 0
    sounding = False
    for observation in _requests(EDGES[0], 1, HEALTHY):
        detector.observe(observation)
        alarms += detector.alarmed and not sounding
        sounding = detector.alarmed
    out(f"{HEALTHY:,} requests: {alarms} false alarms\n\n")
    out("observations per second (a drill at 1,000 requests/s is the unit of the last column)\n")
    for name, p in (("healthy", 0.001), ("1 % errors", 0.01), ("40 % errors", 0.4)):
        detector = _detector()
        batch = list(_requests(p, 2, 100_000))
        began = time.perf_counter()
        for observation in batch:
            detector.observe(observation)
        speed = len(batch) / (time.perf_counter() - began)
        out(f"{name:12} {speed:12,.0f} {speed / 1000:8.0f} ×\n")


if __name__ == "__main__":
    main()
