"""Looks at what the release depends on: the database for itself, and the way to the hosts.

These fail when something else than the release is broken, which no rollback would mend.
"""

from __future__ import annotations

from rollback_drill.ground import clock
from rollback_drill.ground.errors import StageError
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.words import each_said
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.asking import keyed
from rollback_drill.watch.probe import front_health
from rollback_drill.watch.sentinel import Look, StageSentinel, sentinel
from rollback_drill.watch.told import DATABASE, FRONT_DOOR, SLOWER

_LIMIT_S = 2.0
_SLOW_S = 1.0
_LATER_S = 0.2  # two looks of which every answer is so late are no accident
_TIMES = 3
_TIMES_SLOWER = 3.0
_RESERVED = 3  # so near to its limit a server has no room


@sentinel
class DatabaseServer(StageSentinel):
    """Fails when Postgres does not answer its administrator, others than the service fill it, or
    the service waits for a lock of somebody else.
    """

    name = DATABASE
    needs = ("database",)
    every_s = 0.4

    def look(self) -> Look:
        """Ask as the administrator, past the service."""
        database, user = self._stage.database, self._stage.environment.get("DB_USER")
        try:
            sessions = database.sessions()
            used, limit = database.connections()
        except StageError as error:
            return Look(
                Verdict.FAILED, f"Postgres does not answer its administrator: {error.found}"
            )
        # Sessions that are just starting belong to nobody yet.
        others = sum(one.count for one in sessions if one.user not in (user, ""))
        own = sum(one.count for one in sessions if one.user == user)
        told = f"Postgres answers; {own} sessions of the service, {others} of others, limit {limit}"
        if user is None:
            told = f"Postgres answers; {used} of {limit} sessions are used, nobody says by whom"
            others = 0
        if used >= limit - _RESERVED and others > own:
            return Look(Verdict.FAILED, f"others fill Postgres: {told}")
        waiting = sum(one.blocks for one in sessions if one.user not in (user, ""))
        if waiting and user is not None:
            return Look(
                Verdict.FAILED, f"{waiting} sessions wait for a lock of another application; {told}"
            )
        began = clock.monotonic()
        try:
            database.fetch(self._stage.subject.control)
        except StageError as error:
            return Look(Verdict.UNKNOWN, f"a control query could not be made: {error.found}")
        took = clock.monotonic() - began
        if took >= _SLOW_S:
            return Look(Verdict.UNKNOWN, f"a control query took {took:.1f} s; {told}")
        return Look(Verdict.PASSED, f"{told}; a control query took {took * 1000:.0f} ms")


@sentinel
class FrontDoor(StageSentinel):
    """Fails when clients get no answer although every host is ready and serves lists, or get each
    one far later than the hosts give it.
    """

    name = FRONT_DOOR
    needs = ()
    every_s = 0.5

    def look(self) -> Look:
        """Ask every host itself, then the front door."""
        hosts = {name: self._serves(url) for name, url in self._stage.direct_urls.items()}
        front = front_health(self._stage)
        told = f"front door {front}, {each_said(hosts)}"
        if set(hosts.values()) != {200}:
            return Look(Verdict.PASSED, f"the front door does not differ from its hosts: {told}")
        if front != 200:
            return Look(Verdict.FAILED, f"the front door fails although its hosts serve: {told}")
        later_s, timed = self._later()
        if later_s >= _LATER_S:
            return Look(Verdict.FAILED, f"the way to the hosts is slow: {timed}", {SLOWER: later_s})
        return Look(
            Verdict.PASSED, f"the front door does not differ from its hosts: {told}; {timed}"
        )

    def _later(self) -> tuple[float, str]:
        """Return by how many seconds the front door is slower than its hosts at the least.

        All are asked at the same moment for what has nothing to do with pages, so that a host that
        is slow or pauses is so on both sides. The fastest answer through the front door must come
        after thrice the slowest past it: else there is no difference.
        """
        path = self._stage.interface.health
        urls = [self._stage.base_url, *self._stage.direct_urls.values()]
        with http.Client(limit_s=_LIMIT_S) as client:
            took = clock.at_once(lambda url: _took_s(client, url + path), _TIMES * urls)
        fronts = [took[i] for i in range(0, len(took), len(urls))]
        others = [one for i, one in enumerate(took) if i % len(urls)]
        told = (
            f"{path} took at least {min(fronts) * 1000:.0f} ms through the front door and at most "
            f"{max(others) * 1000:.0f} ms past it"
        )
        apart = min(fronts) >= _TIMES_SLOWER * max(others)
        return (min(fronts) - max(others) if apart else 0.0), told

    def _serves(self, url: str) -> int:
        """Return 200 when the host is ready and serves lists, else the first other status."""
        subject, key = self._stage.subject, keyed(self._stage)
        try:
            for path in (subject.ready, subject.probe):
                status = http.get(url + path, headers=key, limit_s=_LIMIT_S).status
                if status != 200:
                    return status
        except NoAnswer:
            return 0
        return 200


def _took_s(client: http.Client, url: str) -> float:
    """Return how long an answer takes, the limit when none comes."""
    began = clock.monotonic()
    try:
        client.get(url)
    except NoAnswer:
        return _LIMIT_S
    return clock.monotonic() - began
