"""The commands behind the Makefile. A user's mistake ends in one sentence and exit code 2.

What can be asked is declared in `ground.options`. What a command does stands in `commands`, which
is imported once its arguments are right: its statistics, database drivers and engine take seconds
to load.
"""

from __future__ import annotations

import argparse
import errno
import gc
import os
import sys
from collections.abc import Callable
from importlib import import_module

import rollback_drill
from rollback_drill.ground.asked_by_make import call, check_given, verb
from rollback_drill.ground.errors import DrillError, Exit, UsageError
from rollback_drill.ground.machine import keep_out
from rollback_drill.ground.names import nearest, no_such
from rollback_drill.ground.option import Verb
from rollback_drill.ground.options import VERBS
from rollback_drill.ground.redact import masked
from rollback_drill.ground.signals import told_to_end
from rollback_drill.ground.terminal import outlive_terminal, shown

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OURS = {one.name: one for one in VERBS if one.module == rollback_drill.__name__}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError("a command as in `make help`", message, "see `make help`")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = _Parser(prog="rollback_drill", description=(rollback_drill.__doc__ or "").split("\n")[0])
    version = f"rollback-drill {rollback_drill.__version__}"
    top.add_argument("--version", action="version", version=version)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for one in _OURS.values():
        _add(
            commands.add_parser(
                one.name,
                help=one.help,
                description=f"{one.help}.",
                epilog=f"Example: {one.example}",
            ),
            one,
        )
    return top


def _add(one: argparse.ArgumentParser, asked: Verb) -> None:
    for option in asked.options:
        usual = f" (default: {option.default})" if option.default else ""
        one.add_argument(
            option.flag,
            dest=option.field,
            default=option.default,
            type=option.read,
            metavar=option.spelling.form.upper() if option.spelling.form.isalpha() else "VALUE",
            help=f"{option.help}: {option.spelling.form}{usual}".replace("%", "%%"),
        )


def arguments_of(words: list[str]) -> argparse.Namespace:
    """Return what `words` ask for. Raises UsageError for what they cannot mean."""
    if words and not words[0].startswith("-") and words[0] not in _OURS:
        raise no_such("a command", words[0], _OURS, "see `make help`")
    arguments, rest = parser().parse_known_args(words)
    asked = _OURS[arguments.command]
    if rest:
        near = nearest(rest[0].partition("=")[0], (one.flag for one in asked.options))
        advice = f"did you mean {near}? Else see" if near else "see"
        raise UsageError(
            f"an option of `{asked.name}`",
            rest[0],
            f"{advice} `{asked.name} --help`, or `make help`",
        )
    for one in asked.options:
        if getattr(arguments, one.field) is None and one.default is None:
            raise UsageError(f"{one.variable}: {one.help}", "none", asked.example)
    return arguments


def _asked_by_make(name: str) -> list[str]:
    """Return the words that make's variables stand for, or become the other program they ask."""
    check_given(os.environ)
    module, *words = call(verb(name), os.environ)
    if module != rollback_drill.__name__:
        os.execv(sys.executable, [sys.executable, "-m", module, *words])  # noqa: S606
    return words


def _complain(expected: str, found: str, advice: str) -> None:
    told = f"Expected {expected}; found {found}.\nTry: {advice}."
    sys.stderr.write(shown(masked(told)) + "\n")


def main(argv: list[str] | None = None) -> int:
    """Run a command; return its exit code (see `Exit`)."""
    words = sys.argv[1:] if argv is None else argv
    keep_out()
    outlive_terminal()
    try:
        with told_to_end():
            if words[:1] == ["make"]:
                words = _asked_by_make("".join(words[1:]))
            arguments = arguments_of(words)
            # Not before the words are right: it knows the families and reads the runbook.
            from rollback_drill.mistakes import refuse_mistakes

            refuse_mistakes(arguments.command, vars(arguments))
            run: Callable[[argparse.Namespace], int] = getattr(
                import_module("rollback_drill.commands"),
                f"run_{arguments.command.replace('-', '_')}",
            )
            if not gc.isenabled():  # as a command begins, not where somebody else calls it
                gc.freeze()  # what is loaded stays: nobody has to look for garbage in it
                gc.enable()
            return int(run(arguments))
    except DrillError as error:
        _complain(error.expected, error.found, error.advice)
        return error.exit
    except KeyboardInterrupt:
        sys.stderr.write("Ended by the operator.\n")
        return Exit.UNKNOWN
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _complain("room on the disk", str(error), "make room and run the drill again")
        return Exit.USAGE
