"""Is the service out of rotation, and is it back?"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from drill.check import Finding, Situation, check, failed, judged, passed, unknown
from drill.clock import now
from drill.delivery import blanks_in
from drill.errors import WaitTimeout
from drill.host import look
from drill.observation import Outcome
from drill.probe import front_health, hosts_health
from drill.traffic import Aggregate
from drill.wait import wait_until

_ENOUGH_REQUESTS = 20
_WAIT_S = 10.0


def fresh_traffic(situation: Situation, requests: int = _ENOUGH_REQUESTS) -> Aggregate | None:
    """Return what clients saw from now on, once `requests` were due; None if they do not come."""
    began = now()
    try:
        for _ in wait_until(f"{requests} requests", _WAIT_S):
            seen = situation.traffic.window(began)
            if seen.sent >= requests:
                return seen
    except WaitTimeout:
        return None
    return None


@check(r"maintenance mode (is )?(on|enabled|active)")
def maintenance_enabled(situation: Situation, match: re.Match[str]) -> Finding:
    """The front door answers 503 while each host still answers its own operator."""
    front = front_health(situation.stage)
    hosts = hosts_health(situation.stage)
    return judged(front == 503, f"the front door answers {front}; past it the hosts say {hosts}")


@check(r"traffic (has |is )?stopped", r"no (client )?(traffic|requests?) reach")
def traffic_stopped(situation: Situation, match: re.Match[str]) -> Finding:
    """No client gets an answer from the service any more."""
    seen = fresh_traffic(situation)
    if seen is None:
        return unknown("no client asked for anything, so nothing was seen to be stopped")
    served = seen.sent - seen.outcomes.get(Outcome.UNAVAILABLE, 0)
    return judged(served == 0, f"{served} of {seen.sent} requests still reached the service")


@check(r"status page")
def status_page(situation: Situation, match: re.Match[str]) -> Finding:
    """The status page carries a message without blanks left to fill in."""
    return message_in(situation, situation.stage.environment["STATUS_PAGE"])


def message_in(situation: Situation, path: str) -> Finding:
    """Judge the message in the file `path` of the first host: there, recent, no blanks left."""
    host = situation.stage.hosts[0]
    name = PurePosixPath(path).name
    done = look(host, f"cat {path}", limit_s=10)
    if not done.ok or not done.stdout.strip():
        return failed(f"no message in {name}")
    blanks = blanks_in(done.stdout)
    if blanks:
        return failed(f"{name} still has blanks: {', '.join(blanks[:5])}")
    first = done.stdout.strip().splitlines()[0]
    return passed(f"{name}, {len(done.stdout)} characters, begins “{first[:80]}”")


@check(r"maintenance mode (is )?(off|disabled|over|ended)")
def maintenance_disabled(situation: Situation, match: re.Match[str]) -> Finding:
    """The front door serves again."""
    front = front_health(situation.stage)
    return judged(front == 200, f"the front door answers {front} on /health")


@check(r"traffic (is )?(flow|reach|flowing)", r"(clients|requests) (reach|are served)")
def traffic_flows(situation: Situation, match: re.Match[str]) -> Finding:
    """Clients get good answers again."""
    seen = fresh_traffic(situation)
    if seen is None:
        return unknown("no client asked for anything")
    good = seen.outcomes.get(Outcome.OK, 0)
    return judged(good > seen.sent / 2, f"{good} of {seen.sent} requests were answered well")


@check(r"no immediate (errors|failures)")
def no_immediate_errors(situation: Situation, match: re.Match[str]) -> Finding:
    """None of the first requests after the service is back fails."""
    seen = fresh_traffic(situation, 2 * _ENOUGH_REQUESTS)
    if seen is None:
        return unknown("no client asked for anything")
    return judged(seen.failures == 0, f"{seen.failures} of the first {seen.sent} requests failed")
