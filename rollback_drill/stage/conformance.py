"""The library that reads OpenAPI documents, generates requests, and holds answers against them.

It takes a second to load, and two more before it generates the first request: a drill has it loaded
while its stage comes up (`load_library`), and generates only where nothing is on record.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from rollback_drill.ground import clock
from rollback_drill.ground.machine import temporary
from rollback_drill.stage.http import Answer
from rollback_drill.subject.documents import ROW, SAFE_METHODS, ContractCase

if TYPE_CHECKING:
    from schemathesis import Case
    from schemathesis.core.failures import Failure
    from schemathesis.schemas import APIOperation

_SOMEWHERE = "http://service.invalid"
_PLACEHOLDER = "ROWOFTHESUITE"
_SENT = frozenset({"method", "url", "headers", "params", "json", "data", "files"})
_MOST_CASES, _MOST_OPERATIONS = 420, 120
_LIMIT_S = 20.0  # for generating
_SHOWN = 160  # characters of what an answer breaks

Bodies = Mapping[str, Mapping[str, object]]


def load_library() -> None:
    """Load all that holding an answer against a document takes."""
    empty = {"openapi": "3.1.0", "info": {"title": "none", "version": "1"}}
    path = {"/": {"get": {"responses": {"200": {"description": "any"}}}}}
    OpenApi(json.dumps({**empty, "paths": path})).breaks("GET /", Answer(200, {}, b""))


class OpenApi:
    """A document, read. Raises ValueError when it is none that can be used."""

    def __init__(self, text: str) -> None:
        import schemathesis
        from schemathesis.core.result import Ok

        try:
            self._raw = json.loads(text)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._schema = schemathesis.openapi.from_dict(self._raw)
                every = self._schema.get_all_operations()
                found = [one.ok() for one in every if isinstance(one, Ok)]
        except Exception as error:  # whatever the library meets in what strangers wrote
            raise ValueError(f"no OpenAPI document: {error}") from error
        self._operations: dict[str, APIOperation[Any, Any, Any, Any]] = {
            one.label: one for one in found
        }
        if not self._operations:
            raise ValueError("an OpenAPI document without an operation")

    @property
    def operations(self) -> tuple[str, ...]:
        """What they are called: "GET /notes"."""
        return tuple(self._operations)

    def piece(self, operation: str) -> str:
        """Return all that the document says of an operation, with what it refers to."""
        if operation not in self._operations:
            return ""
        method, _, path = operation.partition(" ")
        found = self._raw["paths"].get(path, {})
        told = {"all": found.get("parameters"), "this": found.get(method.lower())}
        every, seen = [json.dumps(told, sort_keys=True)], set[str]()
        for text in every:
            for name in re.findall(r'"\$ref": "#/components/([^"]+)"', text):
                if name not in seen:
                    seen.add(name)
                    every.append(json.dumps(self._component(name), sort_keys=True))
        return "\n".join(every)

    def _component(self, name: str) -> object:
        found: Any = self._raw.get("components", {})
        for part in name.split("/"):
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def untyped(self) -> tuple[str, ...]:
        """Return the operations whose good answers may hold anything, as far as it says."""
        found = []
        for name, one in self._operations.items():
            raw: Any = one.definition.raw
            answers = raw.get("responses") if isinstance(raw, dict) else None
            good = [
                told
                for status, told in (answers.items() if isinstance(answers, dict) else ())
                if str(status)[:1] == "2" and isinstance(told, dict)
            ]
            if not any(_typed(told) for told in good):
                found.append(name)
        return tuple(found)

    def breaks(self, operation: str, answer: Answer) -> Iterator[tuple[str, str]]:
        """Yield in how far an answer is not as documented: the kind of it, and what was seen.
        Raises ValueError when the document says nothing that can be held against it.
        """
        import requests
        from schemathesis import Response
        from schemathesis.core.failures import FailureGroup
        from schemathesis.specs.openapi import checks

        asked = requests.Request("GET", _SOMEWHERE).prepare()
        headers = {name: [value] for name, value in answer.headers.items()}
        one = self._operations[operation]
        case = one.Case(path_parameters={each.name: "0" for each in one.path_parameters})
        seen = Response(answer.status, headers, answer.content, asked, 0.0, verify=False)
        try:
            case.validate_response(
                seen,
                checks=[
                    checks.status_code_conformance,
                    checks.content_type_conformance,
                    checks.response_headers_conformance,
                    checks.response_schema_conformance,
                ],
            )
        except FailureGroup as group:
            failures: Any = group.exceptions
            yield from dict(map(_told, failures)).items()
        except Exception as error:  # the same
            raise ValueError(f"{operation} is documented in a way that is none: {error}") from error

    def generate(self, seed: int, bodies: Bodies) -> tuple[list[ContractCase], list[str]]:
        """Return the cases of all operations, some of each where there are too many, as `seed`
        draws them, and what is left out, in words.
        """
        pick = random.Random(f"contract {seed}")  # noqa: S311 - nothing secret
        names = list(self._operations)
        pick.shuffle(names)
        until = clock.monotonic() + _LIMIT_S
        by_operation: list[list[ContractCase]] = []
        left, strange = [*names], list[str]()
        while left and len(by_operation) < _MOST_OPERATIONS and clock.monotonic() < until:
            name = left.pop()
            try:
                with _nothing_kept():
                    found = list(dict.fromkeys(self._cases(name, bodies.get(name))))
            except Exception:  # the same
                strange.append(name)
                continue
            pick.shuffle(found)
            by_operation.append(found)
        every = sum(map(len, by_operation))
        most = max(1, _MOST_CASES // max(1, len(by_operation)))
        spare = _MOST_CASES - sum(min(most, len(one)) for one in by_operation)
        cases = []
        for found in sorted(by_operation, key=len):
            more = max(0, min(spare, len(found) - most))
            spare -= more
            cases += found[: most + more]
        untold = []
        if left:
            untold.append(f"{len(left)} of {len(names)} operations, for which there was no time")
        if strange:
            untold.append(f"{', '.join(sorted(strange))}, of which nothing can be generated")
        if every > len(cases):
            untold.append(f"{every - len(cases)} of {every} generated requests")
        pick.shuffle(cases)
        return cases, untold

    def _cases(self, name: str, body: Mapping[str, object] | None) -> Iterator[ContractCase]:
        from schemathesis import GenerationMode
        from schemathesis.generation.coverage import GenerationSession

        template = None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for case in self._schema.iter_coverage_cases(
                operation=self._operations[name],
                generation_modes=list(GenerationMode),
                generation_config=self._schema.config.generation,
                session=GenerationSession(),  # else what another document had is left out
            ):
                if template is None and isinstance(case.body, dict):
                    template = case.body
                assert case.meta is not None
                wrong = case.meta.generation.mode.is_negative  # before anything is put into it
                if body is not None and isinstance(case.body, dict):
                    case.body = cast("Any", _like(body, template or {}, case.body))
                made = _case(name, case, wrong=wrong)
                if made:
                    yield made


@contextlib.contextmanager
def _nothing_kept() -> Iterator[None]:
    """What draws values keeps notes of them: not in the user's folder."""
    from hypothesis.configuration import set_hypothesis_home_dir

    with tempfile.TemporaryDirectory(dir=temporary()) as folder:
        set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)


def _typed(answer: Mapping[str, Any]) -> bool:
    """Whether a documented answer says what it holds: in its content, or itself in Swagger 2."""
    content = answer.get("content")
    media = content.values() if isinstance(content, dict) else (answer,)
    return any(isinstance(one, dict) and bool(one.get("schema")) for one in media)


def _told(failure: Failure) -> tuple[str, str]:
    lines = [line for line in failure.message.splitlines() if line.strip()]
    return failure.title, "; ".join(lines)[:_SHOWN] or failure.title


def _like(
    good: Mapping[str, object], template: Mapping[str, object], made: Mapping[str, object]
) -> dict[str, object]:
    """Return `good` with what is special in `made`: where it differs from the `template`."""
    kept = {name: value for name, value in good.items() if name in made or name not in template}
    told = {name: json.dumps(value, sort_keys=True) for name, value in template.items()}
    special = {
        name: value
        for name, value in made.items()
        if json.dumps(value, sort_keys=True) != told.get(name)
    }
    return kept | special


def _case(operation: str, case: Case[Any], *, wrong: bool) -> ContractCase | None:
    """Return what `case` sends, None where that cannot be kept as text."""
    import requests
    from schemathesis.errors import SchemathesisError

    assert case.meta is not None
    phase, method = case.meta.phase.data, operation.partition(" ")[0]
    about = str(getattr(phase, "description", "") or "generated")
    scenario = str(getattr(phase, "scenario", "") or "")
    unnamed = scenario == "unspecified_http_method"
    row, parameters = "", case.path_parameters or {}
    plain = not unnamed and getattr(phase, "parameter", None) not in parameters
    if plain and len(parameters) == 1 and method not in SAFE_METHODS:
        ((name, row),) = parameters.items()
        case.path_parameters = {name: _PLACEHOLDER}
    try:
        sent = case.as_transport_kwargs(_SOMEWHERE)
        asked = requests.Request(
            **{name: value for name, value in sent.items() if name in _SENT}
        ).prepare()
        raw = asked.body or b""
        body = raw.decode() if isinstance(raw, bytes) else str(raw)
        path = urlsplit(str(asked.url))
    except (SchemathesisError, requests.RequestException, ValueError, TypeError):
        return None
    return ContractCase(
        operation=operation,
        method=str(asked.method),
        path=(path.path + (f"?{path.query}" if path.query else "")).replace(_PLACEHOLDER, ROW),
        told=about.encode("ascii", "backslashreplace").decode()[:_SHOWN],
        body=body,
        content_type=str(asked.headers.get("Content-Type", "")) if body or not unnamed else "",
        row=str(row),
        wrong=wrong and "content_type" not in scenario,
        unnamed=unnamed,
    )
