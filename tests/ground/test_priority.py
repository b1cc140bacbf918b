"""What is measured goes before other programs of the machine, where this user may say so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollback_drill.ground import priority


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        yield process
        process.kill()


def test_a_session_is_preferred_where_this_user_may(child: subprocess.Popen[bytes]) -> None:
    before = os.getpriority(os.PRIO_PROCESS, child.pid)
    if priority.prefer(child.pid):
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == priority.NICE
        group = Path(f"/proc/{child.pid}/autogroup")
        if group.exists():
            assert group.read_text(encoding="ascii").split()[-1] == str(priority.NICE)
    else:
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == before
    assert os.getpriority(os.PRIO_PROCESS, 0) != priority.NICE  # nobody else is


def test_who_may_not_goes_on_without(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuse)
    assert not priority.prefer(child.pid)


def test_a_process_that_has_ended_is_none_to_prefer(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    assert not priority.prefer(child.pid)


def test_a_process_goes_before_others_for_a_while_where_this_user_may() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with priority.raised(-1) as may:
        assert may == priority.may_prefer()
        assert os.getpriority(os.PRIO_PROCESS, 0) == before - may
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_who_may_not_be_raised_stays_as_he_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError

    before = os.getpriority(os.PRIO_PROCESS, 0)
    monkeypatch.setattr(os, "setpriority", refuse)
    assert not priority.may_prefer()
    with priority.raised(-1) as may:
        assert not may
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
