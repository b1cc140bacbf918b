"""The simulated clients of one worker: what each asks next, and what it learns from the answer.

To add one for a service, put a file `crowds.py` into its folder with a class under `@crowd`. It
does no input and no output: generators (`load/`) send what it asks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from rollback_drill.family import Family
from rollback_drill.traffic.contradictions import Contradictions
from rollback_drill.traffic.interface import Interface
from rollback_drill.traffic.observation import Outcome
from rollback_drill.traffic.orders import Orders


@dataclass(slots=True)
class Simulated:
    """One simulated client."""

    name: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a `client`. For writes: `reference` is the write's own, `subject` the
    reference of what it makes or changes, `body` the JSON text that is sent.
    """

    client: Simulated
    operation: str
    method: str
    path: str
    body: str = ""
    reference: str = ""
    subject: str = ""
    bad_key: bool = False


_Asked = TypeVar("_Asked", bound=Ask)


class Crowd(Protocol[_Asked]):
    """All clients of one worker. `orders`: how they are to behave from now on; `contradictions`:
    what of their answers cannot be true.
    """

    orders: Orders
    contradictions: Contradictions

    def ask(self, i: int) -> _Asked:
        """Return request number `i`: its client's next turn."""
        ...

    def learn(
        self, ask: _Asked, status: int, content: bytes, headers: dict[str, str]
    ) -> tuple[Outcome, str]:
        """Return (outcome, format) of an answer to `ask`; its client remembers what it needs."""
        ...

    def never_sent(self, ask: _Asked) -> None:
        """Learn that `ask` was not sent, so that nothing is in doubt."""
        ...


CROWDS: Family[Callable[[list[str], int, str, Interface], Crowd[Any]]] = Family("crowds", "a crowd")
_Make = TypeVar("_Make", bound=Callable[[list[str], int, str, Interface], Crowd[Any]])


def crowd(name: str) -> Callable[[_Make], _Make]:
    """Add the decorated class to the family: the clients of the service called `name`.

    It is made of the clients' names, a seed, a text that is in all references of this run, and the
    service's interface.
    """

    def add(make: _Make) -> _Make:
        CROWDS.add(name, make, make)
        return make

    return add
