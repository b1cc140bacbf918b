"""The variables of make: does each one that was set exist? And TESTS, word by word, for pytest.

The first question is asked before there is more than a Python: nothing else is imported here.
"""

import difflib
import os
import shlex
import sys


def problem() -> str:
    """Return what is wrong with the variables on make's command line, "" for nothing."""
    known = os.environ.get("NAMES", "").split()
    for name in os.environ.get("GIVEN", "").split():
        if name not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.5)
            advice = f"did you mean {near[0]}?" if near else "`make help` lists them."
            return f"Expected a variable that there is; found {name}.\nTry: {advice}"
    try:
        words()
    except ValueError as error:
        return f"Expected TESTS='options of pytest'; found {error}.\nTry: close each quote."
    return ""


def words() -> list[str]:
    """Return the words of TESTS as a shell would, had it no commands. Raises ValueError."""
    return shlex.split(os.environ.get("TESTS", ""))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:], *words()])  # noqa: S606
    wrong = problem()
    if wrong:
        sys.stderr.write(wrong + "\n")
        sys.exit(2)
