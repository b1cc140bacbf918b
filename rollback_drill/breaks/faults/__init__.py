"""What can be broken: one module per kind of fault, whose FAULTS makes new ones by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rollback_drill.breaks.fault import Fault, LatentDefect
from rollback_drill.breaks.scripted import ScriptedFault
from rollback_drill.family import modules
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.names import nearest, no_such
from rollback_drill.stage.model import CAPABILITIES, Stage


def all_faults() -> dict[str, Callable[[], Fault]]:
    """Return what makes each fault, by the fault's name."""
    makers = [maker for module in modules("faults") for maker in module.FAULTS]
    return dict(sorted((maker().name, maker) for maker in makers))


def find(name: str, stage: Stage | None = None) -> Fault:
    """Return a new fault called `name`, one of `stage`'s own first.

    Raises UsageError with the names that exist, and for a fault that `stage` has no way to make.
    """
    own = stage.faults if stage else {}
    if name in own:
        return ScriptedFault(own[name])
    faults = all_faults()
    if stage and not stage.capabilities.issuperset(_needs(faults.get(name))):
        raise UsageError(
            f"a fault that {stage.name} can make: {', '.join(own) or 'its file describes none'}",
            repr(name), f"{_meant(name, own)}set FAULT to one of these names, or describe one in "
            "the stage's file",
        )  # fmt: skip
    if name not in faults:
        raise no_such("a fault", name, (*own, *faults), "set FAULT to one of these names")
    fault = faults[name]()
    for need in getattr(fault, "needs", ()):
        if stage and need not in stage.capabilities:
            raise UsageError(
                f"a stage with {CAPABILITIES[need]} for FAULT={name}", f"none on {stage.name}",
                "write the script for it into the stage's file, or choose another fault",
            )  # fmt: skip
    return fault


def _meant(name: str, own: Iterable[str]) -> str:
    near = nearest(name, own)
    return f"did you mean {near}? Else " if near else ""


def _needs(maker: Callable[[], Fault] | None) -> tuple[str, ...]:
    if maker is None:
        return ()
    return ("listings", "defects") if isinstance(maker(), LatentDefect) else ("listings",)
