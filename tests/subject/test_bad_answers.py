"""A service that answers anything: nobody who asks it breaks, waits without end, or is satisfied."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import strategies as st

from rollback_drill.ground.errors import DrillError, StageError
from rollback_drill.ground.finding import Finding
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.timeline import Timeline
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.questioning import record_golden
from rollback_drill.subject.described.subjects import Described
from rollback_drill.subject.hostaway.cursors import KeptCursors
from rollback_drill.subject.hostaway.sentinels.adoption import Adoption
from rollback_drill.subject.hostaway.sentinels.pages import Pages
from rollback_drill.subject.hostaway.sentinels.security import Security
from rollback_drill.subject.hostaway.subjects import Hostaway
from rollback_drill.subject.questions import golden_of
from rollback_drill.traffic.interface import Interface, Operation
from rollback_drill.watch import prometheus
from rollback_drill.watch.metrics.page import read_measured
from rollback_drill.watch.sentinel import StageSentinel
from rollback_drill.watch.sentinels.monitoring import Metrics
from steps.fix_examples import Examples
from tests.stage.bad_server import BadServer

NAMES = (
    *("items", "listings", "reservations", "id", "meta", "total", "nextCursor", "count", "offset"),
    *("limit", "paths", "/api/x/{id}", "get", "post", "data", "result", "metric", "value", "alerts"),
    *("groups", "rules", "type", "state", "labels", "context_protection", "list_requests", "status"),
    *("pagination_adoption", "guest_name", "total_cents", "reference", "notes", "name"),
)  # fmt: skip
SINGLE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-2, 600), st.floats(), st.text(max_size=9),
    st.sampled_from(("nan", "inf", "1e999", "1", "-1", "9" * 5000, "\ud800", "\0", "../..", "a\r\nb: c")),
)  # fmt: skip
JSON = st.recursive(
    SINGLE,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=20,
)
HEALTH = st.fixed_dictionaries(
    {"context_protection": st.fixed_dictionaries({"list_requests": SINGLE, "pagination_adoption": SINGLE})}
)  # fmt: skip
BODIES = st.one_of(
    JSON.map(lambda value: json.dumps(value).encode()),
    HEALTH.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=30),
    st.sampled_from((b"[" * 5000, b'{"id": 1, "id": 2}', b"\xff\xfe{}", b"x 1\nx 1\n", b"x{ 1\n")),
)
STATUSES = st.sampled_from((200, 200, 200, 201, 204, 302, 400, 404, 429, 500, 503, 999))
HEADERS = st.sampled_from(
    (b"", b"Link: <" + b"a" * 300 + b">; rel=next\r\n", b"Content-Type: text/plain\r\n")
)
NOTES = Operation("notes", "GET", "/notes")
NOTE = Operation(
    "note", "POST", "/notes", '{"name": "{reference}"}', read_back="/notes/{reference}"
)


class Unreachable:
    """A database that nobody reaches, so that nothing can be read back."""

    def fetch(self, query: str, parameters: object = ()) -> list[tuple[Any, ...]]:
        raise StageError("a database", "none", "there is none in this test")


@pytest.fixture(scope="module")
def answers() -> Iterator[tuple[dict[str, bytes], BadServer]]:
    """A server, and what it answers next."""
    held = {"raw": b""}
    with BadServer(lambda: iter((held["raw"],))) as server:
        yield held, server


def asking(url: str, folder: Path) -> dict[str, Callable[[], object]]:
    """Return who asks: each may find that out, or say in our words that it could not."""
    place: Any = SimpleNamespace(
        base_url=url, direct_urls={"host-1": url}, api_key="k", interface=Interface(), limits=None,
        database=Unreachable(), known=True, secrets=(), subject=Hostaway(Interface()), environment={},
    )  # fmt: skip
    hostaway = Hostaway(place.interface)
    described = Described(Interface(operations=(NOTES, NOTE)))
    other: Any = SimpleNamespace(
        **{**vars(place), "interface": Interface(operations=(NOTES, NOTE))}
    )
    cursors = KeptCursors(url, "k", Timeline(folder / "timeline.jsonl"))

    def kept() -> None:
        cursors.keep()
        cursors.show("later")

    def look(one: type[StageSentinel]) -> Callable[[], object]:
        return lambda: one(place).look()  # type: ignore[attr-defined]

    return {
        "all works": lambda: hostaway.all_works(place),
        "strangers": lambda: hostaway.strangers_refused(place),
        "stable": lambda: hostaway.serves_stable(place),
        "writes": lambda: hostaway.writes_kept(place),
        "described strangers": lambda: described.strangers_refused(other),
        "described writes": lambda: described.writes_kept(other),
        "cursors": kept,
        "adoption": look(Adoption),
        "pages": look(Pages),
        "security": look(Security),
        "metrics": look(Metrics),
        "measured": lambda: read_measured(place, "host-1"),
        "alerts": lambda: prometheus.alerts(url),
        "query": lambda: prometheus.query(url, "up"),
        "again": lambda: described.read_again(other, "note", "an-absent-one"),
    }


UNSATISFIED = {"strangers", "stable", "writes", "described strangers", "described writes"}
"""Who wants more than an answer can hold that is the same for every question."""


def test_whoever_asks_gets_by_with_any_answer(
    examples: Examples, answers: tuple[dict[str, bytes], BadServer], tmp_path: Path
) -> None:
    held, server = answers
    askers = asking(server.url, tmp_path)

    def ask(example: tuple[str, int, bytes, bytes]) -> None:
        name, status, header, body = example
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        held["raw"] = head.encode() + header + b"\r\n" + body
        with suppress(NoAnswer, DrillError):
            found = askers[name]()
            if isinstance(found, Finding):
                assert found.verdict is not Verdict.PASSED or name not in UNSATISFIED
            numbers = getattr(found, "numbers", {})
            assert all(map(math.isfinite, numbers.values()))

    examples.hold(40, st.tuples(st.sampled_from(sorted(askers)), STATUSES, HEADERS, BODIES), ask)


def test_a_golden_set_of_any_answers_is_recorded_or_refused(
    examples: Examples, answers: tuple[dict[str, bytes], BadServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    held, server = answers
    monkeypatch.setattr("rollback_drill.stage.questioning._TWICE_S", 0.0)
    subject = Described(Interface(operations=(NOTES, NOTE)))
    place: Any = SimpleNamespace(
        base_url=server.url, direct_urls={"host-1": server.url}, api_key="k",
        interface=Interface(operations=(NOTES, NOTE)), limits=None,
    )  # fmt: skip

    def record(example: tuple[int, bytes]) -> None:
        status, body = example
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        held["raw"] = head.encode() + body
        with suppress(StageError):
            made = record_golden(subject, place, server.url, "v1", 1, "a test")
            assert golden_of(made.to_json()) == made

    examples.hold(15, st.tuples(STATUSES, BODIES), record)


def answered(status: int, body: object) -> bytes:
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    return head.encode() + content


@pytest.mark.parametrize("count", ["", None, "nan", float("inf"), -1, True, [1]])
@pytest.mark.parametrize("name", ["list_requests", "pagination_adoption"])
def test_what_is_no_count_of_lists_is_unknown(
    answers: tuple[dict[str, bytes], BadServer], tmp_path: Path, name: str, count: object
) -> None:
    held, server = answers
    state = {"list_requests": 10, "pagination_adoption": 0.5, name: count}
    held["raw"] = answered(200, {"context_protection": state})
    look: Any = asking(server.url, tmp_path)["adoption"]()
    assert (look.verdict, look.numbers) == (Verdict.UNKNOWN, {})


@pytest.mark.parametrize("number", ["abc", None, 1.5, 2**70])
def test_a_reservation_without_a_number_fails(
    answers: tuple[dict[str, bytes], BadServer], tmp_path: Path, number: object
) -> None:
    held, server = answers
    held["raw"] = answered(201, {"id": number})
    found: Any = asking(server.url, tmp_path)["writes"]()
    assert found.verdict is Verdict.FAILED
