"""A fault is healed once and asked for once; asking may write, and waits where data is compared."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from rollback_drill.breaks.fault import OutsideCause, Scene
from rollback_drill.breaks.told import FaultHealed, HealAttested
from rollback_drill.conduct.drill import Drill
from rollback_drill.conduct.rig import Rig
from rollback_drill.ground.errors import StageError
from rollback_drill.record.timeline import Timeline, read


class Broken(OutsideCause):
    """A fault whose healing fails `failures` times."""

    name = "broken"
    symptom = "it is broken"

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def heal(self, scene: Scene) -> None:
        if self.failures:
            self.failures -= 1
            raise StageError("a file", "none", "wait")

    def healed(self, scene: Scene) -> tuple[bool, str]:
        return True, "it is whole"


@pytest.mark.parametrize(
    ("failures", "told"),
    [
        (0, [FaultHealed("broken"), HealAttested("broken", True, "it is whole")]),
        (
            1,
            [
                HealAttested(
                    "broken", False, "it could not be healed: expected a file; found none; wait"
                ),
                FaultHealed("broken"),
                HealAttested("broken", True, "it is whole"),
            ],
        ),
    ],
    ids=["healed at once", "healed at last"],
)
def test_a_resumed_drill_asks_whether_its_fault_is_gone_only_when_clients_go(
    failures: int, told: list[object], tmp_path: Path
) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    drill = Drill(cast(Rig, SimpleNamespace(fault=Broken(failures), timeline=timeline)), ())
    drill.heal()
    assert not timeline.path.stat().st_size, "nothing was made that could be healed"
    drill.scene = cast(Scene, object())
    drill.heal(attest=False)
    before = [event.what for event in read(timeline.path)]
    assert before == told[:1]
    for _ in range(2):
        drill.heal()
    timeline.close()
    after = [e.what for e in read(timeline.path) if isinstance(e.what, FaultHealed | HealAttested)]
    assert after == told
