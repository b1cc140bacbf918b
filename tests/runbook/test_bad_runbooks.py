"""Whatever becomes of a runbook: no traceback, no end of time, and nothing is verified less unseen."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import strategies as st

from rollback_drill.cli import main
from rollback_drill.ground.errors import UsageError
from rollback_drill.runbook.coverage import CoveredLine, LineKind
from rollback_drill.runbook.leftovers import looks_like
from rollback_drill.runbook.parse import read_document
from steps.fix_examples import Examples
from tests.ground.damage_support import damaged
from tests.runbook.runbook_support import SMALL

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = (ROOT / "runbook" / "rollback.md").read_text()
FOREIGN = (ROOT / "examples" / "kinto" / "runbook.md").read_text()
MARKS = (
    *("```", "```bash", "```text", "~~~", "````", "<!--", "-->", "<details>", "</details>", "---"),
    *("# Other", "## Notes", "### Within 1 hour", "#### Template", "#### Step 1: Again (1 minute)"),
    *("### Procedure 1: Again", "- [ ] Error rate <1%", "- [x] All is well", "> quoted", "| a | b |"),
    *("|---|---|", "# OR using nothing", "true", "exit 0", "set +e", "cat <<MESSAGE", "MESSAGE", "    code"),
)  # fmt: skip
MESSAGE = re.compile(r"<<MESSAGE\n(.*?)^MESSAGE$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Damaged:
    """A document as it was, and what became of it: shown by what differs."""

    text: str
    raw: bytes

    def __repr__(self) -> str:
        now = self.raw.decode("utf-8", "replace").splitlines()
        return "\n".join(difflib.unified_diff(self.text.splitlines(), now, n=0))


@st.composite
def runbooks(draw: st.DrawFn) -> Damaged:
    text = draw(st.sampled_from((SMALL, SMALL, PROJECTS, FOREIGN)))
    return Damaged(text, draw(damaged(text, more=MARKS)))


def test_no_command_that_reads_one_ends_in_a_traceback(
    examples: Examples, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, record = tmp_path / "runbook.md", tmp_path / "requests.csv"
    record.write_text("time,status,latency\n" + "".join(f"{n / 10},200,0.01\n" for n in range(450)))

    def read(example: Damaged) -> None:
        path.write_bytes(example.raw)
        for command in (
            ["read", "--runbook", str(path)],
            ["bindings", "--runbook", str(path)],
            ["monitoring", "--runbook", str(path), "--to", str(tmp_path / "made")],
            ["decide", "--runbook", str(path), "--from", str(record)],
        ):
            assert main(command) in (0, 1, 2)
        capsys.readouterr()

    examples.hold(15, runbooks(), read)


def _done(line: CoveredLine) -> bool:
    """Whether a line is a box that is verified, or one of a block that is performed."""
    told = line.part
    return line.kind is LineKind.USED and (
        told.endswith(": box") or ": commands" in told or ": fallback" in told
    )


def _matters(line: CoveredLine) -> bool:
    """Whether it would be missed elsewhere: fences do nothing by themselves, nor do comments, ends
    of here-documents and items of a message in one.
    """
    text = line.text.strip()
    return _done(line) and bool(text) and not re.match(r"[`~#]|[A-Z]+$|- (?!\[)", text)


def lost_by(path: Path, mattered: Counter[str]) -> set[str]:
    """Return which lines of those that `mattered` are neither done nor told, now that the document
    stands damaged in `path`.
    """
    try:
        reading = read_document(path)
    except UsageError:
        return set()
    if reading.problems.found:
        return set()
    there = Counter(one.text for one in reading.lines)
    kept = Counter(one.text for one in reading.lines if _done(one) or one.kind is LineKind.UNREAD)
    # Among triggers a box is one that nobody watches, and told as such; what came to stand in a
    # template is missed by whoever knows what was asked before.
    elsewhere = ("trigger", "template")
    kept += Counter(one.text for one in reading.lines if one.part.startswith(elsewhere))
    return {line for line, n in mattered.items() if kept[line] < min(n, there[line])}


def mattering(text: str, path: Path) -> Counter[str]:
    """Return the lines of `text` that would be missed; none of a message, which only its command
    makes more than prose.
    """
    path.write_text(text)
    said = {line for one in MESSAGE.findall(text) for line in one.splitlines()}
    lines = (one for one in read_document(path).lines if one.text not in said)
    return Counter(one.text for one in lines if _matters(one))


def test_what_was_done_or_verified_still_is_or_is_told(examples: Examples, tmp_path: Path) -> None:
    path = tmp_path / "runbook.md"
    lines = {text: mattering(text, path) for text in (SMALL, PROJECTS, FOREIGN)}

    def hold(example: Damaged) -> None:
        path.write_bytes(example.raw)
        assert not lost_by(path, lines[example.text])

    examples.hold(25, runbooks(), hold)


def test_what_stood_in_a_block_is_told_when_its_fence_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "runbook.md"
    mattered = mattering(PROJECTS, path)
    lines = PROJECTS.splitlines(keepends=True)
    fences = [number for number, line in enumerate(lines) if line.startswith("```bash")]
    assert len(fences) > 10
    for number in fences:
        path.write_text("".join(lines[:number] + lines[number + 1 :]))
        assert not lost_by(path, mattered), f"without its line {number + 1}"


@pytest.mark.parametrize("text", [PROJECTS, FOREIGN], ids=["project's", "foreign"])
def test_a_line_of_a_block_is_told_wherever_it_stands_alone(text: str, tmp_path: Path) -> None:
    lone = mattering(text, tmp_path / "runbook.md")
    assert len(lone) > 30
    assert [line for line in lone if not looks_like(line)] == []
