import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rollback_drill.decide.decider import Decider
from rollback_drill.ground.errors import UsageError
from rollback_drill.perform.check import bindings
from rollback_drill.runbook.model import Checkbox, Runbook
from rollback_drill.runbook.parse import parse
from rollback_drill.runbook.problems import RunbookError

DOCUMENT = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
SEED = DOCUMENT.parent.parent.parent / "shared" / "seed" / "rollback-procedure.txt"


def edited(directory: Path, old: str, new: str) -> Path:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert old in text
    path = directory / "edited.md"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def boxes(runbook: Runbook) -> list[Checkbox]:
    inside = [
        box
        for procedure in runbook.procedures
        for box in (*procedure.prerequisites, *(b for s in procedure.steps for b in s.checkboxes))
    ]
    return [*runbook.pre_rollback.checkboxes, *inside, *runbook.verification.checkboxes]


def test_the_document_is_complete() -> None:
    runbook = parse(DOCUMENT)
    assert len(runbook.triggers) == 14
    assert [row.condition for row in runbook.matrix] == ["Normal", "Warning", "Alert", "Critical"]
    assert [len(p.steps) for p in runbook.procedures] == [7, 9, 2, 7]
    assert [s.procedure for s in runbook.scenarios] == [3, 1, 1]
    assert [a.severity[:2] for a in runbook.authority] == ["P0", "P1", "P2", "P3"]
    assert len(runbook.verification.checkboxes) == 11
    assert len(runbook.post_rollback) == 3


def test_every_checkbox_is_bound_to_exactly_one_check() -> None:
    wrong = {box.text: [b.name for b in bindings(box.text)] for box in boxes(parse(DOCUMENT))}
    assert {text: names for text, names in wrong.items() if len(names) != 1} == {}


def test_every_trigger_is_watched() -> None:
    assert [trigger.name for trigger in Decider(parse(DOCUMENT), 60).unwatched] == []


@pytest.mark.parametrize(
    ("old", "new", "look"),
    [
        ("maintenance (30 seconds)", "maintenance (7 seconds)", lambda r: r.procedures[0].steps[0].budget.high_s == 7),
        ("for 5 to 10 minutes", "for 3 minutes", lambda r: r.procedures[0].steps[6].window_s == 180),
        ("Time estimate: 2-5 minutes", "Time estimate: 2-9 minutes", lambda r: r.procedures[2].estimate.high_s == 540),
        ("p95 <500ms | No", "p95 <300ms | No", None),
        ("**Error Rate >10%**", "**Error Rate >20%**", lambda r: any(t.name == "Error Rate >20%" for t in r.triggers)),
        ("Procedure 3 (feature flag)", "Procedure 2 (database)", lambda r: r.scenarios[0].procedure == 2),
        ("Follow Steps 1-2 of", "Follow Step 2 of", lambda r: r.procedures[1].steps[0].title == "Identify the stable release"),
    ],
)  # fmt: skip
def test_a_number_changed_in_the_document_changes_what_is_parsed(tmp_path, old, new, look) -> None:  # type: ignore[no-untyped-def]
    path = edited(tmp_path, old, new)
    if look is None:
        with pytest.raises(RunbookError, match=r"performance to go on where the row above ends"):
            parse(path)
    else:
        assert look(parse(path))


def test_all_problems_come_at_once_with_their_lines(tmp_path: Path) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    text = text.replace("Enter maintenance (30 seconds)", "Enter maintenance")
    text = text.replace("Follow Steps 4-7 of Procedure 1", "Follow Steps 4-9 of Procedure 1")
    text = text.replace("Time estimate: 2-5 minutes", "")
    path = tmp_path / "bad.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RunbookError) as caught:
        parse(path)
    told = "\n".join(caught.value.problems)
    assert re.search(r"bad.md:\d+: expected a budget of step 1 of Procedure 1", told)
    assert "step 8 in Procedure 1" in told
    assert "time estimate of Procedure 3" in told


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"just text\n"])
def test_what_is_no_runbook_is_a_users_mistake(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "some.md"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError):
        parse(path)


def test_every_code_block_is_valid_bash() -> None:
    bash = shutil.which("bash")
    assert bash
    runbook = parse(DOCUMENT)
    blocks = [*runbook.pre_rollback.blocks]
    for procedure in runbook.procedures:
        blocks += [*procedure.prerequisite_blocks, *(b for s in procedure.steps for b in s.blocks)]
    scripts = [alternative.script for block in blocks for alternative in block.alternatives]
    assert scripts
    for script in scripts:
        done = subprocess.run(
            [bash, "-n"], input=script, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, f"{done.stderr}\n{script}"


@pytest.mark.skipif(not SEED.exists(), reason="the procedure it was made for is not here")
def test_the_procedure_that_it_was_made_for_can_be_read_and_is_not_copied() -> None:
    seed = parse(SEED)
    assert [len(p.steps) for p in seed.procedures] == [7, 8, 2]
    assert "Revert Application Code" not in [s.title for s in seed.procedures[1].steps]
    own = {line.strip() for line in DOCUMENT.read_text(encoding="utf-8").splitlines()}
    theirs = {line.strip() for line in SEED.read_text(encoding="utf-8").splitlines()}
    # Figures and the names of things may agree; sentences may not.
    copied = [line for line in own & theirs if len(re.findall(r"[A-Za-z]{2,}", line)) >= 5]
    assert not [line for line in copied if not line.startswith("|")]


def test_a_bold_line_glued_to_a_list_item_is_a_heading(tmp_path: Path) -> None:
    """Without an empty line Markdown takes it for the item's text; its author did not."""
    text = DOCUMENT.read_text(encoding="utf-8")
    start = text.index("**Alternative: restore from")
    item = "- [ ] The downgrade was tried\n"
    glued = tmp_path / "glued.md"
    glued.write_text(text[:start] + item + text[start:], encoding="utf-8")
    step = parse(glued).procedure(2).steps[3]
    assert step.checkboxes[0].text == "The downgrade was tried"
    assert [bool(block.fallback) for block in step.blocks] == [False, True]


def test_a_transformation_is_declared_as_a_drop_is(tmp_path: Path) -> None:
    sentence = "Dropped on purpose: `cursor_audit`, `listings.search_rank`, `reservations.channel`."
    more = (
        f"{sentence}\n\nTransformed: `reservations.guest_name` by `left(guest_name, 80)`; "
        "`listings.city` by `lower(city)`."
    )
    procedure = parse(edited(tmp_path, sentence, more)).procedure(2)
    assert procedure.transformed == {
        "reservations.guest_name": "left(guest_name, 80)",
        "listings.city": "lower(city)",
    }
    assert procedure.dropped == ("cursor_audit", "listings.search_rank", "reservations.channel")
    with pytest.raises(RunbookError, match="column` by `expression`"):
        parse(edited(tmp_path, sentence, f"{sentence}\n\nTransformed: all of it."))
