"""States what was drilled and what came of it, over a report's files by their sha256.

in-toto's Statement v1: github.com/in-toto/attestation. Nothing is stated that the files themselves
do not hold together: they are read back, judged and rendered again before.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import rollback_drill
from rollback_drill.conduct.told import SIMULATED, DrillStarted
from rollback_drill.evidence.controls import controls
from rollback_drill.ground.clock import iso
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.terminal import shown
from rollback_drill.judge.judgement import judge
from rollback_drill.record.book import Book
from rollback_drill.record.judges import of_number
from rollback_drill.record.timeline import read
from rollback_drill.record.told import DrillEnded
from rollback_drill.report import html, postmortem, postmortem_page
from rollback_drill.report.folder import RUNBOOK_COPY
from rollback_drill.report.write import verdict_text
from rollback_drill.runbook.told import DocumentKept

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:rollback-drill:evidence:v1"
_TIMELINE = "timeline.jsonl"
_SHORTEST = ("stage", "hosts", "failing", "stable", "fault", "hazard", "pace", "rate", "seed")


def statement_over(directory: Path) -> tuple[dict[str, object], bytes]:
    """Return the statement over the report in `directory`, and the runbook that it names.

    Raises UsageError where the report is not that of one whole drill, as this version writes it.
    """
    book = _whole_record(directory / _TIMELINE)
    files = _files(directory, book)
    runbook = _runbook(book)
    subjects = {**files, RUNBOOK_COPY: runbook}
    return {
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": name, "digest": {"sha256": hashlib.sha256(body).hexdigest()}}
            for name, body in sorted(subjects.items())
        ],
        "predicateType": PREDICATE_TYPE,
        "predicate": _predicate(book),
    }, runbook


def _whole_record(path: Path) -> Book:
    book = Book(read(path))
    with path.open("rb") as file:
        torn = not file.read().endswith(b"\n")
    if torn or book.last(DrillEnded) is None or any(of_number.causes(book)):
        raise UsageError(
            f"the record of a whole drill at {path}",
            "one that breaks off or lacks events",
            f"finish the drill with RESUME={path.parent}, or hold it again",
        )
    return book


def _files(directory: Path, book: Book) -> dict[str, bytes]:
    """Return the report's files by name, each as it follows from the record."""
    wanted = {
        "index.html": shown(html.whole_page(book)),
        "postmortem.md": shown(postmortem.document(book)),
        "postmortem.html": shown(postmortem_page.readable(book)),
        "verdict.json": verdict_text(book),
    }
    found = {}
    for name in (*wanted, _TIMELINE):
        try:
            found[name] = (directory / name).read_bytes()
        except OSError as error:
            raise UsageError(
                f"a report with {name} in {directory}",
                str(error.strerror),
                f"make report FROM={directory / _TIMELINE} REPORT={directory}",
            ) from error
    for name, text in wanted.items():
        if found[name] != text.encode("utf-8", "backslashreplace"):
            raise UsageError(
                f"{directory / name} as it follows from the timeline beside it",
                "another one: it was changed, is of another drill, or another version wrote it",
                f"make report FROM={directory / _TIMELINE} REPORT={directory}",
            )
    return found


def _runbook(book: Book) -> bytes:
    """Return the runbook as it was performed: as the record keeps it, or the file that it was."""
    start, kept = book.last(DrillStarted), book.last(DocumentKept)
    path = Path(start.runbook_path if start else "")
    text = kept.text if kept else ""
    candidates = [text.encode()]
    try:
        raw = path.read_bytes()
        # What the record masks, nobody may read in a report either.
        if raw.decode("utf-8-sig").split() == text.split():
            candidates.append(raw)
    except (OSError, ValueError):
        pass
    for one in candidates:
        if start and hashlib.sha256(one).hexdigest() == start.runbook_sha256:
            return one
    raise UsageError(
        f"the runbook as it was performed, in the record or at {path}",
        "another one, or one with secrets, which the record masks",
        "hold the drill again by a runbook without secrets",
    )


def _predicate(book: Book) -> Mapping[str, object]:
    judgement, start = book.ask(judge), book.last(DrillStarted)
    assert start is not None  # its runbook was found
    told = judgement.to_json()
    found = Counter(str(one["severity"]) for one in told["findings"])  # type: ignore[attr-defined]
    return {
        "drill": {
            **{name: _plain(getattr(start, name)) for name in _SHORTEST},
            "began": iso(book.events[0].at),
        },
        "ended": iso(book.events[-1].at),
        "simulated": start.stage == SIMULATED,
        "procedure": judgement.procedure,
        "runbook": {"title": start.runbook_title, "path": start.runbook_path},
        "suite": {
            "name": "rollback-drill",
            "held_by": start.version or None,
            "judged_by": rollback_drill.__version__,
        },
        "verdict": judgement.verdict.value,
        "reason": judgement.reason,
        "findings": dict(found),
        "controls": [one.to_json() for one in controls(book)],
    }


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def summary(told: Mapping[str, object]) -> str:
    """Return in a sentence what a statement says."""
    predicate = json.loads(json.dumps(told["predicate"]))
    shown_controls = [one["control"] for one in predicate["controls"] if one["shown"]]
    of = len(predicate["controls"])
    named = f": {', '.join(shown_controls)}" if shown_controls else ""
    return (
        f"the drill {predicate['verdict']}, and shows {len(shown_controls)} of {of} controls{named}"
    )
