"""The webhook: takes incidents and tickets, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rollback_drill.record.timeline import Timeline, read
from rollback_drill.watch.told import Reported
from rollback_drill.watch.webhook import Webhook

INCIDENT = {"severity": "P0", "title": "nobody can book", "reporter": "on-call"}


def key(webhook: Webhook) -> dict[str, str]:
    return {"Authorization": f"Bearer {webhook.token}"}


@pytest.fixture
def hooked(tmp_path: Path) -> Iterator[tuple[Webhook, Timeline]]:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    with Webhook(timeline) as webhook:
        yield webhook, timeline
    timeline.close()


def test_reports_go_to_the_timeline(hooked: tuple[Webhook, Timeline]) -> None:
    webhook, timeline = hooked
    ticket = {"priority": "high", "title": "x" * 5_000, "reporter": "Acme"}
    assert (
        httpx.post(f"{webhook.url}/incidents", headers=key(webhook), json=INCIDENT).status_code
        == 202
    )
    assert (
        httpx.post(f"{webhook.url}/tickets", headers=key(webhook), json=ticket).status_code == 202
    )
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
    answer = httpx.post(f"{webhook.url}/incidents", headers=key(webhook), content=body)
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


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Bearer \xe9"}, 401),
        ({"Authorization": "Basic TOKEN"}, 401),
        ({"Authorization": "Bearer TOKENx"}, 401),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Referer": "https://elsewhere.example/page"}, 403),
        ({"Host": "elsewhere.example:80"}, 403),
        ({"Authorization": "bearer TOKEN"}, 202),
        ({"Host": "localhost:80"}, 202),
    ],
)
def test_only_who_knows_the_token_and_is_no_web_page_may_report(
    hooked: tuple[Webhook, Timeline], changed: dict[str, str], status: int
) -> None:
    webhook, timeline = hooked
    told = {name: value.replace("TOKEN", webhook.token) for name, value in changed.items()}
    headers = [
        (name.encode(), value.encode("latin-1"))
        for name, value in {**key(webhook), **told}.items()
        if value
    ]
    answer = httpx.post(f"{webhook.url}/incidents", headers=headers, json=INCIDENT)
    assert answer.status_code == status
    assert timeline.path.read_text().count("\n") == (status == 202)
    assert webhook.token not in answer.text


def test_the_token_is_its_owners_alone_and_goes_with_the_drill(tmp_path: Path) -> None:
    with Webhook(Timeline(tmp_path / "timeline.jsonl")) as webhook:
        (kept,) = tmp_path.glob("*token*")
        assert kept.read_text() == webhook.token
        assert kept.stat().st_mode & 0o777 == 0o600
    assert not kept.exists()
    assert Webhook(Timeline(tmp_path / "other.jsonl")).token != webhook.token
