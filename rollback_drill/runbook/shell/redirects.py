"""What redirections leave of a command's errors, and what stands on the line of a heredoc."""

from __future__ import annotations

from collections.abc import Sequence

from tree_sitter import Node

from rollback_drill.runbook.shell.model import NOWHERE, Redirect


class Behind:
    """What stands on the line of a heredoc behind its mark: a pipeline, or `&&` and `||`."""

    def __init__(self, pipeline: list[Node], operator: str, right: Node | None) -> None:
        self.pipeline, self.operator, self.right = pipeline, operator, right

    @classmethod
    def of(cls, node: Node) -> Behind | None:
        """Return what stands behind the mark of the heredoc `node`, None when nothing does."""
        piped = next((c for c in node.named_children if c.type == "pipeline"), None)
        if piped is not None:
            return cls(list(piped.named_children), "", None)
        right = node.child_by_field_name("right")
        if right is None:
            return None
        operator = next((c.type for c in node.children if c.type in ("&&", "||")), "&&")
        return cls([], operator, right)


def silences(redirects: Sequence[Redirect]) -> bool:
    """Whether `redirects` let a command's errors go nowhere."""
    out = False
    for one in redirects:
        nowhere = one.target == NOWHERE or one.operator in (">&-",)
        if one.operator in ("&>", "&>>") and nowhere:
            return True
        if one.descriptor == "2" and nowhere:
            return True
        if one.descriptor in ("", "1") and one.operator in (">", ">>", ">|"):
            out = nowhere
        if one.descriptor == "2" and one.operator == ">&" and one.target == "1" and out:
            return True
    return False
