"""Holds a drill from its plan to its reports: the one way, for all who do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from rollback_drill.conduct.conductor import Conductor
from rollback_drill.conduct.plan import Plan
from rollback_drill.conduct.progress import Progress
from rollback_drill.ground.clock import iso
from rollback_drill.judge import history
from rollback_drill.judge.figures import figure_values
from rollback_drill.judge.judgement import Judgement, judge
from rollback_drill.record.book import Book
from rollback_drill.report.write import write_reports
from rollback_drill.runbook.told import DocumentAsked
from rollback_drill.stage.model import Stage


@dataclass(frozen=True, slots=True)
class Held:
    """A drill that was held. `timeline`: where its record is."""

    timeline: Path
    book: Book
    judgement: Judgement


def hold(plan: Plan, *, stage: Stage | None = None, progress: Progress | None = None) -> Held:
    """Hold the drill of `plan`, judge it, write its reports, and keep it where that was asked for.

    `stage`: one that is up and stays, see Conductor. Raises UsageError for a plan that cannot be
    met, before anything is touched.
    """
    conductor = Conductor(plan, stage=stage, progress=progress)
    conductor.run()
    path = conductor.timeline.path
    book = write_reports(path, plan.request.report)
    judgement = book.ask(judge)
    if plan.request.history:
        key, began = conductor.admitted.history_key, iso(book.events[0].at)
        asked = book.last(DocumentAsked)
        boxes = asked.boxes if asked else ()
        history.keep(
            plan.request.history,
            replace(
                history.entry(judgement, key, began, boxes, book.ask(figure_values)),
                report=str(plan.request.report.resolve()),
                procedures=tuple(one.number for one in conductor.admitted.runbook.procedures),
            ),
        )
    return Held(path, book, judgement)
