"""What a step does beside its own work, and leaves behind."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import UP, PlantedIn, Rewrite, Sabotage, Sql

_FETCH = "git fetch --tags origin"
_TAIL = 'tail -n 20 "$LOG_FILE"'
_LISTED = "grep -n -m1 '0\\.0\\.9' CHANGELOG.md"
_FLAG = "sed -i -E -e 's/^( +pagination_enabled:).*/\\1 false/'"
_SAFE = 'cd "$BACKUP_DIR"\ndump="$(find'
_NEW_DATABASE = 'PGHOST="$DB_HOST" PGPORT="$DB_PORT" PGUSER="$DB_USER" psql -X -q -d postgres -c'


def _beside(name: str, breaks: str, kind: str, old: str, new: str, procedure: int = 1) -> Sabotage:
    plants = (Rewrite(old, new),)
    caught_by = f"of_effects: {kind}"
    return Sabotage(f"beside-{name}", breaks, PlantedIn.RUNBOOK, caught_by, plants, procedure)


SABOTAGES = (
    _beside(
        "other-setting",
        "with the flag, the limit of pages is changed as well",
        "Configuration",
        _FLAG,
        "sed -i -E 's/^( +default_limit:).*/\\1 7/' config.yaml\n" + _FLAG,
        procedure=3,
    ),
    _beside(
        "setting-by-hand",
        "the stable release's own configuration is edited by hand",
        "Configuration",
        _TAIL,
        "sed -i -E 's/^( +default_limit:).*/\\1 7/' config.yaml\n" + _TAIL,
    ),
    _beside(
        "notes-in-folder",
        "a file is left in the deployment's folder",
        "Deployment's folder",
        _FETCH,
        _FETCH + " 2>&1 | tee fetch.out",
    ),
    _beside(
        "nightly-removed",
        "the nightly copies go when the safety backup comes",
        "Kept files",
        _SAFE,
        'rm -f "$SECURE_STORAGE"/nightly-*\n' + _SAFE,
        procedure=2,
    ),
    _beside(
        "nightly-touched",
        "the nightly copies look as if they were made just now",
        "Kept files",
        _SAFE,
        'touch "$SECURE_STORAGE"/nightly-*\n' + _SAFE,
        procedure=2,
    ),
    _beside(
        "job-left",
        "a step watches the log and never ends that",
        "Processes",
        _TAIL,
        _TAIL + '\ntail -F "$LOG_FILE" > /dev/null 2>&1 &',
    ),
    Sabotage(
        "beside-scratch-left",
        "a database to try things in is left on the server",
        PlantedIn.RUNBOOK,
        "of_effects: Databases",
        (
            Rewrite(_LISTED, _LISTED + f'\n{_NEW_DATABASE} "CREATE DATABASE scratch_tries"'),
            Sql(UP, ("SELECT 1",), ("DROP DATABASE IF EXISTS scratch_tries",)),
        ),
    ),
)
