"""HTML out of templates. Everything that came from outside is escaped."""

from __future__ import annotations

import functools
from pathlib import Path

import jinja2
from markupsafe import Markup

from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.words import capitalized

MARKS = {
    Verdict.PASSED: "✔",
    Verdict.ATTESTED: "✔",
    Verdict.UNKNOWN: "?",
    Verdict.UNCOVERED: "∅",
    Verdict.FAILED: "✘",
}
"""By which people see a verdict at a glance."""


def filled(beside: str, name: str, **values: object) -> Markup:
    """Return the template called `name` with its `values`. It stands in the folder `templates`
    beside the module whose `__file__` is `beside`.
    """
    template = _environment(Path(beside).with_name("templates")).get_template(f"{name}.html.j2")
    return Markup(template.render(values))  # noqa: S704 - the environment escapes


@functools.cache
def _environment(folder: Path) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["marks"] = MARKS
    environment.filters["capitalized"] = capitalized
    return environment
