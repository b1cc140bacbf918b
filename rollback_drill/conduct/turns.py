"""Drills of one machine take turns at what they measure, or one would be the other's slow service.

A stage on this machine, with its clients, needs about a core and now and then two, and clients of a
stage elsewhere measure from here. So as many drills measure at a time as there are pairs of cores.
What comes before clients and after them, such as deployments and reports, goes on beside others.
Whoever dies gives its turn back by that.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rollback_drill.conduct.drill import Drill
from rollback_drill.conduct.phases import let_clients_in
from rollback_drill.conduct.plan import Plan
from rollback_drill.ground.errors import UsageError, WaitTimeout
from rollback_drill.ground.machine import temporary
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage.sweep import own_folder

LONGEST_WAIT_S = 120.0
"""How long a drill waits: longer than most measure, and one that hangs must not stop all others."""
_CORES_EACH = 2
_EVERY_S = 0.1


def in_turn(plan: Plan) -> Plan:
    """Return `plan` as one that waits for its turn before it lets clients in."""
    at = plan.phases.index(let_clients_in)
    return replace(plan, phases=(*plan.phases[:at], take_turn, *plan.phases[at:]))


def take_turn(drill: Drill) -> bool:
    """Wait until it is this drill's turn; it is over when clients go. Whoever waits too long goes
    on without, and it is on record. So does a drill whose stage is elsewhere: its clients are here.
    """
    waited = 0.0
    try:
        for elapsed in wait_until("a turn of this drill's own", LONGEST_WAIT_S, every_s=_EVERY_S):
            if any(_taken(drill.clients, path) for path in _turns()):
                break
            if not waited:
                drill.note("waits for its turn: another drill of this machine measures")
            waited = elapsed + _EVERY_S
    except (WaitTimeout, UsageError, OSError) as error:
        drill.note(f"measures beside other drills of this machine: {error}")
        return True
    if waited:
        drill.note(f"its turn came after {waited:.1f} s")
    return True


def _turns() -> Iterator[Path]:
    """Yield a file for each drill that may measure at a time. Raises UsageError."""
    folder = temporary() / f"rollback-turns-{os.geteuid()}"
    own_folder(folder)
    for number in range(max(1, (os.cpu_count() or 1) // _CORES_EACH)):
        yield folder / str(number)


def _taken(until: contextlib.ExitStack, path: Path) -> bool:
    """Lock `path` until `until` closes, if nobody else has."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    until.enter_context(file)
    return True
