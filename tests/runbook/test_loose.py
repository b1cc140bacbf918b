"""Documents of other forms than ours: what is read of them, what is not, and what is assumed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rollback_drill.campaigns.plan import plan
from rollback_drill.campaigns.read_out import read_out
from rollback_drill.decide.trigger import Condition, Unwatched, condition_of
from rollback_drill.judge.judgement import _held, judge
from rollback_drill.perform.asked import _STANDARD, identities
from rollback_drill.perform.check import bind
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import DrillEnded
from rollback_drill.report import html
from rollback_drill.runbook.hints import Hints
from rollback_drill.runbook.model import Runbook
from rollback_drill.runbook.parse import parse, read_document
from rollback_drill.runbook.problems import FORM, RunbookError
from rollback_drill.runbook.standard import standard_set, without_unable
from rollback_drill.runbook.told import RunbookRead
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage
from tests.runbook.runbook_support import SMALL, changed, reading_of, runbook_of, unread_in, written

ROOT = Path(__file__).resolve().parents[2]
BACK = "```bash\ngit checkout tags/v1\n```\n"
RESTART = "```bash\nsystemctl restart shop\n```\n"
DRAIN = "```bash\n./drain.sh\n```\n"


def shape(runbook: Runbook) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return title and steps of each procedure, a step with how many blocks are performed."""
    return [
        (one.title, [(step.title, len(step.blocks)) for step in one.steps])
        for one in runbook.procedures
    ]


def own_boxes(runbook: Runbook) -> list[str]:
    """Return the boxes that the document itself asks for."""
    behind = {one.line for one in runbook.assumed if one.what.startswith(("final box", "box of"))}
    boxes = [box for p in runbook.procedures for step in p.steps for box in step.checkboxes]
    boxes += runbook.verification.checkboxes
    return [box.text for box in boxes if box.line not in behind]


SHAPES = {
    "options": (
        f"# Rollback\n\n## Manual rollback\n\n### Option A: by git\n\n{BACK}\n{RESTART}\n"
        f"### Option B: by the script\n\n{DRAIN}",
        [("Option A: by git", [("Option A: by git", 2)]),
         ("Option B: by the script", [("Option B: by the script", 1)])],
    ),
    "steps": (
        f"# Shop\n\n## How to roll back\n\n### Step 1: Stop (2 minutes)\n\n{DRAIN}\n"
        f"### Step 2: Put it back\n\n{BACK}",
        [("How to roll back", [("Stop", 1), ("Put it back", 1)])],
    ),
    "phases": (
        f"# Rollback plan\n\n## Rollback procedure\n\n### Phase 1: Stop\n\n#### Step 1.1: Drain\n\n"
        f"{DRAIN}\n### Phase 2: Put back\n\n{BACK}",
        [("Rollback procedure", [("Stop", 1), ("Put back", 1)])],
    ),
    "numbered list": (
        "# Rollback\n\n## Reverting a release\n\n1. Put it back:\n\n   ```bash\n   git checkout v1\n"
        "   ```\n\n2. Restart it:\n\n   ```bash\n   ./restart.sh\n   ```\n",
        [("Reverting a release", [("Put it back", 1), ("Restart it", 1)])],
    ),
    "commands as items": (
        "# Rollback\n\n## Rollback steps\n\n1. `git checkout v1`\n2. Run `systemctl restart shop`.\n",
        [("Rollback steps", [("git checkout v1", 1), ("Run systemctl restart shop.", 1)])],
    ),
    "headings in a row": (
        f"# Rolling back the shop\n\n## Find the release\n\n```bash\ngit tag --list\n```\n\n"
        f"## Switch to it\n\n{BACK}\n## Background\n\nIt is a shop.\n",
        [("Rolling back the shop", [("Find the release", 1), ("Switch to it", 1)])],
    ),
    "numbered headings": (
        f"# Rollback\n\n## 1. Traffic\n\n{DRAIN}\n## 2. Code\n\n{BACK}",
        [("Rollback", [("Traffic", 1), ("Code", 1)])],
    ),
    "kinds": (
        f"# Rollback\n\n## Application rollback\n\n{BACK}\n## Database rollback\n\n{DRAIN}",
        [("Application rollback", [("Application rollback", 1)]),
         ("Database rollback", [("Database rollback", 1)])],
    ),
    "table": (
        "# Rollback plan\n\n| Step | Action | Command | Time | Verify |\n|---|---|---|---|---|\n"
        "| 1 | Put it back | `git checkout v1` | 2 min | Code reverted |\n"
        "| 2 | Restart | `systemctl restart shop` | 30 s | Application restarted |\n",
        [("Rollback plan", [("Put it back", 1), ("Restart", 1)])],
    ),
    "platforms": (
        f"# Rollback\n\n## 1. Stop\n\n{DRAIN}\n## 2. Roll back\n\n### Docker Compose\n\n{BACK}\n"
        f"### Kubernetes\n\n{RESTART}",
        [("Rollback", [("Stop", 1), ("Roll back", 1)])],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_is_read_with_its_steps(name: str, tmp_path: Path) -> None:
    text, expected = SHAPES[name]
    runbook = runbook_of(tmp_path, text)
    assert shape(runbook) == expected
    assert runbook.unread == ()
    # Whatever it does not say is told.
    told = {one.what for one in runbook.assumed}
    assert "row of the matrix: Normal" in told
    assert all(one.source for one in runbook.assumed)


def test_a_table_of_steps_has_budgets_and_boxes(tmp_path: Path) -> None:
    runbook = runbook_of(tmp_path, SHAPES["table"][0])
    (procedure,) = runbook.procedures
    assert [one.budget.high_s for one in procedure.steps] == [120, 30]
    assert own_boxes(runbook) == ["Code reverted", "Application restarted"]


def test_of_platforms_one_is_taken(tmp_path: Path) -> None:
    (procedure,) = runbook_of(tmp_path, SHAPES["platforms"][0]).procedures
    (block,) = procedure.steps[1].blocks
    assert block.in_order
    assert len(block.alternatives) == 2


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (f"If monitoring is enabled:\n\n{DRAIN}", "a condition that somebody must judge"),
        (f"Do not run this by yourself:\n\n{DRAIN}", "speaks against it"),
        (f"Never do the following.\n\n{DRAIN}", "speaks against it"),
        (f"Example:\n\n{DRAIN}", "is it to be performed"),
        ("```bash\n# If using PM2\npm2 stop shop\n# If using systemd\nsystemctl stop shop\n```\n",
         "a condition that somebody must judge"),
        ("```bash\n# Option A: code\ngit checkout v1\n# Option B: all\ngit revert HEAD\n\n"
         "# Clear caches\n./clear.sh\n```\n", "the last of several ways, or to all"),
        ("```powershell\nStop-Service shop\n```\n", "nobody performs a block of `powershell`"),
        (f"### If it is the database\n\n{DRAIN}", "a block outside all that is performed"),
        ("1. Tell the customers.\n", "an instruction in words"),
        ("Push the change and wait for the pipeline.\n", "an instruction in words"),
        ("Repeat for the worker if it was touched.\n", "an instruction in words"),
        (f"### The dump\n\n{DRAIN}", "a step, or one of several ways"),
        (f"### Fast\n\n{DRAIN}\n### Slow\n\n{RESTART}", "a step, or one of several ways"),
    ],
)  # fmt: skip
def test_what_is_not_plainly_to_be_done_is_unread(more: str, why: str, tmp_path: Path) -> None:
    text = f"# Rollback\n\n## Rollback procedure\n\n{BACK}\n{more}"
    found = unread_in(tmp_path, text)
    assert any(why in one for one in found.values()), found
    runbook = read_document(tmp_path / "runbook.md").runbook
    scripts = [way.script for block in runbook.blocks for way in block.alternatives]
    assert all("drain" not in one and "stop" not in one for one in scripts)


@pytest.mark.parametrize("title", ["# Taking the shop back", "# Installation procedure", "# Notes"])
def test_nothing_is_performed_of_what_is_not_about_rolling_back(title: str, tmp_path: Path) -> None:
    with pytest.raises(RunbookError, match="a heading that says how to roll back"):
        runbook_of(tmp_path, f"{title}\n\n## Steps\n\n{DRAIN}\n## Procedure\n\n{BACK}")


def test_of_a_guide_only_what_is_about_rolling_back_is_performed(tmp_path: Path) -> None:
    text = f"# Deploying the shop\n\n## Deploy\n\n{DRAIN}\n## Rollback\n\n{BACK}"
    assert shape(reading_of(tmp_path, text).runbook) == [("Rollback", [("Rollback", 1)])]
    (why,) = unread_in(tmp_path, text).values()
    assert "outside all that is performed" in why


def test_what_happens_by_itself_is_not_performed(tmp_path: Path) -> None:
    text = f"# Rollback\n\n## Automatic rollback\n\n{DRAIN}\n## Manual rollback\n\n{BACK}"
    assert shape(reading_of(tmp_path, text).runbook) == [
        ("Manual rollback", [("Manual rollback", 1)])
    ]
    assert any("outside all" in why for why in unread_in(tmp_path, text).values())


CHECKED = f"""\
# Rollback

## When to roll back

Immediately if:

- Error rate > 10%
- Nobody smiles

Consider a rollback if:

- Error rate 1-5%

Do not roll back if:

- The coffee is cold

Otherwise:

- p99 latency > 2s

## Rollback procedure

{BACK}
## Verification

- `/health` answers with status 200
- The moon is full
- Look around:
  - No errors in the application log

## Post-rollback

1. Write it down
"""


def test_items_below_verification_are_boxes_bound_by_all_they_say(tmp_path: Path) -> None:
    runbook = runbook_of(tmp_path, CHECKED)
    assert own_boxes(runbook) == [
        "`/health` answers with status 200".replace("`", ""),
        "The moon is full",
        "No errors in the application log",
    ]
    assert bind("The moon is full") is None
    (after,) = runbook.post_rollback
    assert [box.text for box in after.checkboxes] == ["Write it down"]


def test_triggers_stand_in_the_tier_that_is_said_or_the_standard_one(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, CHECKED)
    triggers = [(one.severity.value, one.name) for one in reading.runbook.triggers]
    assert triggers == [
        ("critical", "Error rate > 10%"),
        ("critical", "Nobody smiles"),
        ("medium", "Error rate 1-5%"),
        ("high", "p99 latency > 2s"),
    ]
    assert ["p99" in one.what for one in reading.runbook.assumed if "tier of" in one.what] == [True]
    (left,) = reading.runbook.unread
    assert "coffee" in left.text


def test_a_table_of_signals_is_read_as_triggers(tmp_path: Path) -> None:
    text = (
        "# Rollback\n\n## Rollback triggers\n\n| Signal | Threshold |\n|---|---|\n"
        f"| Error rate | > 5% |\n\n## Rollback procedure\n\n{BACK}"
    )
    (trigger,) = runbook_of(tmp_path, text).triggers
    assert trigger.name == "Error rate > 5%"


def test_an_assumed_value_has_a_line_of_its_own_behind_the_last(tmp_path: Path) -> None:
    text = SHAPES["kinds"][0]
    runbook = runbook_of(tmp_path, text)
    last = len(text.split("\n"))
    lines = [row.line for row in runbook.matrix] + [
        box.line for box in runbook.verification.checkboxes
    ]
    assert all(line > last for line in lines)
    assert len(set(lines)) == len(lines)
    assert lines[:4] == sorted(lines[:4])


def test_the_standard_checklist_asks_for_all_that_nobody_knows_without_it(tmp_path: Path) -> None:
    bound = {one.name for box in standard_set().final_boxes if (one := bind(box.text))}
    assert set(_STANDARD) <= bound
    runbook = runbook_of(tmp_path, SHAPES["kinds"][0])
    fewer = without_unable(runbook, {"known", "metrics"})
    needing = [one for one in standard_set().final_boxes if one.needs]
    assert len(needing) > 1
    assert len(runbook.verification.checkboxes) == len(fewer.verification.checkboxes) + len(needing)
    assert without_unable(runbook, {"database"}) is runbook


@pytest.mark.parametrize(
    "lost", ["Time estimate: 5-10 minutes", " (3 minutes)", "- [ ] Confirm the issue"]
)
def test_a_document_of_the_full_form_is_not_completed(lost: str, tmp_path: Path) -> None:
    with pytest.raises(RunbookError, match=re.escape(FORM)):
        runbook_of(tmp_path, changed(lost, ""))


def test_a_document_of_the_full_form_assumes_nothing(tmp_path: Path) -> None:
    assert runbook_of(tmp_path, SMALL).assumed == ()


GERMAN = f"""\
# Rückfall auf die alte Fassung

## Rückfall

Nur wenn die Datenbank steht:

{DRAIN}
### Schritt 1: Zurück

{BACK}
### Schritt 2: Neu starten

Niemals am Freitag:

{DRAIN}
"""


def test_another_language_is_refused_until_its_words_are_known(tmp_path: Path) -> None:
    path = written(
        tmp_path, GERMAN + "Was hier steht, ist deutsch und lang genug für die Probe. " * 4
    )
    with pytest.raises(RunbookError, match=r"\[runbook.words\]"):
        parse(path)
    words = {"rollback": ("Rückfall",), "if": ("Nur wenn", "wenn"), "not": ("Niemals",),
             "step": ("Schritt",)}  # fmt: skip
    runbook = parse(path, Hints(words=words, source="staging.toml"))
    assert shape(runbook) == [("Rückfall", [("Zurück", 1)])]
    assert len([one for one in runbook.unread if "drain" in one.text]) == 2


TOLD = RunbookRead((), (), (), (9,), ("budget of Procedure 1, step 1",), ("<b>",), ("by us",))


def test_page_and_verdict_show_what_was_assumed() -> None:
    book = Book([Event(1.0, TOLD)])
    page = html.whole_page(book)
    assert "What the runbook does not say" in page
    assert "&lt;b&gt;" in page
    verdict = json.loads(json.dumps(judge(book).to_json()))
    assert verdict["runbook"]["assumed"] == [
        {"line": 9, "what": "budget of Procedure 1, step 1", "value": "<b>", "source": "by us"}
    ]
    told = [Event(1.0, TOLD), Event(2.0, DrillEnded())]
    assert "the runbook does not say 1 of the values" in _held(Book(told))
    assert "assumed" not in _held(Book([]))
    assert "What the runbook does not say" not in html.whole_page(Book([Event(1.0, RunbookRead())]))


def test_the_page_on_runbooks_shows_how_its_example_is_understood(tmp_path: Path) -> None:
    page = (ROOT / FORM).read_text()
    example = page.split("```markdown\n")[1].split("\n```\n\nIt is")[0] + "\n"
    (told,) = re.findall(r"It is understood as:\n\n```text\n(.*?)```", page, re.DOTALL)
    reading = reading_of(tmp_path, example)
    assert reading.runbook.unread == ()
    said = "\n".join(read_out(reading))
    for line in told.splitlines()[1:]:
        assert line in said
    final = [one for one in reading.runbook.assumed if one.what == "final box"]
    assert len(final) == 9


def test_what_verifies_one_way_is_its_end_and_not_that_of_another(tmp_path: Path) -> None:
    text = (
        f"# Rollback\n\n## Local rollback\n\n### Steps\n\n{BACK}\n### Verify\n\n{DRAIN}\n"
        f"- Look\n\n## Remote rollback\n\n### Steps\n\n{RESTART}"
    )
    runbook = runbook_of(tmp_path, text)
    assert shape(runbook) == [
        ("Local rollback", [("Steps", 1), ("Verify", 1)]),
        ("Remote rollback", [("Steps", 1)]),
    ]
    assert runbook.verification.blocks == ()
    assert own_boxes(runbook) == ["Look"]


def test_ways_of_doing_one_thing_are_never_all_performed(tmp_path: Path) -> None:
    via = f"**Via the CLI:**\n{BACK}\n**Via a revert:**\n{RESTART}"
    (procedure,) = runbook_of(tmp_path, f"# Rollback\n\n## Manual rollback\n\n{via}").procedures
    (block,) = procedure.steps[0].blocks
    assert len(block.alternatives) == 2
    assert block.in_order


def test_methods_below_the_name_of_a_part_are_ways(tmp_path: Path) -> None:
    text = (
        f"# Rollback guide\n\n## The API\n\n### Method 1: fast\n\n{BACK}\n### Method 2: slow\n\n"
        f"{RESTART}\n## Database rollback\n\n{DRAIN}"
    )
    titles = [title for title, _ in shape(runbook_of(tmp_path, text))]
    assert titles == ["Method 1: fast", "Method 2: slow", "Database rollback"]


def test_an_introduction_that_says_to_do_more_is_unread(tmp_path: Path) -> None:
    text = f"# Rollback\n\n## Rollback steps\n\nPush the button, then verify:\n\n{BACK}"
    (why,) = unread_in(tmp_path, text).values()
    assert "an instruction in words" in why


def test_a_weakness_that_somebody_finds_is_no_breach_that_a_drill_sees(tmp_path: Path) -> None:
    text = CHECKED.replace("Nobody smiles", "Security vulnerability discovered in the new code")
    triggers = runbook_of(tmp_path, text.replace("- The coffee is cold", "")).triggers
    found = {one.name: condition_of(one) for one in triggers}
    assert isinstance(found["Security vulnerability discovered in the new code"], Unwatched)
    assert isinstance(found["Error rate > 10%"], Condition)


def test_a_rollback_in_words_beside_another_is_unread(tmp_path: Path) -> None:
    text = f"# Rollback\n\n## Application rollback\n\n{BACK}\n## Infrastructure rollback\n\n"
    (why,) = unread_in(tmp_path, text + "Revert the commit and run the workflow again.\n").values()
    assert "an instruction in words" in why


@pytest.mark.parametrize("mark", ["{}. ", "Step {}: "])
def test_a_step_that_verifies_stays_where_it_stands(mark: str, tmp_path: Path) -> None:
    steps = [("Stop", DRAIN), ("Verify it", RESTART), ("Notify us", DRAIN), ("Go on", BACK)]
    text = "# Rollback\n\n## Manual rollback\n\n"
    for number, (title, block) in enumerate(steps, 1):
        text += f"### {mark.format(number)}{title}\n\n{block}\n"
    expected = [(title, 1) for title, _ in steps]
    assert shape(runbook_of(tmp_path, text)) == [("Manual rollback", expected)]
    flat = text.replace("## Manual rollback\n\n", "").replace("### ", "## ")
    assert shape(runbook_of(tmp_path, flat)) == [("Rollback", expected)]


def test_a_plan_names_what_is_assumed(tmp_path: Path) -> None:
    runbook = runbook_of(tmp_path, SHAPES["kinds"][0])
    stage = open_stage("processes", StageOptions(), lambda _: None)
    said = [line for line in plan(runbook, stage) if line.startswith("Assumed, line ")]
    assert len(said) == len(runbook.assumed)
    assert any(
        "row of the matrix: Critical" in line and "runbook/rollback.md" in line for line in said
    )


def test_what_a_kept_document_said_itself_is_gone_where_it_is_assumed(tmp_path: Path) -> None:
    """Whoever loses so much of the full form that it is another one does not pass by what is assumed."""
    before = identities(runbook_of(tmp_path, SMALL))
    lost = SMALL.replace("| Condition |", "| Case |").replace(
        "Procedure 1: Application", "Rollback"
    )
    now = identities(reading_of(tmp_path, lost).runbook)
    assert "a decision matrix of its own" in before
    assert "a decision matrix of its own" not in now
