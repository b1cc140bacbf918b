"""A runbook before and after it was edited, and what was found of it both times."""

from __future__ import annotations

from pathlib import Path

from rollback_drill.campaigns.found import ProcedureRun, Revalidated, RunbookFinding
from rollback_drill.campaigns.revalidation import by_reading
from rollback_drill.campaigns.since import since
from rollback_drill.campaigns.write_findings import write_findings
from rollback_drill.runbook.parse import parse

RUNBOOK = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
FAILED = RunbookFinding(
    "procedure-2-1",
    "high",
    "Procedure 2, step 3 “Revert the migrations”",
    "a command ended with status 1",
    "$ alembic downgrade 0001_base\nERROR: relation <listings> does not exist\npassword=hunter22",
    "look at what the command said",
)
PERFORMED = ProcedureRun("Procedure 1: Deploy", "passed", "everything held", "procedure-1", 4.2)
BROKEN = ProcedureRun("Procedure 2: Revert", "failed", "a command failed", "procedure-2")


def edited_twice(folder: Path) -> tuple[Path, Path]:
    """Return a runbook in which a box cannot be verified and a command never returns, and the same
    with the first mended, the second left, and another box that cannot be verified.
    """
    text = RUNBOOK.read_text(encoding="utf-8")
    for old in ("- [ ] Pagination is off", "git log --oneline -1\n", "- [ ] Dashboards show"):
        assert old in text
    first = text.replace("- [ ] Pagination is off", "- [ ] The moon is full", 1)
    first = first.replace("git log --oneline -1\n", "git log -1\ntail -f /var/log/x.log\n", 1)
    second = text.replace("git log --oneline -1\n", "git log -1\ntail -f /var/log/x.log\n", 1)
    second = second.replace("- [ ] Dashboards show normal levels", "- [ ] The <tide> is low", 1)
    paths = folder / "before.md", folder / "after.md"
    for path, words in zip(paths, (first, second), strict=True):
        path.write_text(words, encoding="utf-8")
    return paths


def revalidated_twice(folder: Path, report: Path) -> Revalidated:
    """Write the findings of both into `report`, one after the other; return the second's."""
    before, after = (parse(path) for path in edited_twice(folder))
    found = Revalidated(before, (*by_reading(before), FAILED), (BROKEN, PERFORMED))
    write_findings(found, since(report / "findings.json", found), report)
    found = Revalidated(after, tuple(by_reading(after)), (PERFORMED,))
    write_findings(found, since(report / "findings.json", found), report)
    return found
