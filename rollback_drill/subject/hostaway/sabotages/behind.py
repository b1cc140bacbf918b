"""What a second look behind all the others finds: what is told, kept and left where nobody asks."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import UP, Bash, Edit, Plant, PlantedIn, Rewrite, Sabotage
from rollback_drill.subject.hostaway.wrapping import answering

_HIDDEN = "of_document: Runbook, hidden-failure"
_NOTHING = "of_document: Runbook, does-nothing"
_CHECKOUT = 'git checkout --quiet -b "rollback-$(date +%Y%m%d-%H%M%S)-$$" --force tags/v0.0.9'
_SYNC = "\nuv sync --quiet\n"
_TAIL = 'tail -n 20 "$LOG_FILE"'
_MARK = 'git push --quiet origin "$mark"\n'
_ON_CALL = (
    'cp "$OUTBOX/slack-oncall.txt" "$OUTBOX/slack-engineering.txt"\ncat > "$OUTBOX/incident.md"'
)
_PSQL = 'psql -X -q -h "$DB_HOST" -p "$DB_PORT" -U "$DB_USER" -d "$DB_NAME"'


def _stable(name: str, breaks: str, caught_by: str, *plants: Plant) -> Sabotage:
    return Sabotage(f"behind-{name}", breaks, PlantedIn.STABLE, caught_by, plants)


def _runbook(
    name: str, breaks: str, caught_by: str, old: str, new: str, *plants: Plant
) -> Sabotage:
    rewrite = Rewrite(old, new)
    return Sabotage(f"behind-{name}", breaks, PlantedIn.RUNBOOK, caught_by, (rewrite, *plants))


def _message(name: str, breaks: str, file: str, text: str) -> Sabotage:
    told = f'echo "{text}" > "$OUTBOX/{file}"\n{_ON_CALL}'
    caught_by = f"of_messages: Message {file}"
    rewrite = Rewrite(_ON_CALL, told)
    return Sabotage(f"behind-{name}", breaks, PlantedIn.MESSAGES, caught_by, (rewrite,))


SABOTAGES = (
    _stable("metrics-edges", "latency is counted in other buckets than alerts ask for",
            "of_golden_set",
            Edit("hostaway_mcp/metrics.py", "0.1, 0.25, 0.5, 1,", "0.1, 0.3, 0.6, 1,")),
    _stable("documentation-gone", "the page of the documentation breaks", "of_golden_set",
            *answering("answer.status, answer.body = 500, {}", path="/docs")),
    _stable("environment-served", "who asks for it is given the service's environment",
            "of_golden_set",
            *answering("answer.status, answer.body = 200, {'DATABASE_URL': 'elsewhere'}",
                       path=r"/\.env")),
    _stable("lock-kept", "a session keeps an advisory lock", "of_structure",
            Edit("hostaway_mcp/app.py", "        await app.state.database.open()\n",
                 "        await app.state.database.open()\n"
                 "        import psycopg\n"
                 "        held = app.state.held = psycopg.connect(\n"
                 "            settings.database_url, autocommit=True\n        )\n"
                 "        held.execute('SELECT pg_advisory_lock(7)')\n")),
    _runbook("log-emptied", "a step empties the log", "of_the_unseen: Log",
             _TAIL, f'{_TAIL}\n: > "$LOG_FILE"'),
    _runbook("rows-changed-at-last", "the closing steps say that all was reserved a day earlier",
             "of_rows_that_stood", _MARK,
             f"{_MARK}{_PSQL} -c \"UPDATE reservations SET created_at = created_at - interval"
             " '1 day' WHERE reference LIKE 'd%'\"\n"),
    _runbook("hidden-copy", "a copy of all customers' rows is hidden at home",
             "of_effects: Left files", _TAIL,
             f"{_TAIL}\n{_PSQL} -c \"\\\\copy reservations TO '$HOME/.rows' CSV\"",
             Bash(UP, "true", 'rm -f "$HOME/.rows"')),
    _runbook("packages-unfinished", "packages that are not released are taken from now on",
             "of_effects: Services' settings", _TAIL,
             f'{_TAIL}\nmkdir -p "$HOME/.config/pip"\n'
             "printf '[global]\\npre = true\\n'"
             ' > "$HOME/.config/pip/pip.conf"',
             Bash(UP, "true", 'rm -rf "$HOME/.config/pip"')),
    _message("partners-of-another-release", "partners are told of another release", "partners.txt",
             "The API is being rolled back to v0.1.0-rc1."),
    _message("partners-unaffected", "partners are told that nobody was affected", "partners.txt",
             "Nobody was affected."),
    _runbook("sync-once", "that dependencies cannot be installed only ends a loop", _HIDDEN,
             _SYNC, "\nuntil uv sync --quiet; do break; done\n"),
    _runbook("sync-in-braces", "that dependencies cannot be installed is a word of a group",
             _HIDDEN, _SYNC, "\nuv sync --quiet || { echo went on; }\n"),
    _runbook("sync-on-error", "that dependencies cannot be installed is told, and no more",
             _HIDDEN, _SYNC, "\nuv sync --quiet || echo failed >&2\n"),
    _runbook("checkout-kept", "the status of the checkout is kept, and nobody asks for it",
             _HIDDEN, _CHECKOUT, f"{_CHECKOUT} || status=$?"),
    _runbook("sync-in-function", "dependencies are installed in a function that goes on",
             _HIDDEN, _SYNC,
             "\ninstall_all() {\n  uv sync --quiet\n  date\n}\ninstall_all || exit 1\n"),
    _runbook("never-true", "a look is guarded by what is never true", _NOTHING,
             _TAIL, f'test -n "" && {_TAIL} || date'),
)  # fmt: skip
