"""Were people told? A drill sees that a channel took a message, never that somebody read it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rollback_drill.data.told import data_loss
from rollback_drill.ground.finding import Finding, attested, failed, together, unknown
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.check import check
from rollback_drill.perform.messages import STATUS_PAGE
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.told import NOBODY

_TEAM = ("slack-oncall.txt", "slack-engineering.txt")
_TAKEN = "a channel to take it"
_NO_LOSS = re.compile(r"no data|data los[st]\w*: *none|nothing (?:was|is) lost", re.IGNORECASE)


def _told(moment: Moment, names: Sequence[str], *, in_this_step: bool = False) -> Finding:
    """Judge whether the messages called `names` were taken; what is new is delivered first.

    `in_this_step`: an earlier message does not do.
    """
    if moment.courier is None:
        return unknown("unsupported: nobody delivers messages here")
    if not {"OUTBOX", "STATUS_PAGE"} & moment.stage.environment.keys():
        return unknown("unsupported: this stage names no OUTBOX that messages are written to")
    unread = moment.courier.deliver(moment.stage.hosts[0], moment.facts)
    if unread:
        return unknown(f"messages could not be read: {unread}")
    return together(_of(moment, name, in_this_step) for name in names)


def _of(moment: Moment, name: str, in_this_step: bool) -> Finding:
    assert moment.courier
    at, one = moment.courier.handled.get(name, (0.0, None))
    if one is not None and one.outcome == "refused":
        return failed(f"{name} was not sent, {one.detail}", "none")
    if moment.told_by:
        return attested(f"{moment.told_by} says that people were told; no channel saw it")
    if one is None:
        return failed(f"no message {name} was written", "one")
    if in_this_step and at < moment.began_at:
        old = f"{name} is from {moment.began_at - at:.0f} s before the step, nothing came since"
        return failed(old, "a message that says it is over")
    said = f"{name}, which begins “{one.text.strip().splitlines()[0][:80]}”,"
    if one.outcome in ("sent", "kept"):
        return attested(f"{said} was taken by {one.detail}")
    if one.outcome == "shown":
        return failed(f"{said} was only shown: {one.detail}; {NOBODY}", _TAKEN)
    return failed(f"{said} was not taken: {one.detail}", _TAKEN)


def _text(moment: Moment, name: str) -> str:
    """Return a message as it was handled last, "" when there is none."""
    handled = moment.courier.handled.get(name) if moment.courier else None
    return handled[1].text if handled else ""


def _says(moment: Moment, name: str, found: Finding, pattern: str, what: str) -> Finding:
    """Return `found`, or a failure when it is good and the message does not say `what`."""
    text = _text(moment, name)
    if found.verdict is not Verdict.ATTESTED or not text:
        return found
    if re.search(pattern, text, re.IGNORECASE):
        return found
    first = text.strip().splitlines()[0][:80]
    return failed(f"{name}, which begins “{first}”, does not say {what}", "it to")


@check(
    r"notify team(?: #oncall and #engineering have message)?",
    r"(?:notify team )?alert #oncall and #engineering(?: in Slack)?",
    r"(?:notify|alert) (?P<channel>#[\w-]+)(?: in Slack)?",
    r"team<DONE> notified",
    examples=[
        "Notify the team: #oncall and #engineering have the message",
        "Notify team",
        "Alert #oncall",
    ],
)
def team_notified(moment: Moment, match: re.Match[str]) -> Finding:
    """The channels of the team, or the one that the item names, took a message without blanks."""
    channel = match.groupdict().get("channel")
    return _told(moment, [f"slack-{channel[1:]}.txt"] if channel else _TEAM)


@check(
    r"(?:open|create) incident(?: open)?"
    r"(?:(?: ticket)? names severity| incident ticket with severity level|(?: ticket))?",
    r"incident<DONE> (?:opened|created)",
    examples=["Open an incident: the ticket names its severity", "Create an incident ticket"],
)
def incident_opened(moment: Moment, match: re.Match[str]) -> Finding:
    """A channel took the ticket, which names a severity."""
    found = _told(moment, ["incident.md"])
    return _says(moment, "incident.md", found, r"\bP[0-3]\b", "a severity, P0 to P3")


@check(
    r"(?:communication )?(?:tell|notify|inform) stakeholders"
    r"(?: of (?:impending )?rollback| they know that rollback is coming)?",
    r"stakeholders<DONE> (?:told|notified|informed)",
    examples=["Tell stakeholders: they know that a rollback is coming", "Notify stakeholders"],
)
def stakeholders_told(moment: Moment, match: re.Match[str]) -> Finding:
    """A channel took a message to stakeholders."""
    return _told(moment, ["stakeholders.txt"])


@check(
    r"status page has update",
    r"(?:post|publish) update (?:on|to) status page",
    r"update status page",
    r"status page<DONE> updated",
    r"(?:status page says that|update status page) "
    r"(?P<over>service(?: is)? restored(?: and|\.)? (?:cause is being looked for|"
    r"investigating root cause))",
    examples=[
        "The status page has an update",
        "Post update on status page",
        "Status page: says that service is restored and the cause is being looked for",
    ],
)
def status_page(moment: Moment, match: re.Match[str]) -> Finding:
    """The status page carries a message without blanks, which says what the item says it does."""
    found = _told(moment, [STATUS_PAGE])
    if not match.groupdict().get("over"):
        return found
    back = r"restor|works? again|is back|resolved"
    found = _says(moment, STATUS_PAGE, found, back, "that service is restored")
    return _says(moment, STATUS_PAGE, found, r"cause|investigat", "that the cause is looked for")


@check(
    r"(?:customers )?those affected have mail",
    r"(?:notify customers )?(?:email|mail)(?: to)? affected (?:users|customers)(?: if any)?",
    r"(?:affected )?customers<DONE> (?:told|informed|notified)(?: by e?mail)?",
    examples=["Customers: those affected have a mail", "Email affected users"],
)
def customers_told(moment: Moment, match: re.Match[str]) -> Finding:
    """A channel took a mail to customers, which says of their data what the ledger shows."""
    found = _told(moment, ["customers.txt"])
    said = _NO_LOSS.search(_text(moment, "customers.txt"))
    if found.verdict is not Verdict.ATTESTED or not said:
        return found
    ledger = moment.ledger
    quoted = f"the mail says “{said[0]}”"
    if ledger is None:
        return failed(f"{quoted}, and nobody has looked yet", "what was measured")
    if not ledger.acknowledged:
        return failed(f"{quoted}, and no writes were made", "what was measured")
    if ledger.lost or ledger.damaged:
        return failed(f"{quoted}; the ledger says: {data_loss(ledger)}", "the same in both")
    return found


@check(
    r"(?:update )?incident ticket (?:mark as )?resolved"
    r"(?P<how> with (?:what was done|rollback details))?",
    examples=["Incident ticket: resolved, with what was done", "Incident ticket resolved"],
)
def ticket_resolved(moment: Moment, match: re.Match[str]) -> Finding:
    """A channel took the incident's ticket, which says that it is resolved, and how."""
    found = _told(moment, ["incident.md"])
    found = _says(moment, "incident.md", found, "resolved", "that it is resolved")
    if not match["how"]:
        return found
    return _says(moment, "incident.md", found, r"roll(?:ed|ing)? ?back", "what was done")


@check(
    r"team #oncall and #engineering know that it is over",
    r"team notification post update in slack",
    examples=["Team: #oncall and #engineering know that it is over"],
)
def team_told_the_end(moment: Moment, match: re.Match[str]) -> Finding:
    """Both channels took a message that was written in this step."""
    return _told(moment, _TEAM, in_this_step=True)
