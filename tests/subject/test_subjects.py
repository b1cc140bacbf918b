"""What the engine asks of a service, answered by a small one that its operations describe."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from rollback_drill.ground.verdict import Verdict
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.subject.subject import SUBJECTS, Subject, own
from rollback_drill.traffic.interface import DESCRIBED, Interface, Operation

KEY = "the-key"
INTERFACE = Interface(
    health="/up",
    operations=(
        Operation("list", "GET", "/notes", contains="notes"),
        Operation("note", "PUT", "/notes/{reference}", body="{}", read_back="/notes/{reference}"),
        Operation("clear", "DELETE", "/notes/none"),
    ),
)


class Notes(BaseHTTPRequestHandler):
    """Keeps the names of notes, for whoever has the key."""

    kept: set[str]
    forgets = lets_in = lets_write = breaks = False

    def _answer(self, status: int, text: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        if not self.lets_in and self.headers["X-API-Key"] != KEY:
            self._answer(401)
        elif self.breaks:
            self._answer(500)
        elif name == "notes":
            self._answer(200, "notes: all")
        else:
            self._answer(200 if name in self.kept else 404, name)

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self._is_refused():
            return
        if not self.forgets:
            self.kept.add(self.path.rpartition("/")[2])
        self._answer(201)

    def do_DELETE(self) -> None:
        if not self._is_refused():
            self._answer(204)

    def _is_refused(self) -> bool:
        refused = self.headers["X-API-Key"] != KEY and not (self.lets_in or self.lets_write)
        if refused:
            self._answer(401)
        return refused

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def notes() -> type[Notes]:
    return type("OfOneTest", (Notes,), {"kept": set()})


@pytest.fixture
def place(notes: type[Notes]) -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), notes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield SimpleNamespace(
        base_url=url, direct_urls={"host-1": url}, api_key=KEY, interface=INTERFACE
    )
    server.shutdown()
    server.server_close()


@pytest.fixture
def described() -> Subject:
    return SUBJECTS.members()[DESCRIBED](INTERFACE)


def test_a_file_says_all_that_is_known_of_a_service(described: Subject) -> None:
    assert (described.ready, described.probe) == ("/up", "/notes")
    assert (dict(described.reads), set(described.writes)) == ({"list": "/notes"}, {"note"})
    assert (described.table, described.recipe) == (None, None)


def test_a_service_without_a_plain_read_is_probed_by_its_health() -> None:
    only = Interface(health="/up", operations=(Operation("one", "GET", "/notes/{number}"),))
    assert SUBJECTS.members()[DESCRIBED](only).probe == "/up"


QUESTIONS = {
    "reads_succeed": ("breaks", "500"),
    "all_works": ("breaks", "500"),
    "serves_stable": ("breaks", "500"),
    "strangers_refused": ("lets_in", "with no key: 200"),
    "writes_kept": ("forgets", "read back it was 404"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_is_answered_well_and_turns_red(
    described: Subject, place: Any, notes: type[Notes], question: str
) -> None:
    status = (None,) if question == "reads_succeed" else ()
    ask = getattr(described, question)
    assert ask(place, *status).verdict is Verdict.PASSED
    defect, told = QUESTIONS[question]
    setattr(notes, defect, True)
    found = ask(place, *status)
    assert found.verdict is Verdict.FAILED
    assert told in found.evidence


def test_writes_that_need_no_key_turn_red(
    described: Subject, place: Any, notes: type[Notes]
) -> None:
    found = described.strangers_refused(place)
    assert "not asked: operations and methods that the stage's file does not name" in found.evidence
    notes.lets_write = True
    found = described.strangers_refused(place)
    assert found.verdict is Verdict.FAILED
    assert "host-1 PUT /notes/" in found.evidence


def test_another_status_than_the_one_that_is_named_is_no_success(
    described: Subject, place: Any
) -> None:
    assert described.reads_succeed(place, 200).verdict is Verdict.PASSED
    assert described.reads_succeed(place, 204).verdict is Verdict.FAILED


def test_without_operations_of_a_kind_nobody_knows(place: Any) -> None:
    mute = SUBJECTS.members()[DESCRIBED](Interface())
    place.api_key = ""
    found = (
        mute.reads_succeed(place, None),
        mute.writes_kept(place),
        mute.strangers_refused(place),
    )
    assert {one.verdict for one in found} == {Verdict.UNKNOWN}


def test_stages_of_our_own_bring_up_the_one_service_with_a_recipe() -> None:
    brought = [name for name, make in SUBJECTS.members().items() if make(Interface()).recipe]
    subject, recipe = own()
    assert [subject.name] == brought
    stage = open_stage("processes", StageOptions(), lambda _: None)
    assert (stage.subject.name, stage.failing) == (subject.name, recipe.failing)
    assert (recipe.layers / "releases.toml").is_file()


def test_each_subject_is_found_by_the_name_that_a_file_gives_it() -> None:
    assert {name: make(Interface()).name for name, make in SUBJECTS.members().items()} == {
        name: name for name in SUBJECTS.names()
    }
