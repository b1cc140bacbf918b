"""Table of contents of the suite: where its fixtures, options and sentences live."""

pytest_plugins = [
    "steps.fix_stages",  # --stages, the `containers` marker, stages that are kept up between tests
]
