"""Looks through what only carries another command: `sudo`, `timeout`, `ssh host '…'`, `sh -c '…'`.

Each function below returns what is inside, or None when there is nothing of the kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rollback_drill.runbook.shell.model import Args, Word, name_of

SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash"})


@dataclass(frozen=True, slots=True)
class Carried:
    """What a wrapper carries: the last `words` of its command, or the `script` of a shell of its
    own, which is `joined` of that many last words. `options`: of that shell, "eo pipefail".
    """

    words: tuple[Word, ...] = ()
    script: Word | None = None
    limited: bool = False
    background: bool = False
    fed: bool = False
    options: str = ""
    joined: int = 0


def carried(words: tuple[Word, ...]) -> Carried | None:
    """Return what the outermost wrapper in `words` carries, None when they are no wrapper."""
    name = name_of(words)
    if name in _OPERANDS:
        takes, long, operands = _OPERANDS[name]
        return _behind(words, takes, long, operands)
    special = _SPECIAL.get(name)
    return special(words) if special else None


# Letters of options that have a value, such long options, operands before the command.
_OPERANDS: dict[str, tuple[str, tuple[str, ...], int]] = {
    "doas": ("uC", (), 0),
    "nohup": ("", (), 0),
    "nice": ("n", ("adjustment",), 0),
    "ionice": ("cnpPu", ("class", "classdata"), 0),
    "chrt": ("TPD", (), 1),
    "taskset": ("", (), 1),
    "stdbuf": ("ioe", ("input", "output", "error"), 0),
    "unbuffer": ("", (), 0),
    "time": ("fo", ("format", "output"), 0),
    "builtin": ("", (), 0),
    "exec": ("a", (), 0),
    "chroot": ("", ("userspec", "groups"), 1),
    "gosu": ("", (), 1),
    "su-exec": ("", (), 1),
    "strace": ("eopsaEPuSOIb", (), 0),
    "npx": ("p", ("package",), 0),
    "pipx": ("", (), 1),
    "coproc": ("", (), 0),
}


def _rest(words: tuple[Word, ...], operands: Sequence[str]) -> tuple[Word, ...]:
    """Return the last words of `words`, as many as there are `operands`."""
    return words[len(words) - len(operands) :] if operands else ()


def _behind(
    words: tuple[Word, ...], takes: str, long: Sequence[str], skipped: int = 0
) -> Carried | None:
    arguments = Args([w.text for w in words[1:]], takes, long, first=True)
    inner = _rest(words, arguments.operands[skipped:])
    return Carried(inner, background=name_of(words) == "coproc") if inner else None


def _assigned(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """Return `words` without assignments in front."""
    while words and re.match(r"[A-Za-z_]\w*=", words[0].text):
        words = words[1:]
    return words


def _sudo(words: tuple[Word, ...]) -> Carried | None:
    long = ("user", "group", "host", "prompt", "chdir", "close-from", "role", "type", "chroot")
    arguments = Args([w.text for w in words[1:]], "ughpCDRTtUr", long, first=True)
    inner = _assigned(_rest(words, arguments.operands))
    return Carried(inner) if inner else None


def _env(words: tuple[Word, ...]) -> Carried | None:
    arguments = Args([w.text for w in words[1:]], "uCS", ("unset", "chdir"), first=True)
    split = arguments.value("S", "split-string")
    if split:
        return Carried(script=Word(split, words[0].line))
    inner = _assigned(_rest(words, arguments.operands))
    return Carried(inner) if inner else None


def _timeout(words: tuple[Word, ...]) -> Carried | None:
    arguments = Args([w.text for w in words[1:]], "ks", ("kill-after", "signal"), first=True)
    inner = _rest(words, arguments.operands[1:])
    limited = not re.fullmatch(r"0+(\.0*)?[smhd]?", (arguments.operands or ["0"])[0])
    return Carried(inner, limited=limited) if inner else None


def _command(words: tuple[Word, ...]) -> Carried | None:
    arguments = Args([w.text for w in words[1:]], first=True)
    if arguments.has("v", "V"):
        return None  # it only says where the command is
    return _behind(words, "", ())


def _setsid(words: tuple[Word, ...]) -> Carried | None:
    arguments = Args([w.text for w in words[1:]], first=True)
    inner = _rest(words, arguments.operands)
    return Carried(inner, background=arguments.has("f", "fork")) if inner else None


def _systemd_run(words: tuple[Word, ...]) -> Carried | None:
    long = ("unit", "property", "description", "slice", "uid", "gid", "setenv", "on-active")
    arguments = Args([w.text for w in words[1:]], "puEHM", long, first=True)
    inner = _rest(words, arguments.operands)
    waits = arguments.has("wait", "pty", "t", "P", "pipe", "scope", "shell")
    return Carried(inner, background=not waits) if inner else None


def _xargs(words: tuple[Word, ...]) -> Carried | None:
    long = ("max-args", "max-procs", "max-lines", "replace", "arg-file", "delimiter", "max-chars")
    arguments = Args([w.text for w in words[1:]], "aEIiLlnPsd", long, first=True)
    inner = _rest(words, arguments.operands)
    return Carried(inner, fed=True) if inner else None


def _shell(words: tuple[Word, ...]) -> Carried | None:
    # `-ec` and `-o pipefail` may stand before the script, which is the first operand.
    arguments = Args([w.text for w in words[1:]], "oO", ("rcfile", "init-file"), first=True)
    if not arguments.has("c") or not arguments.operands:
        return None
    script = _rest(words, arguments.operands)[0]
    options = "".join(f for f in arguments.flags if len(f) == 1 and f not in "oc")
    return Carried(script=script, options=f"{options} {' '.join(arguments.values.get('o', []))}")


def _eval(words: tuple[Word, ...]) -> Carried | None:
    return Carried(script=_joined(words[1:])) if words[1:] else None


def _trap(words: tuple[Word, ...]) -> Carried | None:
    asked = [word for word in words[1:] if word.text != "--"]
    if len(asked) < 2 or asked[0].text in ("", "-", "-l", "-p"):
        return None
    return Carried(script=asked[0])


def _joined(words: tuple[Word, ...]) -> Word:
    return Word(" ".join(word.text for word in words), words[0].line)


def _ssh(words: tuple[Word, ...]) -> Carried | None:
    arguments = Args([w.text for w in words[1:]], "bcDEeFIiJLlmOopQRSWwB", first=True)
    # Options may stand behind the host too, before the command.
    behind = Args(arguments.operands[1:], "bcDEeFIiJLlmOopQRSWwB", first=True)
    inner = _rest(words, behind.operands)
    if not inner:
        return None
    background = arguments.has("f") or behind.has("f")
    return Carried(script=_joined(inner), background=background, joined=len(inner))


def _su(words: tuple[Word, ...]) -> Carried | None:
    for index, word in enumerate(words[:-1]):
        if word.text in ("-c", "--command"):
            return Carried(script=words[index + 1])
    if name_of(words) == "runuser":
        return _behind(words, "ugGs", ("user", "group"))
    return None


def _flock(words: tuple[Word, ...]) -> Carried | None:
    arguments = Args([w.text for w in words[1:]], "wE", ("timeout", "wait"), first=True)
    inner = _rest(words, arguments.operands[1:])
    if inner and inner[0].text == "-c":
        return Carried(script=inner[1]) if inner[1:] else None
    return Carried(inner) if inner else None


def _find(words: tuple[Word, ...]) -> Carried | None:
    for index, word in enumerate(words):
        if word.text in ("-exec", "-execdir"):
            inner = words[index + 1 :]
            ends = [i for i, w in enumerate(inner) if w.text in (";", "+")]
            inner = inner[: ends[0]] if ends else inner
            return Carried(inner) if inner else None
    return None


_KUBECTL_GLOBALS = ("namespace", "context", "kubeconfig", "cluster", "user", "server", "token")


def _kubectl(words: tuple[Word, ...]) -> Carried | None:
    arguments = Args([w.text for w in words[1:]], "ns", _KUBECTL_GLOBALS, first=True)
    if arguments.operands[:1] not in (["exec"], ["run"], ["debug"]):
        return None
    texts = [word.text for word in words]
    if "--" in texts:
        inner = words[texts.index("--") + 1 :]
    else:  # the old form, without the dashes
        long = (*_KUBECTL_GLOBALS, "container", "image", "target")
        own = Args(arguments.operands[1:], "ncfs", long, first=True)
        inner = _rest(words, own.operands[1:]) if arguments.operands[0] == "exec" else ()
    return Carried(inner) if inner else None


_EXEC_LONG = ("env", "user", "workdir", "env-file", "detach-keys", "index")
_RUN_LONG = (
    *_EXEC_LONG,
    "name",
    "volume",
    "network",
    "publish",
    "entrypoint",
    "mount",
    "memory",
    "cpus",
    "label",
    "hostname",
    "platform",
    "pull",
    "restart",
    "add-host",
    "link",
    "log-driver",
    "ipc",
    "cap-add",
    "cap-drop",
    "device",
    "dns",
    "expose",
    "shm-size",
    "tmpfs",
    "ulimit",
    "pid",
)


def _docker(words: tuple[Word, ...]) -> Carried | None:
    name, rest = name_of(words), words[1:]
    outer = Args([w.text for w in rest], "Hcl", ("host", "context", "config"), first=True)
    rest = _rest(words, outer.operands)
    if name_of(rest[:1]) == "container":
        rest = rest[1:]
    composed = name == "docker-compose" or [w.text for w in rest[:1]] == ["compose"]
    if composed:
        if name != "docker-compose":
            rest = rest[1:]
        long = ("file", "project-name", "profile", "env-file", "project-directory", "ansi")
        inner = Args([w.text for w in rest], "fp", long, first=True)
        rest = _rest(words, inner.operands)
    if [w.text for w in rest[:1]] not in (["exec"], ["run"]):
        return None
    running = rest[0].text == "run"
    takes = "euwvplhm" if running else "euw"
    own = Args([w.text for w in rest[1:]], takes, _RUN_LONG if running else _EXEC_LONG, first=True)
    inside = _rest(words, own.operands[1:])
    if not inside:
        return None
    return Carried(inside, background=own.has("d", "detach"))


def _gcloud(words: tuple[Word, ...]) -> Carried | None:
    if "ssh" not in [word.text for word in words]:
        return None
    for index, word in enumerate(words):
        if word.text.startswith("--command="):
            return Carried(script=Word(word.text.partition("=")[2], word.line))
        if word.text == "--command" and words[index + 1 :]:
            return Carried(script=words[index + 1])
    return None


def _runs(*second: str) -> Callable[[tuple[Word, ...]], Carried | None]:
    """Return a reader of tools that run another command by a word of theirs: `uv run …`."""

    def look(words: tuple[Word, ...]) -> Carried | None:
        if len(words) > 2 and words[1].text in second:
            return _behind(words[1:], "aGp", ("with", "group", "extra", "app", "python"))
        return None

    return look


def _python(words: tuple[Word, ...]) -> Carried | None:
    arguments = Args([w.text for w in words[1:]], "mcWX", first=True)
    module = arguments.value("m")
    inner = _rest(words, arguments.operands)
    if module in ("alembic", "flask", "gunicorn", "uvicorn", "celery", "pytest", "django"):
        return Carried((Word(module, words[0].line), *inner))
    return None


_SPECIAL: dict[str, Callable[[tuple[Word, ...]], Carried | None]] = {
    "sudo": _sudo,
    "env": _env,
    "timeout": _timeout,
    "gtimeout": _timeout,
    "command": _command,
    "setsid": _setsid,
    "systemd-run": _systemd_run,
    "xargs": _xargs,
    "parallel": _xargs,
    "eval": _eval,
    "trap": _trap,
    "ssh": _ssh,
    "su": _su,
    "runuser": _su,
    "flock": _flock,
    "find": _find,
    "kubectl": _kubectl,
    "oc": _kubectl,
    "k3s": _runs("kubectl"),
    "docker": _docker,
    "docker-compose": _docker,
    "podman": _docker,
    "nerdctl": _docker,
    "gcloud": _gcloud,
    "uv": _runs("run"),
    "poetry": _runs("run"),
    "pipenv": _runs("run"),
    "bundle": _runs("exec"),
    "pnpm": _runs("exec", "dlx"),
    "heroku": _runs("run"),
    "python": _python,
    "python3": _python,
    **dict.fromkeys(SHELLS, _shell),
}
