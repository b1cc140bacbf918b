"""A small runbook that is read well, and one place at a time in which others are written otherwise."""

from __future__ import annotations

from pathlib import Path

from rollback_drill.runbook.coverage import Reading
from rollback_drill.runbook.model import Checkbox, Runbook
from rollback_drill.runbook.parse import parse, read_document

SMALL = """\
# Taking a release back

## When to roll back

### Critical

- **Error Rate >10%**: too many requests fail

### High priority

- **Memory Leak**: the service is killed for memory (OOM) again and again

## Decision matrix

| Condition | Error rate | Performance | Decision |
|---|---|---|---|
| Normal | <1% | p95 <500ms | No action |
| Critical | >1% | p95 >500ms | Execute rollback |

## Preparation

- [ ] Confirm the issue

## Procedures

### Procedure 1: Application

Time estimate: 5-10 minutes

#### Step 1: Back up (2 minutes)

```bash
echo back up
```

- [ ] Backup taken

#### Step 2: Put the old code back (3 minutes)

```bash
echo old code
```

- [ ] Code reverted
- [ ] Dependencies installed

#### Step 3: Watch (5 minutes)

Watch the service for 5 minutes.

```bash
echo watching
```

- [ ] Error rate <1%

## Verification checklist

- [ ] Error rate <1%
- [ ] Authentication works
"""
BLOCK = "```bash\necho old code\n```"


def changed(old: str, new: str) -> str:
    """Return the small runbook with `new` in the place of `old`."""
    assert SMALL.count(old) == 1, old
    return SMALL.replace(old, new)


def written(folder: Path, text: str) -> Path:
    """Return the path of a document that says `text`."""
    path = folder / "runbook.md"
    path.write_bytes(text.encode())
    return path


def runbook_of(folder: Path, text: str) -> Runbook:
    """Return the runbook that says `text`."""
    return parse(written(folder, text))


def reading_of(folder: Path, text: str) -> Reading:
    """Return what is understood of a document that says `text`."""
    return read_document(written(folder, text))


def unread_in(folder: Path, text: str) -> dict[str, str]:
    """Return, by what it says, why each line of a document was not read."""
    reading = reading_of(folder, text)
    return {one.text: one.why for one in reading.runbook.unread}


def boxes_of(runbook: Runbook) -> list[Checkbox]:
    """Return every box that is verified."""
    steps = [step for procedure in runbook.procedures for step in procedure.steps]
    inside = [box for step in steps for box in step.checkboxes]
    before = [box for procedure in runbook.procedures for box in procedure.prerequisites]
    return [*runbook.pre_rollback.checkboxes, *before, *inside, *runbook.verification.checkboxes]


def scripts_of(runbook: Runbook) -> list[str]:
    """Return the commands of every step, its first alternative each."""
    steps = [step for procedure in runbook.procedures for step in procedure.steps]
    return [block.alternatives[0].script for step in steps for block in step.blocks]


def firsts(runbook: Runbook) -> list[str]:
    """Return what is performed where no stage knows another way: the first of each block."""
    blocks = [block for one in runbook.procedures for step in one.steps for block in step.blocks]
    return [block.alternatives[0].script.strip() for block in blocks]


def performed(tmp_path: Path, text: str) -> list[str]:
    """Return what is performed of `text`, as `firsts` does, whatever of it is unread."""
    path = tmp_path / "runbook.md"
    path.write_text(text)
    return firsts(read_document(path).runbook)
