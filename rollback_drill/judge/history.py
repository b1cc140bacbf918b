"""Earlier drills: one line of JSON each, kept to see trends and regressions of time to restore."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated

from rollback_drill.ground import files
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.lines import read_lines
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import Judgement
from rollback_drill.record.decoding import Flaw, Form, decode, load, told
from rollback_drill.record.told import Amount, Count, Number, Seconds

_FIRST, _LAST = 1970, 3000  # years


def _date(text: str) -> bool:
    """Whether `text` is a day and time of which the next quarter can be told."""
    return _FIRST <= datetime.fromisoformat(text).year < _LAST


@dataclass(frozen=True, slots=True)
class KeptDrill:
    """What is kept of a drill. `key`: drills with equal keys compare; times in seconds.

    `boxes`: what the runbook of that title asked and was made of, "" and none where an older drill
    was kept. `figures`: what `judge.figures` says by its keys; `report`:
    the folder of its report, which a later drill may have replaced; `procedures`: those that the
    runbook has.
    """

    began: Annotated[str, Form("a date", _date)]
    key: str
    stage: str
    fault: str
    procedure: Number | None
    verdict: Annotated[str, Form("a verdict", Verdict)]
    detected_after_s: Seconds | None
    restored_after_s: Seconds | None
    outage_s: Seconds | None
    findings: Count
    runbook: str = ""
    boxes: tuple[str, ...] = ()
    figures: dict[str, Amount] = field(default_factory=dict)
    report: str = ""
    procedures: tuple[Number, ...] = ()


def entry(
    judgement: Judgement,
    key: str,
    began: str,
    boxes: tuple[str, ...] = (),
    figures: Mapping[str, float] | None = None,
) -> KeptDrill:
    """Return what is to be kept of a judged drill that began at `began` (ISO, UTC), and asked
    `boxes`, with its `figures`.
    """
    start = judgement.started
    return KeptDrill(
        began=began,
        key=key,
        stage=start.stage if start else "",
        fault=start.fault if start else "",
        procedure=judgement.procedure,
        verdict=judgement.verdict.value,
        detected_after_s=judgement.detected_after_s,
        restored_after_s=judgement.restored_after_s,
        outage_s=judgement.outage_s,
        findings=len(judgement.causes),
        runbook=start.runbook_title if start else "",
        boxes=boxes,
        figures=dict(figures or {}),
    )


def keep(path: Path, one: KeptDrill) -> None:
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


def earlier(path: Path) -> list[KeptDrill]:
    """Return all kept drills, oldest first; none when there is no file. Raises UsageError.

    What other versions keep beside is left out, and a last line without its end: it was torn.
    """
    if not os.path.lexists(path):
        return []
    found = []
    lines = read_lines(path, f"earlier drills in {path}", "set HISTORY=FILE", whole_only=True)
    for number, line in lines:
        try:
            found.append(decode(KeptDrill, load(line), others=True))
        except ValueError as error:
            raise UsageError(
                f"a kept drill in line {number} of {path}",
                str(error) if isinstance(error, Flaw) else told(line),
                "remove that line",
            ) from error
    return sorted(found, key=lambda one: one.began)


def baseline(drills: Sequence[KeptDrill], key: str) -> tuple[float, ...]:
    """Return the times to restore of earlier drills that passed and compare, in seconds."""
    return tuple(
        one.restored_after_s
        for one in drills
        if one.key == key and one.verdict == Verdict.PASSED and one.restored_after_s
    )


def last_of(drills: Sequence[KeptDrill], key: str) -> KeptDrill | None:
    """Return the last drill that compares and was conclusive, None where there is none."""
    held = (Verdict.PASSED, Verdict.FAILED)
    return next((one for one in reversed(drills) if one.key == key and one.verdict in held), None)


def boxes_before(drills: Sequence[KeptDrill], runbook: str) -> tuple[str, ...]:
    """Return what the last kept drill by the runbook with this title asked; none without one."""
    kept = (one.boxes for one in reversed(drills) if one.runbook == runbook and one.boxes)
    return next(kept, ())
