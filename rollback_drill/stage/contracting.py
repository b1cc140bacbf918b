"""Asks a service what its OpenAPI document lets be asked, and records what it answered."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from rollback_drill.ground import clock
from rollback_drill.stage import conformance
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.asking import keyed
from rollback_drill.stage.conformance import OpenApi
from rollback_drill.stage.http import Answer, Client
from rollback_drill.subject import documents
from rollback_drill.subject.documents import (
    REFERENCE,
    ROW,
    Contract,
    ContractCase,
    Documented,
    Violation,
)
from rollback_drill.subject.subject import OWN_ROWS, Place

CONTRACTS = hashlib.sha256(
    b"".join(Path(one).read_bytes() for one in (conformance.__file__, documents.__file__, __file__))
).hexdigest()[:16]
"""Changes with how a contract is recorded and kept."""
SERVER_ERROR = "Server error"
ACCEPTED = "Wrong input is accepted"
UNNAMED = "A method that is not documented is answered"
READS = frozenset({"GET", "HEAD"})
_LIMIT_S = 5.0
_MOST_BYTES = 8 * 2**20  # the document of a large API is long
_TOO_MANY = 429  # says nothing of what was asked
_number = itertools.count(1)


def contract_client(url: str) -> Client:
    """Return who asks the service at `url`."""
    return Client(url, limit_s=_LIMIT_S, most=_MOST_BYTES)


def document_of(client: Client, place: Place, subject: Documented) -> str:
    """Return the document that a service gives. Raises NoAnswer, ValueError for none."""
    answer = client.get(subject.document, headers=keyed(place)).checked()
    return answer.text


def ask_case(
    client: Client, place: Place, case: ContractCase, rows: Mapping[str, str]
) -> Answer | None:
    """Ask one case, None where nobody decided on it. `rows`: by path, ids of rows that are the
    suite's own. Raises NoAnswer.
    """
    _, _, path = case.operation.partition(" ")
    headers = keyed(place)
    if case.content_type:
        headers["Content-Type"] = case.content_type
    reference = f"{OWN_ROWS[0]}contract-{clock.now():.6f}-{next(_number)}"
    answer = client.request(
        case.method,
        case.path.replace(ROW, rows.get(path, case.row)),
        headers=headers,
        content=case.body.replace(REFERENCE, reference) or None,
    )
    return None if answer.status == _TOO_MANY else answer


def violations_of(
    document: OpenApi, case: ContractCase, answer: Answer
) -> Iterator[tuple[Violation, str]]:
    """Yield how an answer breaks what any document says, or this one, and what was seen."""
    named = [*document.breaks(case.operation, answer)] if not case.unnamed else []
    if answer.status >= 500:
        named.append((SERVER_ERROR, answer.text[:160]))
    elif case.unnamed and answer.ok and case.method != "OPTIONS":
        named.append((UNNAMED, f"{case.method} is answered {answer.status}"))
    elif case.wrong and not case.unnamed and answer.ok:
        named.append((ACCEPTED, f"{case.told}: answered {answer.status}"))
    for check, seen in named:
        yield Violation(case.operation, check, answer.status), seen


def allowed(cases: Iterable[ContractCase], *, writes: bool) -> tuple[list[ContractCase], list[str]]:
    """Return those of the `cases` that may be asked, and what is left out, in words: whatever the
    document lets a service accept that writes; and all that may change something, but where
    `writes` are nobody's loss.
    """
    every = list(cases)
    found = [one for one in every if (one.wrong or one.safe if writes else one.method in READS)]
    told = []
    if any(not (one.safe or one.wrong) for one in every):
        told.append("well-formed writes: they are followed by what “Database queries work” checks")
    if not writes and any(one.wrong and one.method not in READS for one in every):
        told.append("wrong writes, and methods that are not documented: this stage stays")
    return found, told


def record_contract(
    subject: Documented, place: Place, url: str, seed: int, *, writes: bool, pause_s: float = 0.0
) -> Contract:
    """Ask the service at `url` what its document lets be asked, and return what it answered.

    `writes`: whether what it accepts, and should not, is nobody's loss; `pause_s`: how long to wait
    before each request. Where there is none, the reason is told.
    """
    if subject.no_document:
        return Contract(why=subject.no_document)
    try:
        return _recorded(subject, place, url, seed, writes=writes, pause_s=pause_s)
    except (NoAnswer, ValueError) as error:
        return Contract(why=f"{subject.document} gave no document that can be used: {error}")


def _recorded(
    subject: Documented, place: Place, url: str, seed: int, *, writes: bool, pause_s: float
) -> Contract:
    with contract_client(url) as client:
        text = document_of(client, place, subject)
        document = OpenApi(text)
        generated, left = document.generate(seed, subject.well_formed() if writes else {})
        cases, unasked = allowed(generated, writes=writes)
        rows = subject.own_rows(place, url) if writes else {}
        asked, broken, silent = [], set[Violation](), 0
        for case in sorted(cases, key=lambda one: not one.safe):  # what may change something last
            if pause_s:
                clock.sleep(pause_s)
            try:
                answer = ask_case(client, place, case, rows)
            except NoAnswer:
                answer = None
            silent += answer is None
            if answer:
                asked.append(replace(case, status=answer.status))
                broken |= {violation for violation, _ in violations_of(document, case, answer)}
    if silent:
        unasked.append(f"{silent} requests that got no answer on a healthy day either")
    random.Random(seed).shuffle(asked)  # noqa: S311 - nothing secret
    return Contract(text, tuple(asked), tuple(sorted(broken)), (*left, *unasked))
