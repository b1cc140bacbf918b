"""Is it ours? Each alibi holds for its cause, and for no other."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rollback_drill.decide.decider import Decider
from rollback_drill.ground.verdict import Verdict
from rollback_drill.runbook.parse import parse
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.observation import Outcome
from rollback_drill.watch.told import SLOWER, Looked
from tests.decide.decision_support import look as probed
from tests.decide.decision_support import no_clients, request

RUNBOOK = parse(Path(__file__).resolve().parents[2] / "runbook" / "rollback.md")
BAD, GOOD, BLIND = Verdict.FAILED, Verdict.PASSED, Verdict.UNKNOWN


def held(
    *,
    database: Verdict = GOOD,
    front: Verdict = GOOD,
    blame: str = "",
    share: float = 0.4,
    lists_only: bool = False,
) -> Decider:
    """A decider that saw errors: of all clients, or of one called `blame`."""
    chance = random.Random(1)
    made = Decider(RUNBOOK, 60.0)
    made.onset(0.0)
    for i in range(600):
        client = f"c{i % 20:03d}"
        operation = "create" if i % 4 == 0 else "list_page"
        if blame and chance.random() < share:
            client, bad = blame, True
        else:
            bad = not blame and chance.random() < share and not (lists_only and i % 4 == 0)
        seen = request(Outcome.SERVER_ERROR if bad else Outcome.OK, (i + 1) / 100)
        made.observe(replace(seen, client=client, operation=operation))
    for at in (1.0, 2.0, 5.0, 5.5):
        made.look(Looked("database", database, "seen of the database"), at)
        made.look(Looked("front door", front, "seen of the door"), at)
    return made


def test_what_nothing_around_explains_is_ours() -> None:
    found = held(lists_only=True).decide(9.0)
    assert found
    assert (found.rollback, found.ours) == (True, True)
    assert found.attribution[0].startswith("the release is to blame")
    control = found.attribution[-1]
    assert "control without pagination, 0.0 %" in control


@pytest.mark.parametrize(
    ("around", "reason", "evidence"),
    [
        ({"database": BAD}, "the database server is the cause", "seen of the database"),
        ({"front": BAD}, "the way to the hosts is the cause", "seen of the door"),
        ({"blame": "c007"}, "one client is the cause", "c007 met"),
    ],
)
def test_an_alibi_stops_the_rollback(around: dict[str, Any], reason: str, evidence: str) -> None:
    found = held(**around).decide(9.0)
    assert found
    assert (found.action, found.rollback, found.ours) == ("no rollback", False, False)
    assert (found.procedure, found.scenario) == (0, 0)
    assert reason in found.diagnosis
    assert evidence in found.attribution[1]
    assert found.trigger == "Error Rate >10%"


def test_an_alibi_outweighs_a_recognized_scenario() -> None:
    made = held(database=BAD)
    made.probe(probed(connections=40), 5.0)
    made.log(no_clients(), 5.0)
    found = made.decide(9.0)
    assert found
    assert found.rollback is False


@pytest.mark.parametrize("around", [{"database": BLIND}, {"front": BLIND}])
def test_what_nobody_could_look_at_leaves_it_open(around: dict[str, Any]) -> None:
    found = held(**around).decide(9.0)
    assert found
    assert (found.rollback, found.ours) == (True, None)
    assert found.attribution[0].startswith("not known whether")


def slow(
    *, errors: float = 0.0, looks: int = 2, numbers: dict[str, float] | None = None
) -> Decider:
    """A decider to whom everything takes 0.6 s longer than it used to, through the front door."""
    chance = random.Random(1)
    made = Decider(RUNBOOK, 60.0)
    made.set_baseline(Histogram([0.02] * 400))
    made.onset(0.0)
    for i in range(800):
        outcome = Outcome.SERVER_ERROR if chance.random() < errors else Outcome.OK
        seen = request(outcome, (i + 1) / 100, 0.62)
        operation = "create" if i % 4 == 0 else "list_page"
        made.observe(replace(seen, client=f"c{i % 20:03d}", operation=operation))
    later = {SLOWER: 0.6} if numbers is None else numbers
    for at in (4.0, 5.0, 6.0)[-looks:]:
        made.look(Looked("front door", BAD, "the way to the hosts is slow", later), at)
    made.look(Looked("database", GOOD, "seen of the database"), 6.1)
    return made


def test_a_slow_way_is_an_alibi_and_the_control_suffers_as_well() -> None:
    found = slow().decide(9.0)
    assert found
    assert (found.action, found.ours) == ("no rollback", False)
    assert "the way to the hosts is the cause" in found.diagnosis
    assert found.trigger == "Performance Degradation >3x"
    control = found.attribution[-1]
    assert "of what the release changed, 0.0 % of 600 requests failed and 100.0 % took" in control
    assert "in the old format): the control suffers as well" in control


def test_a_slow_way_is_no_alibi_for_errors_that_a_host_has_answered() -> None:
    found = slow(errors=0.3).decide(9.0)
    assert found
    assert (found.rollback, found.ours) == (True, True)
    assert any("were answered with an error by a host" in told for told in found.attribution)
    shut = slow(errors=0.3, numbers={}).decide(9.0)  # a door that is shut: nobody gets past it
    assert shut
    assert shut.ours is False


def test_one_slow_look_is_no_alibi() -> None:
    found = slow(looks=1).decide(9.0)
    assert found
    assert found.rollback


def test_the_control_is_well_where_only_pages_fail() -> None:
    found = held(lists_only=True).decide(9.0)
    assert found
    assert found.attribution[-1].endswith(
        "(details and writes, in the old format): the control is well"
    )


def test_a_single_look_is_no_alibi() -> None:
    made = held()
    made.look(Looked("database", BAD, "a moment"), 6.0)
    found = made.decide(9.0)
    assert found
    assert found.rollback


def test_one_client_among_two_is_no_alibi() -> None:
    made = Decider(RUNBOOK, 60.0)
    made.onset(0.0)
    for i in range(600):
        bad = i % 2 == 0
        seen = request(Outcome.SERVER_ERROR if bad else Outcome.OK, (i + 1) / 100)
        made.observe(replace(seen, client="a" if bad else "b"))
    found = made.decide(9.0)
    assert found
    assert found.rollback


def test_errors_of_many_clients_are_not_blamed_on_the_worst_of_them() -> None:
    found = held(share=0.15).decide(9.0)
    assert found
    assert found.rollback
