"""The demo's own service, where strangers are let in by each sabotage that there is."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from rollback_drill.breaks.sabotage import Edit
from rollback_drill.ground.verdict import Verdict
from rollback_drill.subject.hostaway.sabotages.authentication import SABOTAGES
from rollback_drill.subject.hostaway.subjects import Hostaway
from rollback_drill.traffic.interface import Interface
from tests.subject.service_process import API_KEY, NEW, OLD, Service, deployment

LATE = {"auth-after-8-s"}  # a drill is held that long, a test is not
FIRST = {"auth-change-open", "auth-key-in-query"}
CASES = [
    pytest.param(one, id=one.name, marks=() if one.name in FIRST else pytest.mark.wide)
    for one in SABOTAGES
    if one.name not in LATE
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with deployment(tmp_path_factory.mktemp("strangers"), OLD, 50) as (_, running):
        yield running


def held(service: Service) -> Any:
    place: Any = SimpleNamespace(
        base_url=service.url,
        direct_urls={"host-1": service.url},
        api_key=API_KEY,
        interface=Interface(),
        limits=None,
    )
    return Hostaway(Interface()).strangers_refused(place)


def restarted(service: Service, *edits: Edit) -> None:
    service.stop()
    service.checkout(OLD)
    for edit in edits:
        file = service.app / edit.path
        old = file.read_text() if file.exists() else ""
        file.write_text(old.replace(edit.old, edit.new) if edit.old else old + edit.new)
    service.start()


def test_the_stable_release_refuses_strangers(service: Service) -> None:
    restarted(service)
    found = held(service)
    assert found.verdict is Verdict.PASSED, found.evidence


@pytest.mark.wide
def test_the_failing_release_refuses_strangers(tmp_path: Any) -> None:
    with deployment(tmp_path, NEW, 50) as (_, running):
        found = held(running)
        assert found.verdict is Verdict.PASSED, found.evidence


@pytest.mark.parametrize("one", CASES)
def test_each_way_in_turns_red(service: Service, one: Any) -> None:
    restarted(service, *(edit for edit in one.plants if isinstance(edit, Edit)))
    found = held(service)
    assert found.verdict is Verdict.FAILED, found.evidence
    assert API_KEY not in found.evidence
