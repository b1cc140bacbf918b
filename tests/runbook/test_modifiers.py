"""What words say of a command besides what it does: who does not understand them performs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.runbook.kinds import Kind, Kinds
from tests.runbook.runbook_support import performed, runbook_of, unread_in

UNDO = "```bash\nkubectl rollout undo deploy/till\n```\n"
DUMP = "```bash\npg_restore -d till till.dump\n```\n"
FIRST, SECOND = "kubectl rollout undo deploy/till", "pg_restore -d till till.dump"

NOT_ALWAYS = [
    # conditions, wherever in the sentence they stand
    "In the event that the rollout hangs, restore the dump:",
    "Do this first if the schema changed:",
    "Restore the dump when you lost data:",
    "Provided that it only changes rows, restore it:",
    "Review the dump. Assuming it is complete, restore it:",
    "In an emergency:",
    "As a last resort:",
    "You may also want to restore the dump:",
    "Restore the dump, with SEV1 only:",
    "Restore the dump – needed after schema changes – from the backup:",
    "Note: when the schema changed, restore it:",
    "Restore the dump. Should that be needed, run:",
    "The schema may have changed; if it has, run:",
    "The schema is left as it is. Is it broken? Then restore it:",
    # somewhere else, or for somebody else
    "For staging, use the other dump:",
    "On OpenShift, additionally restore the dump:",
    "On staging:",
    "Restore the dump (staging):",
    "Before v2.3 restore the dump:",
    "Self-hosted: restore the dump:",
    "Apps on Fir must use:",
    "Users of ambient mode have to restore the dump too:",
    "The hotfix lane (needs two reviewers) skips CI:",
    # of another time, or with a condition that nobody wrote as one
    "We used to do this by hand:",
    "Once the fix is out:",
    "Ask the DBA before you ever run this:",
    "Pass --clean to drop what is there:",
    "Restart, instead:",
    "Small sites get away with a restore:",
    "You can look at the dump with --list:",
    "Rollback of a weighted alias",
    "Restore the dump (canary deployments)",
    "Cleanup (next day)",
    "After 24 hours, restore the dump:",
    "Only after the incident is closed: restore the dump",
    "Prevention",
]


@pytest.mark.parametrize("label", NOT_ALWAYS)
@pytest.mark.parametrize("form", ["{}", "**{}**"])
def test_what_is_not_plainly_always_done_is_unread(label: str, form: str, tmp_path: Path) -> None:
    text = f"# Till\n\n## Rollback\n\n{UNDO}\n{form.format(label)}\n\n{DUMP}"
    assert performed(tmp_path, text) == [FIRST]
    assert unread_in(tmp_path, text)


@pytest.mark.parametrize(
    "label",
    [
        "Then restore the dump:",
        "Run the following command:",
        "Run this, and check if the pods run:",
        "Once the pods are ready, run:",
        "This restores the dump:",
        "To restore the dump, run:",
        "On the primary, restore the dump:",
        "On each host:",
        "On servers, one at a time:",
        "Purge what is left of the release:",
        "Finally, purge what is left:",
        "Restoring the dump of the release:",
        "Database:",
        "Docker image rollback commands:",
        "In psql, restore the dump:",
        "Restart everything when that is done:",
        "Keeping the old name even if it is long:",
        "The dump is kept for a week.",
    ],
)
def test_what_says_plainly_what_to_do_is_performed(label: str, tmp_path: Path) -> None:
    text = f"# Till\n\n## Rollback\n\n{UNDO}\n{label}\n\n{DUMP}"
    assert performed(tmp_path, text) == [FIRST, SECOND]


@pytest.mark.parametrize(
    "title",
    [
        "Load the dump, SEV1 only",
        "On OpenShift, load the dump",
        "In KRaft mode only: load the dump",
        "Load the dump (this step is required only when coming from 2.4)",
        "Multisite: load each database",
        "After 24 hours",
        "(Schema changed?) load the dump",
        "Load the dump – not before the backup is done",
        "Load the dump, Sundays excluded",
        "Load the dump (self-managed)",
        "Load the dump\n\n   This step is only for releases with a migration.\n\n   It takes long.",
    ],
)
def test_a_step_that_is_not_always_one_is_unread(title: str, tmp_path: Path) -> None:
    inside = DUMP.replace("\n", "\n   ").rstrip()
    body = UNDO.replace("\n", "\n   ").rstrip()
    text = f"# Till\n\n## Rollback\n\n1. Put it back\n\n   {body}\n\n2. {title}\n\n   {inside}\n"
    assert performed(tmp_path, text) == [FIRST]
    assert unread_in(tmp_path, text)
    head, _, more = title.partition("\n")
    heading = f"### 2. {head}\n\n{more.replace('   ', '')}\n\n{DUMP}"
    text = f"# Till\n\n## Rollback\n\n### 1. Put it back\n\n{UNDO}\n{heading}"
    assert performed(tmp_path, text) == [FIRST]
    assert unread_in(tmp_path, text)


@pytest.mark.parametrize("title", ["Verification", "Preparation", "Follow-up"])
def test_below_a_heading_with_a_condition_nothing_is_performed(title: str, tmp_path: Path) -> None:
    text = f"# Till\n\n## Rollback\n\n{UNDO}\n## {title} (if the schema changed)\n\n{DUMP}"
    runbook = runbook_of(tmp_path, text)
    lists = (runbook.pre_rollback, runbook.verification, *runbook.post_rollback)
    assert not any(one.blocks for one in lists)
    assert any("condition" in one.why for one in runbook.unread)
    plain = runbook_of(tmp_path, text.replace(" (if the schema changed)", ""))
    assert any(one.blocks for one in (plain.pre_rollback, plain.verification, *plain.post_rollback))


def test_numbered_headings_below_a_heading_of_any_name_are_steps(tmp_path: Path) -> None:
    text = (
        f"# Rollback playbook\n\n## By hand\n\n### 1. Stop `[1m]`\n\n{UNDO}\n"
        f"### 2. Load `[2m]`\n\n{DUMP}"
    )
    (procedure,) = runbook_of(tmp_path, text).procedures
    assert [(one.title, one.budget.high_s) for one in procedure.steps] == [
        ("Stop", 60), ("Load", 120),
    ]  # fmt: skip


def test_a_time_of_a_part_of_a_step_is_not_lost(tmp_path: Path) -> None:
    text = f"# Till\n\n## Rollback\n\n### Step 1: Undo\n\n#### Stop (2 min)\n\n{UNDO}"
    assert any("a time within a step" in why for why in unread_in(tmp_path, text).values())


def test_a_command_that_holds_such_a_word_is_no_condition(tmp_path: Path) -> None:
    text = (
        "# Till\n\n## Rollback steps\n\n1. `pg_restore --if-exists -d till till.dump`\n"
        "2. `bash -c 'if ! ./up.sh; then ./start.sh; fi'`\n"
    )
    assert len(performed(tmp_path, text)) == 2


def test_a_block_in_a_remark_is_unread(tmp_path: Path) -> None:
    quoted = "".join(f"> {line}\n" for line in DUMP.splitlines())
    for remark in ("**Note**: restore the dump:", "[!TIP]\n> Restore the dump:"):
        text = f"# Till\n\n## Rollback\n\n{UNDO}\n> {remark}\n>\n{quoted}"
        assert performed(tmp_path, text) == [FIRST]
        assert unread_in(tmp_path, text)


def test_a_block_in_a_box_with_a_condition_is_unread(tmp_path: Path) -> None:
    inside = DUMP.replace("\n", "\n  ").rstrip()
    for box in ("(migrations only) load it", "Load it if the schema changed"):
        text = f"# Till\n\n## Rollback\n\n{UNDO}\n- [ ] {box}\n\n  {inside}\n"
        assert performed(tmp_path, text) == [FIRST]
        assert unread_in(tmp_path, text)


def test_a_time_box_is_the_time_of_the_whole(tmp_path: Path) -> None:
    text = f"# Rolling back the till\n\nTIME BOX: 20 MINUTES. Past that, call for help.\n\n{UNDO}"
    (procedure,) = runbook_of(tmp_path, text).procedures
    assert procedure.estimate.high_s == 1200


def test_a_plan_b_alone_is_not_the_way(tmp_path: Path) -> None:
    text = f"# Rollback of the till\n\n## Steps\n\n{UNDO}\n## Plan B\n\n{DUMP}"
    first, second = runbook_of(tmp_path, text).procedures
    assert (first.title, second.title) == ("Steps", "Plan B")


def test_with_one_thing_and_with_another_are_ways(tmp_path: Path) -> None:
    text = (
        f"# Till\n\n## Rollback\n\nRestore the state. With integrated storage:\n\n{UNDO}\n"
        f"With Consul as backend:\n\n{DUMP}"
    )
    assert performed(tmp_path, text) == [FIRST]


def test_what_turns_it_on_again_is_no_step_of_turning_it_off(tmp_path: Path) -> None:
    text = f"# Kill switch\n\n## Turn it off\n\n{UNDO}\n## Turn it on again\n\n{DUMP}"
    assert performed(tmp_path, text) == [FIRST]


@pytest.mark.parametrize("title", ["What to do if the rollback fails", "Rollback failed"])
def test_what_is_done_when_a_rollback_fails_is_none(title: str, tmp_path: Path) -> None:
    assert Kinds().of(title) is Kind.CONDITION
    text = f"# Till\n\n## Rollback\n\n{UNDO}\n## {title}\n\n{DUMP}"
    assert performed(tmp_path, text) == [FIRST]


def test_a_row_says_of_which_it_is(tmp_path: Path) -> None:
    rows = (
        "# Till\n\n## Rollback\n\n| Step | Command | Notes |\n|---|---|---|\n"
        "| Undo | `kubectl rollout undo deploy/till` | takes long |\n"
        "| Restore | `pg_restore -d till till.dump` | {} |\n"
    )
    assert performed(tmp_path, rows.format("as postgres")) == [FIRST, SECOND]
    for where in ("major versions", "v4 hosts", "EU customers"):
        assert performed(tmp_path, rows.format(where)) == [FIRST]


@pytest.mark.parametrize(
    "item",
    ["p95 latency > 1.5 s for 15 min → talk to the lead", "One customer reports: no rollback"],
)
def test_what_calls_for_no_rollback_is_no_trigger(item: str, tmp_path: Path) -> None:
    text = f"# Till\n\n## When to roll back\n\n- Error rate > 5%\n- {item}\n\n## Rollback\n\n{UNDO}"
    assert [one.name for one in runbook_of(tmp_path, text).triggers] == ["Error rate > 5%"]
    assert any(
        "something else than a rollback" in why for why in unread_in(tmp_path, text).values()
    )


def test_a_reason_behind_a_bold_when_is_not_lost(tmp_path: Path) -> None:
    text = f"# Till\n\n## Rollback\n\n**When**: 5xx above 2 % for ten minutes\n\n{UNDO}"
    assert any("within a sentence" in why for why in unread_in(tmp_path, text).values())


@pytest.mark.parametrize("title", ["Estimated time", "Timing", "Duration"])
def test_a_time_below_a_heading_of_its_own_is_not_lost(title: str, tmp_path: Path) -> None:
    text = f"# Till\n\n## Rollback\n\n{UNDO}\n## {title}\n\n45 minutes\n"
    assert any("a time of which" in why for why in unread_in(tmp_path, text).values())


def test_an_item_that_is_a_command_may_say_its_time(tmp_path: Path) -> None:
    text = "# Till\n\n## Rollback\n\n1. `./stop.sh` (2 minutes)\n2. `./undo.sh` [90 s]\n"
    (procedure,) = runbook_of(tmp_path, text).procedures
    assert [one.budget.high_s for one in procedure.steps] == [120, 90]


def test_an_item_with_a_time_that_is_not_understood_is_unread(tmp_path: Path) -> None:
    text = "# Till\n\n## Rollback\n\n1. `./stop.sh`\n2. `./undo.sh` [after 90 or so]\n"
    assert performed(tmp_path, text) == ["./stop.sh"]
    assert unread_in(tmp_path, text)


def test_an_item_may_have_its_command_in_a_line_of_its_own(tmp_path: Path) -> None:
    text = (
        "# Till\n\n## Rollback\n\n1. Stop the till\n\n   `./stop.sh`\n\n2. Undo\n\n   `./undo.sh`\n"
    )
    assert performed(tmp_path, text) == ["./stop.sh", "./undo.sh"]
