"""How bad a line of a log is: whatever the software that wrote it calls that, and wherever.

Levels have names (FATAL, SEVERE, EMERG …) and numbers of several scales, stand under many keys or
none, and what breaks worst has no level at all: a traceback, a crash, a process that is gone.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

WARNING, INFO = "WARNING", "INFO"
ERRORS = frozenset(("ERROR", "SEVERE", "CRITICAL", "ALERT", "FATAL", "PANIC", "EMERGENCY"))
"""The levels by which software says that it broke."""
_NAMES = {
    **dict.fromkeys(("emerg", "emergency"), "EMERGENCY"),
    "alert": "ALERT",
    **dict.fromkeys(("crit", "critical", "crt", "c"), "CRITICAL"),
    **dict.fromkeys(("fatal", "ftl", "f"), "FATAL"),
    **dict.fromkeys(("panic", "dpanic"), "PANIC"),
    "severe": "SEVERE",
    **dict.fromkeys(("INFO", "info", "DEBUG", "debug", "notice", "trace"), INFO),
    **dict.fromkeys(("error", "err", "eror", "e", "exception", "failure"), "ERROR"),
    **dict.fromkeys(("warning", "warn", "wrn", "w"), WARNING),
}
_RANKS = {INFO: 0, WARNING: 1, "ERROR": 2}  # all others are worse
# Without dots, dashes and underscores, in lower case. By the scale of the numbers under them.
_SYSLOG = frozenset(("priority", "syslogseverity", "syslogpriority", "syslogseveritycode"))
_OPEN_TELEMETRY = frozenset(("severitynumber",))
_ANY = frozenset(
    (
        *("level", "lvl", "lv", "severity", "severitytext", "sev", "loglevel", "logseverity"),
        *("levelname", "levelno", "levelnumber", "levelvalue", "levelstr", "errorseverity"),
        "logleveltext",
    )
)
_NESTED = frozenset(("log", "record", "event", "fields", "attributes", "labels", "extra", "ecs"))
_TRACES = ("exception", "excinfo", "exctext", "traceback")
_MESSAGES = ("message", "msg", "log", "text", "event", "shortmessage", "body")
_LEVEL, _TRACE, _MESSAGE = 1, 2, 3
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Where a scale begins with a warning, an error, and what is worse.
_SCALES = {
    "python": (30, 40, 50),
    "pino": (40, 50, 60),
    "google": (400, 500, 600),
    "logback": (30_000, 40_000, 50_000),
    "otel": (13, 17, 21),
}

CRASH = re.compile(
    r"Traceback \(most recent call last\)|^\s*panic: |\bgoroutine \d+ \[running\]"
    r"|\b[Uu]nhandled (?:[Ee]xception|[Rr]ejection|[Pp]romise)"
    r"|\b[Uu]ncaught (?:[Ee]xception|\w*Error)"
    r"|\b[Ss]egmentation fault|\bcore dumped\b|\bSIG(?:SEGV|ABRT|BUS|ILL)\b|Fatal Python error"
    r"|Exception in thread |Exception in ASGI application|Exception ignored in|panicked at "
    r"|terminate called after throwing|never retrieved|[Oo]ut of memory: Kill|\boom-kill"
    r"|\bOOMKilled"
    r"|\bjava\.lang\.\w+(?:Error|Exception)\b|^[\w.]+(?:Error|Exception): ",
)
"""What software leaves behind that broke, whatever level it gives that."""
_ENDED = re.compile(
    # supervisord, systemd, compose; 130 and 143 are how a process ends that was asked to.
    r"\bexited: \S+ \((?:[^)]*; not expected|terminated by SIG(?!TERM|INT|HUP)\w+[^)]*)\)"
    r"|\bgave up: |\bentered FATAL state|\bspawnerr: "
    r"|Main process exited, code=(?!exited, status=(?:0|130|143)/)(?!killed, status=(?:15|2|1)/)"
    r"|\bFailed to start |Start request repeated too quickly|killed by the OOM killer"
    r"|\bexited with code (?!(?:0|130|143)\b)\d+|\bBack-off restarting failed container",
)
# supervisord says these whenever it begins.
_HARMLESS = re.compile(
    r"CRIT (?:Supervisor (?:is )?running as root|Server '\S+' running without any HTTP|Set uid to)"
)
# Most lines have none of these words, and need not be looked at any closer.
_SMELLS = (
    *("traceback", "panic", "goroutine", "unhandled", "uncaught", "segmentation", "core dumped"),
    *("sigsegv", "sigabrt", "sigbus", "sigill", "fatal python", "exception", "error: "),
    *("terminate called", "never retrieved", "out of memory", "oom", "java.lang."),
)
_ENDS = (
    "exited",
    "gave up",
    "fatal state",
    "spawnerr",
    "failed to start",
    "too quickly",
    "killed by",
)
_LEVELS = (
    "emerg",
    "alert",
    "crit",
    "fatal",
    "panic",
    "severe",
    "err",
    "warn",
    "level",
    "lvl",
    "sev",
)
_BAD = "EMERG(?:ENCY)?|ALERT|CRIT(?:ICAL)?|FATAL|D?PANIC|SEVERE|ERROR|ERR"
_BEGIN = 120  # characters in which a line of text says its level
_TOKEN = re.compile(rf"(?:^|[\s\[<(|:\"'])(?P<level>{_BAD}|WARN(?:ING)?)(?=[\s\]>)|:,\"']|$)")
_BRACKETS = re.compile(
    r"\[(?:[\w.-]+:)?(?P<level>emerg|alert|crit|error|err|fatal|panic|warn(?:ing)?)\]"
)
_PAIR = re.compile(
    r"(?:^|[\s,{\"'])(?:log[._-]?)?(?:level|lvl|severity|levelname|sev)[\"']?\s*[=:]\s*[\"']?"
    r"(?P<level>[A-Za-z]+|\d{1,5})",
    re.IGNORECASE,
)
_FIRST_WORD = re.compile(
    r"^(?:[\w./-]+: )?(?P<level>fatal|panic|critical|error|severe)(?: error)?(?:\[\w+\])?: ",
    re.IGNORECASE,
)
_GLOG = re.compile(r"^(?P<level>[EFW])\d{4} \d\d:\d\d:\d\d")
_SYSLOG_PREFIX = re.compile(r"^<(?P<priority>\d{1,3})>")


def worst_level(record: Mapping[str, object]) -> str:
    """Return the worst level that a line of JSON says, whichever its keys are."""
    worst, traced = _worst(record, record)
    if "msg" in record and record.get("s") in ("E", "F"):  # MongoDB's
        worst = max(worst, _NAMES[str(record["s"]).lower()], key=_rank)
    # What is warned of with its traceback was caught on purpose.
    return "ERROR" if traced and worst == INFO else worst


def _worst(
    record: Mapping[str, object], whole: Mapping[str, object], below: str = ""
) -> tuple[str, bool]:
    """Return the worst level, and whether there is a traceback. `below`: the key of a record that
    is nested in `whole`.
    """
    worst, traced = INFO, False
    for key, value in record.items():
        if isinstance(value, dict):
            if not below:
                found, inside = _worst(value, whole, str(key))
                worst, traced = max(worst, found, key=_rank), traced or inside
            continue
        name, kind = _kind(str(key), below)
        if kind == _LEVEL:
            found = _level(name, value, whole)
        elif kind == _MESSAGE and isinstance(value, str):
            found = level_begun(value)
            traced = traced or _crashed(value, value.lower())
        elif kind == _TRACE and value and value not in ("None", "null", "NoneType: None"):
            traced = True
            continue
        else:
            continue
        if found != INFO and _rank(found) > _rank(worst):
            worst = found
    return worst, traced


@functools.lru_cache(maxsize=4096)
def _kind(key: str, below: str) -> tuple[str, int]:
    """Return the plain name of a key, and what its value is."""
    plain = re.sub(r"[^a-z0-9]", "", key.lower())
    around = re.sub(r"[^a-z0-9]", "", below.lower())
    for name in (f"{around}{plain}", plain) if around in _NESTED else (f"{around}{plain}",):
        if name in _SYSLOG or name in _OPEN_TELEMETRY or name in _ANY:
            return name, _LEVEL
        if name in _TRACES or name.endswith(("stack", "stacktrace")):
            return name, _TRACE
        if name in _MESSAGES:
            return name, _MESSAGE
    return plain, 0


def level_in(line: str) -> str:
    """Return the level of a line of plain text, of whichever form."""
    text = _COLOUR.sub("", line) if "\x1b" in line else line
    lower = text.lower()
    if "CRIT " in text and _HARMLESS.search(text):
        return WARNING
    if _crashed(text, lower) or (any(one in lower for one in _ENDS) and _ENDED.search(text)):
        return "ERROR"
    begin = text[:_BEGIN]
    if not any(one in lower for one in _LEVELS):
        return level_begun(begin)
    found = [_NAMES.get(one["level"].lower(), INFO) for one in _TOKEN.finditer(begin)]
    found += [_NAMES.get(one["level"], INFO) for one in _BRACKETS.finditer(begin)]
    found += [_level("level", one["level"], {}) for one in _PAIR.finditer(text[: 4 * _BEGIN])]
    found.append(level_begun(text))
    return max(found, key=_rank)


def level_begun(text: str) -> str:
    """Return the level with which a message begins, as one that is passed on does."""
    text = text[:_BEGIN].lstrip()
    if not text or (text[0] not in "<EFW[" and not any(one in text.lower() for one in _LEVELS)):
        return INFO
    prefix = _SYSLOG_PREFIX.match(text)
    if prefix:
        return _of_number(int(prefix["priority"]) % 8, "syslog")
    first = _FIRST_WORD.match(text) or _GLOG.match(text) or _TOKEN.match(text)
    return _NAMES.get(first["level"].lower(), INFO) if first else INFO


def _crashed(text: str, lower: str) -> bool:
    return any(one in lower for one in _SMELLS) and CRASH.search(text) is not None


def _rank(level: str) -> int:
    return _RANKS.get(level, 3)


def _level(key: str, value: object, record: Mapping[str, object]) -> str:
    if isinstance(value, bool) or value is None:
        return INFO
    if isinstance(value, str):
        known = _NAMES.get(value) or _NAMES.get(value.lower())
        if known:
            return known
        words = re.findall(r"[A-Za-z]+|\d+", _COLOUR.sub("", value))
        if not words:
            return INFO
        if not words[0].isdigit():
            return max((_NAMES.get(one.lower(), INFO) for one in words[:2]), key=_rank)
        value = float(words[0][:9])
    if not isinstance(value, int | float):
        return INFO
    return _of_number(value, _scale(key, value, record))


def _scale(key: str, value: float, record: Mapping[str, object]) -> str:
    if key in _OPEN_TELEMETRY:
        return "otel"
    if key in _SYSLOG or value <= 7:
        return "syslog"
    if value >= 1000:
        return "logback"
    if value >= 100:
        return "google"
    pino = record.get("v") in (0, 1) or {"pid", "hostname"} <= record.keys()
    return "pino" if pino and key == "level" else "python"


def _of_number(value: float, scale: str) -> str:
    if scale == "syslog":
        names = ("EMERGENCY", "ALERT", "CRITICAL", "ERROR", WARNING)
        return names[int(value)] if 0 <= value < len(names) else INFO
    warn, error, worse = _SCALES[scale]
    if value >= worse:
        return "FATAL"
    return "ERROR" if value >= error else WARNING if value >= warn else INFO
