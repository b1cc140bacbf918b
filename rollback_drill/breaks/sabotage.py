"""Sabotages: small defects, each with the one check that must turn red by it.

A fault is what a drill cures; a sabotage is what a rollback must not leave behind, or hide. To add
some, put a module into `sabotages` with a tuple `SABOTAGES`. `campaigns.sabotage` holds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rollback_drill.family import modules
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.names import no_such
from rollback_drill.record.told import DrillEnded, Told

_FOLDER = "sabotages"
_TUPLE = "SABOTAGES"


class PlantedIn(StrEnum):
    """Where a sabotage is planted."""

    STABLE = "stable release"
    FAILING = "failing release"
    RUNBOOK = "runbook"
    BACKUP = "backup"
    DATABASE = "database"
    HOST = "host"
    BALANCER = "load balancer"
    MESSAGES = "messages"
    SUITE = "suite"


@dataclass(frozen=True, slots=True)
class When:
    """A moment of a drill: its `hook`, for one part of the runbook if it has a `title` (a pattern),
    and `later_s` seconds after that.
    """

    hook: str
    title: str = ""
    later_s: float = 0.0


UP = When("up")
"""The failing release stands, before routine work and clients."""
STEADY = When("steady")
"""The healthy service was seen; the fault comes next."""


def before(title: str) -> When:
    """Return the moment before the step, or checklist, whose title has the pattern `title`."""
    return When("before", title)


def after(title: str, later_s: float = 0.0) -> When:
    """Return the moment `later_s` seconds after the step, or checklist, with `title` is over."""
    return When("after", title, later_s)


@dataclass(frozen=True, slots=True)
class Edit:
    """Every `old` in a file of a release is `new`; without an `old`, `new` is added to its end, or
    is the file. `failing`: of the release that is rolled back, else of the stable one.
    """

    path: str
    old: str
    new: str
    failing: bool = False


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Every `old` in the runbook is `new`."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Sql:
    """Statements for the service's database, by its administrator. `undo`: what a deployment would
    not mend, such as a role or a setting of the server.
    """

    when: When
    statements: tuple[str, ...]
    undo: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bash:
    """A script, with the variables of the runbook's blocks, on the first host or on `each`."""

    when: When
    script: str
    undo: str = ""
    each: bool = False


@dataclass(frozen=True, slots=True)
class Misrecord:
    """The suite's own record is wrong: the last event of a `kind` with these values `where` says
    others, or, where `says` is empty, is missing; `every`: all of them do.
    """

    kind: type[Told]
    where: Mapping[str, object] = field(default_factory=dict)
    says: Mapping[str, object] = field(default_factory=dict)
    every: bool = False


@dataclass(frozen=True, slots=True)
class Invent:
    """The record has an `event` that never was, right before the last of the kind `before` with
    these values `where`: by default the drill's end.
    """

    event: Told
    before: type[Told] = DrillEnded
    where: Mapping[str, object] = field(default_factory=dict)


Plant = Edit | Rewrite | Sql | Bash | Misrecord | Invent


@dataclass(frozen=True, slots=True)
class Sabotage:
    """One sabotage. `breaks`: a sentence; `caught_by`: the key of what must turn red by it, see
    `judge.red`. It is held by a drill of `procedure` under `fault` ("": one that it cures), on
    `hosts`; `alone`: never beside others.
    """

    name: str
    breaks: str
    where: PlantedIn
    caught_by: str
    plants: tuple[Plant, ...]
    procedure: int = 1
    fault: str = ""
    hosts: int = 1
    alone: bool = False

    def edits(self, *, failing: bool) -> tuple[Edit, ...]:
        """Return what is edited in the failing release, or in the stable one."""
        return tuple(one for one in self.plants if isinstance(one, Edit) and one.failing == failing)


def all_sabotages() -> dict[str, Sabotage]:
    """Return every sabotage by its name, in the order of their files and lines.

    Raises UsageError when two have one name.
    """
    found: dict[str, Sabotage] = {}
    for module in modules(_FOLDER):
        for one in getattr(module, _TUPLE, ()):
            if one.name in found:
                raise UsageError(
                    f"one sabotage called {one.name}",
                    f"a second one in {module.__name__}",
                    "rename one of them",
                )
            found[one.name] = one
    return found


def sabotages_called(names: Iterable[str]) -> tuple[Sabotage, ...]:
    """Return the sabotages with these names. Raises UsageError when one does not exist."""
    known = all_sabotages()
    for name in names:
        if name not in known:
            raise no_such("a sabotage", name, known, "set ONLY to one of these names")
    return tuple(known[name] for name in names)


def written(text: str, sabotages: Iterable[Sabotage]) -> str:
    """Return a runbook's `text` with what `sabotages` rewrite in it. Raises UsageError for what is
    not there to be rewritten, or is rewritten by another one after it.
    """
    planted = [
        (plant, f"the runbook for {one.name}")
        for one in sabotages
        for plant in one.plants
        if isinstance(plant, Rewrite)
    ]
    for plant, where in planted:
        text = _replaced(text, plant.old, plant.new, where)
    for plant, where in planted:
        if plant.new not in text:
            raise UsageError(f"{plant.new!r} in {where}", "another one rewrote it", "hold it apart")
    return text


def edited(
    files: dict[str, str], sabotages: Iterable[Sabotage], *, failing: bool
) -> dict[str, str]:
    """Return those of a release's `files` (text by path) that `sabotages` change, as they are then.

    Raises UsageError for an edit of what is not there: its sabotage would break nothing.
    """
    changed: dict[str, str] = {}
    for one in sabotages:
        for edit in one.edits(failing=failing):
            text = changed.get(edit.path, files.get(edit.path, ""))
            where = f"{edit.path} for {one.name}"
            changed[edit.path] = (
                _replaced(text, edit.old, edit.new, where) if edit.old else text + edit.new
            )
    return changed


def _replaced(text: str, old: str, new: str, where: str) -> str:
    if old not in text:
        raise UsageError(f"{old!r} in {where}", "nothing like it", "correct that sabotage")
    return text.replace(old, new)
