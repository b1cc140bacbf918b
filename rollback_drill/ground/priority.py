"""Priority over the other programs of this machine, for what is measured and for who measures it.

A compiler beside a drill would be measured as a slow service. Linux shares its cores among sessions
first (autogroups), so a process that leads one of its own is given priority by that; elsewhere by
its own number. Only root may, or who has CAP_SYS_NICE; for all others it stays as it is, and the
record says how busy the machine was.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

NICE = -10
SHARES = 9
"""Of a core, where others have one: what NICE comes to."""


def prefer(pid: int) -> bool:
    """Have the session that the process `pid` leads go before other programs; return whether this
    user may. Raises nothing: also a process that has ended is none to prefer.
    """
    group = Path(f"/proc/{pid}/autogroup")
    try:
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
        if group.exists():
            group.write_text(str(NICE), encoding="ascii")
    except OSError:
        return False
    return True


def may_prefer() -> bool:
    """Whether this user may have anything go before other programs."""
    with raised(-1) as may:
        return may


@contextlib.contextmanager
def raised(by: int) -> Iterator[bool]:
    """While active, this process, by its number of niceness, goes before what it did not go before;
    yield whether this user may. What it starts meanwhile does so as well.
    """
    before = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, before + by)
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)
