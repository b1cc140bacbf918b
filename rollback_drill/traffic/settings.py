"""What the generator is asked to do, handed over in environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "DRILL_LOAD_"
KEY_VARIABLE = _PREFIX + "API_KEY"


@dataclass(frozen=True, slots=True)
class Settings:
    """`rate` in requests/s of this worker alone; `timeout_s` until a client gives up; `cap`:
    requests in flight at most; `worker` of `workers` (0, 1, …); `parent`: process id of the drill.
    """

    base_url: str
    rate: float
    seed: int
    directory: Path
    worker: int
    workers: int
    clients: int
    timeout_s: float
    cap: int
    parent: int

    def to_environment(self) -> dict[str, str]:
        """Return these settings as environment variables."""
        return {_PREFIX + name.upper(): str(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read `to_environment`'s variables. Raises KeyError or ValueError for missing ones."""

        def value(name: str) -> str:
            return environment[_PREFIX + name.upper()]

        return cls(
            base_url=value("base_url"),
            rate=float(value("rate")),
            seed=int(value("seed")),
            directory=Path(value("directory")),
            worker=int(value("worker")),
            workers=int(value("workers")),
            clients=int(value("clients")),
            timeout_s=float(value("timeout_s")),
            cap=int(value("cap")),
            parent=int(value("parent")),
        )
