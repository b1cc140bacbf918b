"""Properties that hold for many examples: a few in each run, always the same, and many at night."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_COUNTED = "examples"
_MANY = 40  # times as many, where a test is wide
_LONGEST_CPU_S = 20.0  # of one example: it would be taken for one without an end


class Examples:
    """Holds properties for examples, and counts these."""

    def __init__(self, times: int) -> None:
        self.held = 0
        self._times = times

    def hold(self, few: int, strategy: st.SearchStrategy[Any], of: Callable[[Any], object]) -> None:
        """Hold `of` for `few` examples that `strategy` draws, or for many times as many."""

        def counted(example: Any) -> None:
            self.held += 1
            began = time.process_time()
            of(example)
            took_s = time.process_time() - began
            assert took_s < _LONGEST_CPU_S, f"it took {took_s:.0f} s of CPU"

        always = self._times == 1  # a push must not meet what another one did not
        fast = settings(
            max_examples=few * self._times,
            deadline=None,
            derandomize=always,
            database=None,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )
        fast(given(strategy)(counted))()


@pytest.fixture(params=[1, pytest.param(_MANY, marks=pytest.mark.wide)], ids=["few", "many"])
def examples(request: pytest.FixtureRequest) -> Any:
    """Who holds properties for examples."""
    made = Examples(request.param)
    yield made
    request.node.user_properties.append((_COUNTED, made.held))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many there were."""
    reports = [one for every in terminalreporter.stats.values() for one in every]
    counts = [
        number
        for report in reports
        for name, number in getattr(report, "user_properties", ())
        if name == _COUNTED and getattr(report, "when", "") == "teardown"
    ]
    if counts:
        terminalreporter.write_line(
            f"Bad input: {sum(counts)} examples of {len(counts)} properties"
        )
