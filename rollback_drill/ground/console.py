"""The terminal that tables and progress are printed on; nobody's escapes but its own reach it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.segment import Segment

from rollback_drill.ground.terminal import shown


class _Console(Console):
    """Writes its own escapes, and nobody else's."""

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        return super()._render_buffer(
            one if one.control else Segment(shown(one.text), one.style) for one in buffer
        )


def console(*, soft_wrap: bool = True) -> Console:
    """Return the terminal. Square brackets and colons are text there."""
    return _Console(soft_wrap=soft_wrap, highlight=False, markup=False, emoji=False)
