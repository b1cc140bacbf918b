"""What the proof for dependent requests promises, and its price: `python -m bench.bench_proof`.

See `rollback_drill.decide.e_detector`. Prints in how many runs of a service with the highest
acceptable share it is reached, beside the bound; and how long it takes in a drill, at 100 requests
a second, where bad requests are independent and where they come in clusters. Exit code 1 when the
bound does not hold on traffic whose dependence ends within the gap, or a total failure takes
longer than 3 s to be decided.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bench.dependent import Hits, Traffic, autocorrelated, clusters, independent, paused, spells
from rollback_drill.decide.decider import Decider
from rollback_drill.decide.detector import ALPHA, Detector
from rollback_drill.decide.e_detector import OF_ERRORS, OF_LATENCIES, Blocks, EDetector
from rollback_drill.runbook.parse import parse
from rollback_drill.traffic.observation import Observation, Outcome

RATE = 100
GOAL_S = 3.0
LOOSE = 0.2  # an α at which false ones are frequent enough to be counted
RUNS = 400
SHORT_S = 100.0
SHARES = (0.02, 0.035, 0.07, 0.12, 0.2, 0.5, 1.0)
DELAYS = 100
_MOST = 120_000  # requests: twenty minutes
_EVERY_S = 0.1
_RUNBOOK = Path(__file__).resolve().parent.parent / "runbook" / "rollback.md"
COVERED: tuple[tuple[str, Traffic, Traffic], ...] = (
    # Name; of errors; of latencies.
    ("independent", independent, independent),
    ("clusters of 5 on average", clusters(5), clusters(5)),
    ("clusters of 20 on average", clusters(20), clusters(20)),
    ("spells of 0.2 s on average", spells(20), spells(20)),
    ("autocorrelated, 0.95 (latencies: 0.98)", autocorrelated(0.95), autocorrelated(0.98)),
    ("pauses of 0.6 s", paused, paused),
)
LONGER: tuple[tuple[str, Traffic, Traffic], ...] = (
    ("clusters of 50 on average", clusters(50), clusters(50)),
    ("spells of 1 s on average", spells(100), spells(100)),
    ("autocorrelated, 0.98 (latencies: 0.99)", autocorrelated(0.98), autocorrelated(0.99)),
)

out = sys.stdout.write


def false_share(traffic: Traffic, p: float, blocks: Blocks, runs: int = RUNS) -> float:
    """Return in which share of the runs of a service with the share `p` it is reached."""
    reached = 0
    for seed in range(runs):
        subject = EDetector(p, Blocks(blocks.block_s, blocks.gap_s, SHORT_S))
        subject.set_bound(LOOSE)
        hits = islice(traffic(random.Random(seed), p), round(SHORT_S * RATE))  # noqa: S311
        reached += until(subject, hits) is not None
    return reached / runs


def until(subject: EDetector, hits: Hits) -> float | None:
    """Return after how many seconds of these requests it is reached, None when it is not."""
    for i, hit in enumerate(hits):
        subject.update(hit, i / RATE)
        if subject.reached:
            return i / RATE
    return None


def _promise() -> bool:
    """Print how often it is reached by a healthy service; return whether that is as promised."""
    most = LOOSE + 3 * (LOOSE * (1 - LOOSE) / RUNS) ** 0.5
    out("Reached by a service with the highest acceptable share, ")
    out(f"in {RUNS} runs of {SHORT_S:g} s\n")
    out(f"The bound is {LOOSE:.0%}; with three standard deviations for chance {most:.1%}\n\n")
    out(f"{'requests':42}{'errors':>8}{'latencies':>11}\n")
    kept = True
    for rows, covered in ((COVERED, True), (LONGER, False)):
        if not covered:
            out("dependence that outlasts the gap, for which nothing is promised:\n")
        for name, of_errors, of_latencies in rows:
            found = (
                false_share(of_errors, 0.01, OF_ERRORS),
                false_share(of_latencies, 0.05, OF_LATENCIES),
            )
            kept = kept and (not covered or max(found) <= most)
            out(f"{name:42}{found[0]:8.1%}{found[1]:11.1%}\n")
            sys.stdout.flush()
    return kept


def _detector() -> Detector:
    detector = Detector((0.01, 0.05, 0.10), (0.5, 1.0, 2.0), (2.0, 3.0))
    detector.set_baseline(0.05)
    return detector


def _price() -> None:
    """Print how long the proof takes in a drill, by the share and by how bad requests come."""
    kinds: dict[str, Traffic] = {
        "independent": independent, "clusters of 5": clusters(5), "clusters of 20": clusters(20),
    }  # fmt: skip
    out("\nUntil a rollback for errors is proven, ")
    out(f"in seconds at {RATE} requests/s, {DELAYS} runs\n")
    out(f"{'share':>8}" + "".join(f"{name + ': mean, 90 %':>28}" for name in kinds) + "\n")
    for share in SHARES:
        cells = []
        for traffic in kinds.values():
            if share == 1.0 and traffic is not independent:
                continue
            times = [_proven(traffic, share, seed) for seed in range(DELAYS)]
            lost = times.count(None)
            known = sorted(time for time in times if time is not None)
            ninety = known[int(0.9 * len(known))]
            told = f"{statistics.mean(known):.1f} {ninety:7.1f}" + (f" (-{lost})" if lost else "")
            cells.append(f"{told:>28}")
        out(f"{share:8.1%}" + "".join(cells) + "\n")
        sys.stdout.flush()
    out("(-n): that many runs were not proven within twenty minutes\n")


def _proven(traffic: Traffic, share: float, seed: int) -> float | None:
    subject = _detector().errors.proof
    return until(subject, islice(traffic(random.Random(seed), share), _MOST))  # noqa: S311


class _Baseline:
    """Four hundred healthy latencies, none above 50 ms."""

    count = 400

    def count_above(self, limit_s: float) -> int:
        return self.count if limit_s <= 0.05 else 0


def _requests(share: float, slow_s: float, seed: int) -> Iterator[Observation]:
    chance = random.Random(seed)  # noqa: S311 - simulated traffic
    for i in range(_MOST):
        bad, at = chance.random() < share, (i + 1) / RATE
        failed = bad and not slow_s
        due = at - (slow_s if bad and slow_s else 0.02)
        outcome = Outcome.SERVER_ERROR if failed else Outcome.OK
        yield Observation(due, due, at, "c", "page", 500 if failed else 200, outcome, "new")


def decided_after(share: float, slow_s: float = 0.0, seed: int = 1) -> float:
    """Return after how many seconds a rollback is decided upon, asked ten times a second."""
    decider = Decider(parse(_RUNBOOK))
    decider.set_baseline(_Baseline())
    decider.onset(0.0)
    asked = 0.0
    for one in _requests(share, slow_s, seed):
        decider.observe(one)
        if one.done >= asked + _EVERY_S - 1e-9:
            asked = one.done
            if decider.decide(asked):
                return asked
    return float("inf")


def _decisions() -> float:
    """Print when a rollback is decided upon, all in all; return that of a total failure."""
    out("\nFrom the change to the decision to roll back, ")
    out(f"in seconds at {RATE} requests/s, 20 runs\n")
    for share, slow_s, name in (
        (1.0, 0.0, "all fail"),
        (0.73, 0.0, "73 % fail"),
        (0.3, 0.0, "30 % fail"),
        (0.12, 0.0, "12 % fail"),
        (0.07, 0.0, "7 % fail"),
        (1.0, 0.3, "all are six times slower than the p95"),
        (0.72, 0.3, "72 % are"),
    ):
        times = sorted(decided_after(share, slow_s, seed) for seed in range(20))
        out(f"{name:40}{statistics.mean(times):6.1f} (at most {times[-1]:.1f})\n")
        sys.stdout.flush()
    return max(decided_after(1.0, seed=seed) for seed in range(3))


def main() -> int:
    """Print the tables; return 1 when a goal is missed."""
    kept = _promise()
    _price()
    total_s = _decisions()
    out(f"\nα = {ALPHA:g} in a drill; a total failure is decided upon after {total_s:.1f} s ")
    out(f"(goal {GOAL_S:g}); the bound {'holds' if kept else 'DOES NOT HOLD'}; ")
    out(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    return int(not kept or total_s > GOAL_S)


if __name__ == "__main__":
    raise SystemExit(main())
