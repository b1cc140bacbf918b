"""The figures that people want of a drill before all others, each with what it is measured by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from rollback_drill.conduct.told import EarlierDrills
from rollback_drill.ground.words import duration
from rollback_drill.judge.history import KeptDrill
from rollback_drill.judge.judgement import Judgement, judge
from rollback_drill.perform.told import ProcedureChosen, StepEnded
from rollback_drill.record.book import Book

NO_LIMIT = "the runbook sets no limit"
_SAME = 0.005  # of the older value: a smaller change is none


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a drill: the smaller, the better. `key`: by which earlier drills keep it.

    `value`: None where it was not observed, in the unit of `key` (`…_s`: seconds, `…_share`: 0–1);
    `text` says it, or why there is none. `goal`: what it is measured by; `good`: whether it holds,
    None where nothing says. `change` since the last drill that compares, `better` or not, None
    where neither can be said.
    """

    name: str
    key: str
    value: float | None
    text: str
    goal: str
    good: bool | None = None
    change: str = ""
    better: bool | None = None


def figures(book: Book) -> tuple[Figure, ...]:
    """Return the figures of a drill, in the order of the page."""
    judgement = book.ask(judge)
    found = (
        _detection(judgement),
        _restoration(book, judgement),
        _customers(judgement),
        _requests(judgement),
        _writes(judgement),
        _budget(book, judgement),
    )
    return tuple(_compared(one, book.last(EarlierDrills)) for one in found)


def figure_values(book: Book) -> dict[str, float]:
    """Return those that were observed by their keys, as they are kept for later drills."""
    return {one.key: one.value for one in book.ask(figures) if one.value is not None}


def older_figures(one: KeptDrill) -> dict[str, float]:
    """Return those of a drill that was kept before figures were."""
    known = {"detected_s": one.detected_after_s, "restored_s": one.restored_after_s}
    return {key: value for key, value in known.items() if value is not None}


def _detection(judgement: Judgement) -> Figure:
    name, key, decided = "Time to detect", "detected_s", judgement.decided
    if decided is None:
        return Figure(name, key, None, "not detected", "nothing was decided", good=False)
    goal = f"{decided.severity or 'the runbook'}: {decided.answer or decided.action}"
    if judgement.detected_after_s is None:
        return Figure(name, key, None, "not credited", judgement.uncredited)
    value = judgement.detected_after_s
    return Figure(name, key, value, duration(value), goal)


def _restoration(book: Book, judgement: Judgement) -> Figure:
    name, key, chosen = "Time to restore", "restored_s", book.first(ProcedureChosen)
    limit = chosen.estimate_high_s if chosen else 0.0
    goal = NO_LIMIT
    if chosen and limit:
        goal = f"at most {duration(limit)}, as Procedure {chosen.procedure} says"
    value, suffered = judgement.restored_after_s, judgement.impact
    if suffered is not None and not suffered.fault:
        return Figure(name, key, None, "none needed", "no fault was made")
    if suffered is not None and suffered.restored is False:
        return Figure(name, key, None, "not restored", goal, good=False)
    if value is None or suffered is None or suffered.restored is None:
        return Figure(name, key, None, "not known", goal)
    return Figure(name, key, value, duration(value), goal, good=value <= limit if limit else None)


def _customers(judgement: Judgement) -> Figure:
    name, key, suffered = "Customers’ minutes", "customers_s", judgement.impact
    if suffered is None or suffered.customers_s is None:
        return Figure(name, key, None, "not known", "who was hit was not recorded")
    goal = f"{suffered.clients_hit} of {suffered.clients} customers hit"
    if suffered.clients_hit is None:
        goal = f"{suffered.clients} customers"
    if suffered.planned_customers_s:
        goal += f", {suffered.planned_customers_s / 60:.1f} of it in planned maintenance"
    value = suffered.customers_s
    return Figure(name, key, value, f"{value / 60:.1f}", f"{goal}; {NO_LIMIT}")


def _requests(judgement: Judgement) -> Figure:
    name, key, suffered = "Failed requests", "failed", judgement.impact
    if suffered is None or suffered.share is None:
        return Figure(name, key, None, "not known", "no request was observed")
    goal = f"{suffered.share:.1%} of {suffered.requests:,}"
    if suffered.planned:
        goal += f", and {suffered.planned:,} turned away in planned maintenance"
    return Figure(name, key, suffered.failed, f"{suffered.failed:,}", f"{goal}; {NO_LIMIT}")


def _writes(judgement: Judgement) -> Figure:
    name, key, ledger = "Writes lost", "lost", judgement.ledger
    if ledger is None:
        return Figure(name, key, None, "not known", "nobody read the writes back")
    if not ledger.acknowledged:
        return Figure(name, key, None, "none to lose", "no write was acknowledged")
    goal = f"none may be, of {ledger.acknowledged:,} acknowledged"
    return Figure(name, key, ledger.lost, f"{ledger.lost:,}", goal, good=not ledger.lost)


def _budget(book: Book, judgement: Judgement) -> Figure:
    name, key = "Budget used", "budget_share"
    own = f"Procedure {judgement.procedure}"
    steps = [one for one in book.every(StepEnded) if one.section == own and one.budget_s]
    whole = sum(one.budget_s for one in steps)
    if not whole:
        return Figure(name, key, None, "none", "no step of a procedure was performed")
    took = sum(one.took_s for one in steps)
    tight = max(steps, key=lambda one: one.took_s / one.budget_s)
    goal = f"{duration(took)} of {duration(whole)}; tightest: "
    goal += f"step {tight.number}, " if tight.number else f"{tight.title}, "
    goal += f"{tight.took_s:.1f} s of {duration(tight.budget_s)}"
    good: bool | None = all(one.took_s <= one.budget_s for one in steps)
    reached, chosen = sum(one.number > 0 for one in steps), book.last(ProcedureChosen)
    if good and chosen and reached < len(chosen.step_titles):
        goal, good = f"{goal}; {reached} of {len(chosen.step_titles)} steps were reached", None
    return Figure(name, key, took / whole, f"{took / whole:.1%}", goal, good=good)


def _compared(one: Figure, earlier: EarlierDrills | None) -> Figure:
    """Add the change since the last drill that compares."""
    if earlier is None or not earlier.last_began:
        return one
    day = f"{datetime.fromisoformat(earlier.last_began).astimezone(UTC):%-d %b %Y}"
    before = earlier.last.get(one.key)
    if before is None or one.value is None:
        return _with(one, f"not known on {day}" if before is None else "", None)
    more = one.value - before
    if abs(more) <= _SAME * abs(before):
        return _with(one, f"as on {day}", None)
    return _with(one, f"{_amount(one.key, abs(more))} {_than(more)} on {day}", more < 0)


def _than(more: float) -> str:
    return "more than" if more > 0 else "less than"


def _amount(key: str, value: float) -> str:
    if key == "customers_s":
        return f"{value / 60:.1f}"
    if key.endswith("_s"):
        return duration(value)
    return f"{value * 100:.1f} points" if key.endswith("_share") else f"{value:,.0f}"


def _with(one: Figure, change: str, better: bool | None) -> Figure:
    return Figure(one.name, one.key, one.value, one.text, one.goal, one.good, change, better)
