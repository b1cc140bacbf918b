"""What is wrong with a command's arguments, told before what it takes to do it is loaded.

Nothing is touched, and what only a stage can show is left to `commands`. Each look loads what it
needs and no more, and what nobody asked for is not looked at: a mistyped word is told at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.options import FAULT, HAZARD, STAGE

_TELL_OF_ANY = ("read", "revalidate", "init")  # also of a document that is no runbook


def refuse_mistakes(command: str, asked: dict[str, Any]) -> None:
    """Raise UsageError for names, numbers and files that there are not."""
    if asked.get("features") and not asked["features"].is_dir():
        raise UsageError(
            f"a folder of features at {asked['features']}",
            "none",
            "set FEATURES=DIR; FEATURES=demo holds those of the demo service",
        )
    if asked.get("runbook"):
        from rollback_drill.runbook.text import read_text

        read_text(asked["runbook"])
    if asked.get("report"):
        from rollback_drill.report.folder import refuse_strangers

        refuse_strangers(asked["report"])
    if "from_" in asked:
        _look_at_record(asked["from_"], requests=command == "decide")
    if command == "drill" and asked["resume"]:
        left: Path = asked["resume"]
        if asked["plan"]:
            raise UsageError(
                "PLAN or RESUME", "both", "leave PLAN out: the procedure has begun already"
            )
        _look_at_record(left / "timeline.jsonl" if left.is_dir() else left)
    elif command == "drill":
        _refuse_drill(asked)
    else:
        _refuse_rest(command, asked)


def _refuse_rest(command: str, asked: dict[str, Any]) -> None:
    # What is wrong with a staging file is told once the document has been read: see `commands`.
    later = command == "revalidate" and asked["stage"].endswith(".toml")
    if "stage" in asked and not later:
        from rollback_drill.stage.model import StageOptions
        from rollback_drill.stage.opening import check_stage

        check_stage(asked["stage"], StageOptions())
    if asked.get("runbook") and command not in _TELL_OF_ANY:
        from rollback_drill.stage.hinted import runbook_on

        runbook_on(asked["runbook"], asked.get("stage", ""))


def _look_at_record(path: Path, *, requests: bool = False) -> None:
    """See that there is a record at `path`: its first line, no more."""
    if requests and path.suffix != ".jsonl":
        from rollback_drill.decide.requests_file import lines_of

        next(lines_of(path), None)
        return
    from rollback_drill.record.timeline import read

    next(read(path))


def _refuse_drill(asked: dict[str, Any]) -> None:
    own: frozenset[str] = frozenset()
    if asked["stage"] != STAGE.value:
        from rollback_drill.conduct.request import Request
        from rollback_drill.stage.opening import check_stage

        own = check_stage(asked["stage"], Request.of(asked).options)
    if asked["hazard"] != HAZARD.value:
        from rollback_drill.breaks.hazard import hazard_called

        hazard_called(asked["hazard"])
    if asked["fault"] != FAULT.value and asked["fault"] not in own:
        from rollback_drill.breaks.fault import FAULTS

        FAULTS.find(asked["fault"], "set FAULT to one of these names", others=sorted(own))
    if asked["golden"]:
        from rollback_drill.subject.questions import read_golden

        read_golden(asked["golden"])
    if asked["channels"]:
        from rollback_drill.perform.messages import read_channels

        read_channels(asked["channels"])
    from rollback_drill.runbook.asked import check_asked
    from rollback_drill.runbook.authority import roles_of
    from rollback_drill.stage.hinted import runbook_on

    check_asked(
        runbook_on(asked["runbook"], asked["stage"]),
        asked["procedure"],
        roles_of(asked["authorized_by"]),
    )
