"""Walks the syntax tree of a script and notes its commands with what stands around them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from rollback_drill.runbook.shell.blanks import blanks_as_words
from rollback_drill.runbook.shell.model import (
    Command,
    Context,
    Loop,
    Redirect,
    Script,
    Word,
    name_of,
)
from rollback_drill.runbook.shell.redirects import Behind, silences
from rollback_drill.runbook.shell.words import argument, guarded
from rollback_drill.runbook.shell.wrappers import SHELLS, Carried, carried

_DEEPEST = 200  # levels of one tree: recursion ends long before Python's own
_SCRIPTS_DEEP = 6  # scripts within scripts within scripts
_LONGEST = 200_000  # characters of one script
_NEIGHBOURS = 20  # commands of a pipeline that one of its members knows on each side
_EXIT = re.compile(r"exit(?: \d+)?|exec +[^\s<>&\d{].*|set -n|set -o noexec")
_SUCCESS = re.compile(
    r"\(? ?(?:(?:/usr)?/bin/)?(?:true|:|exit 0|return 0|test 1|\[ 1 \]|let 1)(?:;? ?)\)?"
)
_ONLY_TOLD = re.compile(r"(?:echo|printf)\b(?=[^;&|>]*$)")  # not as an error: nobody hears of it
_NOTHING = ("true", ":")
_SIMPLE = ("command", "declaration_command", "unset_command")
_STATEMENTS = frozenset(
    {
        "command",
        "pipeline",
        "list",
        "redirected_statement",
        "subshell",
        "compound_statement",
        "if_statement",
        "while_statement",
        "for_statement",
        "c_style_for_statement",
        "case_statement",
        "negated_command",
        "declaration_command",
        "unset_command",
        "variable_assignment",
        "variable_assignments",
        "test_command",
        "function_definition",
    }
)


# The grammar asks C's tables of letters for any character, and reads far behind their end for those
# beyond the first 65,536: that ended the whole program, now and then.
_BEYOND = re.compile("[\U00010000-\U0010ffff]")


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_bash.language()))


def read_script(text: str, line: int = 1, context: Context | None = None) -> Script:
    """Return what the script `text`, whose first line is `line` of its document, would run.

    `context`: what is known from outside, such as that the document asks for `pipefail`.
    """
    reader = _Reader(context or Context(), 0)
    reader.script(text, line)
    return Script(
        text,
        tuple(sorted(reader.commands, key=lambda one: one.line)),
        tuple(reader.loops),
        tuple(sorted(set(reader.unread))),
        frozenset(reader.assigned),
        tuple(reader.carriers),
        tuple(reader.values),
        tuple(reader.unreached),
    )


class _Reader:
    """One script, and the scripts inside it, which write to the same lists."""

    def __init__(self, context: Context, depth: int) -> None:
        self.commands: list[Command] = []
        self.carriers: list[Command] = []
        self.values: list[Word] = []
        self.loops: list[Loop] = []
        self.unread: list[tuple[int, str]] = []
        self.unreached: list[int] = []
        self.assigned: set[str] = set()
        self._redirected_to: dict[int, tuple[tuple[Redirect, ...], list[Node]]] = {}
        self._outside = context
        self._depth = depth
        self._first_line = 1
        self._pipefail, self._nounset = context.pipefail, context.nounset

    def script(self, text: str, line: int) -> None:
        """Read the whole script `text`."""
        self._first_line = line
        if len(text) > _LONGEST:
            self.unread.append((line, f"a script of {len(text)} characters"))
            return
        readable = _BEYOND.sub("\ufffd", blanks_as_words(text))
        tree = _parser().parse(readable.encode("utf-8", "replace"))
        before = len(self.unread)
        self._walk(tree.root_node, self._outside, 0)
        self.unreached += self._behind_exit(tree.root_node)
        if tree.root_node.has_error and len(self.unread) == before:
            self.unread.append((line, text.strip().partition("\n")[0][:60]))

    def _behind_exit(self, root: Node) -> list[int]:
        """Return the line of what stands behind an `exit` that nothing decides on."""
        statements = [child for child in root.named_children if child.type != "comment"]
        ends = [n for n, one in enumerate(statements) if _EXIT.fullmatch(_plain(one))]
        behind = statements[ends[0] + 1 :] if ends else []
        return [self._line(one) for one in behind[:1]]

    def _line(self, node: Node) -> int:
        return self._first_line + node.start_point[0]

    def _inner(self, text: str, line: int, context: Context, options: str = "") -> None:
        """Read a script that a command carries; it runs in a shell of its own."""
        if self._depth >= _SCRIPTS_DEEP:
            self.unread.append((line, "scripts within scripts"))
            return
        letters = options.partition(" ")[0]
        context = replace(context, pipefail="pipefail" in options, nounset="u" in letters)
        inner = _Reader(context, self._depth + 1)
        inner.commands, inner.carriers, inner.loops = self.commands, self.carriers, self.loops
        inner.values = self.values
        inner.unread, inner.assigned = self.unread, self.assigned
        inner.script(text, line)

    # ---- the tree ----------------------------------------------------------------------------

    def _walk(self, node: Node, context: Context, depth: int) -> None:
        if depth > _DEEPEST:
            self.unread.append((self._line(node), "too many levels of nesting"))
            return
        if node.is_error or node.is_missing:
            self._not_read(node)
        redirects, extra = self._redirected_to.pop(node.id, ((), []))
        if node.type not in _SIMPLE and redirects:
            fed = context.fed or any(r.operator.startswith("<") for r in redirects)
            context = replace(context, fed=fed, silenced=context.silenced or silences(redirects))
        match node.type:
            case "command" | "declaration_command" | "unset_command":
                self._command(node, context, depth, redirects, extra)
            case "redirected_statement":
                self._redirected(node, context, depth)
            case "pipeline":
                self._pipeline(node.named_children, context, depth)
            case "list":
                self._list(node, context, depth)
            case "while_statement" | "for_statement" | "c_style_for_statement":
                self._loop(node, context, depth)
            case "variable_assignment":
                self._assignment(node)
                self._below(node, context, depth)
            case "process_substitution":
                self._below(node, replace(_apart(context), aside=True), depth)
            case "command_substitution":
                self._below(node, _apart(context), depth)
            case "negated_command":
                self._below(node, replace(context, condition=True), depth)
            case "if_statement" | "elif_clause":
                self._below(node, context, depth, condition=True)
            case "expansion":
                self.assigned.update(guarded(node))
                self._below(node, context, depth)
            case "comment":
                return
            case _:
                self._below(node, context, depth)

    def _below(self, node: Node, context: Context, depth: int, *, condition: bool = False) -> None:
        """Walk the children of `node` in order, and note what follows each on its line.

        `condition`: the first statements of `node` are asked for their status.
        """
        children = node.children
        for index, child in enumerate(children):
            if not child.is_named and not child.is_missing:
                continue
            around = context
            if condition and node.field_name_for_child(index) == "condition":
                around = replace(around, condition=True)
            if child.type in _STATEMENTS:
                after = children[index + 1 : index + 3]
                if after and after[0].type == "&":
                    around = replace(around, background=True, fed=True)
                elif (
                    len(after) > 1
                    and after[0].type == ";"
                    and after[1].start_point[0] == child.end_point[0]
                    and _plain(after[1]) in _NOTHING
                ):
                    around = replace(around, swallowed=f"; {_plain(after[1])}")
            self._walk(child, around, depth + 1)

    def _not_read(self, node: Node) -> None:
        found = node.text.decode("utf-8", "replace").strip() if node.text else ""
        first = found.splitlines()[0][:60] if found else f"the end, before {node.type!r}"
        self.unread.append((self._line(node), first))

    def _assignment(self, node: Node) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if value is not None:
            self.values.append(argument(value, self._first_line))
        if (
            name is not None
            and name.text
            and value is not None
            and value.text not in (b'""', b"''")
        ):
            self.assigned.add(name.text.decode().partition("[")[0])

    def _list(self, node: Node, context: Context, depth: int) -> None:
        operator = next((c.type for c in node.children if c.type in ("&&", "||")), "")
        named = [c for c in node.named_children if c.type != "comment"]
        if len(named) != 2:
            self._below(node, context, depth)
            return
        left, right = named
        self._walk(left, self._left_of(operator, right, context), depth + 1)
        self._walk(right, context, depth + 1)

    @staticmethod
    def _left_of(operator: str, right: Node, context: Context) -> Context:
        """Return the context of what stands left of `operator`."""
        words = _plain(right)
        if operator == "||" and _SUCCESS.fullmatch(words):
            return replace(context, swallowed=f"|| {words}")
        if operator == "||":
            told = None if _redirected(right) else _ONLY_TOLD.match(words)
            swallowed = f"|| {told[0]}" if told else context.swallowed
            return replace(context, handled=True, swallowed=swallowed)
        return replace(context, condition=True)

    def _pipeline(self, members: Sequence[Node], context: Context, depth: int) -> None:
        members = [member for member in members if member.type != "comment"]
        words = [self._first_words(member) for member in members]
        last = len(members) - 1
        for index, member in enumerate(members):
            around = replace(
                context,
                feeders=(*context.feeders, *words[max(0, index - _NEIGHBOURS) : index]),
                readers=(*words[index + 1 : index + 1 + _NEIGHBOURS], *context.readers),
                fed=context.fed or index > 0,
                # Only the last one's status is the pipeline's, unless pipefail is set.
                handled=context.handled if index == last or self._pipefail else False,
            )
            self._walk(member, around, depth + 1)

    def _first_words(self, node: Node) -> tuple[Word, ...]:
        """Return the words of the first command in `node`, as it is behind its wrappers."""
        while node.type != "command":
            if node.type in ("while_statement", "for_statement", "if_statement"):
                return (Word(node.type.removesuffix("_statement"), self._line(node)),)
            inner = [c for c in node.named_children if c.type in _STATEMENTS]
            if not inner:
                return (Word(node.type, self._line(node)),)
            node = inner[0]
        words = tuple(argument(n, self._first_line) for n in _arguments(node))
        while words and (inside := carried(words)) and inside.words:
            if inside.limited:
                return (Word("timeout", words[0].line), *inside.words)
            words = inside.words
        return words or (Word(node.type, self._line(node)),)

    def _loop(self, node: Node, context: Context, depth: int) -> None:
        kind = node.children[0].type
        conditions = [
            child
            for index, child in enumerate(node.children)
            if node.field_name_for_child(index) == "condition" and child.is_named
        ]
        text = "; ".join((c.text or b"").decode("utf-8", "replace") for c in conditions)
        if node.type == "c_style_for_statement":
            text = text or ";;"
        if kind in ("for", "select"):
            name = node.child_by_field_name("variable")
            self.assigned.update([name.text.decode()] if name is not None and name.text else [])
            self.values += [
                argument(one, self._first_line) for one in node.children_by_field_name("value")
            ]
        body = node.child_by_field_name("body")
        self.loops.append(Loop(kind, text, self._line(node), context, _leaves(body, depth)))
        for index, child in enumerate(node.children):
            if child.is_named or child.is_missing:
                asked = node.field_name_for_child(index) == "condition"
                around = replace(context, condition=True) if asked else context
                self._walk(child, around, depth + 1)

    def _redirected(self, node: Node, context: Context, depth: int) -> None:
        """Walk a statement with redirections; those of a pipeline are its last command's."""
        body = node.child_by_field_name("body")
        redirects, extra, behind = self._redirects(node.children)
        last = body
        while last is not None and last.type in ("pipeline", "list"):
            last = [c for c in last.named_children if c.type != "comment"][-1]
        if last is not None:
            self._redirected_to[last.id] = (redirects, extra)
        if behind and last is not None:
            if behind.pipeline:
                words = tuple(self._first_words(one) for one in behind.pipeline)
                around = replace(context, fed=True, feeders=(self._first_words(last),))
                for index, one in enumerate(behind.pipeline):
                    self._walk(one, replace(around, readers=words[index + 1 :]), depth + 1)
                context = replace(context, readers=(*words, *context.readers))
            elif behind.right is not None:
                self._walk(behind.right, context, depth + 1)
                context = self._left_of(behind.operator, behind.right, context)
        if body is not None:
            self._walk(body, context, depth + 1)
        self._below_redirects(node, context, depth)

    def _below_redirects(self, node: Node, context: Context, depth: int) -> None:
        """Walk what is substituted within redirections, such as `> "$(date).log"`."""
        for child in node.children:
            if child.type in ("file_redirect", "herestring_redirect"):
                self._below(child, _apart(context), depth + 1)
            elif child.type == "heredoc_redirect":
                for below in child.named_children:
                    if below.type in ("heredoc_body", "file_redirect"):
                        self._below(below, _apart(context), depth + 1)
            elif child.is_error or child.is_missing:
                self._not_read(child)

    def _redirects(
        self, children: Sequence[Node]
    ) -> tuple[tuple[Redirect, ...], list[Node], Behind | None]:
        """Return redirections, words of the command behind them, and what follows a heredoc."""
        found: list[Redirect] = []
        extra: list[Node] = []
        behind: Behind | None = None
        for child in children:
            line = self._line(child)
            if child.type == "file_redirect":
                operator = next((c.type for c in child.children if not c.is_named), ">")
                descriptor = next((c for c in child.children if c.type == "file_descriptor"), None)
                targets = child.children_by_field_name("destination")
                between = (
                    (child.text or b"")[: targets[0].start_byte - child.start_byte]
                    if targets
                    else b""
                )
                if b"\n" in between.replace(b"\\\n", b""):
                    self.unread.append((line, f"{operator} without a file"))
                    targets = []
                extra += targets[1:]
                text = argument(targets[0], self._first_line).text if targets else ""
                number = (descriptor.text or b"").decode() if descriptor is not None else ""
                found.append(Redirect(operator, number, text, line))
            elif child.type == "herestring_redirect":
                words = [argument(c, self._first_line).text for c in child.named_children]
                found.append(Redirect("<<<", "", "", line, " ".join(words)))
            elif child.type == "heredoc_redirect":
                body = next((c for c in child.children if c.type == "heredoc_body"), None)
                text = (body.text or b"").decode("utf-8", "replace") if body is not None else ""
                at = self._line(body) if body is not None else line + 1
                start = next((c for c in child.children if c.type == "heredoc_start"), None)
                mark = (start.text or b"").decode() if start is not None else ""
                found.append(Redirect("<<", "", mark, at, text))
                more, words_behind, _ = self._redirects(child.children)
                found += more
                extra += words_behind
                extra += child.children_by_field_name("argument")
                behind = Behind.of(child) or behind
        return tuple(found), extra, behind

    # ---- commands ----------------------------------------------------------------------------

    def _command(
        self,
        node: Node,
        context: Context,
        depth: int,
        redirects: tuple[Redirect, ...] = (),
        extra: Sequence[Node] = (),
    ) -> None:
        own, more, _ = self._redirects(node.children)
        redirects = (*own, *redirects)
        words = tuple(argument(n, self._first_line) for n in [*_arguments(node), *more, *extra])
        assignments = {}
        for child in node.named_children:
            if child.type == "variable_assignment":
                name, _, value = (child.text or b"").decode("utf-8", "replace").partition("=")
                assignments[name] = value
                found = child.child_by_field_name("value")
                if found is not None:
                    self.values.append(argument(found, self._first_line))
        if node.type != "command":
            for child in node.named_children:
                if child.type == "variable_assignment":
                    self._assignment(child)
            assignments = {}
        context = replace(context, pipefail=self._pipefail, nounset=self._nounset)
        if words:
            self._note(words, self._line(node), context, redirects, assignments)
        for child in node.named_children:
            inner = _apart(context)
            if child.type == "variable_assignment":
                self._below(child, inner, depth + 1)
            elif child.type not in ("word", "number", "raw_string"):
                self._walk(child, inner, depth + 1)

    def _note(
        self,
        words: tuple[Word, ...],
        line: int,
        context: Context,
        redirects: tuple[Redirect, ...],
        assignments: dict[str, str],
    ) -> None:
        context = replace(context, silenced=context.silenced or silences(redirects))
        fed = context.fed or any(r.operator.startswith("<") for r in redirects)
        while inside := carried(words):
            own = words[: len(words) - (len(inside.words) or inside.joined or len(words))]
            if own:
                self.carriers.append(Command(own, line, context))
            context = _within(words, inside, context, fed=fed)
            if inside.script is not None:
                self._inner(
                    inside.script.text,
                    inside.script.line,
                    replace(context, fed=fed),
                    inside.options,
                )
                return
            words = inside.words
        if not words:
            return
        command = Command(words, line, context, redirects, assignments)
        self.commands.append(command)
        self._remember(command)
        # A shell, here or far away, that reads its script from a heredoc or a herestring.
        if command.bodies and _reads_a_script(command):
            body = command.bodies[-1]
            self._inner(body.body, body.line, replace(context, fed=True, readers=(), feeders=()))

    def _remember(self, command: Command) -> None:
        """Note what `command` does to the shell itself."""
        if command.name == "set":
            for option in re.findall(r"[-+]\w*o pipefail|[-+]o \w+|[-+]\w+", command.text):
                on = option[0] == "-"
                if "pipefail" in option:
                    self._pipefail = on
                if "nounset" in option or (" " not in option and "u" in option):
                    self._nounset = on
                if "pipefail" in option and "u" in option.split()[0]:
                    self._nounset = on
        elif command.name in ("read", "mapfile", "readarray", "getopts"):
            self.assigned.update(a for a in command.arguments if re.fullmatch(r"[A-Za-z_]\w*", a))


def _apart(context: Context) -> Context:
    """Return the context of a substitution within a command that stands in `context`."""
    return replace(
        context,
        readers=(),
        feeders=(),
        background=False,
        condition=False,
        handled=False,
        swallowed="",
        silenced=False,
    )


def _within(words: tuple[Word, ...], inside: Carried, context: Context, *, fed: bool) -> Context:
    """Return the context of what the wrapper in `words` carries."""
    name = name_of(words)
    return replace(
        context,
        limited=context.limited or inside.limited,
        background=context.background or inside.background,
        fed=context.fed or inside.fed or (fed and name in SHELLS),
        wrappers=(*context.wrappers, name),
    )


def _redirected(node: Node) -> bool:
    """Whether what `node`, the end of a list, says goes elsewhere, such as to standard error."""
    around = node.parent.parent if node.parent else None
    return around is not None and around.type == "redirected_statement"


def _reads_a_script(command: Command) -> bool:
    if command.name in SHELLS:
        return not [a for a in command.arguments if not a.startswith("-") and a != "pipefail"]
    return command.name == "ssh"


def _arguments(node: Node) -> Iterator[Node]:
    """Yield the nodes of a command's words."""
    for child in node.children:
        if child.type in (
            "variable_assignment",
            "file_redirect",
            "heredoc_redirect",
            "herestring_redirect",
            "comment",
        ):
            if child.type == "variable_assignment" and node.type != "command":
                yield child
            continue
        if child.is_error or child.is_missing:
            continue
        yield child


def _plain(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace").strip()


def _leaves(body: Node | None, depth: int) -> bool:
    """Whether a `break`, `exit` or `return` stands in a loop's body."""
    waiting = [(body, depth)] if body is not None else []
    while waiting:
        node, level = waiting.pop()
        if node.type == "command" and re.match(
            rb"(break|exit|return|exec|kill)\b", node.text or b""
        ):
            return True
        waiting += [(child, level + 1) for child in node.named_children]
    return False
