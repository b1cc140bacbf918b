"""Are the logs free of errors since the rollback took effect?"""

from __future__ import annotations

import re

from drill.check import Finding, Situation, check, failed, passed, unknown
from drill.probe import Entry, record_entries

_QUOTED = 3


def _errors(entries: list[Entry], since: float) -> list[Entry]:
    worse = {"ERROR", "CRITICAL", "FATAL", "PANIC"}
    return [entry for entry in entries if entry.at >= since and entry.level in worse]


def _judge(situation: Situation, source: str, since: float) -> Finding:
    """Judge the log `source` by its lines of level ERROR or worse since `since`."""
    record_entries(situation.timeline, situation.tail.read())
    logs = situation.tail.logs
    if not logs.lines_read[source]:
        return unknown(f"no line of the {source} log could be read")
    entries = logs.application if source == "application" else logs.database
    errors = _errors(entries, since)
    if errors:
        quoted = "; ".join(f"{e.level} {e.text[:160]}" for e in errors[:_QUOTED])
        return failed(f"{len(errors)} errors in the {source} log: {quoted}")
    return passed(f"no error among {logs.lines_read[source]} lines read of the {source} log")


@check(r"database logs?")
def database_log(situation: Situation, match: re.Match[str]) -> Finding:
    """Postgres logged no error since the rollback took effect."""
    return _judge(situation, "database", situation.effective_at)


@check(r"(start-?up|starting).*(error|log)", r"(error|log).*(start-?up|starting)")
def startup_log(situation: Situation, match: re.Match[str]) -> Finding:
    """The application logged no error since this step began."""
    return _judge(situation, "application", situation.began_at)


@check(r"migration.*(errors?|logs?)", r"(errors?|logs?).*migration")
def migration_log(situation: Situation, match: re.Match[str]) -> Finding:
    """The commands of this step printed no error, and Postgres logged none meanwhile."""
    said = [
        line
        for done in situation.outputs
        for line in f"{done.stdout}\n{done.stderr}".splitlines()
        if re.search(r"\b(ERROR|FATAL|Traceback|FAILED)\b", line)
    ]
    if said:
        return failed(f"the commands said: {said[0]}")
    return _judge(situation, "database", situation.began_at)


@check(
    r"(no|without|free of) errors? in (the )?(application )?logs?\b",
    r"no errors in the application log",
    r"^no errors\b(?!.*(migration|database|log))",
)
def application_log(situation: Situation, match: re.Match[str]) -> Finding:
    """The application logged no error since the rollback took effect."""
    return _judge(situation, "application", situation.effective_at)
