"""Whether a page of metrics tells as much as it did: names, kinds, labels, and what was counted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from rollback_drill.golden.comparison import Unlike

_OF_THE_PROCESS = ("python_", "process_")  # what its library tells by itself
_EDGES = ("le", "quantile")

Labelled = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Family:
    kind: str
    names: frozenset[str] = frozenset()
    edges: frozenset[str] = frozenset()  # of its buckets
    series: set[Labelled] = field(default_factory=set)


def unlike_series(
    expected: str, seen: str, apart: Collection[str], *, whole: bool
) -> Unlike | None:
    """Return the first way in which the page `seen` tells less than the one `expected`, None where
    there is none. `apart`: paths that monitors ask for; `whole`: all that was asked before the one
    was asked before the other, so that it has to count the same kinds of requests, or more.
    """
    was, now = _read(expected, apart), _read(seen, apart)
    if was is None:
        return None
    if now is None:
        return Unlike("metrics", "a page of Prometheus", seen[:80])
    for name, family in was.items():
        found = now.get(name)
        if found is None:
            return Unlike(f"metric {name}", "one", "none of this name")
        if found.kind != family.kind:
            return Unlike(f"metric {name}", family.kind, found.kind)
        if family.names and found.names and found.names != family.names:
            told = (", ".join(sorted(names)) for names in (family.names, found.names))
            return Unlike(f"labels of {name}", *told)
        if family.edges and found.edges and found.edges != family.edges:
            told = (", ".join(sorted(edges)) for edges in (family.edges, found.edges))
            return Unlike(f"buckets of {name}", *told)
        lost = family.series - found.series
        if whole and lost and not name.startswith(_OF_THE_PROCESS):
            first = ", ".join(f"{label}={value}" for label, value in min(lost))
            return Unlike(f"series of {name}", first, f"none, nor {len(lost) - 1} others")
    return None


def _read(text: str, apart: Collection[str]) -> dict[str, _Family] | None:
    """Return families by their names; None of what is no such page."""
    found: dict[str, _Family] = {}
    try:
        for one in text_string_to_metric_families(text):
            family = found.setdefault(one.name, _Family(one.type))
            for sample in one.samples:
                labels = {n: v for n, v in sample.labels.items() if n not in _EDGES}
                family.edges |= {v for n, v in sample.labels.items() if n in _EDGES}
                if not set(labels.values()) & set(apart):
                    family.names |= labels.keys()
                    family.series.add(tuple(sorted(labels.items())))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return found or None
