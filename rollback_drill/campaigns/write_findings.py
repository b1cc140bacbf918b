"""findings.html, findings.md and findings.json: what a revalidation found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from rollback_drill.campaigns.findings_page import findings_page
from rollback_drill.campaigns.found import Revalidated, coverage
from rollback_drill.campaigns.since import Since, content_of
from rollback_drill.ground import files
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.markdown import fenced
from rollback_drill.ground.redact import masked
from rollback_drill.ground.terminal import shown
from rollback_drill.runbook.changed import as_diff


def write_findings(found: Revalidated, changes: Since, directory: Path) -> None:
    """Write the three files into `directory`. `changes`: since the last time (see `since`).

    Raises UsageError when they cannot be written.
    """
    content = {**content_of(found), "changes": changes.sentences()}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        files.write(directory / "findings.html", shown(findings_page(found, changes)))
        files.write(directory / "findings.md", shown(masked("\n".join(_told(found, changes)))))
        text = json.dumps(content, indent=2, ensure_ascii=False)
        files.write(directory / "findings.json", text + "\n")
    except OSError as error:
        raise UsageError(
            f"a folder for the findings at {directory}", str(error.strerror), "set REPORT=DIR"
        ) from error


def _told(found: Revalidated, changes: Since) -> Iterator[str]:
    covered = coverage(found.runbook)
    bound = sum(bool(one.check) for one in covered)
    triggers, missed = found.triggers
    yield f"# What revalidating {found.runbook.path.name} found\n"
    yield (
        f"{bound} of {len(covered)} checkboxes are verified by a check, {triggers - len(missed)} "
        f"of {triggers} triggers are watched. {len(found.findings) or 'No'} finding(s).\n"
    )
    if said := changes.sentences():
        yield "## Since the last time\n"
        yield from (f"- {one}" for one in said)
        yield f"- {changes.said}\n" if changes.said else ""
        if changes.passages:
            yield fenced(as_diff(changes.passages), "diff") + "\n"
    for one in found.findings:
        yield f"## {one.severity}: {one.where}\n\n{one.what}\n"
        if "\n" in one.evidence:
            yield fenced(one.evidence) + "\n"
        elif one.evidence:
            yield f"Evidence: {one.evidence}\n"
        yield f"Try: {one.advice}\n"
