"""Were people told? A drill sees that a channel took a message, never that somebody read it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rollback_drill.ground.finding import Finding, attested, failed, together, unknown
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.check import check
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.saying import (
    affirms,
    back_to,
    claims_no_loss,
    left_out,
    says_down,
    says_nobody,
)
from rollback_drill.perform.told import NOBODY, STATUS_PAGE

_TEAM = ("slack-oncall.txt", "slack-engineering.txt")
_TAKEN = "a channel to take it"
# What a message of a kind must hold of what is known: the runbook's variables.
_COMING = ("INCIDENT", "SEVERITY")
_WHY = (*_COMING, "REASON")
_OUTAGE = ("START", "END", "DURATION", "IMPACT", "DATA_LOSS")
_OVER = ("INCIDENT", "END", "DURATION", "IMPACT", "DATA_LOSS")


def _told(moment: Moment, names: Sequence[str], holds: Sequence[str] = ()) -> Finding:
    """Judge whether the messages called `names` were written in this step and taken, hold the
    values called `holds`, and claim of data what was measured; what is new is delivered first.
    """
    if moment.courier is None:
        return unknown("unsupported: nobody delivers messages here")
    if not {"OUTBOX", "STATUS_PAGE"} & moment.stage.environment.keys():
        return unknown("unsupported: this stage names no OUTBOX that messages are written to")
    unread = moment.courier.deliver(moment.stage.hosts[0], moment.facts)
    if unread:
        return unknown(f"messages could not be read: {unread}")
    return together(_true(moment, name, _of(moment, name), holds) for name in names)


def _true(moment: Moment, name: str, found: Finding, holds: Sequence[str]) -> Finding:
    """Return `found`, or a failure when it is good and the message says too little or too much."""
    text = _text(moment, name)
    if found.verdict is not Verdict.ATTESTED or not text:
        return found
    missing = left_out(text, holds, moment.facts)
    if missing:
        told = ", ".join(f"${key} (“{value[:60]}”)" for key, value in missing.items())
        return failed(f"{name} does not say {told}", "what was set for it")
    other = [one for one in back_to(text) if not _is_of_the_rollback(moment, one)]
    if other:
        return failed(f"{name} says that {other[0]} is gone back to", moment.stable)
    nobody = says_nobody(text)
    if nobody and re.match(r"[1-9]", moment.facts.get("IMPACT", "")):
        return failed(f"{name} says “{nobody}”", f"what was measured: {moment.facts['IMPACT']}")
    said = claims_no_loss(text)
    return _measured(moment, f"{name} says “{said}”", found) if said else found


def _is_of_the_rollback(moment: Moment, release: str) -> bool:
    return release.removeprefix("v") == moment.stable.removeprefix("v")


def _measured(moment: Moment, quoted: str, found: Finding) -> Finding:
    """Return `found` when a claim that no data is lost rests on what was measured."""
    known = moment.balance
    if known is None or known.fates is None:
        return failed(f"{quoted}, and nobody has looked yet", "what was measured")
    if not known.fates.acknowledged:
        return failed(f"{quoted}, and no writes were made", "what was measured")
    if known.lost:
        return failed(f"{quoted}; what was measured: {known.told()}", "the same in both")
    return found


def _of(moment: Moment, name: str) -> Finding:
    assert moment.courier
    at, one = moment.courier.handled.get(name, (0.0, None))
    if one is not None and one.outcome == "refused":
        return failed(f"{name} was not sent, {one.detail}", "none")
    if moment.told_by:
        return attested(f"{moment.told_by} says that people were told; no channel saw it")
    if one is None:
        return failed(f"no message {name} was written", "one")
    if at < moment.began_at:
        old = f"{name} is from {moment.began_at - at:.0f} s before the step, nothing came since"
        return failed(old, "one that was written in it")
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
    if affirms(text, pattern):
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
    return _told(moment, [f"slack-{channel[1:]}.txt"] if channel else _TEAM, _WHY)


@check(
    r"(?:open|create) incident(?: open)?"
    r"(?:(?: ticket)? names severity| incident ticket with severity level|(?: ticket))?",
    r"incident<DONE> (?:opened|created)",
    examples=["Open an incident: the ticket names its severity", "Create an incident ticket"],
)
def incident_opened(moment: Moment, match: re.Match[str]) -> Finding:
    """A channel took the ticket, which names a severity."""
    found = _told(moment, ["incident.md"])
    found = _says(moment, "incident.md", found, r"P[0-3]\b", "a severity, P0 to P3")
    return _true(moment, "incident.md", found, _WHY)


@check(
    r"(?:communication )?(?:tell|notify|inform) stakeholders"
    r"(?: of (?:impending )?rollback| they know that rollback is coming)?",
    r"stakeholders<DONE> (?:told|notified|informed)",
    examples=["Tell stakeholders: they know that a rollback is coming", "Notify stakeholders"],
)
def stakeholders_told(moment: Moment, match: re.Match[str]) -> Finding:
    """A channel took a message to stakeholders."""
    return _told(moment, ["stakeholders.txt"], _COMING)


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
    back = r"restored|works? again|(?:is|are) back|resolved"
    found = _says(moment, STATUS_PAGE, found, back, "that service is restored")
    down = says_down(_text(moment, STATUS_PAGE))
    if down and found.verdict is Verdict.ATTESTED:
        return failed(f"{STATUS_PAGE} says “{down}”", "that service is restored")
    return _says(
        moment, STATUS_PAGE, found, r"(?:root )?cause|investigat", "that the cause is looked for"
    )


@check(
    r"(?:customers )?those affected have mail",
    r"(?:notify customers )?(?:email|mail)(?: to)? affected (?:users|customers)(?: if any)?",
    r"(?:affected )?customers<DONE> (?:told|informed|notified)(?: by e?mail)?",
    examples=["Customers: those affected have a mail", "Email affected users"],
)
def customers_told(moment: Moment, match: re.Match[str]) -> Finding:
    """A channel took a mail to customers, which says when, how long and what was measured."""
    return _told(moment, ["customers.txt"], _OUTAGE)


@check(
    r"(?:update )?incident ticket (?:mark as )?resolved"
    r"(?P<how> with (?:what was done|rollback details))?",
    examples=["Incident ticket: resolved, with what was done", "Incident ticket resolved"],
)
def ticket_resolved(moment: Moment, match: re.Match[str]) -> Finding:
    """A channel took the incident's ticket, which says that it is resolved, and how."""
    found = _told(moment, ["incident.md"])
    found = _says(moment, "incident.md", found, r"resolved\b", "that it is resolved")
    if not match["how"]:
        return found
    found = _says(moment, "incident.md", found, r"roll(?:ed|ing)? ?back", "what was done")
    return _true(moment, "incident.md", found, (*_COMING, *_OUTAGE))


@check(
    r"team #oncall and #engineering know that it is over",
    r"team notification post update in slack",
    examples=["Team: #oncall and #engineering know that it is over"],
)
def team_told_the_end(moment: Moment, match: re.Match[str]) -> Finding:
    """Both channels took a message, which says when and how it ended."""
    return _told(moment, _TEAM, _OVER)
