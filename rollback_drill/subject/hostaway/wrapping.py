"""Wraps the application of a release in a sabotage, for "1 in 30", "one method", "after 8 s"."""

from __future__ import annotations

import hashlib
import textwrap

from rollback_drill.breaks.sabotage import Edit
from rollback_drill.ground.home import DEMO

_LIBRARY = DEMO / "service" / "sabotages" / "wrapped.py"
_APP = "hostaway_mcp/app.py"


def answering(
    change: str,
    *,
    method: str = "GET",
    path: str = "/api/.*",
    query: str = "",
    one_in: int = 1,
    after_s: float = 0.0,
    inside: bool = False,
    failing: bool = False,
) -> tuple[Edit, Edit]:
    """Return the edits by which a release changes its answers. `change`: statements over `ask`
    (method, path, query, headers, body, number), `answer` (status, headers, body: JSON as Python
    has it, else bytes), both of which it may change, and `kept`, a dictionary for what is to stay.

    `method` and `path` are patterns of the whole, `query` of a part; `one_in`: every so manieth of
    these requests; `after_s`: from so many seconds after the start of the process. `inside`: before
    the release counts and logs the answer.
    """
    body = textwrap.indent(textwrap.dedent(change).strip(), "    ")
    made = (
        f"def change(ask, answer, kept):\n{body}\n\n\n"
        f"wrap = answers(change, {method!r}, {path!r}, {query!r}, {one_in}, {after_s})\n"
    )
    return _wrapped(made, inside=inside, failing=failing)


def middleware(code: str, *, inside: bool = False, failing: bool = False) -> tuple[Edit, Edit]:
    """Return the edits by which a release is served through ASGI middleware: `code` defines
    `async def wrap(app, scope, receive, send)`.
    """
    return _wrapped(textwrap.dedent(code).strip() + "\n", inside=inside, failing=failing)


def _wrapped(made: str, *, inside: bool, failing: bool) -> tuple[Edit, Edit]:
    text = f"{_LIBRARY.read_text(encoding='utf-8')}\n\n{made}"
    name = f"wrapped_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    how = "inside" if inside else "around"
    joined = f"""
from hostaway_mcp import {name}  # noqa: E402

create_app = {name}.{how}(create_app, {name}.wrap)
"""
    return (
        Edit(f"hostaway_mcp/{name}.py", "", text, failing),
        Edit(_APP, "", joined, failing),
    )
