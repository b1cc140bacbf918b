"""What became of all that the database is made of, beside its rows: see `data.catalogue`. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rollback_drill.data.catalogue import AT_REVISION
from rollback_drill.data.told import HEALTHY, OWN, READY, CatalogueSeen, ReleaseSeen
from rollback_drill.perform.told import CommandStarted, ProcedureChosen
from rollback_drill.record.book import Book

_Entries = Mapping[str, str]
# Commands by which the revision may become another: what a box or two then ask for.
_MIGRATES = re.compile(
    r"\b(?:(?:down|up)grade|migrat\w+|flyway|liquibase|goose|dbmate|undo|db:rollback|pg_restore)\b"
    r"|\bpsql\b[^\n]*(?:\s-\w*f\b|<)|\.(?:sh|py)\b|\bmake\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Alteration:
    """Something that is not as it was, first seen at the look `until`, after that at `since`.

    `certain`: whether it is known that nobody said so; else nobody knows whether the release's own
    migrations did it.
    """

    what: str
    since: str
    until: str
    certain: bool = True

    def __str__(self) -> str:
        return f"{self.what}, between “{self.since}” and “{self.until}”"


@dataclass(slots=True)
class _Known:
    """What is known so far: as it stood, and what explains a difference from that."""

    entries: dict[str, str] = field(default_factory=dict)
    belongs: dict[str, Collection[str]] = field(default_factory=dict)
    aside: set[str] = field(default_factory=set)
    declared: set[str] = field(default_factory=set)
    migrates: bool = False
    stable: _Entries | None = None
    failing: _Entries | None = None

    @property
    def fresh(self) -> bool:
        return self.stable is not None and self.failing is not None


_MOST_NUMBERS = 10_000_000
"""That are given out between two looks: a thousand in a second, for hours."""


def alterations(book: Book) -> tuple[Alteration, ...]:
    """Return what is not as it stood before there were clients, and nothing explains."""
    return tuple(_alterations(book))


def _alterations(book: Book) -> Iterator[Alteration]:
    known = _Known()
    told: set[str] = set()
    earlier: CatalogueSeen | None = None
    waiting: ProcedureChosen | None = None
    for event in book.events:
        match event.what:
            case ProcedureChosen() as chosen:
                waiting = chosen
            case CommandStarted(section=section, script=script):
                known.migrates |= section.startswith("Procedure") and bool(_MIGRATES.search(script))
            case ReleaseSeen(stable=True, entries=entries):
                known.stable = entries
            case ReleaseSeen(entries=entries):
                known.failing = entries
            case CatalogueSeen() as later:
                if waiting and not later.procedure:
                    known.declared.update(waiting.dropped)
                    waiting = None
                if earlier is None:
                    known.entries, known.belongs = dict(later.entries), dict(later.belongs)
                elif later.moment in (READY, HEALTHY):
                    yield from _learn(known, earlier, later)
                else:
                    for name, certain in _differing(known, later):
                        if name not in told:
                            told.add(name)
                            yield Alteration(name, earlier.moment, later.moment, certain)
                if earlier is not None:
                    yield from _of_sequences(earlier, later, told)
                earlier = later
                if waiting and later.procedure:
                    known.declared.update(waiting.dropped)
                    waiting = None


def _learn(known: _Known, earlier: CatalogueSeen, later: CatalogueSeen) -> Iterator[Alteration]:
    """Take in what was there before clients came; where others write, leave aside what changes."""
    if later.entries:
        known.entries, known.belongs = dict(later.entries), dict(later.belongs)
    if later.moment == HEALTHY:
        known.aside.update(later.gone, later.changed, later.new)
        return
    for name in (*later.gone, *later.changed):
        yield Alteration(_sentence(name, known.entries, later), earlier.moment, later.moment)


def _differing(known: _Known, later: CatalogueSeen) -> Iterator[tuple[str, bool]]:
    """Yield what is not as it stood and unexplained, in sentences, and whether it is certain. What
    went with a table or a column to which it belongs is counted there.
    """
    names = [
        name
        for name in (*later.gone, *later.changed, *later.new)
        if name not in known.aside and OWN not in name and not _explained(known, later, name)
    ]
    went = _went_with(known, [name for name in names if name in later.gone])
    counts = Counter(went.values())
    # Where migrations are reverted, some of it is theirs; which, only fresh databases tell.
    certain = known.fresh or not known.declared
    for name in names:
        if name not in went:
            told = _sentence(name, known.entries, later)
            yield (
                told + (f", and {counts[name]} of what belongs to it" if counts[name] else ""),
                certain,
            )


def _went_with(known: _Known, gone: Sequence[str]) -> dict[str, str]:
    """Return with which table or column each of the others went that belongs to it."""
    holders = {
        name.partition(" ")[2]: name for name in gone if name.startswith(("table ", "column "))
    }
    found = {}
    for name in gone:
        for one in known.belongs.get(name, ()):
            table, _, _ = one.rpartition(".")
            holder = holders.get(table) or holders.get(one)
            if holder and holder != name:
                found[name] = holder
                break
    return found


def _explained(known: _Known, later: CatalogueSeen, name: str) -> bool:
    if name == AT_REVISION and known.migrates:
        return True
    was = known.entries.get(name)
    now = later.changed.get(name) or later.new.get(name)
    if now is None and covered(name, known.belongs.get(name, ()), known.declared):
        return True
    if known.stable is None or known.failing is None:
        return False
    return known.stable.get(name) == now and (was is None or known.failing.get(name) == was)


def covered(name: str, belongs: Iterable[str], declared: Collection[str]) -> bool:
    """Return whether what is called `name`, and belongs to those tables and columns, goes with what
    is `declared` to be dropped.
    """
    own = name.split(" ", 1)[-1]
    return any(
        one == drop or one.startswith(f"{drop}.") for one in (own, *belongs) for drop in declared
    )


def _sentence(name: str, was: _Entries, later: CatalogueSeen) -> str:
    if name in later.gone:
        return f"{name} is gone"
    if name in later.changed:
        return f"{name} was “{was.get(name, '')}” and is “{later.changed[name]}”"
    return f"{name} is new"


def _of_sequences(
    earlier: CatalogueSeen, later: CatalogueSeen, told: set[str]
) -> Iterator[Alteration]:
    for name, at in sorted(earlier.positions.items()):
        now = later.positions.get(name)
        there = f"sequence {name}" not in later.gone
        if there and (now or 0) < at:
            what = f"sequence {name} stood at {at} and stands at {now or 'its start'}"
            yield Alteration(what, earlier.moment, later.moment)
        elif now is not None and now > at + _MOST_NUMBERS:
            what = f"sequence {name} stood at {at} and stands at {now}: nobody used so many"
            yield Alteration(what, earlier.moment, later.moment)
    for name, value in sorted(later.behind.items()):
        key = f"behind {name}"
        if name not in earlier.behind and key not in told:
            told.add(key)
            what = f"sequence {name} will give out {value} again, which is there"
            yield Alteration(what, earlier.moment, later.moment)
