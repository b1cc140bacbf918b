"""A person performs the runbook; the suite shows each step, watches, times and verifies it.

The person works in a shell of a host and says when a step is done (Enter), or skips it ("skip").
Where a step changes something that its checkboxes can see, its end is seen without a word.
"""

from __future__ import annotations

import contextlib
import queue
import shlex
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError
from rollback_drill.ground.machine import temporary
from rollback_drill.ground.terminal import shown
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform import check
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.performer import Part, Performer, StepFailed, choose
from rollback_drill.perform.told import Checked, OperatorActed
from rollback_drill.record.watched import Watched
from rollback_drill.stage.host import Host, LocalHost
from rollback_drill.stage.remote_host import RemoteHost

_LOOK_S = 2.0
_PATIENCE = 3  # times a step's budget, after which nobody is waited for any longer
_LEAST_PATIENCE_S = 600.0


_UNMET = (Verdict.FAILED, Verdict.UNCOVERED)
_MET = (Verdict.PASSED, Verdict.ATTESTED)


def _took_effect(before: Sequence[Checked], after: Sequence[Checked]) -> bool:
    """Whether all that did not hold before is seen to hold: what nobody could see is no effect."""
    changed = [one for was, one in zip(before, after, strict=True) if was.verdict in _UNMET]
    unmet = any(one.verdict in _UNMET for one in after)
    return bool(changed) and not unmet and all(one.verdict in _MET for one in changed)


def _show_line(line: str) -> None:
    sys.stdout.write(shown(line) + "\n")
    sys.stdout.flush()


class OperatorPerformer(Performer):
    """Performs nothing but routine work itself. Use as a context manager.

    `tell` shows a line to the person; `source` is where the person's lines come from.
    """

    stops = False  # a person goes on after a step that failed

    def __init__(
        self,
        moment: Moment,
        tell: Callable[[str], None] = _show_line,
        source: TextIO | None = None,
    ) -> None:
        super().__init__(moment)
        self._tell = tell
        self._source = source or sys.stdin
        self._said: queue.Queue[str | None] = queue.Queue()
        self._folder = Path(tempfile.mkdtemp(prefix="operator-", dir=temporary()))
        Watched("listener to the operator", self._listen).start()

    def __exit__(self, *exc: object) -> None:
        for path in self._folder.iterdir():
            path.unlink()
        self._folder.rmdir()

    def _listen(self) -> None:
        with contextlib.suppress(ValueError, OSError):  # it was closed
            for line in self._source:
                self._said.put(line.strip().lower())
        self._said.put(None)

    def _to_run(self, part: Part) -> int:
        """Nothing is run here but routine work: a person does the rest, and checkboxes see it."""
        return super()._to_run(part) if part.section == "Routine" else 0

    def _run_blocks(self, part: Part, started: float) -> None:
        """Show `part` and wait until the person has done it, instead of running its commands."""
        if part.section == "Routine":
            super()._run_blocks(part, started)
            return
        self._show(part)
        before = self._seen(part)
        deadline = started + max(_LEAST_PATIENCE_S, _PATIENCE * part.budget_s)
        while now() < deadline:
            try:
                said = self._said.get(timeout=_LOOK_S)
            except queue.Empty:
                if _took_effect(before, self._seen(part)):
                    self._act(part, "effect seen", "its checkboxes hold")
                    return
                continue
            if said is None:
                raise StageError(
                    "an operator at the terminal",
                    "the end of the input",
                    "run MODE=operator in a terminal",
                )
            if said == "skip":
                self._act(part, "skipped", "the operator said so")
                raise StepFailed("the operator skipped it", "a step of the runbook is to be done")
            if said == "told":
                self.moment = replace(self.moment, told_by="the operator")
                self._act(part, "told", "the operator says that people were told by hand")
            unmet = self._unmet(part)
            if not unmet:
                self._act(part, "done", "the operator said so")
                return
            self._act(part, "wrong turn", f"said to be done, but {unmet}")
            self._tell(f"  Not yet: {unmet}")
        raise StepFailed("nobody did it in time", "see what the operator waited for")

    def _seen(self, part: Part) -> list[Checked]:
        return [check.verify(box, part.number, self.moment) for box in part.checkboxes]

    def _unmet(self, part: Part) -> str:
        """Return the first checkbox that provably does not hold, "" when there is none."""
        found = (one for one in self._seen(part) if one.verdict in _UNMET)
        return next((f"“{one.item}”: {one.evidence}" for one in found), "")

    def _act(self, part: Part, what: str, detail: str) -> None:
        self.moment.timeline.record(
            OperatorActed(part.section, part.number, part.title, what, detail)
        )

    def _show(self, part: Part) -> None:
        where = f", step {part.number}" if part.number else ""
        self._tell(f"\n{part.section}{where}: {part.title} (line {part.line} of the runbook)")
        self._tell(
            f"  Budget {part.budget_s:g} s. Enter when it is done, “told” when it is and you told "
            "people by hand, “skip” to leave it out."
        )
        for host in self.moment.stage.hosts:
            self._tell(f"  A shell of {host.name}: {self._shell(host)}")
        for block in part.blocks:
            alternative = choose(block, self.moment.stage.alternatives)
            only = f"  # {block.fallback}" if block.fallback else ""
            self._tell(f"  Line {alternative.line}{' (on one host)' if block.once else ''}:{only}")
            for line in alternative.script.splitlines():
                self._tell(f"    {line}")
        for checkbox in part.checkboxes:
            self._tell(f"  [ ] {checkbox.text}")

    def _shell(self, host: Host) -> str:
        """Return a command that opens a shell of `host` with the runbook's variables.

        They are in a file that only its owner can read, since some are secret.
        """
        path = self._folder / host.name
        path.touch(mode=0o600)
        if isinstance(host, LocalHost):
            text = self._exports(host.environment)
            text += f"cd {shlex.quote(str(host.directory))}\n"
            path.write_text(text, encoding="utf-8")
            return f"bash --rcfile {path}"
        if isinstance(host, RemoteHost):
            path.write_text(self._exports(host.environment), encoding="utf-8")
            return f"{shlex.join(host.way)} (its variables: {path})"
        # With all of the engine's, which not everybody has installed.
        from rollback_drill.stage.container_host import ContainerHost

        if isinstance(host, ContainerHost):
            variables = {**host.environment, **self.environment}
            lines = (f"{k}={v}" for k, v in variables.items() if "\n" not in v)
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            folder = shlex.quote(host.directory)
            return f"docker exec -it --env-file {path} -w {folder} {host.container_id[:12]} bash"
        return f"{host.name} (its variables: {path})"

    def _exports(self, environment: Mapping[str, str]) -> str:
        """Return the lines of a shell that set the variables of a host and of the runbook."""
        variables = {**environment, **self.environment}
        return "".join(f"export {k}={shlex.quote(v)}\n" for k, v in variables.items())
