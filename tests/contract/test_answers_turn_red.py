"""Whatever a release accepts or refuses otherwise than before is seen, in a real process: each
sabotage that is to be caught by what its document lets be asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from rollback_drill.breaks.sabotage import all_sabotages, edited
from rollback_drill.contract import again
from rollback_drill.contract.again import Holding, hold_alone
from rollback_drill.contract.told import ContractAsked, ContractBroken
from rollback_drill.stage import conformance, contracting
from rollback_drill.stage.contracting import record_contract
from rollback_drill.stage.entries import Limits
from rollback_drill.stage.release import texts_of
from rollback_drill.subject.documents import Contract
from rollback_drill.subject.subject import own
from rollback_drill.traffic.interface import Interface
from tests.subject.planted import planted
from tests.subject.service_process import API_KEY, OLD, Service, deployment, running

SUBJECT, RECIPE = own()
SABOTAGES = {one.name: one for one in all_sabotages().values() if one.caught_by == "of_contract"}
NOT_BY_ONE = {"one-host-drops-fields"}
"""A sabotage of one host of two: see below."""
OF_EACH_KIND = {
    "bad-dates-are-made-good",
    "put-is-patch",
    "refused-with-another-status",
    "strange-bodies-break-it",
    "unknown-fields-as-html",
    "unknown-states-are-confirmed",
}
"""The others differ from one of these in field or method only."""


@dataclass(frozen=True)
class Ground:
    """A service that can be edited, and how it kept to its document."""

    service: Service
    place: Any
    contract: Contract

    def hold(
        self, contract: Contract | None = None, *, stays: bool = False
    ) -> tuple[ContractAsked, tuple[ContractBroken, ...]]:
        chosen = contract or self.contract
        return Holding(self.place, chosen, 1, stays=stays, owed=True).run()

    def reservations(self) -> int:
        """Return how many rows there are."""
        with psycopg.connect(self.service.database_url) as connection:
            row = connection.execute("SELECT count(*) FROM reservations").fetchone()
        assert row
        return int(row[0])


@pytest.fixture(scope="module")
def patience() -> Iterator[None]:
    """However busy the machine is: what is recorded and asked does not depend on it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(again, "_SOON_S", 300.0)
        patched.setattr(contracting, "_LIMIT_S", 60.0)
        patched.setattr(conformance, "_LIMIT_S", 250.0)
        yield


@pytest.fixture(scope="module")
def ground(patience: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with deployment(tmp_path_factory.mktemp("contract"), OLD, 20) as (_, service):
        place: Any = SimpleNamespace(
            name="a service",
            base_url=service.url,
            direct_urls={"host-1": service.url},
            api_key=API_KEY,
            interface=Interface(),
            subject=SUBJECT,
            limits=None,
            stays=False,
        )
        contract = record_contract(SUBJECT, place, service.url, 1, writes=True)  # type: ignore[arg-type]
        yield Ground(service, place, contract)


def test_a_healthy_release_breaks_nothing_new_and_makes_one_row_of_its_own(ground: Ground) -> None:
    before = ground.reservations()
    asked, broken = ground.hold()
    assert broken == ()
    assert ground.reservations() == before + 1
    assert (asked.missed, asked.unheard, asked.otherwise) == (0, (), ())
    assert {"POST /api/reservations", "PATCH /api/reservations/{reservation_id}"} <= (
        asked.operations.keys()
    )
    assert asked.places["host-1"] == asked.cases > 200


def test_what_was_not_exact_before_is_told(ground: Ground) -> None:
    asked, _ = ground.hold()
    assert "POST /api/reservations: Undocumented status code (201)" in asked.before
    assert "GET /api/listings" in asked.untyped


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in OF_EACH_KIND else pytest.mark.wide)
        for name in sorted(SABOTAGES.keys() - NOT_BY_ONE)
    ],
)
def test_what_is_planted_is_seen(name: str, ground: Ground) -> None:
    with planted(ground.service, SABOTAGES[name]):
        asked, broken = ground.hold()
    assert broken, "nothing differs"
    assert all(one.compared and "reservations" in one.operation for one in broken)
    assert not asked.unheard


def test_one_host_of_two_is_seen_and_named(ground: Ground, tmp_path: Path) -> None:
    origin = ground.service.directory.parent / "origin.git"
    other = Service(tmp_path / "other", origin, ground.service.database_url)
    other._run("git", "checkout", "--quiet", "--force", f"tags/{OLD}")
    one = SABOTAGES["one-host-drops-fields"]
    for path, text in edited(texts_of(RECIPE.layers, OLD), [one], failing=False).items():
        (other.app / path).write_text(text.replace('"2" in socket.gethostname()', "True"))
    healthy = dict(ground.place.direct_urls)
    with running(other):
        ground.place.direct_urls = healthy | {"host-2": other.url}
        try:
            _, broken = ground.hold()
        finally:
            ground.place.direct_urls = healthy
    assert {one.hosts for one in broken} == {("host-2",)}
    assert {one.check for one in broken} == {"Wrong input is accepted"}


def test_an_operation_that_another_release_documents_otherwise_is_left_out(ground: Ground) -> None:
    old = ground.contract.document
    other = replace(ground.contract, document=old.replace('"city"', '"town"'))
    asked, broken = ground.hold(other, stays=True)
    assert asked.otherwise == ("GET /api/listings",)
    assert "GET /api/listings" not in asked.operations
    assert broken == ()


def test_nothing_is_written_where_a_stage_stays(ground: Ground) -> None:
    before = ground.reservations()
    ground.place.limits = Limits(rate=10_000)
    try:
        asked, broken = ground.hold()
        alone, found = hold_alone(ground.place, SUBJECT, 1, "none was recorded")  # type: ignore[arg-type]
    finally:
        ground.place.limits = None
    assert broken == ()
    assert ground.reservations() == before
    assert "GET /api/reservations" in asked.operations
    assert any("this stage stays" in one for one in alone.unasked)
    assert found
    assert not any(one.compared for one in found)
