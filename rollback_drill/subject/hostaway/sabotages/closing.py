"""What is to be done within the hour, and is not."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import PlantedIn, Rewrite, Sabotage

_END = '"$OUTBOX/slack-oncall.txt" <<MESSAGE\nRolled back'


def _entry(name: str, breaks: str, caught_by: str, old: str, new: str) -> Sabotage:
    plants = (Rewrite(old, new),)
    return Sabotage(f"after-{name}", breaks, PlantedIn.MESSAGES, caught_by, plants)


SABOTAGES = (
    _entry(
        "page-stays",
        "the status page still says what was said in the middle of it",
        "status_page",
        'echo "The API works again since $END UTC. We are looking for the cause." > "$STATUS_PAGE"',
        'cat "$STATUS_PAGE"',
    ),
    _entry(
        "page-without-cause",
        "the status page does not say that the cause is looked for",
        "status_page",
        "The API works again since $END UTC. We are looking for the cause.",
        "The API works again since $END UTC.",
    ),
    _entry(
        "no-mail",
        "customers get no mail",
        "customers_told",
        'cat > "$OUTBOX/customers.txt" <<MESSAGE',
        'cat > "$OUTBOX/draft.md" <<MESSAGE',
    ),
    _entry(
        "mail-with-blank",
        "the mail to customers has a blank in it",
        "customers_told",
        "Dear customer,",
        "Dear [name],",
    ),
    _entry(
        "ticket-open",
        "the ticket does not say that the incident is over",
        "ticket_resolved",
        "# $INCIDENT: resolved by rolling back cursor-based pagination",
        "# $INCIDENT: rolling back cursor-based pagination",
    ),
    _entry(
        "ticket-stays",
        "the ticket stays as it was opened",
        "ticket_resolved",
        'cat > "$OUTBOX/incident.md" <<MESSAGE\n# $INCIDENT: resolved',
        'cat > "$OUTBOX/other.md" <<MESSAGE\n# $INCIDENT: resolved',
    ),
    _entry(
        "team-not-told",
        "the team does not hear that it is over",
        "team_told_the_end",
        f"cat > {_END}",
        'cat > "$OUTBOX/note.md" <<MESSAGE\nRolled back',
    ),
    _entry(
        "one-channel-not-told",
        "one of the team's two channels does not hear that it is over",
        "team_told_the_end",
        "Next: the root cause\nMESSAGE\n"
        'cp "$OUTBOX/slack-oncall.txt" "$OUTBOX/slack-engineering.txt"\n',
        "Next: the root cause\nMESSAGE\n",
    ),
    _entry(
        "tag-not-pushed",
        "the tag that marks the rollback stays on the host",
        "rollback_tagged",
        'git push --quiet origin "$mark"',
        'git show --quiet "$mark"',
    ),
    _entry(
        "tag-of-another",
        "the tag marks the release that was left",
        "rollback_tagged",
        'tag -a "$mark" -m "Pagination rolled back"',
        'tag -a "$mark" -m "Pagination rolled back" tags/v0.1.0-pagination',
    ),
    _entry(
        "fails",
        "a command fails when all is over",
        "command: Immediate: within 1 hour",
        'git push --quiet origin "$mark"',
        'git push --quiet nowhere "$mark"',
    ),
    _entry(
        "unknown-value",
        "a message needs what nobody measured",
        "command: Immediate: within 1 hour",
        "It lasted $DURATION minutes.",
        "It lasted $LENGTH minutes.",
    ),
)
