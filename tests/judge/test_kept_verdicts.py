"""Drills that were held before are judged as they were on their day, to the byte."""

import gzip
from pathlib import Path

import pytest

from rollback_drill.report.write import write_reports
from tests.judge.kept_records import FOLDER, kept

NAMES = sorted(path.name.removesuffix(".jsonl.gz") for path in FOLDER.glob("*.jsonl.gz"))


@pytest.mark.parametrize("name", NAMES)
def test_a_kept_record_has_the_verdict_of_its_day(name: str, tmp_path: Path) -> None:
    timeline = tmp_path / "timeline.jsonl"
    timeline.write_bytes(kept(name))
    write_reports(timeline, tmp_path / "report")
    then = gzip.decompress((FOLDER / f"{name}.verdict.json.gz").read_bytes())
    assert (tmp_path / "report" / "verdict.json").read_text() == then.decode()


def test_every_kind_of_verdict_is_kept() -> None:
    assert {"passed", "failed", "unknown"} <= set(NAMES)
