"""Brings the staging machine up, checks it, and drills it: `make example`."""

from __future__ import annotations

import os
import subprocess
import sys

from examples.kinto.environment import HERE, KintoStaging
from rollback_drill.ground.errors import DrillError, Exit
from rollback_drill.ground.machine import keep_out
from rollback_drill.ground.signals import told_to_end
from rollback_drill.ground.terminal import outlive_terminal, shown


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
    outlive_terminal()
    try:
        with told_to_end(), KintoStaging() as machine:
            os.environ.update(machine.variables)
            for words in (["check", *common], drill):
                status = _run(words)
                if status:
                    return status
    except DrillError as error:
        told = f"Expected {error.expected}; found {error.found}.\nTry: {error.advice}."
        sys.stderr.write(shown(told) + "\n")
        return error.exit
    except KeyboardInterrupt:
        sys.stderr.write("Ended by the operator.\n")
        return Exit.UNKNOWN
    return 0


def _run(words: list[str]) -> int:
    """Run a command of the suite; one that is told to end heals and clears up before we go on."""
    command = subprocess.Popen([sys.executable, "-m", "rollback_drill", *words])
    try:
        return command.wait()
    except KeyboardInterrupt:
        command.terminate()  # the terminal's signal reached it too: it then ignores this one
        command.wait()
        raise


if __name__ == "__main__":
    sys.exit(main())
