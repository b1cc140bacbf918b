"""When a drill holds a service against its document, and what it says where it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rollback_drill.campaigns.simulation import simulate
from rollback_drill.conduct.worlds import Draw
from rollback_drill.contract.told import ContractAsked
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import read
from rollback_drill.subject.described.subjects import Described
from rollback_drill.traffic.interface import Interface

RUNBOOK = Path("runbook/rollback.md")


def held(drawn: Draw, folder: Path) -> tuple[Verdict, ContractAsked]:
    one, path = simulate(drawn, RUNBOOK, folder)
    (asked,) = Book(list(read(path))).every(ContractAsked)
    return one.verdict, asked


@pytest.mark.parametrize(
    ("drawn", "why"),
    [
        (
            Draw(3, "error-rate-critical", procedure="1"),
            "a model of the service keeps to no document",
        ),
        (Draw(3, "skipped-pages"), "nothing was rolled back"),
    ],
)
def test_where_nothing_can_be_held_it_is_said_and_not_owed(
    drawn: Draw, why: str, tmp_path: Path
) -> None:
    _, asked = held(drawn, tmp_path)
    assert (asked.why, asked.owed, asked.operations) == (why, False, {})


def test_a_described_service_has_the_document_that_its_file_names() -> None:
    assert "names no document" in Described(Interface()).no_document
    told = Described(Interface(document="/openapi.json"))
    assert (told.document, told.no_document) == ("/openapi.json", "")


def test_the_library_is_loaded_by_whoever_needs_it_alone() -> None:
    code = (
        "import sys, rollback_drill.commands, rollback_drill.report.write\n"
        "import rollback_drill.conduct.companions.contract\n"
        "print([one for one in ('schemathesis', 'hypothesis') if one in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"
