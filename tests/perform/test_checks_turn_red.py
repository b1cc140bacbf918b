"""Every check, shown the very defect that it exists for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from rollback_drill.data.accounting import Accounting
from rollback_drill.data.told import STARTED
from rollback_drill.decide.told import Decided
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.perform.check import bind, registered
from rollback_drill.perform.messages import Courier, read_channels
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.performer import Part, Performer
from rollback_drill.perform.told import Checked, StepEnded, StepStarted
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.runbook.model import Checkbox
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.host import Completed
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.subject.hostaway.recipe import FAILING, STABLE
from rollback_drill.traffic.live import Traffic
from rollback_drill.watch.probe import Probe
from rollback_drill.watch.told import ProbeSample

RUNBOOK = parse(Path(__file__).resolve().parents[2] / "runbook" / "rollback.md")
PREPARED = {"REASON": "errors", "SEVERITY": "P1", "LEAD": "Ann", "INCIDENT": "INC-1"}

DRAIN = (
    'echo x > "$MAINTENANCE_FILE"; timeout 5 bash -c \'until '
    '[ "$(curl -s -o /dev/null -w %{http_code} $PUBLIC_URL/health)" = 503 ]; do sleep 0.1; done\''
)
SERVE = (
    'rm -f "$MAINTENANCE_FILE"; '
    "timeout 9 bash -c 'until curl -fso /dev/null $PUBLIC_URL/health; do sleep 0.1; done'"
)
STOP = 'supervisorctl -c "$SUPERVISOR_CONF" stop hostaway-mcp'
START = (
    'supervisorctl -c "$SUPERVISOR_CONF" restart hostaway-mcp; '
    "timeout 9 bash -c 'until curl -fso /dev/null $SERVICE_URL/health; do sleep 0.1; done'; "
) + SERVE
PSQL = 'psql -X -q -h "$DB_HOST" -p "$DB_PORT" -U "$DB_USER" -d "$DB_NAME" -c '
HIDE = PSQL + "'ALTER TABLE reservations RENAME TO hidden'"
SHOW = PSQL + "'ALTER TABLE IF EXISTS hidden RENAME TO reservations'"
pytestmark = pytest.mark.drill
# Two preparations within a second would make the same tag.
FORGET = "git tag -l 'before-rollback-*' | xargs -r git tag -d\n"
PREPARE = FORGET + "\n".join(block.alternatives[0].script for block in RUNBOOK.pre_rollback.blocks)
NIGHTLY = RUNBOOK.procedure(2).prerequisite_blocks[0].alternatives[0].script
BLOCKS = [block.alternatives[0].script for block in RUNBOOK.procedure(2).steps[2].blocks]
KEEP = "\n".join(BLOCKS[3:5])
LOAD = RUNBOOK.procedure(4).steps[2].blocks[0].alternatives[0].script
SAFETY = "\n".join(BLOCKS[1:3])
OFF = (
    "sed -i -E 's/^( +pagination_enabled:).*/\\1 false/' \"$CONFIG_FILE\"; "
    'supervisorctl -c "$SUPERVISOR_CONF" signal HUP hostaway-mcp; timeout 9 bash -c \'until curl -s '
    '-H "X-API-Key: $API_KEY" "$SERVICE_URL/api/listings?limit=1" | grep -q listings; '
    "do sleep 0.1; done'"
)
ON = (
    "git checkout -q config.yaml; "
    'supervisorctl -c "$SUPERVISOR_CONF" signal HUP hostaway-mcp; timeout 9 bash -c \'until curl -s '
    '-H "X-API-Key: $API_KEY" "$SERVICE_URL/api/listings?limit=1" | grep -q items; '
    "do sleep 0.1; done'"
)
CRASH = 'echo "Traceback (most recent call last):" >> "$LOG_FILE"'
BARE = (
    'tree="$(mktemp -d)"; git worktree add -q --detach "$tree" v0.0.9; cd "$tree"\n'
    "sed -i 's/target_metadata=metadata/target_metadata=None/' migrations/env.py\n"
    "git -c user.name=drill -c user.email=drill@example.com commit -qam bare; git tag bare\n"
    'cd "$APP_DIR"; git worktree remove --force "$tree"'
)
WRITTEN = (
    "for _ in $(seq 45); do if " + PSQL + "\"SELECT 1 FROM reservations WHERE reference LIKE 'd%' "
    "AND created_at < now() - interval '2 seconds'\" -t | grep -q 1; then exit 0; fi; "
    "sleep 0.2; done; exit 1"
)
DUMPS = '"$SECURE_STORAGE"/*.dump'


@dataclass(frozen=True)
class Case:
    """`good` makes the checkbox true, `bad` plants the defect, `back` cleans up. `said`: by what the
    evidence names the very defect, as what was found.
    """

    check: str
    text: str
    good: str
    bad: str
    said: str
    back: str = ""
    verdict: Verdict = Verdict.FAILED
    wanted: Verdict = Verdict.PASSED


KNOWN = {  # what messages at the end are about
    "START": "10:01", "END": "10:09", "DURATION": "8.4", "IMPACT": "7 of 900 requests failed",
    "DATA_LOSS": "2 of 50 confirmed changes",
}  # fmt: skip
OUTAGE = (
    f"{KNOWN['START']} to {KNOWN['END']} UTC, {KNOWN['DURATION']} minutes: {KNOWN['IMPACT']}. "
    + (f"Data lost: {KNOWN['DATA_LOSS']}")
)
OUTBOX = 'mkdir -p "$OUTBOX"; cd "$OUTBOX"; '
TEAM = f'date +"INC-1 over %N {OUTAGE}" | tee slack-oncall.txt > slack-engineering.txt'
ENDED = f"# INC-1 (P1): resolved by rolling back. {OUTAGE}"


def without(name: str, file: str, says: str) -> tuple[str, str]:
    """A defect: the message in `file` has something else where the value called `name` belongs."""
    value = KNOWN.get(name) or PREPARED[name]
    return (
        f"{OUTBOX}touch *; sed -i 's/{value.replace('.', '[.]')}/{says}/' {file}",
        f"{file} does not say ${name} (“{value}”)",
    )


CASES = [
    Case(
        "customers_told", "Customers: those affected have a mail",
        f'{OUTBOX}echo "We are back. {OUTAGE}" > customers.txt',
        f'{OUTBOX}echo "{OUTAGE}. Your data is safe" > customers.txt',
        "“Your data is safe”, and nobody has looked yet", wanted=Verdict.ATTESTED,
    ),
    *(
        Case(
            "customers_told", "Customers: those affected have a mail",
            f'{OUTBOX}echo "We are back. {OUTAGE}" > customers.txt',
            *without(name, "customers.txt", "5"), wanted=Verdict.ATTESTED,
        )
        for name in KNOWN
    ),
    Case(
        "ticket_resolved", "Incident ticket: resolved, with what was done",
        f'{OUTBOX}echo "{ENDED}" > incident.md',
        f'{OUTBOX}sed -i "s/ resolved by/ unresolved, but for/" incident.md',
        "does not say that it is resolved", wanted=Verdict.ATTESTED,
    ),
    Case(
        "ticket_resolved", "Incident ticket: resolved, with what was done",
        f'{OUTBOX}echo "{ENDED}" > incident.md', f'{OUTBOX}sed -i "s/rolling back/magic/" incident.md',
        "does not say what was done", wanted=Verdict.ATTESTED,
    ),
    *(
        Case(
            "ticket_resolved", "Incident ticket: resolved, with what was done",
            f'{OUTBOX}echo "{ENDED}" > incident.md', *without(name, "incident.md", "P3"),
            wanted=Verdict.ATTESTED,
        )
        for name in ("INCIDENT", "SEVERITY", *KNOWN)
    ),
    Case(
        "team_told_the_end", "Team: #oncall and #engineering know that it is over",
        OUTBOX + TEAM,
        "true", "before the step, nothing came since", wanted=Verdict.ATTESTED,
    ),
    *(
        Case(
            "team_told_the_end", "Team: #oncall and #engineering know that it is over",
            OUTBOX + TEAM, f"{OUTBOX}{TEAM}; {bad}", said, wanted=Verdict.ATTESTED,
        )
        for name in ("INCIDENT", "END", "DURATION", "IMPACT", "DATA_LOSS")
        for bad, said in [without(name, "slack-engineering.txt", "some")]
    ),
    Case(
        "rollback_tagged", "History: a tag in the origin marks the rollback",
        "git tag rollback-x; git push -q origin rollback-x",
        "git tag -d rollback-x; git push -q origin :refs/tags/rollback-x",
        "no tag of the origin",
    ),
    Case("error_rate", "Error rate <1%", SERVE, DRAIN, "requests failed", SERVE),
    Case("no_complaints", "No customer complaints", SERVE, DRAIN, "met a failure", SERVE),
    Case("maintenance_enabled", "Maintenance mode is on", DRAIN, SERVE, "answers 200"),
    Case("traffic_stopped", "Client traffic has stopped", DRAIN, SERVE, "reached the service", SERVE),
    Case("maintenance_disabled", "Maintenance mode is off", SERVE, DRAIN, "answers 503", SERVE),
    Case("traffic_flows", "Client traffic reaches the application", SERVE, DRAIN, "0 of", SERVE),
    Case("no_immediate_errors", "No immediate errors for clients", SERVE, DRAIN, "failed", SERVE),
    Case(
        "status_page", "The status page has an update",
        'echo "We look into it" > "$STATUS_PAGE"', 'echo "Back at [time]" > "$STATUS_PAGE"', "[time]",
        wanted=Verdict.ATTESTED,
    ),
    Case(
        "status_page", "Status page: says that service is restored and the cause is being looked for",
        'echo "It works again. We are looking for the cause." > "$STATUS_PAGE"',
        'echo "We still look into it" > "$STATUS_PAGE"', "“We still look into it”",
        wanted=Verdict.ATTESTED,
    ),
    Case("service_up", "The service is up and running", START, STOP, "host-1 answers nothing", START),
    Case("service_up", "The API is reachable", SERVE, DRAIN, "the front door answers 503", SERVE),
    Case("smoke_tests", "Smoke tests pass", "true", HIDE, "500", SHOW),
    Case(
        "no_data_loss", "No data loss", WRITTEN, "(" + WRITTEN + ")\n" + PSQL +
        "\"DELETE FROM reservations WHERE id = (SELECT max(id) FROM reservations WHERE reference LIKE "
        "'d%' AND created_at < now() - interval '1 second')\"", "as sent; lost: ",
    ),
    Case(
        "authentication", "Users can log in", "true",
        "sed -i 's/return hmac.compare_digest.*/return False/' hostaway_mcp/auth.py\n" + START,
        "with key: 401", "git checkout -q hostaway_mcp\n" + START,
    ),
    Case("api_requests_succeed", "API returns 200 OK", "true", STOP, "", START, verdict=Verdict.UNKNOWN),
    Case(
        "stable_identified", "Stable release identified: v0.0.9",
        "true", "git push -q origin :refs/tags/v0.0.9", "no tag v0.0.9", "git push -q origin v0.0.9",
    ),
    Case(
        "version_in_changelog", "The changelog lists it as stable",
        "true", "sed -i /0.0.9/d CHANGELOG.md", "has no entry for 0.0.9", "git checkout -q CHANGELOG.md",
    ),
    Case(
        "code_reverted", "The code is reverted to the stable release",
        "git checkout -q v0.0.9", "git checkout -q v0.1.0-pagination", f"HEAD is {FAILING}, nothing changed",
    ),
    Case(
        "dependencies_installed", "Its dependencies are installed",
        "true", "uv pip uninstall -q pyyaml --python .venv/bin/python", "sync", "uv sync -q",
    ),
    Case(
        "dependencies_installed", "Its dependencies are installed", "true",
        "sed -i '1i x = 1' .venv/lib/python3.*/site-packages/yaml/__init__.py",
        "yaml/__init__.py is another than", "uv sync -q --reinstall-package pyyaml",
    ),
    Case(
        "dependencies_installed", "Its dependencies are installed", "true",
        "rm .venv/lib/python3.*/site-packages/yaml/nodes.py", "yaml/nodes.py is gone",
        "uv sync -q --reinstall-package pyyaml",
    ),
    Case(
        "dependencies_installed", "Its dependencies are installed", "true",
        "(cd .venv/lib/python3.*/site-packages && echo 'import os' > extra.pth)",
        "extra.pth belongs to no package", "rm .venv/lib/python3.*/site-packages/extra.pth",
    ),
    Case(
        "dependencies_installed", "Its dependencies are installed", "true",
        "sed -i s/^include-system-site-packages.*/include-system-site-packages\\ =\\ true/ "
        ".venv/pyvenv.cfg",
        "packages of the system", "sed -i s/=.true$/=\\ false/ .venv/pyvenv.cfg",
    ),
    Case(
        "compiles", "It compiles without errors", "true",
        "echo 'def (' >> hostaway_mcp/app.py", "SyntaxError", "git checkout -q hostaway_mcp/app.py",
    ),
    Case(
        "deployment_tagged", "Tag the deployment: git has a tag for what runs now",
        "git tag before-x HEAD", "git tag -d before-x", "no tag but",
    ),
    Case(
        "deployment_tagged", "Backup current: tag current deployment in git",
        "git tag before-y HEAD", "touch -d '-1 hour' .git/refs/tags/before-y", "no tag but",
        "git tag -d before-y",
    ),
    Case("running", "Its process is running", START, STOP, "no process", START),
    Case("stopped", "The application is stopped", STOP, START, "process ids"),
    Case(
        "configuration_updated", "The configuration is updated", OFF,
        'printf "context_protection:\\npagination_enabled: false\\n" > "$CONFIG_FILE"',
        "holds no settings", ON,
    ),
    Case("old_format", "Lists come in the old format", OFF, ON, "nextCursor", ON),
    Case(
        "health_status", "/health answers with status 200", "true", STOP, "/health with nothing", START,
    ),
    Case("api_requests_succeed", "API requests succeed", "true", HIDE, "500", SHOW),
    Case("endpoints_functional", "All API endpoints work", "true", HIDE, "500", SHOW),
    Case("database_queries", "Database queries work", "true", HIDE, "answered 500", SHOW),
    Case(
        "authentication", "Authentication works", "true",
        "sed -i 's/return hmac.compare_digest.*/return True/' hostaway_mcp/auth.py\n" + START,
        "with no key: 200", "git checkout -q hostaway_mcp\n" + START,
    ),
    Case(
        "database_log", "No errors in the database log", PSQL + "'SELECT 1'",
        PSQL + "'SELECT 1/0' || true", "division by zero",
    ),
    Case("startup_log", "No errors in its log at start-up", "true", CRASH, "Traceback"),
    Case("application_log", "No errors in the application log", "true", CRASH, "Traceback"),
    Case(
        "metrics_collecting", "Metrics are being collected", "true", STOP, "Connection refused", START,
        verdict=Verdict.UNKNOWN,
    ),
    Case("dashboards_normal", "Dashboards show normal levels", "true", STOP, "host-1 no answer", START),
    Case(
        "backup_exists", "A database backup exists and can be read in full",
        NIGHTLY, f"truncate -s 2000 {DUMPS}", "checksum", 'rm "$SECURE_STORAGE"/*',
    ),
    Case(
        "code_deployed", "The code is that of the release to deploy",
        "git checkout -q v0.1.0-pagination", "git checkout -q v0.0.9", f"HEAD is {STABLE}",
        "git checkout -q v0.1.0-pagination",
    ),
    Case("new_format", "Pagination is on", ON, OFF, "offset", ON),
    Case(
        "migration_applied", "The migrations are applied up to revision `0002_pagination`",
        "true", ".venv/bin/alembic downgrade 0001_base", "stands at 0001_base",
        ".venv/bin/alembic upgrade head",
    ),
    Case(
        "schema_fits_code", "The deployed code can run on this schema",
        "git checkout -q v0.0.9", "git checkout -q v0.1.0-pagination; .venv/bin/alembic downgrade 0001_base",
        "the database stands at 0001_base", ".venv/bin/alembic upgrade head",
    ),
    Case(
        "configuration_whole", "The configuration has kept its structure", "true",
        'printf "context_protection:\\npagination_enabled: false\\n" > "$CONFIG_FILE"',
        "context_protection.pagination_enabled", "git checkout -q config.yaml",
    ),
    Case(
        "archive_kept", "What only the new release knew is archived",
        STOP + "\n" + KEEP, 'sed -i 2d "$SECURE_STORAGE"/only_new_*/reservations.channel.csv',
        "reservations.channel: 1 rows are not archived",
        'rm -r "$BACKUP_DIR"/* "$SECURE_STORAGE"/*\n' + START,
    ),
    Case(
        "archive_loaded", "What was archived is loaded again", f"{STOP}\n({KEEP})\n{LOAD}",
        PSQL + "\"UPDATE reservations SET channel = 'fax' WHERE id = (SELECT min(id) FROM reservations)\"",
        "reservations.channel: 1 of", 'rm -r "$BACKUP_DIR"/* "$SECURE_STORAGE"/*\n' + START,
    ),
    Case(
        "backup_recent", "The backup is recent: <24 hours old",
        NIGHTLY, f"touch -d '25 hours ago' {DUMPS}", "25.0", 'rm "$SECURE_STORAGE"/*',
    ),
    Case(
        "restore_tested", "Its restoration was tested", NIGHTLY,
        'for proof in "$SECURE_STORAGE"/*rows; do echo 0 > $proof; done', "had 0",
        'rm "$SECURE_STORAGE"/*',
    ),
    Case(
        "backup_created", "The safety backup was created and restores into a scratch database",
        STOP + "\n" + SAFETY, PSQL + "'DELETE FROM reservations WHERE id = (SELECT max(id) FROM reservations)'",
        "against the live database: reservations had ", 'rm "$BACKUP_DIR"/*\n' + START,
    ),
    Case(
        "backup_size", "The backup file has a reasonable size (>1KB)",
        STOP + "\n" + SAFETY, 'truncate -s 900 "$BACKUP_DIR"/*.dump', "900 bytes", 'rm "$BACKUP_DIR"/*\n' + START,
    ),
    Case(
        "backup_stored", "The backup is in secure storage, its checksum verified",
        STOP + "\n" + SAFETY, f"echo x | tee -a {DUMPS}", "EOF", 'rm "$BACKUP_DIR"/* "$SECURE_STORAGE"/*\n' + START,
    ),
    Case(
        "team_notified", "Notify the team: #oncall and #engineering have the message",
        PREPARE, f'{OUTBOX}touch *; echo "by [name]" > slack-engineering.txt', "slack-engineering.txt was not sent",
        wanted=Verdict.ATTESTED,
    ),
    Case(
        "incident_opened", "Open an incident: the ticket names its severity",
        PREPARE, 'sed -i s/P1/high/ "$OUTBOX/incident.md"', "does not say a severity",
        wanted=Verdict.ATTESTED,
    ),
    *(
        Case(check, text, PREPARE, *without(name, file, "P3"), wanted=Verdict.ATTESTED)
        for check, text, file, names in [
            ("team_notified", "Notify team", "slack-engineering.txt", PREPARED),
            ("incident_opened", "Create incident", "incident.md", PREPARED),
            ("stakeholders_told", "Notify stakeholders", "stakeholders.txt", ("SEVERITY", "INCIDENT")),
        ]
        for name in names
        if name != "LEAD"
    ),
    Case(
        "stakeholders_told", "Tell stakeholders: they know that a rollback is coming",
        PREPARE, 'echo ____ > "$OUTBOX/stakeholders.txt"', "blanks are left: ____",
        wanted=Verdict.ATTESTED,
    ),
    Case(
        "state_documented", "Document the state: metrics, logs and example errors are kept as files",
        PREPARE, ': > "$EVIDENCE_DIR/metrics.txt"', "metrics.txt is missing or empty",
    ),
    *(
        Case(
            "state_documented", "Document the state",
            f'echo "ERROR: no answer" >> "$LOG_FILE"\n{PREPARE}', f'cd "$EVIDENCE_DIR"; {bad}', said,
        )
        for bad, said in [
            ("echo '<html>busy</html>' > metrics.txt", "metrics.txt holds no metric"),
            ("echo '2025-01-01 all is well' > application.log", "application.log does not end as"),
            ("echo none > example-errors.log", "example-errors.log has none of the log's errors"),
            ("touch -d '-1 hour' health.txt", "health.txt was there before this step"),
        ]
    ),
]  # fmt: skip
OTHERS = {
    "no_alerts",  # shown to a real Prometheus, see test_monitoring
    "memory_below",
    "restarted", "not_restarted", "reloaded", "migration_log", "memory_stable", "response_time",
    "migration_reverted", "schema_of_stable", "issue_confirmed",
}  # fmt: skip


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    options = StageOptions(listings=200)
    with open_stage("processes", options, lambda _: None) as opened:
        yield opened


@pytest.fixture(scope="module")
def live(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moment]:
    folder = tmp_path_factory.mktemp("checks")
    timeline = Timeline(folder / "timeline.jsonl")
    (folder / "traffic").mkdir()
    traffic = Traffic(stage.base_url, stage.api_key, 60, 1, folder / "traffic", timeline)
    accounts = Accounting(stage, timeline, folder / "traffic")
    accounts.look(STARTED)
    channels = read_channels(None, folder / "messages.mbox")
    with Probe(stage, timeline) as probe, traffic:
        yield Moment(
            stage=stage, runbook=RUNBOOK, traffic=traffic, timeline=timeline, tail=probe.tail,
            samples=probe.samples, failing=FAILING, stable=STABLE, pace=60,
            courier=Courier(channels, timeline), facts=PREPARED | KNOWN, read_back=accounts.so_far,
        )  # fmt: skip
        traffic.stop()
    timeline.close()


def at_this_moment(live: Moment) -> Moment:
    at = time.time()
    return replace(live, began_at=at, window_from=at, effective_at=at, outputs=[])


def verdict(moment: Moment, text: str) -> tuple[Verdict, str]:
    binding = bind(text)
    assert binding is not None, text
    found = binding.verify(moment)
    # Whatever failed says what was expected, behind what was found; proofs say both in one.
    told = ", expected " in found.evidence or "it is refuted" in found.evidence
    assert told is (found.verdict is Verdict.FAILED), found.evidence
    return found.verdict, found.evidence


def run(stage: Stage, script: str) -> None:
    done = stage.hosts[0].run(script, limit_s=60, environment=PREPARED)
    assert done.ok, done.stderr or done.stdout


def enough(moment: Moment, requests: int = 330) -> None:
    """Wait for the requests that a bound needs, where the check waits for none itself."""
    for _ in wait_until(f"{requests} requests", 60):
        if moment.traffic.window(moment.window_from).sent >= requests:
            return


@pytest.mark.parametrize("case", CASES, ids=[f"{case.text}-{case.said}" for case in CASES])
def test_a_check_passes_without_its_defect_and_turns_red_with_it(case: Case, live: Moment) -> None:
    binding = bind(case.text)
    assert binding
    assert binding.name == case.check
    counted = case.check in ("error_rate", "no_complaints")
    try:
        began = at_this_moment(live)
        run(live.stage, case.good)
        good = began if case.check.startswith("backup_") else at_this_moment(live)
        if counted:
            enough(good)
        found, evidence = verdict(good, case.text)
        assert found is case.wanted, evidence
        assert ", expected " not in evidence
        bad = at_this_moment(live)
        run(live.stage, case.bad)
        if counted:
            enough(bad, 50)
        seen = began if case.check == "backup_created" else bad
        found, evidence = verdict(seen, case.text)
        assert found is case.verdict, evidence
        # First what was found, and only then what should have been.
        saw, _, wanted = evidence.partition(", expected ")
        assert case.said in saw, evidence
        assert bool(wanted) is (found is Verdict.FAILED) or counted, evidence
    finally:
        if case.back:
            run(live.stage, case.back)


def test_every_check_is_proven_to_turn_red() -> None:
    names = {one.name for one in registered()}
    assert names == {case.check for case in CASES} | OTHERS


def test_restarted_and_not_restarted_compare_processes(live: Moment) -> None:
    same = replace(at_this_moment(live), pids_before=live.stage.process.pids())
    other = replace(same, pids_before={"host-1": 1})
    assert verdict(same, "The application was restarted")[0] is Verdict.FAILED
    assert verdict(other, "The application was restarted")[0] is Verdict.PASSED
    assert verdict(same, "No restart was needed")[0] is Verdict.PASSED
    assert verdict(other, "No restart was needed")[0] is Verdict.FAILED
    nobody = replace(same, pids_before={})
    assert verdict(nobody, "No restart was needed")[0] is Verdict.UNKNOWN


def test_reloaded_reads_only_what_came_since_the_step_began(live: Moment) -> None:
    text = "The application reloaded it: its log says Config reloaded"
    before = at_this_moment(live)
    run(live.stage, 'supervisorctl -c "$SUPERVISOR_CONF" signal HUP hostaway-mcp')
    for _ in wait_until("the log says so", 60):
        if verdict(before, text)[0] is Verdict.PASSED:
            break
    assert verdict(at_this_moment(live), text)[0] is Verdict.FAILED


def test_migration_log_reads_what_the_commands_said(live: Moment) -> None:
    text = "No errors from the migration"
    said = Completed(0, "", "sqlalchemy: ERROR: relation exists", 1.0)
    red = replace(at_this_moment(live), outputs=[said])
    found, evidence = verdict(red, text)
    assert (found, said.stderr in evidence) == (Verdict.FAILED, True)
    quiet = replace(red, outputs=[Completed(0, "fine", "", 1.0)])
    assert verdict(quiet, text)[0] is Verdict.PASSED


@pytest.mark.parametrize(
    ("growth", "until", "kills", "count", "wanted"),
    [
        (0, 99, 0, 20, Verdict.PASSED),
        (2_000_000, 99, 0, 21, Verdict.FAILED),
        (2_000_000, 18, 0, 21, Verdict.FAILED),  # an end that is too near to be one
        (2_000_000, 10, 0, 21, Verdict.PASSED),  # a start's warm-up
        (9_000_000, 14, 0, 21, Verdict.FAILED),  # one that took too much
        (9_000_000, 99, 0, 12, Verdict.FAILED),  # and is not waited for
        (0, 99, 1, 20, Verdict.FAILED),
        (0, 99, 0, 3, Verdict.UNKNOWN),
    ],
)
def test_memory_is_stable_only_without_kills_and_growth_that_goes_on(
    live: Moment, growth: int, until: int, kills: int, count: int, wanted: Verdict
) -> None:
    samples = [
        (float(at), ProbeSample({"host-1": 200},
                                {"host-1": 100_000_000 + growth * min(at, until)}, 1, 40,
                                {"host-1": kills if at == count - 1 else 0}))
        for at in range(count)
    ]  # fmt: skip
    moment = replace(live, samples=samples, window_from=0.0)
    assert verdict(moment, "Memory usage is stable")[0] is wanted


def resident(megabytes: int, count: int) -> list[tuple[float, ProbeSample]]:
    sample = ProbeSample({"host-1": 200}, {"host-1": megabytes << 20}, 1, 40, {"host-1": 0})
    return [(float(at), sample) for at in range(count)]


@pytest.mark.parametrize(
    ("megabytes", "count", "wanted", "said"),
    [
        (100, 20, Verdict.PASSED, "at most 26.0% of 384 MB"),
        (350, 20, Verdict.FAILED, "at most 91.1% of 384 MB"),
        (100, 9, Verdict.UNKNOWN, "9 of 10 samples"),
    ],
)
def test_memory_is_below_a_share_of_the_hosts_limit(
    live: Moment, megabytes: int, count: int, wanted: Verdict, said: str
) -> None:
    moment = replace(live, samples=resident(megabytes, count), window_from=0.0)
    found, evidence = verdict(moment, "Memory below 80%")
    assert (found, said in evidence) == (wanted, True), evidence


def test_response_time_holds_the_limit_of_the_document(live: Moment) -> None:
    moment = at_this_moment(live)
    enough(moment, 200)
    assert verdict(moment, "Response time p95 <500ms")[0] is Verdict.PASSED
    assert verdict(moment, "Response time p95 <1ms")[0] is Verdict.FAILED
    assert verdict(at_this_moment(live), "Response time p95 <500ms")[0] is Verdict.UNKNOWN


def test_revision_and_schema_are_those_of_the_stable_release(live: Moment) -> None:
    revision = "The migrations are reverted to revision `0001_base`"
    schema = "The database schema is that of the stable release"
    assert verdict(live, revision)[0] is Verdict.FAILED
    assert verdict(live, schema)[0] is Verdict.FAILED
    run(live.stage, ".venv/bin/alembic downgrade 0001_base")
    assert verdict(live, revision)[0] is Verdict.PASSED
    found, evidence = verdict(live, schema)
    assert found is Verdict.PASSED, evidence
    assert "No new upgrade operations" in evidence
    # A stable release without models has at least the head of its revisions.
    run(live.stage, BARE)
    found, evidence = verdict(replace(live, stable="bare"), schema)
    assert (found, "without models" in evidence) == (Verdict.PASSED, True), evidence
    # What pg_dump does not see: the schema is right, and alembic believes it to be another.
    run(live.stage, PSQL + "\"UPDATE alembic_version SET version_num = '0002_pagination'\"")
    found, evidence = verdict(live, schema)
    assert (found, "Can't locate revision" in evidence) == (Verdict.FAILED, True), evidence
    run(live.stage, PSQL + "\"UPDATE alembic_version SET version_num = '0001_base'\"")
    run(live.stage, ".venv/bin/alembic upgrade head")


CONFIRM = "Confirm the issue: the evidence points at the pagination release"
DECIDED = Decided(
    "rollback", True, "Error Rate >10%", 18, "critical", 1, "too many connections", 2,
    ("40 of 100 failed",), 1.0, 100, ours=True,
    attribution=("nothing around it explains this", "the control is well"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("decision", "wanted", "said"),
    [
        (None, Verdict.UNKNOWN, "nothing was decided"),
        (DECIDED, Verdict.PASSED, "the control is well"),
        (replace(DECIDED, scenario=0), Verdict.PASSED, "nothing around it explains this"),
        (replace(DECIDED, ours=None), Verdict.PASSED, "too many connections"),
        (replace(DECIDED, scenario=0, ours=None), Verdict.UNKNOWN, "no scenario explains it"),
        (replace(DECIDED, rollback=False, action="monitor"), Verdict.FAILED, "monitor"),
        (replace(DECIDED, ours=False), Verdict.FAILED, "nothing around it"),
    ],
)
def test_an_issue_is_confirmed_only_by_evidence_against_the_release(
    live: Moment, decision: Decided | None, wanted: Verdict, said: str
) -> None:
    found, evidence = verdict(replace(live, decision=decision), CONFIRM)
    assert found is wanted, evidence
    assert said in evidence


@pytest.mark.parametrize(
    ("defect", "mends", "wanted", "said"),
    [
        ("true", "true", Verdict.PASSED, "CHANGELOG.md:"),
        ("sed -i /0.0.9/d CHANGELOG.md", "git checkout -q CHANGELOG.md", Verdict.FAILED, "CHANGELOG"),
        (
            "git push -q origin :refs/tags/v0.0.9", "git push -q origin v0.0.9", Verdict.FAILED,
            "the origin has no tag v0.0.9",
        ),
    ],
)  # fmt: skip
def test_the_stable_release_is_checked_against_the_changelog_where_the_item_says_so(
    live: Moment, defect: str, mends: str, wanted: Verdict, said: str
) -> None:
    (text,) = (b.text for b in RUNBOOK.pre_rollback.checkboxes if "Identify" in b.text)
    try:
        run(live.stage, defect)
        found, evidence = verdict(live, text)
        assert found is wanted, evidence
        assert said in evidence
    finally:
        run(live.stage, mends)


def test_a_changelog_that_does_not_call_it_stable_is_found(live: Moment) -> None:
    text = "The changelog lists it as stable"
    assert verdict(live, text)[0] is Verdict.PASSED
    try:
        run(live.stage, "sed -i 's/last stable release/last release, unstable,/' CHANGELOG.md")
        found, evidence = verdict(live, text)
        assert found is Verdict.FAILED
        assert "does not call it stable" in evidence
    finally:
        run(live.stage, "git checkout -q CHANGELOG.md")


EXISTS = "A database backup exists and can be read in full"
AGAIN = 'sha256sum "$dump" > "$dump.sha256"'


@pytest.mark.parametrize(
    ("defect", "said"),
    [
        (': > "$dump"', "the file is empty"),
        ('truncate -s -5000 "$dump"', "checksum does not match"),
        ('truncate -s -5000 "$dump"\n' + AGAIN, "cannot be read to its end"),
        (
            'size=$(stat -c %s "$dump"); printf "\\377\\377\\377\\377" '
            '| dd of="$dump" bs=1 seek=$((size / 2)) conv=notrunc status=none',
            "checksum does not match",
        ),
        (
            'export PGHOST="$DB_HOST" PGPORT="$DB_PORT" PGUSER="$DB_USER"\n'
            "psql -X -q -d postgres -c 'CREATE DATABASE hollow'\n"
            "trap \"psql -X -q -d postgres -c 'DROP DATABASE hollow'\" EXIT\n"
            'pg_dump -Fc -d hollow -f "$dump"\n' + AGAIN,
            "it is one of the database hollow",
        ),
    ],
)
def test_a_backup_that_would_not_help_is_refused_with_a_sentence(
    live: Moment, defect: str, said: str
) -> None:
    forget = 'rm -f "$SECURE_STORAGE"/*'
    try:
        run(live.stage, f"{forget}\n{NIGHTLY}")
        assert verdict(live, EXISTS)[0] is Verdict.PASSED
        run(live.stage, f'dump="$(echo {DUMPS})"\n{defect}')
        found, evidence = verdict(live, EXISTS)
        assert found is Verdict.FAILED
        assert said in evidence
    finally:
        run(live.stage, forget)


def test_a_backup_with_as_many_rows_and_another_value_is_found(live: Moment) -> None:
    text = "The safety backup was created and restores into a scratch database"
    try:
        began = at_this_moment(live)
        run(live.stage, f"{STOP}\n{SAFETY}")
        assert (
            "in every column: cursor_audit 2 rows, listings 200 rows, reservations "
            in verdict(began, text)[1]
        )
        run(
            live.stage,
            PSQL + "\"UPDATE reservations SET guest_name = guest_name || '.' WHERE id = 7\"",
        )
        found, evidence = verdict(began, text)
        assert found is Verdict.FAILED
        assert "against the live database: reservations.guest_name has other values," in evidence
    finally:
        run(live.stage, 'rm "$BACKUP_DIR"/*\n' + START)


ARCHIVED = "What only the new release knew is archived"
LOADED = "What was archived is loaded again"
ALL_KEPT = "cursor_audit 2 rows; listings.search_rank 200 rows; reservations.channel "


@pytest.mark.parametrize(
    ("defect", "archived", "loaded"),
    [
        ("true", ALL_KEPT, ALL_KEPT),
        (
            "sed -i '3s/import/fax/' reservations.channel.csv",
            "reservations.channel: 1 rows are not archived as they are",
            "reservations.channel: 1 of",
        ),
        (
            "sed -i 's/listings,200/listings,201/' cursor_audit.csv",
            "cursor_audit: 1 rows are not archived as they are, among 2 that are",
            "cursor_audit: 1 of 2 archived values are not back",
        ),
        ("rm cursor_audit.csv", "cursor_audit.csv", "listings.search_rank 200 rows; reservations"),
        ("sed -i 3s/import/0,1/ reservations.channel.csv", "extra data", "extra data"),
    ],
)
def test_an_archive_is_compared_value_by_value(
    live: Moment, defect: str, archived: str, loaded: str
) -> None:
    everywhere = f'for archive in "$SECURE_STORAGE" "$BACKUP_DIR"; do (cd "$archive"/only_new_*; {defect}); done'
    try:
        run(live.stage, f"{STOP}\n{KEEP}")
        run(live.stage, everywhere)
        for text, said in ((ARCHIVED, archived), (LOADED, loaded)):
            found, evidence = verdict(live, text)
            sound = "search_rank 200 rows" in said
            assert found is (Verdict.PASSED if sound else Verdict.FAILED), evidence
            assert said in evidence
    finally:
        run(live.stage, f'rm -r "$BACKUP_DIR"/* "$SECURE_STORAGE"/*\n{START}')


def test_what_only_the_suite_proves_does_not_count_for_the_steps_budget(
    live: Moment, tmp_path: Path
) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    performer = Performer(replace(at_this_moment(live), timeline=timeline))
    backup = RUNBOOK.procedure(2).steps[2].blocks[1]
    boxes = tuple(Checkbox(text, 1) for text in ("Backup created", "The schema is the stable one"))
    try:
        run(live.stage, STOP)
        performer.perform_part(Part("Here", 1, "A backup", 60, 0, (backup,), boxes, 1))
    finally:
        run(live.stage, 'rm "$BACKUP_DIR"/*\n' + START)
    timeline.close()
    record = list(read(timeline.path))
    proof, other = (one.what for one in record if isinstance(one.what, Checked))
    assert (proof.verdict, proof.proof, other.proof) == (Verdict.PASSED, True, False)
    (began,) = (one.at for one in record if isinstance(one.what, StepStarted))
    ((at, ended),) = ((one.at, one.what) for one in record if isinstance(one.what, StepEnded))
    assert ended.proving_s == proof.took_s > 0
    # The step's own clock begins with the look at what runs, just before it is on record.
    assert other.took_s <= ended.took_s <= at - began - proof.took_s + proof.took_s / 2


def test_an_attempt_that_the_runbook_repeats_is_no_error(live: Moment) -> None:
    text = "No errors from the migration"
    failing = "INFO Running downgrade\nTraceback (most recent call last):"
    retried = Completed(0, "", f"{failing}\nINFO Running downgrade 2 -> 1", 1.0)
    assert verdict(replace(at_this_moment(live), outputs=[retried]), text)[0] is Verdict.PASSED
    last = Completed(0, "", f"INFO Running downgrade\n{failing}", 1.0)
    assert verdict(replace(at_this_moment(live), outputs=[last]), text)[0] is Verdict.FAILED
    replaced = [Completed(1, "", failing, 1.0), Completed(0, "restored", "", 0.1)]
    assert verdict(replace(at_this_moment(live), outputs=replaced), text)[0] is Verdict.PASSED
