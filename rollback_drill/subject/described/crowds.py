"""Simulated clients of a service that is described by its operations; see `traffic.interface`."""

from __future__ import annotations

import random
import re
from itertools import accumulate

from rollback_drill.traffic.crowd import Ask, Simulated, crowd
from rollback_drill.traffic.interface import DESCRIBED, Interface, Operation
from rollback_drill.traffic.observation import Outcome
from rollback_drill.traffic.orders import Orders

_NUMBERS = 1_000_000
_LONGEST = 8_000  # characters of a URL
_PATH = re.compile(r"/[!-~]*")


@crowd(DESCRIBED)
class DescribedCrowd:
    """See traffic.crowd.Crowd."""

    def __init__(self, names: list[str], seed: int, run: str, interface: Interface) -> None:
        self.clients = [Simulated(name) for name in names]
        self.orders = Orders()  # these clients take none
        self._operations = {one.name: one for one in interface.operations}
        self._weights = list(accumulate(one.weight for one in interface.operations))
        self._random = random.Random(seed)
        self._run = run
        self._writes = 0
        self._next: dict[tuple[str, str], str] = {}  # (client, operation) -> path of the next page

    def ask(self, i: int) -> Ask:
        """Return request number `i`: its client's next turn."""
        client = self.clients[i % len(self.clients)]
        (operation,) = self._random.choices(
            list(self._operations.values()), cum_weights=self._weights
        )
        if operation.reads:
            path = self._next.get((client.name, operation.name)) or operation.path
            return Ask(client, operation.name, operation.method, path)
        self._writes += 1
        reference = f"{self._run}-{self._writes}"
        number = self._random.randrange(_NUMBERS)
        return Ask(
            client,
            operation.name,
            operation.method,
            operation.filled(operation.path, reference, number),
            operation.filled(operation.body, reference, number),
            reference if operation.read_back else "",
            reference,
        )

    def learn(
        self, ask: Ask, status: int, content: bytes, headers: dict[str, str]
    ) -> tuple[Outcome, str]:
        """Return (outcome, "") of an answer to `ask`; its client goes on where the answer says."""
        operation = self._operations[ask.operation]
        further = following(operation, headers)
        self._next[ask.client.name, operation.name] = further or ""
        if 200 <= status < 300:
            good = further is not None and operation.contains.encode() in content
            return (Outcome.OK if good else Outcome.BAD_BODY), ""
        if status in (502, 503, 504):
            return Outcome.UNAVAILABLE, ""
        if status >= 500:
            return Outcome.SERVER_ERROR, ""
        return (Outcome.REJECTED if status >= 400 else Outcome.BAD_BODY), ""

    def never_sent(self, ask: Ask) -> None:
        """See Crowd.never_sent: nobody waits for it."""


def following(operation: Operation, headers: dict[str, str]) -> str | None:
    """Return the path and query of the next page, "" to begin again, None for what is no URL."""
    url = headers.get(operation.follow.lower(), "") if operation.follow else ""
    if not url:
        return ""
    _, scheme, rest = url.partition("://")
    if scheme and url.find("/") > url.find(":"):
        _, slash, rest = rest.partition("/")
        url = slash + rest
    return url if len(url) <= _LONGEST and _PATH.fullmatch(url) else None
