"""What the engine asks of the service under drill, whichever it is.

To add one, put a file `subjects.py` into a folder of `subject` with a class under `@subject`. A
service that a staging environment's file describes by its operations needs none: that is
`subject.described`. The engine finds them here, and knows none of them by name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from rollback_drill.family import Family
from rollback_drill.ground.finding import Finding
from rollback_drill.runbook.monitoring import MetricNames
from rollback_drill.subject.recipe import Recipe
from rollback_drill.traffic.interface import Interface

OWN_ROWS = ("check-", "under-fire-")
"""How references begin of rows that checks and hazards make."""


class Queries(Protocol):
    """What answers SQL."""

    def fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of `query` (psycopg placeholders). Raises StageError when unreachable."""
        ...


class Place(Protocol):
    """Where the service runs, as far as a subject asks: every stage is one."""

    @property
    def base_url(self) -> str:
        """The front door."""
        ...

    @property
    def direct_urls(self) -> Mapping[str, str]:
        """By host, the URL of its service."""
        ...

    @property
    def api_key(self) -> str:
        """The customers' key, "" where there is none."""
        ...

    @property
    def interface(self) -> Interface:
        """How to speak with the service."""
        ...

    @property
    def limits(self) -> object | None:
        """What its owner allows; None where it is the suite's own."""
        ...

    @property
    def database(self) -> Queries:
        """The service's database. Raises StageError where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Table:
    """Where the database keeps what clients write: a row for each `noun`, which has the reference
    of the write that made it in a column `reference`. `own`: how references begin of rows that the
    suite itself makes beside its clients.
    """

    name: str
    noun: str
    own: tuple[str, ...] = OWN_ROWS


class Subject(Protocol):
    """The service, as the engine asks it.

    `name`: what a staging environment's file calls it. `ready`: the path that a load balancer asks;
    `probe`: one that can be read at any time with the key; `reads`: paths that customers read, by
    name; `writes`: operations whose outcome can be read again. `table`: None where only its API
    tells what became of writes; `control`: a quick query that touches its data. `recipe`: how it is
    brought up, None where the suite does not bring it along; `metrics`: what its own are called;
    `leaves`: checkboxes that hold wherever its stable release serves.
    """

    name: str
    ready: str
    probe: str
    reads: Mapping[str, str]
    writes: Collection[str]
    table: Table | None
    control: str
    recipe: Recipe | None
    metrics: MetricNames
    leaves: tuple[str, ...]

    def reads_succeed(self, place: Place, status: int | None) -> Finding:
        """Ask every host for what customers read; `status`: the one that is expected, if any is."""
        ...

    def all_works(self, place: Place) -> Finding:
        """Use, through the front door, everything that the service is known to offer."""
        ...

    def strangers_refused(self, place: Place) -> Finding:
        """Ask every host without the key, with a wrong one and with the right one."""
        ...

    def serves_stable(self, place: Place) -> Finding:
        """Ask every host whether it serves customers as the stable release does."""
        ...

    def writes_kept(self, place: Place) -> Finding:
        """Write through the front door, and read it again."""
        ...


@runtime_checkable
class Rereads(Protocol):
    """A subject without a table: only its API tells what became of its `writes`."""

    writes: Collection[str]

    def read_again(self, place: Place, operation: str, reference: str) -> tuple[bool, int]:
        """Ask for a write again: (whether it is there, the answer's status). Raises NoAnswer."""
        ...


@runtime_checkable
class KnowsPeople(Protocol):
    """A subject whose clients bear `people`'s names, which have no business in a log."""

    people: Collection[str]


SUBJECTS: Family[Callable[[Interface], Subject]] = Family("subjects", "a service")
_Make = TypeVar("_Make", bound=Callable[[Interface], Subject])


def subject(name: str) -> Callable[[_Make], _Make]:
    """Add the decorated class, which makes the subject called `name` for its interface."""

    def add(make: _Make) -> _Make:
        SUBJECTS.add(name, make, make)
        return make

    return add


def own() -> tuple[Subject, Recipe]:
    """Return the service that the suite brings along, which stages of its own bring up."""
    for make in SUBJECTS.members().values():
        one = make(Interface())
        if one.recipe:
            return one, one.recipe
    raise AssertionError("a suite without a service of its own")
