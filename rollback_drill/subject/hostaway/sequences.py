"""A reservation's life, asked step by step: made, changed, and read at every host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rollback_drill.stage.asking import keyed
from rollback_drill.stage.http import Answer, Client
from rollback_drill.subject.subject import Place

_TIMEOUT_S = 5.0
_CHANGED = {"total_cents": 54_321, "status": "cancelled"}
_TOUCHED = "updated_at"  # by whatever changes the row


def wrong_in_life(place: Place, sent: Mapping[str, object], made: Answer) -> Iterator[str]:
    """Yield what is wrong with the reservation that `made` acknowledges, read and changed. Raises
    NoAnswer. It is not made again: the refusal stands as an error in the database's log.
    """
    row = _object(made)
    for name, value in sent.items():
        if row.get(name) != value:
            yield f"made with {name} {value!r}, acknowledged with {row.get(name)!r}"
    path = f"/api/reservations/{row.get('id')}"
    with _client(place, place.base_url) as http:
        yield from _unlike(place, path, row, "once made")
        changed = http.request("PATCH", path, json=_CHANGED)
        if changed.status != 200:
            yield f"a change was answered {changed.status}, not 200"
            return
    wanted = row | _CHANGED
    yield from _differing(_object(changed), wanted, "the answer to a change")
    yield from _unlike(place, path, wanted, "once changed")


def _unlike(place: Place, path: str, wanted: Mapping[str, object], when: str) -> Iterator[str]:
    """Read it at every host, each of which must say the same."""
    for where, url in place.direct_urls.items():
        with _client(place, url) as http:
            answer = http.get(path)
        if answer.status == 200:
            yield from _differing(_object(answer), wanted, f"{where}, {when},")
        else:
            yield f"{where}, {when}, answers its details with {answer.status}"


def _differing(
    found: Mapping[str, object], wanted: Mapping[str, object], who: str
) -> Iterator[str]:
    for name in sorted(found.keys() | wanted.keys()):
        if name != _TOUCHED and found.get(name) != wanted.get(name):
            yield f"{who} has {name} {found.get(name)!r}, not {wanted.get(name)!r}"


def _object(answer: Answer) -> dict[str, object]:
    body = answer.json()
    return body if isinstance(body, dict) else {}


def _client(place: Place, url: str) -> Client:
    return Client(url, keyed(place), limit_s=_TIMEOUT_S)
