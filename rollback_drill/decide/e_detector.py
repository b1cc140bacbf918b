"""Evidence against "the share is at most p0" that holds for requests which depend on each other.

The CUSUM of `decide.detector` is the alarm. Its bound is for requests of which each is bad with
probability at most p0 whatever came before it, and errors that come in clusters are no such case.
Before anything is rolled back for a share of the requests, this has to have been reached as well.

Requests are counted in *blocks* of time, with a *gap* after each in which nothing is counted. Of a
block only the share Y of its requests that were hits is used. With bets λ_j and weights w_j:

    R_j ← (1 + R_j)·(1 + λ_j·(Y − p0)),   R = Σ w_j·R_j,   reached: R ≥ A

(an e-detector of Shiryaev-Roberts kind: Shin, Ramdas & Rinaldo, New England Journal of Statistics
in Data Science 2, 2024; the bet on a bounded mean: Waudby-Smith & Ramdas, JRSS B 86, 2024).

**What is promised: R reaches A within N blocks with probability at most N / A.**

1. Assumed is only E[Y | all blocks before] ≤ p0 of every block. That is so where the expected share
   is at most p0 at any time, and dependence ends within the gap: what is counted in a block tells
   nothing of what comes a gap later. *Within* a block requests may depend on each other as they
   like, since they are not counted one by one.
2. 0 ≤ λ_j ≤ 1/p0, hence no factor is negative, and on average none is above 1.
3. So E[R_n | before] ≤ 1 + R_{n−1}: R_n + (N − n) is a supermartingale that is never negative and
   begins at N. By Ville's inequality (1939) it reaches A within N blocks with probability at most
   N / A. A cap on R, or a block that nobody saw, only lowers it.

Clusters make it slower, not wrong. Where errors come in clusters of c on average, Y has about the
spread of a block with n / c requests (the design effect, Kish 1965), and small shares take up to c
times as many requests. Clusters that outlast the gap, and spells and pauses of seconds, are not
covered: in them the share *is* higher for longer than is allowed for.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

_BETS = (0.05, 0.2, 0.6, 0.98)  # λ·p0: for a small rise, for a large one, for a total failure
_RECENT = 40  # blocks remembered, to say how many more it takes


@dataclass(frozen=True, slots=True)
class Blocks:
    """How long, in seconds, a block and the gap behind it last. `horizon_s`: what N blocks last."""

    block_s: float
    gap_s: float
    horizon_s: float = 10_000.0

    @property
    def most(self) -> int:
        """N: no more blocks than that begin within the horizon."""
        return math.ceil(self.horizon_s / (self.block_s + self.gap_s))


OF_ERRORS = Blocks(0.25, 0.4)
"""A retry is over after that gap, and so is a connection that is opened anew."""
OF_LATENCIES = Blocks(0.4, 0.6)
"""A queue takes longer to drain, and a machine that stood still longer to catch up."""


class EDetector:
    """The evidence of one stream. `value`: R after the last whole block; `needed`: A.

    Cost per observation is O(1). Raises ValueError for a bet above 1/p0, which proves nothing.
    """

    __slots__ = (
        "_free_from",
        "_hits",
        "_n",
        "_recent",
        "_scores",
        "_until",
        "bets",
        "blocks",
        "needed",
        "p0",
        "reached",
        "timing",
        "value",
    )

    def __init__(self, p0: float, timing: Blocks, shares: tuple[float, ...] = _BETS) -> None:
        if any(not 0.0 <= share <= 1.0 for share in shares):
            raise ValueError(f"bets of {shares} / p0: a factor could be negative above 1 / p0")
        self.p0, self.timing = p0, timing
        self.bets = tuple(share / p0 for share in shares)
        self.needed = math.inf
        self._scores = [0.0] * len(shares)
        self.value, self.blocks, self.reached = 0.0, 0, False
        self._n = self._hits = 0
        self._until = self._free_from = -math.inf
        self._recent: deque[tuple[float, int, int]] = deque(maxlen=_RECENT)

    def set_bound(self, alpha: float) -> None:
        """Let a false one come with probability at most `alpha` within the horizon."""
        self.needed = self.timing.most / alpha

    def update(self, hit: bool, at: float) -> None:
        """Count one observation that ended at `at` (Unix seconds), in order of time."""
        if at < self._until:
            self._n += 1
            self._hits += hit
            return
        if self._n:
            self._close()
        if at >= self._free_from:
            self._until, self._free_from = self._ends(at)
            self._n, self._hits = 1, int(hit)

    def _ends(self, at: float) -> tuple[float, float]:
        until = at + self.timing.block_s
        return until, until + self.timing.gap_s

    def _close(self) -> None:
        excess = self._hits / self._n - self.p0
        cap = self.needed * len(self.bets)
        scores = self._scores
        for j, bet in enumerate(self.bets):
            scores[j] = min((1.0 + scores[j]) * (1.0 + bet * excess), cap)
        self.value = sum(scores) / len(scores)
        self.blocks += 1
        self._recent.append((self._until, self._hits, self._n))
        self._n = self._hits = 0
        # What was reached stays so until no more is left of it than a healthy service would have
        # at the end of the horizon: a single good block may take most of it.
        least = self.timing.most if self.reached else self.needed
        self.reached = self.value >= least

    def requests_left(self, since: float) -> int | None:
        """Return how many more requests it takes to reach it, if they go on as since `since`.

        0 once it is reached. None where it would not be: the share is no higher than p0.
        """
        if self.reached:
            return 0
        seen = [(hits / n, n) for until, hits, n in self._recent if until >= since]
        if not seen:  # at the least: as if all were hits
            seen = [(1.0, max([self._n, *(n for _, _, n in self._recent)]))]
        lefts = []
        for score, bet in zip(self._scores, self.bets, strict=True):
            factors = [1.0 + bet * (share - self.p0) for share, _ in seen]
            if min(factors) <= 0.0:
                continue
            growth = sum(map(math.log, factors)) / len(factors)
            if growth > 0.0:
                far = math.log(self.needed * len(self.bets)) - math.log1p(score)
                lefts.append(math.ceil(far / growth))
        if not lefts:
            return None
        each = sum(n for _, n in seen) / len(seen)
        period = (self.timing.block_s + self.timing.gap_s) / self.timing.block_s
        return math.ceil(min(lefts) * each * period)
