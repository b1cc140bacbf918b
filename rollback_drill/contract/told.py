"""What is told of a service that was held against its document."""

from __future__ import annotations

from dataclasses import dataclass, field

from rollback_drill.record.told import Count, Name, Seconds, Told


@dataclass(frozen=True, slots=True)
class ContractAsked(Told):
    """What a document lets be asked was asked, once all clients were gone.

    `why`: why it could not be asked, "" where it was; `owed`: whether it had to be. `recorded`:
    whether a healthy day's answers were there to compare with; else answers were held against the
    document alone. `cases` were to be asked, `missed` were not for want of time; `unheard`: the
    operations of which none was. `before`: what was not exact on that day either, in words;
    `unasked`: what nobody asked for; `otherwise`: operations that the release which stays deployed
    documents otherwise; `untyped`: those whose answers may hold anything by their document.
    `places`: answers by who gave them.
    """

    why: str
    owed: bool
    recorded: bool = False
    cases: Count = 0
    missed: Count = 0
    unheard: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    untyped: tuple[str, ...] = ()
    places: dict[str, Count] = field(default_factory=dict)
    operations: dict[str, Count] = field(default_factory=dict)
    took_s: Seconds = 0.0


@dataclass(frozen=True, slots=True)
class ContractBroken(Told):
    """Answers of an `operation` failed a `check`. `asked`, `expected` and `seen`: of the first of
    `times`; `hosts`: who gave them. `compared`: whether it was not so on a healthy day; else
    nobody knows how it was then.
    """

    operation: Name
    check: Name
    asked: Name
    expected: str
    seen: str
    times: Count
    hosts: tuple[str, ...]
    compared: bool
