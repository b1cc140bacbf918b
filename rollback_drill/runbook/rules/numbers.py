"""Numbers of a document that do not fit each other."""

from __future__ import annotations

import itertools
import re

from rollback_drill.runbook.lint import Said, rule_of_runbooks
from rollback_drill.runbook.model import Runbook, Severity
from rollback_drill.runbook.wording import ABOVE, PLAIN_TIME, seconds

_LASTS = re.compile(
    rf"(?:\bfor|\blasting|{ABOVE})\s*(?:{ABOVE})?(?P<time>{PLAIN_TIME})", re.IGNORECASE
)


@rule_of_runbooks(
    "budgets-beyond-estimate", "medium", "correct the estimate, or the steps' budgets"
)
def budgets_beyond_estimate(runbook: Runbook) -> Said:
    """The steps' budgets add up to more, or to much less, than the procedure's estimate."""
    for procedure in runbook.procedures:
        # Whether watching the service afterwards counts is up to the reader.
        low = sum(step.budget.low_s for step in procedure.steps if not step.window_s)
        high = sum(step.budget.high_s for step in procedure.steps)
        if low > procedure.estimate.high_s or high < procedure.estimate.low_s:
            yield (
                procedure.line,
                f"the steps of Procedure {procedure.number} take {low / 60:g} to {high / 60:g} "
                f"minutes, its estimate says {procedure.estimate.text}",
            )


@rule_of_runbooks(
    "contradiction", "medium", "let one place have the number, and the others follow it"
)
def contradictions(runbook: Runbook) -> Said:
    """Checkboxes whose limits are not those of the matrix's first row."""
    if not runbook.matrix:
        return
    normal = runbook.matrix[0]
    boxes = [*runbook.verification.checkboxes]
    boxes += [b for p in runbook.procedures for step in p.steps for b in step.checkboxes]
    for box in boxes:
        share = re.search(r"error rate\D*(\d[\d.]*)\s*%", box.text, re.IGNORECASE)
        if share and float(share[1]) / 100 > normal.error_rate.high + 1e-9:
            yield box.line, f"{box.text!r} allows more than the matrix calls {normal.condition}"
        speed = re.search(r"p95\D*(\d[\d.]*)\s*(ms|s)\b", box.text, re.IGNORECASE)
        if speed:
            limit_s = float(speed[1]) / (1000 if speed[2] == "ms" else 1)
            if limit_s > normal.p95.high + 1e-9:
                yield box.line, f"{box.text!r} allows more than the matrix calls {normal.condition}"


@rule_of_runbooks(
    "overlapping-edges", "medium", "let an edge belong to one of them, and say to which"
)
def overlapping_edges(runbook: Runbook) -> Said:
    """Two triggers of different tiers that hold for the same number."""
    pattern = re.compile(
        r"(?P<what>error rate|degradation|latency)\D*?(?P<low>\d[\d.]*)"
        r"(?:\s*[-–]\s*(?P<high>\d[\d.]*))?",
        re.IGNORECASE,
    )
    bands = []
    for trigger in runbook.triggers:
        match = pattern.search(trigger.name)
        if match:
            high = float(match["high"]) if match["high"] else float("inf")
            bands.append((match["what"].lower(), float(match["low"]), high, trigger))
    for (what, low, high, one), (other_what, low2, high2, other) in itertools.combinations(
        bands, 2
    ):
        if what == other_what and low < high2 and low2 < high:
            yield other.line, f"“{one.name}” and “{other.name}” hold for the same numbers"


@rule_of_runbooks(
    "comes-too-late", "medium", "shorten its time, or move it to the tier whose time it has"
)
def comes_too_late(runbook: Runbook) -> Said:
    """A trigger that has to last longer than people take to act on a less severe one."""
    tiers = list(Severity)
    for trigger in runbook.triggers:
        lasts = _LASTS.search(f"{trigger.name}: {trigger.text}")
        if lasts is None:
            continue
        for other in runbook.triggers:
            milder = tiers.index(other.severity) > tiers.index(trigger.severity)
            if milder and seconds(lasts["time"]) > other.within_s:
                yield (
                    trigger.line,
                    f"“{trigger.name}” has to last for {lasts['time']}; on the milder "
                    f"“{other.name}” people act within {other.within_s / 60:g} minutes",
                )
                break
