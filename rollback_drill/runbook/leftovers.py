"""Whether a line that nobody used looks like something to do, to check or to hold, all the same.

It looks at lines as they stand in the file, and knows nothing of how Markdown was understood: what
the reader overlooked, or Markdown threw away, must not vanish.
"""

from __future__ import annotations

import html
import re

from rollback_drill.runbook.sessions import plainly_shell
from rollback_drill.runbook.text import plain_spaces
from rollback_drill.runbook.titles import KEYWORD, bare

_MOST_LETTERS = 2_000
_QUOTE = re.compile(r"^(?:\s*>)+")
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d{1,9}[.)])\s+")
_BOX = re.compile(
    r"^\s*(?:(?:[-*+•–—]|\d{1,9}[.)])\s*)*(?:\[(?: {0,3}|[xX✓✔✗✘])\](?![:(])|[☐☑☒□▢⬜🔲🗹])"
    r"|\|\s*(?:\[(?: {0,3}|[xX✓✔])\](?![:(])|[☐☑☒□▢⬜🔲🗹])"
    r"|<input\b[^>]*checkbox"
)
_TICK = re.compile(r"^\s*(?:[-*+•–—] |\d{1,9}[.)] )?\s*[✅✔✓❏❑○◯]\ufe0f?\s")
_FENCE = re.compile(r"^\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(?:```|~~~)")
_HEADING = re.compile(r"^\s*#{1,6}\s+(?P<title>.+)$")
_BOLD = re.compile(r"^\s*(?:\*\*|__|<(?:b|strong|h[1-6])>)(?P<title>.+)$", re.IGNORECASE)
_HTML = re.compile(r"<(?:pre|code|ol|ul|li|table|tr|td|script)\b", re.IGNORECASE)
_CODE = re.compile(r"`([^`]+)`")
_RUN = re.compile(
    r"\b(?:run|execute|type|enter|issue|use|using|with|via)\b(?: the| this)?(?: command)?:? "
    r"`([^`]+)`",
    re.IGNORECASE,
)
# "Step 2: Restart" as a line of its own: whoever wrote it meant a heading.
_PART = re.compile(
    r"(?:step|procedure|phase|stage|option|method)\s*#?\d{1,4}\s*(?:\([^()]*\)\s*)?"
    r"[:.)\u2010-\u2015\uff1a-]\s*\w",
    re.IGNORECASE,
)
# As words of a sentence, not within an option ("--only-show-errors") or a path.
_PROSE = re.compile(
    r"(?<![\w/=-])(?:the|a|an|is|are|was|were|be|will|has|have|must|should|can|may|it|its|this|that|and|or|of|"
    r"in|on|to|for|with|returns?|shows?|needs?|uses?|used|says?)(?![\w/=-])",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
# A line that is shell or SQL, though no whole command: of a block that came apart.
_FRAGMENT = re.compile(
    r"\s*(?:"
    r"(?:for|while|until|if|elif)\s.*;\s*(?:do|then)\b"
    r"|(?:else|done|fi|esac)\s*(?:[|<>&;].*)?$"
    r"|(?:(?:export|local|readonly|declare)\s+)?[A-Za-z_]\w*=(?:[\"'$]|\S+$)"
    r"|(?:\|\||&&)\s(?!.*\|\s*$)"  # a row of a table ends with a bar
    r"|--?[A-Za-z][\w-]*[ =].*[\"'$\\]"
    r"|\[\[?\s.*\s\]\]?(?:\s|;|$)"
    r"|\w.*(?:\$\(|>\s*&\d|<<-?\s*[\"']?[A-Z]+|\d<>?\"|>\s*\"\$)"
    r"|\\(?:copy|i|set)\s"
    r"|'.*'\s\|\|\s"
    r"|(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|TRUNCATE|GRANT|REVOKE|FROM|WHERE|AND|JOIN)"
    r"\s.*(?:=|\w\(|;\s*$)"
    r")"
)
BARE_COMMAND = "a command outside every block, which nobody performs"
BOX, BLOCK = "a box outside every list that is verified", "a block outside all that is performed"


def looks_like(line: str) -> str:
    """Return what `line` looks like, with why it was not taken; "" for prose."""
    text = _QUOTE.sub("", plain_spaces(html.unescape(line[:_MOST_LETTERS])))
    text = re.sub(r"^\s*<!--+\s*", "", text) or text
    if _BOX.search(text) or _TICK.match(text):
        return BOX
    if _FENCE.match(text):
        return BLOCK
    if _HTML.search(text):
        return "HTML, which nobody reads"
    titled = _HEADING.match(text) or _BOLD.match(text)
    item = _BULLET.match(text)
    title = titled["title"] if titled else text[item.end() :] if item else ""
    name = bare(title)
    if KEYWORD.match(name) or (not title and _PART.match(bare(text))):
        name = name or bare(text)
        return f"it begins like a part of a rollback (“{name[:40]}”), and is none that is known"
    words = (text[item.end() :] if item else text).replace("-->", "")
    whole = not _PROSE.search(_QUOTED.sub("", words)) and _is_command(words)
    if whole or _FRAGMENT.match(_CODE.sub("", words)):
        return BARE_COMMAND
    spans = _CODE.findall(text) if item else _RUN.findall(text)
    if any(_is_command(span) for span in spans):
        return "a command within a sentence, which nobody performs: give it a block of its own"
    return ""


def _is_command(text: str) -> bool:
    begun = text.strip().rstrip("\\")  # of one that goes on in the next line
    begun += '"' * (begun.count('"') % 2)  # as its quotation may
    return len(begun.split()) > 1 and plainly_shell(begun)
