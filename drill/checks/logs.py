"""Are the logs free of errors since the rollback took effect?"""

from __future__ import annotations

import re

from drill.check import Finding, Situation, check, failed, passed, unknown
from drill.clock import now
from drill.probe import Entry, record_entries

_QUOTED = 3
_ATTEMPT = re.compile(r"Running (?:downgrade|upgrade)")  # alembic, once an attempt
# Where these mattered, the command that met them has failed.
_WAITED = re.compile(r"due to lock timeout|terminating connection|system is (?:starting|shutting)")


def _errors(entries: list[Entry], since: float) -> list[Entry]:
    worse = {"ERROR", "CRITICAL", "FATAL", "PANIC"}
    return [entry for entry in entries if entry.at >= since and entry.level in worse]


def _judge(
    situation: Situation, source: str, since: float, ignored: re.Pattern[str] | None = None
) -> Finding:
    """Judge the log `source` by its lines of level ERROR or worse since `since`.

    Lines in which `ignored` is found do not count.
    """
    record_entries(situation.timeline, situation.tail.read())
    logs = situation.tail.logs
    if not logs.lines_read[source]:
        return unknown(f"no line of the {source} log could be read")
    entries = logs.application if source == "application" else logs.database
    errors = [
        entry
        for entry in _errors(entries, since)
        if ignored is None or not ignored.search(entry.text)
    ]
    if errors:
        quoted = "; ".join(f"{e.level} {e.text[:160]}" for e in errors[:_QUOTED])
        return failed(f"{len(errors)} errors in the {source} log: {quoted}", "none")
    return passed(f"no error among {logs.lines_read[source]} lines read of the {source} log")


@check(
    r"no errors in database logs?",
    r"database logs? (?:shows?|contains?|has|have) no errors",
    r"database logs?<IS> (?:clean|free of errors)",
    examples=["No errors in the database log", "Database logs are clean"],
    needs="database",
)
def database_log(situation: Situation, match: re.Match[str]) -> Finding:
    """Postgres logged no error since the rollback took effect."""
    return _judge(situation, "database", situation.effective_at)


@check(
    r"no errors in logs? (?:at|on|during) start-?up",
    r"no (?:start-?up errors|errors (?:at|on|during) start-?up)(?: in logs?)?",
    r"<SERVICE> started without errors",
    examples=["No errors in its log at start-up", "No startup errors in the logs"],
)
def startup_log(situation: Situation, match: re.Match[str]) -> Finding:
    """The application logged no error since this step began."""
    return _judge(situation, "application", situation.began_at)


@check(
    r"no errors (?:from|in) migrations?",
    r"no migration errors(?: in logs?)?",
    examples=["No errors from the migration", "No migration errors in the logs"],
)
def migration_log(situation: Situation, match: re.Match[str]) -> Finding:
    """The commands that did it printed no error, and Postgres logged none meanwhile.

    What failed and was then done by the runbook's own retry or alternative does not count: neither
    the output of a command that failed before, nor of an attempt before the last.
    """
    failures = [number for number, done in enumerate(situation.outputs) if not done.ok]
    outputs = situation.outputs[failures[-1] + 1 :] if failures else situation.outputs
    said = [
        line
        for done in outputs
        for text in (done.stdout, done.stderr)
        for line in _ATTEMPT.split(text)[-1].splitlines()
        if re.search(r"\b(ERROR|FATAL|Traceback|FAILED)\b", line)
    ]
    if said:
        return failed(f"the commands said: {said[0]}", "no error")
    if left_out := sum(done.left_out for done in outputs):
        return unknown(f"the commands printed too much: {left_out:,} bytes of it were not read")
    since = now() - sum(done.took_s for done in outputs) if failures else situation.began_at
    return _judge(situation, "database", since, _WAITED)


@check(
    r"no errors?(?: in (?:(?:application|app|service) )?logs?)?",
    r"(?:(?:application|app|service) )?logs? (?:shows?|contains?|has|have) no errors?",
    r"(?:(?:application|app|service) )?logs?<IS> (?:clean|free of errors)",
    examples=["No errors in the application log", "Logs show no errors", "No errors"],
)
def application_log(situation: Situation, match: re.Match[str]) -> Finding:
    """The application logged no error since the rollback took effect."""
    return _judge(situation, "application", situation.effective_at)
