"""Thousands of simulated drills: how often one passes that should not, or fails that should not.

Each drill is drawn at random by a seed of its own, which is all that it takes to hold it again.
"""

from __future__ import annotations

import gc
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from random import Random

from rollback_drill.conduct.conductor import Conductor
from rollback_drill.conduct.hold import hold
from rollback_drill.conduct.request import Request
from rollback_drill.conduct.told import SIMULATED
from rollback_drill.conduct.worlds import WORLDS, Draw, MakesWorld, World
from rollback_drill.decide.statistics import proportion
from rollback_drill.decide.told import Decided
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.virtual import virtual_time
from rollback_drill.judge.judgement import judge
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import read
from rollback_drill.record.told import PhaseName, PhaseStarted

_HEALTHY, _PLANTED, _LOST = "healthy", "planted", "lost"
_KINDS = (_HEALTHY, _PLANTED, _LOST)
_WEIGHTS = (45, 40, 15)
_HAZARD_SHARE = 0.1
_SLOWNESS = (1.0, 1.0, 1.0, 1.5, 2.0, 3.0)
_RATES = (40.0, 60.0, 60.0, 100.0)
_PACES = (60.0, 200.0, 600.0)
_AHEAD_S = (0.0, 0.0, 0.0, -40.0, -1.5, 2.0, 75.0)
_CHUNK = 8


class Right(Enum):
    """Whether a verdict is right, by what was drawn."""

    RIGHT = "right"
    FALSE_GREEN = "false green"
    FALSE_RED = "false red"
    UNKNOWN = "unknown"

    @property
    def good(self) -> bool:
        """Whether it is no wrong verdict."""
        return self in (Right.RIGHT, Right.UNKNOWN)


@dataclass(frozen=True, slots=True)
class DrawnDrill:
    """A simulated drill: what was drawn, whether it came into effect (`late`: when all may have
    been seen already), and the verdict with its first cause.
    """

    draw: Draw
    bit: bool
    verdict: Verdict
    cause: str
    late: bool = False

    @property
    def sick(self) -> bool:
        """Whether something was wrong that the drill could see."""
        return (self.bit and bool(self.draw.plant or self.draw.loss)) or self.hazardous

    @property
    def hazardous(self) -> bool:
        """Whether a hazard was drawn that the runbook does not master."""
        return bool(self.draw.hazard) and not _world().hazards[self.draw.hazard]

    @property
    def right(self) -> Right:
        """Whether the verdict is right."""
        if self.late:
            return Right.RIGHT  # either way
        if self.verdict is Verdict.PASSED:
            return Right.FALSE_GREEN if self.sick else Right.RIGHT
        if self.sick:
            return Right.RIGHT
        return Right.UNKNOWN if self.verdict is Verdict.UNKNOWN else Right.FALSE_RED


def _world() -> MakesWorld:
    return next(iter(WORLDS.members().values()))


def draw(seed: int) -> Draw:
    """Return the drill that `seed` draws."""
    world = _world()
    pick = Random(f"draw {seed}")  # noqa: S311 - nothing secret
    (kind,) = pick.choices(_KINDS, _WEIGHTS)
    hazard = pick.choice(sorted(world.hazards)) if pick.random() < _HAZARD_SHARE else ""
    plant = pick.choice(sorted(world.plants)) if kind == _PLANTED else ""
    hazard = hazard if kind == _HEALTHY else ""
    only = world.only_in.get(plant or hazard, "")
    faults = [name for name, cures in sorted(world.faults.items()) if not only or only in cures]
    fault = pick.choice(faults)
    return Draw(
        seed=seed,
        fault=fault,
        procedure=only or pick.choice(world.faults[fault]),
        hazard=hazard,
        plant=plant,
        loss=pick.choice(sorted(world.losses)) if kind == _LOST else "",
        slowness=pick.choice(_SLOWNESS) * pick.uniform(0.8, 1.2),
        ahead_s=pick.choice(_AHEAD_S),
        rate=pick.choice(_RATES),
        pace=pick.choice(_PACES),
        hosts=pick.choice((1, 1, 2)),
    )


def request_of(drawn: Draw, runbook: Path, report: Path) -> Request:
    """Return what the drill that was drawn is asked for."""
    return Request(
        runbook=runbook,
        report=report,
        stage=SIMULATED,
        fault=drawn.fault,
        procedure=drawn.procedure,
        hazard=drawn.hazard or "none",
        rate=drawn.rate,
        pace=drawn.pace,
        seed=drawn.seed,
    )


def simulate(drawn: Draw, runbook: Path, folder: Path) -> tuple[DrawnDrill, Path]:
    """Hold the drill that was drawn, its files in `folder`; return also where its record is."""
    make = _world()
    with virtual_time(make.begin):
        world = make(drawn)
        conductor = Conductor(world.plan(request_of(drawn, runbook, folder)))
        conductor.run()
    path = conductor.timeline.path
    return _simulated(drawn, world, Book(read(path))), path


def simulate_with_report(drawn: Draw, runbook: Path, folder: Path) -> DrawnDrill:
    """Hold the drill that was drawn, and write its report into `folder`."""
    make = _world()
    with virtual_time(make.begin):
        world = make(drawn)
        book = hold(world.plan(request_of(drawn, runbook, folder))).book
    return _simulated(drawn, world, book)


def _simulated(drawn: Draw, world: World, book: Book) -> DrawnDrill:
    judgement = book.ask(judge)
    verified = [
        event.at
        for event in book.events
        if isinstance(event.what, PhaseStarted) and event.what.phase is PhaseName.VERIFICATION
    ]
    # Without a rollback, all that counts is seen by the decision.
    until = verified or [event.at for event in book.events if isinstance(event.what, Decided)]
    late = world.lost_at is not None and bool(until) and world.lost_at >= max(until)
    cause = str(next(iter(judgement.causes), ""))
    return DrawnDrill(drawn, world.bit, judgement.verdict, cause, late)


def _one(seed: int, runbook: Path) -> DrawnDrill:
    with tempfile.TemporaryDirectory(prefix="simulated-") as folder:
        return simulate(draw(seed), runbook, Path(folder))[0]


def _collect_seldom() -> None:
    """A drill leaves little behind: to look for it all the time takes a fifth of its time."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def simulate_all(
    first: int, runs: int, runbook: Path, tell: Callable[[int], None]
) -> Iterator[DrawnDrill]:
    """Hold `runs` drills, those of the seeds from `first` on, on all cores; `tell` is told how
    many are over, now and then.
    """
    seeds = range(first, first + runs)
    workers = min(os.cpu_count() or 1, runs)
    with ProcessPoolExecutor(workers, initializer=_collect_seldom) as pool:
        each = pool.map(_one, seeds, [runbook] * runs, chunksize=_CHUNK)
        for number, one in enumerate(each, 1):
            if number % 100 == 0:
                tell(number)
            yield one


@dataclass(frozen=True, slots=True)
class Rates:
    """What many simulated drills showed."""

    drills: tuple[DrawnDrill, ...]

    def of(self, right: Right) -> list[DrawnDrill]:
        """Return the drills whose verdict is so."""
        return [one for one in self.drills if one.right is right]

    @property
    def good(self) -> bool:
        """Whether no verdict is wrong."""
        return all(one.right.good for one in self.drills)

    def sentences(self) -> Iterator[str]:
        """Yield the rates with their intervals, and the seeds of verdicts that are not right."""
        sick = [one for one in self.drills if one.sick and not one.late]
        well = len(self.drills) - len(sick)
        green, red = self.of(Right.FALSE_GREEN), self.of(Right.FALSE_RED)
        unknown = self.of(Right.UNKNOWN)
        for name, found, all_of_them in (
            ("false green", green, len(sick)),
            ("false red", red, well),
            ("unknown", unknown, well),
        ):
            kind = "sick" if name == "false green" else "healthy"
            seen = proportion(len(found), all_of_them)
            yield (
                f"{name}: {len(found)} of {all_of_them} {kind} drills"
                f" (95 % interval {seen.low:.3%} to {seen.high:.3%})"
            )
        for one in (*green, *red):
            yield f"SEED={one.draw.seed}: {one.right.value}: {one.draw}; {one.cause}"
        for text, count in Counter(_kind(one.cause) for one in unknown).most_common(5):
            yield f"unknown {count} times: {text}"

    def seen(self) -> Mapping[str, tuple[int, int]]:
        """Return for everything that was planted or lost: how often it bit, and was seen."""
        found: dict[str, tuple[int, int]] = {}
        for one in self.drills:
            name = one.draw.plant or one.draw.loss
            if name and one.bit:
                bit, seen = found.get(name, (0, 0))
                found[name] = (bit + 1, seen + (one.verdict is not Verdict.PASSED))
        return dict(sorted(found.items()))


def _kind(cause: str) -> str:
    return cause[:100]
