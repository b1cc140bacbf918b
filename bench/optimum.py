"""The floor of a detector's delay: the optimum at the same bound on false alarms, by its chain.

No rule that needs N/α requests on average until a false alarm finds a rate p sooner, on average
and at worst, than the CUSUM that knows p and has exactly that run length (Lorden 1971, Moustakides
1986). Its score is a Markov chain (Brook & Evans 1972), followed here request by request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from rollback_drill.decide.detector import ALPHA, HORIZON
from rollback_drill.decide.run_length import Steps, steps_for, steps_of, threshold_for

_KNOWN_AT_MOST = 0.99  # a CUSUM for 100 % would forget everything at one good answer
_COARSE = 30  # misses to a hit; above, the lattices beside the nearest one are as good as it
_NEGLECTED = 1e-7  # of the runs are still going on
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Delay:
    """After how many requests the alarm comes: on average, in half and in 90 % of the runs."""

    mean: float
    median: int
    ninety: int


@cache
def optimum(p0: float, p: float, run_length: float = HORIZON / ALPHA) -> Delay:
    """Return the least delay until the rate `p` is told from `p0`, with that mean run length."""
    return min(
        (
            delay_of(steps, threshold_for(steps, run_length), p)
            for steps in _near(p0, min(p, _KNOWN_AT_MOST))
        ),
        key=lambda delay: delay.mean,
    )


def _near(p0: float, p1: float) -> Iterator[Steps]:
    """Yield the lattice for `p1` and, where lattices are coarse, those beside it."""
    near = steps_for(p0, p1)
    yield near
    if near.down == 1 and near.up <= _COARSE:
        for up in range(max(1, near.up - 2), near.up + 3):
            beside = steps_of(up, 1, p0)
            if beside is not None:
                yield beside


def delay_of(steps: Steps, threshold: int, p: float) -> Delay:
    """Return the delay of one CUSUM from score 0, when every request is a hit with `p`.

    Raises ValueError when it is no delay to follow, more than a million requests.
    """
    at = np.zeros(threshold)  # the chance of every score below the threshold
    at[0] = 1.0
    going: list[float] = []  # the chance of no alarm yet, after 0, 1, 2 … requests
    while (left := float(at.sum())) > _NEGLECTED:
        if len(going) == _MOST:
            raise ValueError(f"no alarm within {_MOST:,} requests at a rate of {p}")
        going.append(left)
        after = np.zeros(threshold)
        after[steps.up :] = p * at[: -steps.up]
        after[: -steps.down] += (1.0 - p) * at[steps.down :]
        after[0] += (1.0 - p) * at[: steps.down].sum()
        at = after
    return Delay(
        sum(going),
        sum(chance > 0.5 for chance in going),
        sum(chance > 0.1 for chance in going),
    )
