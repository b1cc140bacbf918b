"""The look that all pages share."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup


def style() -> Markup:
    """Return the style sheet, for pages whose template stands elsewhere."""
    path = Path(__file__).with_name("templates") / "style.css"
    return Markup(path.read_text(encoding="utf-8"))  # noqa: S704 - our own
