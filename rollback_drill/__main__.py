"""`python -m rollback_drill`, which make calls, and the command `rollback-drill`."""

import gc
import sys

gc.disable()  # while all is loaded: nothing of it is garbage. See `cli`

from rollback_drill.cli import main  # noqa: E402
from rollback_drill.ground.spoken import as_command  # noqa: E402


def command() -> None:
    """Do what the command line asks, and end with its exit code."""
    sys.exit(main(say=str if sys.argv[1:2] == ["make"] else as_command))


if __name__ == "__main__":
    command()
