"""Names that users write: the one that they may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from rollback_drill.ground.errors import UsageError


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the one of `names` that is most like `name`, "" when none is."""
    known = {one.lower(): one for one in names}
    found = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return known[found[0]] if found else ""


def no_such(what: str, name: str, names: Iterable[str], advice: str, by: str = "") -> UsageError:
    """Return the error for a `name` that is none of `names`; `what`: "a fault"; `by`: who names it,
    "a trigger that reads", where it is not the user.
    """
    known = list(names)
    near = nearest(name, known)
    meant = f"did you mean {near}? Else {advice}" if near else advice
    return UsageError(f"{what}: {', '.join(known)}", f"{by} {name!r}".strip(), meant)
