"""However a document of another form is decorated or rearranged, it never passes with less of it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from hypothesis import strategies as st

from rollback_drill.runbook.model import Runbook
from rollback_drill.runbook.parse import read_document
from steps.fix_examples import Examples

PLAN = """\
# Rollback plan

## When to roll back

Immediately if:

- Error rate > 10%
- p99 latency > 2s

## Application rollback

### Step 1: Stop (2 minutes)

```bash
./drain.sh
```

- [ ] Client traffic has stopped

### Step 2: Put it back

```bash
git checkout tags/v1
```

- [ ] Code reverted

## Database rollback

1. Take it back:

   ```bash
   ./downgrade.sh
   ```

2. `./vacuum.sh all`

## Verification

- `/health` answers with status 200
- [ ] Error rate <1%

```bash
./smoke.sh
```

## Post-rollback

- Write it down
"""
_DECORATIONS = (
    lambda line: line + "  ",
    lambda line: re.sub(r"^(#+) ", r"\1 🔧 ", line),
    lambda line: re.sub(r"^(#+) (.*)$", r"\1 **\2**", line),
    lambda line: re.sub(r"^#(#+) ", r"\1 ", line),
    lambda line: re.sub(r"^(#+) ", r"\1# ", line),
    lambda line: re.sub(r"^#+ (.*)$", r"\1", line),
    lambda line: re.sub(r"^#+ (.*)$", r"**\1**", line),
    lambda line: re.sub(r"^- \[ \] ", "- ", line),
    lambda line: re.sub(r"^- ", "* ", line),
    lambda line: re.sub(r"^- (?!\[)", "- [ ] ", line),
    lambda line: re.sub(r"^```bash", "```", line),
    lambda line: re.sub(r"^```bash", "~~~bash", line),
    lambda line: re.sub(r"Step \d", "Step 9", line),
    lambda line: re.sub(r"rollback", "change", line),
    lambda line: re.sub(r"^(\d)\. ", r"\1) ", line),
    lambda line: line if "```" in line else "> " + line,
    # An item in a comment was taken out on purpose, which only HISTORY can tell.
    lambda line: re.sub(r"^(#+ .*|- \[ \].*|\d\. `.*)$", r"<!-- \1 -->", line),
)


@st.composite
def decorated(draw: st.DrawFn) -> str:
    lines = PLAN.split("\n")
    outside = [n for n, line in enumerate(lines) if not line.lstrip().startswith(("./", "git"))]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.sampled_from(outside))
        lines[at] = draw(st.sampled_from(_DECORATIONS))(lines[at])
    if draw(st.booleans()):
        parts = re.split(r"\n(?=## )", "\n".join(lines))
        return "\n".join([parts[0], *draw(st.permutations(parts[1:]))])
    return "\n".join(lines)


def structure(runbook: Runbook) -> Counter[str]:
    """Return what is performed, verified and watched: texts, each as often as it is."""
    last = runbook.text.count("\n") + 1
    found = [way.script.strip() for block in runbook.blocks for way in block.alternatives]
    lists = [runbook.pre_rollback, runbook.verification, *runbook.post_rollback]
    boxes = [box for one in lists for box in one.checkboxes]
    boxes += [box for p in runbook.procedures for step in p.steps for box in step.checkboxes]
    found += [box.text for box in boxes if box.line <= last]
    found += [trigger.name for trigger in runbook.triggers]
    return Counter(found)


def test_no_decoration_gets_a_pass_with_less_structure(examples: Examples, tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    path.write_text(PLAN)
    whole = read_document(path)
    assert not whole.runbook.unread
    assert not whole.problems.found
    all_of_it = structure(whole.runbook)
    assert sum(all_of_it.values()) == 12

    def hold(text: str) -> None:
        path.write_text(text)
        reading = read_document(path)
        if reading.problems.found or reading.runbook.unread:
            return  # no drill of it passes
        assert not all_of_it - structure(reading.runbook), text

    examples.hold(30, decorated(), hold)
