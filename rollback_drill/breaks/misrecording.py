"""Plants sabotages in a record: what the suite itself might lose, garble or make up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rollback_drill.breaks.sabotage import Invent, Misrecord, Sabotage
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import Told


def misrecords(sabotage: Sabotage) -> bool:
    """Whether `sabotage` is one of the record: of a drill in which nothing else is broken."""
    return any(isinstance(plant, Misrecord | Invent) for plant in sabotage.plants)


def misrecorded(
    record: Sequence[Event], sabotages: Sequence[Sabotage]
) -> tuple[tuple[Event, ...], dict[str, int]]:
    """Return a `record` with what `sabotages` plant in it, and how many plants found what they
    change, by sabotage.
    """
    events = list(record)
    planted: dict[str, int] = {}
    for one in sabotages:
        for plant in one.plants:
            if isinstance(plant, Misrecord):
                found = _change(events, plant)
            elif isinstance(plant, Invent):
                found = _invent(events, plant)
            else:
                continue
            planted[one.name] = planted.get(one.name, 0) + found
    return tuple(events), planted


def _change(events: list[Event], plant: Misrecord) -> bool:
    """Change what `plant` says in `events`; return whether there was anything like it."""
    places = _places(events, plant.kind, plant.where)
    for place in reversed(places if plant.every else places[-1:]):
        if plant.says:
            events[place] = replace(events[place], what=replace(events[place].what, **plant.says))
        else:
            del events[place]
    return bool(places)


def _invent(events: list[Event], plant: Invent) -> bool:
    """Put what `plant` makes up into `events`; return whether its place was found."""
    places = _places(events, plant.before, plant.where)[-1:]
    for place in places:
        events.insert(place, Event(events[place].at, plant.event))
    return bool(places)


def _places(events: list[Event], kind: type[Told], where: Mapping[str, object]) -> list[int]:
    return [
        place
        for place, event in enumerate(events)
        if type(event.what) is kind
        and all(getattr(event.what, name) == value for name, value in where.items())
    ]
