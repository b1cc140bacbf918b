"""What make asks: are its variables ones that there are? What is there? How is a command called?

`python -m rollback_drill.ground.asked_by_make known` answers the first question before there is
more than a Python, `help` the second; `docs/options.md` is what `table` writes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rollback_drill.ground.errors import Exit, UsageError
from rollback_drill.ground.names import nearest, no_such
from rollback_drill.ground.option import Option, Verb
from rollback_drill.ground.options import VERBS


def by_variable() -> dict[str, Option[Any]]:
    """Return the options by the variables of make."""
    found: dict[str, Option[Any]] = {}
    for one in VERBS:
        for option in one.options:
            found.setdefault(option.variable, option)
    return found


def verb(name: str) -> Verb:
    """Return the command called `name`. Raises UsageError when there is none."""
    found = {one.name: one for one in VERBS}
    if name not in found:
        raise no_such("a command", name, found, "see `make help`")
    return found[name]


def check_given(environment: Mapping[str, str]) -> None:
    """Raise UsageError when make's command line sets a variable that there is not, or to what
    cannot be meant.
    """
    known = by_variable()
    for name in environment.get("GIVEN", "").split():
        if name not in known:
            near = nearest(name, known)
            advice = f"did you mean {near}?" if near else "`make help` lists them"
            raise UsageError("a variable that there is", name, advice)
        known[name].read(environment.get(name, ""))


def call(asked: Verb, environment: Mapping[str, str]) -> list[str]:
    """Return the words that follow `python -m` when make asks for a command.

    The command's own defaults are left to it. Raises UsageError for what cannot be meant.
    """
    given = {
        one: text
        for one in asked.options
        if (text := environment.get(one.variable, one.by_make)) is not None
    }
    if asked.module == "rollback_drill":
        said = [f"{one.flag}={text}" for one, text in given.items()]
        return [asked.module, asked.name, *said]
    texts = {one.field: given.get(one, one.default or "") for one in asked.options}
    values = {one.field: one.read(texts[one.field]) for one in asked.options}
    places = {name: str(value) for name, value in values.items() if isinstance(value, Path)}
    said = [word.format_map(texts | places) for word in asked.words]
    for value in values.values():
        if isinstance(value, tuple):
            said += value
    return [asked.module, *said]


def help_lines() -> Iterator[str]:
    """Yield the lines of `make help`."""
    for one in VERBS:
        yield f"  make {one.name:14} {one.help}"
    yield ""
    yield "  Variables as they are when they are not set, and what they can be:"
    for variable, option in by_variable().items():
        usual = " or ".join(_defaults(variable))
        yield f"  {variable + '=' + usual:34} {option.help} ({option.spelling.form})"
    yield ""
    yield "  Examples:"
    yield from (f"  {one.example}" for one in VERBS if one.options)


def _defaults(variable: str) -> list[str]:
    """Return what a variable is by default, for each of the commands that differ."""
    every = (o for verb in VERBS for o in verb.options if o.variable == variable)
    texts = (o.default if o.by_make is None else o.by_make for o in every)
    return [f'"{one}"' if " " in one else one for one in dict.fromkeys(texts) if one]


def table() -> Iterator[str]:
    """Yield the lines of `docs/options.md`."""
    yield "# Commands and their options"
    yield ""
    yield (
        "Variables are set on make's command line; installed, the same is asked of "
        "`rollback-drill COMMAND --option=value`, whose exit codes are for scripts (in a clone: "
        "`.venv/bin/python -m rollback_drill`, as make's are its own). All of them are declared in "
        "`rollback_drill/ground/options.py`, of which this page is made: "
        "`python -m rollback_drill.ground.asked_by_make table > docs/options.md`."
    )
    yield ""
    yield "| command | does | for example |"
    yield "|---|---|---|"
    for one in VERBS:
        yield f"| `{one.name}` | {one.help} | `{one.example}` |"
    yield ""
    yield "| variable | option | can be | is, when not set | of | for example |"
    yield "|---|---|---|---|---|---|"
    for variable, option in by_variable().items():
        takers = [one for one in VERBS if any(o.variable == variable for o in one.options)]
        ours = any(one.module == "rollback_drill" for one in takers)
        yield (
            "| "
            + " | ".join(
                (
                    f"`{variable}`",
                    f"`{option.flag}`" if ours else "",
                    option.spelling.form,
                    ", ".join(f"`{one}`" for one in _defaults(variable)),
                    ", ".join(f"`{one.name}`" for one in takers),
                    f"{option.help}: `{option.example}`",
                )
            )
            + " |"
        )


def answer(asked: str) -> int:
    """Answer a question of make; return the exit code."""
    if asked == "known":
        try:
            check_given(os.environ)
        except UsageError as error:
            sys.stderr.write(f"Expected {error.expected}; found {error.found}.\n")
            sys.stderr.write(f"Try: {error.advice}.\n".replace("?.", "?"))
            return Exit.USAGE
        return Exit.PASSED
    sys.stdout.writelines(f"{line}\n" for line in (help_lines() if asked == "help" else table()))
    return Exit.PASSED


if __name__ == "__main__":
    sys.exit(answer(sys.argv[1]))
