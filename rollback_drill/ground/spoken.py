"""What is advised, in the words of who asked: variables of make, or options of the command.

Advice is written once, as make has it; this says it to who called `rollback-drill`.
"""

from __future__ import annotations

import re
from functools import cache

from rollback_drill.ground.options import VERBS

COMMAND = "rollback-drill"
BESIDE = ("gate",)
"""Other programs that the command runs as well."""
OF_COMMAND = tuple(
    one for one in VERBS if one.module == COMMAND.replace("-", "_") or one.name in BESIDE
)


@cache
def _flags() -> dict[str, str]:
    return {option.variable: option.flag for one in OF_COMMAND for option in one.options}


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    verbs = "|".join(re.escape(one.name) for one in OF_COMMAND)
    variables = "|".join(sorted(map(re.escape, _flags()), key=len, reverse=True))
    return re.compile(rf"\bmake ({verbs}|help)\b"), re.compile(rf"(?<![\w-])({variables})\b(?!-)")


def as_command(text: str) -> str:
    """Return `text`, which names make's commands and variables, as the command has them."""
    verbs, variables = _patterns()
    text = verbs.sub(lambda one: f"{COMMAND} {one[1].replace('help', '--help')}", text)
    return variables.sub(lambda one: _flags()[one[1]], text)
