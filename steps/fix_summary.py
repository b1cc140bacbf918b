"""The gate's summary in Markdown: for people who look at a CI run, and for GitHub's job page."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_drill.ground import files
from rollback_drill.ground.terminal import shown

_MARKS = {"passed": "✅", "failed": "❌", "error": "❌", "skipped": "⏭️"}
_LONGEST = 300


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("rollback-drill").addoption(
        "--summary", default="", help="file for a summary in Markdown; also GITHUB_STEP_SUMMARY"
    )


def _asked(config: pytest.Config) -> Path | None:
    """Return where the summary of this process goes: a worker of several sees a part of a run."""
    name = str(config.getoption("--summary"))
    return Path(name) if name and not hasattr(config, "workerinput") else None


def pytest_configure(config: pytest.Config) -> None:
    path = _asked(config)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, "## Rollback gate: not held to its end\n")  # until it was
    except OSError as error:
        raise pytest.UsageError(
            f"expected --summary=FILE; found {path}: {error.strerror}"
        ) from error


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A gate of which not one scenario was held has shown nothing."""
    if _asked(session.config) is None or exitstatus != pytest.ExitCode.OK:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not reporter.stats.get("passed"):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    """Write the summary, once the last test has ended."""
    path = _asked(terminalreporter.config)
    if path is None:
        return  # only a gate tells GitHub: other runs of pytest stay silent
    text = shown(render(terminalreporter, exitstatus))
    try:
        files.write(path, text)
        job = os.environ.get("GITHUB_STEP_SUMMARY", "")
        if job:
            files.append(Path(job), *text.splitlines())
    except OSError as error:
        raise pytest.UsageError(f"the summary cannot be written: {error}") from error


def render(reporter: pytest.TerminalReporter, exitstatus: int) -> str:
    """Return the verdict, the counts, and a line for each scenario that did not pass."""
    stats = {word: list(reporter.stats.get(word, [])) for word in _MARKS}
    counts = ", ".join(f"{len(found)} {word}" for word, found in stats.items() if found)
    verdict = "passed" if exitstatus == 0 and stats["passed"] else "FAILED"
    lines = [f"## Rollback gate: {verdict}", "", f"{counts or 'nothing was run'}", ""]
    bad = [(word, report) for word in ("failed", "error") for report in stats[word]]
    if bad:
        lines += ["| | Scenario | Why |", "|---|---|---|"]
        for word, report in bad:
            lines.append(f"| {_MARKS[word]} | {_name(report)} | {_why(report)} |")
    else:
        lines += ["| | Scenario |", "|---|---|"]
        lines += [f"| {_MARKS['passed']} | {_name(report)} |" for report in stats["passed"]]
    return "\n".join(lines) + "\n\n"


def _name(report: pytest.TestReport | pytest.CollectReport) -> str:
    return " ".join(report.nodeid.rpartition("::")[2].split()).replace("|", "/")


def _why(report: pytest.TestReport | pytest.CollectReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else str(report.longrepr)
    return " ".join(text.split())[:_LONGEST].replace("|", "/")
