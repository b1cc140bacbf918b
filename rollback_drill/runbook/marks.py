"""What became of each line of a document, as far as the reader says so itself."""

from __future__ import annotations


class Marks:
    """Lines (1-based) that were used, with what they are, and lines that were not, with why."""

    def __init__(self) -> None:
        self.used: dict[int, str] = {}
        self.prose: dict[int, str] = {}
        self.unread: dict[int, str] = {}
        self.belongs: dict[int, int] = {}

    def use(self, line: int, part: str, last: int = 0) -> None:
        """Say that the lines from `line` to `last` are `part`; what was said first stands."""
        for number in range(line, max(line, last) + 1):
            self.used.setdefault(number, part)

    def pass_over(self, line: int, part: str, last: int = 0) -> None:
        """Say that the lines from `line` to `last` only say or show something."""
        for number in range(line, max(line, last) + 1):
            self.prose.setdefault(number, part)

    def refuse(self, line: int, why: str) -> None:
        """Say that `line` was not taken, whatever else it was used for."""
        told = self.unread.get(line)
        self.unread[line] = f"{told}; {why}" if told and why not in told else why

    def belong(self, line: int, last: int) -> None:
        """Say that the lines up to `last` go with the unread one in `line`."""
        for number in range(line + 1, last + 1):
            self.belongs[number] = line

    def knows(self, line: int) -> bool:
        """Whether anything was said of `line`."""
        return any(line in one for one in (self.used, self.prose, self.unread, self.belongs))
