"""How stages of the suite's own bring a service up that comes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that such a stage must know of a service in Python, on Postgres.

    `layers`: folder of its releases, see `stage.release`; `program`: name of its folder and of what
    is supervised; `module`: what Python runs as the service; `application`: what can be
    imported of it when its code is whole; `title`: what people call it;
    `database`: name of its database and of that database's owner.

    `variables`: the service's own, each with the one of the runbook's scripts that it holds;
    `port_variable`, `bind_variable`: where it listens; `secret_variables`: what it is told besides.

    `fill`: the script that fills an empty database with `{rows}` of a `{seed}`, at least
    `rows_per_s` each second, `bytes_per_row` each, as the stable release has it; `upgrade`: the one
    that makes of it what the failing release has; `unit`: what these rows are called; `copies`:
    pattern of names of databases that a restore puts aside; `curable`: a fault that each procedure
    of its runbook cures.
    """

    layers: Path
    failing: str
    stable: str
    program: str
    module: str
    application: str
    title: str
    database: str
    variables: Mapping[str, str]
    port_variable: str
    bind_variable: str
    secret_variables: tuple[str, ...]
    fill: str
    upgrade: str
    unit: str
    rows_per_s: int
    bytes_per_row: int
    copies: str
    curable: str

    def environment(
        self, scripts: Mapping[str, str], secrets: Mapping[str, str], *, bind: str, port: int
    ) -> dict[str, str]:
        """Return the service's variables; `scripts`: those of the runbook's scripts."""
        return {
            **{own: scripts[name] for own, name in self.variables.items()},
            self.port_variable: str(port),
            self.bind_variable: bind,
            **secrets,
        }
