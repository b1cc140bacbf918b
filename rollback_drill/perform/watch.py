"""How long a step that watches goes on, where the runbook leaves it a range: "5 to 10 minutes".

It lasts the longer time, as pace shortens it. It may end once the shorter one is over, if each of
its boxes is proven by then: one look is taken at that moment, and what it finds counts only when
all of them pass. Who looks twice may be wrong twice, so that both looks pass at a confidence that
leaves each of them half of the doubt; and a trend must be small enough to last to the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rollback_drill.decide.statistics import CONFIDENCE
from rollback_drill.ground.clock import now
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.check import Binding, bind, checked, own_script
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.told import Checked
from rollback_drill.runbook.model import Checkbox

__all__ = ["OF_TWO_LOOKS", "can_end_early", "proven_now"]

OF_TWO_LOOKS = 1 - (1 - CONFIDENCE) / 2
"""The confidence of each of two looks, so that both together keep that of one."""


def can_end_early(boxes: Sequence[Checkbox], scripts: Mapping[str, str]) -> bool:
    """Whether each of `boxes` has a check that can pass early, and none names a time of its own.
    `scripts`: the stage's own checks, of which nobody knows.
    """
    return bool(boxes) and all(_early(box) and not own_script(box.text, scripts) for box in boxes)


def proven_now(boxes: Sequence[Checkbox], number: int, moment: Moment) -> list[Checked] | None:
    """Return what is recorded of `boxes` when each of them passes now, else None: watch on."""
    found = []
    for box in boxes:
        binding = _early(box)
        began = now()
        finding = binding.verify(moment) if binding else None
        if finding is None or finding.verdict is not Verdict.PASSED:
            return None
        found.append(checked(box, number, moment, binding, finding, now() - began))
    return found


def _early(box: Checkbox) -> Binding | None:
    binding = bind(box.text)
    if binding and binding.early and not binding.match.groupdict().get("time"):
        return binding
    return None
