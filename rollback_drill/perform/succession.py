"""Which process told it: the one that a rollback put an end to, or the one that came after it.

A step that restarts the service begins while the failing release still serves, and that goes on to
tell of what ails it until it is stopped, or dies of it before it is stopped. A look at clocks alone
would take it for the new one's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError
from rollback_drill.stage.host import look
from rollback_drill.stage.model import Stage
from rollback_drill.watch.logs import Entry

_LIMIT_S = 5.0
_AGE = """read -r up _ < /proc/uptime
stat="$(cat /proc/{pid}/stat)"
set -- ${{stat##*) }}
awk "BEGIN {{ print $up - ${{20}} / $(getconf CLK_TCK) }}"
"""
_NUMBERS = re.compile(r"\d+")


def when_begun(stage: Stage, pids: Mapping[str, int]) -> dict[str, float]:
    """Return when the process `pids` of each host began, in Unix seconds of this machine's clock;
    hosts that do not tell are left out.
    """
    found = {}
    for host in stage.hosts:
        try:
            done = look(host, _AGE.format(pid=pids[host.name]), limit_s=_LIMIT_S)
            found[host.name] = now() - float(done.stdout)
        except (KeyError, StageError, ValueError):
            continue
    return found


def of_predecessor(
    entries: Iterable[Entry], since: float, began: Mapping[str, float]
) -> frozenset[Entry]:
    """Return the entries that tell, after `since` and before the present process of their host
    `began`, what had been told before as well. What is new by then may be of a start that failed.
    """
    entries, latest = list(entries), max(began.values(), default=since)
    between = [one for one in entries if since <= one.at < began.get(one.host, latest)]
    before = {_shape(one) for one in entries if one.at < since} if between else set()
    return frozenset(one for one in between if _shape(one) in before)


def printed_before(
    entries: Iterable[Entry],
    since: float,
    began: Mapping[str, float],
    starts: Mapping[str, Sequence[float]],
) -> frozenset[Entry]:
    """Return the entries that were printed after `since` and before the present process of their
    host `began` by what its supervisor had started before `since`: by its `starts`, times at which
    it says that it started something, it had started nothing since. Where it never says so, none.
    """
    found = set()
    for one in entries:
        if since <= one.at < began.get(one.host, since):
            latest = max((at for at in starts.get(one.host, ()) if at < one.at), default=since)
            if latest < since:
                found.add(one)
    return frozenset(found)


def _shape(entry: Entry) -> tuple[str, str]:
    return entry.host, _NUMBERS.sub("#", entry.text)
