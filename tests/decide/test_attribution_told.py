"""What an attribution tells where several alibis hold, or nobody could look."""

from __future__ import annotations

import pytest

from rollback_drill.decide import attribution
from rollback_drill.decide.attribution import ALIBIS, Alibi, attribute, not_failing
from rollback_drill.decide.detector import Detector
from rollback_drill.decide.evidence import Evidence, Series
from rollback_drill.ground.verdict import Verdict
from rollback_drill.watch.told import Looked


def attributed(monkeypatch: pytest.MonkeyPatch, *holds: bool | None) -> attribution.Attribution:
    """Attribute where there are as many alibis as `holds`, called 0, 1, ..."""
    found = {str(n): Alibi(one, f"saw {n}") for n, one in enumerate(holds)}
    looks = {name: (lambda _, one=one: one) for name, one in found.items()}
    monkeypatch.setattr(type(ALIBIS), "members", lambda self: looks if self is ALIBIS else {})
    return attribute(Evidence(Detector((0.1,)), 60.0))


def test_of_several_alibis_the_first_is_the_reason_and_comes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = attributed(monkeypatch, False, True, None, True)
    assert (found.ours, found.reason) == (False, "a rollback will not help: 1")
    assert found.evidence == ("saw 1", "saw 0", "saw 2", "saw 3")


def test_of_several_open_questions_the_first_is_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = attributed(monkeypatch, False, None, None)
    assert (found.ours, found.reason) == (None, "not known whether 1")
    assert found.evidence == ("saw 0", "saw 1", "saw 2")


def test_where_no_alibi_holds_it_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert attributed(monkeypatch, False, False).ours is True


def test_a_sentinel_that_could_not_look_gives_no_alibi_and_takes_none() -> None:
    series = Series()
    assert not_failing(series, "door") == Alibi(None, "the door is not known: nobody looked")
    series.add(Looked("door", Verdict.UNKNOWN, "no route"), 1.0)
    assert not_failing(series, "door") == Alibi(None, "the door is not known: no route")
    series.add(Looked("door", Verdict.PASSED, "200"), 2.0)
    assert not_failing(series, "door") == Alibi(False, "200")
