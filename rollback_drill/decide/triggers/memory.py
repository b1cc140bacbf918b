"""Memory leak: out-of-memory errors that occur frequently."""

from __future__ import annotations

import math
import re

from rollback_drill.decide.evidence import Evidence, HostMemory, memory_sentences
from rollback_drill.decide.trigger import Firing, PlainWatch, watch


@watch(r"memory leak|\bOOM\b|out[- ]of[- ]memory")
class MemoryLeak(PlainWatch):
    """The runbook gives no number for "frequently". A second kill makes it more than an accident;
    so does a first one when the memory provably grows (`decide.evidence`), since it must recur.
    Kills of one host are counted, so that a host that is merely too small does not condemn all.
    """

    def __init__(self, match: re.Match[str]) -> None:
        del match  # the text has no number to read

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        since = min(map(_since, evidence.memory.values()), default=math.inf)
        if math.isinf(since):
            return None
        return Firing(since, True, memory_sentences(evidence))


def _since(host: HostMemory) -> float:
    """Return since when kills of this host count as frequent, infinity when they do not."""
    if not host.killed_at:
        return math.inf
    host.growth()  # measures what was sampled last
    by_growth = max(host.killed_at[0], host.grew_at)
    return min(by_growth, host.killed_at[1]) if host.kills > 1 else by_growth
