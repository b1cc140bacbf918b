"""Where people report to, and who looks at the machine, in a simulated drill."""

from __future__ import annotations

import json
from collections.abc import Callable

from rollback_drill.record.timeline import Timeline
from rollback_drill.stage import http
from rollback_drill.watch.busyness import Machine
from rollback_drill.watch.told import MachineSample, Reported

_LEVELS = {"/incidents": ("incident", "severity"), "/tickets": ("ticket", "priority")}


class SimulatedWebhook:
    """See watch.webhook.Webhook."""

    url = "http://webhook.simulated"
    token = ""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._wire = http.wired(self.url, self._take)

    def __enter__(self) -> SimulatedWebhook:
        self._wire.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._wire.__exit__(None, None, None)

    def _take(self, sent: http.Sent) -> http.Answer:
        form, level = _LEVELS[sent.path]
        told = json.loads(sent.body or b"{}")
        self._timeline.record(Reported(form, told[level], told["title"], told["reporter"]))
        return http.Answer(202, {}, b"{}")


class SimulatedMachine(Machine):
    """See watch.busyness.Machine: a machine as busy as the world is slow."""

    def __init__(self, timeline: Timeline, slowness: float) -> None:
        super().__init__(timeline)
        busy = min(0.99, 0.3 * slowness)
        self._sample = MachineSample(round(2 * busy * slowness, 2), 2, busy, 8 * 2**30)

    def look(self) -> MachineSample:
        """See Machine.look."""
        return self._sample


def machine_of(slowness: float) -> Callable[[Timeline], SimulatedMachine]:
    """Return what makes such an observer."""
    return lambda timeline: SimulatedMachine(timeline, slowness)
