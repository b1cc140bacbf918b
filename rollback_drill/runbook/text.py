"""The bytes of a document as text whose lines are counted as editors count them."""

from __future__ import annotations

import codecs
import re
import unicodedata
from pathlib import Path

from rollback_drill.ground.errors import UsageError

_MOST_BYTES = 1024 * 1024
_MOST_LINES = 10_000  # some 200 pages; Markdown takes 0.1 ms and more a line
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Python and Markdown disagree on whether these end a line; editors show no new line for them.
SEPARATORS = re.compile("[\x00\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff\ufe0e\ufe0f]")


def read_text(path: Path) -> tuple[bytes, str]:
    """Return the bytes of the file `path` and the text that they are.

    Lines of the text end with a line feed and with nothing else. UTF-8 is read, and UTF-16 and
    UTF-32 with a byte order mark. Raises UsageError for anything else.
    """
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"a runbook at {path}", "no ordinary file", "set RUNBOOK=FILE")
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or str(error)
        advice = "set RUNBOOK=FILE; RUNBOOK=demo is that of the demo service"
        raise UsageError(f"a runbook at {path}", found, advice) from error
    if len(raw) > _MOST_BYTES:
        raise UsageError(
            f"a runbook of at most {_MOST_BYTES >> 20} MB", f"more in {path}", "set RUNBOOK=FILE"
        )
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise UsageError(
            f"UTF-8 text in {path}, or UTF-16 with a byte order mark",
            str(error),
            "save it as UTF-8",
        ) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\n") > _MOST_LINES:
        raise UsageError(
            f"a runbook of at most {_MOST_LINES} lines", f"more in {path}", "set RUNBOOK=FILE"
        )
    return raw, text


def without_separators(text: str) -> str:
    """Return `text` with what might be taken for the end of a line replaced by spaces."""
    return SEPARATORS.sub(" ", text)


def plain_spaces(text: str) -> str:
    """Return `text` with every kind of space as a space, and without what nobody can see."""
    text = _INVISIBLE.sub("", text)
    if text.isascii():
        return text
    return "".join(" " if unicodedata.category(one) == "Zs" else one for one in text)
