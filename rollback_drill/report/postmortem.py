"""postmortem.md: the runbook's root-cause template, filled with what the drill knows.

What nobody measured stays a blank in square brackets, for people to fill in.
"""

from __future__ import annotations

import re

from rollback_drill.breaks.told import FaultInjected
from rollback_drill.decide.told import Decided, TriggerFired
from rollback_drill.ground.clock import iso
from rollback_drill.ground.verdict import GOOD, Verdict
from rollback_drill.judge.impact import headlines
from rollback_drill.judge.judgement import Judgement, judge
from rollback_drill.perform.told import NOBODY, OperatorActed, ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.report.summary import detection, operators_choice
from rollback_drill.runbook.told import FollowUp, TemplatesRead

_BLANK = re.compile(r"\[[^\]\n]+\](?!\()")
_CHECKBOX = re.compile(r"^\s*[-*] \[[ xX]\] ")
_NAME = re.compile(r"root.?cause|post-?mortem", re.IGNORECASE)
_DEFAULT = """# Post-mortem
## Timeline (UTC)
- [time]: errors seen
- [time]: alert
- [time]: rollback began
- [time]: service restored
## Impact
- Duration: [minutes]
- Error rate: [percent]
## What went well
- [detection, rollback]
## What went badly
- [staging, thresholds]
"""


def document(book: Book) -> str:
    """Return the post-mortem in Markdown."""
    judgement = book.ask(judge)
    facts = _Facts(book, judgement)
    template = _template(book)
    title, _, body = template.partition("\n") if template.startswith("#") else ("", "", template)
    lines = [*facts.fill(title, ""), ""] if title else []
    lines += [*(f"- {line}" for line in headlines(judgement.impact)), ""]
    section = ""
    for line in body.splitlines():
        if line.startswith("#"):
            section = line.lower()
        lines.extend(facts.fill(line, section))
    return "\n".join([*lines, "", *facts.appendix()]) + "\n"


def _template(book: Book) -> str:
    for read in book.every(TemplatesRead):
        for name, text in read.texts.items():
            if _NAME.search(name) or (text.startswith("#") and _NAME.search(text)):
                return text
    return _DEFAULT


class _Facts:
    """What is known, by the words of the line that asks for it."""

    def __init__(self, book: Book, judgement: Judgement) -> None:
        self._judgement = judgement
        suffered = judgement.impact
        self._suffered = suffered if suffered and suffered.fault else None
        decided, restored = book.at(Decided), judgement.restored_after_s
        self._restored_at = decided + restored if decided and restored is not None else None
        self._broken = book.first(FaultInjected)
        self._acts = book.every(OperatorActed)
        self._todo = book.every(FollowUp)
        self._done = {
            one.item
            for one in judgement.checklist
            if one.verdict in GOOD and NOBODY not in one.evidence
        }
        self._timeline = (
            (r"error|seen|first", book.at(TriggerFired)),
            (r"alert|detect|decid", decided),
            (r"rollback (began|initiated|start)", book.at(ProcedureChosen)),
            (r"restored|resolved|back", self._restored_at),
        )

    def fill(self, line: str, section: str) -> list[str]:
        """Return `line` with what is known in the place of its blanks."""
        if _CHECKBOX.match(line) or not _BLANK.search(line):
            return [line]
        if "went well" in section:
            return self._went(good=True) or [line]
        if re.search(r"went (badly|wrong)|improve", section):
            return self._went(good=False) or [line]
        known = self._known(line.lower(), section)
        return [_BLANK.sub(known.replace("\\", ""), line, count=1) if known else line]

    def _known(self, line: str, section: str) -> str:
        if "timeline" in section:
            for pattern, at in self._timeline:
                if re.search(pattern, line):
                    return iso(at) if at is not None else ""
            return ""
        suffered = self._suffered
        if "duration" in line and suffered:
            return f"{suffered.hit_s / 60:.1f} minutes ({suffered.hit_s:.0f} s)"
        if re.search(r"users|customers|clients", line) and suffered and suffered.clients_hit:
            return f"{suffered.clients_hit} of {suffered.clients} clients"
        if "error rate" in line and suffered and suffered.share is not None:
            return f"{suffered.share:.1%} ({suffered.failed} of {suffered.requests} requests)"
        if "summary" in section and self._broken:
            return f"A drill: {self._broken.name}. {self._judgement.reason}"
        if "cause" in section and self._broken:
            return f"{self._broken.how} (planted by the drill) [why it could be released]"
        return ""

    def _went(self, *, good: bool) -> list[str]:
        judged = self._judgement
        told = []
        if good:
            if judged.decided and not judged.uncredited:
                told.append(detection(judged.decided, judged))
            kept = [s for s in judged.steps if s.took_s <= s.budget_s]
            if kept:
                told.append(f"{len(kept)} of {len(judged.steps)} steps kept their budgets")
            if judged.ledger and judged.ledger.acknowledged and not judged.ledger.lost:
                told.append(
                    f"None of {judged.ledger.acknowledged} acknowledged writes was lost by the "
                    "rollback"
                )
        else:
            told += [f"{c.where}: {c.what}" for c in judged.causes]
            if judged.outage_s:
                told.append(f"Clients got no good answer for {judged.outage_s} s")
            if judged.ledger and judged.ledger.damaged:
                told.append(f"The release damaged {judged.ledger.damaged} acknowledged writes")
            for what in ("wrong turn", "skipped"):
                steps = [f"{o.section}, step {o.number}" for o in self._acts if o.what == what]
                if steps:
                    told.append(f"{len(steps)} {what} of the operator: {', '.join(steps)}")
            unknown = sum(one.verdict is Verdict.UNKNOWN for one in judged.checklist)
            if unknown:
                told.append(f"{unknown} checkboxes could not be verified")
        return [f"- {one}" for one in told]

    def _follow_ups(self) -> list[str]:
        """Return what is still to be done, each list with the time by which it is due."""
        if self._restored_at is None:
            return []
        lines = ["## Still to be done", ""]
        for one in self._todo:
            due = iso(self._restored_at + one.within_s)[:16].replace("T", " ")
            lines += [f"### {one.title}: by {due} UTC", ""]
            lines += [f"- [{'x' if item in self._done else ' '}] {item}" for item in one.items]
            lines.append("")
        return lines if self._todo else []

    def appendix(self) -> list[str]:
        """Return what every post-mortem of a drill ends with."""
        start = self._judgement.started
        if start is None:
            return []
        choice = operators_choice(self._judgement)
        return [
            *self._follow_ups(),
            "---",
            f"Verdict of the drill: **{self._judgement.verdict}**. {self._judgement.reason}",
            "",
            *([f"{choice[:1].upper()}{choice[1:]}.", ""] if choice else []),
            f"Stage {start.stage}, {start.failing} rolled back to {start.stable}, runbook "
            f"{start.runbook_path} (sha256 {start.runbook_sha256[:12]}…). What is in [square "
            "brackets] nobody has measured.",
        ]
