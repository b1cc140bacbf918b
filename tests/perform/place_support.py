"""Hosts that are folders of this machine, and answers over a wire of the test's own: for what a
check makes of what it sees, condition by condition. What it sees on a real stage others show.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from rollback_drill.ground.clock import now
from rollback_drill.ground.finding import Finding
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.check import bind
from rollback_drill.perform.moment import Waited
from rollback_drill.runbook.parse import parse
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.host import LocalHost
from rollback_drill.traffic.aggregate import Aggregate
from rollback_drill.traffic.interface import Interface

RUNBOOK = parse(Path(__file__).resolve().parents[2] / "runbook" / "rollback.md")
FRONT = "http://front.simulated"
GIT = {
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
}  # fmt: skip


class Place:
    """Two hosts, a front door, a database that answers `rows`, and what a moment holds."""

    def __init__(self, folder: Path, names: tuple[str, ...] = ("host-1", "host-2")) -> None:
        self.folder = folder
        self.environment = {
            name: str(folder / name.lower())
            for name in ("SECURE_STORAGE", "BACKUP_DIR", "EVIDENCE_DIR", "OUTBOX")
        }
        for path in self.environment.values():
            Path(path).mkdir()
        self.environment |= {
            "DB_NAME": "listings",
            "DB_USER": "u",
            "STATUS_PAGE": str(folder / "page"),
        }
        known = {"PATH": os.environ["PATH"], **GIT, **self.environment}
        self.hosts: list[Any] = []
        for name in names:
            (folder / name).mkdir()
            self.hosts.append(LocalHost(name, folder / name, known))
        self.statuses = dict.fromkeys(names, 200)
        self.front = 200
        self.pids = {name: number for number, name in enumerate(names, 101)}
        self.limits: dict[str, int] = dict.fromkeys(names, 1000)
        self.releases: dict[str, str] = {}
        self.rows: Callable[[str], list[tuple[Any, ...]]] = lambda query: []
        self.stage = SimpleNamespace(
            hosts=self.hosts, environment=self.environment, interface=Interface(), api_key="k",
            base_url=FRONT, direct_urls={name: f"http://{name}.simulated" for name in names},
            process=SimpleNamespace(pids=lambda: self.pids, memory_limits=lambda: self.limits),
            running_releases=lambda: self.releases, prometheus_url="",
            database=SimpleNamespace(fetch=lambda query, _=(): self.rows(query)),
            subject=SimpleNamespace(probe="/probe", writes=True), checks={},
        )  # fmt: skip
        self.seen: Callable[[float, float | None], Aggregate] = lambda start, until: Aggregate(
            start, now() if until is None else until
        )
        self.moment: Any = SimpleNamespace(
            stage=self.stage, runbook=RUNBOOK, pace=1.0, stable="v1.4.2", failing="v1.5.0",
            pids_before={}, began_at=now(), window_from=now() - 60, effective_at=now() - 60, processes_began={},
            samples=[], decision=None, balance=None, read_back=None, outputs=[], title="",
            courier=None, facts={}, told_by="", confidence=0.999, to_come_s=0.0, waited=Waited(),
            age=lambda: now() - self.moment.began_at, busy=lambda: "",
            traffic=SimpleNamespace(window=lambda start, until=None: self.seen(start, until)),
        )  # fmt: skip

    @contextmanager
    def wired(self) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(http.wired(FRONT, lambda sent: answer(self.front)))
            for name, url in self.stage.direct_urls.items():
                stack.enter_context(http.wired(url, self._host(name)))
            yield

    def _host(self, name: str) -> Callable[[http.Sent], http.Answer]:
        return lambda sent: answer(self.statuses[name])

    def check(self, box: str) -> Finding:
        bound = bind(box)
        assert bound, box
        with self.wired():
            return bound.verify(cast(Any, self.moment))

    def says(self, box: str, verdict: Verdict, *words: str) -> None:
        """Hold that the box gets `verdict`, for a reason that holds all `words`."""
        found = self.check(box)
        assert found.verdict is verdict, found
        for word in words:
            assert word in found.evidence, found

    def run(self, script: str, host: int = 0) -> None:
        done = self.hosts[host].run(script, limit_s=60)
        assert done.ok, done.stderr or done.stdout


def answer(status: int) -> http.Answer:
    if not status:
        raise NoAnswer("nobody")
    return http.Answer(status, {}, b"{}")


def released(place: Place) -> None:
    """Give every host a clone of an origin with the stable release, a year old, and the failing."""
    origin = place.folder / "origin"
    script = """
    git init -q -b main . ; echo 1 > code; printf '# 1.4.2\\nstable\\n# 1.4.20\\nnone\\n' > CHANGELOG.md
    git add -A; GIT_COMMITTER_DATE=2025-01-01T00:00:00Z git commit -qm stable; git tag v1.4.2
    echo 2 > code; GIT_COMMITTER_DATE=2025-02-01T00:00:00Z git commit -qam failing; git tag v1.5.0
    """
    origin.mkdir()
    env = {"PATH": os.environ["PATH"], **GIT}
    subprocess.run(["bash", "-euc", script], cwd=origin, env=env, check=True)
    for number, _ in enumerate(place.hosts):
        place.run(f"git clone -q {origin} . 2>/dev/null", number)


def aggregate(**outcomes: int) -> Callable[[float, float | None], Aggregate]:
    """What clients saw, whenever they are asked: so many requests of each outcome."""
    return lambda start, until: Aggregate(
        start, now() if until is None else until, sent=sum(outcomes.values()),
        outcomes={re.sub("_", "-", name): count for name, count in outcomes.items()},
    )  # fmt: skip
