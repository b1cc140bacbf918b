"""The demo's world; see `conduct.worlds` and `subject.hostaway.simulated`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import ClassVar

from rollback_drill.conduct.beginning import Anew
from rollback_drill.conduct.plan import Plan, Surroundings
from rollback_drill.conduct.plans import plan_for
from rollback_drill.conduct.request import Request
from rollback_drill.conduct.worlds import Draw, world
from rollback_drill.stage.model import StageOptions
from rollback_drill.subject.hostaway.simulated.clients import traffic_of
from rollback_drill.subject.hostaway.simulated.computer import Circumstances
from rollback_drill.subject.hostaway.simulated.losses import LOSSES, Losses
from rollback_drill.subject.hostaway.simulated.observers import SimulatedWebhook, machine_of
from rollback_drill.subject.hostaway.simulated.plants import OF_THE_DATABASE, PLANTS, Plants
from rollback_drill.subject.hostaway.simulated.stage import SimulatedStage

_ROWS = 240
# With the procedures that cure each. Those for which no rollback is decided have none of them.
_ANY = ("auto", "1", "2", "3")
_BY_RESTART = ("auto", "1", "2")
_FAULTS: Mapping[str, Sequence[str]] = {
    "cursor-cache-leak": _BY_RESTART,
    "connection-exhaustion": _BY_RESTART,
    "frozen-service": _BY_RESTART,
    "invalid-cursors": _ANY,
    "error-rate-critical": _ANY,
    "slow-pages-5x": _ANY,
    "auth-bypass": _ANY,
    "data-exposure": _ANY,
    "data-corruption": _BY_RESTART,
    "repeated-pages": ("auto",),
    "skipped-pages": ("auto",),
    "endless-pages": ("auto",),
    "error-rate-high": ("auto",),
    "blind-monitoring": ("auto",),
}
_DOWNGRADES = ("downgrade-forbidden", "downgrade-damages-data", "downgrade-data-fails")


@world
class ListingsWorld:
    """See conduct.worlds.World."""

    name = "listings"
    begin = 1_800_000_000.0
    faults: ClassVar[Mapping[str, Sequence[str]]] = _FAULTS
    hazards: ClassVar[Mapping[str, bool]] = {
        "dirty-tree": True,
        "tag-missing": False,
        **dict.fromkeys(_DOWNGRADES, True),
    }
    plants: ClassVar[Mapping[str, str]] = PLANTS | OF_THE_DATABASE
    # Mishaps of the code need a procedure that takes the code back.
    only_in: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("dirty-tree", "tag-missing"), "1"),
        **dict.fromkeys((*OF_THE_DATABASE, *_DOWNGRADES), "2"),
    }
    losses: ClassVar[Mapping[str, str]] = LOSSES

    def __init__(self, draw: Draw) -> None:
        random = Random(draw.seed)  # noqa: S311 - nothing secret
        self._draw = draw
        self._plants = Plants(*(one for one in (draw.plant,) if one))
        circumstances = Circumstances(draw.slowness, draw.ahead_s, self._plants)
        options = StageOptions(listings=_ROWS, hosts=draw.hosts)
        self._losses = Losses(draw.loss, random)
        self._stage = SimulatedStage(options, circumstances, random, self._losses)
        self._surroundings = Surroundings(
            traffic_of(self._stage.through_front, self._losses),
            SimulatedWebhook,
            machine_of(draw.slowness),
        )

    @property
    def bit(self) -> bool:
        """See World.bit."""
        return self._losses.at is not None or self._plants.bit

    @property
    def lost_at(self) -> float | None:
        """See World.lost_at."""
        return self._losses.at

    def plan(self, request: Request) -> Plan:
        """See World.plan."""
        usual = plan_for(request)
        return Plan(request, usual.phases, Anew(self._stage), surroundings=self._surroundings)
