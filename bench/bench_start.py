"""How soon the command line answers: `python -m bench.bench_start` (some seconds).

Prints the CPU time, the least of three, that `--help`, `--version` and mistakes of use take, beside
that of a Python that does nothing. Exit code 1 when one takes 0.3 s or more, or is no mistake.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 0.3
_TIMES = 3
ASKED = ("--help", "--version", *(f"{verb} --help" for verb in ("drill", "revalidate", "decide")))
MISTAKES = (
    "dril",
    "drill --fautl=none",
    "drill --rate=fast",
    "drill --pace=0",
    "drill --procedure=9",
    "drill --fault=connection-exhaustoin",
    "drill --hazard=disk-ful",
    "drill --stage=no-such-file.toml",
    "drill --stage=procesess",
    "drill --runbook=no-such-file.md",
    "drill --channels=no-such-file.toml",
    "drill --resume=no-such-folder",
    "drill --mode=manual",
    "drill --report=README.md",
    "revalidate --runbook=no-such-file.md",
    "interruptions --runbook=no-such-file.md",
    "check --stage=no-such-file.toml",
    "bindings --runbook=no-such-file.md",
    "read --runbook=no-such-file.md",
    "monitoring --runbook=no-such-file.md",
    "decide --from=no-such-file.csv",
    "report --from=no-such-file.jsonl",
)


def took_s(arguments: list[str], wanted: int) -> float | None:
    """Return the least CPU time of a Python with these `arguments`, None when it ends otherwise."""
    least = float("inf")
    for _ in range(_TIMES):
        before = _children_s()
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, capture_output=True, check=False
        )
        least = min(least, _children_s() - before)
        if done.returncode != wanted:
            return None
    return least


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Measure all; return the exit code."""
    table = Table("asked", "CPU", "bare Pythons", title=f"answers in under {LIMIT_S} s of CPU")
    bare = took_s(["-c", ""], 0) or LIMIT_S
    late = 0
    for words, wanted in [*((one, 0) for one in ASKED), *((one, 2) for one in MISTAKES)]:
        took = took_s(["-m", "rollback_drill", *words.split()], wanted)
        late += took is None or took >= LIMIT_S
        told = ("ends otherwise", "") if took is None else (f"{took:.2f} s", f"{took / bare:.0f}")
        table.add_row(words, *told)
    Console().print(table)
    return int(late > 0)


if __name__ == "__main__":
    sys.exit(main())
