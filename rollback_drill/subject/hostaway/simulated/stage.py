"""A simulated stage: computers, Postgres, a load balancer, and the wire to them."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

from rollback_drill.conduct.told import SIMULATED
from rollback_drill.ground import clock
from rollback_drill.ground.errors import StageError
from rollback_drill.ground.virtual import virtual_time
from rollback_drill.record.watched import Watched
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.host import Completed, Host
from rollback_drill.stage.model import MAINTENANCE_WORDS, Database, OwnStage, Stage, StageOptions
from rollback_drill.stage.output import KEPT, OnLine
from rollback_drill.subject.hostaway.recipe import STABLE
from rollback_drill.subject.hostaway.simulated.computer import Circumstances, Computer
from rollback_drill.subject.hostaway.simulated.copies import BASE, NEW
from rollback_drill.subject.hostaway.simulated.losses import Losses
from rollback_drill.subject.hostaway.simulated.plants import Plants
from rollback_drill.subject.hostaway.simulated.postgres import SimulatedPostgres
from rollback_drill.subject.hostaway.simulated.service import SECRET, Reply, Service
from rollback_drill.subject.hostaway.simulated.shell import PRINTED, Shell
from rollback_drill.subject.questions import GoldenSet
from rollback_drill.traffic.interface import Interface

FRONT = "http://front.simulated"
_BEFORE = "http://before.simulated"
_CHECK_S = 0.2  # between two looks of the load balancer
_WAY_S = 0.0006
_KEY = "simulated-key-of-customers"
_GRACE_S = 10.0
_DEPLOY_S = 3.0


class SimulatedHost:
    """See stage.host.Host."""

    def __init__(self, computer: Computer, stage: SimulatedStage) -> None:
        self.name = computer.name
        self._computer = computer
        self._stage = stage

    def run(
        self,
        script: str,
        *,
        limit_s: float,
        environment: Mapping[str, str] | None = None,
        on_line: OnLine | None = None,
        keep: int = KEPT,
    ) -> Completed:
        """See Host.run."""
        del keep
        if "LOG_FILE" in script or "application.log" in script:
            self._stage.losses.refuse("application-log")
        if on_line is not None:
            self._stage.losses.refuse("command-output")
        shell = Shell(
            self._computer,
            {**self._computer.environment, **(environment or {})},
            self._stage.ask,
            on_line,
            clock.now() + limit_s,
        )
        return shell.run(script)

    def abort(self) -> None:
        """See Host.abort."""


class SimulatedStage(OwnStage):
    """See stage.model.Stage. Nothing of it is real: no drill of a user's is held here."""

    name = SIMULATED
    reason = "a model, in virtual time"
    alternatives: Sequence[str] = (*MAINTENANCE_WORDS, "supervisord", "folder")

    def __init__(
        self, options: StageOptions, circumstances: Circumstances, random: Random, losses: Losses
    ) -> None:
        super().__init__(options)
        self.no_document = "a model of the service keeps to no document"
        self.circumstances = circumstances
        self.base_url = FRONT
        self.api_key = _KEY
        self.secrets = frozenset((_KEY, SECRET))
        self.losses = losses
        self._over = clock.signal()
        self._path = "/ready"
        self._in: set[str] = set()  # hosts that the load balancer asks for answers
        self._there: Sequence[Computer] = ()  # the same, in order
        self._turn = 0
        self.postgres = SimulatedPostgres(options.listings, random, circumstances.slowness, losses)
        self.database: Database = self.postgres
        self._origin: dict[str, str] = {}
        names = [f"host-{n}" for n in range(1, options.hosts + 1)]
        self.direct_urls: Mapping[str, str] = {name: f"http://{name}.simulated" for name in names}
        self.environment: Mapping[str, str] = self._environment(names[0])
        self.computers = {
            name: Computer(
                name,
                self.postgres,
                self._origin,
                circumstances,
                random,
                self._environment(name),
                options.memory_limit_bytes,
            )
            for name in names
        }
        # A shell of a host sees its own files alone, so that one name does for all.
        self.interface = Interface(printed=(f"/run/{PRINTED}",))
        self.hosts: Sequence[Host] = [SimulatedHost(one, self) for one in self.computers.values()]
        self._wires = contextlib.ExitStack()
        self._threads: list[Watched] = []

    def _environment(self, host: str) -> dict[str, str]:
        folder = f"/{host}"
        return {
            "APP_DIR": f"{folder}/hostaway-mcp",
            "DB_HOST": "postgres.simulated",
            "DB_PORT": "5432",
            "DB_USER": "hostaway",
            "DB_NAME": "hostaway",
            "API_KEY": _KEY,
            "SERVICE_URL": self.direct_urls[host],
            "PUBLIC_URL": FRONT,
            "MAINTENANCE_FILE": f"{folder}/maintenance_status",
            "CONFIG_FILE": f"{folder}/hostaway-mcp/config.yaml",
            "LOG_FILE": f"{folder}/application.log",
            "SUPERVISOR_CONF": f"{folder}/supervisord.conf",
            "BACKUP_DIR": f"{folder}/backups",
            "SECURE_STORAGE": f"{folder}/secure",
            "STATUS_PAGE": f"{folder}/status_page.txt",
            "OUTBOX": f"{folder}/outbox",
            "EVIDENCE_DIR": f"{folder}/evidence",
            "DEFECTS_FILE": f"{folder}/defects.yaml",
        }

    def __enter__(self) -> Stage:
        """See Stage.__enter__."""
        self._wires.enter_context(http.wired(FRONT, self._at_front))
        for name, url in self.direct_urls.items():
            computer = self.computers[name]

            def answer(sent: http.Sent, computer: Computer = computer) -> http.Answer:
                reply = self._at_host(computer, sent.method, sent.path, sent.key, sent.body)
                return _delivered(reply, sent)

            self._wires.enter_context(http.wired(url, answer))
        works = [("load balancer", self._balance)]
        works += [(f"kernel of {name}", one.watch) for name, one in self.computers.items()]
        for name, work in works:
            every_s = _CHECK_S if work == self._balance else 0.05
            thread = Watched(name, self._again, work, every_s, over=self._over)
            self._threads.append(thread.start())
        self._ask_stable()
        self.deploy(self.failing)
        return self

    def _ask_stable(self) -> None:
        """Take what the stable release answered before the failing one was deployed."""
        kept, slowness = _answered_before(self.options, clock.now()), self.circumstances.slowness
        slower = tuple(replace(one, took_s=one.took_s * slowness) for one in kept.answers)
        self.golden = replace(kept, answers=slower)

    def __exit__(self, *exc: object) -> None:
        """See Stage.__exit__."""
        self._over.set()
        for thread in self._threads:
            thread.end(_GRACE_S)
        self._wires.close()

    def _again(self, work: object, every_s: float) -> None:
        assert callable(work)
        while not self._over.wait(every_s):
            work()

    # The wire.

    def _balance(self) -> None:
        before = set(self._in)
        for name, computer in self.computers.items():
            status = self._at_host(computer, "GET", self._path, "", None).status
            plants = self.circumstances.plants
            if status == 200:
                back = computer.rolled_back and name not in self._in
                if not (back and "stuck-maintenance" in plants):
                    self._in.add(name)
            elif not (computer.maintenance and name in self._in and "deaf-maintenance" in plants):
                self._in.discard(name)
        if self._in != before:
            self._there = [self.computers[name] for name in sorted(self._in)]

    def _at_front(self, sent: http.Sent) -> http.Answer:
        return _delivered(self.through_front(sent.method, sent.path, sent.key, sent.body), sent)

    def through_front(self, method: str, path: str, key: str, body: bytes | None) -> Reply:
        """Return what the load balancer answers, without any wait."""
        there = self._there
        if not there:
            return Reply(503, b"", _WAY_S)
        self._turn += 1
        reply = self._at_host(there[self._turn % len(there)], method, path, key, body)
        if reply.status == 0 and not reply.took_s:
            return reply
        if reply.status == 0:
            return Reply(502, b"", _WAY_S)
        return Reply(reply.status, reply.content, reply.took_s + _WAY_S)

    def _at_host(
        self, computer: Computer, method: str, path: str, key: str, body: bytes | None
    ) -> Reply:
        """Return what the process answers: status 0 at once (refused), or never (frozen)."""
        service = computer.serving
        if service is None:
            return Reply(0, b"", _WAY_S)
        return service.answer(method, path, key, body, maintenance=computer.maintenance)

    def ask(self, url: str, keyed: bool) -> tuple[int, str]:
        """Return what a URL answers a command on a host, after the time that it takes."""
        try:
            answer = http.get(url, headers={"X-API-Key": _KEY} if keyed else None, limit_s=5.0)
        except NoAnswer:
            return 0, ""
        return answer.status, answer.text

    # See Stage.

    def deploy(self, tag: str) -> None:
        """See Stage.deploy."""
        self._origin.clear()
        self._origin.update({one: one for one in (STABLE, "v0.1.0-rc1", self.failing)})
        self.postgres.revision = BASE if tag == STABLE else NEW
        for computer in self.computers.values():
            computer.deploy(tag)
        self._path = "/ready"
        clock.sleep(_DEPLOY_S * self.circumstances.slowness)

    def stop_database(self) -> None:
        """See Stage.stop_database."""
        self.postgres.up = False

    def start_database(self) -> None:
        """See Stage.start_database."""
        self.postgres.up = True

    def set_health_path(self, path: str) -> None:
        """See Stage.set_health_path."""
        self._path = path

    def set_defects(self, defects: Mapping[str, object]) -> None:
        """See Defects.set_defects."""
        for computer in self.computers.values():
            computer.set_defects(json.dumps(dict(defects)))
            if computer.head != STABLE:
                computer.reload()

    def slow_network(self, delay_s: float) -> None:
        """See Network.slow_network."""
        what = f"a network that is slower by {delay_s:g} s"
        raise StageError(what, "the model has none", "use a real stage")

    def pids(self) -> dict[str, int]:
        """See Process.pids."""
        return {
            name: one.service.pid for name, one in self.computers.items() if one.service is not None
        }

    def rss_bytes(self) -> dict[str, int]:
        """See Process.rss_bytes."""
        if self.losses.now("probe"):
            raise ValueError("the probe is lost")
        return {
            name: one.service.rss_bytes
            for name, one in self.computers.items()
            if one.service is not None
        }

    def oom_kills(self) -> dict[str, int]:
        """See Stage.oom_kills."""
        return {name: one.kills for name, one in self.computers.items()}

    def application_log(self) -> dict[str, str]:
        """See Stage.application_log."""
        return {name: "".join(one.lines[-2000:]) for name, one in self.computers.items()}

    def leftovers(self) -> list[str]:
        """See Stage.leftovers."""
        return []


def _delivered(reply: Reply, sent: http.Sent) -> http.Answer:
    """Let the time of an answer pass, and return it. Raises NoAnswer."""
    if reply.status == 0 and not reply.took_s:
        clock.sleep(sent.limit_s)
        raise NoAnswer(f"no answer within {sent.limit_s:g} s: 0 bytes came")
    if reply.took_s > sent.limit_s:
        clock.sleep(sent.limit_s)
        raise NoAnswer(f"no answer within {sent.limit_s:g} s: 0 bytes came")
    clock.sleep(reply.took_s)
    if reply.status == 0:
        raise NoAnswer("no connection: refused")
    return http.Answer(reply.status, {"content-type": "application/json"}, reply.content)


@functools.lru_cache(maxsize=4)  # kept as on a real stage: the same for all drills of a process
def _answered_before(options: StageOptions, began: float) -> GoldenSet:
    """Return what a healthy stable release answers that was asked at `began`."""
    random = Random("before")  # noqa: S311 - nothing secret
    with virtual_time(began):
        stage = SimulatedStage(
            options, Circumstances(1.0, 0.0, Plants()), random, Losses("", random)
        )
        service = Service(
            pid=1,
            release=STABLE,
            database=stage.postgres,
            random=random,
            slowness=1.0,
            api_key=_KEY,
            paginated=False,
            began_at=began,
            started_at=began,
            ahead_s=0.0,
            lines=[],
        )

        def answer(sent: http.Sent) -> http.Answer:
            reply = service.answer(sent.method, sent.path, sent.key, sent.body, maintenance=False)
            return _delivered(reply, sent)

        with http.wired(_BEFORE, answer):
            stage.record_golden(_BEFORE, "")
    assert stage.golden
    return stage.golden
