"""The model of a host: files, a git checkout, a supervisor with one process, a memory limit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from rollback_drill.ground import clock
from rollback_drill.subject.hostaway.recipe import FAILING, RECIPE, STABLE
from rollback_drill.subject.hostaway.simulated.plants import NOTHING_PLANTED, Plants
from rollback_drill.subject.hostaway.simulated.postgres import SimulatedPostgres
from rollback_drill.subject.hostaway.simulated.service import Service

_STOP_S, _START_S, _AGAIN_S = 0.15, 0.95, 1.1
_WATCH_S = 0.05
_LATE_S = 4.0
_DIES_S = 4.0
RELEASED = {STABLE: 1_758_531_600, "v0.1.0-rc1": 1_759_741_200, FAILING: 1_760_536_800}
"""Tags of the origin with their dates (Unix seconds)."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How a simulated world is. `slowness`: a factor on everything that computes; `ahead_s`: how
    far the hosts' clocks are ahead.
    """

    slowness: float = 1.0
    ahead_s: float = 0.0
    plants: Plants = NOTHING_PLANTED


class Computer:
    """A host with the service deployed on it."""

    def __init__(
        self,
        name: str,
        database: SimulatedPostgres,
        origin: dict[str, str],
        circumstances: Circumstances,
        random: Random,
        environment: Mapping[str, str],
        memory_limit: int,
    ) -> None:
        self.name = name
        self.database = database
        self.origin = origin  # tags by what they mark
        self.circumstances = circumstances
        self.environment = environment
        self.files: dict[str, tuple[float, str]] = {}
        self.tags = dict(origin)
        self.head = self.installed = FAILING
        self.changed = False
        self.lines: list[str] = []  # of the application's log
        self.printed: list[str] = []  # what the service writes to its standard error
        self.service: Service | None = None
        self.kills = 0
        self.rolled_back = False
        self._random = random
        self._memory_limit = memory_limit
        self._starts_at = 0.0
        self._wanted = False
        self._next_pid = 4_000

    # Files.

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        self.files[path] = (clock.now(), text)

    def read(self, path: str) -> str | None:
        """Return a file's text, None where there is none."""
        found = self.files.get(path)
        return found[1] if found else None

    def inside(self, folder: str) -> dict[str, tuple[float, str]]:
        """Return the files in a folder by their names."""
        start = folder.rstrip("/") + "/"
        return {
            path.removeprefix(start): found
            for path, found in sorted(self.files.items())
            if path.startswith(start) and "/" not in path.removeprefix(start)
        }

    @property
    def maintenance(self) -> bool:
        """Whether the file that takes the host out is there."""
        return self.environment["MAINTENANCE_FILE"] in self.files

    # The release.

    def deploy(self, tag: str) -> None:
        """Put a fresh `tag` on the host, and start it."""
        self.stop()
        self.files.clear()
        self.lines.clear()
        self.printed.clear()
        self.tags = dict(self.origin)
        self.head = self.installed = tag
        self.changed = self.rolled_back = False
        self.configure(tag)
        self.start()

    def configure(self, tag: str) -> None:
        """Lay the configuration of a release where the service reads it."""
        layer = RECIPE.layers / tag / "config.yaml"
        self.write(self.environment["CONFIG_FILE"], layer.read_text(encoding="utf-8"))

    def check_out(self, tag: str) -> None:
        """Check a release out, unless that is what is planted."""
        self.rolled_back = self.rolled_back or tag == STABLE
        if "another-release" not in self.circumstances.plants:
            self.head = tag
            self.configure(tag)
        self.changed = "changed-code" in self.circumstances.plants

    @property
    def paginated(self) -> bool:
        """Whether the configuration switches pagination on."""
        text = self.read(self.environment["CONFIG_FILE"]) or ""
        return re.search(r"^ +pagination_enabled: +true\b", text, re.MULTILINE) is not None

    # The process.

    @property
    def serving(self) -> Service | None:
        """The process, once it serves."""
        found = self.service
        return found if found and clock.now() >= found.started_at else None

    def stop(self) -> None:
        """Stop the service."""
        self._wanted = False
        self.service = None
        self.database.leaked = 0

    def start(self) -> float:
        """Start the service; return when it will serve."""
        plants = self.circumstances.plants if self.rolled_back else NOTHING_PLANTED
        self._wanted = True
        self._damage(plants)
        self._next_pid += 1
        took = _START_S * self.circumstances.slowness * self._random.uniform(0.9, 1.3)
        release = self.head
        self.service = Service(
            pid=self._next_pid,
            release=release,
            database=self.database,
            random=self._random,
            slowness=self.circumstances.slowness,
            api_key=self.environment["API_KEY"],
            paginated=release == FAILING and self.paginated,
            began_at=clock.now(),
            started_at=clock.now() + took,
            ahead_s=self.circumstances.ahead_s,
            lines=self.lines,
            printed=self.printed,
            plants=plants,
            defects=self._defects() if release == FAILING else {},
        )
        return self.service.started_at

    def restart(self) -> float:
        """Restart it; return when it will serve."""
        if self.rolled_back and "old-process" in self.circumstances.plants:
            return clock.now()
        self.stop()
        clock.sleep(_STOP_S * self.circumstances.slowness)
        return self.start()

    def reload(self) -> None:
        """Have the process read its settings again, as SIGHUP does."""
        one = self.serving
        if one is None:
            return
        one.paginated = one.release == FAILING and self.paginated
        one.defects = self._defects() if one.release == FAILING else {}
        if not one.paginated:
            # From here on the release without its feature is what is rolled back to.
            self.rolled_back = True
            one.plants = self.circumstances.plants
            one.sick_since = clock.now()
        one.log("INFO", "Config reloaded")

    def set_defects(self, text: str) -> None:
        """Write the settings of latent defects."""
        self.write(self.environment["DEFECTS_FILE"], text)

    def _defects(self) -> dict[str, object]:
        from rollback_drill.record.decoding import load

        text = self.read(self.environment["DEFECTS_FILE"]) or "{}"
        found: dict[str, object] = load(text)
        return found

    def _damage(self, plants: Plants) -> None:
        database = self.database
        if "old-row-gone" in plants:
            database.remove_old()
        if "old-name-cut" in plants:
            database.by_id[2]["guest_name"] = "Gu"
        if "index-gone" in plants:
            database.indexes.clear()
        if "sequence-back" in plants:
            database.last_id -= 1
        if "listing-changed" in plants:
            database.change_listing()
        if "stranger-row" in plants:
            database.insert({**database.by_id[2], "id": database.last_id + 1, "reference": "x"})
        newest = [
            row
            for row in list(self.database.reservations.values())[-12:]
            if not row["reference"].startswith("SEED")
        ]
        for row in newest:
            if "lost-writes" in plants:
                self.database.remove(row)
            elif "cut-names" in plants:
                row["guest_name"] = row["guest_name"][:5]

    def watch(self) -> None:
        """Do once what kernel and supervisor do all the time."""
        one = self.serving
        if one is None:
            return
        if not one.told:
            one.told = True
            one.log("INFO", "Started", version=one.version, pid=one.pid)
        plants = one.plants
        if clock.now() >= one.started_at + _LATE_S and "old-row-gone-late" in plants:
            self.database.remove_old()
        dies = clock.now() >= one.started_at + _DIES_S and "dies-again" in plants
        if one.rss_bytes > self._memory_limit or dies:
            self.kills += 1
            self.stop()
            self._wanted = True  # by the supervisor, until somebody stops it
            clock.sleep(_AGAIN_S * self.circumstances.slowness)
            if self._wanted and self.service is None:
                self.start()
        if int(clock.now() / _WATCH_S) % 20 == 0 and "errors-of-database" in plants:
            self.database.tell('ERROR:  relation "gone" does not exist')
