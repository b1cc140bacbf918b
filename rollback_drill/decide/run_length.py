"""How long a CUSUM runs until it alarms, exactly, and the threshold for a run of a given length.

The score of a Bernoulli CUSUM moves by two steps, the log likelihood ratios of a hit and of a miss.
Where one of them is a whole multiple of the other the score lives on a lattice, and its run length
is that of a small Markov chain (Brook & Evans, Biometrika 59, 1972; whole steps for Bernoulli
observations: Reynolds & Stoumbos, J. Quality Technology 31, 1999). A chain that moves by one state
at most in one of its directions is solved by a recursion from the other end, for every threshold in
one pass and without a matrix.

**What follows for false alarms.** Let a score need τ observations to its threshold, and L = E[τ]
when every one is a hit with probability p0. From a score above 0 the alarm comes no later than from
0, hence L ≤ E[min(τ, N)] + P(τ > N)·L, and P(τ ≤ N) ≤ N / L. Observations need not be independent:
as long as each is a hit with probability at most p0 *whatever came before it*, fewer of them are
hits than of independent ones drawn beside them, and a score never falls by a hit more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import islice, takewhile

_MOST_STATES = 60_000  # some hundredths of a second; below p0 = 0.03 % the bound itself is taken
_FAR = 0.2  # of p1 − p0; where a hit is as common as a miss, whole steps are coarse
_FINEST = 100  # denominator of the ratio of steps that are not whole
_HALVINGS = 60  # more than a double has bits


@dataclass(frozen=True, slots=True)
class Steps:
    """What a hit adds to a score and a miss takes from it, in units of the lattice.

    `unit`: how much of a log likelihood ratio one of them is, of the rate `p1` against `p0`.
    """

    up: int
    down: int
    unit: float
    p0: float

    @property
    def p1(self) -> float:
        """The rate that is found fastest."""
        return self.p0 * math.exp(self.up * self.unit)


def steps_for(p0: float, p1: float) -> Steps:
    """Return whole steps for a rate near `p1`, one of them 1 unless that leads far from it.

    The unit θ is the positive root of p0·e^(up·θ) + (1 − p0)·e^(−down·θ) = 1: with it the steps are
    the log likelihood ratios of p0·e^(up·θ) against p0. Raises ValueError unless 0 < p0 < p1 < 1.
    """
    if not 0.0 < p0 < p1 < 1.0:
        raise ValueError(f"p0 = {p0} and p1 = {p1} are no rates, one above the other")
    ratio = math.log(p1 / p0) / math.log((1.0 - p0) / (1.0 - p1))
    whole = steps_of(max(1, round(ratio)), max(1, round(1.0 / ratio)), p0)
    if whole is not None and abs(whole.p1 - p1) <= _FAR * (p1 - p0):
        return whole
    near = Fraction(ratio).limit_denominator(_FINEST)
    fine = steps_of(near.numerator, near.denominator, p0)
    if fine is None:
        raise ValueError(f"p1 = {p1} is too near to p0 = {p0} to be told from it")
    return fine


def steps_of(up: int, down: int, p0: float) -> Steps | None:
    """Return these steps with their unit, None when a score would not fall while the rate is p0."""
    if up == 0 or p0 * up >= (1.0 - p0) * down:
        return None

    def excess(unit: float) -> float:
        return p0 * math.expm1(up * unit) + (1.0 - p0) * math.expm1(-down * unit)

    low, high = 0.0, -math.log(p0) / up  # there p1 would be 1
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if excess(middle) < 0.0:
            low = middle
        else:
            high = middle
    return Steps(up, down, high, p0)


def mean_run_lengths(up: int, down: int, p: float) -> Iterator[float]:
    """Yield the mean number of observations from score 0 to the threshold, for 1, 2, 3 and so on.

    Every observation is a hit with probability `p` (0 < p < 1). Without end. Raises ValueError
    unless one of the steps is 1.
    """
    if up == 1:
        return _rising_by_one(down, p)
    if down == 1:
        return _falling_by_one(up, p)
    raise ValueError(f"neither of the steps {up} and {down} is 1")


def _rising_by_one(down: int, p: float) -> Iterator[float]:
    # sooner[i]: how much sooner the alarm comes from score i than from 0. It is the mean run
    # length itself once i is the threshold.
    sooner = [0.0]
    while True:
        back = sooner[max(0, len(sooner) - 1 - down)]
        sooner.append((sooner[-1] + 1.0 - (1.0 - p) * back) / p)
        yield sooner[-1]


def _falling_by_one(up: int, p: float) -> Iterator[float]:
    # From `below` states under the threshold it takes fixed[below] + times[below]·x, x: from one
    # state under it. L(s) = 1 + p·L(s + up) + (1 − p)·L(s − 1), solved for the last; whichever
    # state is taken for score 0 stays there at a miss, which tells x.
    fixed, times = [0.0], [1.0]
    while True:
        here = len(fixed) - 1
        by_hit = here - up
        fixed_by, times_by = (fixed[by_hit], times[by_hit]) if by_hit >= 0 else (0.0, 0.0)
        x = (1.0 / p - (fixed[here] - fixed_by)) / (times[here] - times_by)
        yield fixed[here] + times[here] * x
        fixed.append((fixed[here] - 1.0 - p * fixed_by) / (1.0 - p))
        times.append((times[here] - p * times_by) / (1.0 - p))


@lru_cache(maxsize=1024)
def threshold_for(steps: Steps, least: float) -> int:
    """Return the lowest threshold whose mean run length at `steps.p0` is at least `least`.

    In units of the lattice. A score of ln `least` is always enough (Ville's inequality, see
    `decide.detector`), and is what is returned where the chain is too long or neither step is 1.
    """
    enough = math.ceil(math.log(least) / steps.unit)
    if enough > _MOST_STATES or 1 not in (steps.up, steps.down):
        return enough
    lengths = mean_run_lengths(steps.up, steps.down, steps.p0)
    shorter = takewhile(lambda length: length < least, islice(lengths, enough - 1))
    return 1 + sum(1 for _ in shorter)
