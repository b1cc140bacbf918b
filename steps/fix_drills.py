"""Drills that scenarios look at. Equal drills are held once for each stage, by whichever worker of
a run comes first; the others read its record.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import pytest

from rollback_drill.breaks.scripted import fault_called
from rollback_drill.conduct.hold import hold as hold_drill
from rollback_drill.conduct.plans import plan_for
from rollback_drill.conduct.request import Request
from rollback_drill.conduct.told import SIMULATED
from rollback_drill.conduct.turns import in_turn
from rollback_drill.conduct.worlds import WORLDS, Draw
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.terminal import shown
from rollback_drill.ground.virtual import virtual_time
from rollback_drill.judge import history
from rollback_drill.judge.judgement import Judgement, judge
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event, read
from rollback_drill.runbook.model import Runbook
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.model import Stage

from .drills_held import HELD, HeldDrill
from .fix_stages import StageFor
from .sabotage import Toothless, broken_reservations

Kind = TypeVar("Kind")
_COPY = "rollback.md"
_USUAL = Path("runbook", "rollback.md")


@dataclass(slots=True)
class Plan:
    """What a scenario wants to happen. `replaced`: pairs of text in the runbook, old and new."""

    fault: str = "connection-exhaustion"
    procedure: str = "auto"
    pace: float = 100.0  # a window lasts until it has its samples all the same
    rate: float = 200.0  # so that bounds are proven soon
    authorized_by: tuple[str, ...] = ()
    toothless: bool = False
    hazard: str = "none"
    round_trip: bool = False
    replaced: list[tuple[str, str]] = field(default_factory=list)
    break_stable: bool = False

    @property
    def is_sabotage(self) -> bool:
        """Whether the procedure itself is broken on purpose: no drill to compare with."""
        return bool(self.replaced) or self.break_stable or self.toothless

    @property
    def key(self) -> str:
        """Equal plans have equal keys, which can be a folder's name."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A drill that was held: its record, its judgement, and the runbook that it followed."""

    book: Book
    judgement: Judgement
    runbook: Runbook

    @property
    def events(self) -> list[Event]:
        """The record."""
        return list(self.book.events)

    def all(self, kind: type[Kind]) -> list[Kind]:
        """Return what was recorded of `kind`, in order."""
        return [event.what for event in self.events if isinstance(event.what, kind)]


Hold = Callable[[Plan], Outcome]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rollback-drill")
    group.addoption("--history", default="", help="file in which drills are kept and compared")
    group.addoption("--runbook", default="", help=f"the runbook (default: {_USUAL} of the root)")
    parser.addini("rollback_runbook", "the runbook, from the root folder", default="")


def pytest_configure(config: pytest.Config) -> None:
    """See that drills can be kept, before the first is held."""
    name = str(config.getoption("--history"))
    if name:
        try:
            history.prepare(Path(name))
            history.earlier(Path(name))
        except UsageError as error:
            raise pytest.UsageError(shown(str(error))) from error


@pytest.fixture(scope="session")
def history_file(request: pytest.FixtureRequest) -> Path | None:
    """Where drills are kept, None when they are not."""
    name = str(request.config.getoption("--history"))
    return Path(name) if name else None


@pytest.fixture(scope="session")
def runbook_file(request: pytest.FixtureRequest) -> Path:
    """The runbook that features speak of."""
    given, config = str(request.config.getoption("--runbook")), request.config
    path = Path(given) if given else config.rootpath / (config.getini("rollback_runbook") or _USUAL)
    if not path.is_file():
        pytest.fail(f"expected a runbook at {path}; found none. Set --runbook or rollback_runbook")
    return path


@pytest.fixture
def plan() -> Plan:
    """The plan that a scenario's sentences fill in."""
    return Plan()


@pytest.fixture(scope="session")
def drills(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which all workers of this run keep the drills that they held."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if hasattr(request.config, "workerinput") else own) / "drills"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def known_drills() -> dict[Path, Outcome]:
    """Outcomes that this worker knows, by the folders of their drills."""
    return {}


@pytest.fixture
def hold(
    request: pytest.FixtureRequest,
    stage_name: str,
    kept_stage: StageFor,
    drills: Path,
    known_drills: dict[Path, Outcome],
    history_file: Path | None,
    runbook_file: Path,
) -> Hold:
    """Hold a drill by a plan, or return the outcome of an equal one."""

    def held(plan: Plan) -> Outcome:
        folder = drills / f"{stage_name}-{plan.key}"
        if folder not in known_drills:
            with _alone(folder):
                if (folder / "report" / "verdict.json").exists():  # which comes last
                    pass
                elif stage_name == SIMULATED:
                    _hold_in_model(plan, runbook_file, folder)
                else:
                    _hold(plan, runbook_file, kept_stage(stage_name), folder, history_file)
            known_drills[folder] = _outcome(folder)
        outcome = known_drills[folder]
        one = HeldDrill(folder.name, folder / "report", outcome.book)
        request.node.stash.setdefault(HELD, []).append(one)
        # Shown where a sentence does not hold: the drill itself knows best what went wrong.
        request.node.add_report_section("call", "verdict", _verdict(outcome.judgement))
        return outcome

    return held


def _verdict(judgement: Judgement) -> str:
    return "\n".join([judgement.verdict.value.upper(), *map(str, judgement.causes)])


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Make `folder`; while active, no other worker is in it."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _outcome(folder: Path) -> Outcome:
    book = Book(read(folder / "report" / "timeline.jsonl"))
    return Outcome(book, book.ask(judge), parse(folder / _COPY))


def _request(plan: Plan, runbook: Path, folder: Path) -> Request:
    """Return what a drill is asked for whose report goes to `folder`."""
    shutil.rmtree(folder / "report", ignore_errors=True)  # of one that was not held to its end
    return Request(
        edited_runbook(runbook, folder, plan.replaced),
        folder / "report",
        fault=plan.fault,
        procedure=plan.procedure,
        pace=plan.pace,
        rate=plan.rate,
        authorized_by=plan.authorized_by,
        hazard=plan.hazard,
        round_trip=plan.round_trip,
    )


def _hold(plan: Plan, runbook: Path, stage: Stage, folder: Path, history_file: Path | None) -> None:
    """Hold a drill on a stage."""
    request = _request(plan, runbook, folder)
    request = replace(request, history=None if plan.is_sabotage else history_file)
    sabotage = broken_reservations(stage) if plan.break_stable else contextlib.nullcontext()
    with sabotage:
        asked = in_turn(plan_for(request))
        if plan.toothless:
            asked = replace(asked, fault=Toothless(fault_called(plan.fault, stage)))
        hold_drill(asked, stage=stage)


def _hold_in_model(plan: Plan, runbook: Path, folder: Path) -> None:
    """Hold a drill on the simulated stage, in virtual time."""
    assert not plan.break_stable, "only a real stage is sabotaged so"
    assert not plan.toothless, "the model's faults have their teeth"
    request = replace(_request(plan, runbook, folder), stage=SIMULATED)
    (make,) = WORLDS.members().values()
    with virtual_time(make.begin):
        world = make(Draw(request.seed, plan.fault, rate=plan.rate, pace=plan.pace))
        hold_drill(world.plan(request))


def edited_runbook(runbook: Path, directory: Path, replaced: list[tuple[str, str]]) -> Path:
    """Return a copy of `runbook` in `directory` with text replaced.

    Raises AssertionError when there is nothing to replace: the scenario would test nothing.
    """
    text = runbook.read_text(encoding="utf-8")
    for old, new in replaced:
        assert old in text, f"the runbook does not contain {old!r}"
        text = text.replace(old, new)
    path = directory / _COPY
    path.write_text(text, encoding="utf-8")
    return path
