"""What if the operator's machine dies? Cuts every procedure everywhere, and performs it again.

Each procedure is cut by SIGKILL at every boundary between two of its code blocks, and in every
simple command of each block: once with all processes of that command, and once with the operator's
process alone, so that the command goes on by itself on the host. Then it is performed from its
beginning. What comes out must be the same as without the cut.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from itertools import islice
from pathlib import Path

from rollback_drill.campaigns.mishaps import Endured
from rollback_drill.campaigns.mortal import (
    Piece,
    Reached,
    perform_and_die,
    run_piece,
    told_by,
    watched,
)
from rollback_drill.data.comparison import compare
from rollback_drill.data.fingerprint import fingerprint
from rollback_drill.ground import files
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import DrillError, StageError, WaitTimeout
from rollback_drill.ground.terminal import shown
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.perform.performer import choose
from rollback_drill.runbook.model import CodeBlock, Procedure, Runbook
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.asking import keyed
from rollback_drill.stage.host import look
from rollback_drill.stage.model import Stage

_ORPHAN_LIMIT_S = 120.0
_LONGEST_TEXT = 60
# These leave nothing behind outside of their shell, so that a cut in them is one before the next.
_IN_THE_SHELL = re.compile(
    r"^((export|cd|set|trap|for|break|exit|local|shift|:|\[\[?)(\s.*)?"
    r"|\w+=(\"[^\"$`]*\"|'[^']*'|\$\w+|[^\s\"'$`])*"
    r"(\s+\w+=(\"[^\"$`]*\"|'[^']*'|\$\w+|[^\s\"'$`])*)*)$",
    re.DOTALL,
)
_AT_ONCE_S = 0.001
_SHORT_S = 0.01  # commands that are over sooner may end before the signal arrives
_SHARES = (0.5, 0.2, 0.05, 0.0)  # of a command's time; further ones where it was over too soon


class Way(Enum):
    """What dies, and where."""

    BEFORE = "between two blocks"
    COMMAND = "in a command, with all its processes"
    OPERATOR = "in a command, which goes on by itself"


@dataclass(frozen=True, slots=True)
class PlacedBlock:
    """One code block of a procedure."""

    step: int
    title: str
    block: CodeBlock

    @property
    def name(self) -> str:
        """Say which one it is."""
        return f"step {self.step}, line {self.block.line}"


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple command of a block, the `number`th that runs of `of`, in the block's `line`.

    `took_s`: how long it takes when nobody cuts it. Line 0: what the block does as it exits.
    """

    number: int
    of: int
    line: int
    text: str
    took_s: float

    @property
    def name(self) -> str:
        """Say which one it is."""
        text = self.text if len(self.text) <= _LONGEST_TEXT else self.text[:_LONGEST_TEXT] + "…"
        if not self.line:
            return "what the block does as it exits"
        return f"command {self.number} of {self.of} (line {self.line}, `{text}`)"


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a procedure is cut: at its code block `index`, in the `simple` command of it if any."""

    procedure: int
    index: int
    way: Way
    block: CodeBlock
    simple: Simple | None = None


@dataclass(frozen=True, slots=True)
class CutOutcome:
    """What came of a cut: `wrong` is empty when the procedure ended in the same good state."""

    cut: Cut
    where: str
    reached: str
    took_s: float
    wrong: tuple[str, ...]


def blocks_of(procedure: Procedure) -> list[PlacedBlock]:
    """Return the commands of `procedure` in order, without those of alternatives for failures."""
    return [
        PlacedBlock(step.number, step.title, block)
        for step in procedure.steps
        for block in step.blocks
        if not block.fallback
    ]


def simple_commands(told: list[Reached], ended_at: float) -> list[Simple]:
    """Return the simple commands that a script told about, which ended at `ended_at`."""
    ends = [one.at for one in told[1:]] + [ended_at]
    last = max((one.number for one in told if one.line > 0), default=0)  # stands for the end
    found: list[Simple] = []
    before = ""  # of a pipeline, all of whose commands begin at once
    for one, end in zip(told, ends, strict=True):
        following = told[one.number] if one.number < len(told) else one
        if end - one.at < _AT_ONCE_S and 0 < one.line == following.line and one is not following:
            before += f"{one.text.strip()} | "
        elif one.number != last:
            text = before + one.text.strip()
            found.append(Simple(one.number, last - 1, max(0, one.line), text, end - one.at))
            before = ""
    return found


def cuts_of(procedure: Procedure, simple: list[list[Simple]]) -> list[Cut]:
    """Return all places where `procedure` can be cut; `simple`: the simple commands by block."""
    found = []
    for index, (command, parts) in enumerate(zip(blocks_of(procedure), simple, strict=True)):
        number, block = procedure.number, command.block
        if index:
            found.append(Cut(number, index, Way.BEFORE, block))
        real = [one for one in parts if not one.line or not _IN_THE_SHELL.match(one.text)]
        found += [Cut(number, index, Way.COMMAND, block, part) for part in real]
        # From its first command on: the whole block goes on without the operator.
        found += [Cut(number, index, Way.OPERATOR, block, part) for part in real[:1] if part.line]
    return found


def interrupt(
    stage: Stage,
    runbook: Runbook,
    only: Callable[[Cut], bool] = lambda _: True,
    procedures: Iterable[int] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[CutOutcome]:
    """Make every cut (or `only` some, of some `procedures`) on a `stage` that is up; yield what
    came of each.
    """
    wanted = None if procedures is None else set(procedures)
    for procedure in runbook.procedures:
        if procedure is runbook.redeployment:
            continue  # that one begins where the others end
        if wanted is not None and procedure.number not in wanted:
            continue
        bench = _Bench(stage, procedure)
        cuts = [cut for cut in cuts_of(procedure, bench.simple) if only(cut)]
        tell(f"Procedure {procedure.number}: {len(cuts)} cuts")
        for cut in cuts:
            outcome = bench.make(cut)
            said = "; ".join(outcome.wrong) or "same good state"
            tell(f"  {outcome.where}: {outcome.reached}: {said}")
            yield outcome


class _Bench:
    """Performs one procedure again and again, from the failing release each time.

    `simple`: the simple commands of each block, as they ran when nobody cut them.
    """

    def __init__(self, stage: Stage, procedure: Procedure) -> None:
        self._stage = stage
        self._procedure = procedure
        self._commands = blocks_of(procedure)
        self._begin()
        self.simple = [self._traced(command) for command in self._commands]
        wrong = self._state_is_wrong()
        if wrong:
            raise AssertionError(f"without a cut Procedure {procedure.number} ends so: {wrong}")

    def _traced(self, command: PlacedBlock) -> list[Simple]:
        told: list[Reached] = []

        def take(line: str) -> None:
            one = told_by(line)
            if one:
                told.append(one)

        piece = self._piece(command.block, watched)
        run_piece(Piece(piece.script, piece.hosts[:1]), take)
        found = simple_commands(told, now())
        for host in piece.hosts[1:]:
            run_piece(Piece(piece.script, (host,)))
        return found

    def _begin(self) -> None:
        self._stage.deploy(self._stage.failing)
        for block in self._procedure.prerequisite_blocks:
            run_piece(self._piece(block))
        self._data = fingerprint(self._stage.database)

    def _piece(self, block: CodeBlock, wrap: Callable[[str], str] = lambda s: s) -> Piece:
        script = choose(block, self._stage.alternatives).script
        hosts = tuple(self._stage.hosts)[: 1 if block.once else None]
        return Piece(wrap(script), hosts)

    def _must(self, command: PlacedBlock) -> str:
        """Run one command; return what went wrong, "" for nothing."""
        for done in run_piece(self._piece(command.block)):
            if not done.ok:
                words = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
                return f"{command.name} ended with {done.exit_status}: {words[-1][:160]}"
        return ""

    def make(self, cut: Cut) -> CutOutcome:
        """Make one cut, perform the procedure from its beginning, and look at what came out."""
        began = now()
        command = self._commands[cut.index]
        before = "before " if cut.way is Way.BEFORE else "in "
        where = f"{before}{command.name} (“{command.title}”)"
        token = uuid.uuid4().hex
        try:
            reached = self._die(cut, token)
        except DrillError as error:
            return CutOutcome(cut, where, "could not be cut", now() - began, (str(error),))
        wrong = list(islice(filter(None, map(self._must, self._commands)), 1))  # it stops there
        if cut.way is Way.OPERATOR:
            wrong += self._orphan_is_wrong(token)
        wrong += self._state_is_wrong()
        return CutOutcome(cut, where, reached, now() - began, tuple(wrong))

    def _die(self, cut: Cut, token: str) -> str:
        """Perform the procedure up to the cut; return how far it got."""
        earlier = [self._piece(one.block) for one in self._commands[: cut.index]]
        if cut.simple is None:
            self._begin()
            perform_and_die(earlier)
            return "operator killed at the boundary"
        part = cut.simple
        for share in _SHARES:
            after_s = part.took_s * share
            self._begin()
            if cut.way is Way.OPERATOR:
                last = self._piece(
                    cut.block, lambda s: f"# {token}\n" + watched(s, told=part.number)
                )
                told = perform_and_die([*earlier, last], alone=part.number)
            else:
                last = self._piece(cut.block, partial(watched, cut=part.number, after_s=after_s))
                told = perform_and_die([*earlier, last])
            numbers = [one.number for one in told]
            at = numbers[-1:] == [part.number]
            if cut.way is Way.OPERATOR and at:
                return f"operator killed as it came to {part.name}, which went on alone"
            if at:
                return f"killed {after_s * 1000:.0f} ms after it came to {part.name}"
            enough = share < _SHARES[0] or part.took_s < _SHORT_S
            if enough and part.line and numbers[-1:] == [part.number + 1]:
                took_ms = (told[-1].at - told[-2].at) * 1000
                return f"killed {took_ms:.0f} ms after it came to {part.name}, which had just ended"
        raise StageError(
            f"{cut.block.line}: {part.name} to be cut", f"it told {numbers}", "make that cut again"
        )

    def _orphan_is_wrong(self, token: str) -> list[str]:
        """Wait for the script that the dead operator left running: its end counts, too."""
        find = f"pgrep -f '[{token[0]}]{token[1:]}' || true"
        try:
            for _ in wait_until("the command that goes on by itself ends", _ORPHAN_LIMIT_S):
                if not any(look(host, find, limit_s=10).stdout for host in self._stage.hosts):
                    return []
        except WaitTimeout as error:
            return [error.expected]
        return []

    def _state_is_wrong(self) -> list[str]:
        """Return what is not as it must be at the end."""
        wrong = []
        stage = self._stage
        flag_only = not any(
            "git checkout" in c.block.alternatives[0].script for c in self._commands
        )
        tag = stage.failing if flag_only else stage.stable
        recipe = stage.subject.recipe
        assert recipe is not None  # what stands on a stage of our own
        for host in stage.hosts:
            seen = look(
                host,
                f'test "$(git rev-parse HEAD)" = "$(git rev-parse {tag}^{{commit}})"\n'
                'test ! -e "$MAINTENANCE_FILE"\n'
                f"git --no-optional-locks diff --quiet HEAD -- {recipe.module}\n"
                f'.venv/bin/python -c "import {recipe.application}"\nuv sync --quiet --check',
                limit_s=60,
            )
            if not seen.ok:
                wrong.append(f"{host.name} does not have {tag} whole and out of maintenance")
        wrong += self._clients_are_wrong()
        took_back = any(
            "alembic downgrade" in c.block.alternatives[0].script for c in self._commands
        )
        found = compare(self._data, fingerprint(stage.database))
        wrong += [*found.changed, *(f"{name} appeared" for name in found.added)]
        if took_back:
            missing = set(self._procedure.dropped) - set(found.dropped)
            wrong += [f"{name} is still there" for name in sorted(missing)]
        else:
            wrong += [f"{name} is gone" for name in found.dropped]
        return wrong

    def _clients_are_wrong(self) -> list[str]:
        stage = self._stage
        with contextlib.suppress(WaitTimeout):
            for _ in wait_until("clients are served", 20):
                try:
                    url = stage.base_url + stage.subject.probe
                    http.get(url, headers=keyed(stage)).checked()
                    found = stage.subject.serves_stable(stage)
                except NoAnswer:
                    continue
                return [] if found.verdict is Verdict.PASSED else [found.evidence]
        return ["clients are not served"]


def write_table(outcomes: Iterable[CutOutcome], path: Path, mishaps: Iterable[Endured] = ()) -> int:
    """Write the tables of all cuts and mishaps as Markdown to `path`; return how many ended badly.

    Those that could not be made here are no bad ends.
    """
    rows, endured = list(outcomes), list(mishaps)
    bad = sum(bool(one.wrong) for one in rows)
    lines = [
        "# Cut anywhere, performed again",
        "",
        f"{len(rows)} cuts, {len(rows) - bad} of which ended in the same good state when the "
        "procedure was performed again from its beginning. Lines of commands are counted within "
        "their block. Commands that change nothing outside of their shell (`cd`, `export`, …) "
        "are not cut by themselves: that is the same as a cut before the next one.",
        "",
        "| Procedure | Cut | How far it got | Outcome |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {one.cut.procedure} | {one.where} | {_cell(one.reached)} | "
        f"{_cell('; '.join(one.wrong)) or 'same good state'} |"
        for one in rows
    ]
    if endured:
        lines += ["", *_mishaps(endured)]
    files.write(path, shown("\n".join(lines) + "\n"))
    return bad + sum(one.right is False for one in endured)


def _mishaps(endured: list[Endured]) -> list[str]:
    wrong = [one.hazard for one in endured if one.right is False]
    told = f"Not so: {', '.join(wrong)}" if wrong else "All did"
    made = sum(one.right is not None for one in endured)
    return [
        "# Mishaps",
        "",
        f"{made} mishaps, each in a drill of its own: the procedure has to get by, or to stop with "
        f"a reason and without a loss. {told}.",
        "",
        "| Hazard | Procedure | What went wrong | What was seen of it | Outcome |",
        "|---|---|---|---|---|",
        *(
            f"| {one.hazard} | {one.procedure} | {_cell(one.how)} | {_cell(one.seen)} | "
            f"{_cell(one.outcome)} |"
            for one in endured
        ),
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
