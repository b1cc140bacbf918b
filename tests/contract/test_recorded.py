"""How a service kept to its document is recorded, and what is found when it is asked again: of one
whose document says what answers hold, which the demo's does not.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest

from rollback_drill.contract import again
from rollback_drill.contract.again import Holding, hold_alone
from rollback_drill.contract.told import ContractAsked, ContractBroken
from rollback_drill.golden.recording import record_on
from rollback_drill.stage import questioning
from rollback_drill.stage.conformance import OpenApi
from rollback_drill.stage.contracting import record_contract
from rollback_drill.stage.entries import Limits
from rollback_drill.subject.described.subjects import Described
from rollback_drill.subject.documents import Contract, ContractCase, Violation
from rollback_drill.subject.questions import GoldenSet, golden_of
from rollback_drill.traffic.interface import Interface, Operation
from tests.contract.notes import DOCUMENT

KEY = "the-key"
NOTE = {"id": 1, "text": "a note"}
INTERFACE = Interface(document="/openapi.json")


class Notes(BaseHTTPRequestHandler):
    """Lists one note, and refuses all that is wrong. `defect`: what it does otherwise."""

    defect = ""
    document: object = DOCUMENT
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.command)
        where, _, query = self.path.partition("?")
        limits = parse_qs(query, keep_blank_values=True).get("limit", ["1"])
        good = all(one.isascii() and one.isdecimal() and one != "0" for one in limits)
        if self.headers["X-API-Key"] != KEY:
            self._answer(401, {})
        elif where == "/openapi.json" and self.document is not None:
            self._answer(200, self.document)
        elif where != "/notes":
            self._answer(404, {})
        elif not good and self.defect != "accepts":
            self._answer(500 if self.defect == "breaks" else 422, {})
        else:
            self._answer(200, [self._note()])

    def _note(self) -> dict[str, object]:
        if self.defect == "wrong type":
            return NOTE | {"id": "1"}
        return {"id": 1} if self.defect == "missing field" else NOTE

    def _others(self) -> None:
        self.asked.append(self.command)
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.command == "DELETE" and self.defect == "hangs up":
            self.close_connection = True
            return
        deletes = self.command == "DELETE" and self.defect == "deletes"
        self._answer(204 if deletes else 405 if self.defect != "busy" else 429, {})

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_QUERY = _others

    def _answer(self, status: int, body: object) -> None:
        text = json.dumps(body).encode() if status != 204 else b""
        if self.defect == "another status" and status == 200 and self.path.startswith("/notes"):
            status = 203
        self.send_response(status)
        if self.defect != "no header":
            self.send_header("X-Total", "1")
        kind = "text/html" if self.defect == "as html" else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def generated() -> tuple[list[ContractCase], list[str]]:
    """All cases: to generate them takes seconds."""
    return OpenApi(json.dumps(DOCUMENT)).generate(1, {})


@pytest.fixture(autouse=True)
def generated_once(
    generated: tuple[list[ContractCase], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenApi, "generate", lambda *_: ([*generated[0]], [*generated[1]]))


@pytest.fixture
def notes() -> type[Notes]:
    return type("OfOneTest", (Notes,), {"asked": []})


@pytest.fixture
def place(notes: type[Notes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(questioning, "_TWICE_S", 0.0)
    monkeypatch.setattr(again, "_SOON_S", 300.0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), notes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield SimpleNamespace(
        base_url=url,
        direct_urls={"host-1": url},
        api_key=KEY,
        interface=INTERFACE,
        subject=Described(INTERFACE),
        limits=None,
        stays=False,
    )
    server.shutdown()
    server.server_close()


def record(place: Any, *, writes: bool = True) -> Contract:
    return record_contract(place.subject, place, place.base_url, 1, writes=writes)


def hold(place: Any, contract: Contract) -> tuple[ContractAsked, tuple[ContractBroken, ...]]:
    return Holding(place, contract, 1, stays=False, owed=True).run()


def test_what_is_kept_is_read_again(place: Any) -> None:
    contract = record(place)
    golden = GoldenSet("v1", "a day", 0.0, (), (), contract=contract)
    with pytest.raises(ValueError, match="0 questions"):
        golden_of(golden.to_json())
    told = json.loads(golden.to_json())["contract"]
    assert len(told["cases"]) == len(contract.cases) > 50
    assert json.loads(told["document"]) == DOCUMENT


def test_a_service_that_is_as_it_was_breaks_nothing(place: Any) -> None:
    contract = record(place)
    asked, broken = hold(place, contract)
    assert broken == ()
    assert asked.before == tuple(map(str, contract.violations))
    assert asked.untyped == ("POST /notes",)
    # What it answers wrong input with is in no document.
    assert Violation("GET /notes", "Undocumented status code", 422) in contract.violations


@pytest.mark.parametrize(
    ("defect", "operation", "check"),
    [
        ("wrong type", "GET /notes", "Response violates schema"),
        ("missing field", "GET /notes", "Response violates schema"),
        ("no header", "GET /notes", "Missing required response headers"),
        ("as html", "GET /notes", "Undocumented Content-Type"),
        ("another status", "GET /notes", "Undocumented status code"),
        ("accepts", "GET /notes", "Wrong input is accepted"),
        ("breaks", "GET /notes", "Server error"),
        ("deletes", "GET /notes", "A method that is not documented is answered"),
        ("deletes", "PATCH /notes/{id}", "A method that is not documented is answered"),
    ],
)
def test_each_defect_is_seen_and_named(
    defect: str, operation: str, check: str, place: Any, notes: type[Notes]
) -> None:
    contract = record(place)
    notes.defect = defect
    _, broken = hold(place, contract)
    assert (operation, check) in {(one.operation, one.check) for one in broken}
    assert all(one.compared and one.expected and one.seen for one in broken)
    assert all(one.hosts[0] == "host-1" for one in broken)


def test_a_defect_that_was_there_before_is_no_cause(place: Any, notes: type[Notes]) -> None:
    for defect in ("wrong type", "breaks", "deletes", "accepts"):
        notes.defect = defect
        contract = record(place)
        asked, broken = hold(place, contract)
        assert broken == ()
        assert len(asked.before) >= len(contract.violations) > 0


def test_what_was_accepted_before_is_not_written_again(place: Any, notes: type[Notes]) -> None:
    notes.defect = "deletes"
    contract = record(place)
    assert "DELETE" in notes.asked
    notes.asked.clear()
    hold(place, contract)
    assert "DELETE" not in notes.asked
    assert "PUT" in notes.asked


def test_where_writes_are_somebodys_loss_nothing_unsafe_is_asked(
    place: Any, notes: type[Notes]
) -> None:
    contract = record(place, writes=False)
    place.limits = Limits(rate=10_000)
    hold(place, contract)
    hold_alone(place, place.subject, 1, "")
    assert set(notes.asked) <= {"GET", "HEAD"}


def test_no_more_is_asked_than_a_limit_allows(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = record(place, writes=False)
    monkeypatch.setattr(again, "_SOON_S", 3.0)
    place.limits = Limits(rate=2)
    asked, _ = hold(place, contract)
    assert sum(asked.places.values()) <= 6
    assert asked.missed > 0
    assert asked.unheard == ()  # what is not allowed is owed by nobody


def test_what_is_recorded_on_a_staging_environment_is_asked_again_there(
    place: Any, notes: type[Notes]
) -> None:
    interface = replace(INTERFACE, operations=(Operation("notes", "GET", "/notes"),))
    place.subject, place.interface = Described(interface), interface
    place.name, place.stable, place.hosts, place.no_document = "staging", "v1", (), ""
    place.limits, place.stays = Limits(rate=10_000), True
    golden = golden_of(record_on(place, 1).to_json())
    assert golden.contract is not None
    asked, broken = hold(place, golden.contract)
    assert (broken, asked.unheard) == ((), ())
    assert asked.operations.keys() == {"GET /notes", "methods that are not documented"}
    notes.defect = "accepts"
    _, broken = hold(place, golden.contract)
    assert {one.check for one in broken} == {"Wrong input is accepted"}
    assert set(notes.asked) <= {"GET", "HEAD"}


def test_a_stage_that_stays_without_limits_is_not_written_to(
    place: Any, notes: type[Notes]
) -> None:
    contract = record(place)
    notes.asked.clear()
    place.stays = True
    assert hold(place, contract)[1] == ()
    assert not {"POST", "PUT", "PATCH", "DELETE"} & set(notes.asked)


def test_what_got_no_answer_before_is_not_compared(place: Any, notes: type[Notes]) -> None:
    notes.defect = "hangs up"
    contract = record(place)
    assert "got no answer on a healthy day" in contract.unasked[-1]
    assert all(one.method != "DELETE" for one in contract.cases)
    assert hold(place, contract)[1] == ()


def test_a_host_that_is_silent_is_seen(place: Any) -> None:
    contract = record(place)
    place.direct_urls = {"host-1": "http://127.0.0.1:9"}
    _, broken = hold(place, contract)
    assert {one.hosts for one in broken} == {("host-1",)}
    assert {one.check for one in broken} == {"No answer"}


def test_who_decides_on_nothing_is_unheard(place: Any, notes: type[Notes]) -> None:
    contract = record(place)
    only = replace(
        contract, cases=tuple(one for one in contract.cases if one.operation.startswith("PATCH"))
    )
    notes.defect = "busy"
    asked, broken = hold(place, only)
    assert (asked.unheard, broken) == (("PATCH /notes/{id}",), ())
    assert asked.missed > asked.cases > sum(asked.places.values()) > 0


def test_without_time_it_is_said(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = record(place)
    monkeypatch.setattr(again, "_SOON_S", -1.0)
    asked, broken = hold(place, contract)
    assert len(asked.unheard) == 3
    assert broken == ()


@pytest.mark.parametrize("document", [{}, [], {"openapi": "3.1.0", "paths": {}}, "none"])
def test_what_is_no_document_is_told(document: object, place: Any, notes: type[Notes]) -> None:
    notes.document = document
    contract = record(place)
    assert contract.why.startswith("/openapi.json gave no document that can be used")
    asked, broken = hold_alone(place, place.subject, 1, "")
    assert (asked.why, asked.owed, broken) == (contract.why, False, ())


def test_a_service_without_a_document_is_told(place: Any, notes: type[Notes]) -> None:
    notes.document = None
    assert "answered 404" in record(place).why
    place.subject = Described(Interface())
    assert record(place).why == "the stage's file names no document of the API"


def test_without_a_record_it_is_held_against_the_document_alone(place: Any) -> None:
    asked, broken = hold_alone(place, place.subject, 1, "none was recorded")
    assert (asked.recorded, asked.owed, asked.unasked[-1]) == (False, False, "none was recorded")
    assert {one.check for one in broken} == {"Undocumented status code"}
    assert not any(one.compared for one in broken)
