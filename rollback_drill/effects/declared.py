"""What a procedure says that it changes, by the words of its blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rollback_drill.effects.told import EffectsDeclared
from rollback_drill.runbook.model import Procedure

_CONFIG = "CONFIG_FILE"
_WORD = re.compile(r"[a-z_][\w-]{2,}")
_ASSIGNED = re.compile(r"^\s*(\w+)=(\"[^\"\n]*\"|\S+)", re.MULTILINE)
_NAME = r"\s+\"?((?:\$\([^)]*\)|[^\s;\"'])+)"
# A copy that is made has to be dropped or swapped in.
_KEPT = re.compile(r"RENAME\s+TO" + _NAME, re.I)
_DROPPED = re.compile(
    r"(?:DROP\s+DATABASE(?:\s+IF\s+EXISTS)?|\bdropdb\b(?:\s+--?\S+)*)" + _NAME, re.I
)
_BLANK = re.compile(r"\$\((?:[^()]|\([^()]*\))*\)|\$\{[^}]*\}|\$\w+|\$\$")
_PUSHES = re.compile(r"\bgit\s(?:(?!stash)[^\n|;&])*?\bpush\b([^\n|;&]*)")
_ROTATES = re.compile(r"-m(?:time|min)\b.*(?:-delete\b|\brm\b)")


def declared(procedure: Procedure, own: str) -> EffectsDeclared:
    """Return what `procedure` says that it changes; `own`: the name of the service's database."""
    scripts = list(_scripts(procedure))
    keys = {
        word
        for script in scripts
        if _CONFIG in script
        for line in script.splitlines()
        if _CONFIG in line
        for word in _WORD.findall(line)
    }
    left: list[str] = []
    dropped: list[str] = []
    for script in scripts:
        values = {name: value.strip('"') for name, value in _ASSIGNED.findall(script)}
        gone = _DROPPED.findall(script)
        dropped += [_pattern(one, values) for one in gone]
        left += [_pattern(one, values) for one in _KEPT.findall(script) if one not in gone]
    return EffectsDeclared(
        procedure=procedure.number,
        keys=tuple(sorted(keys)),
        databases=tuple(dict.fromkeys(left)),
        drops=tuple(dict.fromkeys(dropped)),
        rotates=any(_ROTATES.search(script) for script in scripts),
        own=own,
        pushes=tuple(words.strip() for script in scripts for words in _PUSHES.findall(script)),
    )


def is_one_of(name: str, patterns: Iterable[str]) -> bool:
    """Return whether a name fits one of `patterns`; one without any word of its own fits none."""
    return any(
        re.search(r"\w\w\w", one.replace(".*", "")) and re.fullmatch(one, name) for one in patterns
    )


def _pattern(word: str, values: dict[str, str]) -> str:
    """Return the pattern of a name: what stands in it for something else fits anything."""
    whole = re.fullmatch(r"\$\{?(\w+)\}?", word)
    word = values.get(whole[1], word) if whole else word
    return ".*".join(re.escape(part) for part in _BLANK.split(word))


def _scripts(procedure: Procedure) -> Iterator[str]:
    blocks = [*procedure.prerequisite_blocks]
    blocks += [block for step in procedure.steps for block in step.blocks]
    for block in blocks:
        yield from (one.script for one in block.alternatives)
