"""The gate's summary in Markdown: for people who look at a CI run, for GitHub's job page, and to be
put under a change as a comment.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from rollback_drill.ground import files
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.terminal import shown
from rollback_drill.record.decoding import decode
from rollback_drill.report.gate_summary import Artefacts, RunbookChange, gate_summary
from rollback_drill.report.scenario import ScenarioDrill, ScenarioTold, drill_told
from rollback_drill.runbook.changed import passages
from rollback_drill.runbook.revision import text_at

from .drills_held import HELD, HeldDrill

_WORDS = ("passed", "failed", "error", "skipped")
_DRILLS = "drills"
_SECRET = re.compile(r"pass|secret|token|key|credential", re.IGNORECASE)
_SHORTEST_SECRET = 8
_SENTENCE = pytest.StashKey[str]()
_NAMES = pytest.StashKey[tuple[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rollback-drill")
    group.addoption(
        "--summary", default="", help="file for a summary in Markdown; also GITHUB_STEP_SUMMARY"
    )
    group.addoption(
        "--base", default="", help="revision with which the summary compares the runbook"
    )


def _place(config: pytest.Config) -> Path | None:
    """Return where the summary goes, None where none was asked for."""
    name = str(config.getoption("--summary"))
    return Path(name) if name else None


def _asked(config: pytest.Config) -> Path | None:
    """Return where the summary of this process goes: a worker of several sees a part of a run."""
    return None if hasattr(config, "workerinput") else _place(config)


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


@pytest.hookimpl(optionalhook=True)
def pytest_bdd_before_scenario(request: pytest.FixtureRequest, feature: Any, scenario: Any) -> None:
    """Remember how people call it."""
    request.node.stash[_NAMES] = (str(scenario.name), str(feature.name))


@pytest.hookimpl(optionalhook=True)
def pytest_bdd_step_error(request: pytest.FixtureRequest, step: Any) -> None:
    """Remember the sentence at which a scenario broke."""
    request.node.stash[_SENTENCE] = f"{step.keyword} {step.name}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Add what the summary tells of it: this process may be one of several."""
    report: Any = yield
    folder = _place(item.config)
    if folder is not None and (report.when == "call" or report.failed):
        keep = folder.parent / _DRILLS if report.failed else None
        drills = tuple(_drill(one, keep) for one in item.stash.get(HELD, []))
        name, feature = item.stash.get(_NAMES, ("", ""))
        sentence = item.stash.get(_SENTENCE, "")
        report.told = asdict(ScenarioTold(name, "", feature, sentence, drills=drills))
    return report


def _drill(held: HeldDrill, keep: Path | None) -> ScenarioDrill:
    """Return what is told of a drill; `keep`: where its report is to be kept."""
    place = ""
    if keep is not None:
        try:
            shutil.copytree(held.report, keep / held.name, dirs_exist_ok=True)
            place = f"{_DRILLS}/{held.name}"
        except (OSError, shutil.Error):
            place = ""  # the summary says all the same what failed
    return drill_told(held.book, held.name, place)


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
    config = terminalreporter.config
    path = _asked(config)
    if path is None:
        return  # only a gate tells GitHub: other runs of pytest stay silent
    scenarios = [
        _told(word, report) for word in _WORDS for report in terminalreporter.stats.get(word, [])
    ]
    text = shown(
        gate_summary(
            scenarios,
            passed=exitstatus == 0 and any(one.outcome == "passed" for one in scenarios),
            change=_change(config),
            artefacts=artefacts(os.environ, path.parent),
            secrets=_secrets(),
        )
    )
    try:
        files.write(path, text)
        job = os.environ.get("GITHUB_STEP_SUMMARY", "")
        if job:
            files.append(Path(job), *text.splitlines())
    except OSError as error:
        raise pytest.UsageError(f"the summary cannot be written: {error}") from error


def _told(word: str, report: Any) -> ScenarioTold:
    known = dict(getattr(report, "told", {}))
    found = decode(ScenarioTold, {**_NOTHING, **known, "outcome": word})
    name = found.name or " ".join(report.nodeid.rpartition("::")[2].split())
    why = "" if word == "passed" else _why(report)
    return ScenarioTold(name, word, found.feature, found.sentence, why, found.drills)


_NOTHING = asdict(ScenarioTold("", ""))


def _why(report: Any) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    if isinstance(report.longrepr, tuple):  # of what was skipped
        return str(report.longrepr[-1])
    text = str(crash.message if crash else report.longrepr)
    # What a sentence says itself is for people; the values behind it are in junit.xml.
    return text.removeprefix("AssertionError: ").partition("\nassert ")[0]


def _change(config: pytest.Config) -> RunbookChange | None:
    """Return what changed in the runbook since the revision that was named, None without one."""
    base = str(config.getoption("--base")) or base_of(os.environ)
    name = str(config.getoption("--runbook", default="") or "")
    if not base or not name:
        return None
    path = Path(name)
    try:
        before = text_at(path, base)
        now = path.read_text(encoding="utf-8", errors="replace")
    except (OSError, UsageError) as error:
        return RunbookChange(name, base, unknown=str(error))
    return RunbookChange(name, base, passages(before, now))


def base_of(environment: Any) -> str:
    """Return the revision that a change is to be put on, as GitHub and GitLab say it."""
    if branch := environment.get("GITHUB_BASE_REF", ""):
        return f"origin/{branch}"
    return str(environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""))


def artefacts(environment: Any, folder: Path) -> Artefacts:
    """Return where what this run leaves in `folder` can be had, as GitHub and GitLab say it."""
    if job := environment.get("CI_JOB_URL", ""):
        root = Path(environment.get("CI_PROJECT_DIR", "."))
        place = os.path.relpath(folder.resolve(), root.resolve())
        return Artefacts(folder=f"{job}/artifacts/browse/{place}")
    parts = [environment.get(f"GITHUB_{one}", "") for one in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    if all(parts):
        return Artefacts(page=f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}#artifacts")
    return Artefacts()


def _secrets() -> Iterator[str]:
    """Yield what the environment has of them by the names of its variables."""
    for name, value in os.environ.items():
        if _SECRET.search(name) and len(value) >= _SHORTEST_SECRET:
            yield value
