"""summary.md: what a gate says to who reads a CI run, its job page, or a comment on a change.

It is never longer than GitHub takes of a comment: what does not fit is counted, and said to be
elsewhere. Secrets are masked, and strangers' words are no markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rollback_drill.ground.markdown import fenced, plain_words
from rollback_drill.ground.redact import Redactor
from rollback_drill.report.scenario import ScenarioDrill, ScenarioTold
from rollback_drill.runbook.changed import ChangedPassage, as_diff

LONGEST = 65_000
"""Letters, as GitHub counts them (UTF-16): it takes 65,536 of a comment."""
_MARKS = {"passed": "✅", "failed": "❌", "error": "❌", "skipped": "⏭️"}
_BAD = ("failed", "error")
_SHORT, _LONG, _DIFF, _TABLE = 300, 1_500, 12_000, 12_000
_ROOM_FOR_NOTES = 1_500
_REST = "and {} more, for which there is no room here: junit.xml names them all"


@dataclass(frozen=True, slots=True)
class RunbookChange:
    """What changed in the runbook since `base`; `unknown` says why that is not known, "" where it
    is.
    """

    path: str
    base: str
    passages: tuple[ChangedPassage, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Artefacts:
    """Where what a gate leaves can be had. `folder`: the address of its folder, "" where links are
    from the summary on; `page`: that of the page that has them all in one, "" for none.
    """

    folder: str = ""
    page: str = ""


def gate_summary(
    scenarios: Sequence[ScenarioTold],
    *,
    passed: bool,
    change: RunbookChange | None = None,
    artefacts: Artefacts | None = None,
    secrets: Iterable[str] = (),
) -> str:
    """Return the summary. `passed`: the verdict of the whole gate; `secrets`: known ones."""
    redactor = Redactor(secrets)
    told = "passed" if passed else "FAILED"
    counts = [(word, sum(one.outcome == word for one in scenarios)) for word in _MARKS]
    counted = ", ".join(f"{number} {word}" for word, number in counts if number)
    text = _Bounded(redactor, f"## Rollback gate: {told}\n\n{counted or 'nothing was run'}\n\n")
    bad = [one for one in scenarios if one.outcome in _BAD]
    links = "".join(_links(artefacts or Artefacts()))
    text.keep_free(links)
    if bad:
        text.add("| | Scenario | Why |\n|---|---|---|\n")
        text.add_all([_row(one) for one in bad], "| | {} |  |\n", _TABLE)
        text.add("\n")
    if change:
        text.add(_changed(change))
    if compared := _compared(scenarios):
        text.add("### Before and after\n\n")
        text.add_all(compared, "| {} |" + " |" * 6 + "\n", _TABLE)
        text.add("\n")
    text.add_all([_detail(one, artefacts or Artefacts()) for one in bad], "{}\n\n")
    if not bad:
        rows = [_row(one) for one in scenarios if one.outcome == "passed"]
        text.add("| | Scenario |\n|---|---|\n")
        text.add_all(rows, "| | {} |\n")
        text.add("\n")
    return text.ended(links)


class _Bounded:
    """Text that does not grow over `LONGEST`."""

    def __init__(self, redactor: Redactor, text: str) -> None:
        self._redactor = redactor
        self._parts = [redactor.text(text)]
        self._room = LONGEST - _ROOM_FOR_NOTES - letters(self._parts[0])

    def keep_free(self, text: str) -> None:
        """Keep room for what comes last."""
        self._room -= letters(self._redactor.text(text))

    def add(self, text: str) -> bool:
        """Add `text` if there is room for it; return whether there was."""
        text = self._redactor.text(text)
        if letters(text) > self._room:
            return False
        self._parts.append(text)
        self._room -= letters(text)
        return True

    def add_all(self, texts: Sequence[str], rest: str, most: int = LONGEST) -> None:
        """Add those of `texts` that there is room for, in at most `most` letters, and how many
        there are beside them.
        """
        whole = self._room
        for number, text in enumerate(texts):
            if whole - self._room + letters(text) > most or not self.add(text):
                note = rest.format(_REST.format(len(texts) - number))
                self._parts.append(note)  # there is room for notes
                return

    def ended(self, last: str) -> str:
        """Return the whole with `last` behind it."""
        return "".join(self._parts) + self._redactor.text(last)


def letters(text: str) -> int:
    """Return how many letters GitHub counts in `text`."""
    return len(text.encode("utf-16-le")) // 2


def _row(one: ScenarioTold) -> str:
    name = _cell(one.name, _SHORT)
    if one.outcome not in _BAD:
        return f"| {_MARKS[one.outcome]} | {name} |\n"
    return f"| {_MARKS[one.outcome]} | {name} | {_cell(one.why, _SHORT)} |\n"


def _cell(text: str, most: int) -> str:
    return plain_words(_cut(" ".join(text.split()), most)).replace("|", "/")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _detail(one: ScenarioTold, artefacts: Artefacts) -> str:
    of = f" ({plain_words(one.feature)})" if one.feature else ""
    lines = [f"### {_MARKS[one.outcome]} {plain_words(_cut(one.name, _SHORT))}{of}", ""]
    if one.sentence:
        lines += [f"Broke at: *{plain_words(_cut(one.sentence, _SHORT))}*", ""]
    if one.why:
        lines += [fenced(_cut(one.why, _LONG)), ""]
    for drill in one.drills:
        lines += [*_of_drill(drill, artefacts), ""]
    return "\n".join(lines) + "\n"


def _of_drill(drill: ScenarioDrill, artefacts: Artefacts) -> Iterator[str]:
    where = drill.report
    link = f" ([report]({_address(f'{where}/index.html', artefacts)}))" if where else ""
    reason = plain_words(_cut(drill.reason, _LONG))
    yield f"The drill ({plain_words(drill.what)}) **{drill.verdict}**: {reason}{link}"
    for one in drill.findings:
        expected = f"expected: {plain_words(_cut(one.expected, _SHORT))}; " if one.expected else ""
        found = f"found: {plain_words(_cut(one.found, _SHORT))}"
        advice = f" Try: {plain_words(_cut(one.advice, _SHORT))}." if one.advice else ""
        yield f"- {plain_words(_cut(one.where, _SHORT))}: {expected}{found}.{advice}"
    if drill.more:
        yield f"- and {drill.more} more"


def _compared(scenarios: Sequence[ScenarioTold]) -> list[str]:
    """Return a table of the drills with which a kept one compares, head first; [] without any."""
    drills = {one.name: one for told in scenarios for one in told.drills if one.compared}
    if not drills:
        return []
    names = [one.name for one in next(iter(drills.values())).figures]
    head = f"| Drill | {' | '.join(names)} |\n|---|{'---|' * len(names)}\n"
    rows = []
    for one in drills.values():
        cells = (f"{f.text} ({f.change})" if f.change else f.text for f in one.figures)
        told = " | ".join(_cell(cell, _SHORT) for cell in cells)
        rows.append(f"| {_cell(one.what, _SHORT)}: {one.verdict} | {told} |\n")
    return [head, *rows]


def _changed(change: RunbookChange) -> str:
    path, base = plain_words(change.path), plain_words(change.base)
    if change.unknown:
        return (
            f"What changed in {path} since {base} is not known: {plain_words(change.unknown)}\n\n"
        )
    if not change.passages:
        return f"The runbook {path} is as in {base}.\n\n"
    lines = as_diff(change.passages).split("\n")
    kept: list[str] = []
    room = _DIFF
    for line in lines:
        room -= letters(line) + 1
        if room < 0:
            break
        kept.append(line)
    left = len(lines) - len(kept)
    more = f"\nand {left} more lines of this diff\n" if left else ""
    shown = fenced("\n".join(kept), "diff")
    return f"### What changed in {path} since {base}\n\n{shown}\n{more}\n"


def _links(artefacts: Artefacts) -> Iterator[str]:
    names = "junit.xml, allure-results, and drills, the reports of those behind what failed"
    if artefacts.page or artefacts.folder:
        yield f"[What the gate left]({artefacts.page or artefacts.folder}): {names}.\n\n"


def _address(name: str, artefacts: Artefacts) -> str:
    if artefacts.page:
        return artefacts.page  # nobody can link into an archive
    return f"{artefacts.folder}/{name}" if artefacts.folder else name
