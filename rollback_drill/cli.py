"""The command `rollback-drill`; make calls it, too. A user's mistake ends in one sentence and exit
code 2.

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
from typing import Any

import rollback_drill
from rollback_drill.ground.asked_by_make import call, check_given, verb
from rollback_drill.ground.errors import DrillError, Exit, UsageError
from rollback_drill.ground.machine import keep_out
from rollback_drill.ground.names import nearest, no_such
from rollback_drill.ground.option import Verb
from rollback_drill.ground.redact import masked
from rollback_drill.ground.signals import told_to_end
from rollback_drill.ground.spoken import COMMAND, OF_COMMAND
from rollback_drill.ground.terminal import outlive_terminal, shown

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OURS = {one.name: one for one in OF_COMMAND}
_INNER = ("claim",)  # of make's gate: a user has no need of it
_SHELLS = ("bash", "zsh", "tcsh", "fish")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError("a command as in `make help`", message, "see `make help`")


class _Completion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *asked: object, **_: object) -> None:
        from rollback_drill.completion import completion

        sys.stdout.write(completion(parser, str(asked[1])))
        parser.exit()


def parser(say: Callable[[str], str] = str) -> argparse.ArgumentParser:
    """Return the parser of all commands. `say`: how what is written as make has it is said."""
    top = _Parser(
        prog=COMMAND,
        description=(rollback_drill.__doc__ or "").split("\n")[0],
        epilog=say("Example: make demo"),
    )
    version = f"{COMMAND} {rollback_drill.__version__}"
    top.add_argument("--version", action="version", version=version)
    top.add_argument(
        "--completion",
        action=_Completion,
        choices=_SHELLS,
        help="print what completes the command in this shell, to be sourced",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for one in _OURS.values():
        told: dict[str, Any] = {} if one.name in _INNER else {"help": one.help}
        told |= {"description": f"{one.help}.", "epilog": f"Example: {say(one.example)}"}
        _add(commands.add_parser(one.name, **told), one)
    return top


def _add(one: argparse.ArgumentParser, asked: Verb) -> None:
    for option in asked.options:
        usual = f" (default: {option.default})" if option.default else ""
        first = option.spelling.form.partition(" ")[0]
        one.add_argument(
            option.flag,
            dest=option.field,
            default=option.default,
            type=option.read if asked.module == rollback_drill.__name__ else str,
            metavar=first if first.isalpha() and first.isupper() else "VALUE",
            help=f"{option.help}: {option.spelling.form}{usual}".replace("%", "%%"),
        )


def arguments_of(words: list[str], say: Callable[[str], str] = str) -> argparse.Namespace:
    """Return what `words` ask for; of a command that is a case of another one, what they ask of
    that. `say`: see `parser`. Raises UsageError for what they cannot mean.
    """
    if words and not words[0].startswith("-") and words[0] not in _OURS:
        known = [name for name in _OURS if name not in _INNER]
        raise no_such("a command", words[0], known, "see `make help`")
    arguments, rest = parser(say).parse_known_args(words)
    asked = _OURS[arguments.command]
    if rest:
        near = nearest(rest[0].partition("=")[0], (one.flag for one in asked.options))
        advice = f"did you mean {near}? Else see" if near else "see"
        raise UsageError(
            f"an option of `{asked.name}`",
            rest[0],
            f"{advice} `{asked.name} --help`, or `make help`",
        )
    if asked.module != rollback_drill.__name__:
        texts = {one.variable: getattr(arguments, one.field) for one in asked.options}
        arguments.other = call(asked, texts)
        for one in asked.options:
            setattr(arguments, one.field, one.read(texts[one.variable]))
    for one in asked.options:
        if getattr(arguments, one.field) is None and one.default is None:
            raise UsageError(f"{one.variable}: {one.help}", "none", asked.example)
    if asked.like:
        at = words.index(asked.name)
        return arguments_of([asked.like, *asked.words, *words[at + 1 :]], say)
    return arguments


def _asked_by_make(name: str) -> list[str]:
    """Return the words that make's variables stand for, or become the other program they ask."""
    check_given(os.environ)
    module, *words = call(verb(name), os.environ)
    if module != rollback_drill.__name__:
        os.execv(sys.executable, [sys.executable, "-m", module, *words])  # noqa: S606
    return words


def main(argv: list[str] | None = None, *, say: Callable[[str], str] = str) -> int:
    """Run a command; return its exit code (see `Exit`). `say`: how what is advised as make has it
    is said.
    """
    words = sys.argv[1:] if argv is None else argv

    def complain(expected: str, found: str, advice: str) -> None:
        told = f"Expected {say(expected)}; found {found}.\nTry: {say(advice)}."
        sys.stderr.write(shown(masked(told)) + "\n")

    keep_out()
    outlive_terminal()
    try:
        with told_to_end():
            if words[:1] == ["make"]:
                words = _asked_by_make("".join(words[1:]))
            arguments = arguments_of(words, say)
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
        complain(error.expected, error.found, error.advice)
        return error.exit
    except KeyboardInterrupt:
        sys.stderr.write("Ended by the operator.\n")
        return Exit.UNKNOWN
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        complain("room on the disk", str(error), "free some and run the drill again")
        return Exit.USAGE
