"""Plants sabotages in a record: what the suite itself might lose, garble or make up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rollback_drill.breaks.sabotage import Invent, Misrecord, Sabotage
from rollback_drill.record.timeline import Event


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
                events.insert(-1, Event(events[-1].at, plant.event))
                found = True
            else:
                continue
            planted[one.name] = planted.get(one.name, 0) + found
    return tuple(events), planted


def _change(events: list[Event], plant: Misrecord) -> bool:
    """Change what `plant` says in `events`; return whether there was anything like it."""
    places = [
        place
        for place, event in enumerate(events)
        if type(event.what) is plant.kind
        and all(getattr(event.what, name) == value for name, value in plant.where.items())
    ]
    for place in reversed(places if plant.every else places[-1:]):
        if plant.says:
            events[place] = replace(events[place], what=replace(events[place].what, **plant.says))
        else:
            del events[place]
    return bool(places)
