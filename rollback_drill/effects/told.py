"""What stood around the service at moments of a drill, so that it can be compared."""

from __future__ import annotations

from dataclasses import dataclass, field

from rollback_drill.record.told import Count, Name, Number, Told

UNBROKEN = "while all was well"
PREPARATION = "before the preparation"
BEFORE = "before the procedure"
AFTER = "after the procedure"
NOT_HELD = "after the procedure, which did not hold"
GONE = "when all clients had gone"
CLOSED = "after the closing steps"
THREADS, HANDLES = "threads", "open files"
"""What a service has, and may have more and more of."""


@dataclass(frozen=True, slots=True)
class HostSeen(Told):
    """What stood on a host at a `moment`; values are told apart by digests, and not told.

    `config`: digests of the values in the application's configuration file by key; `uncommitted`:
    keys whose values are not those of the release that is checked out, `head`. `tree`: what git
    says of the deployment's folder, a line each, the configuration file left out. `files`: sizes,
    times and modes of the files in the runbook's folders by path; `rights`: modes and owners, "640
    of app:app", of the configuration and of folders. `repository`: digests of git's settings,
    hooks, tags, what was put aside, what it does not look at, its locks, and what the origin holds,
    by "setting …", "hook …", "tag …", "stash …", "hidden …", "rule …", "lock …", "origin …".
    `starts`: digests of the files that say how programs are started. `secrets`: paths of files in
    which a secret of the environment stands. `processes`: names by "pid since start"; `service`:
    those of the service, with all that it started; `usage`: how many threads and open files these
    have; `conditions`: the limits of its process, and as whom it runs, by name. `open`: files that
    everybody may write; `home`: files in the user's home that nobody names. `evidence`: sizes of
    the files in its folder, in bytes by path. `balancer`: digests of the load balancer's settings
    by name. `crontab`: digests of its lines. `unseen`: why something could not be looked at; the
    key "host" stands for all of it.
    """

    moment: Name
    host: Name
    config: dict[str, str] = field(default_factory=dict)
    uncommitted: tuple[str, ...] = ()
    head: str = ""
    tree: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    rights: dict[str, str] = field(default_factory=dict)
    repository: dict[str, str] = field(default_factory=dict)
    starts: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    processes: dict[str, str] = field(default_factory=dict)
    service: tuple[str, ...] = ()
    usage: dict[str, Count] = field(default_factory=dict)
    conditions: dict[str, str] = field(default_factory=dict)
    open: tuple[str, ...] = ()
    home: tuple[str, ...] = ()
    evidence: dict[str, Count] = field(default_factory=dict)
    balancer: dict[str, str] = field(default_factory=dict)
    crontab: tuple[str, ...] = ()
    unseen: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServerSeen(Told):
    """The names of all databases of the service's server at a `moment`, with their object ids;
    `held`: of those beside the service's own, a digest of what each is made of and holds, by part
    (on a server that nobody else uses). `why`: why nobody could look.
    """

    moment: Name
    databases: dict[str, str] = field(default_factory=dict)
    held: dict[str, dict[str, str]] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class EffectsDeclared(Told):
    """What a procedure says that it changes: `keys` of configurations that it names beside the
    configuration file, patterns of `databases` that it puts aside and keeps, those that it `drops`,
    whether it `rotates` old backups away, and what it `pushes` to the origin, by the words after
    `git push`. `own`: the service's database.
    """

    procedure: Number
    keys: tuple[str, ...]
    databases: tuple[str, ...]
    drops: tuple[str, ...]
    rotates: bool
    own: str
    pushes: tuple[str, ...] = ()
