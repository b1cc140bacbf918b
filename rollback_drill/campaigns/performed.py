"""Whether a drill performed what was rewritten in its runbook: what stands in an alternative that
this stage does not take breaks nothing, and nobody could see it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rollback_drill.breaks.sabotage import Rewrite, Sabotage, written
from rollback_drill.ground import files
from rollback_drill.ground.machine import temporary
from rollback_drill.runbook.model import Runbook
from rollback_drill.runbook.parse import parse


def rewritten(runbook: Path, sabotages: Sequence[Sabotage]) -> Runbook:
    """Return what `sabotages` make of the runbook. Raises UsageError when it is none any more."""
    with TemporaryDirectory(dir=temporary()) as scratch:
        path = Path(scratch, runbook.name)
        files.write(path, written(runbook.read_text(encoding="utf-8"), sabotages))
        return parse(path)


def never_performed(
    runbook: Path, sabotages: Sequence[Sabotage], lines: Collection[int]
) -> frozenset[str]:
    """Return the names of the `sabotages` whose blocks were performed, each in another alternative
    than those that were rewritten. `lines`: of the alternatives that were performed, in what all
    of `sabotages` made of the runbook.
    """
    before, after = parse(runbook).blocks, rewritten(runbook, sabotages).blocks
    found = set()
    for one in sabotages:
        if not any(isinstance(plant, Rewrite) for plant in one.plants):
            continue
        own = rewritten(runbook, [one]).blocks
        if not len(before) == len(after) == len(own):
            continue  # they are told apart by their numbers
        seen = []
        for old, new, held in zip(before, own, after, strict=True):
            pairs = zip(old.alternatives, new.alternatives, strict=False)
            changed = [was.script != now.script for was, now in pairs]
            ways = zip(changed, held.alternatives, strict=False)
            taken = [other for other, way in ways if way.line in lines]
            if any(changed) and taken:
                seen.append(any(taken))
        if seen and not any(seen):
            found.add(one.name)
    return frozenset(found)
