"""Earlier drills: one line of JSON each, kept to see trends and regressions of time to restore."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from drill import files
from drill.errors import UsageError
from drill.judgement import Judgement
from drill.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a drill. `key`: drills with equal keys compare; times in seconds."""

    began: str
    key: str
    stage: str
    fault: str
    procedure: int | None
    verdict: str
    detected_after_s: float | None
    restored_after_s: float | None
    outage_s: float | None
    findings: int


def kept(judgement: Judgement, key: str, began: str) -> Kept:
    """Return what is to be kept of a judged drill that began at `began` (ISO, UTC)."""
    start, decided = judgement.started, judgement.decided
    return Kept(
        began=began,
        key=key,
        stage=start.stage if start else "",
        fault=start.fault if start else "",
        procedure=judgement.procedure,
        verdict=judgement.verdict.value,
        detected_after_s=decided.detected_after_s if decided else None,
        restored_after_s=judgement.restored_after_s,
        outage_s=judgement.outage_s,
        findings=len(judgement.causes),
    )


def append(path: Path, one: Kept) -> None:
    """Add a drill to the file. Raises UsageError when it cannot be written."""
    _append(path, json.dumps(asdict(one), ensure_ascii=False))


def prepare(path: Path) -> None:
    """Make the file if there is none. Raises UsageError when no drill could be kept in it."""
    _append(path)


def _append(path: Path, *lines: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.append(path, *lines)
    except OSError as error:
        raise UsageError(
            f"a file for earlier drills at {path}", str(error.strerror), "set HISTORY=FILE"
        ) from error


def read(path: Path) -> list[Kept]:
    """Return all kept drills, oldest first; none when there is no file. Raises UsageError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"earlier drills in {path}", str(error), "set HISTORY=FILE") from error
    names = {one.name for one in fields(Kept)}
    found = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            found.append(Kept(**{k: v for k, v in entry.items() if k in names}))
        except (ValueError, TypeError, AttributeError) as error:
            raise UsageError(
                f"a kept drill in line {number} of {path}", repr(line[:80]), "remove that line"
            ) from error
    return sorted(found, key=lambda one: one.began)


def baseline(drills: Sequence[Kept], key: str) -> tuple[float, ...]:
    """Return the times to restore of earlier drills that passed and compare, in seconds."""
    return tuple(
        one.restored_after_s
        for one in drills
        if one.key == key and one.verdict == Verdict.PASSED and one.restored_after_s
    )
