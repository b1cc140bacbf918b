"""Brings a staging machine up, checks it, and drills it: `make example`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from examples.kinto.environment import KintoStaging
from examples.machine import StagingMachine
from examples.unleash.environment import UnleashStaging
from rollback_drill.ground.errors import DrillError, Exit
from rollback_drill.ground.machine import keep_out
from rollback_drill.ground.signals import told_to_end
from rollback_drill.ground.terminal import outlive_terminal, shown

_Drills = dict[str, tuple[int, tuple[str, ...]]]
_SERVICES: dict[str, tuple[Callable[[], StagingMachine], _Drills]] = {
    "kinto": (KintoStaging, {"": (0, ("--fault=settings-gone-wrong",))}),
    "unleash": (
        UnleashStaging,
        {
            "code": (0, ("--fault=limit-gone-wrong",)),
            "kill-switch": (0, ("--fault=checkout-gone-wrong", "--procedure=3")),
            # Its migrations' own ways down lose what its runbook does not say.
            "database": (Exit.FAILED, ("--fault=limit-gone-wrong", "--procedure=2")),
        },
    ),
}
"""What brings each machine up, and the drills that are held on it: by the folder of the report, how
they are to end, and what they are told.
"""


def main() -> int:
    """Return the exit code of the first command that does not end as it should, 0 where all do."""
    asked = argparse.ArgumentParser(prog="python -m examples")
    asked.add_argument("--service", choices=_SERVICES, default="kinto")
    asked.add_argument("--report", type=Path, default=Path("reports/latest"))
    told = asked.parse_args()
    bring_up, drills = _SERVICES[told.service]
    here = Path(__file__).parent / told.service
    common = ["--stage", str(here / "staging.toml"), "--runbook", str(here / "runbook.md")]
    rest = ("--rate=20", "--pace=30")
    asked_for = [(0, ["check", *common])] + [
        (ends, ["drill", *common, *words, *rest, f"--report={told.report / name}"])
        for name, (ends, words) in drills.items()
    ]
    keep_out()
    outlive_terminal()
    try:
        with told_to_end(), bring_up() as machine:
            os.environ.update(machine.variables)
            for ends, words in asked_for:
                status = run_command(words)
                if status != ends:
                    return status or Exit.UNKNOWN
    except DrillError as error:
        said = f"Expected {error.expected}; found {error.found}.\nTry: {error.advice}."
        sys.stderr.write(shown(said) + "\n")
        return error.exit
    except KeyboardInterrupt:
        sys.stderr.write("Ended by the operator.\n")
        return Exit.UNKNOWN
    return 0


def run_command(words: list[str]) -> int:
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
