"""Is the service out of rotation, and is it back?"""

from __future__ import annotations

import re

from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import WaitTimeout
from rollback_drill.ground.finding import Finding, judged, unknown
from rollback_drill.ground.wait import wait_until
from rollback_drill.ground.words import each_said
from rollback_drill.perform.check import check
from rollback_drill.perform.moment import Moment
from rollback_drill.traffic.live import Aggregate
from rollback_drill.traffic.observation import Outcome
from rollback_drill.watch.probe import front_health, hosts_health

_ENOUGH_REQUESTS = 20
_AT_FIRST_S = 1.0  # what goes wrong at once goes wrong within it
_WAIT_S = 10.0


def fresh_traffic(
    moment: Moment, requests: int = _ENOUGH_REQUESTS, least_s: float = 0.0
) -> Aggregate | Finding:
    """Return what clients saw from now on, once `requests` were due, and `least_s` seconds were
    observed to their end; else why that is unknown.
    """
    began = now()
    seen = moment.traffic.window(began)
    try:
        for _ in wait_until(f"{requests} requests", _WAIT_S):
            seen = moment.traffic.window(began)
            if seen.sent >= requests and seen.until - seen.start >= least_s:
                return seen
    except WaitTimeout:
        pass
    return unknown(f"{seen.sent} of {requests} requests that are needed were seen in {_WAIT_S:g} s")


@check(
    r"maintenance mode<IS> (?:on|enabled|active)",
    r"<SERVICE><IS> in maintenance(?: mode)?",
    r"enable maintenance mode",
    examples=["Maintenance mode is on", "The service is in maintenance"],
)
def maintenance_enabled(moment: Moment, match: re.Match[str]) -> Finding:
    """The front door answers 503 while each host still answers its own operator."""
    front = front_health(moment.stage)
    hosts = hosts_health(moment.stage)
    told = f"the front door answers {front or 'nothing'}; past it: {each_said(hosts)}"
    return judged(front == 503, told, "503 at the front door")


@check(
    r"(?:client |user )?traffic(?: has| is| was)? stopped",
    r"no (?:client )?(?:traffic|requests?) reach(?:es)? <SERVICE>",
    examples=["Client traffic has stopped", "No requests reach the service"],
)
def traffic_stopped(moment: Moment, match: re.Match[str]) -> Finding:
    """No client gets an answer from the service any more."""
    seen = fresh_traffic(moment)
    if isinstance(seen, Finding):
        return seen
    served = seen.sent - seen.outcomes.get(Outcome.UNAVAILABLE, 0)
    told = f"{served} of {seen.sent} requests reached the service"
    return judged(served == 0, told, "none")


@check(
    r"maintenance mode(?: is| has been)? (?:off|disabled|over|ended)",
    r"<SERVICE><IS> out of maintenance(?: mode)?",
    r"disable maintenance mode",
    examples=["Maintenance mode is off", "The service is out of maintenance"],
)
def maintenance_disabled(moment: Moment, match: re.Match[str]) -> Finding:
    """The front door serves again."""
    front = front_health(moment.stage)
    path = moment.stage.interface.health
    told = f"the front door answers {front or 'nothing'} on {path}"
    return judged(front == 200, told, "200")


@check(
    r"(?:client |user )?traffic (?:reaches|flows to|is flowing to|flowing to) <SERVICE>",
    r"(?:client |user )?traffic(?: is)? (?:flows|flowing)",
    r"(?:clients|requests) (?:reach|are served by) <SERVICE>",
    examples=["Client traffic reaches the application", "Traffic is flowing"],
)
def traffic_flows(moment: Moment, match: re.Match[str]) -> Finding:
    """Clients get good answers again."""
    seen = fresh_traffic(moment)
    if isinstance(seen, Finding):
        return seen
    good = seen.outcomes.get(Outcome.OK, 0)
    told = f"{good} of {seen.sent} requests were answered well"
    return judged(good > seen.sent / 2, told, "more than half of them")


@check(
    r"no immediate (?:errors|failures)(?: for (?:clients|users|customers))?",
    examples=["No immediate errors for clients"],
)
def no_immediate_errors(moment: Moment, match: re.Match[str]) -> Finding:
    """None of the first requests after the service is back fails."""
    seen = fresh_traffic(moment, 2 * _ENOUGH_REQUESTS, _AT_FIRST_S)
    if isinstance(seen, Finding):
        return seen
    return judged(
        seen.failures == 0, f"{seen.failures} of the first {seen.sent} requests failed", "none"
    )
