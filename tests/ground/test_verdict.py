"""How verdicts compose: every pair, and nothing at all."""

from __future__ import annotations

import itertools

import pytest

from rollback_drill.ground.finding import (
    Finding,
    attested,
    failed,
    judged,
    lacking,
    passed,
    together,
    unknown,
)
from rollback_drill.ground.verdict import GOOD, Verdict, worst

ORDER = ("PASSED", "ATTESTED", "UNKNOWN", "UNCOVERED", "FAILED")


@pytest.mark.parametrize("pair", list(itertools.product(range(5), repeat=2)))
def test_of_two_the_worse_is_taken(pair: tuple[int, int]) -> None:
    assert worst(Verdict[ORDER[one]] for one in pair) is Verdict[ORDER[max(pair)]]


def test_of_nothing_at_all_nothing_is_known() -> None:
    assert worst(()) is Verdict.UNKNOWN
    assert together(()) == unknown("")


def test_only_what_was_seen_or_vouched_for_is_good() -> None:
    assert set(GOOD) == {Verdict.PASSED, Verdict.ATTESTED}


def test_together_tells_what_made_the_verdict() -> None:
    good, said = passed("a"), attested("b")
    assert together((good, passed("c"))) == passed("a; c")
    assert together((good, said)) == Finding(Verdict.ATTESTED, "a; b")
    assert together((good, unknown("e"))) == unknown("e")
    assert together((good, failed("c", "d"), unknown("e"), failed("f", "g"))) == Finding(
        Verdict.FAILED, "c, expected d; f, expected g"
    )


def test_too_few_samples_are_not_known_and_told_from_what_never_will_be() -> None:
    assert lacking("few") == Finding(Verdict.UNKNOWN, "few", True)
    assert unknown("few") == Finding(Verdict.UNKNOWN, "few", False)
    assert passed("x").lacks is failed("x", "y").lacks is False


def test_a_judged_finding_says_what_was_expected_only_where_it_was_not_found() -> None:
    assert judged(True, "a", "b") == Finding(Verdict.PASSED, "a")
    assert judged(False, "a", "b") == Finding(Verdict.FAILED, "a, expected b")
