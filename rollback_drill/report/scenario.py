"""What a gate tells of a scenario, and of the drills that it looked at: in plain values, which
processes can hand to one another.
"""

from __future__ import annotations

from dataclasses import dataclass

from rollback_drill.conduct.told import EarlierDrills
from rollback_drill.judge.figures import figures
from rollback_drill.judge.judgement import judge
from rollback_drill.record.book import Book
from rollback_drill.report.findings import shown_findings

_MOST = 3


@dataclass(frozen=True, slots=True)
class ScenarioFinding:
    """A finding of a drill, in the words of its page ("" for what it does not say)."""

    where: str
    expected: str
    found: str
    advice: str


@dataclass(frozen=True, slots=True)
class ScenarioFigure:
    """A figure of a drill, and its change since the last one that compares, "" for none."""

    name: str
    text: str
    change: str


@dataclass(frozen=True, slots=True)
class ScenarioDrill:
    """A drill that a scenario looked at. `name`: its own among those of a run; `what`: fault, stage
    and procedure; `findings`: the worst few, and `more` beside them; `compared`: whether a kept
    drill compares with it; `report`: where its report is kept beside the summary, "" for nowhere.
    """

    name: str
    what: str
    verdict: str
    reason: str
    findings: tuple[ScenarioFinding, ...]
    more: int
    figures: tuple[ScenarioFigure, ...]
    compared: bool
    report: str = ""


@dataclass(frozen=True, slots=True)
class ScenarioTold:
    """A scenario. `outcome`: "passed", "failed", "error" or "skipped"; `sentence`: the one at which
    it broke, `why`: what was expected there and found ("": neither is known).
    """

    name: str
    outcome: str
    feature: str = ""
    sentence: str = ""
    why: str = ""
    drills: tuple[ScenarioDrill, ...] = ()


def drill_told(book: Book, name: str, report: str = "") -> ScenarioDrill:
    """Return what is told of the drill with this record."""
    judgement = book.ask(judge)
    start, earlier = judgement.started, book.last(EarlierDrills)
    what = f"{start.fault} on {start.stage}" if start else "no drill began"
    if judgement.procedure:
        what += f", rolled back by Procedure {judgement.procedure}"
    shown = book.ask(shown_findings)
    return ScenarioDrill(
        name,
        what,
        judgement.verdict.value,
        judgement.reason,
        tuple(
            ScenarioFinding(one.cause.where, one.expected, one.found, one.cause.advice)
            for one in shown[:_MOST]
        ),
        max(0, len(shown) - _MOST),
        tuple(ScenarioFigure(one.name, one.text, one.change) for one in book.ask(figures)),
        earlier is not None and bool(earlier.last_began),
        report,
    )
