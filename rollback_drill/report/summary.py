"""What a person reads at the end of a drill."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rollback_drill.data.balance import Balance
from rollback_drill.data.told import NO_WRITES, counts, recovery
from rollback_drill.decide.told import Decided
from rollback_drill.ground.clock import iso
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.words import few
from rollback_drill.judge.impact import headlines, left_in
from rollback_drill.judge.judgement import Judgement

_STYLES = {Verdict.PASSED: "bold green", Verdict.FAILED: "bold red"}


def print_summary(judgement: Judgement, directory: Path, console: Console) -> None:
    """Print the verdict, the steps against their budgets, the key numbers, and the path."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title, justify in (("step", "left"), ("took", "right"), ("budget", "right"), ("", "left")):
        table.add_column(title, justify="right" if justify == "right" else "left")
    for step in judgement.steps:
        name = f"{step.section} · {step.number} {step.title}" if step.number else step.section
        style = "" if step.verdict in (Verdict.PASSED, Verdict.ATTESTED) else "red"
        took, budget = f"{step.took_s:.1f} s", f"{step.budget_s:g} s"
        table.add_row(Text(name), took, budget, Text(step.verdict.value, style=style))
    console.print()
    for line in headlines(judgement.impact):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print()
    if judgement.steps:
        console.print(table)
        console.print()
    for line in key_numbers(judgement):
        console.print(f"  {line}", highlight=False, markup=False)
    console.print()
    style = _STYLES.get(judgement.verdict, "bold yellow")
    verdict = Text(judgement.verdict.value.upper(), style=style)
    console.print(verdict + Text(f"  {judgement.reason}", style=""), soft_wrap=True)
    if left := left_in(judgement.left):
        console.print(left, highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"Report: {directory / 'index.html'}", highlight=False, markup=False, soft_wrap=True
    )


def key_numbers(judgement: Judgement) -> list[str]:
    """Return the numbers of a drill as short sentences."""
    lines = []
    if judgement.resumed:
        died = iso(judgement.resumed.died_at)[:19].replace("T", " ")
        lines.append(
            f"continues the drill in {judgement.resumed.directory}, which was killed at {died} UTC"
        )
    decided = judgement.decided
    if decided:
        lines.append(detection(decided, judgement))
        if not decided.rollback:
            reason = f": {decided.diagnosis}" if decided.diagnosis else ""
            lines.append(f"decision: {decided.action}{reason}")
    if judgement.procedure:
        held = judgement.impact is None or judgement.impact.restored is not False
        told = "rolled back by" if held else "performed, without restoring service:"
        lines.append(f"{told} Procedure {judgement.procedure}")
    choice = operators_choice(judgement)
    if choice:
        lines.append(choice)
    if judgement.outage_s:
        lines.append(f"nobody got a good answer for {judgement.outage_s} s of it")
    if judgement.ledger:
        ledger = judgement.ledger
        lines.append(
            (
                f"{ledger.acknowledged} acknowledged writes: {counts(ledger)}, "
                if ledger.acknowledged
                else f"{NO_WRITES} that were acknowledged, "
            )
            + f"{ledger.indeterminate} indeterminate beside them"
        )
        lines += _of_rows(judgement.balance)
        if ledger.lost:
            lines.append(recovery(ledger, "the end"))
        if judgement.under_fire:
            stall = judgement.under_fire.worst_stall_s
            lines.append(f"the longest that a writer waited for the rollback was {stall:.2f} s")
        if ledger.damaged:
            lines.append(
                f"{ledger.damaged} of them were damaged by the failing release before the rollback "
                "began: it cannot bring them back"
            )
    return lines


def _of_rows(known: Balance | None) -> list[str]:
    """Return what became of the rows that stood before there were clients."""
    if known is None or known.stood is None:
        return []
    if not (known.losses or known.damage or known.unknown):
        return [f"{known.stood:,} rows that stood before clients came are as they were"]
    lines = [f"lost or changed besides: {few(known.losses, 3)}"] if known.losses else []
    if known.damage:
        lines.append(f"damaged by the failing release: {few(known.damage, 3)}")
    return [*lines, *(f"nobody knows of {one}" for one in known.unknown)]


def detection(decided: Decided, judgement: Judgement) -> str:
    """Return how soon the fault was detected, from when on that counts, or why it does not."""
    if judgement.uncredited:
        return (
            f"decided after {decided.detected_after_s:.1f} s "
            f"({decided.trigger or decided.action}); "
            f"no detection is credited: {judgement.uncredited}"
        )
    seen = judgement.symptom_after_s
    since = "" if seen is None else f" from its symptom on, seen {seen:.1f} s after it was made"
    return (
        f"detected after {decided.detected_after_s:.1f} s and {decided.requests} requests{since}: "
        f"{decided.trigger}"
    )


def operators_choice(judgement: Judgement) -> str:
    """Return what the operator chose beside what the diagnosis said, "" when it was followed."""
    decided = judgement.decided
    if judgement.chosen_by != "operator" or decided is None:
        return ""
    said = f"no rollback by any procedure ({decided.action})"
    if decided.rollback:
        said = f"Procedure {decided.procedure}"
    if decided.diagnosis:
        said += f", {decided.diagnosis}"
    return f"the operator chose Procedure {judgement.procedure}; the diagnosis said: {said}"
