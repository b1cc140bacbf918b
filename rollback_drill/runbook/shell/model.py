"""A script's commands, words, redirections and loops. Lines are those of the whole document."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

NOWHERE = "/dev/null"


@dataclass(frozen=True, slots=True)
class Word:
    """One argument: its `text` without quotes, expansions as they are written.

    `emptied`: what is left of it when variables are unset; `variables`: their names, without those
    that are guarded (`${X:?}`, `${X:-a}`). `quoted`: a part of it stands in quotes.
    """

    text: str
    line: int
    emptied: str = ""
    variables: tuple[str, ...] = ()
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Redirect:
    """`operator` with its `target`; for a heredoc or herestring `body`, from `line` on."""

    operator: str
    descriptor: str
    target: str
    line: int
    body: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What stands around a command.

    `limited`: a `timeout` ends it. `fed`: its standard input is no terminal. `condition`: its
    status is asked for (`if`, `!`, left of `&&`). `handled`: something is done when it fails;
    `swallowed`: the words that make its failure a success, such as "|| true". `silenced`: its
    errors go nowhere. `feeders`, `readers`: the words before and behind it in its pipeline.
    `aside`: it runs beside its reader, as in `<(…)`. `pipefail`, `nounset`: of the shell, there.
    """

    limited: bool = False
    background: bool = False
    fed: bool = False
    condition: bool = False
    handled: bool = False
    swallowed: str = ""
    silenced: bool = False
    aside: bool = False
    pipefail: bool = False
    nounset: bool = False
    wrappers: tuple[str, ...] = ()
    feeders: tuple[tuple[Word, ...], ...] = ()
    readers: tuple[tuple[Word, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command, as it would be run. There is at least one word."""

    words: tuple[Word, ...]
    line: int
    context: Context
    redirects: tuple[Redirect, ...] = ()
    assignments: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The program's name without its folder."""
        return name_of(self.words)

    @property
    def text(self) -> str:
        """Its words, one blank between them, after its own assignments."""
        own = [f"{name}={value}" for name, value in self.assignments.items()]
        return " ".join([*own, self.name, *(word.text for word in self.words[1:])])

    @property
    def arguments(self) -> tuple[str, ...]:
        """The words behind its name."""
        return tuple(word.text for word in self.words[1:])

    @property
    def is_fed(self) -> bool:
        """Whether its standard input is a file, a pipe or a heredoc."""
        return self.context.fed or any(r.operator.startswith("<") for r in self.redirects)

    @property
    def bodies(self) -> tuple[Redirect, ...]:
        """Its heredocs and herestrings."""
        return tuple(r for r in self.redirects if r.operator.startswith("<<"))


def name_of(words: Sequence[Word]) -> str:
    """Return the name of the program that `words` would run, without its folder; python3.12 is
    python3.
    """
    name = words[0].text.lstrip("\\").rpartition("/")[2] if words else ""
    return re.sub(r"^(python\d)\.\d+$", r"\1", name)


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop or menu: `kind` is "while", "until", "for" or "select"; `condition` as written.

    `leaves`: a `break`, `exit` or `return` stands in it.
    """

    kind: str
    condition: str
    line: int
    context: Context
    leaves: bool


@dataclass(frozen=True, slots=True)
class Script:
    """A script as read. `unread`: (line, words) that the grammar could not make sense of.

    `carriers`: the words of wrappers, such as `ssh api-1`, without what they carry. `assigned`:
    variables that it sets, or refuses to be without; `values`: what it sets them to. `unreached`:
    lines behind an `exit` on which nothing decides.
    """

    text: str
    commands: tuple[Command, ...]
    loops: tuple[Loop, ...]
    unread: tuple[tuple[int, str], ...]
    assigned: frozenset[str]
    carriers: tuple[Command, ...] = ()
    values: tuple[Word, ...] = ()
    unreached: tuple[int, ...] = ()


class Args:
    """Options and operands of a command line, told apart as the usual programs do.

    `takes`: the letters of options that have a value; `long`: such options with two dashes (or
    one, as terraform's). `first`: options end at the first operand, what follows is `operands`.
    """

    def __init__(
        self,
        words: Sequence[str],
        takes: str = "",
        long: Collection[str] = (),
        *,
        first: bool = False,
    ) -> None:
        self.flags: set[str] = set()
        self.values: dict[str, list[str]] = {}
        self.operands: list[str] = []
        self._takes, self._long = takes, long
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word == "--":
                self.operands += rest
                break
            if re.match(r"-{1,2}[A-Za-z][\w-]+", word) and (
                word.startswith("--") or word.lstrip("-").partition("=")[0] in long
            ):
                self._take_long(word.lstrip("-"), rest)
            elif len(word) > 1 and word.startswith("-") and not word.startswith("--"):
                self._take_short(word[1:], rest)
            else:
                self.operands.append(word)
                if first:
                    self.operands += rest
                    break

    def _take_long(self, word: str, rest: list[str]) -> None:
        name, equals, value = word.partition("=")
        self.flags.add(name)
        if equals:
            self.values.setdefault(name, []).append(value)
        elif name in self._long and rest:
            self.values.setdefault(name, []).append(rest.pop(0))

    def _take_short(self, letters: str, rest: list[str]) -> None:
        for index, letter in enumerate(letters):
            self.flags.add(letter)
            if letter in self._takes:
                value = letters[index + 1 :] or (rest.pop(0) if rest else "")
                self.values.setdefault(letter, []).append(value)
                return

    def has(self, *names: str) -> bool:
        """Whether one of these options is there; options switched off (`--watch=false`) are not."""
        return any(n in self.flags and self.values.get(n) not in (["false"],) for n in names)

    def value(self, *names: str) -> str:
        """Return the last value of these options, "" when there is none."""
        return next((self.values[n][-1] for n in names if n in self.values), "")
