"""What can go wrong, as a user reads it: expected, found, what to try; and the exit code."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command of the suite."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    UNKNOWN = 3


class DrillError(Exception):
    """An error with a sentence for the user. `exit` is the code that the command ends with."""

    exit = Exit.FAILED

    def __init__(self, expected: str, found: str, advice: str) -> None:
        self.expected, self.found, self.advice = expected, found, advice
        super().__init__(f"expected {expected}; found {found}; {advice}")


class UsageError(DrillError):
    """The user asked for something that does not exist or cannot be done here."""

    exit = Exit.USAGE


class StageError(DrillError):
    """The stage could not be brought up, or a part of it stopped answering.

    The drill could not be held, which says nothing about the rollback: unknown.
    """

    exit = Exit.UNKNOWN


class NotOffered(StageError):
    """The stage does not say how this is to be had: it was left out, and is not broken."""


class WaitTimeout(DrillError):
    """A condition did not come true before its deadline."""

    exit = Exit.UNKNOWN


def in_words(error: BaseException) -> str:
    """Return what a thread or a drill died of, where nobody expected an error."""
    words = " ".join(str(error).split())[:300]
    return f"it died of {type(error).__name__}" + (f": {words}" if words else "")
