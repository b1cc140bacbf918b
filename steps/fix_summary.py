"""The gate's summary in Markdown: for people who look at a CI run, and for GitHub's job page."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_MARKS = {"passed": "✅", "failed": "❌", "error": "❌", "skipped": "⏭️"}
_LONGEST = 300


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--summary", default="", help="file for a summary in Markdown; also GITHUB_STEP_SUMMARY"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    """Write the summary, once the last test has ended."""
    config = terminalreporter.config
    asked = [config.getoption("--summary")]
    if asked[0]:  # only a gate tells GitHub: other runs of pytest stay silent
        asked.append(os.environ.get("GITHUB_STEP_SUMMARY", ""))
    text = render(terminalreporter, exitstatus)
    for name in filter(None, asked):
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)


def render(reporter: pytest.TerminalReporter, exitstatus: int) -> str:
    """Return the verdict, the counts, and a line for each scenario that did not pass."""
    stats = {
        word: [r for r in reporter.stats.get(word, []) if getattr(r, "when", "call") != "teardown"]
        for word in _MARKS
    }
    counts = ", ".join(f"{len(found)} {word}" for word, found in stats.items() if found)
    verdict = "passed" if exitstatus == 0 else "FAILED"
    lines = [f"## Rollback gate: {verdict}", "", f"{counts or 'nothing was run'}", ""]
    bad = [(word, report) for word in ("failed", "error") for report in stats[word]]
    if bad:
        lines += ["| | Scenario | Why |", "|---|---|---|"]
        for word, report in bad:
            name = report.nodeid.rpartition("::")[2].replace("|", "/")
            lines.append(f"| {_MARKS[word]} | {name} | {_why(report)} |")
    else:
        lines += ["| | Scenario |", "|---|---|"]
        for report in stats["passed"]:
            name = report.nodeid.rpartition("::")[2].replace("|", "/")
            lines.append(f"| {_MARKS['passed']} | {name} |")
    return "\n".join(lines) + "\n\n"


def _why(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else str(report.longrepr)
    return " ".join(text.split())[:_LONGEST].replace("|", "/")
