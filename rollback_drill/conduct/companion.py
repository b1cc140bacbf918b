"""Whoever goes along with a drill: each keeps one concern, and is told of each moment of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rollback_drill.conduct.rig import Rig
from rollback_drill.family import modules
from rollback_drill.perform.performer import Part
from rollback_drill.runbook.model import Procedure

_FOLDER = "companions"


class Companion:
    """Goes along with a drill; a module of a folder `companions` defines each, one file a concern.

    Used as a context manager as long as there are clients. `place`: who is told first; of equal
    ones, whoever is defined in the module that comes first by name. A class without a module in
    such a folder, like this one, does not go along.
    """

    place: ClassVar[int] = 50

    def __init__(self, rig: Rig) -> None:
        self.rig = rig

    def __enter__(self) -> object:
        return self

    def __exit__(self, *exc: object) -> None:
        """Clients are gone, or the drill is broken off."""

    def up(self) -> None:
        """The stage is up; nobody has touched it."""

    def before_clients(self) -> None:
        """What is routine was done; clients come now."""

    def steady(self) -> None:
        """The healthy service was seen; nothing is broken yet."""

    def before_procedure(self, procedure: Procedure) -> None:
        """`procedure` begins."""

    def before_part(self, part: Part) -> None:
        """A part of the procedure begins; what is done here is outside of its budget."""

    def after_part(self, part: Part) -> None:
        """A part of the procedure is over, whatever came of it."""

    def after_procedure(self, procedure: Procedure, *, held: bool) -> None:
        """`procedure` is over; `held`: no step of it failed."""

    def before_checklist(self, title: str) -> None:
        """A checklist outside the procedures is about to be performed."""

    def after_checklist(self) -> None:
        """A checklist outside the procedures was performed."""

    def take_back(self) -> None:
        """Take back at once what this one did to the service. Works twice, whatever was done."""

    def closed(self) -> None:
        """All clients are gone, and what they saw is on record."""

    def promises(self, procedure: Procedure) -> Mapping[str, int]:
        """Return how many events of which kinds will be on record of `procedure`."""
        del procedure
        return {}


def companions(rig: Rig) -> tuple[Companion, ...]:
    """Return everybody who goes along with the drill of `rig`, in order."""
    found = [
        one
        for module in modules(_FOLDER)
        for one in vars(module).values()
        if isinstance(one, type)
        and issubclass(one, Companion)
        and one.__module__ == module.__name__
    ]
    return tuple(make(rig) for make in sorted(found, key=lambda one: one.place))
