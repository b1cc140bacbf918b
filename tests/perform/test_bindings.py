"""A checkbox is bound to the check that tests what it says, as a whole, or to none."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from rollback_drill.perform import check
from rollback_drill.perform.check import bind, bindings, own_script, registered, unbound
from rollback_drill.runbook.model import Runbook
from rollback_drill.runbook.parse import parse
from rollback_drill.runbook.statement import most_like, plain

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT.parent / "shared" / "cases" / "runbooks"
ORIGINAL = ROOT.parent / "shared" / "seed" / "rollback-procedure.txt"

# What people write, and the check that holds all of it.
BOUND = {
    "Smoke tests pass": "smoke_tests",
    "All smoke tests are green": "smoke_tests",
    "Service is up": "service_up",
    "The service is up and running": "service_up",
    "Verify that the application is healthy": "service_up",
    "API is reachable": "service_up",
    "Service back online": "service_up",
    "✅ **Service** is running!": "service_up",
    "API returns 200 OK": "api_requests_succeed",
    "API calls succeed": "api_requests_succeed",
    "Users can log in": "authentication",
    "Login works": "authentication",
    "Authentication functional": "authentication",
    "No alerts firing": "no_alerts",
    "No active alerts": "no_alerts",
    "No data loss": "no_data_loss",
    "Ensure no data was lost": "no_data_loss",
    "Memory below 80%": "memory_below",
    "Memory usage < 80 %": "memory_below",
    "Memory utilization is under 90 percent of the limit": "memory_below",
    "Memory usage stable": "memory_stable",
    "Logs show no errors": "application_log",
    "No errors in logs": "application_log",
    "Application logs are clean": "application_log",
    "No errors in database logs": "database_log",
    "No startup errors in logs": "startup_log",
    "No migration errors in logs": "migration_log",
    "Error rate <1%": "error_rate",
    "Error rate < 0.5%": "error_rate",
    "Error rate ≤ 1 %": "error_rate",
    "Error rate below 1 percent": "error_rate",
    "Error rate is less than 0,5 per cent": "error_rate",
    "Error rate <1% for 10 minutes": "error_rate",
    "Check that the error rate stays below 1% for at least 5 min": "error_rate",
    "Error rate normal (<1%)": "error_rate",
    "Less than 1% of requests fail": "error_rate",
    "Error rate is back to normal": "error_rate",
    "Response time p95 <500ms": "response_time",
    "P99 response time < 500ms": "response_time",
    "Median latency below 200 ms": "response_time",
    "Response time normal (<500ms)": "response_time",
    "95th percentile latency under 1,5 seconds": "response_time",
    "Health endpoint returns 200": "health_status",
    "GET /ready returns HTTP 200": "health_status",
    "Health checks are passing": "health_status",
    "Maintenance mode enabled": "maintenance_enabled",
    "Maintenance mode disabled": "maintenance_disabled",
    "Verify traffic stopped": "traffic_stopped",
    "Traffic flowing to application": "traffic_flows",
    "No immediate errors": "no_immediate_errors",
    "No customer complaints": "no_complaints",
    "Notify team": "team_notified",
    "Alert #oncall": "team_notified",
    "Post update on status page": "status_page",
    "Email affected users": "customers_told",
    "Create Incident: Open incident ticket with severity level": "incident_opened",
    "Communication: Notify stakeholders of impending rollback": "stakeholders_told",
    "Code reverted": "code_reverted",
    "The code was rolled back to v0.0.9": "code_reverted",
    "Process running (check with `ps aux | grep hostaway`)": "running",
    "Application restarted": "restarted",
    "No restart required": "not_restarted",
    "Application has been stopped": "stopped",
    "Backup taken": "backup_created",
    "Database backup is recent (<24 hours)": "backup_recent",
    "Backup file size > 1KB": "backup_size",
}

# What looks like one of them and says something else, or more than any check holds.
UNCOVERED = [
    # Negated.
    "No schema rollback needed", "Authentication is disabled", "Service is not running",
    "The code was not reverted", "No backup was taken", "Metrics are not being collected",
    "Dependencies are not installed", "Maintenance mode is not on", "API requests do not succeed",
    "The process is not running", "Logs do not show errors yet", "No maintenance mode",
    "Users can no longer log in", "Error rate not below 1%", "Without authentication",
    # Of another time.
    "Error rate was above 5% before", "Error rate was <1% before the release",
    "Response time was <500ms yesterday", "Maintenance mode was on", "Memory was stable until 14:00",
    "The service will be up", "Pagination was on", "Old format returned before the rollback", "Health check returned 200",
    # The other way round.
    "Error rate above 5%", "Error rate >10%", "Response time > 500ms", "Memory above 80%",
    "More than 1% of requests fail", "Backup file size < 1KB", "Backup is older than 24 hours",
    "p95 at least 500 ms", "Error rate <1% or >10%",
    # Of something else.
    "External dependencies reachable", "Customer complaints forwarded to support",
    "Remove the status page banner", "Status page subscribers exported", "Database server rebooted",
    "The dashboards were migrated", "Schema documentation updated", "Load balancer restarted",
    "Reload the browser", "Frontend compiles", "Secure storage has free space", "Queue is healthy",
    "Redis is up", "Authentication provider notified", "Backup of the configuration taken",
    "Memory leak ticket filed", "Stakeholders' calendar is free", "Changelog updated",
    "Metrics dashboard link shared", "API key rotated", "Team lunch is over", "Traffic lights on",
    "Maintenance mode is on for the admin UI", "Pagination is on page 2 of the report",
    "All endpoints documented", "Database access revoked", "No errors in the frontend log",
    "5xx error rate <1%", "Error budget <1%", "Conversion rate below 1%", "CPU below 80%",
    "Disk usage below 80%", "Apdex above 0.9", "Alert rules updated", "No alerts configured",
    # With a condition, a place or a part that no check looks at.
    "Error rate <1% per endpoint", "Error rate <1% for EU customers", "Service is up in eu-west-1",
    "Error rate <1% on the replica", "Memory usage is stable on the replica",
    "Service is up within 10 minutes", "Error rate <1% for each of the 3 regions",
    "No errors in the application log for 24 hours", "All API endpoints work except /export",
    "Response time p95 <500ms for /checkout", "API requests succeed from the office network",
    "Backup taken and copied to tape", "Process running as user app", "No data loss in the archive",
    "Health endpoint returns 200 within 5 seconds", "Users can log in with SSO",
    "Smoke tests pass on staging and production", "Metrics are being collected by Datadog",
    "Notify the team and legal", "The application was restarted twice", "No errors or warnings in logs",
    "Error rate <1% and latency <500ms", "Dependencies are installed without warnings",
    "Code reverted to stable version on all branches", "Migration reverted and data restored",
    # Numbers, quantiles and units that no check knows.
    "P99.9 response time < 500ms", "Average response time <500ms", "Max latency < 2s",
    "Response time <500", "Response time p95 < 500 ticks", "Error rate <1‰", "Error rate <one percent",
    "Error rate < 100%", "Error rate < 1e-3", "Memory below 512 MB", "Error rate 1%",
    "Error rate <1% for ten minutes", "Error rate <1% for 10 deployments",
    f"Error rate <{'9' * 4_300}%", f"Response time <{'9' * 4_300}ms",
]  # fmt: skip


@pytest.mark.parametrize(("text", "name"), BOUND.items())
def test_what_people_write_is_bound_to_the_check_that_holds_it(text: str, name: str) -> None:
    assert [one.name for one in bindings(text)] == [name]


@pytest.mark.parametrize("text", UNCOVERED, ids=lambda text: text[:40])
def test_what_no_check_holds_is_bound_to_none(text: str) -> None:
    assert bind(text) is None


def test_the_box_binds_with_its_own_numbers() -> None:
    bound = bind("P99 latency below 1,5 seconds for at least 10 minutes")
    assert bound
    assert (bound.match["before"], bound.match["limit"], bound.match["time"]) == (
        "P99", "1,5 seconds", "10 minutes",
    )  # fmt: skip


@pytest.mark.parametrize("lead", ["Verify that the", "Please check that the", "Ensure", "**", "✔️"])
def test_what_says_nothing_may_stand_before_a_statement(lead: str) -> None:
    bound = bind(f"{lead} error rate is <1%.")
    assert bound
    assert bound.name == "error_rate"


def test_every_example_binds_to_its_own_check_and_to_no_other() -> None:
    wrong = {
        text: [found.name for found in bindings(text)]
        for one in registered()
        for text in one.examples
        if [found.name for found in bindings(text)] != [one.name]
    }
    assert wrong == {}
    assert [one.name for one in registered() if not one.examples] == []


EXAMPLES = [text for one in registered() for text in one.examples]
BEHIND = ["on the replica", "for EU customers", "within 10 minutes", "except for admins", "or not"]
BEFORE = ["Not", "Never", "Without", "Do not", "External", "Decide whether", "Half of", "If"]


@pytest.mark.parametrize("words", BEHIND)
def test_no_example_binds_with_a_condition_behind_it(words: str) -> None:
    assert [text for text in EXAMPLES if bindings(f"{text} {words}")] == []


@pytest.mark.parametrize("words", BEFORE)
def test_no_example_binds_with_something_else_before_it(words: str) -> None:
    texts = [f"{words} {text[0].lower()}{text[1:]}" for text in EXAMPLES]
    assert [text for text in texts if bindings(text)] == []


def test_no_example_binds_when_it_is_turned_round() -> None:
    turned = {
        re.sub(r"\b(is|are|can|show|returns)\b", r"\1 not", text, count=1) for text in EXAMPLES
    }
    assert [text for text in turned - set(EXAMPLES) if bindings(text)] == []


def boxes(runbook: Runbook) -> list[str]:
    found = [
        box.text for box in (*runbook.pre_rollback.checkboxes, *runbook.verification.checkboxes)
    ]
    for procedure in runbook.procedures:
        found += [box.text for box in procedure.prerequisites]
        found += [box.text for step in procedure.steps for box in step.checkboxes]
    for checklist in runbook.post_rollback:
        found += [box.text for box in checklist.checkboxes if checklist.blocks]
    return found


@pytest.mark.parametrize("document", ["runbook/rollback.md", "examples/kinto/runbook.md"])
def test_every_box_of_our_runbooks_is_bound_to_exactly_one_check(document: str) -> None:
    texts = boxes(parse(ROOT / document))
    assert {text: bindings(text) for text in texts if len(bindings(text)) != 1} == {}


@pytest.mark.skipif(not ORIGINAL.exists(), reason="the original procedure is not here")
def test_no_box_of_the_original_procedure_is_claimed_twice_and_its_checks_are_bound() -> None:
    texts = [
        re.sub(r"[*`]", "", line.strip().removeprefix("- [ ] "))
        for line in ORIGINAL.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith("- [ ] ")
    ]
    found = {text: [one.name for one in bindings(text)] for text in texts}
    assert {text: names for text, names in found.items() if len(names) > 1} == {}
    assert sum(len(names) == 1 for names in found.values()) >= 55


@pytest.mark.skipif(not CASES.is_dir(), reason="the folder of cases is not here")
def test_of_the_wrongly_bound_boxes_only_the_quantile_is_bound_and_rightly() -> None:
    (document,) = CASES.glob("24-*.md")
    step = parse(document).procedures[0].steps[1]
    found = {box.text: bind(box.text) for box in step.checkboxes}
    named = {text: bound.name for text, bound in found.items() if bound}
    assert named == {"Code reverted": "code_reverted", "P99 response time < 500ms": "response_time"}


def test_the_refusal_of_a_box_names_the_nearest_sentences() -> None:
    told = unbound("Memory footprint is stable")
    assert "“Memory usage is stable”" in told
    assert "no check is bound" in told
    assert "nothing that can be verified is like it" in unbound("Qwxyz")


def test_a_box_that_two_checks_claim_is_bound_to_none(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = (one for one in registered() if one.name == "error_rate")
    monkeypatch.setitem(check.CHECKS._members, "twin", ("here", replace(one, name="twin")))
    assert bind("Error rate <1%") is None
    assert "error_rate and twin claim it" in unbound("Error rate <1%")


def test_the_scripts_of_a_stage_are_for_whole_statements_too() -> None:
    scripts = {"cache(?:s)? warm": "true", "dependencies": "false"}
    found = own_script("Verify that the caches warm.", scripts)
    assert found
    assert found[1] == "true"
    assert own_script("No cache warm", scripts) is None
    assert own_script("Every shop has the flag off", {"every shop has the flag off": "true"})
    assert not own_script("Every shop has another flag off", {"every shop has the flag off": ""})
    assert own_script("External dependencies reachable", scripts) is None


def test_the_nearest_sentence_comes_first() -> None:
    sentences = ["Error rate <1%", "Service is up", "Database queries work"]
    assert most_like("The service is upp", sentences)[0] == "Service is up"
    assert most_like("error rates below 1%", sentences)[0] == "Error rate <1%"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("**Error rate**:\u00a0<1%.", "Error rate <1%"),
        ("The backup file (>1KB)", "backup file >1KB"),
        ("`/health` answers — “200”", "/health answers 200"),
    ],
)
def test_markup_and_articles_say_nothing(text: str, wanted: str) -> None:
    assert plain(text) == wanted
