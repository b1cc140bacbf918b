"""What a record is made of: the base of all that is told, its words, and what any drill tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from rollback_drill.family import modules
from rollback_drill.ground.errors import UsageError
from rollback_drill.record.decoding import NAMED, Form, Range

UnixTime = Annotated[float, Range(0.0, 1e11)]
"""Unix seconds."""
Seconds = Annotated[float, Range(0.0, 1e9)]
"""A duration."""
Count = Annotated[int, Range(0, 10**15)]
Amount = Annotated[float, Range(0.0, 1e15)]
"""Of whatever is counted or measured."""
Number = Annotated[int, Range(0, 10**9)]
"""Of a line, a step, a procedure, a command."""
Status = Annotated[int, Range(0, 999)]
"""Of HTTP; 0: no answer."""
PerSecond = Annotated[int, Range(0, 10**6)]
"""Requests in one second."""
Name = Annotated[str, NAMED]
Where = Annotated[str, Form("a path", lambda text: "\0" not in text)]
StatusText = Annotated[str, Form("an HTTP status", re.compile("[1-9][0-9]{2}").fullmatch)]
Box = tuple[Number, Name]
"""A checkbox: its line in the runbook and its text."""


class Told:
    """The base of what can stand in a record: one frozen dataclass a kind, registered by its name.

    Times inside are Unix seconds unless a name ends in `_s` (a duration). Nobody but the record is
    asked what happened, so what a judge needs must be told.
    """

    __slots__ = ()
    by_clients: ClassVar[bool] = False
    """Whether there must be clients until then, for it is told of what they see."""
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    kinds: ClassVar[dict[str, type[Told]]] = {}

    def __init_subclass__(cls) -> None:
        # A dataclass with slots is made twice: the second is the one that is used.
        known = Told.kinds.get(cls.__name__)
        if known and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise UsageError(
                f"one kind of event called {cls.__name__}",
                f"two: {known.__module__} and {cls.__module__} tell it",
                "rename one of them",
            )
        Told.kinds[cls.__name__] = cls


def kinds() -> Mapping[str, type[Told]]:
    """Return every kind of event by its name, as all rooms tell them."""
    modules("told")
    return Told.kinds


@dataclass(frozen=True, slots=True)
class Noted(Told):
    """A remark for the reader of the timeline."""

    text: str


@dataclass(frozen=True, slots=True)
class ObserverDied(Told):
    """Somebody who looks for the drill looks no more: `error` says in words of what he died, or
    that he hangs. Nothing is known of what he would have seen.
    """

    observer: str
    error: str


class PhaseName(StrEnum):
    """Parts of a drill, in order."""

    SETUP = "setup"
    STEADY = "steady state"
    FAULT = "fault"
    PREPARATION = "preparation"
    ROLLBACK = "rollback"
    VERIFICATION = "verification"
    AFTERWARDS = "after the rollback"
    TEARDOWN = "teardown"


@dataclass(frozen=True, slots=True)
class PhaseStarted(Told):
    """A phase lasts until the next one starts or the drill ends."""

    phase: PhaseName


@dataclass(frozen=True, slots=True)
class Interrupted(Told):
    """The operator or the system asked the drill to stop."""

    by: str


@dataclass(frozen=True, slots=True)
class DrillBroke(Told):
    """The drill itself could not go on: not the rollback's failure."""

    expected: str
    found: str
    advice: str


@dataclass(frozen=True, slots=True)
class DrillEnded(Told):
    """Always the last event. `left_behind`: what could not be removed, empty when clean.

    `recorded`: how many events of each kind come before this one; None where an old record does
    not say.
    """

    left_behind: tuple[str, ...] = field(default=())
    recorded: dict[str, Count] | None = None
