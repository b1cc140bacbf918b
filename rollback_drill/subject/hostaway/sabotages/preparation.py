"""The preparation, where what it says is not done, or not whole."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import PlantedIn, Rewrite, Sabotage

_TICKET = 'MESSAGE\ncp "$OUTBOX/slack-oncall.txt" "$OUTBOX/slack-engineering.txt"\n'
_FIRST_TICKET = f"Expected to take 10 minutes\n{_TICKET}"


def _entry(name: str, breaks: str, caught_by: str, old: str, new: str) -> Sabotage:
    where = PlantedIn.MESSAGES if "OUTBOX" in old or "MESSAGE" in old else PlantedIn.RUNBOOK
    return Sabotage(f"prepare-{name}", breaks, where, caught_by, (Rewrite(old, new),))


SABOTAGES = (
    _entry(
        "one-channel",
        "only one of the team's two channels has the message",
        "team_notified",
        _FIRST_TICKET,
        "Expected to take 10 minutes\nMESSAGE\n",
    ),
    Sabotage(
        "prepare-no-message",
        "nobody on call is told",
        PlantedIn.MESSAGES,
        "team_notified",
        (
            Rewrite(_FIRST_TICKET, "Expected to take 10 minutes\nMESSAGE\n"),
            Rewrite(
                'cat > "$OUTBOX/slack-oncall.txt" <<MESSAGE\nRolling back',
                'cat > "$OUTBOX/slack-engineering.txt" <<MESSAGE\nRolling back',
            ),
        ),
    ),
    _entry(
        "blanks",
        "the message still has a blank in it",
        "of_messages",
        "Why: $REASON\nSeverity",
        "Why: [reason]\nSeverity",
    ),
    _entry(
        "no-ticket",
        "no incident is opened",
        "incident_opened",
        'cat > "$OUTBOX/incident.md" <<MESSAGE\n# $INCIDENT: rollback of',
        'cat > "$OUTBOX/other.md" <<MESSAGE\n# $INCIDENT: rollback of',
    ),
    _entry(
        "no-severity",
        "the ticket does not name its severity",
        "incident_opened",
        "- Severity: $SEVERITY\n- Cause as seen",
        "- Cause as seen",
    ),
    _entry(
        "no-stakeholders",
        "stakeholders are not told",
        "stakeholders_told",
        'cat > "$OUTBOX/stakeholders.txt" <<MESSAGE',
        'cat > "$OUTBOX/internal.txt" <<MESSAGE',
    ),
    _entry(
        "no-metrics",
        "no metrics are kept",
        "state_documented",
        "for page in health metrics; do",
        "for page in health; do",
    ),
    _entry(
        "no-health",
        "the answer of /health is not kept",
        "state_documented",
        "for page in health metrics; do",
        "for page in metrics; do",
    ),
    _entry(
        "empty-log",
        "the log that is kept is empty",
        "state_documented",
        'tail -n 500 "$LOG_FILE" >',
        'tail -n 0 "$LOG_FILE" >',
    ),
    _entry(
        "another-page",
        "what is kept as metrics is the front page",
        "state_documented",
        '"$SERVICE_URL/$page" > ',
        '"$SERVICE_URL/" > ',
    ),
    _entry(
        "another-log",
        "what is kept as log is another file",
        "state_documented",
        'tail -n 500 "$LOG_FILE" >',
        "tail -n 500 CHANGELOG.md >",
    ),
    _entry(
        "errors-left-out",
        "the errors that the log holds are not among the examples",
        "state_documented",
        "grep -E 'ERROR|WARNING|CRITICAL|FATAL|PANIC' \"$EVIDENCE_DIR/application.log\"",
        'grep -E NEVER "$EVIDENCE_DIR/application.log"',
    ),
    _entry(
        "no-tag",
        "what runs now is not tagged",
        "deployment_tagged",
        'tag -a "before-rollback-$(date +%Y%m%d-%H%M%S)-$$" -m "Deployed when $INCIDENT began"',
        "tag -l",
    ),
    _entry(
        "old-tag",
        "the tag marks what ran before",
        "deployment_tagged",
        '-m "Deployed when $INCIDENT began"',
        '-m "Deployed when $INCIDENT began" tags/v0.1.0-rc1',
    ),
    _entry(
        "fails",
        "a command of the preparation fails",
        "command: Preparation",
        'mkdir -p "$EVIDENCE_DIR"\nfor page',
        'mkdir -p "$EVIDENCE_DIR"\nfalse\nfor page',
    ),
)
