"""What any rollback has to leave behind, whether its document asks for it or not."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from rollback_drill.runbook.model import Checkbox, Checklist, Procedure

# What is asked, and the ability that a stage must have for it.
_ITEMS = (
    ("The deployed code can run on this schema", "database"),
    ("The configuration has kept its structure", "defects"),
    ("Maintenance mode is off", ""),
    ("API requests succeed", ""),
)


def outcome_of(
    procedure: Procedure, lacks: Collection[str], others: Iterable[str] = ()
) -> Checklist:
    """Return the checklist of what `procedure` must leave behind; its line is the procedure's.

    `lacks`: abilities that the stage has not got; `others`: what the service asks besides.
    """
    texts = [text for text, needs in _ITEMS if needs not in lacks]
    boxes = tuple(Checkbox(text, procedure.line) for text in (*texts, *others))
    return Checklist("What the procedure leaves behind", boxes, (), procedure.line)
