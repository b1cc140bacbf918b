"""Settings that are written wrongly or never reach the process that should read them."""

from __future__ import annotations

import re

import yaml

from rollback_drill.runbook.lint import Said, rule_of_scripts
from rollback_drill.runbook.shell import Script


@rule_of_scripts(
    "signal-to-a-pattern", "high", "let the supervisor signal the one process that it started"
)
def signal_to_pattern(script: Script) -> Said:
    """A pattern of a command line also matches the shell that looks for it, and strangers."""
    for command in script.commands:
        match = None
        if command.name == "kill":
            match = re.search(r"kill\b.*?(?:\$\(|`)\s*(?:pgrep|pidof|ps)\b", command.text)
            looked = {feeder[0].text for feeder in command.context.feeders}
            if looked & {"pgrep", "pidof", "ps"}:
                match = re.match(r".*", command.text)
        elif command.name in ("pkill", "killall"):
            match = re.match(r"pkill|killall", command.name)
        if match:
            yield (
                command.line,
                f"{match.group()!r} may hit other processes, its own shell among them",
            )


@rule_of_scripts("flat-heredoc", "high", "change the one value in place, or mind the indentation")
def flat_heredoc(script: Script) -> Said:
    """A heredoc of YAML in which a mapping's key has lost what should stand below it."""
    for command in script.commands:
        files = [r.target for r in command.redirects if r.operator.startswith(">")]
        if not any(re.search(r"\.ya?ml$", name) for name in (*files, *command.arguments)):
            continue
        for body in command.bodies:
            at = body.line - 1
            try:
                found = yaml.safe_load(body.body)
            except (yaml.YAMLError, RecursionError, ValueError):
                yield at, "the YAML in this heredoc cannot be read"
                continue
            mapping = found if isinstance(found, dict) else {}
            empty = [key for key, value in mapping.items() if value is None]
            if empty and len(mapping) > len(empty):
                yield (
                    at,
                    f"{empty[0]!r} has nothing below it: what should be nested stands beside it",
                )


@rule_of_scripts(
    "restart-keeps-old-code", "high", "build and create it anew: `up --build --force-recreate`"
)
def restart_keeps_code(script: Script) -> Said:
    """A composed service that is only restarted runs the image that it ran before."""
    for command in script.commands:
        match = re.match(r"docker(?:-| )compose\b.*\brestart\b", command.text)
        if match:
            yield (
                command.line,
                f"{match.group()!r} does not rebuild the image: the old code goes on",
            )
