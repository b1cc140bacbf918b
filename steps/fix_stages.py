"""Which stages tests run on: `--stages`, the `containers` marker, and stages that stay up."""

from __future__ import annotations

import pytest

from drill.stages.engine import engine_problem

NAMES = ("containers", "processes")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--stages",
        default="auto",
        help="comma-separated stages to run on (containers, processes); auto: all that can be had",
    )


def stages_of(config: pytest.Config) -> tuple[str, ...]:
    """Return the stages that this run uses."""
    asked = str(config.getoption("--stages"))
    if asked != "auto":
        return tuple(asked.split(","))
    return NAMES if engine_problem() is None else ("processes",)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "containers: needs a container engine")
    config.addinivalue_line("markers", "slow: takes more than ten seconds")


def pytest_report_header(config: pytest.Config) -> str:
    problem = engine_problem()
    why = f" (no containers: {problem})" if problem else ""
    return f"stages: {', '.join(stages_of(config))}{why}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "containers" in stages_of(config):
        return
    reason = f"no containers in this run: {engine_problem() or 'not asked for'}"
    for item in items:
        if "containers" in item.keywords:
            item.add_marker(pytest.mark.skip(reason=reason))
