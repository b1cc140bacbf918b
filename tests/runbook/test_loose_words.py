"""Times, checks, triggers and titles of documents of any form, however they are spelled."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.runbook.model import Runbook
from rollback_drill.runbook.parse import read_document
from rollback_drill.runbook.problems import RunbookError
from tests.runbook.runbook_support import runbook_of, unread_in

UNDO = "```bash\nkubectl rollout undo deploy/till\n```\n"
STOP = "```bash\n./stop.sh\n```\n"


def own_boxes(runbook: Runbook) -> list[str]:
    """Return the boxes that stand in the document, without what is assumed."""
    last = runbook.text.count("\n") + 1
    boxes = [box for p in runbook.procedures for step in p.steps for box in step.checkboxes]
    boxes += runbook.verification.checkboxes
    return [box.text for box in boxes if box.line <= last]


@pytest.mark.parametrize(
    ("title", "seconds"),
    [
        ("Undo [SLA: 4 minutes]", 240),
        ("Undo | ETA 4m", 240),
        ("Undo, 4 min max", 240),
        ("Undo ⏱ 4 min", 240),
        ("Undo — est. 4 minutes", 240),
        ("Undo (within 4 minutes)", 240),
        ("Undo\n\n**Time:** 4 minutes", 240),
        ("Undo\n\n*Estimated duration: 2–4 minutes*", 240),
        ("Undo\n\nExpected time: ~4 min", 240),
        ("Undo\n\n- **Duration:** 4 min", 240),
        ("Undo\n\nThis takes about 4 minutes.", 240),
        ("Undo\n\nIt must be complete within 4 minutes.", 240),
    ],
)
def test_a_time_is_read_wherever_a_step_names_it(
    title: str, seconds: float, tmp_path: Path
) -> None:
    text = f"# Till\n\n## Rollback steps\n\n### Step 1: {title}\n\n{UNDO}"
    runbook = runbook_of(tmp_path, text)
    (step,) = runbook.procedures[0].steps
    assert (step.title, step.budget.high_s) == ("Undo", seconds)
    assert runbook.unread == ()


def test_a_time_that_nobody_reads_is_unread(tmp_path: Path) -> None:
    text = f"# Till\n\n## Rollback steps\n\n### Step 1: Undo 4 minutes after the alarm\n\n{UNDO}"
    assert any("a time that nobody reads" in why for why in unread_in(tmp_path, text).values())


def test_two_times_of_one_step_are_unread(tmp_path: Path) -> None:
    text = f"# Till\n\n## Rollback steps\n\n### Step 1: Undo (4 min)\n\nTime: 9 min\n\n{UNDO}"
    assert any("another budget" in why for why in unread_in(tmp_path, text).values())


def test_times_from_when_to_when_are_how_long_each_step_takes(tmp_path: Path) -> None:
    text = (
        f"# Till\n\n## Rollback steps\n\n### Stop (0–2 min)\n\n{STOP}\n### Undo (2–5 min)\n\n{UNDO}\n"
        f"### Start (5-15 min)\n\n{STOP}"
    )
    (procedure,) = runbook_of(tmp_path, text).procedures
    assert [step.budget.high_s for step in procedure.steps] == [120, 180, 600]
    ranges = text.replace("0–2", "1–2")
    (procedure,) = runbook_of(tmp_path, ranges).procedures
    assert [step.budget.high_s for step in procedure.steps] == [120, 300, 900]


@pytest.mark.parametrize(
    "line",
    [
        "**Rollback SLA: 7 minutes**",
        "Total time: 7 min",
        "The rollback must be done within 7 minutes.",
    ],
)
def test_a_line_names_the_time_of_the_whole(line: str, tmp_path: Path) -> None:
    runbook = runbook_of(tmp_path, f"# Till\n\n## Rollback steps\n\n{line}\n\n1. `./stop.sh now`\n")
    assert runbook.procedures[0].estimate.high_s == 420
    assert runbook.unread == ()


@pytest.mark.parametrize("due", ["T+0: ", "T+0 – ", "T+0 to T+5: ", "1️⃣ "])
def test_headings_with_when_they_are_due_are_steps(due: str, tmp_path: Path) -> None:
    later = due.replace("T+5", "T+9").replace("T+0", "T+5").replace("1", "2")
    text = f"# Till\n\n## Rollback procedure\n\n### {due}Lights out\n\n{STOP}\n### {later}Back\n\n{UNDO}"
    (procedure,) = runbook_of(tmp_path, text).procedures
    assert [step.title for step in procedure.steps] == ["Lights out", "Back"]


@pytest.mark.parametrize("label", ["Verify:", "**Verify**", "**Verification:**", "Expected result:",
                                   "Success criteria:", "Check that:", "Done when:"])  # fmt: skip
def test_items_below_a_label_that_verifies_are_boxes_of_the_step(
    label: str, tmp_path: Path
) -> None:
    text = (
        f"# Till\n\n## Rollback steps\n\n### Step 1: Undo\n\n{UNDO}\n{label}\n\n"
        "- Error rate below 1%\n- The moon is full\n\n### Step 2: Stop\n\n" + STOP
    )
    runbook = runbook_of(tmp_path, text)
    assert runbook.unread == ()
    assert [box.text for box in runbook.procedures[0].steps[0].checkboxes] == [
        "Error rate below 1%", "The moon is full",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "title",
    ["Checks after the rollback", "After rollback checklist", "Post-deployment checks", "Sanity checks",
     "Check", "Definition of done", "Sign-off", "Done when"],
)  # fmt: skip
def test_what_verifies_is_no_task_for_people(title: str, tmp_path: Path) -> None:
    text = f"# Rollback\n\n{UNDO}\n## {title}\n\n- [ ] Error rate <1%\n- ✅ The moon is full\n"
    runbook = runbook_of(tmp_path, text)
    assert own_boxes(runbook) == ["Error rate <1%", "The moon is full"]
    assert runbook.post_rollback == ()


def test_what_is_marked_as_not_met_is_unread(tmp_path: Path) -> None:
    text = f"# Rollback\n\n{UNDO}\n## Verification\n\n- ❌ No errors in the application log\n"
    assert own_boxes(read_document(_written(tmp_path, text)).runbook) == []
    assert any("marked as not met" in why for why in unread_in(tmp_path, text).values())


@pytest.mark.parametrize(
    "sentence",
    [
        "The error rate must be below 1% before you go on.",
        "All pods should be Running.",
        "You should see 200 again.",
        "Success criteria: error rate below 1%.",
        "Never do this at night.",
    ],
)
def test_what_must_be_seen_or_left_alone_is_unread_in_words(sentence: str, tmp_path: Path) -> None:
    text = f"# Till\n\n## Rollback steps\n\n### Step 1: Undo\n\n{UNDO}\n{sentence}\n"
    assert len(unread_in(tmp_path, text)) == 1


def triggers(tmp_path: Path, section: str) -> list[tuple[str, str]]:
    text = f"# Rollback\n\n## When to roll back\n\n{section}\n## Rollback steps\n\n{UNDO}"
    found = read_document(_written(tmp_path, text)).runbook.triggers
    return [(one.severity.value, f"{one.name}: {one.text}".rstrip(": ")) for one in found]


def _written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "runbook.md"
    path.write_text(text)
    return path


def test_a_table_of_triggers_is_read_with_all_its_columns(tmp_path: Path) -> None:
    table = (
        "| Metric | Threshold | Duration | Severity | Action |\n|---|---|---|---|---|\n"
        "| Error rate | > 5% | 5 min | SEV1 | Roll back |\n"
        "| p95 latency | > 2 s | - | SEV2 | Rollback after a look |\n"
        "| CPU | > 90% | 15 min | SEV3 | Investigate |\n"
        "| Error rate | > 2% | 5 min | SEV3 | Do not roll back |\n"
    )
    assert triggers(tmp_path, table) == [
        ("critical", "Error rate > 5% for 5 min"), ("high", "p95 latency > 2 s"),
    ]  # fmt: skip
    text = f"# Rollback\n\n## When to roll back\n\n{table}\n## Rollback steps\n\n{UNDO}"
    assert sum("something else" in why for why in unread_in(tmp_path, text).values()) == 2


def test_a_column_with_numbers_that_nobody_reads_is_unread(tmp_path: Path) -> None:
    table = "| Metric | Threshold | Samples |\n|---|---|---|\n| Error rate | > 5% | 30 |\n"
    text = f"# Rollback\n\n## When to roll back\n\n{table}\n## Rollback steps\n\n{UNDO}"
    (why,) = unread_in(tmp_path, text).values()
    assert "nobody reads the column 'samples'" in why


def test_an_item_that_names_its_tier_stands_in_it(tmp_path: Path) -> None:
    items = (
        "- 🔴 **Critical**: error rate > 5%\n- P1: p95 latency > 1s\n- 🟡 Medium: memory > 85%\n"
    )
    assert triggers(tmp_path, items) == [
        ("critical", "error rate > 5%"), ("high", "p95 latency > 1s"), ("medium", "memory > 85%"),
    ]  # fmt: skip


def test_one_condition_in_a_sentence_is_a_trigger_and_two_are_unread(tmp_path: Path) -> None:
    one = "Roll back immediately if the error rate exceeds 5% for 5 minutes.\n"
    assert triggers(tmp_path, one) == [("critical", "the error rate exceeds 5% for 5 minutes")]
    two = "Roll back if the error rate exceeds 5% or p95 is above 2s.\n"
    assert triggers(tmp_path, two) == []
    text = f"# Rollback\n\n## When to roll back\n\n{two}\n## Rollback steps\n\n{UNDO}"
    assert any("within a sentence" in why for why in unread_in(tmp_path, text).values())


@pytest.mark.parametrize(
    "text",
    [
        f"## Rollback\n\n{UNDO}",
        f"---\ntitle: Rollback of the till\nowner: us\n---\n\n## First\n\n{UNDO}",
        f"---\ntags:\n  - till\n---\n# Rollback {{#back}}\n\n{UNDO}",
        f"# Rollback of the till\n\n# Steps\n\n{UNDO}",
    ],
)
def test_a_document_may_have_its_title_elsewhere(text: str, tmp_path: Path) -> None:
    runbook = runbook_of(tmp_path, text)
    assert [len(one.steps) for one in runbook.procedures] == [1]
    assert "{#" not in runbook.procedures[0].title


ORDER = f"""\
# Rollback

## Rollback steps

```bash
./announce.sh
```

1. Stop

{STOP}
2. Take it back:

{UNDO}
3. `./start.sh all`

```bash
./smoke.sh
```

4. Clean up: `./clean.sh all`
"""


def test_blocks_between_items_keep_their_place(tmp_path: Path) -> None:
    (procedure,) = runbook_of(tmp_path, ORDER).procedures
    scripts = [block.alternatives[0].script.strip() for s in procedure.steps for block in s.blocks]
    assert scripts == [
        "./announce.sh", "./stop.sh", "kubectl rollout undo deploy/till", "./start.sh all",
        "./smoke.sh", "./clean.sh all",
    ]  # fmt: skip


def test_an_item_that_looks_is_not_done_by_its_command(tmp_path: Path) -> None:
    text = "# Rollback\n\n## Rollback steps\n\n1. `./undo.sh all`\n2. Check it with `./status.sh all`\n"
    (why,) = unread_in(tmp_path, text).values()
    assert "an instruction in words" in why


def test_bold_lines_with_numbers_are_steps(tmp_path: Path) -> None:
    text = f"# Rollback\n\n**1. Stop**\n{STOP}\n**2. Undo**\n{UNDO}"
    (procedure,) = runbook_of(tmp_path, text).procedures
    assert [step.title for step in procedure.steps] == ["Stop", "Undo"]


SHORT = f"# Rollback\n\n## Freeze deploys\n\n{STOP}\n## Warm the cache\n\n{UNDO}\n"


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ("## Verify\n\n- Homepage loads\n- Old homepage loads\n- Queue drained\n" * 3, False),
        ("## Prüfung\n\nNicht ausführen, wenn das Backup für die Datenbank läuft.\n", True),
        ("## Controllo\n\nIl servizio risponde, gli errori non sono tornati. Che bello.\n", True),
        ("## Controle\n\nNiet uitvoeren als het voor een andere dienst is.\n", True),
    ],
)
def test_short_english_is_told_from_other_languages(
    more: str, refused: bool, tmp_path: Path
) -> None:
    if refused:
        with pytest.raises(RunbookError, match=r"\[runbook.words\]"):
            runbook_of(tmp_path, SHORT + more)
    else:
        assert runbook_of(tmp_path, SHORT + more).procedures


@pytest.mark.parametrize(
    "label",
    ["Roll back if any of these is true:", "**When?**", "Rollback triggers:", "Abort when:"],
)
def test_items_below_a_label_that_says_when_are_triggers(label: str, tmp_path: Path) -> None:
    text = f"# Rollback\n\n{label}\n\n- Error rate > 5%\n\n## Revert\n\n{UNDO}"
    runbook = runbook_of(tmp_path, text)
    assert [one.name for one in runbook.triggers] == ["Error rate > 5%"]
    assert runbook.unread == ()


@pytest.mark.parametrize(
    "label", ["Do not roll back if:", "Hold (no rollback) if:", "Roll forward instead when:"]
)
def test_reasons_not_to_roll_back_are_no_triggers(label: str, tmp_path: Path) -> None:
    items = f"- Error rate > 5%\n\n{label}\n\n- p95 latency > 1s\n"
    assert triggers(tmp_path, items) == [("high", "Error rate > 5%")]
    text = f"# Rollback\n\n{label}\n\n- p95 latency > 1s\n\n## Revert\n\n{UNDO}"
    runbook = read_document(_written(tmp_path, text)).runbook
    assert runbook.triggers == ()
    assert len(runbook.unread) == 1


@pytest.mark.parametrize(
    "text", ["Symptoms: lag > 10000, error rate > 5%.", "Roll back if p95 is above 2 s."]
)
def test_a_condition_in_an_introduction_is_unread(text: str, tmp_path: Path) -> None:
    unread = unread_in(tmp_path, f"# Rollback\n\n{text}\n\n## Revert\n\n{UNDO}")
    assert any("within a sentence" in why for why in unread.values())


CHECKS = """\
| Check | Done |
|---|---|
| Error rate < 1% | ☐ |
| The moon is full | [x] |

| What | Expected |
|---|---|
| p95 latency | < 300 ms |
| Moon | full |

| Check | Command | Expected |
|---|---|---|
| Health | `./health.sh all` | 200 |

✅ Old homepage loads
✅ Queue drained
"""


def test_rows_and_lines_with_a_tick_are_boxes_where_they_say_one_thing(tmp_path: Path) -> None:
    text = f"# Rollback\n\n{UNDO}\n## Sign-off\n\n{CHECKS}"
    runbook = read_document(_written(tmp_path, text)).runbook
    assert set(own_boxes(runbook)) == {
        "Error rate < 1%", "The moon is full", "p95 latency < 300 ms", "Moon: full",
        "Old homepage loads", "Queue drained",
    }  # fmt: skip
    assert ["Health" in one.text for one in runbook.unread] == [True]


def test_a_check_in_a_sentence_is_unread(tmp_path: Path) -> None:
    text = f"# Rollback\n\n{UNDO}\n## How do I know it worked?\n\n"
    text += "The page says `ok`, and the error rate is below 1%.\n"
    (why,) = unread_in(tmp_path, text).values()
    assert "a check within a sentence" in why


@pytest.mark.parametrize(
    "words", ["**Requires approval of the boss.**", "Run the tests and check the dashboards:"]
)
def test_what_else_is_to_be_done_is_unread(words: str, tmp_path: Path) -> None:
    text = f"# Till\n\n## Rollback steps\n\n{words}\n\n{UNDO}"
    assert any("an instruction in words" in why for why in unread_in(tmp_path, text).values())


def test_numbered_parts_of_the_steps_are_all_steps(tmp_path: Path) -> None:
    text = (
        f"# Till\n\n## 3. Rollback steps\n\n### 3.1 Announce\n\nTell everybody.\n\n"
        f"### 3.2 Roll back the code\n\n{UNDO}\n### 3.3 Roll back the data\n\n{STOP}"
    )
    runbook = read_document(_written(tmp_path, text)).runbook
    assert [one.title for one in runbook.procedures[0].steps] == [
        "Roll back the code", "Roll back the data",
    ]  # fmt: skip
    assert any("Announce" in one.text for one in runbook.unread)


def test_a_command_in_the_line_below_its_item_is_performed(tmp_path: Path) -> None:
    text = "# Till\n\n## Rollback steps\n\n1. Stop it:\n   `./stop.sh all`\n2. `./start.sh all`\n"
    runbook = runbook_of(tmp_path, text)
    assert [len(one.blocks) for one in runbook.procedures[0].steps] == [1, 1]
    assert runbook.unread == ()


@pytest.mark.parametrize("line", ["Cool-down: 10 minutes", "### Step 2: Wait (5 Minuten)"])
def test_a_time_of_nobody_knows_what_is_unread(line: str, tmp_path: Path) -> None:
    text = f"# Till\n\n## Rollback steps\n\n### Step 1: Undo\n\n{UNDO}\n{line}\n\n{STOP}"
    assert any("a time" in why for why in unread_in(tmp_path, text).values())


def test_what_is_to_be_seen_afterwards_is_verified_and_what_is_to_be_done_is_not(
    tmp_path: Path,
) -> None:
    text = f"# Rollback\n\n{UNDO}\n## Post-rollback\n\n- [ ] Error rate <1%\n- [ ] Notify support\n"
    runbook = runbook_of(tmp_path, text)
    assert own_boxes(runbook) == ["Error rate <1%"]
    assert [box.text for one in runbook.post_rollback for box in one.checkboxes] == [
        "Notify support"
    ]


def test_the_time_of_the_only_way_may_stand_above_it(tmp_path: Path) -> None:
    text = f"# Till\n\nRollback takes approx. 5 minutes.\n\n## Rollback\n\n{UNDO}"
    assert runbook_of(tmp_path, text).procedures[0].estimate.high_s == 300


def test_items_below_an_item_that_verifies_are_boxes(tmp_path: Path) -> None:
    text = (
        f"# Till\n\n## Rollback steps\n\n1. Undo\n\n{UNDO}\n2. `./start.sh all`\n3. Verify\n"
        "   - `/health` answers with status 200\n   - The moon is full\n"
    )
    runbook = runbook_of(tmp_path, text)
    assert runbook.unread == ()
    assert own_boxes(runbook)[:2] == ["/health answers with status 200", "The moon is full"]


def test_the_time_of_one_item_is_not_that_of_the_whole(tmp_path: Path) -> None:
    text = (
        "# Till\n\n## Rollback steps\n\n1. Stop\n   ```bash\n   ./stop.sh\n   ```\n   - Expected time: 2 min\n"
        "2. `./start.sh all`\n"
    )
    (procedure,) = runbook_of(tmp_path, text).procedures
    assert [step.budget.high_s for step in procedure.steps] == [120, 600]
    assert procedure.estimate.high_s == 720


def test_commands_in_bullets_below_steps_are_performed(tmp_path: Path) -> None:
    text = "# Rollback\n\n## Steps\n\n* Stop: `./stop.sh all`\n* Start: `./start.sh all`\n"
    (procedure,) = runbook_of(tmp_path, text).procedures
    assert len(procedure.steps) == 2
    text += "* Look at it\n"
    with pytest.raises(RunbookError):
        runbook_of(tmp_path, text)


def test_before_during_and_after(tmp_path: Path) -> None:
    text = (
        f"# Rollback\n\n## Before\n\n- [ ] Backup exists\n\n## During\n\n{UNDO}\n## After\n\n"
        "- [ ] Error rate <1%\n- [ ] Tell everybody\n"
    )
    runbook = runbook_of(tmp_path, text)
    assert [box.text for box in runbook.pre_rollback.checkboxes] == ["Backup exists"]
    assert own_boxes(runbook) == ["Error rate <1%"]
