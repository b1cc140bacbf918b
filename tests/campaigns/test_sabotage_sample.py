"""Twenty sabotages of different kinds in one real drill: each turns the check red that it names.

Its runbook tells every secret that it knows besides: none stands in what is written down.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.breaks.sabotage import sabotages_called
from rollback_drill.campaigns.planted import HeldWith, Setting, hold_with
from rollback_drill.ground.redact import MASK, Redactor
from rollback_drill.stage.model import Stage
from steps.fix_stages import StageFor

pytestmark = pytest.mark.slow
RUNBOOK = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
SAMPLE = (
    "balancer-without-the-document",
    "budget-estimate",
    "auth-one-in-4",
    "prepare-one-channel",
    "prepare-no-severity",
    "prepare-no-stakeholders",
    "prepare-no-metrics",
    "prepare-old-tag",
    "after-page-without-cause",
    "after-no-mail",
    "after-ticket-open",
    "after-one-channel-not-told",
    "after-tag-not-pushed",
    "mask-log-true",
    "mask-verify-or-true",
    "box-procedure-1-its-process-is-running",
    "box-procedure-2-its-restoration-was-tested",
    "box-everywhere-application-log",
    "trigger-breach-unwatched",
    "trigger-adoption-unwatched",
)


TOLD = "hunter2Zx81"
"""What nobody knows to be a secret but by the words around it."""
_TELLS_ALL = f"""```bash
env
python3 -c 'import os, urllib.parse as u; print(u.quote_plus(str(dict(os.environ))))'
echo 'postgres://u:{TOLD}@h/db' 'Authorization: Bearer {TOLD}' 'ghp_{TOLD}abcdefghijkl' >&2
echo "PGPASSWORD={TOLD}" >> "$OUTBOX/slack-oncall.txt"
```

"""


@pytest.fixture
def stage(kept_stage: StageFor) -> Stage:
    return kept_stage("processes")


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runbook whose preparation tells all secrets at its end; beside it lies what is written."""
    path = tmp_path_factory.mktemp("telling") / RUNBOOK.name
    end = "- [ ] **Confirm the issue**"
    text = RUNBOOK.read_text(encoding="utf-8")
    assert text.count(end) == 1
    path.write_text(text.replace(end, _TELLS_ALL + end), encoding="utf-8")
    return path


_held: list[HeldWith] = []


@pytest.fixture
def held(stage: Stage, telling: Path) -> HeldWith:
    """One drill for all tests of this module."""
    if not _held:
        some = sabotages_called(SAMPLE)
        _held.append(hold_with(stage, some, telling, telling.parent / "drill", Setting()))
    return _held[0]


def test_each_of_twenty_turns_its_own_check_red(held: HeldWith) -> None:
    some = sabotages_called(SAMPLE)
    assert len(some) == 20
    assert not held.broke
    assert {one.name: held.planted.get(one.name, 0) for one in some} == {
        one.name: len(one.plants) for one in some
    }
    unseen = [one.name for one in some if one.caught_by not in held.red]
    assert unseen == [], held.red


def test_no_secret_stands_in_what_is_written_down(
    held: HeldWith, stage: Stage, telling: Path
) -> None:
    known = Redactor(stage.secrets)
    written = [one for one in (telling.parent / "drill" / "report").rglob("*") if one.is_file()]
    texts = {one.name: one.read_text(encoding="utf-8", errors="replace") for one in written}
    assert {"index.html", "timeline.jsonl", "junit.xml", "postmortem.md"} <= texts.keys()
    assert texts["timeline.jsonl"].count(MASK) > len(stage.secrets)  # they were told
    assert not [name for name, text in texts.items() if TOLD in text or known.finds(text)]


@pytest.mark.wide
def test_a_clean_drill_is_green(stage: Stage, tmp_path: Path) -> None:
    held = hold_with(stage, (), RUNBOOK, tmp_path, Setting(seed=2, rate=60.0))
    assert held.red == {}
