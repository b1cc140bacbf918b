"""`python -m rollback_drill`, and the command `rollback-drill`."""

import gc
import sys

gc.disable()  # while all is loaded: nothing of it is garbage. See `cli`

from rollback_drill.cli import main  # noqa: E402


def command() -> None:
    """Do what the command line asks, and end with its exit code."""
    sys.exit(main())


if __name__ == "__main__":
    command()
