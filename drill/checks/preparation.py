"""Was the rollback prepared: is it the right cure, who was told, what was kept?"""

from __future__ import annotations

import re

from drill.check import Finding, Situation, check, failed, passed, unknown
from drill.checks.maintenance import message_in
from drill.checks.release import all_ok, on_every_host
from drill.facts import data_loss
from drill.host import look
from drill.verdict import Verdict, worst


@check(r"confirm the issue", r"confirm issue", r"issue .*caused by")
def issue_confirmed(situation: Situation, match: re.Match[str]) -> Finding:
    """The decision rests on evidence, and either a scenario of the runbook explains it or nothing
    around the release does.
    """
    decision = situation.decision
    if decision is None:
        return unknown("nothing was decided")
    if decision.ours is False:
        return failed("; ".join(decision.attribution))
    if not decision.rollback:
        return failed(f"the detector does not call for a rollback: {decision.action}")
    because = "; ".join((*decision.evidence, *decision.attribution)) or decision.trigger
    if not decision.scenario and not decision.ours:
        return unknown(f"no scenario explains it, nor is the release to blame: {because}")
    return passed(f"{decision.diagnosis}: {because}")


def _messages(situation: Situation, *names: str) -> Finding:
    box = situation.stage.environment["OUTBOX"]
    found = [message_in(situation, f"{box}/{name}") for name in names]
    evidence = "; ".join(finding.evidence for finding in found)
    return Finding(worst(finding.verdict for finding in found), evidence)


@check(r"notify the team", r"notify team")
def team_notified(situation: Situation, match: re.Match[str]) -> Finding:
    """Both channels have a message without blanks."""
    return _messages(situation, "slack-oncall.txt", "slack-engineering.txt")


@check(r"(open|create) (an )?incident")
def incident_opened(situation: Situation, match: re.Match[str]) -> Finding:
    """The ticket exists and names a severity."""
    found = _messages(situation, "incident.md")
    text = look(
        situation.stage.hosts[0], 'cat "$OUTBOX/incident.md" 2>/dev/null || true', limit_s=10
    )
    if not re.search(r"\bP[0-3]\b", text.stdout):
        return failed(f"the ticket names no severity P0 to P3; {found.evidence}")
    return found


@check(r"stakeholders")
def stakeholders_told(situation: Situation, match: re.Match[str]) -> Finding:
    """Stakeholders have a message without blanks."""
    return _messages(situation, "stakeholders.txt")


@check(r"document (the )?state")
def state_documented(situation: Situation, match: re.Match[str]) -> Finding:
    """Metrics, health, log and example errors were kept on every host, and are not empty."""
    script = (
        'cd "$EVIDENCE_DIR"\n'
        "for file in health.txt metrics.txt application.log example-errors.log; do\n"
        "  test -s $file || { echo $file is missing or empty; exit 1; }\n"
        "done\n"
        "wc -l -- * | tail -n 1"
    )
    return all_ok(on_every_host(situation, script), "health, metrics, log and errors are kept")


@check(r"customers?\b.*\b(mail|told|informed)")
def customers_told(situation: Situation, match: re.Match[str]) -> Finding:
    """Customers have a mail without blanks, which says of their data what the ledger shows."""
    found = _messages(situation, "customers.txt")
    if found.verdict is not Verdict.PASSED:
        return found
    text = look(situation.stage.hosts[0], 'cat "$OUTBOX/customers.txt"', limit_s=10).stdout
    if re.search(r"no data|data los[st]\w*: *none|nothing (was|is) lost", text, re.IGNORECASE):
        if situation.ledger is None:
            return failed("the mail says that no data was lost, and nobody has looked yet")
        if situation.ledger.lost or situation.ledger.damaged:
            told = data_loss(situation.ledger)
            return failed(f"the mail says that no data was lost; the ledger: {told}")
    return found


@check(r"ticket\b.*\bresolved")
def ticket_resolved(situation: Situation, match: re.Match[str]) -> Finding:
    """The incident's ticket says that it is resolved, and has no blanks."""
    found = _messages(situation, "incident.md")
    text = look(situation.stage.hosts[0], 'cat "$OUTBOX/incident.md" || true', limit_s=10).stdout
    if found.verdict is Verdict.PASSED and "resolved" not in text.lower():
        return failed("the ticket does not say that it is resolved")
    return found


@check(r"team\b.*\b(over|complete|end)")
def team_told_the_end(situation: Situation, match: re.Match[str]) -> Finding:
    """Both channels have a message that was written in this step."""
    found = _messages(situation, "slack-oncall.txt", "slack-engineering.txt")
    if found.verdict is not Verdict.PASSED:
        return found
    script = (
        'cd "$OUTBOX"; for file in slack-oncall.txt slack-engineering.txt; do\n'
        '  age=$(( $(date +%s) - $(stat -c %Y "$file") ))\n'
        f'  test "$age" -le {situation.age() + 1:.0f} || '
        '{ echo "$file is $age s old: it is from before the end"; exit 1; }\n'
        "done"
    )
    done = look(situation.stage.hosts[0], script, limit_s=10)
    return found if done.ok else failed(done.stdout.strip())


@check(r"tag in the origin .*rollback", r"rollback .*tag .*(origin|pushed)")
def rollback_tagged(situation: Situation, match: re.Match[str]) -> Finding:
    """A tag of the origin that is no release points at what the first host runs now."""
    host = situation.stage.hosts[0]
    script = (
        'git ls-remote --tags origin | grep "$(git rev-parse HEAD)" | grep -v '
        f"-E 'refs/tags/({re.escape(situation.stable)}|{re.escape(situation.failing)})' "
        "| sed -e 's,.*refs/tags/,,' -e 's/[^0-9a-zA-Z]*$//' "
        '| grep . || { echo "no tag of the origin marks what runs now"; exit 1; }'
    )
    return all_ok({host.name: look(host, script, limit_s=30)}, "the origin marks this point")
