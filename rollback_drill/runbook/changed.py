"""What changed in a document, line by line."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from rollback_drill.ground.redact import masked

_CONTEXT = 3  # lines around a change, as diff(1) shows them


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """A line before, now, or in both; its numbers there, 0 where it is not. `mark`: as diff(1)
    writes it: "-" gone, "+" new, " " as it was.
    """

    mark: str
    before: int
    now: int
    text: str


@dataclass(frozen=True, slots=True)
class ChangedPassage:
    """Changes that stand together, with what is around them. `before` and `now`: the first and
    last line that they touch, in the older and in the newer text.
    """

    lines: tuple[ChangedLine, ...]
    before: tuple[int, int]
    now: tuple[int, int]

    @property
    def told(self) -> str:
        """Where in the newer text it stands, in words."""
        first, last = self.now
        if not any(line.mark == "+" for line in self.lines):
            return f"Behind line {first}"
        return f"Line {first}" if first == last else f"Lines {first} to {last}"


def passages(before: str, now: str) -> tuple[ChangedPassage, ...]:
    """Return where two texts differ; secrets are masked in both."""
    old, new = masked(before).splitlines(), masked(now).splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    found = []
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        lines: list[ChangedLine] = []
        for tag, first, last, first_now, last_now in group:
            if tag == "equal":
                pairs = zip(range(first, last), range(first_now, last_now), strict=True)
                lines += [ChangedLine(" ", a + 1, b + 1, old[a]) for a, b in pairs]
                continue
            lines += [ChangedLine("-", n + 1, 0, old[n]) for n in range(first, last)]
            lines += [ChangedLine("+", 0, n + 1, new[n]) for n in range(first_now, last_now)]
        changes = [one for one in group if one[0] != "equal"]
        found.append(
            ChangedPassage(
                tuple(lines),
                _touched(changes[0][1], changes[-1][2]),
                _touched(changes[0][3], changes[-1][4]),
            )
        )
    return tuple(found)


def _touched(first: int, last: int) -> tuple[int, int]:
    """Return lines from 1 on; of none, the one before and the one behind where they would be."""
    return (first + 1, last) if last > first else (first, first + 1)


def as_diff(found: tuple[ChangedPassage, ...]) -> str:
    """Return `found` as diff(1) writes it, "" for none."""
    told = []
    for one in found:
        old = [line.before for line in one.lines if line.before]
        new = [line.now for line in one.lines if line.now]
        told.append(f"@@ -{_span(old)} +{_span(new)} @@")
        told += [f"{line.mark}{line.text}" for line in one.lines]
    return "\n".join(told)


def _span(numbers: list[int]) -> str:
    return f"{numbers[0]},{len(numbers)}" if numbers else "0,0"
