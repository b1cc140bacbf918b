"""The revalidations kept beside the page over all drills: what each found, and its own page."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from rollback_drill.ground.verdict import GOOD, Verdict

_MOST = 50
_PAGE = "findings.html"
_SEVERITIES = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class KeptRevalidation:
    """`at`: when it ended, in ISO 8601; `findings`: "2 high, 1 low", "none"; of its procedures
    `held` of `performed` passed; `page`: where its findings stand, as a link.
    """

    at: str
    runbook: str
    findings: str
    held: int
    performed: int
    page: str


def revalidations(folder: Path) -> list[KeptRevalidation]:
    """Return the revalidations in `folder` and in the folders in it, newest first. What is none is
    left out.
    """
    found = sorted(_kept(folder), key=lambda one: datetime.fromisoformat(one.at), reverse=True)
    return found[:_MOST]


def _kept(folder: Path) -> Iterator[KeptRevalidation]:
    for path in (*folder.glob("findings.json"), *folder.glob("*/findings.json")):
        page = path.with_name(_PAGE)
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            severities = Counter(str(one["severity"]) for one in told["findings"])
            verdicts = [Verdict(one["verdict"]) for one in told["procedures"]]
            if page.is_file() and datetime.fromisoformat(told["at"]).tzinfo:
                yield KeptRevalidation(
                    at=told["at"],
                    runbook=Path(str(told["runbook"]["path"])).name,
                    findings=", ".join(
                        f"{severities[one]} {one}" for one in _SEVERITIES if severities[one]
                    )
                    or "none",
                    held=sum(one in GOOD for one in verdicts),
                    performed=len(verdicts),
                    page=quote(Path(os.path.relpath(page, folder)).as_posix()),
                )
        except (OSError, ValueError, TypeError, LookupError, RecursionError):
            continue
