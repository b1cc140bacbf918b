"""No text, nesting or number in a document raises a traceback, takes long or moves line numbers."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollback_drill.campaigns.revalidation import by_reading
from rollback_drill.ground.errors import UsageError
from rollback_drill.runbook.coverage import LineKind
from rollback_drill.runbook.parse import parse, read_document
from rollback_drill.runbook.problems import RunbookError
from tests.runbook.runbook_support import SMALL, changed, reading_of, runbook_of

PROJECTS = (Path(__file__).resolve().parents[2] / "runbook" / "rollback.md").read_text()


@pytest.mark.parametrize(
    "raw",
    [
        SMALL.encode("utf-8-sig"), SMALL.replace("\n", "\r\n").encode(), SMALL.encode("utf-16"),
        SMALL.replace("\n", "\r").encode(), SMALL.replace("\n", "\r\n").encode("utf-16-le").join((b"\xff\xfe", b"")),
        b"\xfe\xff" + SMALL.encode("utf-16-be"), SMALL.encode("utf-32"),
    ],
    ids=["BOM", "CRLF", "UTF-16", "CR", "UTF-16-LE and CRLF", "UTF-16-BE", "UTF-32"],
)  # fmt: skip
def test_every_usual_encoding_is_read_with_the_same_lines(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "runbook.md"
    path.write_bytes(raw)
    runbook, plain = parse(path), runbook_of(tmp_path / "..", SMALL)
    assert runbook.procedures == plain.procedures
    assert runbook.verification == plain.verification
    assert runbook.unread == ()


@pytest.mark.parametrize(
    "raw",
    [SMALL.replace("up", "üp").encode("latin-1"), b"\xff\xfe\x00", b"\x80abc", SMALL.encode("utf-16-le")],
)  # fmt: skip
def test_other_bytes_are_refused_with_a_sentence(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "runbook.md"
    path.write_bytes(raw)
    with pytest.raises(UsageError):
        parse(path)


def test_what_is_no_file_of_a_size_to_read_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.md"
    large.write_bytes(SMALL.encode() + b"a" * 10 * 1024 * 1024)
    long = tmp_path / "long.md"
    long.write_text("- [ ] x\n" * 20_000)
    for path in (large, long, tmp_path, Path("/dev/zero"), tmp_path / "none", Path("a\0b")):
        with pytest.raises(UsageError):
            parse(path)


@pytest.mark.parametrize("mark", ["\x0c", "\x0b", "\x1c", "\x85", "\u2028", "\u2029", "\x00"])
def test_no_separator_moves_the_numbers_of_lines(tmp_path: Path, mark: str) -> None:
    text = changed("Watch the service for 5", f"Some{mark}words.\n\nWatch the service for 5")
    with_mark = runbook_of(tmp_path, text)
    without = runbook_of(tmp_path, text.replace(mark, " "))
    assert with_mark.procedures == without.procedures
    assert with_mark.unread == ()
    step = changed("Put the old code", f"Put{mark}the old code")
    (unread,) = runbook_of(tmp_path, step).unread
    assert (unread.line, "control characters" in unread.why) == (38, True)


_N = 200_000
HOSTILE = {
    "brackets": "[" * 10_000, "many brackets": "[" * _N, "quotes": ">" * 10_000 + " - [ ] x",
    "lists": "- " * 10_000 + "x", "nested": "\n".join("  " * n + "- [ ] x" for n in range(300)),
    "stars": "*" * _N, "ticks": "` " * _N, "bold": "**a** " * 40_000, "links": "[a](" * 50_000,
    "html": "<a " * 60_000, "comments": "<!--" * 50_000, "entities": "&amp;" * 40_000,
    "shell": "```\n" + "$(" * 9_000 + "\n```", "shell quotes": "```\n" + "'" * 19_000 + "\n```",
    "blank": " " * _N, "bars": "|" * _N, "emphasis": "_a" * _N, "fallback": "(if " * _N + "fails",
    "range": "#### Step 4: x (2 min)\n\nFollow Steps 1-999999999 of Procedure 1.",
    "shorter range": "#### Step 4: x (2 min)\n\nFollow Steps 1-9999 of Procedure 1.",
    "step": "#### Step " + "9" * 4_500 + ": x (2 min)", "budget": "#### Step 4: x (" + "9" * 4_500 + " min)",
    "amounts": "#### Step 4: x (" + "1 h " * 50_000 + ")",
    "watch": "#### Step 4: x (2 min)\n\nWatch it for " + "1 h " * 50_000,
    "procedure": "### Procedure " + "9" * 4_500 + ": x", "scenario": "**Scenario " + "9" * 4_500 + ": x**",
    "scenario's procedure": "**Scenario 1: x**\n\n- **Symptom**: y\n- **Procedure**: Procedure " + "9" * 4_500,
    "within": "### Within " + "9" * 4_500 + " days\n\n- [ ] x", "parentheses": "#### Step 4 " + "(" * _N,
    "dropped": "Dropped on purpose: " + "a, " * 60_000, "transformed": "Transformed: " + "a.b by c; " * 20_000,
    "matrix": "| Condition | Error rate | Performance | Decision |\n|---|---|---|---|\n| A | " + "9" * 5_000
    + "% | p95 <" + "9" * 5_000 + "ms | x |", "long box": "- [ ] " + "error rate " * 5_000, "title": "# [/opt/app] \x1b[31m",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_raises_or_takes_long(tmp_path: Path, name: str) -> None:
    began = time.monotonic()
    for place in ("## Verification checklist", "## When to roll back", "#### Step 3: Watch"):
        reading = reading_of(tmp_path, changed(place, f"{HOSTILE[name]}\n\n{place}"))
        assert sum(reading.count(kind) for kind in LineKind) == len(reading.lines)
    assert time.monotonic() - began < 20  # 0.5 s on an idle machine


NUMBERS = {
    "long box": HOSTILE["long box"],
    "boxes": "- [ ] Error rate <" + "9" * 4_500 + "%\n- [ ] Response time p95 <" + "9" * 4_500 + "ms",
    "triggers": "- **Error rate >" + "9" * 4_500 + "%**: x\n- **p95 >" + "9" * 4_500 + "ms for 9 min**: y",
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("place", ["### High priority", "- [ ] Authentication works\n"])
def test_nor_does_what_is_bound_to_it(tmp_path: Path, name: str, place: str) -> None:
    began = time.monotonic()
    reading = reading_of(tmp_path, changed(place, f"{NUMBERS[name]}\n\n{place}"))
    by_reading(reading.runbook)
    assert reading.runbook.unread
    assert time.monotonic() - began < 20  # 0.3 s on an idle machine


# What a reader without any knowledge of Markdown would take for something to do or to check.
_DUMB = re.compile(
    r"^\s*(?:>\s*)*(?:[-*+]|\d+[.)])?\s*\[[ xX]?\]\s|^\s*(?:>\s*)*(?:[-*+] )?[☐☑]"
    r"|^\s*(?:#+|\*\*)\s*(?:step|procedure|fallback|rollback|phase \d|option [ab])\b"
    r"|^\s*(?:```|~~~)\w",
    re.IGNORECASE,
)
_LINES = [line for line in (SMALL + PROJECTS).split("\n") if line.strip()]
_CHANGES = st.sampled_from(
    [
        lambda text: "  " + text, lambda text: "    " + text, lambda text: "> " + text,
        lambda text: text.replace(":", " —"), lambda text: text.replace(" ", "\u00a0", 2),
        lambda text: text.replace("- [ ]", "- []"), lambda text: text.replace("- [ ]", "☐"),
        lambda text: text.replace("- [ ]", "1. [ ]"), lambda text: text.replace("```bash", "```"),
        lambda text: text.replace("```", "~~~"), lambda text: text.replace("#", "", 1),
        lambda text: "#" + text, lambda text: f"<!-- {text} -->", lambda text: f"**{text.strip('# ')}**",
        lambda text: text.replace("minutes", "Minuten"), lambda text: text.replace("(", "(≤ "),
        lambda text: text[: len(text) // 2], lambda text: text + text, lambda text: "",
        lambda text: text.replace("Step", "Phase"), lambda text: text.replace("Step", "STEP"),
        lambda text: text + "\\", lambda text: text + "\x0c", lambda text: f"| {text} |",
    ]
)  # fmt: skip
_EDITS = st.lists(
    st.tuples(st.integers(0, 10_000), st.one_of(_CHANGES, st.sampled_from(_LINES))),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=st.sampled_from([SMALL, SMALL, SMALL, PROJECTS]), edits=_EDITS)
def test_no_line_that_looks_like_something_vanishes(
    document: str, edits: list[tuple[int, object]]
) -> None:
    lines = document.split("\n")
    for place, edit in edits:
        at = place % len(lines)
        if callable(edit):
            lines[at] = edit(lines[at])
        else:
            lines.insert(at, str(edit))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "runbook.md"
        path.write_text("\n".join(lines), encoding="utf-8")
        reading = read_document(path)
        with suppress(RunbookError):
            assert parse(path) == reading.runbook
    runbook = reading.runbook
    told = {number for number, _ in reading.problems.found}
    vanished = [
        line for line in reading.lines
        if line.kind is LineKind.PROSE and _DUMB.match(line.text) and line.part == "prose"
        and line.number not in told
    ]  # fmt: skip
    assert vanished == []
    # What is said to be used is really there to be performed, verified or held.
    boxes = {box.line for one in (runbook.pre_rollback, runbook.verification, *runbook.post_rollback) for box in one.checkboxes}  # fmt: skip
    boxes |= {box.line for p in runbook.procedures for box in p.prerequisites}
    boxes |= {box.line for p in runbook.procedures for s in p.steps for box in s.checkboxes}
    said = {line.number for line in reading.lines if line.part.endswith(": box")}
    assert said <= boxes
