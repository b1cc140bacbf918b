"""What completes the command in a shell: commands, options, files, and the names that there are."""

from __future__ import annotations

import argparse
from typing import Any

import shtab

from rollback_drill.breaks.fault import FAULTS
from rollback_drill.breaks.hazard import HAZARDS
from rollback_drill.family import Family
from rollback_drill.ground.option import Option
from rollback_drill.ground.spoken import COMMAND, OF_COMMAND

_PLACES: dict[str, Any] = {
    "FILE": shtab.FILE,
    "FILE.toml": shtab.FILE,
    "DIR": shtab.DIRECTORY,
    "REPORT": shtab.DIRECTORY,
}


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script for `shell`. The `parser` is of no use for anything else afterwards."""
    (commands,) = (one for one in parser._actions if isinstance(one.choices, dict))
    assert isinstance(commands.choices, dict)
    for verb in OF_COMMAND:
        actions = {one.dest: one for one in commands.choices[verb.name]._actions}
        for option in verb.options:
            action = actions[option.field]
            action.type = None
            action.choices = _names(option)
            place = _PLACES.get(option.spelling.form.partition(" ")[0])
            if place and not action.choices:
                action.complete = place
    return f"{shtab.complete(parser, shell=shell, root_prefix=COMMAND.replace('-', '_'))}\n"


def _names(option: Option[Any]) -> list[str] | None:
    """Return what can be written for an option, where there are names for it."""
    known: dict[str, Family[Any]] = {"FAULT": FAULTS, "HAZARD": HAZARDS}
    family = known.get(option.variable)
    return family.names() if family else [*option.spelling.words] or None
