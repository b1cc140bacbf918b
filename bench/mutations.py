"""Which small changes of a module are made: cosmic-ray's, less what no rule hangs on, and ours.

Ours take a condition away, or make it hold always and never; turn what is said of verdicts and
asked of all; leave out a call, or one of the alternatives of a pattern.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from parso.python.tree import Name

Span = tuple[Any, Any]
_SWAPS = {
    f"core/Replace{kind}Operator_{a}_{b}"
    for kind, pairs in {
        "Comparison": "Eq_NotEq NotEq_Eq Lt_LtE LtE_Lt Gt_GtE GtE_Gt Lt_GtE GtE_Lt LtE_Gt Gt_LtE "
        "Is_IsNot IsNot_Is In_NotIn NotIn_In",
        "Binary": "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Mod_Mul Pow_Mul BitAnd_BitOr "
        "BitOr_BitAnd",
    }.items()
    for a, b in (pair.split("_") for pair in pairs.split())
}
# `Constant` is stronger than a `not`; the others change what runs, and not what it decides.
_LEFT_OUT = ("RemoveDecorator", "VariableReplacer", "VariableInserter", "AddNot", "UnaryOperator_U")
_NAMES = {
    "any": "all", "all": "any", "min": "max", "max": "min", "unknown": "passed",
    "PASSED": "UNKNOWN", "ATTESTED": "FAILED", "UNKNOWN": "PASSED", "UNCOVERED": "PASSED",
    "FAILED": "PASSED",
}  # fmt: skip


class Operator(Protocol):
    """As cosmic-ray's: where in a tree it changes something, and the changed node."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """Yield where (line, column) each change of `node` begins and ends."""
        ...

    def mutate(self, node: Any, index: int) -> Any:
        """Return `node` with its change number `index`."""
        ...


class DropOperand:
    """`a and b` becomes `a`, and `b`; so does `a or b`."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """See Operator.mutation_positions."""
        if node.type in ("and_test", "or_test"):
            for operand in node.children[::2]:
                yield operand.start_pos, operand.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """See Operator.mutate."""
        left = [part.get_code() for part in node.children]
        del left[max(0, 2 * index - 1) : max(0, 2 * index - 1) + 2]
        return _leaf(node, "".join(left) if index else " " + "".join(left).lstrip())


class Constant:
    """What `if`, `while`, a filter or a ternary asks is never so, and always."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """See Operator.mutation_positions."""
        for at in _asked(node):
            yield from [(node.children[at].start_pos, node.children[at].end_pos)] * 2

    def mutate(self, node: Any, index: int) -> Any:
        """See Operator.mutate."""
        at = list(_asked(node))[index // 2]
        node.children[at] = _leaf(node.children[at], (" False", " True")[index % 2])
        return node


class SwapName:
    """What is said of verdicts, and what is asked of all, is turned round."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """See Operator.mutation_positions."""
        if node.type == "name" and node.value in _NAMES and not node.is_definition():
            before = node.get_previous_leaf()
            if node.value.isupper() or before is None or before.value not in (".", "import"):
                yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """See Operator.mutate."""
        del index
        node.value = _NAMES[node.value]
        return node


class DropCall:
    """A call whose answer nobody takes is not made."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """See Operator.mutation_positions."""
        if node.type == "simple_stmt" and node.children[0].type == "atom_expr":
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """See Operator.mutate."""
        del index
        lines = node.children[0].get_code(include_prefix=False).count("\n")
        code = f"({chr(10) * lines})" if lines else "None"
        node.children[0] = Name(code, node.start_pos, node.get_first_leaf().prefix)
        return node


class DropAlternative:
    """One of the alternatives of a pattern, or one stage of a pipe, is gone."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """See Operator.mutation_positions."""
        if node.type in ("string", "fstring_string") and not _decorates(node):
            for _ in _alternatives(node.value):
                yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """See Operator.mutate."""
        begin, end = _alternatives(node.value)[index]
        node.value = node.value[:begin] + node.value[end:]
        return node


_OURS = (DropOperand, Constant, SwapName, DropCall, DropAlternative)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: its line as it was and as it became, and the whole `source`."""

    operator: str
    line: int
    was: str
    became: str
    source: str


def mutants(path: Path) -> Iterator[Mutant]:
    """Yield each mutant of the module at `path` that is another program."""
    source = path.read_text()
    original, seen, quiet = source.split("\n"), {source}, _quiet(source)
    for name, operator in _operators():
        at = [
            begin
            for node in ast_nodes(get_ast(source))
            for begin, _ in operator.mutation_positions(node)
        ]
        for occurrence, begin in enumerate(at):
            changed = None if begin in quiet else mutate_code(source, operator, occurrence)
            if changed is None or changed in seen or not _compiles(changed):
                continue
            seen.add(changed)
            lines = changed.split("\n")
            pairs = zip(original, lines, strict=False)
            number = next(n for n, (was, became) in enumerate(pairs) if was != became)
            was, became = original[number].strip(), lines[number].strip()
            yield Mutant(name, number + 1, was, became, changed)


def _operators() -> Iterator[tuple[str, Operator]]:
    for ours in _OURS:
        yield ours.__name__, ours()
    for name in sorted(operator_names()):
        swaps = "Operator_" in name and "Unary" not in name
        if not any(left_out in name for left_out in _LEFT_OUT) and (not swaps or name in _SWAPS):
            yield name.removeprefix("core/"), get_operator(name)()


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _quiet(source: str) -> set[tuple[int, int]]:
    """Return where something begins that means nothing when a program runs: annotations, and how a
    dataclass is made.
    """
    found = set()
    for node in ast_nodes(get_ast(source)):
        parts = []
        if node.type == "annassign":
            parts = node.children[1:2]
        elif node.type == "tfpdef":
            parts = node.children[2:]
        elif node.type == "funcdef" and node.annotation:
            parts = [node.annotation]
        elif node.type == "decorator" and "dataclass" in node.get_code():
            parts = [node]
        elif node.type == "decorator" and "@judging" in node.get_code():
            parts = [leaf for leaf in ast_nodes(node) if leaf.type == "number"]  # only an order
        found |= {inner.start_pos for part in parts for inner in ast_nodes(part)}
    return found


def _asked(node: Any) -> Iterator[int]:
    if node.type in ("if_stmt", "while_stmt"):
        for at, child in enumerate(node.children):
            if getattr(child, "value", "") in ("if", "elif", "while"):
                yield at + 1
    elif node.type in ("ternary", "test") and len(node.children) > 2:
        yield 2
    elif node.type == "comp_if":
        yield 1


def _leaf(old: Any, code: str) -> Any:
    """Return a leaf that reads `code`, over as many lines as `old` had."""
    missing = old.get_code(include_prefix=False).count("\n") - code.count("\n")
    return Name(f" ({code}{chr(10) * missing})" if missing > 0 else code, old.start_pos, "")


def _decorates(node: Any) -> bool:
    """Whether it stands in a decorator: how checkboxes are worded is shown by other tests."""
    while node is not None and node.type != "decorator":
        node = node.parent
    return node is not None


def _alternatives(text: str) -> list[tuple[int, int]]:
    """Return begin and end of each `|…` up to the next at its depth."""
    found: list[tuple[int, int]] = []
    if text.lstrip("rfb").startswith('"""'):
        return found
    for at, sign in enumerate(text):
        if sign != "|" or "|" in text[at - 1 : at] + text[at + 1 : at + 2]:
            continue
        depth, end = 0, at + 1
        while end < len(text) and not (depth == 0 and text[end] in "|)\"'\n"):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        found.append((at, end))
    return found
