"""Every rule finds its defect in a text of its own, and is silent about a sound one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rollback_drill.campaigns.found import Revalidated, RunbookFinding
from rollback_drill.campaigns.since import since
from rollback_drill.campaigns.write_findings import write_findings
from rollback_drill.runbook.lint import RULES, lint
from rollback_drill.runbook.parse import parse

DOCUMENT = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
SEED = DOCUMENT.parent.parent.parent / "shared" / "seed" / "rollback-procedure.txt"

SHOP = """# Taking the shop back

## When to roll back
### Critical
- **Error Rate >8%**: too many
- **Outage**: nobody is served for {outage}
### Medium{deadline}
- **Error Rate {medium}**: some

## Decision matrix
| Condition | Error rate | Performance | Decision |
|---|---|---|---|
| Normal | <2% | p95 <300ms | No action |
| Critical | >2% | p95 >300ms | Execute rollback |

## Preparation (5 minutes)
- [ ] Notify the team

### Procedure 1: The shop's code
Time estimate: {estimate}

#### Step 1: Stop (1 minute)
```bash
systemctl --user stop shop
```
- [ ] Its process is running
#### Step 2: Old code (2 minutes)
```bash
git switch --detach {tag}
pip install -r requirements.txt
```
- [ ] It compiles without errors
#### Step 3: Start (1 minute)
```bash
{start}
```
- [ ] {checkbox}

### Procedure 2: The shop's data
Time estimate: 3-9 minutes
#### Step 1: As above
Follow Step 1 of Procedure 1.
#### Step 2: Data (3 minutes)
```bash
{data}
```
- [ ] {backup}
#### Step 3: As above
Follow Step 3 of Procedure 1.

## Verification checklist
- [ ] Error rate <2%
"""
SOUND = {
    "outage": "5 minutes", "deadline": ": within 30 minutes", "medium": "2-8%", "estimate": "3-5 minutes", "tag": "v1.4", "start": "systemctl --user start shop",
    "checkbox": "Response time p95 <300ms", "backup": "The backup can be read in full",
    "data": "git switch --detach v1.4\npip install -r requirements.txt\necho kept",
}  # fmt: skip
CODE = "git switch --detach v1.4\npip install -r requirements.txt\n"


def shop(directory: Path, **changed: str) -> list[str]:
    path = directory / "shop.md"
    path.write_text(SHOP.format(**{**SOUND, **changed}), encoding="utf-8")
    lines = path.read_text().splitlines()
    found = lint(parse(path))
    assert all(0 < one.line <= len(lines) for one in found)
    return [one.rule for one in found]


def test_a_sound_document_has_no_findings(tmp_path: Path) -> None:
    assert shop(tmp_path) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"outage": "30 minutes"},
        {"outage": "1 hour", "deadline": ": within 1,5 hours"},
        {"outage": "9 hours", "deadline": ""},
        {"outage": "1.2.3 minutes", "deadline": ": within 1.000.000 s"},
        {"outage": "999,999,999,999 hours"},
    ],
)
def test_a_trigger_that_no_milder_one_overtakes_does_not_come_too_late(
    changed: dict[str, str], tmp_path: Path
) -> None:
    assert shop(tmp_path, **changed) == []


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("never-returns", {"start": "tail -f /var/log/shop.log"}),
        ("never-returns", {"start": "journalctl -u shop -f"}),
        ("never-returns", {"start": "watch -n 1 curl -s localhost"}),
        ("placeholder", {"start": "systemctl --user start <service name>"}),
        ("placeholder", {"start": "curl -H 'X-Key: YOUR_API_KEY' localhost"}),
        (
            "relative-downgrade",
            {"data": CODE + "PGOPTIONS='-c lock_timeout=1s' alembic downgrade -2"},
        ),
        ("restore-without-stop", {"data": CODE + "psql shop < dump.sql"}),
        ("restore-without-stop", {"data": CODE + "pg_restore -d shop dump"}),
        ("file-from-nowhere", {"data": CODE + "psql -v ON_ERROR_STOP=1 -d fresh < stable.sql"}),
        ("file-from-nowhere", {"data": CODE + "pg_restore -e -d fresh backups/stable.dump"}),
        ("forced-drop", {"start": "psql -c 'drop database if exists old with (FORCE)'"}),
        ("forced-drop", {"start": "dropdb -f old"}),
        ("forced-drop", {"start": "dropdb --if-exists --force old"}),
        ("signal-to-a-pattern", {"start": "pkill -HUP -f shop"}),
        ("signal-to-a-pattern", {"start": "kill -TERM `pidof shop`"}),
        ("flat-heredoc", {"start": "cat > conf.yaml <<EOF\nfeatures:\ncart: false\nEOF"}),
        ("restart-keeps-old-code", {"start": "docker compose -f a.yml restart web"}),
        ("backup-proven-by-size", {"backup": "The dump's size is more than 5 MB"}),
        ("budgets-beyond-estimate", {"estimate": "1-2 minutes"}),
        ("migrations-without-code", {"data": "./manage.py migrate shop zero"}),
        (
            "code-before-migrations",
            {"data": CODE + "PGOPTIONS='-c lock_timeout=1s' alembic downgrade a1b2"},
        ),
        ("skipped-step", {"data": "echo kept"}),
        ("contradiction", {"checkbox": "Response time p95 <900ms"}),
        ("contradiction", {"checkbox": "Error rate <5%"}),
        ("overlapping-edges", {"medium": "2-9%"}),
        ("comes-too-late", {"outage": "more than 31 minutes"}),
        ("comes-too-late", {"outage": "2 hours"}),
        ("comes-too-late", {"outage": "1,000 minutes"}),
        ("comes-too-late", {"outage": "2 hours", "deadline": ": within 1,5 hours"}),
        ("comes-too-late", {"outage": "5 minutes", "deadline": " (within 4 minutes)"}),
        ("waits-for-locks", {"data": "alembic downgrade a1b2\n" + CODE}),
        ("asks-somebody", {"start": "vim config.yaml"}),
        ("downgrade-to-nothing", {"data": CODE + "alembic downgrade base"}),
        ("unset-destroys", {"start": "rm -rf $WHERE/*"}),
        ("destroys", {"start": "git clean -fdx"}),
        ("hidden-failure", {"start": "systemctl --user start shop || true"}),
        ("hidden-failure", {"start": "systemctl --user start shop || echo went on"}),
        ("hidden-failure", {"start": "systemctl --user start shop &\nsleep 2"}),
        ("hidden-failure", {"start": "systemctl --user start shop || (exit 0)"}),
        ("hidden-failure", {"start": "trap 'exit 0' EXIT\nsystemctl --user start shop"}),
        ("does-nothing", {"start": "true"}),
        ("does-nothing", {"start": ": systemctl --user start shop"}),
        ("does-nothing", {"start": "exit 0\nsystemctl --user start shop"}),
        ("does-nothing", {"start": "false && systemctl --user start shop"}),
        ("does-nothing", {"start": "if false; then systemctl --user start shop; fi"}),
        ("does-nothing", {"start": "date\n:"}),
        (
            "done-by-nothing",
            {"start": "ls dump.sha256", "checkbox": "Backup in secure storage, checksum verified"},
        ),
        ("done-by-nothing", {"start": "date", "checkbox": "Its dependencies are installed"}),
        ("hidden-errors", {"start": "systemctl --user start shop 2>/dev/null"}),
        ("unread-shell", {"start": "if date; then"}),
    ],
)
def test_a_rule_finds_its_defect(tmp_path: Path, rule: str, changed: dict[str, str]) -> None:
    assert rule in shop(tmp_path, **changed)


@pytest.mark.parametrize(
    "start",
    [
        "timeout 60 tail -f /var/log/shop.log",
        "tail -n 50 /var/log/shop.log",
        "cat > conf.yaml <<EOF\nfeatures:\n  cart: false\nEOF",
        "pg_dump -f dump.sql shop\npsql -v ON_ERROR_STOP=1 -d fresh -f dump.sql",
        "dropdb --if-exists shop-force\npsql -c 'DROP DATABASE old'",
        "cp /mnt/kept.dump kept.dump\npg_restore -e -d fresh kept.dump",
        "psql -d shop <<'SQL'\nSELECT 1;\nSQL",
        "docker compose up --detach --build --force-recreate web",
        "if [ -e file ]; then echo [ok]; fi",
        "grep shop list || echo none",
        ': "${SHOP:=shop}"\nsystemctl --user start "$SHOP"',
        "trap 'rm -f lock' EXIT\ntouch lock",
        "if [ -e done ]; then exit 0; fi\nsystemctl --user start shop",
        "systemctl --user start shop\nexit 0",
        "psql -d shop -c 'SELECT 1' || echo it does not answer",
        "systemctl --user start shop &\nwait $!",
        "while true; do date; break; done",
        "if true; then date; fi",
    ],
)
def test_what_is_done_right_is_left_alone(tmp_path: Path, start: str) -> None:
    assert shop(tmp_path, start=start) == []


def test_every_rule_is_shown_its_defect() -> None:
    marks = test_a_rule_finds_its_defect.pytestmark  # type: ignore[attr-defined]
    shown = {case[0] for case in marks[0].args[1]}
    assert shown == set(RULES.names())


def test_the_projects_runbook_has_no_findings() -> None:
    assert lint(parse(DOCUMENT)) == []


@pytest.mark.skipif(not SEED.exists(), reason="the first edition is not here")
def test_the_first_edition_has_its_known_defects() -> None:
    found = {one.rule for one in lint(parse(SEED))}
    assert found >= {
        "migrations-without-code", "skipped-step", "relative-downgrade", "restore-without-stop",
        "backup-proven-by-size", "flat-heredoc", "signal-to-a-pattern", "never-returns",
        "restart-keeps-old-code", "placeholder", "file-from-nowhere",
    }  # fmt: skip


def finding(what: str, line: int) -> RunbookFinding:
    return RunbookFinding("a", "high", f"line {line}", what, "", "")


def test_what_changed_since_the_last_time_is_told(tmp_path: Path) -> None:
    runbook = parse(DOCUMENT)
    previous = tmp_path / "findings.json"

    def told(*findings: RunbookFinding) -> list[str]:
        return since(previous, Revalidated(runbook, findings)).sentences()

    assert told() == []
    first = Revalidated(runbook, (finding("it never returns", 10), finding("a blank", 11)))
    write_findings(first, since(previous, first), tmp_path)
    same = told(finding("it never returns", 99), finding("a blank", 11))
    assert same == ["the document is the same", "the findings are the same"]
    other = told(finding("a blank", 11), finding("too long", 3))
    assert other[1:] == ["new: line …: too long", "gone: line …: it never returns"]
    content = json.loads(previous.read_text())
    content["runbook"]["sha256"] = "other"
    previous.write_text(json.dumps(content))
    assert told()[0] == "the document changed"
    for broken in ("not JSON", "[]", '{"findings": [3], "runbook": {}}', '{"findings": null}'):
        previous.write_text(broken)
        assert told() == []
