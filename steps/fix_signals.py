"""A run that is told to end (Ctrl-C, `kill`, a terminal that went away) removes its stages."""

from __future__ import annotations

import contextlib

import pytest

from rollback_drill.ground.signals import told_to_end
from rollback_drill.ground.terminal import outlive_terminal

_until_the_end = contextlib.ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Before the reporter is made, which keeps the terminal that it finds."""
    outlive_terminal()
    _until_the_end.enter_context(told_to_end())


def pytest_unconfigure() -> None:
    _until_the_end.close()
