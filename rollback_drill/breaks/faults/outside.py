"""Causes that the release has no part in: a rollback does not help, and must not be done."""

from __future__ import annotations

import statistics

from rollback_drill.breaks.fault import OutsideCause, Scene, fault
from rollback_drill.breaks.neighbour import Neighbour
from rollback_drill.ground import clock
from rollback_drill.ground.errors import StageError
from rollback_drill.ground.words import each_said
from rollback_drill.stage import http
from rollback_drill.watch.probe import front_health, hosts_health

_LATE_S = 0.6
_TIMES_LATE = 5.0  # of the healthy p95, so that thrice of it is far below …
_LATEST_S = 2.0  # … and the patience of load balancers' health checks above
_TIMED = 3


@fault
class PostgresDown(OutsideCause):
    """The database server is stopped."""

    name = "postgres-down"
    symptom = "the administrator cannot connect to Postgres"

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        scene.stage.stop_database()
        return "the database server was stopped"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Try to connect as the administrator."""
        try:
            scene.stage.database.connections()
        except StageError as error:
            return True, f"Postgres does not answer its administrator: {error.found}"
        return False, "Postgres answers its administrator"

    def heal(self, scene: Scene) -> None:
        """See Fault.heal."""
        scene.stage.start_database()


@fault
class NeighbourConnections(Neighbour):
    """A neighbour takes every connection that becomes free, and the service lost its own."""

    name = "neighbour-connections"
    symptom = "sessions of others than the service fill Postgres to its limit"

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        self.start(self._grab, scene)
        return "another application takes every connection; the service's own were closed"

    def _grab(self, scene: Scene) -> None:
        used, limit = scene.stage.database.connections()
        self._take(scene, limit - used)
        user = scene.stage.environment["DB_USER"]
        while not self.over.is_set():
            scene.stage.database.end_sessions(user)
            self._take(scene, limit)

    def _take(self, scene: Scene, most: int) -> None:
        """Open sessions until there are no more, at most `most`."""
        import psycopg

        for _ in range(most):
            if self.over.is_set():
                return
            try:
                self.sessions.append(scene.stage.database.neighbour())
            except (psycopg.OperationalError, StageError):
                self.over.wait(0.1)
                return

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Ask Postgres whose sessions there are."""
        user = scene.stage.environment["DB_USER"]
        sessions = scene.stage.database.sessions()
        own = sum(one.count for one in sessions if one.user == user)
        others = sum(one.count for one in sessions if one.user != user)
        _, limit = scene.stage.database.connections()
        told = f"{others} sessions of others and {own} of the service, of {limit}"
        return others + own >= limit - 3 and others > own, told


@fault
class LostLoadBalancer(OutsideCause):
    """The load balancer asks its hosts for a page that no release has, and trusts none of them."""

    name = "lost-load-balancer"
    symptom = "the front door fails while every host answers"

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        scene.stage.set_health_path("/no-such-page")
        return "the load balancer's health check asks for a page that does not exist"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Ask both sides of the load balancer."""
        front = front_health(scene.stage)
        hosts = hosts_health(scene.stage)
        told = f"front door {front}, {each_said(hosts)}"
        return front != 200 and set(hosts.values()) == {200}, told

    def heal(self, scene: Scene) -> None:
        """See Fault.heal."""
        scene.stage.set_health_path("/ready")


@fault
class SlowNetwork(OutsideCause):
    """What the load balancer sends to its hosts arrives late."""

    name = "slow-network"
    symptom = "the front door answers the same request far later than its hosts"
    needs = ("known", "network")

    def __init__(self) -> None:
        self._late_s = _LATE_S

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        self._late_s = round(min(max(_LATE_S, _TIMES_LATE * scene.baseline_s), _LATEST_S), 3)
        scene.stage.network.slow_network(self._late_s)
        return f"what the load balancer sends to the hosts arrives {self._late_s:g} s later"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Time an answer that has nothing to do with pages, on both sides of the load balancer."""
        path = scene.stage.interface.health
        hosts = [_median_s(url + path) for url in scene.stage.direct_urls.values()]
        front = _median_s(scene.stage.base_url + path)
        told = (
            f"the median of {_TIMED} requests to {path} took {front * 1000:.0f} ms through the "
            f"front door and at most {max(hosts) * 1000:.0f} ms at a host"
        )
        return front - max(hosts) >= 0.9 * self._late_s, told

    def heal(self, scene: Scene) -> None:
        """See Fault.heal."""
        scene.stage.network.slow_network(0)


def _median_s(url: str) -> float:
    took = []
    with http.Client() as client:
        for _ in range(_TIMED):
            began = clock.monotonic()
            client.get(url)
            took.append(clock.monotonic() - began)
    return statistics.median(took)
