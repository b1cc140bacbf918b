"""What became of the rows that stood before there were clients, and when. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rollback_drill.breaks.told import FaultInjected
from rollback_drill.data.comparison import ROWS
from rollback_drill.data.told import (
    ENDED,
    HEALTHY,
    OUT,
    PREPARING,
    READY,
    STARTED,
    TAKEN_UP,
    RowsSeen,
)
from rollback_drill.perform.told import ProcedureChosen
from rollback_drill.record.book import Book

_CLEAN = (STARTED, READY, HEALTHY)
Wanted = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """What changed between the looks at two moments: `gone` rows, tables and columns, and values
    that are `changed`, in sentences. `explained`: by the fault that was made, so that neither is a
    finding.
    """

    since: str
    until: str
    gone: tuple[str, ...]
    changed: tuple[str, ...]
    explained: bool

    @property
    def what(self) -> tuple[str, ...]:
        """All of it."""
        return (*self.gone, *self.changed)

    @property
    def when(self) -> str:
        """When it was, in words."""
        return f"between “{self.since}” and “{self.until}”"


@dataclass(frozen=True, slots=True)
class Stood:
    """All that is known of them. `aside`: tables that are not compared, since their rows changed
    while all was well; `changing`: columns and tables that are not compared by the word of who
    describes the stage; `unread`: why others could not be looked at; `lacks`: moments at which
    nobody looked, though somebody had to.
    """

    looks: tuple[RowsSeen, ...]
    spans: tuple[Stretch, ...]
    aside: tuple[str, ...]
    changing: tuple[str, ...]
    unread: Mapping[str, str]
    lacks: tuple[str, ...]

    @property
    def losses(self) -> tuple[Stretch, ...]:
        """Where something changed that nothing explains."""
        return tuple(one for one in self.spans if one.what and not one.explained)

    @property
    def damage(self) -> tuple[Stretch, ...]:
        """Where something changed as the fault does it."""
        return tuple(one for one in self.spans if one.what and one.explained)

    @property
    def counted(self) -> int:
        """How many rows are compared."""
        if not self.looks:
            return 0
        tables = self.looks[0].tables.items()
        return sum(int(columns[ROWS]) for name, columns in tables if name not in self.aside)


def rows(book: Book) -> Stood | None:
    """Return what became of them; None of a drill that never looked."""
    looks = book.every(RowsSeen)
    if not looks:
        return None
    changing = sorted({name for one in looks for name in one.changing})
    aside = _aside(looks)
    moments = [one.moment for one in looks]
    return Stood(
        looks=tuple(looks),
        spans=(*_spans(book, aside.union(changing)), *_round_trip(looks, aside.union(changing))),
        aside=tuple(sorted(aside)),
        changing=tuple(changing),
        unread={name: why for one in looks for name, why in one.unread.items()},
        lacks=tuple(one for one in (STARTED, ENDED) if one not in moments),
    )


def _aside(looks: Sequence[RowsSeen]) -> set[str]:
    """Return the tables that others write: they changed before anything was broken."""
    before = [one for one in looks if one.moment in (STARTED, READY)][-1:]
    healthy = [one for one in looks if one.moment == HEALTHY][:1]
    return {
        name
        for was, now in pairwise([*before, *healthy])
        for name in was.tables.keys() | now.tables.keys()
        if was.tables.get(name) != now.tables.get(name)
    }


def _spans(book: Book, aside: Collection[str]) -> Iterator[Stretch]:
    injected = book.last(FaultInjected)
    damages = injected is not None and bool(injected.damages)
    performed = bool(book.every(ProcedureChosen))
    chosen: list[ProcedureChosen] = []
    wanted: Wanted = {}
    earlier: RowsSeen | None = None
    failing = damages  # whether the damaging release may still be at work
    for event in book.events:
        match event.what:
            case ProcedureChosen() as one:
                chosen.append(one)
            case RowsSeen() as later if later.moment != HEALTHY:
                begun = chosen[: -1 if later.procedure else None]
                declared = {name for one in begun for name in one.dropped}
                if earlier is not None:
                    gone, changed = _differences(earlier, later, wanted, declared, aside)
                    explained = failing and (bool(later.procedure) or _off(later, performed))
                    if explained and earlier.moment == PREPARING and gone:
                        # What the preparation takes away is not the release's doing.
                        yield Stretch(earlier.moment, later.moment, tuple(gone), (), False)
                        gone = []
                    yield Stretch(
                        earlier.moment, later.moment, tuple(gone), tuple(changed), explained
                    )
                failing = failing and later.moment != OUT
                wanted = later.expected or wanted
                earlier = later


def _off(later: RowsSeen, performed: bool) -> bool:
    """Whether a look came before the rollback did its work, or there was none."""
    return later.moment in (*_CLEAN, PREPARING, TAKEN_UP, OUT) or not performed


def _differences(
    was: RowsSeen, now: RowsSeen, wanted: Wanted, declared: Collection[str], aside: Collection[str]
) -> tuple[list[str], list[str]]:
    """Return what is gone, whole tables first, and whose values changed, in sentences."""
    tables: list[str] = []
    gone: list[str] = []
    changed: list[str] = []
    for table in sorted(was.tables.keys() - set(aside)):
        before, after = was.tables[table], now.tables.get(table)
        if after is None:
            if table not in declared and table not in now.unread:
                tables.append(f"{table} is gone")
            continue
        if before[ROWS] != after[ROWS]:
            gone.append(f"{table} had {before[ROWS]} rows that stood and has {after[ROWS]} of them")
            continue
        for column in sorted(before.keys() - {ROWS}):
            name = f"{table}{column}"
            if column not in after:
                gone += [] if name in declared else [f"{name} is gone"]
            elif name not in aside and after[column] not in (
                before[column],
                wanted.get(table, {}).get(column),
            ):
                changed.append(f"{name} has other values")
    return [*tables, *gone], changed


def _round_trip(looks: Sequence[RowsSeen], aside: Collection[str]) -> Iterator[Stretch]:
    """Compare what was away for a while with what it was before."""
    first, last = looks[0], looks[-1]
    changed = []
    for table in sorted(first.tables.keys() & last.tables.keys() - set(aside)):
        before, after = first.tables[table], last.tables[table]
        for column in sorted(before.keys() & after.keys()):
            away = any(column not in one.tables.get(table, {}) for one in looks)
            if away and before[column] != after[column] and f"{table}{column}" not in aside:
                changed.append(f"{table}{'' if column == ROWS else column} came back otherwise")
    if changed:
        yield Stretch(first.moment, last.moment, (), tuple(changed), False)
