"""Simulated clients of a service that is described by its operations; see `traffic.interface`.

What they wrote they read again where the description says how, from a few seconds later on.
"""

from __future__ import annotations

import random
import re
from collections import deque
from itertools import accumulate

from rollback_drill.ground.clock import now
from rollback_drill.traffic.contradictions import Contradiction, Contradictions, Invariant
from rollback_drill.traffic.crowd import Ask, Simulated, crowd
from rollback_drill.traffic.interface import DESCRIBED, Interface, Operation
from rollback_drill.traffic.observation import Outcome
from rollback_drill.traffic.orders import Orders

_NUMBERS = 1_000_000
_LONGEST = 8_000  # characters of a URL
_PATH = re.compile(r"/[!-~]*")
_AGAIN = " again"  # follows the name of a write that is read back
_AGAIN_SHARE = 0.1  # of reads
_SETTLES_S = 3.0  # a service may take a moment before it shows what it acknowledged
_REMEMBERED = 200
_GONE = (404, 410)
_LATER = 202  # accepted, and done some time


@crowd(DESCRIBED)
class DescribedCrowd:
    """See traffic.crowd.Crowd."""

    def __init__(self, names: list[str], seed: int, run: str, interface: Interface) -> None:
        self.clients = [Simulated(name) for name in names]
        self.orders = Orders()  # of which these clients only begin anew
        self._anew = self.orders.anew
        self._operations = {one.name: one for one in interface.operations}
        self._weights = list(accumulate(one.weight for one in interface.operations))
        self._random = random.Random(seed)
        self._run = run
        self._writes = 0
        self.contradictions = Contradictions()
        self._written: deque[tuple[float, Ask]] = deque(maxlen=_REMEMBERED)
        self._next: dict[tuple[str, str], str] = {}  # (client, operation) -> path of the next page

    def ask(self, i: int) -> Ask:
        """Return request number `i`: its client's next turn."""
        if self.orders.anew != self._anew:
            self._anew = self.orders.anew
            self._begin_anew()
        client = self.clients[i % len(self.clients)]
        (operation,) = self._random.choices(
            list(self._operations.values()), cum_weights=self._weights
        )
        again = self._again(client) if operation.reads and self._written else None
        if again:
            return again
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
        if status in (502, 503, 504):
            self._begin_anew()
        if ask.operation not in self._operations:
            return self._hold(ask, status, content), ""
        operation = self._operations[ask.operation]
        if ask.reference and 200 <= status < 300 and status != _LATER:
            self._written.append((now(), ask))
        further = following(operation, headers)
        self._next[ask.client.name, operation.name] = further or ""
        good = further is not None and operation.contains.encode() in content
        return _outcome(status, good=good), ""

    def _begin_anew(self) -> None:
        """What was written before counts no more: the service may be another release."""
        self._written.clear()
        self.contradictions.begin_anew()

    def _again(self, client: Simulated) -> Ask | None:
        """Return a question about something that was written, now and then."""
        at, written = self._random.choice(self._written)
        if now() - at < _SETTLES_S or self._random.random() >= _AGAIN_SHARE:
            return None
        operation = self._operations[written.operation]
        path = operation.filled(operation.read_back, written.reference)
        name = written.operation + _AGAIN
        return Ask(client, name, "GET", path, subject=written.reference)

    def _hold(self, ask: Ask, status: int, content: bytes) -> Outcome:
        """Hold the answer about something that was written, and still counts, against that."""
        told = any(one.reference == ask.subject for _, one in self._written)
        if told and (status in _GONE or 200 <= status < 300):
            self.contradictions.compared[Invariant.WRITTEN] += 1
            if status in _GONE or ask.subject.encode() not in content:
                asked, seen = f"GET {ask.path}", f"{status} without it"
                found = Contradiction(Invariant.WRITTEN, ask.operation, asked, ask.subject, seen)
                self.contradictions.add(found)
        return _outcome(status, good=True)

    def never_sent(self, ask: Ask) -> None:
        """See Crowd.never_sent: nobody waits for it."""


def _outcome(status: int, *, good: bool) -> Outcome:
    if 200 <= status < 300:
        return Outcome.OK if good else Outcome.BAD_BODY
    if status in (502, 503, 504):
        return Outcome.UNAVAILABLE
    if status >= 500:
        return Outcome.SERVER_ERROR
    return Outcome.REJECTED if status >= 400 else Outcome.BAD_BODY


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
