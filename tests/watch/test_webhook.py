"""The webhook: takes incidents and tickets, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rollback_drill.record.timeline import Timeline, read
from rollback_drill.watch.told import Reported
from rollback_drill.watch.webhook import Webhook


@pytest.fixture
def hooked(tmp_path: Path) -> Iterator[tuple[Webhook, Timeline]]:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    with Webhook(timeline) as webhook:
        yield webhook, timeline
    timeline.close()


def test_reports_go_to_the_timeline(hooked: tuple[Webhook, Timeline]) -> None:
    webhook, timeline = hooked
    incident = {"severity": "P0", "title": "nobody can book", "reporter": "on-call"}
    ticket = {"priority": "high", "title": "x" * 5_000, "reporter": "Acme"}
    assert httpx.post(f"{webhook.url}/incidents", json=incident).status_code == 202
    assert httpx.post(f"{webhook.url}/tickets", json=ticket).status_code == 202
    found = [event.what for event in read(timeline.path)]
    assert found == [
        Reported("incident", "P0", "nobody can book", "on-call"),
        Reported("ticket", "high", "x" * 200, "Acme"),
    ]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"severity": 0, "title": "a", "reporter": "b"}']
)
def test_what_is_no_report_is_refused_with_a_sentence(
    hooked: tuple[Webhook, Timeline], body: bytes
) -> None:
    webhook, timeline = hooked
    answer = httpx.post(f"{webhook.url}/incidents", content=body)
    assert answer.status_code == 400
    assert "severity" in answer.json()["detail"]
    assert timeline.path.read_text() == ""


def test_other_paths_and_methods_are_refused(hooked: tuple[Webhook, Timeline]) -> None:
    webhook, _ = hooked
    assert httpx.post(f"{webhook.url}/elsewhere", json={}).status_code == 404
    assert httpx.get(f"{webhook.url}/incidents").status_code == 501


def test_it_is_gone_afterwards(tmp_path: Path) -> None:
    with Webhook(Timeline(tmp_path / "timeline.jsonl")) as webhook:
        url = webhook.url
    with pytest.raises(httpx.ConnectError):
        httpx.post(f"{url}/incidents", json={})
