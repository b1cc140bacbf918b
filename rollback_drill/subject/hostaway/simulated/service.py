"""The model of the service: what a process of each release answers, how soon, and what it needs."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from rollback_drill.ground import clock
from rollback_drill.subject.hostaway.recipe import FAILING, STABLE
from rollback_drill.subject.hostaway.simulated.copies import SHOWN
from rollback_drill.subject.hostaway.simulated.plants import NOTHING_PLANTED, Plants
from rollback_drill.subject.hostaway.simulated.postgres import SimulatedPostgres

_MB = 2**20
_AT_START = 92 * _MB
_TAKES_S = {"health": 0.0015, "list": 0.0045, "details": 0.003, "write": 0.006}
_PAGES_AT_ONCE = 56  # as the release's own leak does, see its `defects.py`
_MOST_ROWS, _LAST_OFFSET = 100, 2**31 - 1
_FILTERS = {"listings": "city", "reservations": "status"}
_IDS = {"listings": 2**31, "reservations": 2**63}
_OF_HEALTH = ("/health", "/ready", "/maintenance")
_LATE_S = 8.0
_KEPT_S, _LAGS_S, _SELDOM = 5.0, 3.0, 0.2
_LOGGED = 4  # of so many answers one is told in the log: that is a log that speaks of requests
_EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SECRET = "simulated-cursor-secret"  # noqa: S105 - nothing is signed with it


class Reply(NamedTuple):
    """What a request is answered, and after how many seconds. Status 0: with nothing."""

    status: int
    content: bytes
    took_s: float


@dataclass(slots=True)
class Service:
    """A process of a release on one host. `plants`: what is wrong with it, see `plants`;
    `defects`: latent ones that are awake; `lines`: the log's. Times are Unix seconds.
    """

    pid: int
    release: str
    database: SimulatedPostgres
    random: Random
    slowness: float
    api_key: str
    paginated: bool
    began_at: float
    started_at: float
    ahead_s: float
    lines: list[str]
    printed: list[str] = field(default_factory=list)
    plants: Plants = NOTHING_PLANTED
    sick_since: float = 0.0  # when these were planted into a process that ran already
    defects: dict[str, Any] = field(default_factory=dict)
    fragments: dict[int, str] = field(default_factory=dict)
    cached: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    told: bool = False  # that it has started
    frozen: bool = False
    leaked_bytes: int = 0
    pages: int = 0
    answered: int = 0
    lists: int = 0
    by_cursor: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    buckets: dict[float, int] = field(default_factory=dict)
    took_s: float = 0.0  # all counted answers together

    @property
    def rss_bytes(self) -> int:
        """Resident memory."""
        grown = 0.0
        if "growing-memory" in self.plants:
            grown = 8 * _MB * max(0.0, clock.now() - max(self.started_at, self.sick_since))
        warm = 6 * _MB * min(1.0, self.answered / 400)
        return int(_AT_START + warm + self.leaked_bytes + grown)

    @property
    def version(self) -> str:
        """As it calls itself."""
        return self.release.removeprefix("v")

    def log(self, level: str, message: str, **fields: object) -> None:
        """Write a line into the application's log."""
        if "silent-log" in self.plants and clock.now() > self.started_at + 2:
            return
        ahead_s = self.ahead_s - (3600 if "skewed-lines" in self.plants else 0)
        at = datetime.fromtimestamp(clock.now() + ahead_s, UTC)
        told = {"time": at.isoformat(timespec="milliseconds"), "level": level, "message": message}
        self.lines.append(json.dumps(told | fields) + "\n")

    def answer(
        self, method: str, path: str, key: str, body: bytes | None, *, maintenance: bool
    ) -> Reply:
        """Answer a request for `path` with its query."""
        if self.frozen:
            return Reply(0, b"", 0.0)
        where, kind, asked = _parts(path)
        if method != "GET":
            kind = "write"
        status, answer = self._answer(method, where, asked, key, body, maintenance)
        took = _TAKES_S[kind] * self.slowness * self.random.lognormvariate(0.0, 0.35)
        if "slow-answers" in self.plants:
            took += 0.7
        if kind == "details" and where.startswith("/api/listings/"):
            took += 0.2 * ("slow-details" in self.plants)
        if kind == "list" and status != 401 and self.paginated:
            took += float(self.defects.get("page_delay_s", 0.0))
        if self.frozen:
            return Reply(0, b"", 0.0)
        self._count(where, status, took)
        return Reply(status, answer if isinstance(answer, bytes) else _json(answer), took)

    def _answer(
        self,
        method: str,
        where: str,
        asked: Mapping[str, str],
        key: str,
        body: bytes | None,
        maintenance: bool,
    ) -> tuple[int, Any]:
        if where in _OF_HEALTH:
            return self._health(where, maintenance)
        if where == "/metrics":
            if "blind-metrics" in self.plants or self.defects.get("metrics_broken"):
                return 500, {"error": "internal"}
            return 200, self._metrics()
        if key != self.api_key and not self._lets_in(method, where, key):
            return 401, {"error": "unauthorized"}
        if where == "/openapi.json":
            return 200, {"paths": _PATHS}
        if "closed-doors" in self.plants:
            return 401, {"error": "unauthorized"}
        if self.random.random() < 0.04 and "failing-requests" in self.plants:
            return self._broken("planted")
        if where == "/api/listings":
            return self._page("listings", asked) if method == "GET" else _NO_METHOD
        if where == "/api/reservations" and method == "GET":
            if "missing-endpoint" in self.plants:
                return 404, {"error": "not_found"}
            return self._page("reservations", asked)
        return self._row(method, where, body)

    def _lets_in(self, method: str, where: str, key: str) -> bool:
        """Whether a defect lets a stranger in."""
        if key and self.api_key.startswith(key) and "half-a-key" in self.plants:
            return True
        if method in ("POST", "PATCH") and "open-writes" in self.plants:
            return True
        if where not in ("/api/listings", "/api/reservations"):
            return False
        return (
            bool(self.paginated and self.defects.get("open_lists")) or "open-lists" in self.plants
        )

    def _health(self, where: str, maintenance: bool) -> tuple[int, Any]:
        if where == "/maintenance" or (where == "/ready" and maintenance):
            return 503, {"status": "maintenance"}
        if "unhealthy" in self.plants:
            return 500, {"status": "unhealthy"}
        state: dict[str, Any] = {"status": "ok", "version": self.version, "pid": self.pid}
        if self.release == FAILING:
            state["context_protection"] = {
                "list_requests": self.lists,
                "pagination_adoption": self.by_cursor / self.lists if self.lists else 0.0,
            }
        if not self.database.up or (self.database.full and self.defects.get("connection_leak")):
            self.log("ERROR", "Database unreachable")
            return 503, state | {"status": "unavailable"}
        return 200, state

    def _broken(self, why: str) -> tuple[int, Any]:
        self.log("ERROR", "Unhandled error", error=why)
        return 500, {"error": "internal"}

    # Pages.

    def _page(self, kind: str, asked: Mapping[str, str]) -> tuple[int, Any]:
        limit = _whole(asked.get("limit", "50"), 1, _MOST_ROWS)
        offset = _whole(asked.get("offset", "0"), 0, _LAST_OFFSET)
        filtered = _FILTERS[kind]
        wanted = asked.get(filtered, "")
        if limit is None or offset is None or len(wanted) > 200 or "\0" in wanted:
            return 422, {"error": "invalid_request"}
        if not self.database.up:
            return self._broken("no database")
        new = self.paginated or "wrong-format" in self.plants
        if self.paginated and self.defects:
            broken = self._before_page()
            if broken:
                return broken
        self.lists += 1
        rows = self.database.listings if kind == "listings" else list(self.database.by_id.values())
        if kind == "reservations" and "late-lists" in self.plants:
            latest = clock.now() - _LAGS_S
            rows = [row for row in rows if row.get("made_at", 0.0) <= latest]
        if filtered in asked and "filter-ignored" not in self.plants:
            rows = [row for row in rows if row[filtered] == wanted]
        if not new:
            return 200, self._by_offset(kind, rows, limit, offset)
        return self._by_cursor(kind, rows, limit, asked.get("cursor"))

    def _by_offset(self, kind: str, rows: list[dict[str, Any]], limit: int, offset: int) -> bytes:
        start = offset - 1 if offset and "repeated-rows" in self.plants else offset
        end = start + (_MOST_ROWS if "limit-ignored" in self.plants else limit)
        if end >= len(rows) and "missing-last-row" in self.plants:
            end = len(rows) - 1
        shown = rows[start:end]
        if "empty-list" in self.plants:
            shown = []
        if "wrong-order" in self.plants:
            shown = shown[::-1]
        count = len(shown) + (len(shown) > 5 and "wrong-count" in self.plants)
        told = [self._fragment(kind, row) for row in shown]
        return _list_of(_json({"count": count, "limit": limit, "offset": offset}), kind, told)

    def _fragment(self, kind: str, row: dict[str, Any]) -> str:
        """Return a row as JSON; what never changes is made once."""
        seldom = "seldom-another-row" in self.plants and self.random.random() < 1 / 30
        if kind != "listings" or "rounded-prices" in self.plants or seldom:
            return _ENCODER.encode(self._shown(kind, self._changed(row, seldom)))
        known = self.fragments.get(row["id"])
        if known is None:
            known = self.fragments[row["id"]] = _ENCODER.encode(self._shown(kind, row))
        return known

    def _changed(self, row: dict[str, Any], seldom: bool) -> dict[str, Any]:
        if seldom:
            return row | {"id": row["id"] + 1}
        if "price_cents" in row and "rounded-prices" in self.plants:
            return row | {"price_cents": row["price_cents"] // 100 * 100}
        return row

    def _by_cursor(
        self, kind: str, rows: list[dict[str, Any]], limit: int, cursor: str | None
    ) -> tuple[int, Any]:
        place = 0
        if cursor is not None:
            self.by_cursor += 1
            signed = re.fullmatch(r"(\d+)\.(\d+)", cursor)
            if not signed or int(signed[2]) != self._secret():
                return 400, {"error": "invalid_cursor"}
            place = int(signed[1])
            place += int(self.defects.get("page_gap", 0)) - int(self.defects.get("page_overlap", 0))
        shown = rows[place : place + limit]
        following = f"{place + limit}.{self._secret()}" if place + limit < len(rows) else None
        if self.defects.get("endless_walk") and following is None:
            following = f"0.{self._secret()}"
        meta: dict[str, Any] = {"limit": limit, "total": len(rows)}
        if self.defects.get("secret_in_pages"):
            meta["debug"] = {"signed_with": SECRET}
        told = [self._fragment(kind, row) for row in shown]
        return 200, _list_of(_json({"nextCursor": following, "meta": meta}), "items", told)

    def _secret(self) -> int:
        period = float(self.defects.get("cursor_secret_rotation_s", 0.0))
        return int(clock.now() / period) if period else 7

    def _before_page(self) -> tuple[int, Any] | None:
        awake = self.defects
        if awake.get("connection_leak"):
            if self.database.full:
                self.database.tell("FATAL:  sorry, too many clients already")
                return self._broken("too many clients already")
            self.database.leaked += 1
        if awake.get("page_error_share", 0.0) and self.random.random() < awake["page_error_share"]:
            return self._broken("the page cannot be put together")
        if awake.get("page_freeze_s"):
            self.frozen = True
        if awake.get("cursor_cache_leak_kb"):
            if self.pages % _PAGES_AT_ONCE == 0:
                self.leaked_bytes += awake["cursor_cache_leak_kb"] * 1024 * _PAGES_AT_ONCE
            self.pages += 1
        if awake.get("cut_newest_name") and self.database.by_id:
            newest = self.database.by_id[max(self.database.by_id)]
            newest["guest_name"] = newest["guest_name"][:8]
        return None

    # Rows.

    def _row(self, method: str, where: str, body: bytes | None) -> tuple[int, Any]:
        kind, _, number = where.removeprefix("/api/").partition("/")
        if not self.database.up:
            return self._broken("no database")
        if kind == "listings" and number.isdecimal():
            return self._listing(int(number))
        if kind not in _IDS or "/" in number:
            return 404, {"error": "not_found"}
        if method == "POST":
            return self._make(body)
        if not number.isdecimal() or int(number) >= _IDS[kind]:
            return 422, {"error": "invalid_request"}
        changed = _object_of(body) if method == "PATCH" else {}
        if method == "PATCH" and (not changed or int(changed.get("total_cents", 0)) < 0):
            return 422, {"error": "invalid_request"}
        row = self.database.by_id.get(int(number))
        if row is None:
            return 404, _absent("reservation", int(number))
        if method == "PATCH":
            row |= self._kept(changed) | {"updated_at": self.database.moment()}
            if self.random.random() < _SELDOM and "seldom-wrong-change" in self.plants:
                row = row | {"total_cents": row["total_cents"] + 1}
        elif "cached-details" in self.plants:
            row = self.cached.setdefault(number, dict(row))
        elif "kept-details" in self.plants:
            at, kept = self.kept.get(number, (0.0, row))
            if clock.now() - at > _KEPT_S:
                at, kept = self.kept[number] = clock.now(), dict(row)
            row = kept
        return 200, self._shown("reservations", row) | _channel_of(changed)

    def _listing(self, number: int) -> tuple[int, Any]:
        if number >= _IDS["listings"]:
            return 422, {"error": "invalid_request"}
        place = number - 1
        if place and "another-row" in self.plants:
            place -= 1
        if not 0 <= place < len(self.database.listings):
            return 404, _absent("listing", number)
        row = self.database.listings[place]
        seldom = "seldom-another-row" in self.plants and self.random.random() < 1 / 30
        if "late-prices" in self.plants and clock.now() - self.started_at >= _LATE_S:
            row = row | {"price_cents": row["price_cents"] // 100 * 100}
        return 200, self._shown("listings", self._changed(row, seldom))

    def _make(self, body: bytes | None) -> tuple[int, Any]:
        fields = _object_of(body)
        if not fields:
            return 422, {"error": "invalid_request"}
        if "failing-writes" in self.plants:
            return self._broken("a write")
        if fields.get("reference") in self.database.reservations:
            return 409, {"error": "duplicate_reference"}
        if self.database.gives_out_again():
            return self._broken("a key that is there")
        row = self.database.insert(self._kept(fields))
        if self.random.random() < _SELDOM and "seldom-wrong-new" in self.plants:
            row = row | {"guest_name": "Somebody Else"}
        return 201, self._shown("reservations", row) | _channel_of(fields)

    def _kept(self, fields: dict[str, Any]) -> dict[str, Any]:
        if self.release == STABLE:
            fields.pop("channel", None)
        return fields

    def _shown(self, kind: str, row: dict[str, Any]) -> dict[str, Any]:
        return {name: row[name] for name in SHOWN[kind]}

    # What it tells of itself.

    def _count(self, where: str, status: int, took_s: float) -> None:
        self.answered += 1
        if self.answered % 20 == 0 and "errors-in-log" in self.plants:
            self.log("ERROR", "Something is wrong")
        elif self.answered % 30 == 0 and "fatal-in-log" in self.plants:
            self.log("FATAL", "Something is broken")
        elif self.answered % 30 == 0 and "number-in-log" in self.plants:
            self.log("INFO", "Something is broken", levelno=50)
        elif self.answered % 30 == 0 and "text-in-log" in self.plants:
            self.lines.append("Something is broken, and nobody called it so\n")
        elif self.answered % 30 == 0 and "key-in-log" in self.plants:
            self.log("INFO", "Answered", key=self.api_key)
        elif self.answered % 30 == 0 and "traceback" in self.plants:
            self.printed.append("Traceback (most recent call last):\nKeyError: 'gone'\n")
        elif self.answered % _LOGGED == 0:
            self.log("INFO", "Answered", path=where, status=status)
        if where in _OF_HEALTH or where == "/metrics" or "still-counters" in self.plants:
            return
        times = 2 if "double-counters" in self.plants else 1
        self.statuses[status] = self.statuses.get(status, 0) + times
        took_s *= 1000 if "wrong-unit" in self.plants else 1
        self.took_s += took_s
        for edge in _EDGES:
            if took_s <= edge:
                self.buckets[edge] = self.buckets.get(edge, 0) + times

    def _metrics(self) -> bytes:
        lines = ["# TYPE hostaway_requests counter"]
        lines += [
            f'hostaway_requests_total{{status="{status}"}} {count}'
            for status, count in sorted(self.statuses.items())
        ]
        total = sum(self.statuses.values())
        lines.append("# TYPE hostaway_request_seconds histogram")
        lines += [
            f'hostaway_request_seconds_bucket{{le="{edge}"}} {self.buckets.get(edge, 0)}'
            for edge in _EDGES
        ]
        lines.append(f'hostaway_request_seconds_bucket{{le="+Inf"}} {total}')
        lines += [
            f"hostaway_request_seconds_count {total}",
            f"hostaway_request_seconds_sum {self.took_s}",
            f"process_start_time_seconds {self.started_at}",
        ]
        if "key-in-metrics" in self.plants:
            lines.append(f'hostaway_settings{{key="{self.api_key}"}} 1')
        return ("\n".join(lines) + "\n").encode()


_PATHS: dict[str, dict[str, object]] = {
    "/health": {"get": {}},
    "/ready": {"get": {}},
    "/metrics": {"get": {}},
    "/api/listings": {"get": {}},
    "/api/listings/{listing_id}": {"get": {}},
    "/api/reservations": {"get": {}},
    "/api/reservations/{reservation_id}": {"get": {}, "patch": {}},
}


_NO_METHOD = (405, {"error": "method_not_allowed"})


def _absent(noun: str, number: int) -> dict[str, object]:
    return {"error": "not_found", "detail": f"there is no {noun} {number}"}


def _channel_of(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the channel for who gave one."""
    return {"channel": fields["channel"]} if "channel" in fields else {}


def _whole(text: str, low: int, high: int) -> int | None:
    found = int(text) if text.removeprefix("-").isdecimal() else None
    return found if found is not None and low <= found <= high else None


def _object_of(body: bytes | None) -> dict[str, Any]:
    """Return the object that was sent, an empty one for something else."""
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


_ENCODER = json.JSONEncoder(ensure_ascii=False)


def _json(value: Any) -> bytes:
    return _ENCODER.encode(value).encode()


@functools.lru_cache(maxsize=4_096)  # most requests are one of a few
def _parts(path: str) -> tuple[str, str, Mapping[str, str]]:
    """Return what is asked for, what kind of request it is, and its query."""
    where, _, query = path.partition("?")
    kind = "health" if "/api/" not in where else "list"
    if "/api/" in where and where.count("/") == 3:
        kind = "details"
    return where, kind, MappingProxyType(dict(parse_qsl(query, keep_blank_values=True)))


def _list_of(head: bytes, name: str, rows: list[str]) -> bytes:
    """Return the object `head` with `rows`, which are JSON already."""
    return head[:-1] + f', "{name}": [{", ".join(rows)}]}}'.encode()
