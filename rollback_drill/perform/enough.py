"""A window lasts until it has the samples that its checks need, within a bound.

A pace, or a busy machine, can leave fewer samples in a window than any answer could rest on. To
wait for them is none of the runbook's time, so no step's budget pays for it; what is still missing
when the patience is over stands in the check's finding. A check that has enough is asked once: who
asks again and again until the answer pleases him proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import WaitTimeout
from rollback_drill.ground.finding import Finding
from rollback_drill.ground.wait import wait_until
from rollback_drill.perform.moment import Moment
from rollback_drill.record.told import Noted

PATIENCE_OF_A_SECTION_S = 30.0  # for all checks of one section together
STALLED_S = 8.0  # without a new sample: a second of traffic is complete once its time-outs are over
_EVERY_S = 0.25


def once_enough(look: Callable[[], Finding], moment: Moment) -> Finding:
    """Return what `look` finds once it does not lack samples any more, or what it lacks."""
    finding = look()
    if not finding.lacks:
        return finding
    before, began = finding.evidence, now()
    last, changed = before, began
    left = max(0.0, PATIENCE_OF_A_SECTION_S - moment.waited.lacked_s)
    # What a check waits for by itself is in `waited` already.
    own = moment.waited.total_s
    try:
        for _ in wait_until("enough samples", left, every_s=_EVERY_S):
            finding = look()
            if finding.evidence != last:
                last, changed = finding.evidence, now()
            if not finding.lacks or now() - changed >= STALLED_S:
                break
    except WaitTimeout:
        pass
    took = now() - began
    if finding.lacks and took >= _EVERY_S:
        waited = f"no more came in {took:.0f} s on top of the window"
        finding = replace(finding, evidence=f"{finding.evidence}; {waited}")
    moment.waited.total_s = own + took
    moment.waited.lacked_s += took
    if took >= _EVERY_S:
        told = f"{moment.section}: the window was stretched by {took:.1f} s ({before})"
        moment.timeline.record(Noted(told))
    return finding
