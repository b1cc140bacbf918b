"""Reads a runbook for what goes wrong in every runbook. Rules are general; each knows its line.

A rule is a generator of findings over a runbook, registered by `@rule`. What only execution can
show is left to `drill.revalidation`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from drill.presumed import presumed
from drill.runbook.model import CodeBlock, Procedure, Runbook, Step


@dataclass(frozen=True, slots=True)
class Lint:
    """One suspicion. `rule`: its name; `severity`: "high", "medium" or "low"."""

    rule: str
    severity: str
    line: int
    what: str
    advice: str


Rule = Callable[[Runbook], Iterator[tuple[int, str]]]
_RULES: list[tuple[str, str, str, Rule]] = []


def rule(name: str, severity: str, advice: str) -> Callable[[Rule], Rule]:
    """Register the decorated rule, which yields (line, what is wrong)."""

    def register(function: Rule) -> Rule:
        _RULES.append((name, severity, advice, function))
        return function

    return register


def lint(runbook: Runbook) -> list[Lint]:
    """Return what all rules have to say about `runbook`, by line."""
    found = {
        (name, line): Lint(name, severity, line, what, advice)
        for name, severity, advice, function in _RULES
        for line, what in function(runbook)
    }
    return sorted(found.values(), key=lambda one: (one.line, one.rule))


def _blocks(runbook: Runbook) -> Iterator[CodeBlock]:
    yield from runbook.pre_rollback.blocks
    yield from runbook.verification.blocks
    for procedure in runbook.procedures:
        yield from procedure.prerequisite_blocks
        for step in procedure.steps:
            yield from step.blocks


def _commands(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of every line of every command; continued lines as one, no comments."""
    for block in _blocks(runbook):
        for alternative in block.alternatives:
            began, text = 0, ""
            for offset, part in enumerate(alternative.script.splitlines()):
                if not text:
                    began = alternative.line + offset
                text += part.rstrip()
                if text.endswith("\\"):
                    text = text[:-1]
                    continue
                if not text.lstrip().startswith("#"):
                    yield began, text
                text = ""


def _matching(runbook: Runbook, pattern: str) -> Iterator[tuple[int, re.Match[str]]]:
    expression = re.compile(pattern)
    for line, text in _commands(runbook):
        match = expression.search(text)
        if match:
            yield line, match


@rule("never-returns", "high", "end it by itself, or within a stated time (`timeout 60 …`)")
def never_returns(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """Commands that follow a log or repeat for ever: nothing after them runs."""
    pattern = (
        r"\btail\s+(?:-\w*[fF]\b|--follow)|\bjournalctl\b.*\s-\w*f\b|^\s*watch\s|\blogs\s+(?:-f\b|--follow)"
        r"|^\s*(?:top|htop|less|vi|vim|nano)\b(?!.*-b)|\bwhile\s+(?:true|:)\s*;"
    )
    for line, match in _matching(runbook, pattern):
        if "timeout" not in match.string[: match.start()]:
            yield line, f"{match.group().strip()!r} never returns by itself"


@rule("placeholder", "high", "use a variable that is set beforehand, and fails when it is not")
def placeholders(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """Blanks left in commands."""
    pattern = (
        r"<[a-z][a-z _-]{2,}>(?!\S)|\[[A-Za-z][A-Za-z ]{2,}\](?=[\s\"']|$)"
        r"|\b(?:TODO|FIXME|CHANGEME|REPLACE_?ME|YOUR_[A-Z_]+)\b|\bX{3,}\b|:\.{3}:|arn:\.\.\.|\.\.\.(?=\s|$)"
    )
    for line, match in _matching(runbook, pattern):
        if not re.search(
            r"\[\s|\[\[|\btest\b|\$\(\(|<<", match.string[max(0, match.start() - 3) :][:4]
        ):
            yield line, f"{match.group()!r} is a blank that nobody has filled in"


@rule("relative-downgrade", "high", "name the exact revision")
def relative_downgrade(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """A downgrade by a number of steps goes too far when it is run twice."""
    for line, match in _matching(runbook, r"\bdowngrade\s+(?:--\S+\s+)*(-\d+)"):
        yield line, f"a downgrade by {match[1]} goes further each time that it is run"


@rule("restore-without-stop", "high", "use a fresh database, `ON_ERROR_STOP=1`, `--exit-on-error`")
def restore_without_stop(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """A restore that goes on after errors ends with status 0 and restores nothing."""
    for line, match in _matching(runbook, r"\bpsql\b.*(?:<\s*[\w\"'$/.{]|\s-f\s|--file)"):
        text = match.string
        if "ON_ERROR_STOP" not in text and "<<" not in text:
            yield line, "psql goes on after an error and ends with status 0"
    for line, match in _matching(runbook, r"\bpg_restore\b"):
        text = match.string
        into = re.search(r"\s(?:-d|--dbname)\b", text)
        if into and not re.search(r"--exit-on-error|\s-e\b|--single-transaction|\s-1\b", text):
            yield line, "pg_restore goes on after an error"


@rule("forced-drop", "medium", "end your own sessions by name, then drop it without force")
def forced_drop(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """A database dropped by force: whoever is no superuser is refused, and the database stays,
    while an autovacuum worker, which is the superuser's, looks at it.
    """
    force = r"(?i)\bdrop\s+database\b.*\bwith\s*\(\s*force\s*\)|\bdropdb\b.*\s(?:--force|-\w*f)\b"
    for line, match in _matching(runbook, force):
        yield line, f"{match.group()!r} is refused beside an autovacuum worker"


@rule("signal-to-a-pattern", "high", "let the supervisor signal the one process that it started")
def signal_to_pattern(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """A pattern of a command line also matches the shell that looks for it, and strangers."""
    pattern = r"\bpkill\b|\bkillall\b|\bkill\b.*(?:\$\(|`)\s*(?:pgrep|pidof|ps)\b"
    for line, match in _matching(runbook, pattern):
        yield line, f"{match.group()!r} may hit other processes, its own shell among them"


@rule("flat-heredoc", "high", "change the one value in place, or mind the indentation")
def flat_heredoc(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """A heredoc of YAML in which a mapping's key has lost what should stand below it."""
    for block in _blocks(runbook):
        for alternative in block.alternatives:
            for offset, body in _yaml_heredocs(alternative.script.splitlines()):
                try:
                    found = yaml.safe_load(body)
                except yaml.YAMLError:
                    yield alternative.line + offset, "the YAML in this heredoc cannot be read"
                    continue
                mapping = found if isinstance(found, dict) else {}
                empty = [key for key, value in mapping.items() if value is None]
                if empty and len(mapping) > len(empty):
                    what = "what should be nested stands beside it"
                    yield alternative.line + offset, f"{empty[0]!r} has nothing below it: {what}"


def _yaml_heredocs(lines: list[str]) -> Iterator[tuple[int, str]]:
    for number, text in enumerate(lines):
        end = re.search(r"<<-?\s*['\"]?(\w+)", text)
        if end and re.search(r"\.ya?ml\b", text):
            body = []
            for line in lines[number + 1 :]:
                if line.strip() == end[1]:
                    break
                body.append(line)
            yield number, "\n".join(body)


@rule("restart-keeps-old-code", "high", "build and create it anew: `up --build --force-recreate`")
def restart_keeps_code(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """A composed service that is only restarted runs the image that it ran before."""
    for line, match in _matching(runbook, r"\bdocker(?:-| )compose\b[^|;&]*\brestart\b"):
        yield line, f"{match.group()!r} does not rebuild the image: the old code goes on"


@rule("backup-proven-by-size", "high", "read it in full and restore it into a scratch database")
def backup_by_size(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """A backup of which only the size is looked at: an empty dump is larger than 1 KB."""
    for procedure in runbook.procedures:
        for step in procedure.steps:
            sizes = [
                box for box in step.checkboxes
                if re.search(r"\bsize\b.*\d\s*[KMG]B", box.text, re.IGNORECASE)
            ]  # fmt: skip
            scripts = " ".join(a.script for block in step.blocks for a in block.alternatives)
            if sizes and "pg_restore" not in scripts:
                yield sizes[0].line, "the backup is judged by its size, and never read"


@rule("budgets-beyond-estimate", "medium", "correct the estimate, or the steps' budgets")
def budgets_beyond_estimate(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """The steps' budgets add up to more, or to much less, than the procedure's estimate."""
    for procedure in runbook.procedures:
        # Whether watching the service afterwards counts is up to the reader.
        low = sum(step.budget.low_s for step in procedure.steps if not step.window_s)
        high = sum(step.budget.high_s for step in procedure.steps)
        if low > procedure.estimate.high_s or high < procedure.estimate.low_s:
            yield (
                procedure.line,
                f"the steps of Procedure {procedure.number} take {low / 60:g} to {high / 60:g} "
                f"minutes, its estimate says {procedure.estimate.text}",
            )


def _scripts(procedure: Procedure) -> str:
    return "\n".join(
        a.script for step in procedure.steps for block in step.blocks for a in block.alternatives
    )


@rule("migrations-without-code", "high", "revert the code too, after the migrations")
def migrations_without_code(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """A procedure that takes the schema back but leaves the newer code on it."""
    reverts = re.compile(
        r"\bgit\s+(?:checkout|switch|reset|revert)\b|\bkubectl rollout undo\b|image:"
    )
    for procedure in runbook.procedures:
        text = _scripts(procedure)
        if re.search(
            r"\bdowngrade\b|migrate.*\bzero\b|\bdb:rollback\b", text
        ) and not reverts.search(text):
            yield (
                procedure.line,
                f"Procedure {procedure.number} reverts the migrations and never the code",
            )


@rule("code-before-migrations", "high", "revert the migrations from the new tree, then the code")
def code_before_migrations(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """The old tree does not know the revision that is to be undone."""
    for procedure in runbook.procedures:
        checkout = 0
        for step in procedure.steps:
            for block in step.blocks:
                text = block.alternatives[0].script
                if re.search(r"\bgit\s+(?:checkout|switch)\b.*(?:tags/|v?\d+\.\d+|-b\b)", text):
                    checkout = checkout or block.line
                if checkout and not block.fallback and re.search(r"\balembic\s+downgrade\b", text):
                    yield block.line, "the downgrade comes after the checkout of the old tree"


@rule("skipped-step", "medium", "follow it too, or say why it is left out")
def skipped_step(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """A procedure follows another one's steps around one that it neither follows nor replaces."""
    for procedure in runbook.procedures:
        followed: dict[int, set[int]] = {}
        for step in procedure.steps:
            match = re.fullmatch(r"Procedure (\d+), Step (\d+)", step.origin)
            if match:
                followed.setdefault(int(match[1]), set()).add(int(match[2]))
        for number, steps in followed.items():
            other = runbook.procedure(number)
            for missing in sorted(set(range(min(steps), max(steps))) - steps):
                yield from (
                    (
                        procedure.line,
                        f"Procedure {procedure.number} leaves out Step {missing} of Procedure "
                        f"{number} ({left.title})",
                    )
                    for left in other.steps
                    if left.number == missing and _changes(left) and not _does(procedure, left)
                )


def _changes(step: Step) -> bool:
    """Whether a command of `step` changes anything, rather than only looks."""
    words = (
        r"\b(?:checkout|switch|reset|restart|stop|start|sync|install|downgrade|upgrade|apply|"
        r"rollout|pg_restore|rm|cp|mv)\b"
    )
    return any(re.search(words, a.script) for block in step.blocks for a in block.alternatives)


def _does(procedure: Procedure, step: Step) -> bool:
    """Whether `procedure` has at least half of the commands of `step`, by their first words."""
    wanted = _first_words("\n".join(a.script for b in step.blocks for a in b.alternatives))
    return 2 * len(wanted & _first_words(_scripts(procedure))) >= len(wanted) > 0


def _first_words(script: str) -> set[tuple[str, ...]]:
    lines = (line.split() for line in script.splitlines() if not line.lstrip().startswith("#"))
    return {tuple(w for w in words if not w.startswith("-"))[:2] for words in lines if words}


@rule("contradiction", "medium", "let one place have the number, and the others follow it")
def contradictions(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """Checkboxes whose limits are not those of the matrix's first row."""
    if not runbook.matrix:
        return
    normal = runbook.matrix[0]
    boxes = [*runbook.verification.checkboxes]
    boxes += [b for p in runbook.procedures for step in p.steps for b in step.checkboxes]
    for box in boxes:
        share = re.search(r"error rate\D*(\d[\d.]*)\s*%", box.text, re.IGNORECASE)
        if share and float(share[1]) / 100 > normal.error_rate.high + 1e-9:
            yield box.line, f"{box.text!r} allows more than the matrix calls {normal.condition}"
        speed = re.search(r"p95\D*(\d[\d.]*)\s*(ms|s)\b", box.text, re.IGNORECASE)
        if speed:
            limit_s = float(speed[1]) / (1000 if speed[2] == "ms" else 1)
            if limit_s > normal.p95.high + 1e-9:
                yield box.line, f"{box.text!r} allows more than the matrix calls {normal.condition}"


@rule("overlapping-edges", "medium", "let an edge belong to one of them, and say to which")
def overlapping_edges(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """Two triggers of different tiers that hold for the same number."""
    pattern = re.compile(
        r"(?P<what>error rate|degradation|latency)\D*?(?P<low>\d[\d.]*)"
        r"(?:\s*[-–]\s*(?P<high>\d[\d.]*))?",
        re.IGNORECASE,
    )
    bands = []
    for trigger in runbook.triggers:
        match = pattern.search(trigger.name)
        if match:
            high = float(match["high"]) if match["high"] else float("inf")
            bands.append((match["what"].lower(), float(match["low"]), high, trigger))
    for (what, low, high, one), (other_what, low2, high2, other) in itertools.combinations(
        bands, 2
    ):
        if what == other_what and low < high2 and low2 < high:
            yield other.line, f"“{one.name}” and “{other.name}” hold for the same numbers"


@rule("waits-for-locks", "low", "set a lock_timeout and try again")
def waits_for_locks(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """A downgrade that waits for a lock makes everybody behind it wait as well."""
    for line, match in _matching(runbook, r"\balembic\s+downgrade\b"):
        near = match.string
        if "lock_timeout" not in near and "DATABASE_URL=" not in near:
            yield line, "the downgrade waits for locks for ever, and all writers behind it"


@rule("file-from-nowhere", "medium", "make it in an earlier step, or say where it is kept")
def file_from_nowhere(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """A restore that reads a file which no command of its procedure makes."""
    for procedure in runbook.procedures:
        for line, name, _ in presumed(procedure):
            yield line, f"{name} is read, and nothing in Procedure {procedure.number} makes it"
