"""What a staging environment can do by the scripts of its file. Where there is none, it cannot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rollback_drill.ground.errors import StageError, UsageError
from rollback_drill.stage.file import Staging
from rollback_drill.stage.host import Host, look

_SCRIPT_LIMIT_S = 120.0
_LOOK_LIMIT_S = 10.0
_RSS = "awk '/^VmRSS/ {print $2 * 1024}' \"/proc/$(%s)/status\""

# The least of what the service's control groups and the machine itself allow.
_MEMORY_LIMIT = """
pid=$(%s)
limit=$(($(awk '/^MemTotal/ {print $2}' /proc/meminfo) * 1024))
group="/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")"
group=${group%%/}
least() {
  if [ -r "$1" ]; then
    read -r own < "$1"
    if [ "$own" != max ] && [ "$own" -lt "$limit" ]; then limit=$own; fi
  fi
}
least /sys/fs/cgroup/memory/memory.limit_in_bytes
while least "$group/memory.max"; [ "$group" != /sys/fs/cgroup ]; do group=${group%%/*}; done
echo "$limit"
"""


class Scripts:
    """The scripts of `staging`, run on its hosts."""

    def __init__(self, staging: Staging, hosts: Sequence[Host]) -> None:
        self._staging, self._hosts = staging, hosts

    def __contains__(self, name: str) -> bool:
        return name in self._staging.scripts

    def run(self, name: str, what: str, **variables: str) -> None:
        """Run a script on every host. Raises UsageError where there is none to do `what`."""
        script = self._staging.scripts.get(name)
        if script is None:
            raise UsageError(
                f"a way to {what} on {self._staging.name}",
                f"no [scripts] {name} in {self._staging.path}",
                "write that script, or choose a fault that does without",
            )
        for host in self._hosts:
            done = host.run(script, limit_s=_SCRIPT_LIMIT_S, environment=variables)
            if not done.ok:
                words = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
                raise StageError(
                    f"[scripts] {name} to succeed on {host.name}", words[-1], "mend that script"
                )

    def numbers(
        self, name: str, around: str = "%s", least: int = 1, *, needed: bool = False
    ) -> dict[str, int]:
        """Return what a script, with more `around` it, prints, by host, where that is a number of
        at least `least`; nothing without that script.

        A host that does not answer is left out; where the numbers are `needed`, StageError is
        raised: that there is none was not seen.
        """
        script = self._staging.scripts.get(name)
        if not script:
            return {}
        found = {}
        for host in self._hosts:
            try:
                asked = look(host, around % script.strip(), limit_s=_LOOK_LIMIT_S)
                found[host.name] = int(asked.stdout.strip())
            except ValueError:
                continue
            except StageError:
                if needed:
                    raise
        return {name: number for name, number in found.items() if number >= least}


class _Scripted:
    """An ability: there when its script is."""

    script = ""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def __bool__(self) -> bool:
        return self.script in self._scripts


class ScriptedProcess(_Scripted):
    """See stage.model.Process."""

    script = "pid"

    def pids(self) -> dict[str, int]:
        """See Process.pids."""
        return self._scripts.numbers("pid", needed=True)

    def rss_bytes(self) -> dict[str, int]:
        """See Process.rss_bytes."""
        return self._scripts.numbers("pid", _RSS)

    def memory_limits(self) -> dict[str, int]:
        """See Process.memory_limits."""
        return self._scripts.numbers("pid", _MEMORY_LIMIT)


class ScriptedDefects(_Scripted):
    """See stage.model.Defects."""

    script = "defects"

    def set_defects(self, defects: Mapping[str, object]) -> None:
        """See Defects.set_defects."""
        self._scripts.run("defects", "switch defects on", DEFECTS=json.dumps(dict(defects)))


class ScriptedNetwork(_Scripted):
    """See stage.model.Network."""

    script = "slow_network"

    def slow_network(self, delay_s: float) -> None:
        """See Network.slow_network."""
        self._scripts.run("slow_network", "slow its network down", DELAY_S=f"{delay_s:g}")


class NoDatabase:
    """See stage.model.Database: its file names none, which is said whatever it is asked."""

    def __init__(self, staging: Staging) -> None:
        self._staging = staging

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        raise StageError(
            "a database", f"none in {self._staging.path}", "give [database] dsn_from there"
        )
