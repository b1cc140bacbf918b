"""What teams write is read rightly, or its line is named: nothing of a runbook vanishes."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.runbook.parse import parse, read_document
from tests.runbook.runbook_support import (
    BLOCK,
    SMALL,
    boxes_of,
    changed,
    reading_of,
    runbook_of,
    scripts_of,
    unread_in,
)

ROOT = Path(__file__).resolve().parents[2]
CASES = sorted((ROOT.parent / "shared" / "cases" / "runbooks").glob("[0-9]*.md"))
SEED = ROOT.parent / "shared" / "seed" / "rollback-procedure.txt"
STEP_1, STEP_2 = (
    "#### Step 1: Back up (2 minutes)",
    "#### Step 2: Put the old code back (3 minutes)",
)


def test_the_projects_own_documents_are_read_in_full() -> None:
    for path in (ROOT / "runbook" / "rollback.md", *ROOT.glob("examples/*/runbook.md")):
        assert parse(path).unread == ()
        assert read_document(path).share == 1.0


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_shape_is_read_rightly(path: Path) -> None:
    runbook = parse(path)
    (procedure,) = runbook.procedures
    assert runbook.unread == ()
    assert [step.title for step in procedure.steps] == ["Back up", "Put the old code back", "Watch"]
    assert all(step.blocks for step in procedure.steps)
    assert len(boxes_of(runbook)) >= 7
    assert len(runbook.triggers) >= 2
    assert procedure.steps[2].window_s == 300


@pytest.mark.skipif(not SEED.exists(), reason="the procedure it was made for is not here")
def test_of_the_procedure_it_was_made_for_only_what_stands_outside_is_unread() -> None:
    assert [one.line for one in parse(SEED).unread] == [290, 293, 308, 333]


@pytest.mark.parametrize(
    "heading",
    [
        "#### Step 1 — Back up (2 minutes)",
        "#### Step 1 – Back up (2 minutes)",
        "#### Step 1 - Back up (2 minutes)",
        "#### Step 1. Back up (2 minutes)",
        "#### STEP 1: Back up (2 MINUTES)",
        "#### Step 1) Back up (2 min)",
        "#### Step 1 Back up (2 min)",
        "#### Step 1： Back up (2 min)",
        "#### Step 1/3: Back up (2 min)",
        "#### Step #1: Back up (2 min)",
        "#### Step\u00a01: Back up (2 minutes)",
        "#### Step\u202f1\u00a0: Back up (2\u00a0minutes)",
        "#### Step&nbsp;1: Back up (2 minutes)",
        "#### \u200bStep 1: Back up (2 minutes)",
        "#### 🔁 Step 1: Back up (2 minutes)",
        "#### 1. Step 1: Back up (2 minutes)",
        "#### Step 1 (2 minutes): Back up",
        "#### Step 1 [2 minutes] Back up",
        "#### Step 1: Back up [2 min]",
        "#### Step 1: Back up (2 min) ⏱",
        "#### Step 1: Back up - 2 min",
        "#### **Step 1: Back up** (2 min)",
        "#### Step 1: Back up (2 minutes) ####",
        "**Step 1: Back up (2 minutes)**",
        "**Step 1: Back up** (2 minutes)",
        "__Step 1 — Back up (2 min)__",
    ],
)
def test_a_step_is_a_step_however_its_heading_is_written(tmp_path: Path, heading: str) -> None:
    runbook = runbook_of(tmp_path, changed(STEP_1, heading))
    step = runbook.procedures[0].steps[0]
    assert (len(runbook.procedures[0].steps), step.number, step.budget.high_s) == (3, 1, 120)
    assert step.title.startswith("Back up")
    assert len(step.blocks) == len(step.checkboxes) == 1
    assert runbook.unread == ()


def test_numbered_headings_below_a_procedure_are_its_steps(tmp_path: Path) -> None:
    text = SMALL.replace("#### Step 1:", "#### 1.").replace("#### Step 2:", "#### 2)")
    runbook = runbook_of(tmp_path, text.replace("#### Step 3:", "#### 3."))
    assert [step.number for step in runbook.procedures[0].steps] == [1, 2, 3]
    assert runbook.unread == ()


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (STEP_2, "#### Step two: Put the old code back (3 minutes)", "#### Step two"),
        (STEP_2, "#### Phase 2: Put the old code back (3 minutes)", "#### Phase 2"),
        (STEP_2, "##### Step 1.5: Between\n\n- [ ] Between\n\n#### Step 3: Old (3 min)", "#### Step 3"),
        (STEP_2, "1. **Step 2: Put the old code back** (3 minutes)", "1. **Step 2"),
        ("#### Step 3: Watch", "#### Step 4: Watch", "#### Step 4"),
        ("### Procedure 1: App", "### Procedure 2: App", "### Procedure 2"),
        ("## Verification checklist", "## Rollback testing\n\n## Verification checklist", "## Rollback testing"),
        ("## Verification checklist", "**Fallback:** call Bob\n\n## Verification checklist", "**Fallback:**"),
        ("## Verification checklist", "- Rollback the database too\n\n## Verification checklist", "- Rollback the"),
        ("- [ ] Authentication works\n", "- [ ] Authentication works\n\nRollback the rest\n===\n", "Rollback the rest"),
        (STEP_1, "Step 1: Back up (2 minutes)\n---", "Step 1: Back up"),
        ("- [ ] Code reverted\n- [ ] Dependencies installed\n", "", None),
        (BLOCK, "1. Log in to the host\n2. Restart it by hand\n", "1. Log in"),
        (BLOCK, "- Run `kubectl rollout undo deploy/api`\n", "- Run `kubectl"),
        (BLOCK, "Then run `systemctl restart api` there.\n", "Then run `systemctl"),
        (BLOCK, f"{BLOCK}\n\nPerform Step 1 from Procedure 1 again.\n", "```bash echo old"),
        (BLOCK, f"{BLOCK}\n\nVerify as in Step 1 of Procedure 1.\n", "Verify as in"),
        (STEP_1, "#### Step 1 (2 minutes): Back up (3 minutes)", "#### Step 1"),
        ("1: Application\n", "1: Application (30 minutes)\n", "### Procedure 1"),
        ("- [ ] Code reverted\n", "- ✅ Code reverted\n", "- ✅ Code"),
        ("#### Step 1: Back", "#### Prerequisites\n\n- Access to the host\n\n#### Step 1: Back", "- Access to"),
        (BLOCK, "- Restart the service\n", "- Restart the"),
        (BLOCK, "- kubectl rollout undo deploy/api\n", "- kubectl rollout"),
        (BLOCK, "kubectl rollout undo deploy/api\n", "kubectl rollout"),
        (BLOCK, "<!-- kubectl rollout undo deploy/api -->\n", "<!-- kubectl"),
        (BLOCK, f"{BLOCK}\n\nStep 3: Call Bob (2 min)\n", "Step 3: Call"),
        (BLOCK, f"{BLOCK}\n\n*Step 3 — Call Bob*\n", "*Step 3"),
        ("- [ ] Authentication works", "- Authentication works", "- Authentication works"),
        ("- [ ] Confirm the issue", "- [ ] Confirm the issue\n1. Tell everybody", "1. Tell everybody"),
        ("### Critical\n", "### Severe\n\n- **Error Rate >50%**: all fail\n\n### Critical\n", "- **Error Rate >50%"),
        ("### Critical\n", "### Critical\n\nAlso when the error rate is above 20%.\n", "Also when"),
        ("## Decision matrix", "## More triggers\n\n- **Error Rate >50%**: all fail\n\n## Decision matrix", "- **Error Rate >50%"),
        ("- [ ] Code reverted\n", "<!-- - [ ] Code reverted -->\n\n", "<!-- - [ ] Code"),
        ("- [ ] Code reverted\n", "<!--\n- [ ] Code reverted\n-->\n\n", "- [ ] Code"),
        ("- [ ] Code reverted\n", "<ul><li>Code reverted</li></ul>\n\n", "<ul>"),
        ("- [ ] Code reverted\n", "| Check |\n|---|\n| [ ] Code reverted |\n\n", "| [ ] Code"),
        ("- [ ] Code reverted\n", "| Command | What |\n|---|---|\n| `ls` | Code |\n\n", "| `ls`"),
        ("## Procedures", "- [ ] Outside\n\n## Procedures", None),
        ("## Procedures", "## Notes\n\n- [ ] Outside\n\n## Procedures", "- [ ] Outside"),
        ("## Procedures", "## Procedures\n\n- [x] Outside", "- [x] Outside"),
        ("## Procedures", "## Prerequisites\n\n- ☐ Outside\n\n## Procedures", "- ☐ Outside"),
        ("## Procedures", "## Metrics\n\n| Metric | Limit |\n|---|---|\n| CPU | <80% |\n\n## Procedures", "| CPU"),
        ("| Normal | <1% | p95 <500ms | No action |", "| Normal | <1% | p95 <500ms | No action |", None),
        ("## Procedures", "## Procedures\n\n```bash\necho outside\n```", "```bash echo outside"),
        ("## Procedures", "## Notes\n\n    systemctl restart api\n\n## Procedures", "systemctl restart api"),
        ("Watch the service for 5", "Watch the service for a few", "Watch the service for a few"),
        ("Watch the service for 5 minutes.", "Watch it for 5 minutes, or for 10 minutes.", "Watch it"),
        ("## Preparation", "## Preparation (3 fortnightly minutes)", "## Preparation (3"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: str | None
) -> None:
    text = changed(old, new)
    reading = reading_of(tmp_path, text)
    found = [one for one in reading.runbook.unread if line and one.text.startswith(line)]
    if line is None:
        assert reading.runbook.unread == ()
        return
    assert found, reading.runbook.unread
    assert text.split("\n")[found[0].line - 1].strip().startswith(line.split(" echo")[0])
    assert found[0].why
    assert reading.share < 1


@pytest.mark.parametrize(
    "item",
    [
        "- [] Code reverted", "* [ ] Code reverted", "+ [ ] Code reverted", "1. [ ] Code reverted",
        "- ☐ Code reverted", "- □ Code reverted", "- ⬜ Code reverted", "☐ Code reverted", "[ ] Code reverted",
        "- [x] Code reverted", "- [X] Code reverted", "- [✓] Code reverted", "- [\u00a0] Code reverted",
        "- ☑ Code reverted", "- \\[ \\] Code reverted", "> - [ ] Code reverted", "- &#9744; Code reverted",
        "- Checks:\n  - [ ] Code reverted", "- [ ]\tCode reverted", "-[ ] Code reverted",
        "##### Checks\n\n- [ ] Code reverted", "**Checks**\n- [ ] Code reverted", "1) [ ] Code reverted",
    ],
)  # fmt: skip
def test_a_box_is_a_box_however_it_is_drawn(tmp_path: Path, item: str) -> None:
    runbook = runbook_of(tmp_path, changed("- [ ] Code reverted\n", f"{item}\n\n"))
    step = runbook.procedures[0].steps[1]
    assert [box.text for box in step.checkboxes] == ["Code reverted", "Dependencies installed"]
    assert runbook.unread == ()


def test_boxes_one_below_the_other_without_bullets_are_one_each(tmp_path: Path) -> None:
    text = changed("- [ ] Code reverted\n- [ ] Dep", "☐ Code reverted\n☐ Tests run\n[ ] Dep")
    step = runbook_of(tmp_path, text).procedures[0].steps[1]
    assert [(box.text, box.line) for box in step.checkboxes] == [
        ("Code reverted", 44), ("Tests run", 45), ("Dependencies installed", 46),
    ]  # fmt: skip


def test_a_box_that_goes_on_in_the_next_line_is_one_box(tmp_path: Path) -> None:
    text = changed("- [ ] Code reverted\n", "- [ ] Code reverted,\n  all of it\n")
    boxes = runbook_of(tmp_path, text).procedures[0].steps[1].checkboxes
    assert boxes[0].text == "Code reverted, all of it"


def test_boxes_below_lists_nested_beyond_what_markdown_reads_are_named(tmp_path: Path) -> None:
    deep = "\n".join(f"{'  ' * depth}- [ ] box {depth}" for depth in range(40))
    reading = reading_of(tmp_path, changed("- [ ] Code reverted\n", f"{deep}\n\n"))
    texts = " ".join(box.text for box in boxes_of(reading.runbook))
    texts += " ".join(one.text for one in reading.runbook.unread)
    assert all(f"box {depth}" in texts for depth in range(40))


def test_prerequisites_of_a_procedure_are_verified_below_a_label_too(tmp_path: Path) -> None:
    text = changed("Time estimate: 5-10 minutes\n", "Time estimate: 5-10 minutes\n\n**Prerequisites:**\n\n- [ ] Backup exists\n")  # fmt: skip
    runbook = runbook_of(tmp_path, text)
    assert [box.text for box in runbook.procedures[0].prerequisites] == ["Backup exists"]
    assert runbook.unread == ()


def test_what_stands_beside_followed_steps_is_named(tmp_path: Path) -> None:
    second = (
        "### Procedure 2: Both\n\nTime estimate: 5 minutes\n\n#### Steps 1-2: As in Procedure 1\n\n"
        "Follow Steps 1-2 of Procedure 1.\n\n```bash\necho more\n```\n\n- [ ] More\n\n"
    )
    text = changed("## Verification checklist", f"{second}## Verification checklist")
    assert set(unread_in(tmp_path, text)) == {"```bash echo more", "- [ ] More"}
    shorter = text.replace("Follow Steps 1-2", "Follow Step 1")
    assert any("stands for 2 steps" in why for why in unread_in(tmp_path, shorter).values())


def with_second(says: str) -> str:
    second = (
        "### Procedure 2: Both\n\nTime estimate: 5 minutes\n\n#### Step 1: As in Procedure 1\n\n"
        f"{says}\n\n## Verification checklist"
    )
    return changed("## Verification checklist", second)


@pytest.mark.parametrize(
    ("says", "titles"),
    [
        ("Follow Steps 1-2 of Procedure 1.", ["Back up", "Put the old code back"]),
        ("Follow Steps 1 – 2 from Procedure 1.", ["Back up", "Put the old code back"]),
        ("Repeat Procedure 1, Steps 1 to 2", ["Back up", "Put the old code back"]),
        ("Same as Step 2 of Procedure 1", ["Put the old code back"]),
        ("- Follow Step 2 in Procedure 1", ["Put the old code back"]),
        ("Follow Step 1 of Procedure 1, then Step 3 of Procedure 1.", ["Back up", "Watch"]),
    ],
)
def test_steps_of_another_procedure_are_taken_over(
    tmp_path: Path, says: str, titles: list[str]
) -> None:
    runbook = runbook_of(tmp_path, with_second(says))
    assert [step.title for step in runbook.procedures[1].steps] == titles
    assert runbook.unread == ()


@pytest.mark.parametrize(
    "says",
    [
        "Follow Steps 1-3 of Procedure 1, except Step 2.",
        "Follow Steps 1 and 3 of Procedure 1.",
        "Follow Step 3 of Procedure 1, and watch for 20 minutes.",
        "Follow Step 3 of Procedure 1.\n\nWatch it for 20 minutes.",
        "Follow the first steps of Procedure 1.",
        "See above.",
    ],
)
def test_steps_that_are_not_understood_are_not_taken_over_in_silence(
    tmp_path: Path, says: str
) -> None:
    assert (
        unread_in(tmp_path, with_second(says))
        or reading_of(tmp_path, with_second(says)).problems.found
    )


def test_a_detail_below_a_box_is_prose(tmp_path: Path) -> None:
    text = changed("- [ ] Code reverted\n", "- [ ] Code reverted\n  - Check the dashboard\n")
    assert runbook_of(tmp_path, text).unread == ()


def test_a_step_that_does_and_verifies_nothing_is_named(tmp_path: Path) -> None:
    text = changed(
        STEP_2, "#### Step 2: Tell everybody (1 minute)\n\nCall them.\n\n#### Step 3: Old (3 min)"
    )
    text = text.replace("#### Step 3: Watch", "#### Step 4: Watch")
    (why,) = unread_in(tmp_path, text).values()
    assert "no commands and no boxes" in why


def test_a_column_of_the_matrix_that_nobody_reads_is_named(tmp_path: Path) -> None:
    text = SMALL.replace("| Decision |", "| Decision | CPU |").replace("---|\n", "---|---|\n")
    text = text.replace("| No action |", "| No action | <80% |").replace(
        "rollback |", "rollback | >80% |"
    )
    found = unread_in(tmp_path, text)
    assert len(found) == 2
    assert all("'cpu'" in why for why in found.values())


def test_scripts_stay_what_they_were(tmp_path: Path) -> None:
    runbook = runbook_of(tmp_path, SMALL)
    assert scripts_of(runbook) == ["echo back up", "echo old code", "echo watching"]
