"""Scripts that the grammar of the shell cannot read: nobody has looked at them."""

from __future__ import annotations

from rollback_drill.runbook.lint import Said, rule_of_scripts
from rollback_drill.runbook.shell import Script


@rule_of_scripts(
    "unread-shell", "medium", "mend it (`bash -n` names the place), or write it plainer"
)
def unread_shell(script: Script) -> Said:
    """What is no shell, or more than can be looked through."""
    for line, words in script.unread:
        yield line, f"{words!r} cannot be read as shell: no rule has looked at it"
