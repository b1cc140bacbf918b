"""Ends a command that is proven never to return, before all of its step's budget has gone by.

Waiting for it shows nothing more, and what only waits is a wait, which pace shortens. Proven is:
the script reads so that it comes to `tail -f` and its like, which nothing but a signal ends, with
nothing beside it that could send one; and what its shell runs now is that program, by the words
that the kernel has, and nothing else comes or goes while it is looked at. A command that is less
than that gets all that its budget leaves it.
"""

from __future__ import annotations

import contextlib
import functools
import secrets
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from rollback_drill.ground import clock
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError
from rollback_drill.record.watched import Watched
from rollback_drill.runbook.rules.endless import is_ended, is_endless
from rollback_drill.runbook.shell import Command, read_script
from rollback_drill.stage.host import Completed, Host, look

__all__ = ["Patience", "Runs", "comes_to_no_end", "stuck_at"]

_FOR_EVER = frozenset({"tail", "watch", "top", "journalctl", "vmstat", "sleep", "yes"})
"""What nothing ends from without, as a container ends `docker logs -f`."""
_MAY_END_IT = frozenset({"trap", "coproc", "bg", "kill", "pkill", "killall", "bash", "sh"})
_SHELL = ("bash",)  # as those of a session stand in the list, see stage.session
_LEAST_S = 5.0
_LOOK_S = 1.0
_LOOK_LIMIT_S = 5.0
_END_S = 30.0
_MARK = "ROLLBACK_DRILL_COMMAND"
_LOOK = r"""
for one in $(grep -lzxsF '@MARK' /proc/[0-9]*/environ || true); do
  folder="${one%/environ}"
  { read -r stat < "$folder/stat"; words="$(tr '\0\n' '\037 ' < "$folder/cmdline")"; } 2>/dev/null \
    || continue
  stat="${stat##*) }"; stat="${stat#* }"
  printf '%s\037%s\037%s\n' "${folder#/proc/}" "${stat%% *}" "$words"
done
"""


@dataclass(frozen=True, slots=True)
class Runs:
    """A program that a script runs now: its id, its parent's, and its words as the kernel has
    them.
    """

    pid: int
    parent: int
    words: tuple[str, ...]


@functools.lru_cache(maxsize=256)  # the same script is read at each of its runs
def comes_to_no_end(text: str) -> bool:
    """Whether the script `text` comes to a command that never returns, and nothing in it could end
    that one.
    """
    script = read_script(text)
    found = [one for one in script.commands if is_endless(one)]
    beside = (*script.commands, *script.carriers)
    return (
        bool(found)
        and not script.unread
        and all(_stands_alone(one) for one in found)
        and not any(one.context.background or one.context.aside for one in beside)
        and not any(_MAY_END_IT & {one.name, *one.context.wrappers} for one in beside)
    )


def _stands_alone(command: Command) -> bool:
    around = command.context
    return (
        command.name in _FOR_EVER
        and not (around.wrappers or is_ended(around))
        and not command.is_fed
    )


def stuck_at(running: Sequence[Runs]) -> Runs | None:
    """Return the program among those that a script runs now which never returns, None without."""
    others = {one.pid for one in running if one.words != _SHELL}
    for one in running:
        commands = read_script(shlex.join(one.words)).commands if one.words else ()
        if (
            len(commands) == 1
            and commands[0].name in _FOR_EVER
            and is_endless(commands[0])
            and one.parent not in others  # else what runs it may end it
        ):
            return one
    return None


class Patience:
    """How long `script` may run on `host` when it is proven never to return: so long as pace makes
    of the `limit_s` seconds that it has, at least five. Use as a context manager around its run.
    """

    def __init__(self, host: Host, script: str, limit_s: float, pace: float) -> None:
        self._host = host
        self._limit_s = limit_s
        self._patience_s = max(_LEAST_S, limit_s / pace)
        self._over = clock.signal()
        self._why = ""
        self._thread: Watched | None = None
        self.marks: Mapping[str, str] = {}
        """Variables for the script, by which what it runs is told from all else on its host."""
        if self._patience_s < limit_s and comes_to_no_end(script):
            self.marks = {_MARK: secrets.token_hex(16)}
            self._thread = Watched(f"patience on {host.name}", self._watch, over=self._over)

    def __enter__(self) -> Self:
        if self._thread:
            self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        if self._thread:
            self._thread.end(_END_S)

    def told(self, done: Completed) -> Completed:
        """Return what the script left, with what ended it when that was this."""
        ended = self._why and done.exit_status is not None  # else it came to its limit all the same
        return replace(done, exit_status=None, why=self._why) if ended else done

    def _watch(self) -> None:
        same: list[Runs] = []
        since = 0.0
        while not self._over.wait(_LOOK_S):
            running = self._running()
            stuck = stuck_at(running)
            if stuck is None or running != same:
                same, since = running, now()
            elif now() - since >= self._patience_s:
                self._end(stuck)
                return

    def _running(self) -> list[Runs]:
        """Return what the script runs now; nothing where nobody can tell."""
        ((name, token),) = self.marks.items()
        with contextlib.suppress(StageError):
            script = _LOOK.replace("@MARK", f"{name}={token}")
            lines = look(self._host, script, limit_s=_LOOK_LIMIT_S).stdout.splitlines()
            runs = [process_of(line) for line in lines]
            return [one for one in runs if one] if all(runs) else []
        return []

    def _end(self, stuck: Runs) -> None:
        # By a signal of which no shell says a word: to the script it failed, which ends that one.
        self._why = (
            f"{shlex.join(stuck.words)!r} never returns by itself, and nothing else of it ran; "
            f"after {self._limit_s:.0f} s its budget would have been used up"
        )
        with contextlib.suppress(StageError):
            if look(self._host, f"kill -PIPE {stuck.pid}", limit_s=_LOOK_LIMIT_S).ok:
                return
        self._why = ""  # it is over, or goes on to its limit


def process_of(line: str) -> Runs | None:
    """Return the process of a line of the look, None for a line that the look has not written."""
    pid, _, rest = line.partition("\037")
    parent, *words = rest.split("\037")
    if not all(one.isascii() and one.isdigit() for one in (pid, parent)):
        return None
    return Runs(int(pid), int(parent), tuple(words[:-1]))
