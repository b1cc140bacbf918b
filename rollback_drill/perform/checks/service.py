"""Does the service do what it is for, asked past the load balancer and through it?"""

from __future__ import annotations

import re

from rollback_drill.ground.finding import Finding, judged
from rollback_drill.perform.check import check
from rollback_drill.perform.moment import Moment
from rollback_drill.stage.asking import keyed
from rollback_drill.stage.http import Client
from rollback_drill.stage.model import Stage
from rollback_drill.watch.probe import health

_TIMEOUT_S = 5.0
_MOST_BYTES = 8 * 2**20  # metrics of many series are long


def client_of(stage: Stage, url: str, key: str | None = None) -> Client:
    """Return a client of `url` with the stage's API key, or another `key`."""
    return Client(url, keyed(stage, key), limit_s=_TIMEOUT_S, most=_MOST_BYTES)


_ANSWERS = r"(?:answers|returns|responds|replies)(?: with)?(?: HTTP)?(?: status)?(?: code)?"


@check(
    r"(?:GET )?(?P<path>/(?:health|ready|live|status|ping|heartbeat)\w*|/__\w+__) "
    rf"{_ANSWERS} (?P<status>[1-5]\d\d)(?: OK)?",
    rf"health(?: ?check)?(?: endpoint)? {_ANSWERS} (?P<status>[1-5]\d\d)(?: OK)?",
    r"health ?checks?<IS> (?:pass(?:es|ing)?|green)",
    examples=[
        "`/health` answers with status 200",
        "The health endpoint returns 200",
        "Health checks pass",
    ],
)
def health_status(moment: Moment, match: re.Match[str]) -> Finding:
    """The health endpoint of every host answers with the status that the checkbox names; a path
    that it names is asked itself.
    """
    said = match.groupdict()
    wanted = int(said.get("status") or 200)
    path = said.get("path") or moment.stage.interface.health
    seen = {name: health(url, path) for name, url in moment.stage.direct_urls.items()}
    told = ", ".join(f"{name} answers {path} with {got or 'nothing'}" for name, got in seen.items())
    return judged(set(seen.values()) == {wanted}, told, f"{wanted} from every host")


@check(
    r"API (?:requests|calls) (?:succeed|work)",
    rf"API (?:requests )?(?:{_ANSWERS}|return) (?P<status>200)(?: OK)?",
    examples=["API requests succeed", "API returns 200 OK"],
)
def api_requests_succeed(moment: Moment, match: re.Match[str]) -> Finding:
    """What customers read can be read on every host."""
    named = match.groupdict().get("status")
    stage = moment.stage
    return stage.subject.reads_succeed(stage, int(named) if named else None)


@check(
    r"(?:all|every) (?:API )?(?:endpoint|route)s?<IS> "
    r"(?:functional|operational|works?|working|responds?|responding)",
    examples=["All API endpoints work"],
)
def endpoints_functional(moment: Moment, match: re.Match[str]) -> Finding:
    """Everything that the service is known to offer works through the front door."""
    return moment.stage.subject.all_works(moment.stage)


@check(
    r"authentication<IS> (?:works?|working|functional|enforced)",
    r"(?:users|customers|clients) can (?:log|sign) ?in",
    r"log ?in works",
    examples=["Authentication works", "Users can log in"],
)
def authentication(moment: Moment, match: re.Match[str]) -> Finding:
    """Every host refuses a request without a key or with a wrong one, and serves the right one."""
    return moment.stage.subject.strangers_refused(moment.stage)


@check(
    r"database (?:queries|reads|access)<IS> (?:works?|working|succeeds?)",
    examples=["Database queries work"],
)
def database_queries(moment: Moment, match: re.Match[str]) -> Finding:
    """What is written through the front door is kept, and can be read back."""
    return moment.stage.subject.writes_kept(moment.stage)
