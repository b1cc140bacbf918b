"""Blocks of commands: performed, alternatives of one, fallbacks, or named as not read."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.perform.performer import StepFailed, choose
from rollback_drill.runbook.model import Step
from rollback_drill.runbook.sessions import plainly_shell, without_prompts
from tests.runbook.runbook_support import BLOCK, changed, reading_of, runbook_of, unread_in


def step_of(folder: Path, block: str) -> Step:
    """Return the second step of the small runbook with `block` for its commands."""
    runbook = runbook_of(folder, changed(BLOCK, block))
    assert runbook.unread == ()
    return runbook.procedures[0].steps[1]


@pytest.mark.parametrize(
    "block",
    [
        "```Bash\necho old code\n```",
        "```BASH once\necho old code\n```",
        "```sh\necho old code\n```",
        "```shell\necho old code\n```",
        "```zsh\necho old code\n```",
        "```{.bash}\necho old code\n```",
        "~~~bash\necho old code\n~~~",
        "````bash\necho old code\n````",
        "```\necho old code\n```",
        "    echo old code",
        "\techo old code",
        "1. Put it back:\n\n   ```bash\n   echo old code\n   ```",
        "1. Undo the release:\n\n   ```bash\n   echo old code\n   ```",
        "- Put it back:\n\n  ```\n  echo old code\n  ```",
        "##### On the host\n\n```bash\necho old code\n```",
        "> ```bash\n> echo old code\n> ```",
        "```console\n$ echo old code\n```",
        "```bash\n$ echo old code\n```",
        "```\n$ echo old code\nold code\n```",
        "```console\n# echo old code\n```",
        "```console\nroot@api-1:/srv# echo old code\nold code\n```",
        "```shell-session\ndeploy@api:~$ echo old code\nold code\n```",
        "```console\necho old code\n```",
    ],
)
def test_commands_are_performed_whatever_their_fence(tmp_path: Path, block: str) -> None:
    (found,) = step_of(tmp_path, block).blocks
    assert found.alternatives[0].script.strip() == "echo old code"


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ("```sql\nUPDATE x SET y = 1;\n```", "`sql`"),
        ("```yaml\nreplicas: 1\n```", "`yaml`"),
        ("```python\nprint(1)\n```", "`python`"),
        ("```powershell\nRestart-Service api\n```", "`powershell`"),
        ("```\nSome words about it\n```", "not plainly"),
        ("```\nunknown-tool rollback\n```", "not plainly"),
        ("```\nfind the pod\n```", "not plainly"),
        ("    Some words about it", "not plainly"),
        ("```console\nServer started\n```", "no prompt"),
        ("```text\nkubectl rollout undo deploy/api\n```", "commands in a block of `text`"),
        ("```bash\n# systemctl restart api\n```", "comments and no command"),
        ("```bash\necho a\n# If this fails:\necho b\n```", "If this fails"),
        ("```bash\necho a\n# Fallback\necho b\n```", "Fallback"),
        ("##### Troubleshooting\n\n```bash\necho a\n```", "Troubleshooting"),
        ("**Optional:**\n\n```bash\necho a\n```", "Optional"),
        ("If the restart fails, call Bob.\n\n```bash\necho a\n```", "is it to be performed"),
        ("```bash\necho a\u2028echo b\n```", "control characters"),
        ("```bash\necho a\x00\n```", "control characters"),
        ("**Option A: git**\n\n```bash\necho a\n```\n\n```bash\necho b\n```", "several ways"),
    ],
)
def test_what_is_no_command_is_named_and_not_performed(
    tmp_path: Path, block: str, why: str
) -> None:
    reading = reading_of(tmp_path, changed(BLOCK, block))
    named = [one.why for one in reading.runbook.unread]
    assert any(why in one for one in named), named
    if "control" not in why:
        assert not any("echo" in b.alternatives[0].script for b in reading.runbook.procedures[0].steps[1].blocks)  # fmt: skip


@pytest.mark.parametrize(
    "block",
    [
        f"{BLOCK}\n\nExpected output:\n\n```\nold code\n```",
        f"{BLOCK}\n\n```text\nold code\n```",
        f"{BLOCK}\n\n```yaml example\nreplicas: 1\n```",
        f"{BLOCK}\n\n```\n```",
    ],
)
def test_what_only_shows_something_is_prose(tmp_path: Path, block: str) -> None:
    assert len(step_of(tmp_path, block).blocks) == 1


def test_an_unclosed_fence_is_named(tmp_path: Path) -> None:
    text = changed(
        "- [ ] Authentication works\n", "- [ ] Authentication works\n\n```bash\necho x\n"
    )
    assert any("not closed" in why for why in unread_in(tmp_path, text).values())


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ("```bash echo old code\n```", "is empty"),
        ("```bash# Using supervisord supervisorctl restart it\n```", "is empty"),
        ("```bash\n```", "is empty"),
        ("```bash make release\necho old code\n```", "stands at its fence"),
        ("```bash\necho old\n\n```bash\necho code\n```", "not closed"),
        ("```text example\nsome output\n\n```bash\necho old code\n```", "not closed"),
    ],
)
def test_commands_that_a_fence_takes_away_are_named(tmp_path: Path, block: str, why: str) -> None:
    told = unread_in(tmp_path, changed(BLOCK, block))
    assert any(why in one for one in told.values()), told


def test_a_command_outside_every_block_is_named_whatever_it_quotes(tmp_path: Path) -> None:
    line = 'psql -d app -c "SET client_min_messages TO warning"'
    told = unread_in(tmp_path, changed(BLOCK, f"{BLOCK}\n\n{line}"))
    assert any("outside every block" in one for one in told.values()), told


def test_output_between_prompts_is_left_out_and_lines_stay_where_they_are() -> None:
    session = "$ cat <<EOF\nsome $ text\nEOF\nsome $ text\n$ echo a \\\n>  b\na b\n$ ls\n"
    assert without_prompts(session).split("\n") == [
        "cat <<EOF", "some $ text", "EOF", "", "echo a \\", " b", "", "ls", "",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["# Restart it\nsystemctl restart api\n", "echo 1\n", ""])
def test_a_block_without_prompts_stays_as_it_is(text: str) -> None:
    assert without_prompts(text) == text


@pytest.mark.parametrize(
    ("text", "plainly"),
    [
        ("kubectl get pods | grep api", True), ("./deploy.sh old", True), ("FOO=1 make deploy", True),
        ("for i in 1 2; do echo $i; done", True), ("cd /srv && git pull", True), ("make deploy", True),
        ("NAME READY STATUS\napi 1/1 Running", False), ("Service is up", False), ("", False),
        ("make sure that it works", False), ("test the thing", False), ("SELECT 1;", False),
        ("key: value", False), ("echo 'unfinished", False), ('{"a": 1}', False), ("<html>", False),
    ],
)  # fmt: skip
def test_only_what_begins_with_a_known_command_is_plainly_shell(text: str, plainly: bool) -> None:
    assert plainly_shell(text) is plainly


@pytest.mark.parametrize(
    "said",
    [
        "**Fallback: restore from backup (only if the above fails)**",
        "**Alternative: restore from backup (if it fails)**",
        "**Alternatively:**",
        "**Plan B**",
        "**Fall back: the old image**",
        "If this fails:",
        "If the restart does not work, restore:",
        "If that fails, run:",
        "Otherwise:",
        "As a last resort:",
        "**Restore from backup (if the restart fails)**",
        "##### Fallback",
        "##### If the restart fails",
        "- If this fails:",
        "<details>\n<summary>If this fails</summary>",
        "**Fallback**: restore from backup",
    ],
)
def test_a_fallback_is_kept_for_when_what_is_before_it_fails(tmp_path: Path, said: str) -> None:
    indent = "  " if said.startswith("- ") else ""
    second = f"{indent}```bash\n{indent}echo restore\n{indent}```"
    first, fallback = step_of(tmp_path, f"{BLOCK}\n\n{said}\n\n{second}").blocks
    assert first.fallback == ""
    assert fallback.fallback
    assert fallback.alternatives[0].script == "echo restore"


def test_a_fallback_holds_for_the_whole_list_below_it_and_no_further(tmp_path: Path) -> None:
    blocks = step_of(
        tmp_path,
        f"{BLOCK}\n\n**If this fails:**\n\n1. Stop it:\n\n   ```bash\n   echo stop\n   ```\n\n"
        "2. Restore it:\n\n   ```bash\n   echo restore\n   ```\n\n"
        "**In any case**\n\n```bash\necho after\n```",
    ).blocks
    assert [bool(block.fallback) for block in blocks] == [False, True, True, False]


def test_a_sentence_that_introduces_one_block_says_nothing_of_the_next(tmp_path: Path) -> None:
    blocks = step_of(
        tmp_path,
        f"{BLOCK}\n\nIf this fails:\n\n```bash\necho restore\n```\n\n"
        "Look at it:\n\n```bash\necho after\n```",
    ).blocks
    assert [bool(block.fallback) for block in blocks] == [False, True, False]


@pytest.mark.parametrize(
    "block",
    [
        "```bash\n# Option A: revert\necho a\n# Option B: reset (if not pushed)\necho b\n```",
        "```bash\n# Method 1 - revert\necho a\n# Method 2 - reset\necho b\n```",
        "**Option A: revert**\n\n```bash\necho a\n```\n\n**Option B: reset**\n\n```bash\necho b\n```",
        "Option A: revert\n\n```bash\necho a\n```\n\nOption B: reset\n\n```bash\necho b\n```",
        "##### Option 1: revert\n\n```bash\necho a\n```\n\n##### Option 2: reset\n\n```\necho b\n```",
    ],
)
def test_options_are_alternatives_of_which_the_first_is_taken(tmp_path: Path, block: str) -> None:
    (found,) = step_of(tmp_path, block).blocks
    assert len(found.alternatives) == 2
    assert "echo b" not in choose(found, ("systemd",)).script
    assert "echo a" not in choose(found, ("reset",)).script


def test_ways_for_installations_are_still_not_guessed(tmp_path: Path) -> None:
    (found,) = step_of(tmp_path, "```bash\n# Using x\necho a\n# OR using y\necho b\n```").blocks
    with pytest.raises(StepFailed):
        choose(found, ("systemd",))
