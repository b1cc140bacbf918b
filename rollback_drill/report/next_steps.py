"""What to do after a drill, as its record says it."""

from __future__ import annotations

from dataclasses import dataclass

from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.words import capitalized
from rollback_drill.judge.impact import left_in
from rollback_drill.judge.judgement import Judgement, judge
from rollback_drill.judge.unlooked import unlooked
from rollback_drill.record.book import Book
from rollback_drill.report.findings import shown_findings
from rollback_drill.watch.told import flaws

_MOST = 3


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something to do. `about`: the id of what it is about on the page, "" for none."""

    text: str
    about: str = ""


def next_steps(book: Book) -> tuple[NextStep, ...]:
    """Return what to do, most urgent first; of many findings the worst few, and how many more."""
    judgement = book.ask(judge)
    found = []
    left = flaws(judgement.left)
    if left and left_in(judgement.left):
        found.append(NextStep(f"bring the environment back to work: {'; '.join(left)}"))
    findings = book.ask(shown_findings)
    for one in findings[:_MOST]:
        found.append(NextStep(one.cause.advice or f"find out why: {one.cause}", one.id))
    if len(findings) > _MOST:
        found.append(NextStep(f"and {len(findings) - _MOST} more", findings[_MOST].id))
    if not findings:
        found += _of_passed(judgement)
        found += [NextStep(one.can) for one in book.ask(unlooked)]
    once: dict[str, NextStep] = {}
    for step in found:
        once.setdefault(step.text, NextStep(capitalized(step.text), step.about))
    return tuple(once.values())


def _of_passed(judgement: Judgement) -> list[NextStep]:
    told = "nothing has to be mended; hold the next drill within the quarter"
    attested = sum(one.verdict is Verdict.ATTESTED for one in judgement.checklist)
    if not attested:
        return [NextStep(told)]
    which = f"the {attested} checkboxes that were" if attested > 1 else "the checkbox that was"
    return [NextStep(told), NextStep(f"make sure of {which} attested, not seen", "not-seen")]
