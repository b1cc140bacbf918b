"""In what state a drill leaves the service, by asking it: front door, reads, hosts, flag files."""

from __future__ import annotations

import contextlib

from rollback_drill.ground.errors import DrillError, WaitTimeout
from rollback_drill.ground.wait import wait_until
from rollback_drill.runbook.maintenance import LEAVE
from rollback_drill.runbook.model import Procedure
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.asking import keyed
from rollback_drill.stage.model import Stage
from rollback_drill.watch.probe import front_health, hosts_health
from rollback_drill.watch.told import LeftAs, flaws

_TIMEOUT_S = 3.0
_LIMIT_S = 5.0
_SETTLE_S = 3.0
# Two lines: the release, and whether the file that takes a host out is there.
_LOOK = (
    'git describe --tags --always 2>/dev/null || echo "no release"\n'
    '[ -e "${MAINTENANCE_FILE:-/nonexistent}" ] && echo in || echo out'
)


def left_as(stage: Stage, procedure: Procedure | None) -> LeftAs:
    """Ask for the state of the service. What cannot be asked is 0 or left out, never well.

    `procedure`: the one that was performed, if any, which may name the step that ends maintenance.
    What was just healed gets a moment to answer.
    """
    seen = _look(stage, procedure)
    with contextlib.suppress(WaitTimeout):
        for _ in wait_until("a service that is well", _SETTLE_S):
            if not flaws(seen):
                break
            seen = _look(stage, procedure)
    return seen


def _look(stage: Stage, procedure: Procedure | None) -> LeftAs:
    maintenance: dict[str, bool] = {}
    releases: dict[str, str] = {}
    for host in stage.hosts:
        try:
            seen = host.run(_LOOK, limit_s=_LIMIT_S)
        except DrillError:
            continue
        lines = seen.stdout.splitlines()
        if seen.ok and len(lines) > 1:
            releases[host.name], maintenance[host.name] = lines[0], lines[-1] == "in"
    return LeftAs(
        front=front_health(stage),
        hosts=hosts_health(stage),
        reads=_reads(stage),
        maintenance=maintenance,
        releases=releases,
        undo=_undo(procedure),
        stays=stage.stays,
    )


def _reads(stage: Stage) -> dict[str, int]:
    """Return the status that each read is answered through the front door, 0 for no answer."""
    headers = keyed(stage)
    found = {}
    for name, path in stage.subject.reads.items():
        try:
            answer = http.get(stage.base_url + path, headers=headers, limit_s=_TIMEOUT_S)
            found[name] = answer.status
        except NoAnswer:
            found[name] = 0
    return found


def _undo(procedure: Procedure | None) -> str:
    for step in procedure.steps if procedure else ():
        if LEAVE.search(step.title):
            return f"step {step.number} “{step.title}” (line {step.line})"
    return ""
