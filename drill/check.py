"""Checks: code bound to the text of a checkbox by a pattern, and what a check may look at."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drill import events
from drill.answers import BadAnswer, NoAnswer
from drill.clock import now
from drill.errors import DrillError
from drill.host import look
from drill.runbook.model import Checkbox, Runbook
from drill.stage import CAPABILITIES, Stage
from drill.verdict import Verdict

if TYPE_CHECKING:
    from drill.host import Completed
    from drill.probe import Tail
    from drill.timeline import Timeline
    from drill.traffic import Traffic


_SCRIPT_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: its verdict, and the evidence as a sentence."""

    verdict: Verdict
    evidence: str


def passed(evidence: str) -> Finding:
    """Return a passing finding."""
    return Finding(Verdict.PASSED, evidence)


def failed(evidence: str) -> Finding:
    """Return a failing finding."""
    return Finding(Verdict.FAILED, evidence)


def unknown(evidence: str) -> Finding:
    """Return a finding for too little evidence."""
    return Finding(Verdict.UNKNOWN, evidence)


def judged(ok: bool, evidence: str) -> Finding:
    """Return a passing finding when `ok`, else a failing one."""
    return passed(evidence) if ok else failed(evidence)


@dataclass(slots=True)
class Situation:
    """What a check may look at. Times are Unix seconds.

    `began_at`: when the section's work began; `window_from`: from when on client traffic counts
    (the start of a watch window, or of the step); `effective_at`: from when on the failing
    behaviour must be over, so that only later log lines count; `samples`: what the probe saw;
    `outputs`: results of this step's commands, in order.
    """

    stage: Stage
    runbook: Runbook
    traffic: Traffic
    timeline: Timeline
    tail: Tail
    samples: Sequence[tuple[float, events.ProbeSample]]
    failing: str
    stable: str
    pace: float
    decision: events.Decided | None = None
    ledger: events.LedgerRead | None = None
    began_at: float = 0.0
    window_from: float = 0.0
    effective_at: float = 0.0
    pids_before: dict[str, int] | None = field(default_factory=dict)  # None: nobody saw them
    outputs: list[Completed] = field(default_factory=list)
    section: str = ""

    def age(self) -> float:
        """Return how many seconds ago this section's work began."""
        return now() - self.began_at


Check = Callable[[Situation, re.Match[str]], Finding]


@dataclass(frozen=True, slots=True)
class Binding:
    """A check bound to a checkbox: `match` carries the numbers of the checkbox's text."""

    name: str
    check: Check
    match: re.Match[str]
    needs: str = ""
    proof: bool = False

    def verify(self, situation: Situation) -> Finding:
        """Run the check. A check that breaks found nothing out: unknown, with the cause."""
        if self.needs and self.needs not in situation.stage.capabilities:
            return unknown(f"unsupported: this stage has not {CAPABILITIES[self.needs]}")
        try:
            return self.check(situation, self.match)
        except DrillError as error:
            return unknown(f"nobody could see it: expected {error.expected}; found {error.found}")
        except BadAnswer as bad:
            return failed(f"a bad answer: {bad}")
        except NoAnswer as none:
            return unknown(str(none))
        except Exception as error:  # a broken check must not end the drill
            return unknown(f"the check broke: {type(error).__name__}: {error}")


_REGISTRY: list[tuple[re.Pattern[str], str, Check, str, bool]] = []


def check(*patterns: str, needs: str = "", proof: bool = False) -> Callable[[Check], Check]:
    """Bind the decorated check to every checkbox in which one of `patterns` is found.

    Patterns are regular expressions, case ignored, tried on the checkbox's plain text. `needs`: a
    capability without which a stage does not support it (see drill.stage.CAPABILITIES). `proof`: it
    looks at all data once more, as nobody does who follows the runbook, however large they are: its
    time does not count for the step's budget.
    """

    def register(function: Check) -> Check:
        for pattern in patterns:
            _REGISTRY.append(
                (re.compile(pattern, re.IGNORECASE), function.__name__, function, needs, proof)
            )
        return function

    return register


def bindings(text: str) -> list[Binding]:
    """Return every check that is bound to a checkbox with this text: one each, ideally one."""
    _load()
    found: dict[str, Binding] = {}
    for pattern, name, function, needs, proof in _REGISTRY:
        match = pattern.search(text)
        if match and name not in found:
            found[name] = Binding(name, function, match, needs, proof)
    return list(found.values())


def bind(text: str) -> Binding | None:
    """Return the check for a checkbox: the one whose pattern covers most of its text, or None."""
    found = bindings(text)
    return max(found, key=lambda b: len(b.match.group()), default=None)


def verify(checkbox: Checkbox, number: int, situation: Situation) -> events.Checked:
    """Verify `checkbox` and return what is to be recorded."""
    began = time.monotonic()
    binding = _of_stage(checkbox.text, situation) or bind(checkbox.text)
    if binding is None:
        finding = Finding(Verdict.UNCOVERED, "no check is bound to this checkbox")
    else:
        finding = binding.verify(situation)
    return events.Checked(
        section=situation.section,
        number=number,
        item=checkbox.text,
        line=checkbox.line,
        check=binding.name if binding else "",
        verdict=finding.verdict,
        evidence=finding.evidence,
        took_s=time.monotonic() - began,
        proof=binding is not None and binding.proof,
    )


def _of_stage(text: str, situation: Situation) -> Binding | None:
    """Return the check that the stage itself has for a checkbox: a script on every host."""
    for pattern, script in situation.stage.checks.items():
        match = re.search(pattern, text, re.IGNORECASE)
        if match:
            return Binding("stage's own", functools.partial(_run_script, script), match)
    return None


def _run_script(script: str, situation: Situation, match: re.Match[str]) -> Finding:
    """Judge by the script's exit status on every host; its last line is the evidence."""
    del match
    told, bad = [], False
    for host in situation.stage.hosts:
        done = look(host, script, limit_s=_SCRIPT_LIMIT_S)
        words = (done.stderr or done.stdout).strip().splitlines() or [f"status {done.exit_status}"]
        bad = bad or not done.ok
        told.append(f"{host.name}: {words[-1][:200]}")
    return judged(not bad, "; ".join(told))


def _load() -> None:
    """Import every module of `drill.checks`, which registers its checks."""
    from drill import checks

    for module in pkgutil.iter_modules(checks.__path__):
        importlib.import_module(f"drill.checks.{module.name}")
