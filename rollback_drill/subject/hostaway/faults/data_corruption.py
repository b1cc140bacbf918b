"""Pages damage data: each cuts the guest's name of the newest reservation."""

from __future__ import annotations

from rollback_drill.breaks.fault import LatentDefect, Scene, fault

_WIDTH = 8


@fault
class DataCorruption(LatentDefect):
    """Latent defect: a page writes to the newest row of what it lists."""

    name = "data-corruption"
    symptom = f"reservations of the last minute have names of {_WIDTH} characters or fewer"
    trigger = r"data corruption"
    damages = True

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        scene.stage.defects.set_defects({"cut_newest_name": True})
        return f"every page cuts the newest reservation's guest name to {_WIDTH} characters"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Ask the database: the drill's clients have longer names only."""
        ((cut, made),) = scene.stage.database.fetch(
            "SELECT count(*) FILTER (WHERE length(guest_name) <= %s), count(*) FROM reservations "
            "WHERE reference LIKE 'd%%' AND created_at > now() - interval '1 minute'",
            (_WIDTH,),
        )
        return cut > 0, f"{cut} of {made} reservations of the last minute have a cut name"
