"""The model of a shell: statements of the project's own runbook, and scripts of the suite's checks.

A script is a sequence of statements, each of which is known by a pattern as a whole. What is not
known ends with 127, as a command that is not there.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rollback_drill.ground import clock
from rollback_drill.ground.clock import iso
from rollback_drill.stage.host import Completed
from rollback_drill.stage.output import OnLine
from rollback_drill.subject.hostaway.recipe import FAILING, RECIPE, STABLE
from rollback_drill.subject.hostaway.simulated.computer import RELEASED, Computer
from rollback_drill.subject.hostaway.simulated.shell_database import STATEMENTS, WHOLE

_SEEN = re.compile(r"^see (?P<path>\S+) (?P<start>\d+) .*; echo \.$", re.MULTILINE)
PRINTED = "service.err"
"""Name of the file in which stands what the service prints."""
_BEGIN_S = 0.006  # of any script
_HEREDOC = re.compile(r'cat > "(?P<path>[^"]+)" <<MESSAGE\n(?P<text>.*?)\nMESSAGE$', re.DOTALL)
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")


class Ended(Exception):
    """A script came to its end before its last statement."""

    def __init__(self, status: int | None) -> None:
        self.status = status


@dataclass(slots=True)
class Shell:
    """One script that runs on `computer`. `ask` is how it reaches the service: the status and the
    text that a URL is answered.
    """

    computer: Computer
    environment: dict[str, str]
    ask: Callable[[str, bool], tuple[int, str]]
    on_line: OnLine | None
    ends_at: float
    folder: str = ""  # in which it works, "" for the deployment's
    at_end: str = ""  # the variable with the name of a database to be dropped
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)

    def run(self, script: str) -> Completed:
        """Run a script to its end or to its limit."""
        began = clock.now()
        status: int | None = 0
        try:
            self.takes(_BEGIN_S)
            for statement in _statements(script):
                self._do(statement)
        except Ended as ended:
            status = ended.status
        if self.at_end:
            self.computer.database.others.pop(self.environment[self.at_end], None)
        return Completed(status, _text(self.out), _text(self.err), clock.now() - began)

    def takes(self, seconds: float) -> None:
        """Let a command take so long; end the script at its limit."""
        left = self.ends_at - clock.now()
        took = seconds * self.computer.circumstances.slowness
        clock.sleep(min(took, max(0.0, left)))
        if took > left:
            raise Ended(None)

    def say(self, text: str) -> None:
        """Print a line."""
        self.out.append(text)
        if self.on_line:
            self.on_line("stdout", text)

    def fail(self, why: str, status: int = 1) -> None:
        """End with an error."""
        self.err.append(why)
        if self.on_line:
            self.on_line("stderr", why)
        raise Ended(status)

    def filled(self, text: str) -> str:
        """Return `text` with its variables."""
        return _VARIABLE.sub(lambda found: self.environment.get(found[1], ""), text)

    def path(self, text: str) -> str:
        """Return where a file is that is named so, with its variables."""
        name = self.filled(text)
        where = self.folder or self.environment["APP_DIR"]
        return name if name.startswith("/") else f"{where}/{name}"

    def _do(self, statement: str) -> None:
        for pattern, do in _KNOWN:
            found = pattern.search(statement)
            if found:
                do(self, found)
                return
        self.fail(f"the simulated host does not know: {statement[:80]}", 127)


def _text(lines: list[str]) -> str:
    return "\n".join(lines)


_WHOLE = re.compile(
    r"^\s*(?:set \+o pipefail|tell\(\)|told\(\)"
    r"|.*exec 3< |cd \"\$EVIDENCE_DIR\"\nage_s=|found=\"HEAD"
    r"|git ls-remote|uv sync --check|cd \"\$\(git -C |echo '# by hand'"
    r"|read -r up _ |git tag --points-at|grep -H -n|git describe|cd -P \. && at=/proc"
    r"|\.venv/bin/alembic heads"
    r"|\.venv/bin/python - |\.venv/bin/python -m compileall -q hostaway_mcp\n\.venv|kept="
    r"|mkdir -p \"\$EVIDENCE_DIR\"" + WHOLE + ")"
)
_OPENS = re.compile(r"^(?:for|if|while) .*(?:do|then)$")


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script: of the suite's own scripts all at once."""
    if _WHOLE.search(script.lstrip("\n")):
        yield script.strip()
        return
    lines = iter(re.sub(r"\\\n\s*", "", script).strip().split("\n"))
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        if line.endswith("<<MESSAGE"):
            parts = [line]
            while parts[-1] != "MESSAGE":
                parts.append(next(lines))
            yield "\n".join(parts)
        elif _OPENS.match(line):
            parts = [line]
            while parts[-1] not in ("done", "fi"):
                parts.append(next(lines))
            yield "\n".join(parts)
        else:
            yield line


# Statements of the runbook.


def _write(shell: Shell, found: re.Match[str]) -> None:
    path = shell.filled(found["path"])
    if "lost-message" in shell.computer.circumstances.plants and "slack-" in path:
        return
    shell.computer.write(path, shell.filled(found["text"]) + "\n")


def _copy(shell: Shell, found: re.Match[str]) -> None:
    text = shell.computer.read(shell.filled(found[1]))
    if text is None and "lost-message" in shell.computer.circumstances.plants:
        return
    if text is None:
        shell.fail(f"cp: cannot stat '{found[1]}'")
        return
    shell.computer.write(shell.filled(found[2]), text)


def _echo_to(shell: Shell, found: re.Match[str]) -> None:
    shell.computer.write(shell.filled(found["path"]), shell.filled(found["text"]) + "\n")


def _evidence(shell: Shell, found: re.Match[str]) -> None:
    del found
    shell.takes(0.03)
    folder = shell.environment["EVIDENCE_DIR"]
    for page in ("health", "metrics"):
        status, text = shell.ask(f"{shell.environment['SERVICE_URL']}/{page}", False)
        shell.computer.write(f"{folder}/{page}.txt", text or f"no answer from /{page}: {status}")
    log = shell.computer.lines[-500:]
    errors = [line for line in log if '"ERROR"' in line or '"WARNING"' in line]
    shell.computer.write(f"{folder}/application.log", "".join(log) or "nothing")
    kept = "".join(errors) or "no error among the last 500 lines\n"
    shell.computer.write(f"{folder}/example-errors.log", kept)
    shell.computer.tags[f"before-rollback-{int(clock.now())}"] = shell.computer.head
    plants, database = shell.computer.circumstances.plants, shell.computer.database
    if "prepared-away" in plants:
        database.remove_old()
    if "prepared-writes-away" in plants:
        for row in list(database.reservations.values())[-12:]:
            database.remove(row)


def _in_maintenance(shell: Shell, found: re.Match[str]) -> None:
    del found
    shell.computer.write(shell.environment["MAINTENANCE_FILE"], "maintenance\n")


def _out_of_maintenance(shell: Shell, found: re.Match[str]) -> None:
    del found
    shell.computer.files.pop(shell.environment["MAINTENANCE_FILE"], None)


def _until(shell: Shell, found: re.Match[str]) -> None:
    """Ask again and again until the answer is the one that is waited for."""
    ends = clock.now() + float(found["limit"])
    while True:
        status, text = shell.ask(shell.filled(found["url"]), True)
        if "= 503" in found.string:
            good = status == 503
        else:
            good = status == 200 and ("grep" not in found.string or '"listings"' in text)
        if good:
            return
        if clock.now() >= ends:
            shell.fail("", 124)
        shell.takes(0.2)


def _tags(shell: Shell, found: re.Match[str]) -> None:
    del found
    for tag in (FAILING, "v0.1.0-rc1", STABLE):
        shell.say(f"{tag} {iso(RELEASED[tag])[:10]}")


def _check_out(shell: Shell, found: re.Match[str]) -> None:
    shell.takes(0.03)
    tag = found["tag"]
    if tag not in shell.computer.tags:
        shell.fail(f"fatal: 'tags/{tag}' is not a commit", 128)
    shell.computer.check_out(tag)


def _sync(shell: Shell, found: re.Match[str]) -> None:
    del found
    shell.takes(0.12)
    if "half-installed" not in shell.computer.circumstances.plants:
        shell.computer.installed = shell.computer.head


def _restart(shell: Shell, found: re.Match[str]) -> None:
    del found
    serves = shell.computer.restart()
    shell.takes(max(0.0, serves - clock.now()) / shell.computer.circumstances.slowness)
    shell.say("hostaway-mcp: started")


def _hang_up(shell: Shell, found: re.Match[str]) -> None:
    del found
    shell.takes(0.1)
    shell.computer.reload()
    shell.say("hostaway-mcp: signalled")


def _edit(shell: Shell, found: re.Match[str]) -> None:
    del found
    path = shell.environment["CONFIG_FILE"]
    text = shell.computer.read(path) or ""
    text = re.sub(r"^( +pagination_enabled:).*", r"\1 false", text, flags=re.MULTILINE)
    text = re.sub(r"^( +output_token_threshold:).*", r"\1 10000", text, flags=re.MULTILINE)
    shell.computer.write(path, text)


def _get(shell: Shell, found: re.Match[str]) -> None:
    status, text = shell.ask(shell.filled(found["url"]), "X-API-Key" in found.string)
    if not 200 <= status < 300:
        shell.fail(f"curl: (22) The requested URL returned error: {status}", 22)
    if "grep -cE" in found.string and not re.search(r'"(?:listings|items)"', text):
        shell.say("0")
        raise Ended(1)
    shell.say("1" if "grep -cE" in found.string else text.strip()[:200])


def _tail(shell: Shell, found: re.Match[str]) -> None:
    for line in shell.computer.lines[-int(found[1]) :]:
        shell.say(line.strip())


def _count_errors(shell: Shell, found: re.Match[str]) -> None:
    count = sum("ERROR" in line for line in shell.computer.lines[-int(found[1]) :])
    shell.say(str(count) if count else "0\nno error among the last 100 lines")


def _mark(shell: Shell, found: re.Match[str]) -> None:
    del found
    shell.takes(0.04)
    if "no-tag" not in shell.computer.circumstances.plants:
        name = f"rollback-pagination-{int(clock.now())}"
        shell.computer.tags[name] = shell.computer.head
        shell.computer.origin[name] = shell.computer.head


def _nothing(shell: Shell, found: re.Match[str]) -> None:
    del found
    shell.takes(0.003)


# Scripts of the suite.


def _look_at_log(shell: Shell, found: re.Match[str]) -> None:
    ahead = clock.now() + shell.computer.circumstances.ahead_s
    for number, one in enumerate(_SEEN.finditer(found.string), 77):
        start = int(one["start"])
        printed = one["path"].endswith(PRINTED)
        text = "".join(shell.computer.printed if printed else shell.computer.lines).encode()
        start = start if len(text) >= start else 0
        shell.out.append(f"yes: {number} {len(text)} {start} {ahead:.6f}")
        shell.out += [base64.b64encode(text[start:]).decode(), "."]


def _messages(shell: Shell, found: re.Match[str]) -> None:
    del found
    page = shell.environment["STATUS_PAGE"]
    told = shell.computer.inside(shell.environment["OUTBOX"])
    if page in shell.computer.files:
        told = {"status-page": shell.computer.files[page]} | told
    for name, (at, text) in told.items():
        shell.out.append(f"== {int(at)} {name}")
        shell.out.append(base64.b64encode(text.encode()).decode())


def _surroundings(shell: Shell, found: re.Match[str]) -> None:
    """What `effects.looking` asks for, of the little that the model has."""
    del found
    computer, environment = shell.computer, shell.environment
    released = (RECIPE.layers / computer.head / "config.yaml").read_bytes()
    config = (computer.read(environment["CONFIG_FILE"]) or "").encode()
    folders = environment["BACKUP_DIR"], environment["SECURE_STORAGE"]
    told = {
        "self": "",
        "config": base64.b64encode(config).decode(),
        "head": computer.head,
        "where": "config.yaml",
        "committed": base64.b64encode(released).decode(),
        "tree": " M app.py" if computer.changed else "",
        "files": "\n".join(
            f"{len(text)} {at} 644 {path}"
            for path, (at, text) in sorted(computer.files.items())
            if path.startswith(folders)
        ),
        "crontab": "",
        "processes": "1 (init) S 0 1 1" + " 0" * 15 + " 1",
        "balancer": "",
        "end": "",
    }
    for name, text in told.items():
        shell.out.append(f"== {name}\n{text}")


def _state(shell: Shell, found: re.Match[str]) -> None:
    shell.say(shell.computer.head)
    short = "echo in ||" in found.string
    inside = ("in", "out") if short else ("in maintenance", "not in maintenance")
    shell.say(inside[not shell.computer.maintenance])


def _is_stable(shell: Shell, found: re.Match[str]) -> None:
    del found
    computer = shell.computer
    shell.say(f"{STABLE} is of {iso(RELEASED[STABLE])[:10]}")
    if computer.head == STABLE:
        shell.say(f"HEAD is {computer.head}, no newer than it")
        raise Ended(1)


def _marked(shell: Shell, found: re.Match[str]) -> None:
    del found
    computer = shell.computer
    names = [
        name
        for name, marks in computer.origin.items()
        if marks == computer.head and name not in (FAILING, STABLE)
    ]
    for name in names:
        shell.say(name)
    if not names:
        shell.say("no tag of the origin marks what runs now")
        raise Ended(1)


def _tagged(shell: Shell, found: re.Match[str]) -> None:
    del found
    computer = shell.computer
    names = [t for t, marks in computer.tags.items() if marks == computer.head and t != FAILING]
    for name in names:
        shell.say(name)
    if not names:
        shell.say(f"no tag but the release itself points at HEAD, {computer.head}")
        raise Ended(1)


def _in_changelog(shell: Shell, found: re.Match[str]) -> None:
    text = (RECIPE.layers / shell.computer.head / "CHANGELOG.md").read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#") and STABLE in line:
            shell.say(
                f"CHANGELOG.md:{number}:{line}" if "-H" in found.string else f"{number}:{line}"
            )
            return
    shell.fail("CHANGELOG.md has no entry for it")


def _is_checked_out(shell: Shell, found: re.Match[str]) -> None:
    tag = re.search(r"rev-parse '([^'^]+)", found.string)
    changed = "changed: M app.py" if shell.computer.changed else "nothing changed"
    shell.say(f"HEAD is {shell.computer.head}, {changed}")
    if not tag or shell.computer.head != tag[1] or shell.computer.changed:
        raise Ended(1)


def _is_synced(shell: Shell, found: re.Match[str]) -> None:
    del found
    shell.takes(0.1)
    if shell.computer.installed != shell.computer.head:
        shell.say("The environment is outdated; run `uv sync` to update the environment")
        raise Ended(1)
    shell.say("Would make no changes")


def _compiles(shell: Shell, found: re.Match[str]) -> None:
    del found
    shell.takes(0.5)
    shell.say("all modules compile, hostaway_mcp.app imports")


def _is_documented(shell: Shell, found: re.Match[str]) -> None:
    del found
    kept = shell.computer.inside(shell.environment["EVIDENCE_DIR"])
    for name in ("health.txt", "metrics.txt", "application.log", "example-errors.log"):
        if not kept.get(name, (0.0, ""))[1]:
            shell.say(f"{name} is missing or empty")
            raise Ended(1)
    if '"ERROR"' in kept["application.log"][1] and '"ERROR"' not in kept["example-errors.log"][1]:
        shell.say("example-errors.log has none of the log's errors")
        raise Ended(1)
    shell.say(f"{sum(t.count(chr(10)) for _, t in kept.values())} lines in {len(kept)} files")


def _command_line(shell: Shell, found: re.Match[str]) -> None:
    shell.say(f"{shell.environment['APP_DIR']}/.venv/bin/python -m hostaway_mcp")
    if shell.computer.service is None or found["pid"] != str(shell.computer.service.pid):
        raise Ended(1)


def _age(shell: Shell, found: re.Match[str]) -> None:
    one = shell.computer.service
    if one is None or found["pid"] != str(one.pid):
        raise Ended(1)
    shell.say(f"{clock.now() - one.began_at:.2f}")


def _is_configured(shell: Shell, found: re.Match[str]) -> None:
    del found
    shell.takes(0.1)
    shell.say(f"pagination_enabled is {str(shell.computer.paginated).lower()}")
    if shell.computer.paginated:
        raise Ended(1)


def _dirty(shell: Shell, found: re.Match[str]) -> None:
    del found
    shell.computer.changed = True


def _untagged(shell: Shell, found: re.Match[str]) -> None:
    shell.computer.origin.pop(found["tag"], None)
    shell.computer.tags.pop(found["tag"], None)


def _tagged_again(shell: Shell, found: re.Match[str]) -> None:
    del found
    shell.computer.origin[STABLE] = shell.computer.tags[STABLE] = STABLE


_KNOWN: list[tuple[re.Pattern[str], Callable[[Shell, re.Match[str]], None]]] = [
    (re.compile(pattern, re.DOTALL), do)
    for pattern, do in (
        # The suite's own.
        (r"exec 3< \"\$log\"", _look_at_log),
        (r"^tell\(\) ", _messages),
        (r"^told\(\) ", _surroundings),
        (r"^git describe --tags --always 2>/dev/null", _state),
        (r"^git ls-remote --exit-code --tags origin", _is_stable),
        (r"^git ls-remote --tags origin \| grep", _marked),
        (r"^git tag --points-at HEAD", _tagged),
        (r"^grep -H -n -m1", _in_changelog),
        (r"^found=\"HEAD is ", _is_checked_out),
        (r"^uv sync --check", _is_synced),
        (r"^\.venv/bin/python -m compileall -q hostaway_mcp\n", _compiles),
        (r"^cd \"\$EVIDENCE_DIR\"\nage_s=", _is_documented),
        (r"^cd -P \. && at=/proc/(?P<pid>\d+)\n", _command_line),
        (r"^read -r up _ < /proc/uptime\n.*/proc/(?P<pid>\d+)/stat", _age),
        (r"^\.venv/bin/python - \"\$CONFIG_FILE\".*pagination_enabled", _is_configured),
        # Hazards.
        (r"^echo '# by hand' >> config\.yaml", _dirty),
        (r"git update-ref refs/kept-by-the-drill", _nothing),
        (r"git update-ref -d refs/tags/(?P<tag>\S+)$", _untagged),
        (r"^git tag -d (?P<tag>\S+) \|\| true$", _untagged),
        (r"git rev-parse -q --verify refs/kept-by-the-drill", _tagged_again),
        (r"^rm -f notes\.txt$", _nothing),
        *STATEMENTS,
        # The runbook's.
        (r"^mkdir -p \"\$EVIDENCE_DIR\"\nfor page", _evidence),
        (_HEREDOC.pattern, _write),
        (r"^cp \"([^\"]+)\" \"([^\"]+)\"$", _copy),
        (r"^echo maintenance > \"\$MAINTENANCE_FILE\"$", _in_maintenance),
        (r"^rm -f \"\$MAINTENANCE_FILE\"$", _out_of_maintenance),
        (r"^echo \"(?P<text>[^\"]+)\" > \"(?P<path>[^\"]+)\"$", _echo_to),
        (r"^timeout (?P<limit>\d+) bash -c 'until .*?\"(?P<url>\$\w+_URL[^\"]*)\".*done'$", _until),
        (r"^git for-each-ref", _tags),
        (r"^grep -n -m1 '0", _in_changelog),
        (r"^git checkout --quiet -b .* --force tags/(?P<tag>\S+)$", _check_out),
        (r"^uv sync --quiet$", _sync),
        (r"^supervisorctl .* restart hostaway-mcp$", _restart),
        (r"^supervisorctl .* signal HUP hostaway-mcp$", _hang_up),
        (r"^sed -i -E .*pagination_enabled", _edit),
        (r"^curl -fsS .*\"(?P<url>\$SERVICE_URL[^\"]*)\"", _get),
        (r"^tail -n (\d+) \"\$LOG_FILE\" \| grep -c ERROR", _count_errors),
        (r"^tail -n (\d+) \"\$LOG_FILE\"$", _tail),
        (r"^git push --quiet origin \"\$mark\"$", _mark),
        # What changes nothing that the model has.
        (r"^mkdir -p ", _nothing),
        (r"^export PGHOST=\S+ PGPORT=\S+ PGUSER=\S+$", _nothing),
        (r"^git fetch ", _nothing),
        (r"^git -c .* stash push ", _nothing),
        (r"^git -c .* tag -a \"\$mark\"", _nothing),
        (r"^git log --oneline -1$", _nothing),
        (r"^mark=", _nothing),
        (r"^timeout 10 bash -c 'while .*\.git", _nothing),
        (r"^if \[ -e \.venv\.unfinished \]; then rm -rf \.venv; fi$", _nothing),
        (r"^(?:touch|rm) \.venv\.unfinished$", _nothing),
        (r"^\.venv/bin/python -m compileall -q hostaway_mcp$", _nothing),
    )
]
