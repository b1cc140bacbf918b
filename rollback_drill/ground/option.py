"""What an option is, and what can be written for one.

Asked before there is more than a Python, which may be too old for all else: only the standard
library is imported here, and no class has slots.
"""

from __future__ import annotations

import keyword
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Generic, TypeVar  # noqa: UP035 - any Python has this one

from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.home import DEMO
from rollback_drill.ground.names import no_such

Meant = TypeVar("Meant")
_OF_DEMO = "demo"
_DIGITS = 18  # of a whole number: no more are needed, and thousands cannot be read


@dataclass(frozen=True)
class Spelling(Generic[Meant]):
    """How a value is written: its `form` in help, and what reads it: (variable, text) -> value.

    `words`: those that it can be, where it is one of some.
    """

    form: str
    read: Callable[[str, str], Meant]
    words: tuple[str, ...] = ()


def text(form: str) -> Spelling[str]:
    """Return the spelling of any text; what there is of such names is known elsewhere."""
    return Spelling(form, lambda _, text: text)


def place(form: str) -> Spelling[Path]:
    """Return the spelling of a file or folder."""
    return Spelling(form, lambda _, text: Path(text))


def place_or_none(form: str) -> Spelling[Path | None]:
    """Return the spelling of a file or folder, or of none."""
    return Spelling(form, lambda _, text: Path(text) if text else None)


def place_or_demo(form: str, *place: str) -> Spelling[Path]:
    """Return the spelling of a file or folder, or of that which the demo has at `place`."""

    def read(variable: str, text: str) -> Path:
        if text.startswith("-"):  # whoever takes words as well would take it for an option
            raise UsageError(f"{variable}: {form}", repr(text), f"write ./{text} if it is one")
        return DEMO.joinpath(*place) if text == _OF_DEMO else Path(text)

    return Spelling(f"{form} or {_OF_DEMO}", read)


def or_none(given: Spelling[Path]) -> Spelling[Path | None]:
    """Return the spelling of what is `given`, or of none."""
    return Spelling(given.form, lambda name, text: given.read(name, text) if text else None)


FLAG = Spelling("1", lambda _, text: text not in ("", "0", "no"))
"""Whether to do it: anything but nothing, 0 and no."""


def number(low: float, high: float) -> Spelling[float]:
    """Return the spelling of a number from `low` to `high`, both allowed."""

    def read(variable: str, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise UsageError(
                f"{variable}: a number from {low:g} to {high:g}",
                repr(text),
                f"set {variable}={low:g}",
            )
        return value

    return Spelling(f"{low:,.0f} to {high:,.0f}", read)


def number_or(word: str, low: float, high: float) -> Spelling[float | None]:
    """Return the spelling of a number as in `number`, or of `word`, which means None."""
    given = number(low, high)

    def read(variable: str, text: str) -> float | None:
        return None if text == word else given.read(variable, text)

    return Spelling(f"{word} or {given.form}", read)


def whole(low: int, high: int) -> Spelling[int]:
    """Return the spelling of a whole number from `low` to `high`, both allowed."""

    def read(variable: str, text: str) -> int:
        short = text.isdecimal() and len(text) <= _DIGITS
        if not short or not low <= int(text) <= high:
            raise UsageError(
                f"{variable}: a whole number from {low} to {high}",
                repr(text),
                f"set {variable}={low}",
            )
        return int(text)

    return Spelling(f"{low:,} to {high:,}", read)


def one_of(*words: str, or_none: bool = False) -> Spelling[str]:
    """Return the spelling of one of `words`, or of nothing."""

    def read(variable: str, text: str) -> str:
        if text not in words and (text or not or_none):
            raise no_such(variable, text, words, f"leave {variable} out")
        return text

    return Spelling(", ".join(words), read, words)


def words(form: str) -> Spelling[tuple[str, ...]]:
    """Return the spelling of words as a shell would read them, had it no commands."""

    def read(variable: str, text: str) -> tuple[str, ...]:
        try:
            return tuple(shlex.split(text))
        except ValueError as error:
            raise UsageError(f"{variable}='{form}'", str(error), "close each quote") from error

    return Spelling(form, read)


@dataclass(frozen=True)
class Option(Generic[Meant]):
    """One option. `default`: as a user would write it, None where one must be given.

    `by_make`: the default of make where that is another. `variable`: that of make.
    """

    variable: str
    spelling: Spelling[Meant]
    default: str | None
    help: str
    example: str
    by_make: str | None = None
    name: str = ""

    @property
    def flag(self) -> str:
        """How the command line calls it."""
        return f"--{self.name or self.variable.lower().replace('_', '-')}"

    @property
    def field(self) -> str:
        """The name of what holds its value."""
        name = self.flag[2:].replace("-", "_")
        return f"{name}_" if keyword.iskeyword(name) else name

    @property
    def value(self) -> Meant:
        """What its default means."""
        return self.read(self.default or "")

    def read(self, text: str) -> Meant:
        """Return what `text` means. Raises UsageError."""
        return self.spelling.read(self.variable, text)


@dataclass(frozen=True)
class Verb:
    """One command. `module`: what make runs for it, "" for what stands in the Makefile alone.

    `words`: how another program than ours is called, with `{field}` in the place of values;
    options of several words are added to them. `like`: the command of ours that it is a case of,
    with these `words` before those of the user.
    """

    name: str
    help: str
    example: str
    options: tuple[Option[Any], ...] = ()
    module: str = "rollback_drill"
    words: tuple[str, ...] = ()
    like: str = ""
