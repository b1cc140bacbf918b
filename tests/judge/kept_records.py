"""Keeps the timeline of a drill and its verdict for the tests, without a trace of where it was held.

    python -m tests.judge.kept_records REPORT NAME

A record says what was promised when it was made. Where drills come to promise more, old records
prove nothing any more, and `test_promises.py` fails: hold these drills again, and keep them.

- procedure-2: `make drill STAGE=processes PROCEDURE=2`
- no-rollback: `make drill STAGE=processes FAULT=postgres-down`

These three are judged again as they were on their day, whatever drills come to promise:

- passed: `make drill STAGE=processes FAULT=invalid-cursors RATE=30`
- failed: the same with `PROCEDURE=2 HAZARD=disk-full`
- unknown: the first, ended by Ctrl-C when its rollback began
"""

from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rollback_drill.record.timeline import Event, read, to_line
from rollback_drill.report.write import write_reports

FOLDER = Path(__file__).parent / "records"
# Folders for temporary files, people's own, and names of processes that are nobody's business.
_PATHS = re.compile(r"(?:/tmp|/home|/root|/work|/Users|/var/folders)/[^\s\"'\\:,;)]*")

_SUMS = re.compile(r',"sum":"[0-9a-f]{8}"\}$', re.MULTILINE)


def keep(report: Path, name: str) -> Path:
    """Keep the drill with its report at `report`; return where its timeline stands."""
    raw = (report / "timeline.jsonl").read_text(encoding="utf-8")
    with TemporaryDirectory() as folder:
        masked = Path(folder, "timeline.jsonl")
        masked.write_text(_PATHS.sub("/somewhere", _SUMS.sub("}", raw)), encoding="utf-8")
        text = "".join(f"{to_line(event)}\n" for event in read(masked))
        masked.write_text(text, encoding="utf-8")
        write_reports(masked, Path(folder))
        verdict = Path(folder, "verdict.json").read_bytes()
    (FOLDER / f"{name}.verdict.json.gz").write_bytes(gzip.compress(verdict, mtime=0))
    path = FOLDER / f"{name}.jsonl.gz"
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return path


def kept(name: str) -> bytes:
    """Return the timeline that is kept under `name`."""
    return gzip.decompress((FOLDER / f"{name}.jsonl.gz").read_bytes())


def events_of(name: str, folder: Path) -> list[Event]:
    """Return its events; it is unpacked into `folder`."""
    path = folder / "timeline.jsonl"
    path.write_bytes(kept(name))
    return list(read(path))


if __name__ == "__main__":
    sys.stdout.write(f"{keep(Path(sys.argv[1]), sys.argv[2])}\n")
