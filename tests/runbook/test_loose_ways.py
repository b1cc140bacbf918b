"""Of several ways, of conditions and of what brings out the new release, nothing is performed that
is not plainly meant.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.runbook.hints import Hints
from rollback_drill.runbook.parse import read_document
from rollback_drill.runbook.problems import RunbookError
from tests.runbook.runbook_support import firsts, performed, runbook_of, unread_in

UNDO = "```bash\nkubectl rollout undo deploy/till\n```\n"
HELM = "```bash\nhelm rollback till\n```\n"
SHIP = "```bash\n./ship.sh 2.0\n```\n"
DUMP = "```bash\npg_restore -d till till.dump\n```\n"


@pytest.mark.parametrize(
    "between",
    ["or", "**OR**", "Or with Helm:", "— or —", "*Or, using Helm:*"],
)
def test_of_two_blocks_with_or_between_one_is_performed(between: str, tmp_path: Path) -> None:
    runbook = runbook_of(
        tmp_path, f"# Rollback\n\n## Rollback steps\n\n{UNDO}\n{between}\n\n{HELM}"
    )
    (procedure,) = runbook.procedures
    (block,) = procedure.steps[0].blocks
    assert block.in_order
    assert [way.script for way in block.alternatives] == [
        "kubectl rollout undo deploy/till", "helm rollback till",
    ]  # fmt: skip


def test_or_under_a_condition_is_no_way_for_everybody(tmp_path: Path) -> None:
    text = f"# Rollback\n\n## Rollback steps\n\n{UNDO}\nOr, if the pods hang:\n\n{HELM}"
    assert performed(tmp_path, text) == ["kubectl rollout undo deploy/till"]
    assert any("is it to be performed" in why for why in unread_in(tmp_path, text).values())


TABS = {
    "docusaurus": (
        '<Tabs>\n<TabItem value="k" label="kubectl">\n\n{a}\n</TabItem>\n'
        '<TabItem value="h" label="Helm">\n\n{b}\n</TabItem>\n</Tabs>\n'
    ),
    "gitbook": '{% tabs %}\n{% tab title="kubectl" %}\n{a}\n{% endtab %}\n\n'
    '{% tab title="Helm" %}\n{b}\n{% endtab %}\n{% endtabs %}\n',
    "hugo": '{{< tabs >}}\n\n{{< tab "kubectl" >}}\n\n{a}\n{{< /tab >}}\n\n{{< tab "Helm" >}}\n\n{b}\n'
    "{{< /tab >}}\n\n{{< /tabs >}}\n",
    "details": "<details>\n<summary>Kubernetes</summary>\n\n{a}\n</details>\n\n<details>\n"
    "<summary>Helm</summary>\n\n{b}\n</details>\n",
    "labels": "With kubectl:\n\n{a}\nWith Helm:\n\n{b}\n",
    "nested items": "1. Roll back\n   - kubectl\n\n{A}\n   - Helm\n\n{B}\n",
    "items": "- kubectl:\n\n{a_}\n- Helm:\n\n{b_}\n",
}


@pytest.mark.parametrize("name", TABS)
def test_tabs_and_the_names_of_platforms_are_ways_of_doing_one_thing(
    name: str, tmp_path: Path
) -> None:
    text = TABS[name]
    for mark, script in (("{a}", UNDO), ("{b}", HELM)):
        text = text.replace(mark, script)
        text = text.replace(mark.upper(), "     " + script.rstrip().replace("\n", "\n     "))
        text = text.replace(mark[:-1] + "_}", "  " + script.rstrip().replace("\n", "\n  ") + "\n")
    runbook = runbook_of(tmp_path, f"# Rollback\n\n## Rolling back\n\n{text}")
    assert firsts(runbook) == ["kubectl rollout undo deploy/till"]
    (block,) = runbook.procedures[0].steps[0].blocks
    assert len(block.alternatives) == 2


def test_tabs_of_indented_text_are_ways(tmp_path: Path) -> None:
    def indented(block: str) -> str:
        return "    " + block.rstrip().replace("\n", "\n    ") + "\n"

    text = f'# Rollback\n\n=== "kubectl"\n\n{indented(UNDO)}\n=== "Helm"\n\n{indented(HELM)}\n## Notes\n'
    assert firsts(runbook_of(tmp_path, text)) == ["kubectl rollout undo deploy/till"]


def test_what_is_said_twice_to_roll_back_is_not_performed_twice(tmp_path: Path) -> None:
    text = (
        f"# Rollback\n\n## Rolling back\n\nTo roll back to the release before:\n\n{UNDO}\n"
        f"To roll back to a release of your choice:\n\n{HELM}"
    )
    assert performed(tmp_path, text) == ["kubectl rollout undo deploy/till"]
    (why,) = unread_in(tmp_path, text).values()
    assert "or another way" in why


@pytest.mark.parametrize(
    "title",
    [
        "(Optional) Restore the database",
        "Restore the database (if any)",
        "Restore the database (only after a migration)",
        "Restore the database, unless it is untouched",
        "Restore the database where applicable",
        "If the data are damaged, restore them",
        "(Database only) Restore",
        "Restore (stateful services only)",
    ],
)
@pytest.mark.parametrize("mark", ["### Step 2: {}\n\n", "### 2. {}\n\n", "2. {}\n\n"])
def test_a_step_under_a_condition_is_performed_by_nobody(
    mark: str, title: str, tmp_path: Path
) -> None:
    first = mark.replace("2", "1").format("Take the release back")
    text = f"# Till\n\n## Rollback procedure\n\n{first}{UNDO}\n{mark.format(title)}{DUMP}"
    assert performed(tmp_path, text) == ["kubectl rollout undo deploy/till"]
    unread = unread_in(tmp_path, text).values()
    assert any("condition" in why or "outside all" in why for why in unread)


@pytest.mark.parametrize(
    "text",
    [
        f"# Release and rollback\n\n## Release\n\n{SHIP}\n## Roll back\n\n{UNDO}",
        f"# Deploy & roll back\n\n## 1. Deploy\n\n{SHIP}\n## 2. Check\n\n- [ ] It is 2.0\n\n"
        f"## 3. Roll back\n\n{UNDO}",
        f"# Rollback or roll forward?\n\n## Roll forward\n\n{SHIP}\n## Rollback\n\n{UNDO}",
        f"# Rollback\n\n## 1. Roll back\n\n{UNDO}\n## 2. Redeploy the fixed version\n\n{SHIP}",
        f"# Rollback\n\n## Rollback steps\n\n### Step 1: Undo\n\n{UNDO}\n"
        f"### Step 2: Deploy the hotfix\n\n{SHIP}",
        f"# Deploy/rollback\n\n## Rolling back\n\n{UNDO}\n## Rolling out\n\n{SHIP}",
        f"# Operations\n\n## Deployment procedure\n\n### Step 1: Deploy\n\n{SHIP}\n"
        f"## Rollback procedure\n\n### Step 1: Undo\n\n{UNDO}",
    ],
)
def test_what_brings_out_the_new_release_is_no_step_of_a_rollback(
    text: str, tmp_path: Path
) -> None:
    assert performed(tmp_path, text) == ["kubectl rollout undo deploy/till"]
    runbook = read_document(tmp_path / "runbook.md").runbook
    assert "It is 2.0" not in [box.text for box in runbook.verification.checkboxes]


@pytest.mark.parametrize(
    "title", ["Redeploy the previous version", "Redeploy", "Deploy 1.9 (last good)"]
)
def test_bringing_out_the_old_release_is_one(title: str, tmp_path: Path) -> None:
    text = f"# Rollback\n\n## 1. Revert the commit\n\n{UNDO}\n## 2. {title}\n\n{SHIP}"
    assert performed(tmp_path, text) == ["kubectl rollout undo deploy/till", "./ship.sh 2.0"]


def test_numbered_headings_are_steps_though_two_of_them_roll_back(tmp_path: Path) -> None:
    text = (
        f"# Recovery\n\n## Database rollback\n\n### 1. Stop writing\n\n{SHIP}\n### 2. Roll back\n\n"
        f"{UNDO}\n### 3. Restore\n\n{DUMP}\n### 4. Verify\n\n- [ ] Error rate <1%\n"
    )
    (procedure,) = runbook_of(tmp_path, text).procedures
    assert [step.title for step in procedure.steps] == [
        "Stop writing",
        "Roll back",
        "Restore",
        "Verify",
    ]


@pytest.mark.parametrize("column", ["Scenario", "Service", "Option"])
def test_rows_of_which_one_is_meant_are_not_all_performed(column: str, tmp_path: Path) -> None:
    text = (
        f"# Rollback\n\n{HELM}\n| {column} | Command |\n|---|---|\n"
        "| one | `kubectl rollout undo deploy/till` |\n| two | `pg_restore -d till till.dump` |\n"
    )
    assert performed(tmp_path, text) == ["helm rollback till"]
    assert len(unread_in(tmp_path, text)) == 2


def test_of_one_of_several_commands_below_an_item_none_is_performed(tmp_path: Path) -> None:
    text = (
        "# Rollback\n\n## Rollback steps\n\n1. `./drain.sh all`\n2. Roll back with one of:\n"
        "   - `helm rollback till`\n   - `kubectl rollout undo deploy/till`\n"
    )
    assert performed(tmp_path, text) == ["./drain.sh all"]
    assert unread_in(tmp_path, text)


@pytest.mark.parametrize(
    "item",
    [
        "Downgrade. Skip this step when there was no migration.",
        "Restore; this is only needed for releases with a migration.",
        "Depending on the cluster, restore",
    ],
)
def test_a_condition_behind_the_first_sentence_counts(item: str, tmp_path: Path) -> None:
    text = f"# Till\n\n## Rollback steps\n\n1. Undo\n\n{UNDO}\n2. {item}\n\n{DUMP}"
    assert performed(tmp_path, text) == ["kubectl rollout undo deploy/till"]
    assert unread_in(tmp_path, text)


@pytest.mark.parametrize(
    "said", ["Skip if nothing was migrated.", "Not needed in staging.", "For example:", "Usage:"]
)
def test_what_stands_right_above_a_block_counts(said: str, tmp_path: Path) -> None:
    text = f"# Till\n\n## Rollback steps\n\n### 1. Undo\n\n{UNDO}\n### 2. Data\n\n{said}\n\n{DUMP}"
    assert performed(tmp_path, text) == ["kubectl rollout undo deploy/till"]
    assert unread_in(tmp_path, text)


@pytest.mark.parametrize(
    "comment",
    ["# Step 2 (optional): restore", "# Only for the old cluster (if any)", "# Alternatively:"],
)
def test_a_block_with_a_condition_in_a_comment_is_unread(comment: str, tmp_path: Path) -> None:
    block = f"```bash\nhelm rollback till\n\n{comment}\npg_restore -d till till.dump\n```\n"
    text = f"# Till\n\n## Rollback steps\n\n1. Undo\n\n{UNDO}\n2. Clean up\n\n{block}"
    assert performed(tmp_path, text) == ["kubectl rollout undo deploy/till"]
    assert any("a condition that somebody" in why for why in unread_in(tmp_path, text).values())


def test_of_what_is_tried_in_turn_only_the_first_is_performed(tmp_path: Path) -> None:
    text = (
        (
            "# Incidents\n\n## Restoring the till\n\nTry these in turn until the till is back:\n\n"
            f"1. Undo\n\n   {UNDO}\n2. Restore\n\n   {DUMP}"
        )
        .replace("\nkubectl", "\n   kubectl")
        .replace("\npg_restore", "\n   pg_restore")
    )
    text = text.replace("\n```\n", "\n   ```\n")
    assert performed(tmp_path, text) == ["kubectl rollout undo deploy/till"]
    assert any("did not help" in why for why in unread_in(tmp_path, text).values())


def test_a_heading_that_says_when_and_then_to_roll_back_is_a_way(tmp_path: Path) -> None:
    text = f"# Deployment\n\n## Deploy\n\n{SHIP}\n## In case of problems: rollback\n\n{UNDO}"
    assert performed(tmp_path, text) == ["kubectl rollout undo deploy/till"]


SPANISH = f"""\
# Plan de reversión

## Reversión

### Paso 1: Volver

Opción A: con kubectl

Ejecutar:

{UNDO}
Opción B: con Helm

{HELM}
### Paso 2: Restaurar la base (si fue migrada) (5 minutos)

{DUMP}
"""


def test_ways_and_conditions_are_told_in_another_language(tmp_path: Path) -> None:
    words = {"rollback": ("reversión",), "if": ("si ",), "not": ("nunca",), "step": ("Paso",),
             "option": ("Opción",)}  # fmt: skip
    path = tmp_path / "runbook.md"
    path.write_text(SPANISH)
    runbook = read_document(path, Hints(words=words, source="staging.toml")).runbook
    assert firsts(runbook) == ["kubectl rollout undo deploy/till"]
    assert any("condition" in one.why for one in runbook.unread)


@pytest.mark.parametrize("title", ["Undoing the rollback", "Reverting the rollback", "Testing the rollback",
                                   "Practicing a rollback"])  # fmt: skip
def test_what_is_about_a_rollback_is_not_always_one(title: str, tmp_path: Path) -> None:
    text = f"# Till\n\n## {title}\n\n{SHIP}\n## Rolling back\n\n{UNDO}"
    path = tmp_path / "runbook.md"
    path.write_text(text)
    runbook = read_document(path).runbook
    assert [one.title for one in runbook.procedures] == ["Rolling back"]
    assert runbook.unread


def test_of_blocks_of_which_to_choose_one_the_first_is_performed(tmp_path: Path) -> None:
    choice = f"Choose one:\n\n{UNDO}\n{HELM}"
    for head in ("", "### Step 1: Undo\n\n"):
        text = f"# Till\n\n## Rollback procedure\n\n{head}{choice}"
        assert performed(tmp_path, text) == ["kubectl rollout undo deploy/till"]
        assert any("did not help" in why for why in unread_in(tmp_path, text).values())


def test_what_is_run_on_all_hosts_but_some_is_unread(tmp_path: Path) -> None:
    text = f"# Till\n\n## Rollback\n\n{UNDO}\nRun on all hosts except db1:\n\n{DUMP}"
    assert performed(tmp_path, text) == ["kubectl rollout undo deploy/till"]
    assert unread_in(tmp_path, text)


def test_a_document_that_only_prepares_is_refused(tmp_path: Path) -> None:
    text = f"# Rollback\n\n## 1. Before you start\n\n{SHIP}"
    with pytest.raises(RunbookError, match="a heading that says how to roll back"):
        runbook_of(tmp_path, text)
