"""The same questions to a service that is described by its operations; see `traffic.interface`."""

from __future__ import annotations

import uuid

from rollback_drill.ground.finding import Finding, failed, judged, passed, unknown
from rollback_drill.stage import http
from rollback_drill.stage.model import Stage
from rollback_drill.subject.described import ask, read_back
from rollback_drill.traffic.interface import Operation


def _good(operation: Operation, answer: http.Answer) -> bool:
    return answer.ok and operation.contains in answer.text


def _judge(
    stage: Stage, urls: dict[str, str], operations: list[Operation], status: int | None = None
) -> Finding:
    if not operations:
        return unknown("the stage's file names no operation of this kind")
    seen, bad = [], []
    for where, url in urls.items():
        for operation in operations:
            answer = ask(stage, url, operation)
            told = f"{where} {operation.name} {answer.status}"
            seen.append(told)
            if not _good(operation, answer) or answer.status != (status or answer.status):
                bad.append(f"{told}: {answer.text[:80]!r}")
    wanted = f"{status or '2xx'} with what the stage's file says"
    return judged(not bad, ", ".join(bad or seen), wanted)


def reads_succeed(stage: Stage, status: int | None = None) -> Finding:
    """Every read answers as the file says, on every host; with `status` where one is named."""
    reads = [one for one in stage.interface.operations if one.reads]
    return _judge(stage, dict(stage.direct_urls), reads, status)


def all_work(stage: Stage) -> Finding:
    """Every operation answers as the file says, through the front door."""
    return _judge(stage, {"front door": stage.base_url}, list(stage.interface.operations))


def strangers_refused(stage: Stage) -> Finding:
    """Every read is refused without the key, and served with it, on every host."""
    if not stage.api_key:
        return unknown("the stage's file names no key")
    seen = 0
    for where, url in stage.direct_urls.items():
        for operation in (one for one in stage.interface.operations if one.reads):
            for told, key in (("without a key", ""), ("with a wrong key", "no-such-key")):
                status = ask(stage, url, operation, key=key).status
                seen += 1
                if status not in (400, 401, 403):
                    found = f"{where}: {operation.name} {told} is answered {status}"
                    return failed(found, "400, 401 or 403")
            answer = ask(stage, url, operation)
            if not _good(operation, answer):
                found = f"{where}: {operation.name} with the key is answered {answer.status}"
                return failed(found, "what the stage's file says")
    return passed(f"{seen} requests of strangers were refused")


def writes_kept(stage: Stage) -> Finding:
    """What is written through the front door can be read again there."""
    writes = [one for one in stage.interface.operations if one.read_back]
    if not writes:
        return unknown("the stage's file names no write that can be read back")
    told = []
    for operation in writes:
        reference = f"check-{uuid.uuid4()}"
        written = ask(stage, stage.base_url, operation, reference=reference)
        if not _good(operation, written):
            found = f"{operation.name} was answered {written.status}"
            return failed(found, "what the stage's file says")
        read = read_back(stage, operation, reference)
        if not read.ok or reference not in read.text:
            found = f"{operation.name} was acknowledged, read back it was {read.status}"
            return failed(found, f"{reference} in the answer")
        told.append(f"{operation.name} {reference} was read back")
    return passed(", ".join(told))
