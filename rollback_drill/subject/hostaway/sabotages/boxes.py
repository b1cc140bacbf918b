"""Checkboxes that are taken out of the runbook: what they asked is asked by nobody any more."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import PlantedIn, Rewrite, Sabotage

# By where it stands: text, the check that it was bound to.
_PREPARATION = {
    "**Confirm the issue**: the evidence points at the pagination release": "issue_confirmed",
    "**Notify the team**: #oncall and #engineering have the message": "team_notified",
    "**Open an incident**: the ticket names its severity": "incident_opened",
    "**Document the state**: metrics, logs and example errors are kept as files": "state_documented",
    "**Tag the deployment**: git has a tag for what runs now": "deployment_tagged",
    "**Tell stakeholders**: they know that a rollback is coming": "stakeholders_told",
}
_FIRST = {
    "Maintenance mode is on": "maintenance_enabled",
    "Client traffic has stopped": "traffic_stopped",
    "The status page has an update": "status_page",
    "Stable release identified: `v0.0.9`": "stable_identified",
    "The changelog lists it as stable": "version_in_changelog",
    "The code is reverted to the stable release": "code_reverted",
    "The application was restarted": "restarted",
    "Its process is running": "running",
    "No errors in its log at start-up": "startup_log",
    "API requests succeed": "api_requests_succeed",
    "Response time is normal: p95 <500ms": "response_time (2)",
    "Maintenance mode is off": "maintenance_disabled",
    "Client traffic reaches the application": "traffic_flows",
    "No immediate errors for clients": "no_immediate_errors",
    "Memory usage is stable": "memory_stable",
    "No customer complaints": "no_complaints",
}
_SECOND = {
    "The application is stopped": "stopped",
    "A database backup exists and can be read in full": "backup_exists",
    "The backup is recent: <24 hours old": "backup_recent",
    "Its restoration was tested": "restore_tested",
    "The safety backup was created and restores into a scratch database": "backup_created",
    "The backup file has a reasonable size (>1KB)": "backup_size",
    "The backup is in secure storage, its checksum verified": "backup_stored",
    "What only the new release knew is archived": "archive_kept",
    "The migrations are reverted to revision `0001_base`": "migration_reverted",
    "The database schema is that of the stable release": "schema_of_stable",
    "No errors from the migration": "migration_log",
}
_THIRD = {
    "The configuration is updated": "configuration_updated",
    "The application reloaded it: its log says `Config reloaded`": "reloaded",
    "No restart was needed": "not_restarted",
    "Pagination is off": "old_format (2)",
    "Lists come in the old format": "old_format (2)",
}
_FOURTH = {
    "The code is that of the release to deploy": "code_deployed",
    "The migrations are applied up to revision `0002_pagination`": "migration_applied",
    "What was archived is loaded again": "archive_loaded",
    "Pagination is on": "new_format",
}
_VERIFICATION = {
    "All API endpoints work": "endpoints_functional",
    "Database queries work": "database_queries",
    "Authentication works": "authentication",
    "No errors in the database log": "database_log",
    "Metrics are being collected": "metrics_collecting",
    "Dashboards show normal levels": "dashboards_normal",
}
_AFTER = {
    "**Status page**: says that service is restored and the cause is being looked for": "status_page",
    "**Customers**: those affected have a mail": "customers_told",
    "**Incident ticket**: resolved, with what was done": "ticket_resolved",
    "**Team**: #oncall and #engineering know that it is over": "team_told_the_end",
    "**History**: a tag in the origin marks the rollback": "rollback_tagged",
}
_BOXES = {
    "Preparation": _PREPARATION,
    "Procedure 1": _FIRST,
    "Procedure 2": _SECOND,
    "Procedure 3": _THIRD,
    "Procedure 4": _FOURTH,
    "Verification checklist": _VERIFICATION,
    "Immediate: within 1 hour": _AFTER,
}


def _taken_out(where: str, text: str, check: str) -> Sabotage:
    words = "-".join(text.replace("*", "").replace("`", "").replace(":", "").lower().split()[:5])
    return Sabotage(
        f"box-{where.split(':')[0].replace(' ', '-').lower()}-{words}",
        f"nobody asks any more: {text.replace('*', '')}",
        PlantedIn.RUNBOOK,
        f"of_document: Runbook, gone {where}: {check}",
        (Rewrite(f"- [ ] {text}\n", ""),),
    )


_LAST = "of_document: Runbook, unverified"
_TWICE = {  # also asked in a step: what goes is the last of several, wherever it stood
    "`/health` answers with status 200": "health_status",
    "Error rate <1%": "error_rate",
    "Response time p95 <500ms": "response_time",
    "No errors in the application log": "application_log",
}


def _taken_out_everywhere(text: str, check: str) -> Sabotage:
    return Sabotage(
        f"box-everywhere-{check.replace('_', '-')}",
        f"nobody asks any more, in no step: {text}",
        PlantedIn.RUNBOOK,
        f"{_LAST} {check}",
        (Rewrite(f"- [ ] {text}\n", ""),),
    )


SABOTAGES = (
    *(
        _taken_out(where, text, check)
        for where, boxes in _BOXES.items()
        for text, check in boxes.items()
    ),
    *(_taken_out_everywhere(text, check) for text, check in _TWICE.items()),
)
