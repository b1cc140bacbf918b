"""A reservation's life at the demo's own service, with each sabotage of it."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from rollback_drill.breaks.sabotage import Edit
from rollback_drill.ground.verdict import Verdict
from rollback_drill.subject.hostaway.sabotages.life import SABOTAGES
from rollback_drill.subject.hostaway.subjects import Hostaway
from rollback_drill.traffic.interface import Interface
from tests.subject.service_process import API_KEY, OLD, Service, deployment

CASES = [
    pytest.param(one, id=one.name, marks=pytest.mark.wide if number > 1 else ())
    for number, one in enumerate(SABOTAGES)
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
    service.stop()
    service.checkout(OLD)
    for edit in one.plants:
        assert isinstance(edit, Edit)
        assert not edit.old
        file = service.app / edit.path
        file.write_text((file.read_text() if file.exists() else "") + edit.new)
    service.start()
    found = held(service)
    assert found.verdict is Verdict.FAILED, found.evidence
