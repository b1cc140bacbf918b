"""A drill as it is kept, for tests over many of them."""

import json

from rollback_drill.judge.history import KeptDrill


def drill(began: str = "2026-01-05T10:00:00.000Z", **changes: object) -> KeptDrill:
    """Return a drill that passed, but for what is changed."""
    values = {
        "began": began,
        "key": "k",
        "stage": "processes",
        "fault": "none",
        "procedure": 1,
        "verdict": "passed",
        "detected_after_s": 0.5,
        "restored_after_s": 4.0,
        "outage_s": 3.0,
        "findings": 0,
    }
    return KeptDrill(**{**values, **changes})  # type: ignore[arg-type]


KEPT = json.loads(json.dumps({name: getattr(drill(), name) for name in KeptDrill.__slots__}))
