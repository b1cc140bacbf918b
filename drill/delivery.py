"""Sends the runbook's messages where a file says: Slack, PagerDuty, a mailbox, an issue tracker.

A message is a file in $OUTBOX; its name is the channel's. Without a file of channels, messages are
only shown in the report. A message with a blank left in it is never sent.
"""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from drill import events, files, http
from drill.answers import BadAnswer, NoAnswer
from drill.errors import DrillError, UsageError
from drill.host import Host, look
from drill.machine import variable
from drill.timeline import Timeline

_LIMIT_S = 10.0
_TIMEOUT_S = 5.0
_TRIES = 2
_BLANK = re.compile(r"\[[^\]\n]+\](?!\()|\$\{?[A-Z_]+\}?|_{4,}")
_READ = (
    'cd "$OUTBOX" 2>/dev/null || exit 0\n'
    'for file in *; do [ -f "$file" ] || continue; echo "== $file"; cat "$file"; echo; done'
)
_PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
_GITHUB = "https://api.github.com"
_FROM = re.compile(r"^From ", re.MULTILINE)  # where the next mail of an mbox begins
_SUBJECT = re.compile(r"^Subject: *(?P<subject>.*)$", re.MULTILINE)


def blanks_in(text: str) -> list[str]:
    """Return what is left to fill in: [blank], $BLANK or ____."""
    return _BLANK.findall(text)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was written. `incident` ties several of them together."""

    name: str
    text: str
    incident: str
    severity: str
    escalation: str


Send = Callable[[Mapping[str, str], Message], str]
"""Sends a message by a channel's settings and returns where it went.

Raises NoAnswer and OSError.
"""


def _post(url: str, body: object, headers: Mapping[str, str] | None = None) -> None:
    for attempt in range(1, _TRIES + 1):
        try:
            http.request(
                "POST", url, json=body, headers=headers, limit_s=_TIMEOUT_S, proxied=True
            ).checked()
            return
        except NoAnswer as error:
            if 0 < error.status < 500 or attempt == _TRIES:
                raise


def _slack(settings: Mapping[str, str], message: Message) -> str:
    _post(settings["url"], {"text": message.text})
    return "Slack"


def _pagerduty(settings: Mapping[str, str], message: Message) -> str:
    """Events API version 2: one event a message; "resolved" in its first line resolves it."""
    first, _, _ = message.text.strip().partition("\n")
    over = "resolved" in first.lower()
    body: dict[str, object] = {
        "routing_key": settings["key"],
        "event_action": "resolve" if over else "trigger",
        "dedup_key": message.incident,
    }
    if not over:
        severity = "critical" if message.severity == "P0" else "error"
        body["payload"] = {
            "summary": first.lstrip("# "),
            "source": "rollback-drill",
            "severity": severity,
            "custom_details": {"message": message.text, "escalation": message.escalation},
        }
    _post(settings.get("url") or _PAGERDUTY, body)
    return "PagerDuty"


def _mail(settings: Mapping[str, str], message: Message) -> str:
    mail = EmailMessage()
    match = _SUBJECT.search(message.text)
    mail["Subject"] = match["subject"] if match else message.name
    mail["To"] = settings.get("to", "customers")
    mail.set_content(_SUBJECT.sub("", message.text, count=1).lstrip("\n"))
    head = f"From rollback-drill {time.asctime(time.gmtime())}"
    files.append(Path(settings["mailbox"]), f"{head}\n{_FROM.sub('>From ', str(mail))}")
    return settings["mailbox"]


def _issue(settings: Mapping[str, str], message: Message) -> str:
    first, _, rest = message.text.strip().partition("\n")
    url = f"{settings.get('url') or _GITHUB}/repos/{settings['repository']}/issues"
    headers = {"Authorization": f"Bearer {settings['token']}"}
    _post(url, {"title": first.lstrip("# "), "body": rest.strip()}, headers)
    return f"issues of {settings['repository']}"


_KINDS: dict[str, tuple[Send, frozenset[str]]] = {
    "slack": (_slack, frozenset({"url"})),
    "pagerduty": (_pagerduty, frozenset({"key"})),
    "mail": (_mail, frozenset({"mailbox"})),
    "issue": (_issue, frozenset({"repository", "token"})),
}


@dataclass(frozen=True, slots=True)
class Channels:
    """Where messages go, by name of message; `secrets` must never be written down."""

    settings: Mapping[str, Mapping[str, str]]
    secrets: frozenset[str]


def read_channels(path: Path | None) -> Channels:
    """Read the file of channels. Raises UsageError for what is wrong or not set in it."""
    if path is None:
        return Channels({}, frozenset())
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            "a file of channels", f"{path}: {error}", "see “Messages” in the README"
        ) from error
    secrets: set[str] = set()
    found: dict[str, Mapping[str, str]] = {}
    for name, entry in table.items():
        settings: dict[str, str] = {}
        for key, value in entry.items() if isinstance(entry, dict) else ():
            if key.endswith("_from"):
                told = variable(str(value))
                if not told:
                    raise UsageError(
                        f"the variable {value} for {name} in {path}", "it is not set", "export it"
                    )
                settings[key.removesuffix("_from")] = told
                secrets.add(told)
            else:
                settings[key] = str(value)
        kind = settings.get("kind", "")
        if kind not in _KINDS or not _KINDS[kind][1] <= settings.keys():
            needed = {k: ", ".join(sorted(needs)) for k, (_, needs) in _KINDS.items()}
            raise UsageError(
                f"[{name!r}] in {path} with kind and what it needs: {needed}",
                f"kind {kind!r} with {', '.join(sorted(settings)) or 'nothing'}",
                "keys that end in _from name a variable that holds the value",
            )
        found[name] = settings
    return Channels(found, frozenset(secrets))


class Courier:
    """Delivers each message once for each text that it had; everything goes to the timeline."""

    def __init__(self, channels: Channels, timeline: Timeline, escalation: str = "") -> None:
        self._channels = channels
        self._timeline = timeline
        self._escalation = escalation
        self._seen: dict[str, str] = {}

    def deliver(self, host: Host, facts: Mapping[str, str]) -> None:
        """Deliver what stands in $OUTBOX of `host` and is new."""
        try:
            done = look(host, _READ, limit_s=_LIMIT_S)
        except DrillError as error:
            self._timeline.record(events.Noted(f"messages could not be read: {error}"))
            return
        for part in re.split(r"^== ", done.stdout, flags=re.MULTILINE)[1:]:
            name, _, text = part.partition("\n")
            text = text.strip()
            if text and self._seen.get(name) != text:
                self._seen[name] = text
                self._send(name, text, facts)

    def _send(self, name: str, text: str, facts: Mapping[str, str]) -> None:
        settings = self._channels.settings.get(name)
        blanks = blanks_in(text)
        if blanks:
            self._record(name, text, "refused", f"blanks are left: {', '.join(blanks[:5])}")
        elif settings is None:
            self._record(name, text, "shown", "no channel is configured for it")
        else:
            message = Message(
                name, text, facts.get("INCIDENT", ""), facts.get("SEVERITY", ""), self._escalation
            )
            try:
                where = _KINDS[settings["kind"]][0](settings, message)
            except BadAnswer as error:
                self._record(name, text, "failed", f"{settings['kind']}: {error}")
            except (NoAnswer, OSError) as error:
                told = f"{settings['kind']} could not be reached: {type(error).__name__}"
                self._record(name, text, "failed", told)
            else:
                self._record(name, text, "sent", where)

    def _record(self, name: str, text: str, outcome: str, detail: str) -> None:
        self._timeline.record(events.MessageHandled(name, text, outcome, detail))
