"""Shell as its grammar reads it: which commands a script would run, with which words, and where.

`read_script` turns a script into a `Script`. Comments are gone, strings are one word, and the
command behind `sudo`, `timeout`, `ssh host '…'` and their like is found as if it stood alone, with
the names of what it was wrapped in. What the grammar cannot read is listed, never left out
silently.
"""

from rollback_drill.runbook.shell.model import Args, Command, Context, Loop, Redirect, Script, Word
from rollback_drill.runbook.shell.reading import read_script

__all__ = ["Args", "Command", "Context", "Loop", "Redirect", "Script", "Word", "read_script"]
