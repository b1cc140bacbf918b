"""The session in which a script runs on a host, and what it tells of its beginning and its end.

Everything goes over standard input: no word of a script, and no value of a variable, stands in any
list of processes, where the script's own `pgrep -f` would find it and its `pkill -f` would end it.
All that can be seen is `bash`, twice: the outer one leads the session and tells how the inner one,
which is the script's, ended. The script itself has nothing on its standard input.

A mark is a line of its own kind in the stream (see stage.output), signed with a token that is made
for each run. An output without its end mark was not observed, whatever else the way there says.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from rollback_drill.ground.errors import StageError

# Stays for a signal that is sent to all of the session, so that it can tell how the script ended.
_OUTER = (
    "{ IFS= read -r -d '' __drill || { echo 'the script did not arrive whole' >&2; exit 1; }; "
    "trap : HUP INT QUIT TERM; @FILE@ONE"
    "printf '\\036%s begun %s %s\\n' @TOKEN $$ \"$HOSTNAME $__one\"; "
    "printf '\\036%s begun here\\n' @TOKEN >&2; "
    # What this shell itself would say of a script that was killed is no output of it.
    "{ printf '%s\\0' \"$__drill\" | bash 2>&3 3>&-; __drill=$?; } 3>&2 2>/dev/null; @REMOVE"
    "printf '\\036%s ended %s\\n' @TOKEN $__drill; "
    "printf '\\036%s ended %s\\n' @TOKEN $__drill >&2; exit 0; }\n"
)
# Where the end comes first, a second file tells it not to begin.
_FILE = "echo $$ > @MARK; [ ! -e @MARK.over ] || { rm -f @MARK @MARK.over; exit 1; }; "
# When process 1 was made: another one there means another container, or a machine that was
# started again.
_ONE = "{ read -r __one < /proc/1/stat; } 2>/dev/null; set -- ${__one##*) }; __one=${20-}; set --; "
_INNER = "IFS= read -r -d '' __drill; @SETTINGeval \"unset __drill; $__drill\" < /dev/null\n"
# Defines `end_session`, which ends the session of a mark with all that is in it.
ENDING = """
end_session() {
  if [ ! -e "$1" ]; then
    : > "$1.over"
    ( sleep 5; rm -f "$1.over" ) > /dev/null 2>&1 &
  fi
  session=$(cat "$1" 2>/dev/null)
  [ -n "$session" ] || return 0
  for signal in TERM KILL; do
    pkill -$signal -s "$session" || break
    for _ in 1 2 3 4 5; do pgrep -s "$session" >/dev/null || break 2; sleep 0.1; done
  done
  rm -f "$1"
}
"""
# Says whether a session whose end nobody was told goes on, was killed (its file is still there),
# or ended by itself; and which process 1 there is now.
_LOOK = (
    "state=over; if [ -e @MARK ]; then "
    'state=killed; if kill -0 "$(cat @MARK)" 2>/dev/null; then state=goes-on; '
    "else rm -f @MARK; fi; fi; " + _ONE + 'echo "$state $HOSTNAME $__one"\n'
)


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a script. `mark`: the path of the file on the host that has the session's id, by
    which all of it can be ended; "" where the caller has other means.
    """

    token: str
    mark: str = ""

    def program(
        self, script: str, environment: Mapping[str, str] | None = None, directory: str = ""
    ) -> bytes:
        """Return what a `bash` on the host must read: it runs `script` under strict error handling
        with the variables of `environment`, in `directory`. Where the session has a mark, the shell
        becomes a session of its own first. Raises StageError for what no shell can read.
        """
        setting = "".join(
            f"export {name}={_quoted(value)}; " for name, value in (environment or {}).items()
        )
        if directory:
            setting += f"cd {_quoted(directory)} || exit 1; "
        text = _INNER.replace("@SETTING", setting) + strict(script)
        if "\0" in text:
            raise StageError("a script without NUL bytes", "one with them", "take them out")
        outer = _OUTER.replace("@FILE", _FILE if self.mark else "")
        outer = outer.replace("@ONE", _ONE if self.mark else "__one=; ")
        outer = outer.replace("@REMOVE", "rm -f @MARK; " if self.mark else "")
        outer = outer.replace("@TOKEN", self.token).replace("@MARK", self.mark)
        apart = "exec setsid --wait bash\n" if self.mark else ""
        return f"{apart}{outer}{text}\0".encode(errors="surrogateescape")

    def look(self) -> str:
        """Return the script that says what became of the session, where its end was not told: one
        line of the state ("killed", "goes-on", "over") and of what `begun` said after the id.
        """
        return _LOOK.replace("@MARK", self.mark)


def new_session(folder: str = "") -> Session:
    """Return a session whose mark is in `folder` of the host, by a name that nobody can guess."""
    mark = f"{folder}/.drill-{secrets.token_hex(16)}" if folder else ""
    return Session(secrets.token_hex(16), mark)


def strict(script: str) -> str:
    """Return `script` with strict error handling in front, so that no failure goes unnoticed."""
    return "set -euo pipefail\n" + script


def ending(*marks: str) -> str:
    """Return the script that ends the sessions of these marks, all at once, with all that is in
    them: an abort must not wait for each in turn.
    """
    return ENDING + "".join(f"end_session {shlex.quote(mark)} &\n" for mark in marks) + "wait\n"


def _quoted(value: str) -> str:
    """Return `value` for a shell, without a line end: the script's lines are counted."""
    if "\n" not in value:
        return shlex.quote(value)
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"$'{escaped}'"
