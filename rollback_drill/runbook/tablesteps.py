"""Steps that stand in the rows of a table, and commands that stand in a line of their own."""

from __future__ import annotations

import re

from rollback_drill.runbook.model import Checkbox
from rollback_drill.runbook.outline import Fence, Row, Section
from rollback_drill.runbook.sessions import plainly_shell


def fence_of(command: str, line: int) -> Fence:
    """Return `command`, which stands in `line`, as a block."""
    return Fence("bash", command + "\n", line, line, line, "")


_COMMAND_COLUMN = re.compile(
    r"^(?:commands?|how|code|run|what to (?:do|run)|instructions?|command to run|cmd|procedure)$"
)
_TITLE_COLUMN = re.compile(r"^(?:action|step|what|task|description|title)$")
_TIME_COLUMN = re.compile(r"^(?:time|duration|budget|eta|estimate)$")
_CONDITION_COLUMN = re.compile(r"^(?:when|condition|if|notes?|remarks?|comments?)$")
_CONDITION = re.compile(r"(?:only|if|when|unless|optional|in case)\b", re.IGNORECASE)
# "major versions", "v4 hosts": of which the row is, and of which it is not.
_WHERE = re.compile(
    r"(?!all\b|every\b|each\b|both\b)(?:[\w./-]+ ){0,3}(?:versions?|hosts?|clusters?|nodes?|sites?|"
    r"environments?|envs?|users?|customers?|tenants?|mode|regions?|staging|migrations?)\W*",
    re.IGNORECASE,
)
# Rows of such a table are not one after the other: of each somebody must say whether it is meant.
_WAYS_COLUMN = re.compile(
    r"^(?:scenario|situation|case|problem|symptom|failure|issue|cause|type|option|method|way|service"
    r"|component|platform|env|environment|region|system|tool|app|application|cluster|stack|layer|"
    r"resource|target|database|db)s?$"
)
_CHECK_COLUMN = re.compile(r"^(?:verify|verification|check|expected|expected result|validation)$")


def command_rows(section: Section) -> list[tuple[int, str, str, str, str]]:
    """Return (line, title, command, time, check) of the rows of a table of steps."""
    found = []
    for row in section.rows:
        command = _cell(row.cells, _COMMAND_COLUMN)
        ways = any(_WAYS_COLUMN.match(name) for name in row.cells)
        if command and not ways and plainly_shell(command):
            titles = [cell for name, cell in row.cells.items() if _TITLE_COLUMN.match(name)]
            title = next((one for one in titles if not one.strip().isdigit()), command)
            time, check = _cell(row.cells, _TIME_COLUMN), _cell(row.cells, _CHECK_COLUMN)
            condition = _cell(row.cells, _CONDITION_COLUMN)
            if _CONDITION.match(condition):
                title = f"{title} ({condition})"
            elif _WHERE.fullmatch(condition):
                title = f"{title} (only: {condition})"
            found.append((row.line, title, command, time, check))
    return found


def _cell(cells: dict[str, str], column: re.Pattern[str]) -> str:
    return next((cell.strip() for name, cell in cells.items() if column.match(name)), "")


def of_row(row: tuple[int, str, str, str, str]) -> Section:
    """Return a row as `command_rows` gives it, as a step."""
    line, title, command, time, check = row
    name = f"{title} ({time})" if time else title
    boxes = [("", Checkbox(check, line))] if re.search(r"\w", check) else []
    return Section(name, 0, line, line, fences=[fence_of(command, line)], boxes=boxes)


_BOX_CELL = re.compile(r"\[[ xX✓✔]{0,3}\]|[☐☑☒□▢⬜🔲🗹✅✔✓❏]\ufe0f?")
_EXPECTED_COLUMN = re.compile(r"^(?:expected(?: \w+)?|target|threshold|limit|goal|should be)$")
_OF_NOBODY = re.compile(
    r"^(?:#|no\.?|nr\.?|owner|who|responsible|status|done|ok|result|pass(?:ed)?)$"
)


def checked_in(row: Row) -> str:
    """Return what a row of a table of checks says: its one cell beside a box, or what is looked at
    and what is expected, “Error rate” and “< 1%”; "" where it says more, or something else.
    """
    boxed = any(_BOX_CELL.fullmatch(cell.strip()) for cell in row.cells.values())
    said = {
        name: cell.strip()
        for name, cell in row.cells.items()
        if re.search(r"\w", cell) and not _OF_NOBODY.match(name) and not _BOX_CELL.fullmatch(cell)
    }
    expected = [name for name in said if _EXPECTED_COLUMN.match(name)]
    if len(said) == 1 and boxed and not expected:
        return next(iter(said.values()))
    if len(said) != 2 or len(expected) != 1:
        return ""
    limit = said.pop(expected[0])
    what = next(iter(said.values()))
    return f"{what} {limit}" if re.match(r"[<>≤≥]", limit) else f"{what}: {limit}"
