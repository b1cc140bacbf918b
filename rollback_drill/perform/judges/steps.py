"""The steps and their checkboxes: what failed, what nobody could see, what took too long."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.breaks.told import HazardArmed, HazardOver
from rollback_drill.conduct.told import Resumed
from rollback_drill.ground.verdict import GOOD, Verdict
from rollback_drill.perform.performed import Ran, commands_run
from rollback_drill.perform.told import AlternativeTaken, Checked, CommandEnded, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging

_LAST_WORDS = 6  # lines of a failed command's output


@judging(50)
def of_steps(book: Book) -> Iterator[Cause]:
    """Each step and checklist that was performed, with its checkboxes and its budget."""
    checked, ran = book.every(Checked), book.ask(commands_run)
    for step in book.every(StepEnded):
        where = f"{step.section}, step {step.number}" if step.number else step.section
        where = f"{where} “{step.title}”"
        boxes = [c for c in checked if (c.section, c.number) == (step.section, step.number)]
        bad = [c for c in boxes if c.verdict not in GOOD]
        for box in bad:
            what = f"“{box.item}” {box.verdict.value}: {box.evidence}"
            yield Cause(box.verdict, f"{where}, line {box.line}", what)
        if step.verdict is Verdict.FAILED and (step.failed_commands or not bad):
            evidence = "\n".join(_told(ran.get(number, Ran())) for number in step.failed_commands)
            yield Cause(Verdict.FAILED, where, step.reason, evidence, step.advice)
        elif step.verdict is Verdict.UNKNOWN and not bad:
            yield Cause(Verdict.UNKNOWN, where, step.reason, advice=step.advice)
        elif step.took_s > step.budget_s:
            what = f"took {step.took_s:.1f} s of {step.budget_s:g} s"
            yield Cause(Verdict.FAILED, where, what)


@judging(60)
def of_commands(book: Book) -> Iterator[Cause]:
    """Commands of whose end nobody was told: they may have run or not."""
    ran = book.ask(commands_run)
    for ended in book.every(CommandEnded):
        if not ended.observed:
            one = ran[ended.command].started
            which = f"The command at line {one.line} on {one.host}" if one else "A command"
            what = f"nobody saw how it ended ({ended.why or 'why was not recorded'})"
            yield Cause(Verdict.UNKNOWN, which, what, one.script if one else "")


@judging(70)
def of_ways(book: Book) -> Iterator[Cause]:
    """A way that failed though nothing was made to go wrong: its alternative saved the day, and the
    next time may find it broken as well.
    """
    harmed = False
    for event in book.events:
        match event.what:
            case HazardArmed() | Resumed():
                harmed = True
            case HazardOver():
                harmed = False
            case AlternativeTaken() as taken if not harmed:
                where = f"{taken.section}, step {taken.number} “{taken.title}”"
                what = f"its own commands failed, and “{taken.alternative}” stood in"
                advice = "mend the step: an alternative is for what goes wrong, not for each time"
                yield Cause(Verdict.FAILED, where, what, taken.reason, advice)


def _told(run: Ran) -> str:
    """Return what was run, and what it said in the end."""
    return "\n".join([*run.script, *run.said[-_LAST_WORDS:]])
