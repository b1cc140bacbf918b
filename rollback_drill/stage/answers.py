"""What a service may answer: anything. What cannot be used is a bad answer, and never our error."""

from __future__ import annotations

from typing import Any

from rollback_drill.record.decoding import Flaw, load


class NoAnswer(Exception):
    """Nothing came that could be used; its text says in a sentence what came instead.

    `status`: of the answer, 0 when none came.
    """

    def __init__(self, reason: str, status: int = 0) -> None:
        self.reason, self.status = reason, status
        super().__init__(reason)


class BadAnswer(NoAnswer, ValueError):
    """An answer came, but not one that a client can use."""


def parse_json(content: bytes) -> Any:
    """Return the value that `content` is in JSON. Raises BadAnswer for everything else."""
    try:
        return load(content.decode("utf-8-sig"))
    except Flaw as flaw:
        raise BadAnswer(f"not JSON: {flaw}") from None
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise BadAnswer(f"not Unicode: {error.reason}") from None
    except ValueError as error:
        raise BadAnswer(f"not JSON: {error}") from None
