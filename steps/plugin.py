"""The plugin of pytest: fixtures, options and sentences, for features beside a runbook.

An installed suite brings it along (entry point `pytest11`), a clone names it in `conftest.py`.
"""

pytest_plugins = [
    f"{__package__}.{name}"
    for name in (
        "fix_stages",  # --stages, the marker `live`, stages that stay up
        "fix_signals",  # whatever ends a run clears up, too
        "fix_drills",  # --runbook, --history, drills held once and looked at by many scenarios
        "fix_summary",  # the gate's summary in Markdown
        "decisions",  # sentences about the matrix
        "plans",  # sentences that say what is to be broken
        "outcomes",  # sentences about what a drill showed
    )
]
