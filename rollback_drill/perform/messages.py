"""Sends the runbook's messages where a file says: Slack, PagerDuty, a mailbox, an issue tracker.

A message is a file in $OUTBOX; its name is the channel's. What stands on $STATUS_PAGE is one, too.
Without a file of channels the drill's own mailbox takes them, and nobody is told; with one, a
message without a channel is only shown in the report. One with a blank left in it is never sent.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.message import EmailMessage
from pathlib import Path

from rollback_drill.ground import files
from rollback_drill.ground.errors import DrillError, StageError, UsageError
from rollback_drill.ground.machine import variable
from rollback_drill.perform.saying import affirms
from rollback_drill.perform.told import NOBODY, STATUS_PAGE, MessageHandled
from rollback_drill.record.timeline import Timeline
from rollback_drill.stage import http
from rollback_drill.stage.answers import BadAnswer, NoAnswer
from rollback_drill.stage.host import Host, look
from rollback_drill.watch.told import NotSeen

_LIMIT_S = 10.0
_MESSAGES = "the messages that the runbook writes"
_TIMEOUT_S = 5.0
_TRIES = 2
_BLANK = re.compile(r"\[[^\]\n]+\](?!\()|\$\{?[A-Z_]+\}?|_{4,}")
_LARGEST = 64 * 1024  # bytes of a message
# In base64, so that no text can pass for the beginning of another message.
_READ = f"""
tell() {{ echo "== $(stat -c %y "$1" | tr ' ' _) $2"; head -c {_LARGEST} "$1" | base64; }}
if [ -n "${{STATUS_PAGE:-}}" ] && [ -f "$STATUS_PAGE" ]; then tell "$STATUS_PAGE" {STATUS_PAGE}; fi
[ -n "${{OUTBOX:-}}" ] && cd "$OUTBOX" 2>/dev/null || exit 0
for file in *; do if [ -f "$file" ]; then tell "$file" "$file"; fi; done
"""
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
    over = affirms(first, r"resolved\b")
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


def _page(settings: Mapping[str, str], message: Message) -> str:
    """A page takes a message by showing it: it is read as customers read it."""
    answer = http.request("GET", settings["url"], limit_s=_TIMEOUT_S, proxied=True).checked()
    shown = " ".join(html.unescape(answer.text[:_LARGEST]).split())
    first = " ".join(message.text.strip().partition("\n")[0].split())
    if first not in shown:
        raise BadAnswer(f"it does not show “{first[:80]}”", answer.status)
    return "the page that customers see"


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
    "page": (_page, frozenset({"url"})),
}


@dataclass(frozen=True, slots=True)
class Channels:
    """Where messages go, by name of message; `secrets` must never be written down.

    `own`: the drill's own mailbox, which takes every message where no file says who does.
    """

    settings: Mapping[str, Mapping[str, str]]
    secrets: frozenset[str]
    own: Path | None = None


def read_channels(path: Path | None, own: Path | None = None) -> Channels:
    """Read the file of channels. Raises UsageError for what is wrong or not set in it."""
    if path is None:
        return Channels({}, frozenset(), own)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            "a file of channels", f"{path}: {error}", "see docs/messages.md"
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
    """Delivers each message once for each text that it had; everything goes to the timeline.

    `handled`: what became of each message last, and when (Unix seconds).
    """

    def __init__(self, channels: Channels, timeline: Timeline, escalation: str = "") -> None:
        self._channels = channels
        self._timeline = timeline
        self._escalation = escalation
        self._old: dict[str, tuple[str, str]] = {}
        self._seen: dict[str, tuple[str, str]] = {}
        self._unread = ""  # why nobody could read them at the last look
        self.handled: dict[str, tuple[float, MessageHandled]] = {}

    def begin(self, host: Host) -> None:
        """Remember what stands in $OUTBOX of `host` already: that is not this drill's to send.

        Raises StageError when it cannot be read.
        """
        self._old = {name: (written, text) for name, written, text in _read(host)}

    def deliver(self, host: Host, facts: Mapping[str, str]) -> str:
        """Deliver what stands in $OUTBOX of `host` and is new; return why it could not be read."""
        try:
            found = _read(host)
        except DrillError as error:
            self._unread = str(error)
            self._timeline.record(NotSeen(_MESSAGES, self._unread))
            return error.found
        if self._unread:
            self._unread = ""
            self._timeline.record(NotSeen(_MESSAGES))
        for name, written, text in found:
            one = (written, text)
            if not text or one in (self._old.get(name), self._seen.get(name)):
                continue
            self._seen[name] = one
            handled = self._send(name, text, facts)
            self.handled[name] = (self._timeline.record(handled).at, handled)
        return ""

    def _send(self, name: str, text: str, facts: Mapping[str, str]) -> MessageHandled:
        def handled(outcome: str, detail: str) -> MessageHandled:
            return MessageHandled(name, text, outcome, detail)

        blanks = blanks_in(text)
        if blanks:
            return handled("refused", f"blanks are left: {', '.join(blanks[:5])}")
        message = Message(
            name, text, facts.get("INCIDENT", ""), facts.get("SEVERITY", ""), self._escalation
        )
        settings = self._channels.settings.get(name)
        try:
            if settings is not None:
                return handled("sent", _KINDS[settings["kind"]][0](settings, message))
            if self._channels.own is None:
                return handled("shown", "the file of channels has none for it")
            masked = replace(message, text=self._timeline.redactor.text(text))
            _mail({"mailbox": str(self._channels.own), "to": name}, masked)
        except BadAnswer as error:
            return handled("failed", f"{_kind(settings)}: {error}")
        except (NoAnswer, OSError, ValueError) as error:
            why = f"{_kind(settings)} could not be reached: {type(error).__name__}"
            return handled("failed", why)
        own = f"the drill's own mailbox, {self._channels.own.name}: {NOBODY}"
        return handled("kept", own)


def _kind(settings: Mapping[str, str] | None) -> str:
    return settings["kind"] if settings else "the drill's own mailbox"


def _read(host: Host) -> list[tuple[str, str, str]]:
    """Return the messages on `host` as (name, when it was written, text). Raises StageError."""
    done = look(host, _READ, limit_s=_LIMIT_S)
    if not done.ok:
        found = done.stderr.strip()[-200:] or f"status {done.exit_status}"
        raise StageError("messages that can be read", found, f"see $OUTBOX on {host.name}")
    messages = []
    for part in re.split(r"^== ", done.stdout, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        written, _, name = head.partition(" ")
        try:
            text = base64.b64decode(body).decode("utf-8", "replace").strip()
        except binascii.Error as error:
            raise StageError("messages that can be read", str(error), "see the host") from error
        messages.append((name, written, text))
    return messages
