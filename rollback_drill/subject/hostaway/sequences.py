"""A reservation's life, asked step by step: made, changed, and read at every host."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from rollback_drill.ground import clock
from rollback_drill.stage.asking import keyed
from rollback_drill.stage.http import Answer, Client
from rollback_drill.subject.subject import Place

_TIMEOUT_S = 5.0
_SHOWN = 60  # characters of a value
_CHANGED = {"total_cents": 54_321, "status": "cancelled"}
_TOUCHED = "updated_at"  # by whatever changes the row
# What is allowed and seldom comes: as long as may be, of every script, with blanks around it and
# letters of two parts; a leap day, a long stay, a large sum.
_RARE: dict[str, object] = {
    "guest_name": f" Zoe\u0308 \U0001f986 李  小龍 {'x' * 182} ",
    "check_in": "2032-02-29",
    "check_out": "2033-03-27",
    "total_cents": 2**31 - 1,
}
# One after the other: alone, down to nothing, and with what a careless release takes for none.
_ONE_BY_ONE: tuple[dict[str, object], ...] = (
    {"status": "cancelled"},
    {"guest_name": f"{'y' * 199}é"},
    {"total_cents": 0},
    {"guest_name": " Ada "},
    {"total_cents": 2**31 - 1},
    {"status": "completed"},
)
# Sent at once, each by a client of its own: none may be lost.
_AT_ONCE: tuple[dict[str, object], ...] = (
    {"guest_name": "Ada"},
    {"status": "confirmed"},
    {"total_cents": 77},
)


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


def wrong_in_rare_life(place: Place, sent: Mapping[str, object], reference: str) -> Iterator[str]:
    """Yield what is wrong with a reservation whose values are rare, once made, changed one by one,
    and changed by several clients at once. `sent`: another that may be made. Raises NoAnswer.
    """
    asked = {**sent, **_RARE, "reference": reference}
    with _client(place, place.base_url) as http:
        made = http.request("POST", "/api/reservations", json=asked)
        if made.status != 201:
            yield f"a reservation of rare values was answered {made.status}, not 201"
            return
        row = _object(made)
        for name, value in asked.items():
            if row.get(name) != value:
                yield f"made with {name} {_short(value)}, acknowledged with {_short(row.get(name))}"
        path = f"/api/reservations/{row.get('id')}"
        yield from _unlike(place, path, row, "once made of rare values")
        for change in _ONE_BY_ONE:
            row |= change
            changed = http.request("PATCH", path, json=change)
            if changed.status != 200:
                yield f"changed by {', '.join(change)} alone, it is answered {changed.status}"
                return
            yield from _differing(_object(changed), row, "the answer to one change")
    yield from _unlike(place, path, row, "once changed one by one")
    yield from _changed_at_once(place, path, row)


def _changed_at_once(place: Place, path: str, row: dict[str, object]) -> Iterator[str]:
    urls = itertools.cycle([*place.direct_urls.values(), place.base_url])

    def change(asked: tuple[str, dict[str, object]]) -> int:
        url, fields = asked
        with _client(place, url) as http:
            return http.request("PATCH", path, json=fields).status

    statuses = clock.at_once(change, list(zip(urls, _AT_ONCE, strict=False)))
    if set(statuses) != {200}:
        yield f"changes at once were answered {', '.join(map(str, statuses))}, not 200"
        return
    for change_ in _AT_ONCE:
        row |= change_
    yield from _unlike(place, path, row, "once changed by several at once")


def _short(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(str(value))} letters)"


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
            yield f"{who} has {name} {_short(found.get(name))}, not {_short(wanted.get(name))}"


def _object(answer: Answer) -> dict[str, object]:
    body = answer.json()
    return body if isinstance(body, dict) else {}


def _client(place: Place, url: str) -> Client:
    return Client(url, keyed(place), limit_s=_TIMEOUT_S)
