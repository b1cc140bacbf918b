"""The stable release breaks, and tells it in its logs, or does not tell it there any more."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import Edit, Plant, PlantedIn, Sabotage, Sql, after
from rollback_drill.subject.hostaway.wrapping import answering

_RESTART = "Restart the application"
_LOGS = "import logging\nlog = logging.getLogger('hostaway_mcp')\n"
_WRITES = (
    "import logging\n"
    "file = logging.getLogger().handlers[0].stream\n"
    "file.write({line!r} + chr(10))\n"
    "file.flush()\n"
)
_PRINTS = "import sys\nprint({line!r}, file=sys.{stream}, flush=True)\n"
_TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 7, in f\nKeyError: 7'


def _logged(statement: str, *, one_in: int = 1, after_s: float = 0.0) -> tuple[Plant, ...]:
    return answering(_LOGS + statement, one_in=one_in, after_s=after_s)


def _written(line: str, *, one_in: int = 30) -> tuple[Plant, ...]:
    return answering(_WRITES.format(line=line), one_in=one_in)


def _printed(
    line: str, stream: str, *, one_in: int = 30, after_s: float = 0.0, method: str = "GET"
) -> tuple[Plant, ...]:
    code = _PRINTS.format(line=line, stream=stream)
    return answering(code, one_in=one_in, after_s=after_s, method=method)


def _of(name: str, breaks: str, by: str, plants: tuple[Plant, ...]) -> Sabotage:
    return Sabotage(name, breaks, PlantedIn.STABLE, by, plants)


SABOTAGES = (
    _of(
        "log-critical",
        "a line of level CRITICAL is logged with each answer",
        "application_log",
        _logged("log.critical('cannot go on')"),
    ),
    _of(
        "log-fatal-seldom",
        "a line of level FATAL is logged with each thirtieth answer",
        "application_log",
        _written('{"level": "FATAL", "message": "cannot go on"}'),
    ),
    _of(
        "log-number",
        "lines of level INFO bear the number of CRITICAL",
        "application_log",
        _logged("log.info('x', extra={'fields': {'levelno': 50}})", one_in=30),
    ),
    _of(
        "log-other-key",
        "the level of what broke stands under another key, by another name",
        "application_log",
        _written('{"lvl": "emerg", "msg": "cannot go on"}'),
    ),
    _of(
        "log-nested-level",
        "the level of what broke stands in a record within the line",
        "application_log",
        _written('{"log": {"level": "SEVERE"}, "message": "cannot go on"}'),
    ),
    _of(
        "log-not-json",
        "lines without JSON stand in the log of JSON",
        "application_log",
        _written("something went wrong here"),
    ),
    _of(
        "log-traceback-at-info",
        "tracebacks are logged at the level INFO",
        "application_log",
        _logged(
            "log.info('x', extra={'fields': {'exception': 'Traceback (most recent call last)'}})",
            one_in=30,
        ),
    ),
    _of(
        "log-silent",
        "the log falls silent two seconds after the start",
        "application_log",
        _logged("logging.disable(logging.CRITICAL)", after_s=2.0),
    ),
    _of(
        "log-an-hour-behind",
        "lines of the log bear a time of an hour ago",
        "application_log",
        (Edit("hostaway_mcp/logs.py", "record.created, UTC", "record.created - 3600, UTC"),),
    ),
    _of(
        "log-a-minute-ahead",
        "lines of the log bear a time that is yet to come",
        "application_log",
        (Edit("hostaway_mcp/logs.py", "record.created, UTC", "record.created + 60, UTC"),),
    ),
    _of(
        "log-key",
        "the customers' key is logged with each thirtieth answer",
        "of_secrets",
        _logged(
            "log.info('x', extra={'fields': {'key': ask.headers.get('x-api-key')}})", one_in=30
        ),
    ),
    _of(
        "stderr-traceback",
        "a traceback is printed with each thirtieth answer",
        "application_log",
        _printed(_TRACEBACK, "stderr"),
    ),
    _of(
        "stderr-traceback-of-writes",
        "a traceback is printed with each tenth write",
        "application_log",
        _printed(_TRACEBACK, "stderr", one_in=10, method="POST"),
    ),
    _of(
        "stderr-late",
        "from the fourth second on tracebacks are printed now and then",
        "application_log",
        _printed(_TRACEBACK, "stderr", one_in=50, after_s=4.0),
    ),
    _of(
        "stdout-panic",
        "a panic is printed to standard output",
        "application_log",
        _printed("panic: runtime error: index out of range", "stdout"),
    ),
    _of(
        "stdout-key",
        "the address of the database is printed with its password",
        "of_secrets",
        answering("import os\nprint('using', os.environ['DATABASE_URL'], flush=True)", one_in=30),
    ),
    Sabotage(
        "postgres-crash",
        "a process of Postgres is ended by a signal, which its log tells at the level LOG",
        PlantedIn.DATABASE,
        "database_log",
        (
            Sql(
                after(_RESTART, later_s=1),
                (
                    "DO $$BEGIN RAISE LOG "
                    "'server process (PID 7) was terminated by signal 9: Killed'; END$$",
                ),
            ),
        ),
    ),
)
