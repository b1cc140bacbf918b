"""Whatever a release answers otherwise than before is seen, in a real process on real rows: each
sabotage that the golden set is to catch.
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
from rollback_drill.golden import again
from rollback_drill.golden.again import Again, Asking, look_early
from rollback_drill.golden.told import GoldenAsked, GoldenUnlike
from rollback_drill.stage.questioning import record_golden
from rollback_drill.stage.release import texts_of
from rollback_drill.subject.questions import GoldenQuestion, GoldenSet, Tells
from rollback_drill.subject.subject import own
from rollback_drill.traffic.interface import Interface
from tests.subject.planted import planted
from tests.subject.service_process import API_KEY, OLD, Service, deployment, running

LISTINGS = 250
SUBJECT, RECIPE = own()
SABOTAGES = {one.name: one for one in all_sabotages().values() if one.caught_by == "of_golden_set"}
BY_SET_ALONE = {
    "slow-details", "odd-anybody-may-read", "odd-cookies", "odd-kept-by-caches",
    "odd-key-in-a-header", "odd-padded", "odd-version-of-another",
    "far-slash-behind", "far-other-case", "far-charset-refused",
    "far-metrics-swapped", "far-metrics-methods", "far-metrics-gauge", "far-metrics-404",
    "behind-metrics-edges", "behind-documentation-gone", "behind-environment-served",
}  # fmt: skip
"""What no row of the database can tell."""
NEEDS_ALL = {
    "one-in-thirty", "far-odd-limits", "far-metrics-swapped", "far-metrics-methods",
    "far-metrics-gauge", "far-metrics-404", "behind-metrics-edges",
}  # fmt: skip
"""What few questions do not show."""
NOT_BY_ONE = {"one-host-rounds"}
"""A sabotage of one host of two: see below."""
OF_EACH_KIND = {
    "cached-details",
    "details-as-plain-text",
    "details-of-another",
    "empty-city",
    "last-listing-missing",
    "names-in-ascii",
    "one-in-thirty",
    "one-too-many",
    "pages-repeat-a-row",
    "prices-rounded-in-lists",
    "reservations-backwards",
    "slow-details",
    "status-ignored",
    "times-in-another-zone",
}
"""The others differ from one of these in field, list or number only."""
OURS = "drill-"
BUSY_S = 60.0
"""Which no machine is too busy for."""


class Rows:
    """The service's database."""

    def __init__(self, url: str) -> None:
        self._url = url

    def fetch(self, query: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url) as connection:
            return connection.execute(query, parameters).fetchall()


@dataclass(frozen=True)
class Ground:
    """A service that can be edited, and where its answers are asked for."""

    service: Service
    place: Any
    golden: GoldenSet

    def ask(
        self, golden: GoldenSet | None, early: tuple[GoldenQuestion, ...]
    ) -> tuple[GoldenAsked, tuple[GoldenUnlike, ...]]:
        told = Again(
            golden=golden,
            why="",
            owed=True,
            tells=frozenset(Tells),
            declared=(),
            fields=frozenset(),
            ours=lambda row: OURS in str(row),
            written=100,
            seed=1,
            early=early,
        )
        return Asking(self.place, told).run()

    def write(self, turn: str) -> tuple[GoldenQuestion, ...]:
        """Do as clients do: make a reservation, and change it after it was looked at early."""
        fields = {
            "reference": f"{OURS}{turn}",
            "listing_id": 7,
            "guest_name": "Łukasz 李",
            "check_in": "2030-03-01",
            "check_out": "2030-03-04",
            "total_cents": 30_000,
        }
        with self.service.client() as client:
            made = client.post("/api/reservations", json=fields).json()["id"]
            early = look_early(self.place)
            client.patch(f"/api/reservations/{made}", json={"total_cents": 777})
        return early


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with deployment(tmp_path_factory.mktemp("golden"), OLD, LISTINGS) as (_, service):
        place = SimpleNamespace(
            name="a service",
            base_url=service.url,
            direct_urls={"host-1": service.url},
            api_key=API_KEY,
            interface=Interface(),
            database=Rows(service.database_url),
            subject=SUBJECT,
            limits=None,
        )
        golden = record_golden(SUBJECT, place, service.url, OLD, 1, "the set of this test")  # type: ignore[arg-type]
        yield Ground(service, place, golden)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is: what is asked does not depend on it."""
    monkeypatch.setattr(again, "SOON_S", 300.0)
    monkeypatch.setattr(again, "_LATEST_S", 300.0)
    monkeypatch.setattr(again, "_EARLY_S", 300.0)


def taken(golden: GoldenSet, took_s: float, *, few: bool) -> GoldenSet:
    """Return the set, or the `few` questions at its edges, with answers that took so long."""
    places = [n for n, question in enumerate(golden.questions) if question.edge or not few]
    return replace(
        golden,
        questions=tuple(golden.questions[n] for n in places),
        answers=tuple(replace(golden.answers[n], took_s=took_s) for n in places),
    )


def test_what_answers_as_before_is_green_though_clients_wrote(ground: Ground) -> None:
    early = ground.write("green")
    asked, unlike = ground.ask(taken(ground.golden, BUSY_S, few=False), early)
    assert unlike == ()
    assert asked.compared >= len(ground.golden.questions)
    assert asked.by_rows > asked.compared // 2
    assert not ground.golden.unsteady
    assert not asked.unasked


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in OF_EACH_KIND else pytest.mark.wide)
        for name in sorted(SABOTAGES.keys() - NOT_BY_ONE)
    ],
)
def test_what_is_planted_is_seen(name: str, ground: Ground) -> None:
    took_s = 0.005 if name.startswith("slow") else BUSY_S
    with planted(ground.service, SABOTAGES[name]):
        early = ground.write(name)
        _, unlike = ground.ask(taken(ground.golden, took_s, few=name not in NEEDS_ALL), early)
    assert unlike, "nothing differs"
    told = " ".join(one.against for one in unlike)
    # A set that was recorded with the defect in it would tell nothing: rows tell alone.
    assert ("rows of the database" in told) == (name not in BY_SET_ALONE)
    assert all(one.expected != one.seen for one in unlike)


def test_one_host_of_two_is_seen_and_named(ground: Ground, tmp_path: Path) -> None:
    origin = ground.service.directory.parent / "origin.git"
    other = Service(tmp_path / "other", origin, ground.service.database_url)
    other._run("git", "checkout", "--quiet", "--force", f"tags/{OLD}")
    files = edited(texts_of(RECIPE.layers, OLD), [SABOTAGES["one-host-rounds"]], failing=False)
    for path, text in files.items():
        (other.app / path).write_text(text.replace('"2" in socket.gethostname()', "True"))
    healthy = dict(ground.place.direct_urls)
    with running(other):
        ground.place.direct_urls = healthy | {"host-2": other.url}
        try:
            _, unlike = ground.ask(taken(ground.golden, BUSY_S, few=True), ())
        finally:
            ground.place.direct_urls = healthy
    assert {one.hosts for one in unlike} == {("host-2",)}
    assert {one.place.partition(".")[2] for one in unlike} == {"price_cents"}
