"""Everything that is wrong with a document, collected so that a user mends it in one go."""

from __future__ import annotations

from pathlib import Path

from rollback_drill.ground.errors import UsageError

FORM = "docs/runbook.md"
"""The page that describes what is read, with an example."""


class RunbookError(UsageError):
    """A document that is no runbook. `problems` are sentences with their line numbers."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(
            f"a runbook of a form that {FORM} describes in {path}",
            f"{len(problems)} problem(s):\n  " + "\n  ".join(problems) + "\n",
            f"mend these lines; {FORM} has an example, and what a staging file can say instead",
        )


class Problems:
    """A list of problems of one document."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: list[tuple[int, str]] = []

    def add(self, line: int, expected: str, found: str) -> None:
        """Remember that in `line` (1-based; 0: nowhere in particular) something is not right."""
        self.found.append((line, f"expected {expected}; found {found}"))

    def told(self) -> list[str]:
        """Return what is wrong in sentences with their lines."""
        return [
            f"{self.path.name}:{line}: {text}" if line else f"{self.path.name}: {text}"
            for line, text in sorted(self.found)
        ]

    def raise_if_any(self) -> None:
        """Raise RunbookError when something was added."""
        if self.found:
            raise RunbookError(self.path, self.told())
