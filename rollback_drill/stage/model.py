"""What every stage offers: hosts with a deployed release, a database, a front door for clients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, cast

from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.names import no_such
from rollback_drill.ground.options import HOSTS, LISTINGS, SEED
from rollback_drill.stage.contracting import CONTRACTS, record_contract
from rollback_drill.stage.host import Host
from rollback_drill.stage.questioning import RECORDS, record_golden
from rollback_drill.subject.documents import Contract, Documented
from rollback_drill.subject.questions import Asks, GoldenSet
from rollback_drill.subject.subject import Place, Queries, Subject, own
from rollback_drill.traffic.interface import Interface

if TYPE_CHECKING:
    import psycopg

    from rollback_drill.stage.allowance import Allowance
    from rollback_drill.stage.entries import FaultEntry, Limits

LOG_BYTES = 4 * 2**20
"""Of the end of a log, as much as a stage tells at once."""
MAINTENANCE_WORDS = ("status file", "maintenance file", "maintenance status")
"""How runbooks name the file that takes a host out, in the labels of their alternatives."""
ABILITIES = {
    "known": "clients that know the service",
    "database": "a database that can be asked",
    "metrics": "metrics in Prometheus' format",
    "process": "the service's process id",
    "defects": "a way to switch latent defects on",
    "network": "a network that can be slowed down",
}
"""What a stage may lack: attributes of it, false where it does. A check that needs one is then
unknown, as unsupported, and a fault that does is refused."""


def check_needs(needs: Iterable[str], by: str) -> None:
    """Raise UsageError when one of `needs` is no ability; `by`: "sentinel X needs"."""
    for one in needs:
        if one not in ABILITIES:
            raise no_such("an ability of a stage", one, ABILITIES, "correct its `needs`", by)


def refuse_unable(stage: Stage, needs: Iterable[str], variable: str, what: str) -> None:
    """Raise UsageError when `stage` lacks what `what` ("fault") of `variable` ("FAULT=x") needs."""
    for one in lacks_of(stage, needs):
        raise UsageError(
            f"a stage with {ABILITIES[one]} for {variable}",
            f"none on {stage.name}",
            f"write the script for it into the stage's file, or choose another {what}",
        )


def lacks_of(stage: Stage, needs: Iterable[str] = ABILITIES) -> list[str]:
    """Return those of `needs` that `stage` has not got, by default of all abilities."""
    return [one for one in needs if not getattr(stage, one)]


@dataclass(frozen=True, slots=True)
class Sessions:
    """Client sessions of one user of Postgres; `blocks`: sessions of others that wait for them."""

    user: str
    count: int
    blocks: int


class Database(Queries, Protocol):
    """The service's database, seen by its administrator (past any limit of the service)."""

    def connections(self) -> tuple[int, int]:
        """Return (client sessions now, the server's limit)."""
        ...

    def sessions(self) -> list[Sessions]:
        """Return whose client sessions there are, the drill's own left out."""
        ...

    def end_sessions(self, user: str) -> None:
        """End all sessions of `user`, as a restart of the network between would."""
        ...

    def beside(self, name: str) -> AbstractContextManager[Queries]:
        """Return another database of the same server, for its administrator."""
        ...

    def neighbour(self) -> psycopg.Connection[Any]:
        """Open a session as another application's user. Raises psycopg.OperationalError when the
        server has no room.
        """
        ...

    def log(self) -> str:
        """Return the end of the server log, some megabytes at most. Raises StageError."""
        ...


class Process(Protocol):
    """The service's process on every host, as its supervisor and the kernel know it."""

    def pids(self) -> dict[str, int]:
        """Return the main process's id by host, as seen on that host; hosts without one are left
        out. Raises StageError when a host does not tell.
        """
        ...

    def rss_bytes(self) -> dict[str, int]:
        """Return its resident memory by host; hosts without one are left out."""
        ...

    def memory_limits(self) -> dict[str, int]:
        """Return how much memory it may have by host; unlimited ones are left out."""
        ...


class Defects(Protocol):
    """The failing release's latent defects."""

    def set_defects(self, defects: Mapping[str, object]) -> None:
        """Write their settings on every host and reload the release."""
        ...


class Network(Protocol):
    """The way from the load balancer to the hosts."""

    def slow_network(self, delay_s: float) -> None:
        """Have what is sent arrive `delay_s` seconds later, by a way that is really slow; 0: take
        the direct way again. Works twice.
        """
        ...


@dataclass(frozen=True, slots=True)
class StageOptions:
    """How to bring a stage up. Sizes in rows; memory limit of one service host in bytes, and the
    size of the disk for its safety backups, 0 for no disk of their own.
    """

    listings: int = LISTINGS.value
    seed: int = SEED.value
    hosts: int = HOSTS.value
    memory_limit_bytes: int = 384 * 1024 * 1024
    connection_limit: int = 40
    supervisor: str = "supervisord"  # on hosts in containers also "systemd"
    backup_disk_bytes: int = 0

    def filling(self, script: str) -> str:
        """Return the script that fills a database with so much; `script`: that of a recipe."""
        return script.format(rows=self.listings, seed=self.seed)


class Stage(Protocol):
    """Where a drill happens. Use as a context manager: leaving it removes everything it made."""

    name: str  # "containers", "processes", …
    reason: str  # why this stage, in a sentence
    hosts: Sequence[Host]  # service hosts; the runbook's code blocks run on them
    base_url: str  # the front door (load balancer) that clients use
    direct_urls: Mapping[str, str]  # host name -> URL of its service, past the load balancer
    api_key: str
    secrets: frozenset[str]
    environment: Mapping[str, str]  # variables for the runbook's code blocks (on every host)
    alternatives: Sequence[str]  # words of alternatives that work here, most wanted first
    failing: str  # tag of the release that is to be rolled back
    stable: str  # tag of the release that it is rolled back to
    subject: Subject  # the service under drill
    interface: Interface
    checks: Mapping[str, str]  # pattern of a checkbox's text -> script of its own for this stage
    faults: Mapping[str, FaultEntry]  # those that exist on this stage alone
    prometheus_url: str  # "" where none watches the service
    confined: bool  # whether no command on its hosts can reach this machine; else many are refused
    limits: Limits | None  # None: no other than the run's own
    allowance: Allowance | None  # what holds the suite's own questions to these limits
    where: str  # by what `attach_stage` finds it once the drill is dead, "" where it cannot
    stays: bool  # whether it is still there after the drill, for people to find as it was left
    ended_scripts: int  # that a dead drill had left running, on a stage that was attached
    golden: GoldenSet | None  # what the stable release answered on this data before the upgrade
    no_golden: str  # why there is none
    changing: Sequence[str]  # columns whose values the service changes by itself
    no_document: str  # why its service cannot be held against a document; "" where it can

    # Abilities, false where this stage has not got them; asked all the same, they raise StageError
    # or UsageError, which say how to give them. The database does so as well while it is not up.

    @property
    def known(self) -> bool:
        """Whether the suite knows the service, and its clients speak as its customers do."""
        ...

    @property
    def metrics(self) -> bool:
        """Whether the service tells metrics in Prometheus' format."""
        ...

    @property
    def database(self) -> Database:
        """The service's database."""
        ...

    @property
    def process(self) -> Process:
        """The service's process."""
        ...

    @property
    def defects(self) -> Defects:
        """What switches latent defects on."""
        ...

    @property
    def network(self) -> Network:
        """What slows the network down."""
        ...

    def __enter__(self) -> Stage:
        """Bring up Postgres, the load balancer, the hosts and the failing release."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Remove everything this stage made."""
        ...

    def deploy(self, tag: str) -> None:
        """Put every host, the database's schema and its data back to a fresh `tag`.

        Drops and seeds the database anew, checks out `tag` (or the tag's newest tree of the
        origin), installs, migrates, restores config, defects and maintenance file, restarts, and
        waits until the load balancer serves. Used before each drill on a stage kept up.
        """
        ...

    def stop_database(self) -> None:
        """Stop the database server, as an accident would. Its data stays."""
        ...

    def start_database(self) -> None:
        """Start the database server again, if it was stopped, and wait until it answers."""
        ...

    def set_health_path(self, path: str) -> None:
        """Have the load balancer ask the hosts for another path ("/ready" is the usual one)."""
        ...

    def oom_kills(self) -> dict[str, int]:
        """Return how often the service was killed for memory since the stage came up, by host."""
        ...

    def running_releases(self) -> dict[str, str]:
        """Return the commit or tag that the running service was built of, by host.

        Empty where services run from the deployment's folder itself; "" for a host that does not
        say.
        """
        ...

    def application_log(self) -> dict[str, str]:
        """Return the end of the service's log file by host."""
        ...

    def leftovers(self) -> list[str]:
        """After `__exit__`: names of processes, containers or folders that are still there."""
        ...


def no_document_of(subject: Subject) -> str:
    """Return why `subject` cannot be held against a document, "" where it can."""
    if isinstance(subject, Documented):
        return subject.no_document
    return f"nothing is known of a document of {subject.name!r}"


class OwnStage(Process, Defects, Network):
    """What is the same on all stages that the suite makes itself; a base for them."""

    interface = Interface()
    known = metrics = True
    checks: Mapping[str, str] = MappingProxyType({})
    faults: Mapping[str, FaultEntry] = MappingProxyType({})
    prometheus_url = ""
    confined = False
    limits: Limits | None = None
    allowance: Allowance | None = None
    where = ""
    stays = False
    ended_scripts = 0
    golden: GoldenSet | None = None
    no_golden = "the stable release was not asked before the upgrade"
    changing: Sequence[str] = ()
    hosts: Sequence[Host]

    def __init__(self, options: StageOptions) -> None:
        self.options = options
        self.subject, self.recipe = own()
        self.failing, self.stable = self.recipe.failing, self.recipe.stable
        self.no_document = no_document_of(self.subject)

    @property
    def asks(self) -> str:
        """What names the way in which the service is asked: what is kept depends on it."""
        records = f"{RECORDS} {CONTRACTS}"
        return f"{self.subject.asks} {records}" if isinstance(self.subject, Asks) else ""

    def record_golden(self, url: str, problem: str) -> None:
        """Record what the stable release answers, which serves at `url`; `problem`: why it does
        not. Raises StageError.
        """
        if problem or not isinstance(self.subject, Asks):
            self.no_golden = problem or self.no_golden
            return
        source = f"what {self.stable} answered before the upgrade"
        place, seed = cast(Place, self), self.options.seed
        golden = record_golden(self.subject, place, url, self.stable, seed, source)
        self.golden = replace(golden, contract=self._contract(place, url))

    def _contract(self, place: Place, url: str) -> Contract:
        """What is written meanwhile is nobody's loss: see `deployment`."""
        if self.no_document or not isinstance(self.subject, Documented):
            return Contract(why=self.no_document)
        return record_contract(self.subject, place, url, self.options.seed, writes=True)

    @property
    def process(self) -> Process:
        """See Stage.process."""
        return self

    @property
    def defects(self) -> Defects:
        """See Stage.defects."""
        return self

    @property
    def network(self) -> Network:
        """See Stage.network."""
        return self

    def memory_limits(self) -> dict[str, int]:
        """See Process.memory_limits."""
        return {host.name: self.options.memory_limit_bytes for host in self.hosts}

    def running_releases(self) -> dict[str, str]:
        """See Stage.running_releases."""
        return {}
