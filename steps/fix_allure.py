"""Shows Gherkin steps in Allure results, which allure-pytest alone does not."""

from __future__ import annotations

import sys
from typing import Any

import allure

_open: dict[int, Any] = {}


def pytest_bdd_before_step_call(step: Any) -> None:
    """Open an Allure step that lasts as long as the sentence."""
    shown: Any = allure.step(f"{step.keyword} {step.name}")
    shown.__enter__()
    _open[id(step)] = shown


def pytest_bdd_after_step(step: Any) -> None:
    """Close the sentence's step."""
    shown = _open.pop(id(step), None)
    if shown:
        shown.__exit__(None, None, None)


def pytest_bdd_step_error(step: Any) -> None:
    """Close the sentence's step with the error that ended it."""
    shown = _open.pop(id(step), None)
    if shown:
        shown.__exit__(*sys.exc_info())
