"""A service that is described by its operations; see `traffic.interface`."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping

from rollback_drill.ground.finding import Finding, failed, judged, passed, unknown
from rollback_drill.runbook.monitoring import MetricNames
from rollback_drill.stage import http
from rollback_drill.stage.asking import keyed, send
from rollback_drill.stage.strangers import Door, strangers_refused
from rollback_drill.subject.described.questions import questions_about
from rollback_drill.subject.questions import GoldenQuestion
from rollback_drill.subject.recipe import Recipe
from rollback_drill.subject.subject import Place, Table, subject
from rollback_drill.traffic.interface import DESCRIBED, Interface, Operation

_TIMEOUT_S = 5.0
_UNASKED = (
    "operations and methods that the stage's file does not name",
    "the key in the query, which logs would keep",
)


@subject(DESCRIBED)
class Described:
    """See subject.subject.Subject: all that is known of it are its operations."""

    name = DESCRIBED
    table: Table | None = None
    control = "SELECT 1"
    recipe: Recipe | None = None
    metrics = MetricNames("service", "http_requests_total", "http_request_duration_seconds")
    leaves: tuple[str, ...] = ()
    asks = ""

    def __init__(self, interface: Interface) -> None:
        self._operations = interface.operations
        self._read = [one for one in self._operations if one.reads]
        self._written = {one.name: one for one in self._operations if one.read_back}
        self.ready = interface.health
        self.document = interface.document
        self.no_document = "" if self.document else "the stage's file names no document of the API"
        self.reads: Mapping[str, str] = {
            one.name: one.path for one in self._read if "{" not in one.path
        }
        self.writes: Collection[str] = frozenset(self._written)
        self.probe = next(iter(self.reads.values()), interface.health)

    def reads_succeed(self, place: Place, status: int | None) -> Finding:
        """Every read answers as the file says, on every host; with `status` where one is named."""
        return _judge(place, dict(place.direct_urls), self._read, status)

    def all_works(self, place: Place) -> Finding:
        """Every operation answers as the file says, through the front door."""
        return _judge(place, {"front door": place.base_url}, list(self._operations))

    def strangers_refused(self, place: Place) -> Finding:
        """Every operation is refused to strangers at every host and the front door, and every read
        is served with the key.
        """
        if not place.api_key:
            return unknown("the stage's file names no key")
        if not self._operations:
            return unknown("the stage's file names no operation")
        doors = []
        for one in self._operations:
            reference = f"check-{uuid.uuid4()}"
            path, body = (one.filled(text, reference, 1) for text in (one.path, one.body))
            doors.append(Door(one.method, path, body, opens=one.reads, holds=one.contains))
        return strangers_refused(
            place, doors, refusals={400, 401, 403}, in_query=False, unasked=_UNASKED
        )

    def serves_stable(self, place: Place) -> Finding:
        """Every read answers as the file says: it describes what both releases do."""
        return self.reads_succeed(place, None)

    def writes_kept(self, place: Place) -> Finding:
        """What is written through the front door can be read again there."""
        if not self._written:
            return unknown("the stage's file names no write that can be read back")
        told = []
        for name, operation in self._written.items():
            reference = f"check-{uuid.uuid4()}"
            written = send(place, place.base_url, operation, reference=reference)
            if not _good(operation, written):
                return failed(f"{name} was answered {written.status}", "what the stage's file says")
            there, status = self.read_again(place, name, reference)
            if not there:
                found = f"{name} was acknowledged, read back it was {status}"
                return failed(found, f"{reference} in the answer")
            told.append(f"{name} {reference} was read back")
        return passed(", ".join(told))

    def questions(self, place: Place, seed: int) -> tuple[GoldenQuestion, ...]:
        """Ask every read, on further pages, with other numbers, and for rows that it lists."""
        return tuple(questions_about(place, self._operations, seed))

    def well_formed(self) -> Mapping[str, Mapping[str, object]]:
        """See Documented.well_formed: nothing is written to such a service."""
        return {}

    def own_rows(self, place: Place, url: str) -> Mapping[str, str]:
        """See Documented.own_rows: as little."""
        del place, url
        return {}

    def read_again(self, place: Place, operation: str, reference: str) -> tuple[bool, int]:
        """See Rereads.read_again: through the front door."""
        asked = self._written[operation]
        path = asked.filled(asked.read_back, reference)
        answer = http.get(place.base_url + path, headers=keyed(place), limit_s=_TIMEOUT_S)
        return answer.ok and reference in answer.text, answer.status


def _good(operation: Operation, answer: http.Answer) -> bool:
    return answer.ok and operation.contains in answer.text


def _judge(
    place: Place, urls: dict[str, str], operations: list[Operation], status: int | None = None
) -> Finding:
    if not operations:
        return unknown("the stage's file names no operation of this kind")
    seen, bad = [], []
    for where, url in urls.items():
        for operation in operations:
            answer = send(place, url, operation)
            told = f"{where} {operation.name} {answer.status}"
            seen.append(told)
            if not _good(operation, answer) or answer.status != (status or answer.status):
                bad.append(f"{told}: {answer.text[:80]!r}")
    wanted = f"{status or '2xx'} with what the stage's file says"
    return judged(not bad, ", ".join(bad or seen), wanted)
