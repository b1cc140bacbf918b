"""A reservation's life at the demo's own service, with each sabotage of it."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from rollback_drill.breaks.sabotage import all_sabotages
from rollback_drill.ground.verdict import Verdict
from rollback_drill.subject.hostaway.subjects import Hostaway
from rollback_drill.traffic.interface import Interface
from tests.subject.planted import planted
from tests.subject.service_process import API_KEY, OLD, Service, deployment

OF_EACH_KIND = {
    "life-details-as-at-first",
    "life-change-answered-with-the-old",
    "far-long-names-cut",
    "far-one-of-two-changes-lost",
}
"""The others differ from one of these in the field only."""
CASES = [
    pytest.param(one, id=name, marks=() if name in OF_EACH_KIND else pytest.mark.wide)
    for name, one in all_sabotages().items()
    if one.caught_by == "database_queries"
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with deployment(tmp_path_factory.mktemp("life"), OLD, 50) as (_, running):
        yield running


def held(service: Service) -> Any:
    def fetch(query: str, parameters: Any = ()) -> list[Any]:
        with psycopg.connect(service.database_url) as connection:
            return connection.execute(query, parameters).fetchall()

    place: Any = SimpleNamespace(
        base_url=service.url,
        direct_urls={"host-1": service.url},
        api_key=API_KEY,
        interface=Interface(),
        limits=None,
        database=SimpleNamespace(fetch=fetch),
    )
    return Hostaway(Interface()).writes_kept(place)


def test_a_reservation_lives_as_its_contract_says(service: Service) -> None:
    assert held(service).verdict is Verdict.PASSED


@pytest.mark.parametrize("one", CASES)
def test_each_defect_of_a_life_turns_red(service: Service, one: Any) -> None:
    with planted(service, one):
        found = held(service)
    assert found.verdict is Verdict.FAILED, found.evidence
