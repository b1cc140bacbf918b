"""What if the operator's machine dies? Cuts every procedure everywhere, and performs it again.

Each procedure is cut at every boundary between two commands and in the middle of every command
(SIGKILL to all of its processes, so that no trap and no clean-up runs), and is then performed from
its beginning. What comes out must be the same as without the cut.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from drill.clock import now
from drill.fingerprint import compare, fingerprint
from drill.host import Completed
from drill.procedure import choose
from drill.runbook.model import CodeBlock, Procedure, Runbook
from drill.stage import Stage
from drill.wait import wait_until

_LIMIT_S = 180.0
_SHORTEST_S = 0.02
_FACTS = {"REASON": "drill", "SEVERITY": "P0", "LEAD": "drill", "INCIDENT": "drill-1"}
_KILLED = 137


@dataclass(frozen=True, slots=True)
class Command:
    """One code block of a procedure. `took_s`: how long it takes when nobody cuts it."""

    step: int
    title: str
    block: CodeBlock
    took_s: float = 0.0

    @property
    def name(self) -> str:
        """Say which one it is."""
        return f"step {self.step}, line {self.block.line}"


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a procedure is cut: before its command `index`, or in the `middle` of it."""

    procedure: int
    index: int
    middle: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a cut: `wrong` is empty when the procedure ended in the same good state."""

    cut: Cut
    where: str
    reached: str
    took_s: float
    wrong: tuple[str, ...]


def commands_of(procedure: Procedure) -> list[Command]:
    """Return the commands of `procedure` in order, without those of alternatives for failures."""
    return [
        Command(step.number, step.title, block)
        for step in procedure.steps
        for block in step.blocks
        if not block.fallback
    ]


def cuts_of(procedure: Procedure) -> list[Cut]:
    """Return all places where `procedure` can be cut."""
    found = []
    for index in range(len(commands_of(procedure))):
        if index:
            found.append(Cut(procedure.number, index, middle=False))
        found.append(Cut(procedure.number, index, middle=True))
    return found


def interrupt(
    stage: Stage,
    runbook: Runbook,
    cuts: Iterable[Cut] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Outcome]:
    """Make every cut (or those given) on a `stage` that is up; yield what came of each."""
    wanted = list(cuts) if cuts is not None else None
    for procedure in runbook.procedures:
        mine = [c for c in (wanted or cuts_of(procedure)) if c.procedure == procedure.number]
        if not mine or procedure is runbook.redeployment:
            continue  # that one begins where the others end
        bench = _Bench(stage, procedure)
        tell(f"Procedure {procedure.number}: {len(mine)} cuts")
        for cut in mine:
            outcome = bench.make(cut)
            tell(f"  {outcome.where}: {'; '.join(outcome.wrong) or 'same good state'}")
            yield outcome


class _Bench:
    """Performs one procedure again and again, from the failing release each time."""

    def __init__(self, stage: Stage, procedure: Procedure) -> None:
        self._stage = stage
        self._procedure = procedure
        self._commands = [
            Command(one.step, one.title, one.block, self._timed(one, first=number == 0))
            for number, one in enumerate(commands_of(procedure))
        ]
        wrong = self._state_is_wrong()
        if wrong:
            raise AssertionError(f"without a cut Procedure {procedure.number} ends so: {wrong}")

    def _timed(self, command: Command, *, first: bool) -> float:
        if first:
            self._begin()
        began = now()
        self._must(command)
        return now() - began

    def _begin(self) -> None:
        self._stage.deploy(self._stage.failing)
        for block in self._procedure.prerequisite_blocks:
            self._run(block)
        self._data = fingerprint(self._stage.database)

    def _run(self, block: CodeBlock, wrap: Callable[[str], str] = lambda s: s) -> list[Completed]:
        script = choose(block, self._stage.alternatives).script
        hosts = list(self._stage.hosts)[: 1 if block.once else None]
        return [host.run(wrap(script), limit_s=_LIMIT_S, environment=_FACTS) for host in hosts]

    def _must(self, command: Command) -> str:
        """Run one command; return what went wrong, "" for nothing."""
        for done in self._run(command.block):
            if not done.ok:
                words = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
                return f"{command.name} ended with {done.exit_status}: {words[-1][:160]}"
        return ""

    def make(self, cut: Cut) -> Outcome:
        """Make one cut, perform the procedure from its beginning, and look at what came out."""
        began = now()
        self._begin()
        for command in self._commands[: cut.index]:
            self._must(command)
        command = self._commands[cut.index]
        where, reached = f"before {command.name}", ""
        if cut.middle:
            where = f"in {command.name}"
            after_s = max(_SHORTEST_S, command.took_s / 2)
            done = self._run(
                command.block,
                lambda script: (
                    f"timeout --signal=KILL {after_s:.3f} "
                    f"bash -c {shlex.quote('set -euo pipefail' + chr(10) + script)}"
                ),
            )
            killed = any(one.exit_status in (_KILLED, -9) for one in done)
            reached = f"killed after {after_s:.2f} s" if killed else "ended before the cut"
        wrong = [said for one in self._commands if (said := self._must(one))]
        wrong += self._state_is_wrong()
        return Outcome(cut, f"{where} (“{command.title}”)", reached, now() - began, tuple(wrong))

    def _state_is_wrong(self) -> list[str]:
        """Return what is not as it must be at the end."""
        wrong = []
        stage = self._stage
        flag_only = not any(
            "git checkout" in c.block.alternatives[0].script for c in self._commands
        )
        tag = self._stage.failing if flag_only else self._stage.stable
        for host in stage.hosts:
            seen = host.run(
                f'test "$(git rev-parse HEAD)" = "$(git rev-parse {tag}^{{commit}})"\n'
                'test ! -e "$MAINTENANCE_FILE"\n.venv/bin/python -c "import hostaway_mcp.app"',
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
        key = {"X-API-Key": self._stage.api_key}
        for _ in wait_until("clients are served", 20):
            try:
                answer = httpx.get(f"{self._stage.base_url}/api/listings", headers=key, timeout=5)
            except httpx.HTTPError:
                continue
            if answer.is_success:
                return [] if "listings" in answer.json() else ["lists still come in pages"]
        return ["clients are not served"]


def write_table(outcomes: Iterable[Outcome], path: Path) -> int:
    """Write the table of all cuts as Markdown to `path`; return how many ended badly."""
    rows = list(outcomes)
    bad = sum(bool(one.wrong) for one in rows)
    lines = [
        "# Cut anywhere, performed again",
        "",
        f"{len(rows)} cuts, {len(rows) - bad} of which ended in the same good state when the "
        "procedure was performed again from its beginning.",
        "",
        "| Procedure | Cut | Reached | Outcome |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {one.cut.procedure} | {one.where} | {one.reached or 'at the boundary'} | "
        f"{'; '.join(one.wrong) or 'same good state'} |"
        for one in rows
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return bad
