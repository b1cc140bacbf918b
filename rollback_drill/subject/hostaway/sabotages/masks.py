"""Steps that only seem to be done, or whose failure nobody would hear of; what comes out is right
by luck.
"""

from __future__ import annotations

from rollback_drill.breaks.sabotage import PlantedIn, Rewrite, Sabotage

_HIDDEN = "of_document: Runbook, hidden-failure"
_NOTHING = "of_document: Runbook, does-nothing"
_BY_NOTHING = "of_document: Runbook, done-by-nothing"
_MISSING = "dependencies_installed"
_INSTALL = "touch .venv.unfinished\nuv sync --quiet\nrm .venv.unfinished\n"
_CHECKOUT = 'git checkout --quiet -b "rollback-$(date +%Y%m%d-%H%M%S)-$$" --force tags/v0.0.9'
_RESTART = 'supervisorctl -c "$SUPERVISOR_CONF" restart hostaway-mcp'
_HEALTH = 'curl -fsS --max-time 5 "$SERVICE_URL/health"\n'
_VERIFY = f"{_HEALTH}curl -fsS --max-time 5 -H"
_TAIL = 'tail -n 20 "$LOG_FILE"\n'
_COMPILE = ".venv/bin/python -m compileall -q hostaway_mcp\n"
_STASH = 'stash push --quiet --message "before the rollback"\n'


def _mask(
    name: str, breaks: str, caught_by: str, old: str, new: str, procedure: int = 1
) -> Sabotage:
    plants = (Rewrite(old, new),)
    return Sabotage(f"mask-{name}", breaks, PlantedIn.RUNBOOK, caught_by, plants, procedure)


SABOTAGES = (
    _mask(
        "sync-true", "dependencies are not installed", _MISSING, "\nuv sync --quiet\n", "\ntrue\n"
    ),
    _mask("sync-colon", "dependencies are not installed", _MISSING, "\nuv sync --quiet\n", "\n:\n"),
    _mask("sync-gone", "dependencies are not installed", _MISSING, _INSTALL, ""),
    _mask(
        "sync-or-true",
        "that dependencies cannot be installed is no failure",
        _HIDDEN,
        "\nuv sync --quiet\n",
        "\nuv sync --quiet || true\n",
    ),
    _mask(
        "sync-or-echo",
        "that dependencies cannot be installed is a word in the output",
        _HIDDEN,
        "\nuv sync --quiet\n",
        "\nuv sync --quiet || echo went on\n",
    ),
    _mask("sync-plus-e", "what fails goes on", _HIDDEN, _INSTALL, f"set +e\n{_INSTALL}"),
    _mask(
        "checkout-or-true",
        "that the code cannot be reverted is no failure",
        _HIDDEN,
        _CHECKOUT,
        f"{_CHECKOUT} || true",
    ),
    _mask(
        "checkout-plus-e", "what fails goes on", _HIDDEN, f"{_CHECKOUT}\n", f"set +e\n{_CHECKOUT}\n"
    ),
    _mask(
        "checkout-errexit",
        "what fails goes on",
        _HIDDEN,
        f"{_CHECKOUT}\n",
        f"set +o errexit\n{_CHECKOUT}\n",
    ),
    _mask("stash-true", "edited files are not put aside", _NOTHING, _STASH, f"{_STASH}true\n"),
    _mask("compile-true", "nothing is compiled", _NOTHING, _COMPILE, "true\n"),
    _mask(
        "compile-or-true",
        "what does not compile is no failure",
        _HIDDEN,
        _COMPILE,
        f"{_COMPILE.strip()} || true\n",
    ),
    _mask("restart-true", "the application is not restarted", "restarted", _RESTART, "true"),
    _mask(
        "restart-or-true",
        "that the application cannot be restarted is no failure",
        _HIDDEN,
        _RESTART,
        f"{_RESTART} || true",
    ),
    _mask(
        "restart-in-pipe",
        "the status of the restart is that of what reads its output",
        _HIDDEN,
        _RESTART,
        f"set +o pipefail\n{_RESTART} | cat",
    ),
    _mask(
        "restart-beside",
        "the restart goes on beside, and nobody asks how it ended",
        _HIDDEN,
        _RESTART,
        f"{_RESTART} &\nsleep 4",
    ),
    _mask(
        "verify-true",
        "nobody asks for health",
        _NOTHING,
        _VERIFY,
        f"true\n{_VERIFY[len(_HEALTH) :]}",
    ),
    _mask(
        "verify-or-true",
        "that the service is not healthy is no failure",
        _HIDDEN,
        _VERIFY,
        f"{_HEALTH.strip()} || true\n{_VERIFY[len(_HEALTH) :]}",
    ),
    _mask("log-true", "nobody looks into the log", _NOTHING, _TAIL, "true\n"),
    _mask(
        "fetch-true",
        "tags are not fetched",
        _NOTHING,
        "git fetch --tags origin\ngit for-each-ref",
        "true\ngit for-each-ref",
    ),
    _mask(
        "changelog-true",
        "nobody looks into the changelog",
        _NOTHING,
        "grep -n -m1 '0\\.0\\.9' CHANGELOG.md",
        "true",
    ),
    _mask(
        "status-true",
        "the status page is left at what it said",
        _NOTHING,
        'echo "The API is back. We keep watching it." > "$STATUS_PAGE"',
        "true",
    ),
    _mask(
        "tag-or-true",
        "that what runs cannot be tagged is no failure",
        _HIDDEN,
        '-m "Deployed when $INCIDENT began"',
        '-m "Deployed when $INCIDENT began" || true',
    ),
    _mask(
        "dump-read-true",
        "nobody reads the dump",
        _NOTHING,
        'pg_restore -f /dev/null "$dump"\n',
        "true\n",
        2,
    ),
    _mask(
        "dump-or-true",
        "that there is no dump is no failure",
        _HIDDEN,
        'trap \'psql -X -q -d postgres -c "SET client_min_messages TO warning" -c "DROP DATABASE '
        'IF EXISTS $scratch"\' EXIT\npg_dump -Fc -Z1 -d "$DB_NAME" -f "$dump"\npg_restore -f',
        'trap \'psql -X -q -d postgres -c "SET client_min_messages TO warning" -c "DROP DATABASE '
        'IF EXISTS $scratch"\' EXIT\npg_dump -Fc -Z1 -d "$DB_NAME" -f "$dump" || true\npg_restore -f',
        2,
    ),
    _mask(
        "sum-true",
        "nobody compares the checksum",
        _NOTHING,
        'cd "$SECURE_STORAGE"\nsha256sum --check "$dump.sha256"\n',
        'cd "$SECURE_STORAGE"\ntrue\n',
        2,
    ),
    _mask(
        "sum-gone",
        "nobody compares the checksum",
        _BY_NOTHING,
        'cd "$SECURE_STORAGE"\nsha256sum --check "$dump.sha256"\n',
        "",
        2,
    ),
    _mask(
        "stop-true",
        "the application is not stopped before the dump",
        "stopped",
        'supervisorctl -c "$SUPERVISOR_CONF" stop hostaway-mcp',
        "true",
        2,
    ),
    _mask(
        "stop-or-true",
        "that the application cannot be stopped is no failure",
        _HIDDEN,
        'supervisorctl -c "$SUPERVISOR_CONF" stop hostaway-mcp',
        'supervisorctl -c "$SUPERVISOR_CONF" stop hostaway-mcp || true',
        2,
    ),
    _mask(
        "flag-or-true",
        "that the flag cannot be switched is no failure",
        _HIDDEN,
        '10000/\' "$CONFIG_FILE"',
        '10000/\' "$CONFIG_FILE" || true',
        3,
    ),
    _mask(
        "sync-behind-exit",
        "the step ends before dependencies are installed",
        _MISSING,
        _INSTALL,
        f"exit 0\n{_INSTALL}",
    ),
    _mask(
        "sync-never-true",
        "dependencies are installed if false is true",
        _MISSING,
        "\nuv sync --quiet\n",
        "\nif false; then uv sync --quiet; fi\n",
    ),
    _mask(
        "sync-as-argument",
        "the command is an argument of one that does nothing",
        _MISSING,
        "\nuv sync --quiet\n",
        "\n: uv sync --quiet\n",
    ),
    _mask(
        "sync-in-comment",
        "the command stands in a comment",
        _MISSING,
        "\nuv sync --quiet\n",
        "\n# uv sync --quiet\n",
    ),
    _mask(
        "sync-is-said",
        "the command is said, and not run",
        _MISSING,
        "\nuv sync --quiet\n",
        "\necho uv sync --quiet\n",
    ),
    _mask(
        "install-ends-well",
        "the step ends well, whatever happened",
        _HIDDEN,
        _INSTALL,
        f"trap 'exit 0' EXIT\n{_INSTALL}",
    ),
    _mask(
        "sync-or-exit",
        "that dependencies cannot be installed ends the step well",
        _HIDDEN,
        "\nuv sync --quiet\n",
        "\nuv sync --quiet || (exit 0)\n",
    ),
)
