"""Which stage a drill has. `STAGE` names a kind of stage, or is a staging environment's file.

To add one, put a module into `stage/stages` with a class under `@stage_kind`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

from rollback_drill.family import Family
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.names import no_such
from rollback_drill.stage.model import Stage, StageOptions

_AUTO = "auto"
_FILE = ".toml"
_ASKED = "asked for"


class StageKind(Protocol):
    """A kind of stage. `name`: what `STAGE` says for it. `turn`: when `auto` tries it, 0
    for never; `because`: why `auto` takes it, where nothing was tried before.
    """

    name: str
    turn: int
    because: str

    def refusal(self) -> UsageError | None:
        """Return why such a stage cannot be had here; None when it can."""
        ...

    def open(self, options: StageOptions, reason: str, progress: Callable[[str], None]) -> Stage:
        """Return one, not yet brought up. Raises UsageError for options that it cannot have."""
        ...


@runtime_checkable
class Attaches(Protocol):
    """A kind of stage that outlives its drill."""

    def attach(self, where: str, progress: Callable[[str], None]) -> Stage:
        """Return the one that a dead drill noted as `where`. Raises UsageError when it is gone."""
        ...


@runtime_checkable
class Picky(Protocol):
    """A kind of stage that cannot have all options."""

    def check_options(self, options: StageOptions) -> None:
        """Raise UsageError for options that it cannot have."""
        ...


STAGES: Family[StageKind] = Family("stages", "STAGE")
_Make = TypeVar("_Make", bound=Callable[[], StageKind])


def stage_kind(make: _Make) -> _Make:
    """Add the decorated class to the family."""
    one = make()
    STAGES.add(one.name, one, make)
    return make


def check_stage(name: str, options: StageOptions) -> frozenset[str]:
    """Return the names of the faults that the stage called `name` brings, without opening it.

    Raises UsageError for another name, a file that cannot be read, and what it cannot have.
    """
    if name.endswith(_FILE):
        from rollback_drill.stage.file import read_staging

        return frozenset(one.name for one in read_staging(Path(name)).faults)
    if name != _AUTO:
        _check_options(_kind_called(name), options)
    return frozenset()


def open_stage(name: str, options: StageOptions, progress: Callable[[str], None]) -> Stage:
    """Return the stage called `name`, not yet brought up; `auto`: the first that can be had.

    Raises UsageError for another name, and for a stage that cannot be had here.
    """
    if name.endswith(_FILE):
        return _described(name, progress)
    if name == _AUTO:
        return _first(options, progress)
    one = _kind_called(name)
    if refusal := one.refusal():
        raise refusal
    _check_options(one, options)
    return one.open(options, _ASKED, progress)


def _kind_called(name: str) -> StageKind:
    if name not in STAGES.names():
        raise no_such("STAGE", name, (_AUTO, *STAGES.names(), f"FILE{_FILE}"), "use STAGE=auto")
    return STAGES.members()[name]


def _check_options(one: StageKind, options: StageOptions) -> None:
    if isinstance(one, Picky):
        one.check_options(options)


def _first(options: StageOptions, progress: Callable[[str], None]) -> Stage:
    refused: list[UsageError] = []
    for one in sorted(STAGES.members().values(), key=lambda one: one.turn):
        if not one.turn:
            continue
        if refusal := one.refusal():
            refused.append(refusal)
            continue
        reason = "; ".join(error.found for error in refused) or one.because
        _check_options(one, options)
        return one.open(options, reason, progress)
    raise refused[0]


def attach_stage(name: str, where: str, progress: Callable[[str], None]) -> Stage:
    """Return the stage called `name` that a dead drill noted as `where`; entering it takes it over
    as it is. Raises UsageError when it is gone.
    """
    if where.endswith(_FILE):
        return _described(where, progress, attach=True)
    one = STAGES.find(name, "hold a new drill")
    assert isinstance(one, Attaches)  # else nothing was noted
    return one.attach(where, progress)


def _described(path: str, progress: Callable[[str], None], *, attach: bool = False) -> Stage:
    from rollback_drill.stage.file import read_staging
    from rollback_drill.stage.staging import StagingStage

    return StagingStage(read_staging(Path(path)), progress, attach=attach)
