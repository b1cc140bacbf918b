"""Checks: code bound to the text of a checkbox by a pattern, and what a check may look at.

To add one, put a module into `perform/checks` with a function under `@check(pattern, examples=…)`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rollback_drill.family import Family
from rollback_drill.ground import clock
from rollback_drill.ground.errors import DrillError
from rollback_drill.ground.finding import Finding, failed, judged, unknown
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.enough import once_enough
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.told import Checked
from rollback_drill.runbook.model import Checkbox
from rollback_drill.runbook.statement import most_like, plain, statement, without_articles
from rollback_drill.stage.answers import BadAnswer, NoAnswer
from rollback_drill.stage.host import look
from rollback_drill.stage.model import ABILITIES, check_needs, lacks_of

if TYPE_CHECKING:
    pass


_SCRIPT_LIMIT_S = 60.0


Check = Callable[[Moment, re.Match[str]], Finding]


@dataclass(frozen=True, slots=True)
class Binding:
    """A check bound to a checkbox: `match` carries the numbers of the checkbox's text."""

    name: str
    check: Check
    match: re.Match[str]
    needs: str = ""
    proof: bool = False
    early: bool = False

    def verify(self, moment: Moment) -> Finding:
        """Run the check. A check that breaks found nothing out: unknown, with the cause."""
        if self.needs and lacks_of(moment.stage, [self.needs]):
            return unknown(f"unsupported: this stage has not {ABILITIES[self.needs]}")
        try:
            return self.check(moment, self.match)
        except DrillError as error:
            return unknown(f"nobody could see it: expected {error.expected}; found {error.found}")
        except BadAnswer as bad:
            return failed(f"a bad answer: {bad}", "one that a client can use")
        except NoAnswer as none:
            return unknown(str(none))
        except Exception as error:  # a broken check must not end the drill
            return unknown(f"the check broke: {type(error).__name__}: {error}")


@dataclass(frozen=True, slots=True)
class Registered:
    """A check as its module declares it. `patterns` match whole ones, see `runbook.statement`."""

    name: str
    check: Check
    patterns: tuple[re.Pattern[str], ...]
    examples: tuple[str, ...]
    needs: str = ""
    proof: bool = False
    early: bool = False

    def bound_to(self, statement: str) -> Binding | None:
        """Return this check bound to a plain statement, None when it says something else."""
        for pattern in self.patterns:
            match = pattern.fullmatch(statement)
            if match:
                return Binding(self.name, self.check, match, self.needs, self.proof, self.early)
        return None


CHECKS: Family[Registered] = Family("checks", "a check")


def check(
    *patterns: str,
    examples: Sequence[str],
    needs: str = "",
    proof: bool = False,
    early: bool = False,
) -> Callable[[Check], Check]:
    """Bind the decorated check to every checkbox that says, as a whole, what a pattern says.

    Patterns are regular expressions, case ignored, for the checkbox's plain text:
    `runbook.statement` says what may be left over of it. `examples`: sentences that people write
    for this, to be shown to them. `needs`: an ability without which a stage does not support it
    (see stage.model.ABILITIES). `proof`: it looks at all data once more, as nobody does who
    follows the runbook, however large they are: its time does not count for the step's budget.
    `early`: it can pass before a watch is over, at the moment's `confidence`, and for the seconds
    `to_come_s` that nobody will watch then as well (see perform.watch).
    """

    def register(function: Check) -> Check:
        name = function.__name__
        check_needs([needs] if needs else (), f"check {name} needs")
        said = tuple(map(statement, patterns))
        one = Registered(name, function, said, tuple(examples), needs, proof, early)
        CHECKS.add(name, one, function)
        return function

    return register


def registered() -> list[Registered]:
    """Return every check there is, by name."""
    members = CHECKS.members()
    return [members[name] for name in sorted(members)]


def bindings(text: str) -> Sequence[Binding]:
    """Return every check that is bound to a checkbox with this text: one, or none."""
    return _bindings(text, tuple(CHECKS.members()))


@functools.lru_cache(maxsize=512)  # the same boxes are bound at each look at a runbook
def _bindings(text: str, among: tuple[str, ...]) -> Sequence[Binding]:
    del among  # what is known of a text holds as long as no check is added
    said = plain(text)
    return tuple([bound for one in registered() if (bound := one.bound_to(said))])


def bind(text: str) -> Binding | None:
    """Return the check for a checkbox; None when no check, or more than one, claims its text."""
    found = bindings(text)
    return found[0] if len(found) == 1 else None


def unbound(text: str) -> str:
    """Say why no check is bound to a checkbox with this text, and what could be written instead."""
    found = [one.name for one in bindings(text)]
    if found:
        return f"no check is bound to this checkbox alone: {' and '.join(found)} claim it"
    like = most_like(text, (example for one in registered() for example in one.examples))
    told = ", ".join(f"“{one}”" for one in like)
    hint = f"nearest are {told}" if told else "nothing that can be verified is like it"
    return f"no check is bound to this checkbox; {hint} (make bindings lists all)"


def verify(checkbox: Checkbox, number: int, moment: Moment) -> Checked:
    """Verify `checkbox` and return what is to be recorded."""
    began = clock.monotonic()
    binding = _of_stage(checkbox.text, moment) or bind(checkbox.text)
    if binding is None:
        finding = Finding(Verdict.UNCOVERED, unbound(checkbox.text))
    else:
        seen = once_enough(functools.partial(binding.verify, moment), moment)
        finding = _beside_the_load(seen, moment)
    took_s = clock.monotonic() - began
    return checked(checkbox, number, moment, binding, finding, took_s)


def checked(
    checkbox: Checkbox,
    number: int,
    moment: Moment,
    binding: Binding | None,
    finding: Finding,
    took_s: float,
) -> Checked:
    """Return what is recorded of a checkbox."""
    return Checked(
        section=moment.section,
        number=number,
        item=checkbox.text,
        line=checkbox.line,
        check=binding.name if binding else "",
        verdict=finding.verdict,
        evidence=finding.evidence,
        took_s=took_s,
        proof=binding is not None and binding.proof,
    )


def _beside_the_load(finding: Finding, moment: Moment) -> Finding:
    """Say how busy the machine was where nobody could tell: slow and sick are two things."""
    if finding.verdict is not Verdict.UNKNOWN or finding.evidence.startswith("unsupported"):
        return finding
    told = moment.busy()
    return unknown(f"{finding.evidence}; {told}") if told else finding


def _of_stage(text: str, moment: Moment) -> Binding | None:
    """Return the check that the stage itself has for a checkbox: a script on every host."""
    found = own_script(text, moment.stage.checks)
    if found is None:
        return None
    return Binding("stage's own", functools.partial(_run_script, found[1]), found[0])


def own_script(text: str, scripts: Mapping[str, str]) -> tuple[re.Match[str], str] | None:
    """Return the script for a checkbox among `scripts`, by patterns of whole statements."""
    said = plain(text)
    for pattern, script in scripts.items():
        match = statement(without_articles(pattern)).fullmatch(said)
        if match:
            return match, script
    return None


def _run_script(script: str, moment: Moment, match: re.Match[str]) -> Finding:
    """Judge by the script's exit status on every host; its last line is the evidence."""
    del match
    told, bad = [], False
    for host in moment.stage.hosts:
        done = look(host, script, limit_s=_SCRIPT_LIMIT_S)
        words = (done.stderr or done.stdout).strip().splitlines() or ["no word"]
        bad = bad or not done.ok
        told.append(f"{host.name}: {words[-1][:200]} (status {done.exit_status})")
    return judged(not bad, "; ".join(told), "status 0 of the stage's own script")
