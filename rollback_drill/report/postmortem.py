"""postmortem.md: the runbook's root-cause template, filled with what the drill knows.

What nobody measured stays a blank in square brackets, for people to fill in. What a service, a
command or a record says is escaped: it can be neither markup nor a blank.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from rollback_drill.breaks.told import FaultInjected
from rollback_drill.conduct.told import StageUp
from rollback_drill.decide.told import Decided, TriggerFired
from rollback_drill.ground.clock import iso
from rollback_drill.ground.markdown import plain_words
from rollback_drill.ground.verdict import GOOD, Verdict
from rollback_drill.ground.words import capitalized
from rollback_drill.judge.figures import figures
from rollback_drill.judge.impact import headlines
from rollback_drill.judge.judgement import Judgement, judge
from rollback_drill.perform.told import NOBODY, OperatorActed, ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.report.findings import shown_findings
from rollback_drill.report.marks import marks
from rollback_drill.report.proof import proof
from rollback_drill.report.summary import detection, operators_choice
from rollback_drill.runbook.told import FollowUp, TemplatesRead

_BLANK = re.compile(r"\[[^\]\n]+\](?!\()")
_CHECKBOX = re.compile(r"^\s*[-*] \[[ xX]\] ")
_NAME = re.compile(r"root.?cause|post-?mortem", re.IGNORECASE)
_DEPLOYED = r"\bdeploy(ed|ment)\b"
_ACTIONS = re.compile(r"action|to do|follow.?up", re.IGNORECASE)
_FIGURES = (
    (r"time to detect|detected (after|within)|detection", "detected_s"),
    (r"time to (restore|recover)|mttr", "restored_s"),
    (r"writes? lost|data loss|lost data", "lost"),
)
_DEFAULT = """# Post-mortem
## Timeline (UTC)
- [time]: deployed
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
    lines += [*(f"- {plain_words(line)}" for line in headlines(judgement.impact)), ""]
    told_actions = False
    for section in _sections(body):
        heading = section[0].lower()
        for line in section:
            lines.extend(facts.fill(line, heading))
        if "timeline" in heading:
            lines.extend(facts.course(section[0]))
        if _ACTIONS.search(heading) and not told_actions:
            lines.extend(facts.actions())
            told_actions = True
    if not told_actions and facts.actions():
        lines += ["", "## Actions", "", *facts.actions()]
    return "\n".join([*lines, "", *facts.appendix()]) + "\n"


def _sections(body: str) -> list[list[str]]:
    """Return the lines of a template by their headings; the first may have none."""
    found: list[list[str]] = [[]]
    for line in body.splitlines():
        if line.startswith("#"):
            found.append([])
        found[-1].append(line)
    return [one for one in found if one]


def _clock_form(blank: str) -> str:
    """Return the form in which a template asks for a moment: `[time]`, `[HH:MM]`, `[date]`."""
    asked = blank.strip("[]").lower()
    day = "%Y-%m-%d" if re.search(r"date|y{2}", asked) else ""
    time = "%H:%M:%S" if "ss" in asked or not re.search(r"hh|date", asked) else "%H:%M"
    if day and not re.search(r"time|hh", asked):
        time = ""
    zone = "UTC" if "utc" in asked else ""
    return " ".join(part for part in (day, time, zone) if part)


def _at(moment: float, form: str) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime(form)


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
        self._marks = book.ask(marks)
        self._findings = book.ask(shown_findings)
        self._figures = {one.key: one for one in book.ask(figures)}
        self._proof = book.ask(proof).told()
        self._timeline = (
            (_DEPLOYED, book.at(StageUp)),
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
        return [_BLANK.sub(lambda _: known, line, count=1) if known else line]

    def course(self, heading: str) -> list[str]:
        """Return all that the drill saw happen, in the template's form of a moment."""
        if not self._marks:
            return []
        day = _at(self._marks[0].at, "%Y-%m-%d")
        level = min(6, len(heading) - len(heading.lstrip("#")) + 1)
        return [
            "",
            f"{'#' * level} In full, {day}",
            "",
            *(
                f"- {_at(one.at, '%H:%M:%S')}: {one.name}: {plain_words(one.told)}"
                for one in self._marks
            ),
            "",
        ]

    def actions(self) -> list[str]:
        """Return what the findings ask to be done, for people to take over."""
        wheres: dict[str, list[str]] = {}
        for one in self._findings:
            some = wheres.setdefault(one.cause.advice or f"find out why: {one.cause}", [])
            if one.cause.advice:
                some.append(one.cause.where)
        lines = []
        for todo, found in wheres.items():
            about = f" ({'; '.join(dict.fromkeys(found))})" if found else ""
            told = plain_words(f"{capitalized(todo)}{about}")
            lines.append(f"- [ ] {told}. Owner: [name]. Due: [date]")
        return lines

    def _known(self, line: str, section: str) -> str:
        if "timeline" in section:
            blank = _BLANK.search(line)
            form = _clock_form(blank[0]) if blank else "%H:%M:%S"
            for pattern, at in self._timeline:
                if re.search(pattern, line):
                    # A stage that others deploy to was only seen to have the release by then.
                    by = "by " if pattern == _DEPLOYED else ""
                    return f"{by}{_at(at, form)}" if at is not None else ""
            return ""
        for pattern, key in _FIGURES:
            if re.search(pattern, line) and self._figures[key].value is not None:
                return plain_words(self._figures[key].text)
        suffered = self._suffered
        if "duration" in line and suffered:
            return f"{suffered.hit_s / 60:.1f} minutes ({suffered.hit_s:.0f} s)"
        if re.search(r"users|customers|clients", line) and suffered and suffered.clients_hit:
            return f"{suffered.clients_hit} of {suffered.clients} clients"
        if "error rate" in line and suffered and suffered.share is not None:
            return f"{suffered.share:.1%} ({suffered.failed} of {suffered.requests} requests)"
        if "summary" in section and self._broken:
            reason = capitalized(self._judgement.reason)
            return plain_words(f"A drill: {self._broken.name}. {reason}")
        if "cause" in section and self._broken:
            return (
                f"{plain_words(capitalized(self._broken.how))} (planted by the drill) "
                "[why it could be released]"
            )
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
        return [f"- {plain_words(capitalized(one))}" for one in told]

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
            f"Verdict of the drill: **{self._judgement.verdict}**. "
            f"{plain_words(capitalized(self._judgement.reason))}",
            "",
            *([f"{plain_words(capitalized(choice))}.", ""] if choice else []),
            self._proof,
            "",
            f"Stage {start.stage}, {start.failing} rolled back to {start.stable}, runbook "
            f"{start.runbook_path} (sha256 {start.runbook_sha256[:12]}…). What is in [square "
            "brackets] nobody has measured.",
        ]
