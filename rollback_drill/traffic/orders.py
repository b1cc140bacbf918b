"""Orders to running generators: a file in their folder that they look at a few times a second."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rollback_drill.ground import files

NAME = "orders.json"
_BEGIN = "begin"


@dataclass(frozen=True, slots=True)
class Orders:
    """How clients are to behave. `rogue`: a client's name, who sends `rogue_share` of all requests,
    each with a bad `rogue_kind` ("cursor" or "key"); `cursor_share`: how often one is followed.
    """

    rogue: str = ""
    rogue_kind: str = "cursor"
    rogue_share: float = 0.0
    cursor_share: float = 1.0


def give(directory: Path, orders: Orders) -> None:
    """Leave `orders` for the generators whose files are in `directory`."""
    files.write(directory / NAME, json.dumps(asdict(orders)))


def read_orders(directory: Path) -> Orders:
    """Return the orders that were left in `directory`, the usual behaviour when there are none."""
    try:
        return Orders(**json.loads((directory / NAME).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Orders()


def hold_back(directory: Path) -> None:
    """Have generators that start in `directory` load, and send nothing before `let_begin`."""
    files.remove(directory / _BEGIN)


def let_begin(directory: Path) -> None:
    """Let the generators in `directory` send."""
    files.write(directory / _BEGIN, "")


def may_begin(directory: Path) -> bool:
    """Whether a generator in `directory` may send."""
    return (directory / _BEGIN).exists()
