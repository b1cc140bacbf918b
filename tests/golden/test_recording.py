"""A golden set as it is recorded: what differs each time, what only sometimes, and what is asked."""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rollback_drill.cli import main
from rollback_drill.golden.again import SOON_S, Again, Asking
from rollback_drill.golden.recording import record_on
from rollback_drill.ground.errors import Exit, StageError, UsageError
from rollback_drill.stage import questioning
from rollback_drill.stage.entries import Limits
from rollback_drill.stage.host import LocalHost
from rollback_drill.stage.questioning import record_golden
from rollback_drill.subject.questions import GoldenSet, Tells, golden_of, read_golden
from rollback_drill.subject.subject import SUBJECTS
from rollback_drill.traffic.interface import DESCRIBED, Interface, Operation

KEY = "the-key"
INTERFACE = Interface(
    operations=(
        Operation("list", "GET", "/notes?limit=2", follow="Next"),
        Operation("note", "PUT", "/notes/{reference}", body="{}", read_back="/notes/{reference}"),
        Operation("one", "GET", "/things/{number}"),
    ),
)
NOTES = [{"id": f"n{number}", "text": f"note {number}"} for number in range(5)]


class Notes(BaseHTTPRequestHandler):
    """Lists notes in pages of two. `turn`: counts what was asked."""

    turn: Iterator[int]
    ticks = False
    empty = range(0)  # turns at which it lists nothing
    rows: list[dict[str, str]]
    otherwise = ""
    heard: list[str]
    document: object = None

    def do_GET(self) -> None:
        self.heard.append(self.path)
        if self.headers["X-API-Key"] != KEY:
            self._answer(401, {"error": "who?"})
            return
        if self.otherwise == "cached" and self.headers["If-None-Match"]:
            self._answer(304, {})
            return
        if self.otherwise == "unknown_breaks" and "unknown=" in self.path:
            self._answer(500, {})
            return
        where, _, query = self.path.partition("?")
        if self.otherwise == "loose":
            where = where.lower()
        if where.endswith("/") or where.upper() == where or where.startswith("//"):
            self._answer(404, {"error": "nowhere"})
            return
        if where == "/openapi.json":
            self._answer(200, self.document)
            return
        asked = dict(part.split("=", 1) for part in query.split("&") if part)
        if where == "/notes":
            self._list(asked)
        elif where.startswith("/notes/"):
            found = [one for one in self.rows if one["id"] == where[7:]]
            self._answer(200 if found else 404, *(found or [{"error": "none"}]))
        else:
            self._answer(200, {"thing": where})

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return what stands in the header Date."""
        if self.otherwise == "late":
            return "Wed, 01 Jan 2020 00:00:00 GMT"
        return super().date_time_string(timestamp)

    def do_HEAD(self) -> None:
        self._answer(500 if self.otherwise == "headless" else 200, None)

    def do_OPTIONS(self) -> None:
        self._answer(405, {})

    def _list(self, asked: dict[str, str]) -> None:
        start = int(asked.get("from", "0"))
        body: dict[str, Any] = {"notes": self.rows[start : start + 2]}
        turn = next(self.turn)
        if self.otherwise == "odd" and asked.get("limit") == "37":
            body["notes"] = body["notes"][:-1]
        if self.ticks:
            body["moment"] = turn
        if turn in self.empty:
            body["notes"] = []
        further = {"Next": f"/notes?limit=2&from={start + 2}"} if start + 2 < len(self.rows) else {}
        self._answer(200, body, further | ({"X-Turn": str(turn)} if self.ticks else {}))

    def _answer(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        text = b"" if self.command == "HEAD" else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def notes() -> type[Notes]:
    return type(
        "OfOneTest", (Notes,), {"turn": itertools.count(1), "rows": list(NOTES), "heard": []}
    )


@pytest.fixture
def place(notes: type[Notes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(questioning, "_TWICE_S", 0.0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), notes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield SimpleNamespace(
        base_url=url,
        direct_urls={"host-1": url},
        api_key=KEY,
        interface=INTERFACE,
        subject=SUBJECTS.members()[DESCRIBED](INTERFACE),
        database=None,
        limits=None,
        no_document="a test has none",
    )
    server.shutdown()
    server.server_close()


def record(place: Any, seed: int = 1) -> GoldenSet:
    return record_golden(place.subject, place, place.base_url, "v1", seed, "a healthy day")


def ask(place: Any, golden: GoldenSet | None) -> tuple[Any, tuple[Any, ...]]:
    """Ask again; how long answers take does not count."""
    if golden:
        golden = replace(golden, answers=tuple(replace(a, took_s=60.0) for a in golden.answers))
    told = Again(
        golden=golden,
        why="" if golden else "there is none",
        owed=bool(golden),
        tells=frozenset(Tells),
        declared=(),
        fields=frozenset(),
        ours=lambda row: "drill-" in str(row),
        written=1,
        seed=1,
    )
    return Asking(place, told).run()


def test_pages_rows_strangers_and_numbers_are_asked(place: Any) -> None:
    golden = record(place)
    paths = {str(one) for one in golden.questions}
    assert {"GET /notes?limit=2", "GET /notes?limit=2&from=2", "GET /notes?limit=2&from=4"} <= paths
    assert {f"GET /notes/{row['id']}" for row in NOTES} <= paths
    assert {"GET /notes/golden-absent", "GET /notes?limit=2 without the key"} <= paths
    assert {"GET /notes?limit=0", "GET /notes?limit=-1", "GET /things/1"} <= paths
    assert all(one.method == "GET" for one in golden.questions if not one.front)
    statuses = {answer.status for answer in golden.answers}
    assert statuses == {200, 401, 404, 405}
    written = {one.path for one in golden.questions if one.written}
    assert {path for path in written if path.startswith("/things")} == set()


DOCUMENT = {
    "paths": {
        "/notes": {
            "get": {
                "parameters": [
                    {"name": "from", "in": "query", "schema": {"type": "integer", "minimum": 0}},
                    {"name": "sort", "in": "query", "schema": {"enum": ["up", "down"]}},
                ]
            },
            "delete": {"parameters": [{"name": "all", "in": "query"}]},
        }
    }
}


def test_reads_are_asked_for_as_others_would_and_nothing_is_written(place: Any) -> None:
    golden = record(place)
    asked = {str(one) for one in golden.questions}
    assert {
        "HEAD /notes?limit=2",
        "OPTIONS /notes?limit=2",
        "GET /notes/?limit=2",
        "GET /NOTES?limit=2",
        "GET /notes?limit=37",
        "GET /notes?limit=2&limit=2",
        "GET /notes?limit=2&unknown=1",
        'GET /notes?limit=2 with If-None-Match: "0"',
        "GET /things/1 with Range: bytes=0-9",
    } <= asked
    assert "GET /notes?limit=2 with Range: bytes=0-9" not in asked  # its rows change
    assert {one.method for one in golden.questions} == {"GET", "HEAD", "OPTIONS"}
    assert not any(one.front and one.edge for one in golden.questions)


def test_where_there_are_limits_fewer_ways_are_tried(place: Any) -> None:
    every = sum(one.front for one in record(place).questions)
    place.limits = Limits(rate=1000.0)
    assert 0 < sum(one.front for one in record(place).questions) <= 2 * 12 <= every


def test_what_a_document_says_of_parameters_is_asked(place: Any, notes: type[Notes]) -> None:
    notes.document = DOCUMENT
    place.interface = replace(INTERFACE, document="/openapi.json")
    asked = {one.path for one in record(place).questions}
    assert {"/notes?limit=2&from=7", "/notes?limit=2&sort=up", "/notes?limit=2&sort=down"} <= asked
    assert not any("all=" in one for one in asked)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cached", 'with If-None-Match: "0"'),
        ("headless", "HEAD /"),
        ("loose", "/THINGS/1"),
        ("odd", "limit=37"),
        ("unknown_breaks", "unknown=1"),
    ],
)
def test_an_answer_to_another_way_of_asking_turns_red(
    place: Any, notes: type[Notes], name: str, said: str
) -> None:
    golden = record(place)
    assert ask(place, golden)[1] == ()
    notes.otherwise = name
    _, unlike = ask(place, golden)
    assert unlike
    assert any(said in one.question for one in unlike), unlike
    assert {one.host for one in unlike} == {"front door"}


def test_answers_of_another_time_are_found_wherever_they_come_from(
    place: Any, notes: type[Notes]
) -> None:
    golden = record(place)
    notes.otherwise = "late"
    _, unlike = ask(place, golden)
    assert {(one.place, one.seen) for one in unlike} == {("header date", "of another time")}
    assert {host for one in unlike for host in one.hosts} == {"host-1"}  # a front door may add some
    late = record(place)
    assert ask(place, late)[1] == ()


def test_what_breaks_on_a_healthy_day_is_not_asked_again(place: Any, notes: type[Notes]) -> None:
    notes.otherwise = "unknown_breaks"
    golden = record(place)
    notes.heard = []
    told, unlike = ask(place, golden)
    assert (unlike, told.edges) == ((), 0)
    assert not any("unknown=1" in one for one in notes.heard)


def test_the_same_seed_asks_the_same(place: Any) -> None:
    assert record(place, 1).digest == record(place, 1).digest
    assert record(place, 1).digest != record(place, 2).digest


def test_what_is_kept_is_read_again(place: Any, tmp_path: Path) -> None:
    golden = record(place)
    (tmp_path / "golden.json").write_text(golden.to_json())
    assert read_golden(tmp_path / "golden.json") == golden


def test_what_differs_each_time_is_found_and_told(place: Any, notes: type[Notes]) -> None:
    notes.ticks = True
    golden = record(place)
    (number, *_) = [n for n, one in enumerate(golden.questions) if one.path == "/notes?limit=2"]
    assert golden.volatile_of(number) == ("header x-turn", "moment")
    assert not golden.unsteady
    assert ask(place, golden)[1] == ()


def test_what_only_sometimes_differs_is_no_such_field(place: Any, notes: type[Notes]) -> None:
    notes.empty = range(4, 8)  # the first pages of the first time that all is asked
    golden = record(place)
    assert golden.volatile == {}
    assert golden.unsteady
    assert ask(place, golden)[1] == ()


def test_a_difference_is_found_and_the_rows_of_the_drill_are_none(
    place: Any, notes: type[Notes]
) -> None:
    golden = record(place)
    notes.rows.append({"id": "drill-1", "text": "drill-1"})
    asked, unlike = ask(place, golden)
    assert unlike == ()
    assert asked.places["host-1"] == sum(not one.front for one in golden.questions)
    assert asked.compared == asked.places["host-1"] + asked.places["front door"]
    notes.rows[1] = {"id": "n1", "text": "note 2"}
    _, unlike = ask(place, golden)
    assert {(one.place, one.expected, one.seen) for one in unlike} >= {("text", "note 1", "note 2")}


def test_a_host_without_an_answer_is_a_difference(place: Any) -> None:
    golden = record(place)
    place.direct_urls = {"host-1": "http://127.0.0.1:9"}
    _, unlike = ask(place, golden)
    assert {one.place for one in unlike if "host-1" in one.hosts} == {"answer"}


def test_what_cannot_be_asked_is_not_recorded(place: Any) -> None:
    place.base_url = "http://127.0.0.1:9"
    with pytest.raises(StageError, match="no connection"):
        record_golden(place.subject, place, place.base_url, "v1", 1, "")


def test_without_a_set_and_without_rows_nothing_is_compared(place: Any) -> None:
    asked, unlike = ask(place, None)
    assert (asked.compared, asked.by_rows, asked.why, unlike) == (0, 0, "there is none", ())


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"release": 1}', "\udcff"])
def test_what_is_no_set_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "golden.json"
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(UsageError, match="make golden"):
        read_golden(path)
    with pytest.raises(ValueError):  # noqa: PT011 - any
        golden_of(text)


def test_mistakes_are_told_before_anything_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = f"{tmp_path}/none.json"
    assert main(["drill", f"--golden={missing}", f"--report={tmp_path}/report"]) == Exit.USAGE
    assert "make golden" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()
    assert main(["golden", "--stage=processes", f"--to={missing}"]) == Exit.USAGE
    assert "STAGE=FILE.toml" in capsys.readouterr().err


@pytest.fixture
def staging(place: Any, tmp_path: Path) -> Any:
    """An environment with v1 and v2 on its host, and v1 checked out."""
    folder = tmp_path / "deployed"
    folder.mkdir()
    host = LocalHost("host-1", folder, dict(os.environ))
    made = host.run(
        "git init -q . && git config user.name a && git config user.email a@example.com\n"
        "for tag in v1 v2; do git commit -q --allow-empty -m $tag; git tag $tag; done\n"
        "git checkout -q v1",
        limit_s=30,
    )
    assert made.ok, made.stderr
    place.name, place.stable, place.hosts = "staging", "v1", (host,)
    place.limits = Limits(rate=1000)
    return place


def test_a_staging_environment_is_recorded_while_its_stable_release_is_there(staging: Any) -> None:
    golden = record_on(staging, 1)
    assert golden.release == "v1"
    assert golden.source.startswith("what v1 answered on staging")
    assert len(golden.questions) == len(golden.answers) > 20
    assert ask(staging, golden)[1] == ()


def test_another_release_is_not_recorded(staging: Any) -> None:
    (host,) = staging.hosts
    assert host.run("git checkout -q v2", limit_s=30).ok
    with pytest.raises(UsageError, match=r"v1, the stable release.*found v2"):
        record_on(staging, 1)


def test_no_more_is_asked_than_a_limit_allows(staging: Any) -> None:
    golden = record_on(staging, 1)
    staging.limits = Limits(rate=10)
    asked, unlike = ask(staging, golden)
    most = 10 * SOON_S
    assert sum(asked.places.values()) <= most < asked.unasked + sum(asked.places.values())
    assert (asked.edges, unlike) == (0, ())
