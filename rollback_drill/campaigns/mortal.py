"""The operator whose machine dies: performs commands in a process of its own, and is killed.

A script is watched by a DEBUG trap, which tells before each simple command where the script is. So
it can be cut at any of them: the script's whole session gets SIGKILL, so that no trap and no
clean-up runs, or the operator alone does, and the script goes on by itself as on a real host.
"""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rollback_drill.ground.errors import StageError
from rollback_drill.stage.host import Completed, Host

_MARK = "@cut"
_TOLD = re.compile(rf"^{_MARK} (?P<number>\d+) (?P<at>[\d.]+) (?P<line>\d+) (?P<text>.*)$")
_ALL = 1_000_000
_LIMIT_S = 300.0
_OFFSET = 2  # lines before the script's own: strict error handling, and what is below
_FACTS = {"REASON": "drill", "SEVERITY": "P0", "LEAD": "drill", "INCIDENT": "drill-1"}
# In one line, so that the script's own lines are counted easily.
_WATCH = (
    "exec {{__out}}>&2; __n=0; {killer}"
    "__at() {{ __n=$((__n + 1)); "
    "if [ $__n -le {told} ]; then "
    "printf '" + _MARK + ' %s %s %s %s\\n\' $__n $EPOCHREALTIME "$1" "${{2//$\'\\n\'/ }}" '
    ">&$__out; fi; "
    "if [ $__n -eq {cut} ]; then echo >&$__go; fi; "
    "if [ {cut} -gt 0 ] && [ $__n -gt {cut} ]; then kill -KILL 0; fi; }}; "
    'trap \'__at "$LINENO" "$BASH_COMMAND"\' DEBUG\n'
)
# It waits in a session of its own, so that it is there at once: first it ends the process group,
# then whatever else is in the session (`timeout` makes groups of its own).
_KILLER = (
    "read -r _ _ _ _ __group __session _ < /proc/$$/stat; "
    "exec {{__go}}> >(setsid --fork bash -c 'read -r _; read -r -t {after} _; "
    'kill -KILL -- -"$1"; pkill -KILL -s "$2"\' drill "$__group" "$__session" '
    "> /dev/null 2>&1); sleep 0.1; "
)


@dataclass(frozen=True, slots=True)
class Reached:
    """A script came to its simple command `number` (from 1 on, in the order in which they ran) in
    its `line` at `at` (Unix seconds).
    """

    number: int
    at: float
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A script, and the hosts on which it is run one after the other."""

    script: str
    hosts: tuple[Host, ...]


@dataclass(frozen=True, slots=True)
class _Task:
    """What to perform. `alone`: the number of the simple command at which only the operator dies,
    0 for at the end of `pieces`.
    """

    pieces: tuple[Piece, ...]
    alone: int


def watched(script: str, *, cut: int = 0, after_s: float = 0.0, told: int = _ALL) -> str:
    """Return `script`, telling before each simple command where it is, up to number `told`.

    In its simple command `cut` it is killed after `after_s` seconds, or when that has ended.
    """
    # The last line stands for the script's end, so that its last command has one.
    killer = _KILLER.format(after=f"{after_s:.3f}") if cut else ""
    return _WATCH.format(told=told, cut=cut, killer=killer) + script + "\n:"


def told_by(line: str) -> Reached | None:
    """Return what a line of a watched script's output tells, None for other output."""
    match = _TOLD.match(line)
    if not match:
        return None
    return Reached(
        int(match["number"]), float(match["at"]), int(match["line"]) - _OFFSET, match["text"]
    )


def perform_and_die(pieces: Sequence[Piece], *, alone: int = 0) -> list[Reached]:
    """Perform `pieces` in a process that gets SIGKILL at the end, or once the last of them comes to
    its simple command `alone`. Return what watched scripts told. Raises StageError when it lives.
    """
    # Hosts are handed on as they are: the operator reaches them as everybody does.
    operator = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    task = pickle.dumps(_Task(tuple(pieces), alone))
    output, errors = operator.communicate(task, timeout=_LIMIT_S)
    if operator.returncode != -signal.SIGKILL:
        words = errors.decode(errors="replace").strip().splitlines() or ["no word why"]
        raise StageError(
            "an operator who is killed",
            f"one who ended with {operator.returncode}: {words[-1]}",
            "this is a fault of the drill: report it",
        )
    found = (told_by(line) for line in output.decode(errors="replace").splitlines())
    return [one for one in found if one]


def run_piece(
    piece: Piece, tell: Callable[[str], None] = lambda _: None, limit_s: float = 180.0
) -> list[Completed]:
    """Run `piece` and call `tell` with each line of its output; return how it ended by host."""
    return [
        host.run(
            piece.script,
            limit_s=limit_s,
            environment=_FACTS,
            on_line=lambda _, text: tell(text),
        )
        for host in piece.hosts
    ]


def _operate() -> None:
    task = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one

    def tell(text: str) -> None:
        told = told_by(text)
        if told is None:
            return
        os.write(1, text.encode() + b"\n")
        if told.number == task.alone:
            os.kill(os.getpid(), signal.SIGKILL)

    for piece in task.pieces:
        run_piece(piece, tell)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _operate()
