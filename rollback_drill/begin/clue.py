"""What a look found: a value for a key of the staging file, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Clue:
    """`place`: the key, as in "stage.failing" or "hosts.directory", or a note for people ("", then
    `value` is its words). `where`: what told it. The first of several for one key is taken.
    """

    place: str
    value: Any
    where: str
