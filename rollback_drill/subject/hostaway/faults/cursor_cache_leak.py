"""The cursor cache never evicts, and memory grows until the service is killed."""

from __future__ import annotations

from rollback_drill.breaks.fault import LatentDefect, Scene, fault

ENTRY_KB = 4096


@fault
class CursorCacheLeak(LatentDefect):
    """Latent defect: the cache keeps every page's payload for ever."""

    name = "cursor-cache-leak"
    symptom = "the service is killed for exceeding its memory limit"
    trigger = r"memory leak"  # errors are decided by before: its kills have to come again

    def __init__(self) -> None:
        self._kills_before: int | None = None

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        self._kills_before = sum(scene.stage.oom_kills().values())
        scene.stage.defects.set_defects({"cursor_cache_leak_kb": ENTRY_KB})
        return f"every page of a list leaves {ENTRY_KB} KB in the cursor cache"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Ask the stage how often the service was killed for memory."""
        memory = ", ".join(
            f"{host}: {size / 2**20:.0f} MB"
            for host, size in sorted(scene.stage.process.rss_bytes().items())
        )
        counts = scene.stage.oom_kills()
        if not counts:
            return False, "no host tells how often the kernel killed for memory"
        kills = sum(counts.values())
        if self._kills_before is None:  # nothing was switched on: what was before is no symptom
            self._kills_before = kills
        total = kills - self._kills_before
        return total > 0, f"{total} kills for memory; resident now: {memory or 'no process'}"
