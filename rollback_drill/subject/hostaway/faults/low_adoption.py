"""Nobody uses what was released: clients ask for first pages only."""

from __future__ import annotations

from rollback_drill.breaks.fault import FAULT_LIMIT_S, Scene, fault
from rollback_drill.stage import http
from rollback_drill.subject.hostaway.list_counts import lists_counted
from rollback_drill.traffic.orders import Orders, give

_SHARE = 0.01
_LEAST = 50


@fault
class LowAdoption:
    """Clients stop following cursors. The release serves them well: a matter to consider.

    Twenty-four hours divided by the pace must fit into a drill: use PACE=8640 for ten seconds.
    """

    name = "low-adoption"
    symptom = "fewer than 5 % of the list requests carry a cursor"
    trigger = r"adoption"
    needs = ("known",)
    ours = True
    damages = False
    watch_s = FAULT_LIMIT_S

    def __init__(self) -> None:
        self._before: dict[str, tuple[float, float]] = {}

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        self._before = {host: _lists(url) for host, url in scene.stage.direct_urls.items()}
        give(scene.traffic, Orders(cursor_share=_SHARE))
        return f"clients follow a cursor in {_SHARE:.0%} of the cases"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Compare the counters of every host with what they were at the start."""
        lists = used = 0.0
        for host, url in scene.stage.direct_urls.items():
            before, now = self._before.get(host, (0.0, 0.0)), _lists(url)
            lists += now[0] - before[0]
            used += now[1] - before[1]
        seen = lists >= _LEAST and used < 0.05 * lists
        return seen, f"{used:.0f} of {lists:.0f} lists were asked for by cursor since"

    def heal(self, scene: Scene) -> None:
        """See Fault.heal."""
        give(scene.traffic, Orders())


def _lists(url: str) -> tuple[float, float]:
    """Return the list requests since the start of the host's process, and those with a cursor."""
    answer = http.get(f"{url}/health")
    return (lists_counted(answer) if answer.ok else None) or (0.0, 0.0)
