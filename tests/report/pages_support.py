"""One page of each kind, as a user gets them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from rollback_drill.judge.history import KeptDrill
from rollback_drill.perform.told import OperatorActed
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.report.html import whole_page
from rollback_drill.report.overview import overview
from rollback_drill.report.postmortem_page import readable
from tests.campaigns.findings_support import revalidated_twice
from tests.judge.history_support import drill
from tests.judge.kept_records import events_of
from tests.judge.record_support import counted

_ACTS = (
    OperatorActed("Procedure 1", 1, "Enter maintenance", "done", ""),
    OperatorActed(
        "Procedure 1", 1, "Enter maintenance", "effect seen", "seen: 503 from the balancer"
    ),
    OperatorActed("Procedure 1", 2, "Look at the log", "skipped", "nothing was seen of it"),
    OperatorActed("Procedure 1", 3, "Deploy", "wrong turn", "deployed before the drain"),
)


def pages(folder: Path) -> dict[str, Path]:
    """Write the pages into `folder`; return them by their names."""
    found = {}
    for name in ("passed", "failed", "unknown"):
        found[name] = _written(folder, name, whole_page(Book(events_of(name, folder))))
    acted = _operated(events_of("passed", folder))
    found["operator"] = _written(folder, "operator", whole_page(Book(acted)))
    failed = Book(events_of("failed", folder))
    found["postmortem"] = _written(folder, "postmortem", readable(failed))
    today = date(2026, 3, 1)
    told = overview(_twenty(), today, ["leak", "flood", "drought"])
    found["index"] = _written(folder, "index", told)
    revalidated_twice(folder, folder / "revalidated")
    return found | {"findings": folder / "revalidated" / "findings.html"}


def _written(folder: Path, name: str, page: str) -> Path:
    path = folder / f"{name}.html"
    path.write_text(page, encoding="utf-8")
    return path


def _operated(record: list[Event]) -> list[Event]:
    """Return the record as if a person had performed the runbook."""
    last = record[-1]
    acts = [Event(last.at, one) for one in _ACTS]
    return counted([*record[:-1], *acts, last])


def _twenty() -> list[KeptDrill]:
    """Return twenty drills of three kinds."""
    verdicts = ("passed", "passed", "failed", "passed", "unknown")
    return [
        drill(
            f"2026-0{1 + number // 10}-{1 + number % 10:02}T10:00:00.000Z",
            fault=("leak", "flood", "connection-exhaustion")[number % 3],
            verdict=verdicts[number % 5],
            restored_after_s=4.0 + number % 7,
            detected_after_s=0.3 + number / 20,
            findings=number % 3,
            procedures=(1, 2, 3),
        )
        for number in range(20)
    ]
