"""Which stages tests run on: `--stages`, the markers, and stages that stay up between tests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from rollback_drill.conduct.told import SIMULATED
from rollback_drill.ground.errors import UsageError
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.stage.stages.containers import containers_problem

NAMES = ("containers", "processes")
HOLDING = ("live", "containers", "slow")
"""Markers of tests that open a stage, or work for as long as one that does."""
StageFor = Callable[[str], Stage]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("rollback-drill").addoption(
        "--stages",
        default="auto",
        help="comma-separated stages to run on; auto: all that can be had",
    )


def stages_of(config: pytest.Config) -> tuple[str, ...]:
    """Return the stages that this run uses."""
    asked = str(config.getoption("--stages"))
    if asked == "auto":
        return NAMES[1:] if containers_problem() else NAMES
    chosen = tuple(asked.split(","))
    if not set(chosen) <= set(NAMES):
        raise pytest.UsageError(f"expected --stages of {', '.join(NAMES)} or auto; found {asked!r}")
    if "containers" in chosen and containers_problem():
        raise pytest.UsageError(f"expected an engine for containers; found {containers_problem()}")
    return chosen


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes more than ten seconds")
    config.addinivalue_line("markers", "containers: needs the container stage")
    config.addinivalue_line("markers", "smoke: what a gate can hold within a minute")
    config.addinivalue_line(
        "markers",
        "wide: what differs from others in fault, hazard, stage or size only; for `make test-all`",
    )
    config.addinivalue_line(
        "markers",
        "simulated: held on the simulated stage as well, which is what `make test` holds of it",
    )
    config.addinivalue_line("markers", "model: holds in the model what others hold for real")
    config.addinivalue_line("markers", "real: holds for real what `make test` holds in the model")
    config.addinivalue_line("markers", "live: holds a drill, on the stages of this run")
    config.addinivalue_line("markers", "drill: opens a stage or measures; not beside others")
    config.addinivalue_line(
        "markers", "alone: what measures or burdens all cores; no stage beside it"
    )
    stages_of(config)  # a mistake is one of use, and ends the run before anything is collected


@pytest.hookimpl(tryfirst=True)  # before anything is chosen by a marker
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as `drill` what asks for a stage by a fixture or by another marker, and hold in the
    model only what is `simulated`.
    """
    others = [
        one
        for one in items
        if one.get_closest_marker("model") and not one.get_closest_marker("simulated")
    ]
    config.hook.pytest_deselected(items=others)
    left_out = set(others)
    items[:] = [one for one in items if one not in left_out]
    for item in items:
        if item.get_closest_marker("model"):
            continue
        if item.get_closest_marker("simulated"):
            item.add_marker("real")
        fixtures = getattr(item, "fixturenames", ())
        if "kept_stage" in fixtures or any(map(item.get_closest_marker, HOLDING)):
            item.add_marker("drill")


def pytest_report_header(config: pytest.Config) -> str:
    problem = containers_problem()
    return f"stages: {', '.join(stages_of(config))}" + (f" ({problem})" if problem else "")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, with the reason, what needs containers where this run has none."""
    if item.get_closest_marker("containers") and "containers" not in stages_of(item.config):
        pytest.skip(f"no container stage: {containers_problem() or 'not asked for'}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run everything marked `live` on the first stage of this run, and on others as well where it
    may take its time. What is smoke is held on each. What is `simulated`, also by an example of an
    outline, is chosen later.
    """
    if metafunc.definition.get_closest_marker("live"):
        first, *others = stages_of(metafunc.config)
        marks = () if metafunc.definition.get_closest_marker("smoke") else (pytest.mark.wide,)
        again = [pytest.param(one, marks=marks) for one in others]
        model = pytest.param(SIMULATED, marks=pytest.mark.model)
        metafunc.parametrize("stage_name", [first, *again, model], indirect=True)


@pytest.fixture(autouse=True)
def stage_name(request: pytest.FixtureRequest) -> str:
    """The stage that this test runs on; "" for tests that are not live."""
    return str(getattr(request, "param", ""))


@pytest.fixture(scope="session")
def kept_stage() -> Iterator[StageFor]:
    """Stages by name, brought up when first asked for and removed after the last test."""
    with contextlib.ExitStack() as stack:
        kept: dict[str, Stage] = {}

        def stage_for(name: str) -> Stage:
            if name not in kept:
                try:
                    kept[name] = stack.enter_context(open_stage(name, StageOptions(), print))
                except UsageError as error:
                    pytest.fail(f"stage {name} cannot be had: {error}")
            return kept[name]

        yield stage_for
    left = {name: stage.leftovers() for name, stage in kept.items() if stage.leftovers()}
    assert not left, f"stages left something behind: {left}"
