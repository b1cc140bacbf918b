"""A neighbour on the host whose command line looks like the service's, and a stale pid file."""

from __future__ import annotations

from rollback_drill.breaks.hazard import hazard
from rollback_drill.ground.errors import StageError
from rollback_drill.stage.host import Host, look
from rollback_drill.stage.model import Stage

_LIMIT_S = 30.0
_PID_FILE = '"$APP_DIR/hostaway-mcp.pid"'
# Of the same deployment, by the same interpreter; SIGHUP and SIGTERM end it, as most programs, also
# where the drill itself was started so that it outlives its terminal.
_START = f"""
setsid env --default-signal=HUP,TERM \\
  "$APP_DIR/.venv/bin/python" -c 'import time; time.sleep(3600)' -m hostaway_mcp.report \\
  < /dev/null > /dev/null 2>&1 &
echo $! > {_PID_FILE}
cat {_PID_FILE}
"""
_LOOK = """
tr '\\0' ' ' < /proc/{pid}/cmdline 2>/dev/null | grep -c hostaway_mcp.report > /dev/null \\
  && echo lives || echo gone
"""


@hazard
class NeighbourProcess:
    """Signals must reach the process that the supervisor started, and no other.

    Who signals by a pattern, or by the pid file that an earlier process left, hits the neighbour.
    """

    name = "neighbour-process"
    step = ""
    needs = ()
    mastered = True

    def __init__(self) -> None:
        self._pids: dict[str, int] = {}
        self._told = ""
        self.harm = ""

    def arm(self, stage: Stage) -> str:
        """See Hazard.arm."""
        for host in stage.hosts:
            done = host.run(_START, limit_s=_LIMIT_S)
            if not done.ok or not done.stdout.strip().isdecimal():
                found = done.stderr.strip()[-200:] or done.stdout[-200:]
                raise StageError("the hazard to be made", found, "see the stage")
            self._pids[host.name] = int(done.stdout)
        return (
            "a report of the same deployment runs beside the service, and its process id stands in "
            "a stale pid file"
        )

    def disarm(self, stage: Stage) -> str:
        """See Hazard.disarm. Who was killed with the drill that armed it is found by the file."""
        gone = []
        for host in stage.hosts:
            armed = host.name in self._pids
            pid = self._pids.pop(host.name, 0) or self._noted(host)
            lives = pid and look(host, _LOOK.format(pid=pid), limit_s=_LIMIT_S).stdout == "lives"
            if lives:
                host.run(f"kill -KILL {pid} || true", limit_s=_LIMIT_S)
            if armed:
                self._told = "the neighbour lived on"
                gone += [] if lives else [host.name]
            host.run(f"rm -f {_PID_FILE}", limit_s=_LIMIT_S)
        if gone:
            self.harm = f"it ended another process than the service on {', '.join(gone)}"
            self._told = "the neighbour was gone"
        return self._told

    def _noted(self, host: Host) -> int:
        """Return the process id that the stale file has, 0 without one."""
        noted = look(host, f"cat {_PID_FILE} 2>/dev/null || true", limit_s=_LIMIT_S).stdout.strip()
        return int(noted) if noted.isdecimal() else 0
