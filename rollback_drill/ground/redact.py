"""Keeps secrets out of everything that is written down: known ones in every spelling, and what is
one by the words around it.
"""

from __future__ import annotations

import base64
import functools
import html
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

MASK = "[redacted]"
_SHORTEST = 4  # masking shorter values would blank ordinary text
_SHORT, _MOST_TOLD = 80, 5_000  # characters of a text that is remembered, and how many are
# So are those of others: scripts and documents come drill by drill.
_LONG, _MOST_MIDDLING, _MOST_LONG = 5_000, 2_000, 4
_SHORTEST_PART = 6  # of a secret that is split over two lines of output

_NAME = (
    r"(?:passw(?:or)?d|passwd|passphrase|passcode|pwd|pgpassword|secret|token|credentials?"
    r"|(?:api|access|private|secret|routing|signing|encryption)[_-]?key)"
)
# Neither a variable or a blank of a text that is yet to be filled in, nor what is masked already.
_NOT = r"(?!\$|\{\{|%\(|<|\[|\*\*|None\b|null\b|true\b|false\b)"
_SCHEME = r"(?:bearer|basic|token|digest|apikey)"
_QUOTED = r"""\\"[^"\\]*\\"|"(?!["$])(?:\\.|[^"\\])*"|'(?!['$])(?:\\.|''|[^'\\])*'"""
_BARE = r"""[^\s"'`;,&|<>(){}\[\]\\]+"""
_LOOKS = (
    # scheme://user:PASSWORD@host; what follows a host as its port is none.
    rf"(?P<keep>\b[a-z][a-z0-9+.-]{{0,30}}://[^\s/:@\"']{{0,200}}:){_NOT}(?!\d{{1,5}}[/?#])"
    r"(?P<value>[^\s\"'<>`]{1,500})(?=@[\w\[.%-])",
    # scheme://TOKEN@host
    r"(?P<keep>\b[a-z][a-z0-9+.-]{0,30}://)(?P<value>(?=[^\s/@]*\d)[\w.~%+-]{16,500})(?=@)",
    # "password": "…" of JSON, YAML and Python; a name, = or =>, and a value, with quotes or not
    rf"(?P<keep>{_NAME}\\?[\"']\s*(?::|=>?|,)\s*)(?P<value>{_QUOTED}|{_NOT}[\w.+/=-]+)",
    rf"(?P<keep>{_NAME}\s*=>?\s*)(?P<value>{_QUOTED}|{_NOT}(?!=){_BARE})",
    rf"(?P<keep>{_NAME}:\s*)(?P<value>{_QUOTED})",
    rf"(?P<keep>^[\s-]*[\w.-]{{0,60}}{_NAME}:[ \t]+)(?P<value>{_NOT}\S+)(?=[ \t]*$)",
    # What commands are told.
    rf"(?P<keep>(?<!\S)--?[\w-]{{0,40}}{_NAME}[ \t]+)(?P<value>{_QUOTED}|{_NOT}(?!-){_BARE})",
    rf"(?P<keep>(?<!\S)(?:-u|--user|--proxy-user)[ \t=]*[\"']?(?!\d+:)[^\s:\"'/]{{1,100}}:)"
    rf"{_NOT}(?P<value>[^\s\"'/]+)",
    r"(?P<keep>\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n|;&]{0,500}?\s-p)"
    r"(?P<value>[^\s$\[]\S*)",
    rf"(?P<keep>\b(?:password|identified\s+by)\s+)(?P<value>{_QUOTED})",
    # Headers.
    rf"(?P<keep>authorization\\?[\"']?\s*[:=,]\s*\\?[\"']?(?:{_SCHEME}\s+|(?!{_SCHEME}\s)))"
    rf"{_NOT}(?P<value>[^\s\"'\\]+)",
    rf"(?P<keep>\bbearer\s+){_NOT}(?P<value>(?=\S*\d)[\w.~+/=-]{{12,}})",
    rf"(?P<keep>\bx-[\w-]{{0,30}}(?:key|token|auth|secret)\\?[\"']?\s*[:,]\s*\\?[\"']?){_NOT}"
    r"(?P<value>[^\s\"'\\]+)",
    rf"(?P<keep>\b(?:set-)?cookie\\?[\"']?[ \t]*[:,][ \t]*+\\?[\"']?){_NOT}"
    r"(?P<value>[^\n\"'\\]+)",
    # What a URL asks with, and where chats are written to.
    rf"(?P<keep>[?&][\w.-]{{0,60}}(?:token|key|sig|signature|secret|password|auth)=){_NOT}"
    r"(?P<value>[^&\s\"'#<>]+)",
    r"(?P<keep>\bhooks\.slack\.com/services/)(?P<value>[\w/-]+)",
    # What is one wherever it stands.
    r"(?P<keep>)(?P<value>\b(?:gh[opsur]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|"
    r"xox[abeoprs]-[\w-]{10,}|A(?:KIA|SIA)[0-9A-Z]{16}|sk_live_\w{16,})\b)",
    r"(?P<keep>)(?P<value>\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})",
    r"(?P<keep>-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)(?P<value>[\s\S]+?)(?=-----END|\Z)",
)
# Most text has none of these words, and need not be looked at twenty times.
_WORTH_A_LOOK = (
    "://",
    "pass",
    "pwd",
    "secret",
    "token",
    "credential",
    "key",
    "auth",
    "bearer",
    "cookie",
    "identified",
    "-u",
    "-user",
    "mysql",
    "mariadb",
    "slack",
    "gho_",
    "ghp_",
    "ghs_",
    "ghu_",
    "ghr_",
    "github",
    "glpat",
    "xox",
    "akia",
    "asia",
    "sk_live",
    "eyj",
    "sig",
)
# Up to the first and up to the last @: both are usual for a password that has one.
_IN_URL = tuple(
    re.compile(rf"://[^\s/:@]*:(?P<password>\S+{all_of_it})@") for all_of_it in ("?", "")
)
_IN_DSN = re.compile(r"\bpassword\s*=\s*(?:'(?P<quoted>(?:\\.|[^'\\])*)'|(?P<bare>\S+))")
_LINE_BREAK = r"(?:\\?[ \t]*\r?\n[ \t]*)?"


def masked(text: str) -> str:
    """Return `text` without what is a secret by the words around it, or by its own form."""
    return _masked_middling(text) if len(text) <= _LONG else _masked_long(text)


def _masked(text: str) -> str:
    lower = text.lower()
    for word in _WORTH_A_LOOK:
        if word in lower:
            break
    else:
        return text
    for pattern in _patterns():
        text = pattern.sub(_mask, text)
    return text


_masked_middling = functools.lru_cache(_MOST_MIDDLING)(_masked)
_masked_long = functools.lru_cache(_MOST_LONG)(_masked)


@functools.cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(look, re.IGNORECASE | re.MULTILINE) for look in _LOOKS)


def _mask(match: re.Match[str]) -> str:
    value = match["value"]
    mark = value[:1] if value[:1] in "\"'" and value[:1] == value[-1:] and len(value) > 1 else ""
    return f"{match['keep']}{mark}{MASK}{mark}"


class Redactor:
    """Replaces every known secret value in text; secrets may be added at any time."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._spellings: list[str] = []
        self._broken: list[re.Pattern[str]] = []
        self._told: dict[str, str] = {}  # short texts, which come again and again
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Remember `secrets`, and the passwords in those that are DSNs or URLs."""
        new = {one for secret in secrets for one in (secret, *_inside(secret))}
        new = {one for one in new if len(one) >= _SHORTEST} - self._known
        if not new:
            return
        self._known |= new
        self._told = {}
        spelt = {*self._spellings, *(way for one in new for way in _spellings(one))}
        # Longer ones first, so that none leaves a tail.
        self._spellings = sorted(spelt, key=len, reverse=True)
        self._broken += [re.compile(_LINE_BREAK.join(map(re.escape, one))) for one in new]

    def text(self, text: str) -> str:
        """Return `text` without any known secret, and without what is one by its looks."""
        told = self._told
        found = told.get(text)
        if found is None:
            found = self._text(text)
            if len(text) <= _SHORT and len(told) < _MOST_TOLD:
                told[text] = found
        return found

    def _text(self, text: str) -> str:
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, MASK)
        if "\n" in text:
            for pattern in self._broken:
                text = pattern.sub(MASK, text)
        return masked(self._without_parts(text))

    def _without_parts(self, text: str) -> str:
        """Mask the half of a secret that `text` ends or begins with: output comes line by line."""
        for secret in self._known:
            least = max(_SHORTEST_PART, (len(secret) + 1) // 2)
            if secret[:least] in text[-len(secret) :]:
                for length in range(len(secret) - 1, least - 1, -1):
                    if text.endswith(secret[:length]):
                        text = text[:-length] + MASK
            if secret[-least:] in text[: len(secret)]:
                for length in range(len(secret) - 1, least - 1, -1):
                    if text.startswith(secret[-length:]):
                        text = MASK + text[length:]
        return text

    def finds(self, text: str) -> bool:
        """Return whether a known secret stands in `text`, in any usual spelling."""
        return any(one in text for one in self._spellings if len(one) >= _SHORTEST_PART)

    def value(self, value: Any) -> Any:
        """Return a JSON-like `value` with every string in it redacted."""
        kind = type(value)
        if kind is float or kind is int:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(k)): self.value(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(v) for v in value]
        return value


def _inside(secret: str) -> Iterator[str]:
    """Yield the passwords in a secret that is a DSN or a URL, as they are spelt there and meant."""
    for found in (one for pattern in _IN_URL for one in pattern.finditer(secret)):
        yield from (found["password"], unquote(found["password"]))
    for found in _IN_DSN.finditer(secret):
        password = found["quoted"] if found["bare"] is None else found["bare"]
        yield from (password, re.sub(r"\\(.)", r"\1", password))


def _spellings(secret: str) -> set[str]:
    """Return how programs write `secret`: quoted, escaped and encoded in the usual ways."""
    raw = secret.encode("utf-8", "replace")
    escaped = quote(secret, safe="")
    found = {
        secret,
        unquote(secret),
        unquote_plus(secret),
        quote(secret),
        quote_plus(secret),
        escaped,
        re.sub("%..", lambda one: one[0].lower(), escaped),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        html.escape(secret),
        shlex.quote(secret).strip("'"),
        secret.replace("'", "''"),
        secret.replace("\\", "\\\\").replace("'", "\\'"),
    }
    if len(raw) > _SHORTEST_PART:
        # As a part of something longer ("user:secret") it stands at one of three offsets.
        for offset in range(3):
            coded = base64.b64encode(b"\0" * offset + raw).decode()
            own = coded[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]
            found |= {own, own.replace("+", "-").replace("/", "_")}
        found.add(raw.hex())
    return {one for one in found if len(one) >= _SHORTEST}
