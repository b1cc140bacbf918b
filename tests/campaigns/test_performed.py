"""Whether what a sabotage rewrote was performed, or another alternative of its block."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.breaks.sabotage import PlantedIn, Rewrite, Sabotage, all_sabotages
from rollback_drill.campaigns.performed import never_performed, rewritten
from rollback_drill.perform.performer import choose
from rollback_drill.stage.processes import ProcessStage

RUNBOOK = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
BY_FILE = ('echo maintenance > "$MAINTENANCE_FILE"', "true")
BY_CADDY = ("""-d '"/maintenance"'""", "")
STATUS_PAGE = ('cat > "$STATUS_PAGE" <<MESSAGE\nWe see problems', "cat <<MESSAGE\nWe see problems")
A_BOX = ("- [ ] Maintenance mode is on\n", "")
ANOTHER_BOX = ("- [ ] Client traffic has stopped\n", "")


def sabotage(name: str, *rewrites: tuple[str, str]) -> Sabotage:
    plants = tuple(Rewrite(old, new) for old, new in rewrites)
    return Sabotage(name, "it is broken", PlantedIn.RUNBOOK, "maintenance_enabled", plants)


def performed_here(*sabotages: Sabotage) -> set[int]:
    """Return the lines of all commands that plain processes perform, if nothing stops them."""
    blocks = rewritten(RUNBOOK, sabotages).blocks
    return {choose(block, ProcessStage.alternatives).line for block in blocks}


@pytest.mark.parametrize(
    ("rewrites", "never"),
    [
        ((BY_CADDY,), True),
        ((BY_FILE,), False),
        ((BY_CADDY, BY_FILE), False),
        ((BY_CADDY, STATUS_PAGE), False),
        ((ANOTHER_BOX,), False),
    ],
)
def test_what_stands_in_an_alternative_that_is_not_taken_is_never_performed(
    rewrites: tuple[tuple[str, str], ...], never: bool
) -> None:
    beside = sabotage("a", A_BOX)
    one = sabotage("b", *rewrites)
    lines = performed_here(beside, one)
    assert never_performed(RUNBOOK, [beside, one], lines) == ({"b"} if never else set())


def test_what_was_not_reached_is_not_said_to_be_in_another_alternative() -> None:
    assert not never_performed(RUNBOOK, [sabotage("b", BY_CADDY)], set())


@pytest.mark.wide  # each reads the runbook anew; `make sabotage` tells it of each that it holds
def test_no_sabotage_stands_where_plain_processes_never_come() -> None:
    for one in all_sabotages().values():
        if any(isinstance(plant, Rewrite) for plant in one.plants):
            assert not never_performed(RUNBOOK, [one], performed_here(one)), one.name
