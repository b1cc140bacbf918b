"""Brings the staging machine up, checks it, and drills it: `make example`."""

from __future__ import annotations

import os
import subprocess
import sys

from drill.errors import DrillError
from drill.machine import keep_out
from examples.kinto.environment import HERE, KintoStaging


def main() -> int:
    """Return the exit code of the check, or else of the drill."""
    common = ["--stage", str(HERE / "staging.toml"), "--runbook", str(HERE / "runbook.md")]
    drill = [
        "drill",
        *common,
        "--fault",
        "settings-gone-wrong",
        "--rate",
        "20",
        "--pace",
        "30",
        *sys.argv[1:],
    ]
    keep_out()
    try:
        with KintoStaging() as machine:
            os.environ.update(machine.variables)
            for words in (["stage-check", *common], drill):
                done = subprocess.run([sys.executable, "-m", "drill", *words], check=False)
                if done.returncode:
                    return done.returncode
    except DrillError as error:
        sys.stderr.write(f"Expected {error.expected}; found {error.found}.\nTry: {error.advice}.\n")
        return error.exit
    return 0


if __name__ == "__main__":
    sys.exit(main())
