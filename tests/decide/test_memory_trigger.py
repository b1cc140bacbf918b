"""Since when kills for memory are frequent: the second one, or growth, of one host."""

from __future__ import annotations

import re

import pytest

from rollback_drill.decide.detector import Detector
from rollback_drill.decide.evidence import Evidence
from rollback_drill.decide.trigger import Firing
from rollback_drill.decide.triggers.memory import MemoryLeak
from rollback_drill.watch.told import ProbeSample

MB = 2**20


def fired(*looks: tuple[float, dict[str, float], dict[str, int]]) -> Firing | None:
    """Look at hosts: when, how many MB each has resident, and how often it was killed."""
    evidence = Evidence(Detector((0.1,)), 60.0)
    for at, sizes, kills in looks:
        rss = {name: int(size * MB) for name, size in sizes.items()}
        evidence.probe(ProbeSample({}, rss, None, None, kills), at)
    match = re.search("leak", "leak")
    assert match
    return MemoryLeak(match).look(evidence)


@pytest.mark.parametrize(
    ("kills", "since"),
    [((0, 0, 0, 0), None), ((0, 1, 1, 1), None), ((0, 1, 1, 2), 3.0), ((0, 2, 2, 3), 1.0),
     ((0, 1, 2, 3), 2.0), ((0, 2**53, 2**60, 2**62), 1.0)],
)  # fmt: skip
def test_the_second_kill_of_a_host_makes_them_frequent(
    kills: tuple[int, ...], since: float | None
) -> None:
    found = fired(*((float(n), {"a": 90.0}, {"a": one}) for n, one in enumerate(kills)))
    assert (found.at if found else None) == since
    if found:
        assert found.sharp
        assert "killed for memory" in found.evidence[0]


def test_kills_are_counted_host_by_host_and_the_earliest_counts() -> None:
    once = {"a": 0, "b": 0}, {"a": 1, "b": 0}, {"a": 1, "b": 1}
    assert fired(*((float(n), {}, one) for n, one in enumerate(once))) is None
    both = *once, {"a": 2, "b": 1}, {"a": 2, "b": 2}
    found = fired(*((float(n), {}, one) for n, one in enumerate(both)))
    assert found
    assert found.at == 3.0


def grown(last: int) -> list[tuple[float, dict[str, float], dict[str, int]]]:
    return [(n / 2, {"a": 90.0 + 15 * n}, {"a": 0}) for n in range(last)]


def test_a_first_kill_is_enough_where_memory_grows_and_growth_alone_is_not() -> None:
    assert fired(*grown(20)) is None
    found = fired(*grown(20), (10.0, {}, {"a": 1}), (11.0, {}, {"a": 1}))
    assert found
    assert found.at == 10.0


def test_growth_after_the_first_kill_counts_from_when_it_was_proven() -> None:
    later = [(n / 2 + 1, {"a": 90.0 + 15 * n}, {"a": 1}) for n in range(20)]
    found = fired((0.0, {"a": 90.0}, {"a": 0}), (0.5, {}, {"a": 1}), *later)
    assert found
    assert found.at == later[-1][0]  # measured when it was asked for
