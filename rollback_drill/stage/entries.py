"""What a staging file lists: hosts, faults, limits; each as the record that is made of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = ("staging", "disposable")
"""What an environment must say that it is before a drill touches it."""


@dataclass(frozen=True, slots=True)
class HostEntry:
    """A service host. One of `ssh` ("user@name"), `container`, `pod` and `local` says how to reach
    it; `local`: the runbook's commands run on this machine, as they do under an operator's hands;
    `url`: its service past the load balancer; `options`: further words for ssh or kubectl.
    """

    name: str
    directory: str
    url: str
    ssh: str = ""
    container: str = ""
    pod: str = ""
    local: bool = False
    port: int = 22
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FaultEntry:
    """A fault made by scripts on every host. `attest` runs on this machine's side of the front
    door: `method` and `path` are asked for, and the symptom is there when `status` is answered.
    `damages`: whether it changes or takes away data.
    """

    name: str
    symptom: str
    inject: str
    heal: str
    path: str
    status: int
    method: str = "GET"
    body: str = ""
    trigger: str = ""
    ours: bool = True
    damages: bool = False
    watch_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a drill may do here at most. `rate` in requests/s; `stop_file`: when it appears, the
    drill is aborted at once.
    """

    rate: float = 50.0
    requests: int = 200_000
    minutes: float = 60.0
    stop_file: str = ""
