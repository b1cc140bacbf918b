"""Makes the file by which reports tell what each check was seen red for, of a sabotage matrix.

`python -m rollback_drill.campaigns.proof_file MATRIX`, with the sabotage.json or sabotage.md that a
run of `make sabotage` wrote. Only a run in which all were held is taken.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rollback_drill.campaigns.matrix import Found
from rollback_drill.ground import files
from rollback_drill.ground.errors import Exit, UsageError
from rollback_drill.record.decoding import load
from rollback_drill.report.proof import BUDGETS, COMMANDS, PROOF_FILE, KnownProof, RedFor

_SEEN = (Found.CAUGHT, Found.ELSEWHERE)
_MISSED = (Found.ELSEWHERE, Found.SURVIVED, Found.UNKNOWN)
_HEAD = re.compile(r"Version (\S+) \((\w+)\), (\d{4}-\d\d-\d\d), by `make sabotage`")
_ROW = re.compile(r"\| `([^`]+)` \| (.*) \| [^|]+ \| ([^|]+) \|")
_KEY = re.compile(rf"({COMMANDS}|{BUDGETS}|[a-z]+_[a-z_]+)(: .*)?")
_VERSION = re.compile(r"(\S+) \((\w+)\)")
_EXPECTED = "the sabotage.json or sabotage.md of a run of make sabotage that held all"


@dataclass(frozen=True, slots=True)
class _Line:
    """What a matrix says of one sabotage."""

    name: str
    breaks: str
    caught_by: str
    fate: str
    by: tuple[str, ...]
    alone: bool


def proof_of(path: Path) -> KnownProof:
    """Return what a matrix proves. Raises UsageError for a file that is no matrix, or one of a run
    in which not all were held.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(_EXPECTED, f"{path}: {error.strerror}", "name that file") from error
    try:
        version, day, lines = _of_json(text) if path.suffix == ".json" else _of_page(text)
        named = _VERSION.fullmatch(version)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(_EXPECTED, f"something else in {path}", "name that file") from error
    known = {one.value for one in Found}
    if not named or not lines or any(one.fate not in known for one in lines):
        held = sum(one.fate in known for one in lines)
        raise UsageError(
            _EXPECTED, f"{held} of {len(lines)} held in {path}", "hold the rest: make sabotage"
        )
    return KnownProof(named[1], named[2], day, path.name, len(lines), _checks(lines))


def _checks(lines: Iterable[_Line]) -> dict[str, RedFor]:
    seen: dict[str, list[_Line]] = {}
    missed: dict[str, int] = {}
    for one in lines:
        for key in {_plain(key) for key in one.by} if one.fate in _SEEN else ():
            seen.setdefault(key, []).append(one)
        own = _plain(one.caught_by)
        if one.fate in _MISSED and own not in map(_plain, one.by):
            missed[own] = missed.get(own, 0) + 1
    found = {}
    for key in sorted({*seen, *missed}):
        some = sorted(seen.get(key, ()), key=lambda one: (not one.alone, one.name))
        name, breaks = (some[0].name, some[0].breaks) if some else ("", "")
        found[key] = RedFor(name, breaks, max(0, len(some) - 1), missed.get(key, 0))
    return found


def _plain(key: str) -> str:
    return key.partition(": ")[0]


def _of_json(text: str) -> tuple[str, str, list[_Line]]:
    told = load(text)
    lines = [
        _Line(
            one["name"],
            one["breaks"],
            one["caught_by"],
            one["fate"] or "",
            tuple(one["by"]),
            one["how"] == "alone",
        )
        for one in told["sabotages"]
    ]
    return told["version"], told["day"], lines


def _of_page(text: str) -> tuple[str, str, list[_Line]]:
    head = _HEAD.search(text)
    if head is None:
        raise ValueError(text[:80])
    return f"{head[1]} ({head[2]})", head[3], list(_rows(text))


def _rows(text: str) -> Iterator[_Line]:
    keys = {line[3:] for line in text.splitlines() if line.startswith("## ")}
    caught_by = ""
    for line in text.splitlines():
        if line.startswith("## "):
            caught_by = line[3:]
        row = _ROW.fullmatch(line)
        if row is None:
            continue
        outcome, _, others = row[3].partition(": ")
        fate, _, how = outcome.partition(", ")
        by = tuple(_apart(others, keys)) if others else ()
        if fate == Found.CAUGHT:
            by = (caught_by,)
        breaks = row[2].replace("\\|", "|")
        yield _Line(row[1], breaks, caught_by, fate, by, how == "alone")


def _apart(joined: str, keys: set[str]) -> Iterator[str]:
    """Yield the keys of which a page says, joined by commas; some have a comma themselves."""
    found: list[str] = []
    for part in joined.split(", "):
        if part in keys or _KEY.fullmatch(part) or not found:
            found.append(part)
        else:
            found[-1] += f", {part}"
    return iter(found)


def make_proof_file(arguments: list[str]) -> int:
    """Write the file of the package; return the exit code."""
    try:
        if len(arguments) != 1:
            raise UsageError(_EXPECTED, f"{len(arguments)} names", "name one file")
        known = proof_of(Path(arguments[0]))
    except UsageError as error:
        sys.stderr.write(f"Expected {error.expected}; found {error.found}.\n")
        sys.stderr.write(f"Try: {error.advice}.\n")
        return Exit.USAGE
    files.write(PROOF_FILE, json.dumps(asdict(known), indent=1, ensure_ascii=False) + "\n")
    seen = sum(bool(one.sabotage) for one in known.checks.values())
    sys.stdout.write(f"{PROOF_FILE.name}: {seen} checks, {known.told()}\n")
    return Exit.PASSED


if __name__ == "__main__":
    sys.exit(make_proof_file(sys.argv[1:]))
