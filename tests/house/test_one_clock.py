"""Whatever waits above the stages waits by the one clock, or a virtual drill would wait for real."""

from __future__ import annotations

import ast
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "rollback_drill"
WAITS = {
    *(f"time.{name}" for name in ("sleep", "monotonic", "perf_counter", "time")),
    *(f"threading.{name}" for name in ("Event", "Thread", "Condition", "Semaphore")),
    "ThreadPoolExecutor",
}
# Who reaches a machine of his own, which no virtual drill has.
OWN = {
    "ground/clock.py": "this is the one",
    "watch/webhook.py": "a server; a simulated drill has a wire instead",
    "conduct/progress.py": "for people at a terminal",
}


def waits_in(source: str) -> list[tuple[int, str]]:
    return [
        (node.lineno, ast.unparse(node.func))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in WAITS
    ]


def test_nobody_else_waits_by_himself() -> None:
    found = {
        f"{path}:{line}": what
        for one in sorted(FOLDER.rglob("*.py"))
        if (path := str(one.relative_to(FOLDER))) not in OWN and not path.startswith("stage/")
        for line, what in waits_in(one.read_text(encoding="utf-8"))
    }
    assert found == {}


def test_those_who_do_are_there() -> None:
    assert all(waits_in((FOLDER / one).read_text(encoding="utf-8")) for one in OWN)


def test_who_waits_by_himself_is_found() -> None:
    assert waits_in("import time\n\ntime.sleep(1)\n") == [(3, "time.sleep")]
