"""Are the logs free of errors since the rollback took effect?"""

from __future__ import annotations

import contextlib
import re

from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError, WaitTimeout
from rollback_drill.ground.finding import Finding, failed, passed, unknown
from rollback_drill.ground.wait import wait_until
from rollback_drill.perform.check import check
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.succession import of_predecessor, printed_before
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.asking import keyed
from rollback_drill.watch.logs import APPLICATION, DATABASE, OUTPUT, LogPosition, record_entries

_LOGGED_S = 2.0  # a line in its log
_QUOTED = 3
_ASTRAY = 3  # lines: a single one may come of anything
_SPEAKS = 100  # requests to a host: who speaks of them is known by so many
_OFTEN = 0.2  # lines for a request
_QUIET_S = 1.0  # for what is under way
_ATTEMPT = re.compile(r"Running (?:downgrade|upgrade)")  # alembic, once an attempt
# Where these mattered, the command that met them has failed.
_WAITED = re.compile(r"due to lock timeout|terminating connection|system is (?:starting|shutting)")


def _judge(
    moment: Moment,
    source: str,
    since: float,
    ignored: re.Pattern[str] | None = None,
    *,
    ask: bool = True,
) -> Finding:
    """Judge the log `source` by its lines of level ERROR or worse since `since`.

    Lines in which `ignored` is found do not count. The log is read now, to its end: what could not
    be read, or holds nothing since then, is unknown. `ask`: a service that logged nothing since
    then may be asked for something that it logs.
    """
    log = moment.tail.logs[source]
    why = _read_now(moment, source, since, ask=ask)
    kept = [
        entry
        for name in (source, *((OUTPUT,) if source == APPLICATION else ()))
        for entry in tuple(moment.tail.logs[name].errors)
    ]
    since_when = (moment.effective_at, moment.processes_began)
    printed = moment.tail.logs[OUTPUT]
    old = of_predecessor(kept, *since_when)
    old |= printed_before(tuple(printed.errors), *since_when, printed.starts)
    errors = [
        entry
        for entry in kept
        if entry.at >= since
        and entry not in old
        and (ignored is None or not ignored.search(entry.text))
    ]
    if errors:
        quoted = "; ".join(f"{e.level} {e.text[:160]}" for e in errors[:_QUOTED])
        return failed(f"{len(errors)} errors in the {source} log: {quoted}", "none")
    for host, one in log.readings.items():
        strange = _strange(moment, one, since) if source == APPLICATION else ""
        if strange:
            return failed(f"the log of {host} {strange}", "a log that tells what happens")
    if why:
        return unknown(f"the {source} log was not read: {why}")
    if log.forgotten_at >= since:
        return unknown(f"more errors in the {source} log than can be kept")
    lines = sum(reading.lines for reading in log.readings.values())
    return passed(f"no error among {lines} lines read of the {source} log")


def _strange(moment: Moment, log: LogPosition, since: float) -> str:
    """Say why a log that has no errors tells nothing of them all the same, "" where it may: its
    lines bear times that cannot be theirs, or it spoke with the requests and does not any more.
    """
    astray = [astray_s for at, astray_s in log.astray if at >= since]
    if len(astray) >= _ASTRAY:
        middle = sorted(astray)[len(astray) // 2]
        late = "after" if middle > 0 else "before"
        return f"has {len(astray)} lines that bear a time {abs(middle):.0f} s {late} their own"
    if moment.stage.interface.quiet_log or log.trouble:
        return ""
    hosts = max(1, len(moment.stage.hosts))
    begin, until = log.spoke_from, since
    before = moment.traffic.window(begin, until) if begin and begin < until else None
    spoken = log.lines_in(begin, until)
    if before is None or before.sent < _SPEAKS * hosts or spoken * hosts < before.sent * _OFTEN:
        return ""  # it never spoke with the requests
    quiet_from = max(since, log.newest_at) + _QUIET_S
    seen = moment.traffic.window(quiet_from)
    good = seen.sent - seen.failures
    if good < _SPEAKS * hosts:
        return ""
    return (
        f"told {spoken} lines of {before.sent} requests before, and none of {good} that were "
        f"answered in the last {seen.until - seen.start:.0f} s"
    )


def _read_now(moment: Moment, source: str, since: float, *, ask: bool) -> str:
    """Read the log to its end; return why it was not read whole since `since`, "" when it was."""
    tail = moment.tail
    record_entries(moment.timeline, tail.read(final=True))
    log = tail.logs[source]
    if source == DATABASE:
        try:
            record_entries(moment.timeline, tail.read_newest_of_database())
        except StageError as error:
            return f"expected {error.expected}; found {error.found}"
    elif ask and any(not one.trouble and one.newest_at < since for one in log.readings.values()):
        _give_to_log(moment, since)
    if not log.readings:
        return "there is none"
    why = log.troubles()
    if source == APPLICATION:
        printed = tail.logs[OUTPUT]
        why += printed.troubles()
        # Among what is gone may be an error, or that the supervisor started what told of one.
        gone = {host: one for host, one in printed.readings.items() if one.missed_at >= since}
        why += [f"{host}: {one.missed}" for host, one in gone.items() if not one.trouble]
    for host, one in log.readings.items():
        if not one.trouble and one.missed_at >= since:
            why.append(f"{host}: {one.missed}")
        elif not one.trouble and source == APPLICATION and one.newest_at < since:
            why.append(f"{host}: nothing in the {now() - since:.0f} s to be judged")
    return "; ".join(why)


def _give_to_log(moment: Moment, since: float) -> None:
    """Ask every host for something that it may log, and read until it did or might have."""
    stage = moment.stage
    key = keyed(stage)
    for url in stage.direct_urls.values():
        with contextlib.suppress(NoAnswer):
            http.get(url + stage.subject.probe, headers=key)
    readings = moment.tail.logs[APPLICATION].readings.values()
    with contextlib.suppress(WaitTimeout):
        for _ in wait_until("a line in every log", _LOGGED_S, every_s=0.2):
            record_entries(moment.timeline, moment.tail.read(final=True))
            if all(one.newest_at >= since for one in readings):
                break


@check(
    r"no errors in database logs?",
    r"database logs? (?:shows?|contains?|has|have) no errors",
    r"database logs?<IS> (?:clean|free of errors)",
    examples=["No errors in the database log", "Database logs are clean"],
    needs="database",
)
def database_log(moment: Moment, match: re.Match[str]) -> Finding:
    """Postgres logged no error since the rollback took effect."""
    return _judge(moment, "database", moment.effective_at)


@check(
    r"no errors in logs? (?:at|on|during) start-?up",
    r"no (?:start-?up errors|errors (?:at|on|during) start-?up)(?: in logs?)?",
    r"<SERVICE> started without errors",
    examples=["No errors in its log at start-up", "No startup errors in the logs"],
)
def startup_log(moment: Moment, match: re.Match[str]) -> Finding:
    """The application logged no error since this step began."""
    # One that was not started yet would only be asked for the errors that it is to be rid of.
    started = moment.stage.process.pids() != moment.pids_before
    return _judge(moment, "application", moment.began_at, ask=started)


@check(
    r"no errors (?:from|in) migrations?",
    r"no migration errors(?: in logs?)?",
    examples=["No errors from the migration", "No migration errors in the logs"],
)
def migration_log(moment: Moment, match: re.Match[str]) -> Finding:
    """The commands that did it printed no error, and Postgres logged none meanwhile.

    What failed and was then done by the runbook's own retry or alternative does not count: neither
    the output of a command that failed before, nor of an attempt before the last.
    """
    failures = [number for number, done in enumerate(moment.outputs) if not done.ok]
    outputs = moment.outputs[failures[-1] + 1 :] if failures else moment.outputs
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
    since = now() - sum(done.took_s for done in outputs) if failures else moment.began_at
    return _judge(moment, "database", since, _WAITED)


@check(
    r"no errors?(?: in (?:(?:application|app|service) )?logs?)?",
    r"(?:(?:application|app|service) )?logs? (?:shows?|contains?|has|have) no errors?",
    r"(?:(?:application|app|service) )?logs?<IS> (?:clean|free of errors)",
    examples=["No errors in the application log", "Logs show no errors", "No errors"],
)
def application_log(moment: Moment, match: re.Match[str]) -> Finding:
    """The application logged no error since the rollback took effect."""
    return _judge(moment, "application", moment.effective_at)
