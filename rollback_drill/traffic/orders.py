"""Orders to running generators: a file in their folder that they look at a few times a second."""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rollback_drill.ground import files
from rollback_drill.ground.clock import now

NAME = "orders.json"
_BEGIN = "begin"


@dataclass(frozen=True, slots=True)
class Orders:
    """How clients are to behave. `rogue`: a client's name, who sends `rogue_share` of all requests,
    each with a bad `rogue_kind` ("cursor" or "key"); `cursor_share`: how often one is followed.
    `anew`: when it was ordered last that what they know of the service counts no more, in Unix
    seconds; another time than before is a new order.
    """

    rogue: str = ""
    rogue_kind: str = "cursor"
    rogue_share: float = 0.0
    cursor_share: float = 1.0
    anew: float = 0.0


_USUAL = Orders()


def give(directory: Path, orders: Orders) -> None:
    """Leave `orders` for the generators whose files are in `directory`."""
    files.write(directory / NAME, json.dumps(asdict(orders)))


def begin_anew(directory: Path) -> None:
    """Have generators in `directory` forget what they know of the service, and go on."""
    give(directory, replace(read_orders(directory), anew=now()))


def read_orders(directory: Path) -> Orders:
    """Return the orders that were left in `directory`, the usual behaviour when there are none."""
    path = _place(directory)
    try:
        found = path.stat()
        return _orders_of(path, found.st_ino, found.st_mtime_ns)
    except FileNotFoundError:
        return _USUAL


@functools.lru_cache(maxsize=8)
def _place(directory: Path) -> Path:
    return directory / NAME


@functools.lru_cache(maxsize=8)  # who looks at them many times a second reads them once
def _orders_of(path: Path, inode: int, written_ns: int) -> Orders:
    del inode, written_ns  # by which a file is known that was put in another's place
    return Orders(**json.loads(path.read_text(encoding="utf-8")))


def hold_back(directory: Path) -> None:
    """Have generators that start in `directory` load, and send nothing before `let_begin`."""
    files.remove(directory / _BEGIN)


def let_begin(directory: Path) -> None:
    """Let the generators in `directory` send."""
    files.write(directory / _BEGIN, "")


def may_begin(directory: Path) -> bool:
    """Whether a generator in `directory` may send."""
    return (directory / _BEGIN).exists()
