"""What the old process says until it is stopped is no error of the one that comes after it."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError
from rollback_drill.perform.succession import of_predecessor, printed_before, when_begun
from rollback_drill.stage.host import Completed, LocalHost
from rollback_drill.watch.logs import Entry

SINCE, BEGAN = 100.0, {"host-1": 102.0}


def told(at: float, text: str, host: str = "host-1") -> Entry:
    return Entry(at, host, "ERROR", text)


BEFORE = told(99.0, "Database unreachable after 3 s")


def test_what_was_told_before_and_is_told_until_the_new_one_begins_is_the_old_ones() -> None:
    late = told(101.0, "Database unreachable after 5 s")
    assert of_predecessor([BEFORE, late], SINCE, BEGAN) == {late}


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(told(102.5, "Database unreachable after 5 s"), id="the new one says so too"),
        pytest.param(told(101.0, "No module named yaml"), id="a start that failed says another"),
        pytest.param(told(101.0, BEFORE.text, "host-2"), id="another host had not said so"),
    ],
)
def test_anything_else_is_an_error_of_the_start(entry: Entry) -> None:
    assert of_predecessor([BEFORE, entry], SINCE, BEGAN) == frozenset()


def test_nothing_is_excused_where_nobody_knows_when_the_new_one_began() -> None:
    assert of_predecessor([BEFORE, told(101.0, BEFORE.text)], SINCE, {}) == frozenset()


def test_a_server_of_all_hosts_is_excused_until_the_last_one_began() -> None:
    lines = [told(at, "too many clients already", "") for at in (99.0, 102.5, 103.5)]
    began = {"host-1": 102.0, "host-2": 103.0}
    assert of_predecessor(lines, SINCE, began) == {lines[1]}


EXITED = told(101.0, "WARN exited: hostaway-mcp (exit status 1; not expected)")


def test_what_a_supervisor_had_started_before_dies_without_blame_of_the_new_one() -> None:
    assert printed_before([EXITED], SINCE, BEGAN, {"host-1": [80.0, 99.5]}) == {EXITED}


@pytest.mark.parametrize(
    ("starts", "began"),
    [
        pytest.param({"host-1": [99.5, 100.5]}, BEGAN, id="a start that failed"),
        pytest.param({"host-1": [99.5, 100.0]}, BEGAN, id="started as the step began"),
        pytest.param({"host-1": [99.5]}, {"host-1": 100.9}, id="the new one served already"),
        pytest.param({"host-1": [101.5]}, BEGAN, id="nobody heard what it had started before"),
        pytest.param({"host-2": [99.5]}, BEGAN, id="another host's"),
        pytest.param({}, BEGAN, id="it never says"),
        pytest.param({"host-1": [99.5]}, {}, id="nobody knows when the new one began"),
    ],
)
def test_any_other_end_is_the_new_ones(
    starts: dict[str, list[float]], began: dict[str, float]
) -> None:
    assert printed_before([EXITED], SINCE, began, starts) == frozenset()


def a_stage(*hosts: Any) -> Any:
    return SimpleNamespace(hosts=hosts)


def test_a_real_process_tells_when_it_began() -> None:
    host = LocalHost("host-1", directory=Path("/"), environment={"PATH": os.environ["PATH"]})
    begun = when_begun(a_stage(host), {"host-1": os.getpid()})
    stat = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(") ")[2].split()
    up = float(Path("/proc/uptime").read_text().split()[0])
    age = up - int(stat[19]) / os.sysconf("SC_CLK_TCK")
    assert begun["host-1"] == pytest.approx(now() - age, abs=1.0)


def test_a_host_that_does_not_tell_is_left_out() -> None:
    class Silent:
        name = "host-1"

        def run(self, *_: object, **__: object) -> Completed:
            raise StageError("an answer", "none", "look at it")

    assert when_begun(a_stage(Silent()), {"host-1": 1}) == {}
    assert when_begun(a_stage(Silent()), {}) == {}
