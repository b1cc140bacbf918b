"""What a revalidation found, against the one before it: the document, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from rollback_drill.campaigns.found import Revalidated, RunbookFinding, coverage, lines_named
from rollback_drill.ground.clock import iso, now
from rollback_drill.ground.options import SEVERITIES
from rollback_drill.ground.redact import masked
from rollback_drill.runbook.changed import ChangedPassage, passages

NOT_KEPT = "the text of the last time was not kept: what changed in it is not known"
UNSEEN = "what changed is not shown: a secret, or how lines end"


@dataclass(frozen=True, slots=True)
class KeptFinding:
    """A finding of which it is known whether it was there the last time: `state` is "new", "gone"
    or "stayed"; `lines`: the first and last line that it is about, in the text in which it stands,
    0 for none.
    """

    finding: RunbookFinding
    state: str
    lines: tuple[int, int]

    def is_about(self, one: ChangedPassage) -> bool:
        """Whether it stands in lines that changed."""
        first, last = one.before if self.state == "gone" else one.now
        return self.lines[1] > 0 and self.lines[0] <= last and first <= self.lines[1]


@dataclass(frozen=True, slots=True)
class CountThen:
    """A number now, and what it was the last time (None: not known). `good`: whether it is as it
    should be; `better`: than the last time, None where it is as it was.
    """

    name: str
    now: str
    then: str | None
    good: bool
    better: bool | None = None


@dataclass(frozen=True, slots=True)
class Since:
    """What changed since the last time. `at`: when that was (ISO, UTC), "" where there was none;
    `changed`: whether the document did; `said`: why its changes are not shown, "" where they are.
    """

    at: str = ""
    changed: bool | None = None
    said: str = ""
    passages: tuple[ChangedPassage, ...] = ()
    findings: tuple[KeptFinding, ...] = ()
    counts: tuple[CountThen, ...] = ()
    performed: dict[str, str] = field(default_factory=dict)

    def of(self, state: str) -> list[KeptFinding]:
        """Return the findings in this state."""
        return [one for one in self.findings if one.state == state]

    def sentences(self) -> list[str]:
        """Return what changed, none where there was no last time."""
        if self.changed is None:
            return []
        told = ["the document changed" if self.changed else "the document is the same"]
        for state in ("new", "gone"):
            same = sorted({one.finding.same for one in self.of(state)})
            told += [f"{state}: {where}: {what}" for where, what in same]
        return told if len(told) > 1 else [*told, "the findings are the same"]


def content_of(found: Revalidated) -> dict[str, Any]:
    """Return the contents of findings.json, but for what changed."""
    triggers, missed = found.triggers
    return {
        "at": iso(now()),
        "runbook": {
            "path": str(found.runbook.path),
            "sha256": found.runbook.sha256,
            "text": masked(found.runbook.text),
        },
        "checkboxes": [asdict(one) for one in coverage(found.runbook)],
        "triggers": triggers,
        "unwatched": [asdict(one) for one in missed],
        "procedures": [asdict(one) for one in found.performed],
        "findings": [
            {**asdict(one), "lines": lines_named(one.where, found.runbook)}
            for one in found.findings
        ],
    }


def last_found(previous: Path) -> object:
    """Return the contents of the findings.json at `previous`, None of one that cannot be read."""
    try:
        return json.loads(previous.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def since(previous: Path, found: Revalidated) -> Since:
    """Return what changed since the findings.json at `previous`; of one that is not there, or that
    is none, only what is found now.
    """
    return since_then(last_found(previous), found)


def since_then(last: object, found: Revalidated) -> Since:
    """See since. `last`: the contents of that file, which may have been written anew meanwhile."""
    content, before = content_of(found), cast("dict[str, Any]", last)
    try:
        then = [_finding(one) for one in before["findings"]]
        changed = before["runbook"]["sha256"] != found.runbook.sha256
        passed = {str(one["name"]): str(one["verdict"]) for one in before.get("procedures", ())}
        counts = tuple(_counts(content, before))
        at, text = str(before.get("at", "")), before["runbook"].get("text")
    except (ValueError, KeyError, TypeError, AttributeError):
        now_only = [KeptFinding(one, "", _lines(one, found)) for one in found.findings]
        return Since(findings=tuple(now_only), counts=tuple(_counts(content, {})))
    shown = passages(text, content["runbook"]["text"]) if isinstance(text, str) else ()
    known, new = {one.same for one, _ in then}, {one.same for one in found.findings}
    kept = [
        KeptFinding(one, "stayed" if one.same in known else "new", _lines(one, found))
        for one in found.findings
    ]
    kept += [KeptFinding(one, "gone", lines) for one, lines in then if one.same not in new]
    said = ""
    if changed and not shown:
        said = UNSEEN if isinstance(text, str) else NOT_KEPT
    return Since(at, changed, said, shown, tuple(kept), counts, passed)


def _lines(one: RunbookFinding, found: Revalidated) -> tuple[int, int]:
    return lines_named(one.where, found.runbook)


def _finding(kept: Mapping[str, Any]) -> tuple[RunbookFinding, tuple[int, int]]:
    words = ("id", "severity", "where", "what", "evidence", "advice")
    first, last = kept.get("lines", (0, 0))
    return RunbookFinding(*(str(kept.get(word, "")) for word in words)), (int(first), int(last))


def _counts(content: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[CountThen]:
    """Yield what can be counted, now and then."""
    then = {one.name: one for one in _numbers(before)}
    for one in _numbers(content):
        old = then.get(one.name)
        good = None
        if old is not None and one.bad != old.bad:
            good = one.bad < old.bad
        yield CountThen(one.name, one.told, old.told if old else None, one.bad == 0, good)


@dataclass(frozen=True, slots=True)
class _Number:
    """A number as it is told, and how many of those that are counted are not well."""

    name: str
    told: str
    bad: int


def _numbers(content: Mapping[str, Any]) -> Iterator[_Number]:
    for severity in SEVERITIES if "findings" in content else ():
        bad = sum(one["severity"] == severity for one in content["findings"])
        yield _Number(f"{severity} findings", str(bad), bad)
    for name, key, good in (
        ("checkboxes verified by a check", "checkboxes", lambda one: bool(one["check"])),
        ("procedures that passed", "procedures", lambda one: one["verdict"] == "passed"),
    ):
        if key in content:
            every = content[key]
            many = sum(good(one) for one in every)
            yield _Number(name, f"{many} of {len(every)}", len(every) - many)
    if "triggers" in content:
        bad = len(content["unwatched"])
        told = f"{content['triggers'] - bad} of {content['triggers']}"
        yield _Number("triggers watched", told, bad)
