"""What the library finds in answers, what it generates, and what it makes of documents that are
none.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from rollback_drill.stage.conformance import OpenApi
from rollback_drill.stage.contracting import allowed, violations_of
from rollback_drill.stage.http import Answer
from rollback_drill.subject.documents import REFERENCE, ROW, ContractCase
from steps.fix_examples import Examples
from tests.contract.notes import DOCUMENT, NOTE, answers

LIST = "GET /notes"
GOOD = {"POST /notes": {"name": REFERENCE, "day": "2030-01-01", "count": 1}}
JSON_TYPE = {"content-type": "application/json", "x-total": "1"}


def document(**paths: object) -> OpenApi:
    return OpenApi(json.dumps({**DOCUMENT, "paths": {**DOCUMENT["paths"], **paths}}))


def kinds(status: int, body: object, headers: dict[str, str] = JSON_TYPE) -> set[str]:
    answer = Answer(status, headers, json.dumps(body).encode())
    return {check for check, _ in document().breaks(LIST, answer)}


def test_an_answer_as_documented_breaks_nothing() -> None:
    assert kinds(200, [{"id": 1, "text": "a"}]) == set()


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind"),
    [
        (200, [{"id": "1", "text": "a"}], JSON_TYPE, "Response violates schema"),
        (200, [{"id": 1}], JSON_TYPE, "Response violates schema"),
        (200, {}, JSON_TYPE, "Response violates schema"),
        (404, {}, JSON_TYPE, "Undocumented status code"),
        (200, [], JSON_TYPE | {"content-type": "text/plain"}, "Undocumented Content-Type"),
        (200, [], {"x-total": "1"}, "Missing Content-Type header"),
        (200, [], {"content-type": "application/json"}, "Missing required response headers"),
        (
            200,
            [],
            JSON_TYPE | {"x-total": "many"},
            "Response header does not conform to the schema",
        ),
    ],
)
def test_what_is_not_as_documented_is_found(
    status: int, body: object, headers: dict[str, str], kind: str
) -> None:
    assert kind in kinds(status, body, headers)


def test_a_body_that_is_no_json_is_found() -> None:
    found = dict(document().breaks(LIST, Answer(200, JSON_TYPE, b"{")))
    assert any("JSON" in kind for kind in found)


def case(**told: Any) -> ContractCase:
    return ContractCase("POST /notes", told.pop("method", "POST"), "/notes", "a case", **told)


@pytest.mark.parametrize(
    ("one", "status", "kind"),
    [
        (case(wrong=True), 200, "Wrong input is accepted"),
        (case(method="DELETE", unnamed=True, wrong=True), 204, "A method that is not documented"),
        (case(wrong=True), 500, "Server error"),
        (case(), 503, "Server error"),
    ],
)
def test_what_breaks_any_document_is_found(one: ContractCase, status: int, kind: str) -> None:
    found = [
        violation.check for violation, _ in violations_of(document(), one, Answer(status, {}, b""))
    ]
    assert any(each.startswith(kind) for each in found)


@pytest.mark.parametrize(
    ("one", "status"),
    [
        (case(wrong=True), 422),
        (case(), 200),
        (case(method="DELETE", unnamed=True, wrong=True), 405),
        (case(method="OPTIONS", unnamed=True, wrong=True), 204),
    ],
)
def test_what_is_answered_well_breaks_nothing_that_holds_for_all(
    one: ContractCase, status: int
) -> None:
    answer = Answer(status, JSON_TYPE, b"{}")
    found = {violation.check for violation, _ in violations_of(document(), one, answer)}
    assert found <= {"Undocumented status code"}


@pytest.fixture(scope="module")
def generated() -> list[ContractCase]:
    cases, left = document().generate(1, GOOD)
    assert left == []
    return cases


def test_wrong_bodies_are_wrong_in_one_thing_and_good_otherwise(
    generated: list[ContractCase],
) -> None:
    bodies = [
        json.loads(one.body)
        for one in generated
        if one.operation == "POST /notes" and one.wrong and one.body and not one.unnamed
    ]
    objects = [body for body in bodies if isinstance(body, dict)]
    assert len(objects) > 10
    good = GOOD["POST /notes"]
    for body in objects:
        differing = {
            name
            for name in good.keys() | body.keys()
            if json.dumps(body.get(name)) != json.dumps(good.get(name))
        }
        assert len(differing) == 1, body
    assert {type(body) for body in bodies} > {dict}


def test_each_operation_is_asked_rightly_wrongly_and_by_other_methods(
    generated: list[ContractCase],
) -> None:
    for operation in document().operations:
        mine = [one for one in generated if one.operation == operation]
        assert any(not one.wrong for one in mine)
        assert any(one.wrong and not one.unnamed for one in mine)
        assert "DELETE" in {one.method for one in mine if one.unnamed}
    assert all(one.wrong for one in generated if one.unnamed)


def test_a_row_of_the_suite_stands_where_the_path_is_not_what_is_wrong(
    generated: list[ContractCase],
) -> None:
    changes = [one for one in generated if one.method == "PATCH" and one.body]
    assert {ROW in one.path for one in changes} == {True, False}
    assert all(ROW not in one.path for one in changes if "AAA" in one.path)
    assert all(one.wrong for one in changes if ROW not in one.path and "/notes/" not in one.path)


def test_writes_are_only_asked_where_they_must_be_refused(generated: list[ContractCase]) -> None:
    ours, told = allowed(generated, writes=True)
    assert all(one.safe or one.wrong for one in ours)
    assert any(not one.safe for one in ours)
    assert len(told) == 1
    theirs, told = allowed(generated, writes=False)
    assert {"GET"} <= {one.method for one in theirs} <= {"GET", "HEAD"}
    assert len(told) == 2


def test_a_seed_draws_some_of_each_operation_where_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rollback_drill.stage.conformance._MOST_CASES", 12)
    first, left = document().generate(1, {})
    assert len(first) == 12
    assert {one.operation for one in first} == set(document().operations)
    assert "generated requests" in left[0]
    assert document().generate(1, {})[0] == first
    assert document().generate(2, {})[0] != first


def test_the_same_requests_are_generated_in_another_process_which_keeps_nothing(
    tmp_path: Path,
) -> None:
    told = (
        "import sys, json\n"
        "from rollback_drill.stage.conformance import OpenApi\n"
        "cases, _ = OpenApi(sys.stdin.read()).generate(1, {})\n"
        "print(repr(sorted(map(repr, cases))))\n"
    )
    here = repr(sorted(map(repr, document().generate(1, {})[0])))
    done = subprocess.run(
        [sys.executable, "-c", told],
        input=json.dumps(DOCUMENT),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert done.stdout.strip() == here
    assert list(tmp_path.iterdir()) == []


def test_a_piece_of_a_document_changes_with_what_it_refers_to() -> None:
    changed = {**DOCUMENT, "components": {"schemas": {"Note": NOTE, "New": {"type": "string"}}}}
    other = OpenApi(json.dumps(changed))
    assert {one: other.piece(one) == document().piece(one) for one in other.operations} == {
        "GET /notes": True,
        "POST /notes": False,
        "PATCH /notes/{id}": False,
    }
    assert document().piece("GET /none") == ""


def test_what_may_hold_anything_is_named() -> None:
    assert document().untyped() == ("POST /notes",)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", "1", '{"paths": {}}', '{"openapi": "3.0.0", "paths": {"/": 1}}', "["],
)
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="document"):
        OpenApi(text)


PARTS = st.sampled_from(
    ("type", "$ref", "properties", "anyOf", "items", "required", "enum", "pattern", "maximum")
)
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    ("object", "integer", "#/components/schemas/Note", "#/nowhere", "(", [], {}, -1, None, ["id"])
)
SCHEMAS = st.recursive(
    st.dictionaries(PARTS, VALUES, max_size=3),
    lambda inner: st.dictionaries(PARTS, inner, max_size=3),
    max_leaves=5,
)
ANYWHERE = st.dictionaries(
    st.sampled_from(("get", "post", "parameters", "responses", "x")),
    st.one_of(VALUES, st.builds(lambda one: {"responses": answers(one)}, SCHEMAS)),
    max_size=3,
)


def test_strange_documents_are_held_or_refused(examples: Examples) -> None:
    def hold(path: object) -> None:
        try:
            found = document(**{"/strange": path})
            found.untyped()
            assert all(found.piece(one) for one in found.operations)
            cases, _ = found.generate(1, {})
            for one in cases[:40]:
                list(violations_of(found, one, Answer(200, JSON_TYPE, b'{"id": 1}')))
        except ValueError:
            return

    examples.hold(12, ANYWHERE, hold)
