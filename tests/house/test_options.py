"""Options are declared once: what else speaks of them says the same, and joins them by name."""

from __future__ import annotations

import shlex
import tomllib
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import strategies as st

import rollback_drill
from rollback_drill import commands
from rollback_drill.cli import arguments_of, main
from rollback_drill.conduct.request import Request
from rollback_drill.ground.asked_by_make import by_variable, call, check_given, table, verb
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.option import Verb
from rollback_drill.ground.options import VERBS
from rollback_drill.stage.model import StageOptions
from steps.fix_examples import Examples

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = ROOT / "runbook" / "rollback.md"
OURS = [one for one in VERBS if one.module == "rollback_drill"]
BESIDE = {"plan", "resume"}  # ask for more, or for another, than a drill
NOT_ASKED = {"options", "lead", "literal", "sabotages"}  # of a request: what only the engine sets
NOT_OF_STAGES = {"memory_limit_bytes", "connection_limit", "backup_disk_bytes"}


def test_the_page_of_options_is_the_one_that_is_made_of_them() -> None:
    text = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert text == "".join(f"{line}\n" for line in table())


def test_every_option_of_a_drill_has_a_field_and_every_field_an_option() -> None:
    options = {one.field for one in verb("drill").options}
    asked = {one.name for one in fields(Request)} - NOT_ASKED
    of_stage = {one.name for one in fields(StageOptions)} - NOT_OF_STAGES
    assert options - BESIDE == asked | of_stage
    assert options >= BESIDE


def test_a_request_by_default_is_what_a_drill_by_default_asks_for() -> None:
    asked = arguments_of(["drill", "--runbook", str(RUNBOOK)])
    assert Request.of(vars(asked)) == Request(RUNBOOK, asked.report)


def test_a_request_holds_what_each_option_says() -> None:
    given = {
        "fault": "none",
        "rate": "20",
        "hosts": "2",
        "supervisor": "systemd",
        "round-trip": "1",
        "history": "drills.jsonl",
        "authorized-by": "Engineering Manager, Product Owner",
    }
    words = [f"--{name}={text}" for name, text in given.items()]
    request = Request.of(vars(arguments_of(["drill", f"--runbook={RUNBOOK}", *words])))
    assert (request.fault, request.rate, request.round_trip) == ("none", 20.0, True)
    assert (request.options.hosts, request.options.supervisor) == (2, "systemd")
    assert request.history == Path("drills.jsonl")
    assert len(request.authorized_by) == 2


@pytest.mark.parametrize("one", VERBS, ids=lambda one: one.name)
def test_every_example_can_be_meant(one: Verb) -> None:
    make, name, *words = shlex.split(one.example)
    assert (make, name) == ("make", one.name)
    given = dict(word.split("=", 1) for word in words)
    assert set(given) <= {option.variable for option in one.options}
    check_given({**given, "GIVEN": " ".join(given)})
    for option in one.options:
        variable, _, text = option.example.partition("=")
        assert variable == option.variable
        option.read(shlex.split(text)[0])
        assert option.default is None or option.value == option.read(option.default)


def test_a_variable_means_the_same_to_all_that_take_it() -> None:
    for name, first in by_variable().items():
        for one in VERBS:
            for option in one.options:
                if option.variable == name:
                    assert (option.help, option.spelling.form) == (first.help, first.spelling.form)


@pytest.mark.parametrize("one", OURS, ids=lambda one: one.name)
def test_help_shows_every_option_and_an_example(
    one: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([one.name, "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert f"Example: {one.example}" in said
    for option in one.options:
        assert option.flag in said
        assert option.help in said


def test_the_version_is_the_project_s(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert rollback_drill.__version__ == project["version"]
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"rollback-drill {project['version']}\n"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["dril"], "did you mean drill?"),
        (["drill", "--fualt=x"], "did you mean --fault?"),
        (["drill", "--xqzw"], "drill --help"),
        (["decide"], "make decide FROM="),
        (["revalidate", "--fail-on=hihg"], "did you mean high?"),
        (["drill", "--mode=operater"], "did you mean operator?"),
        ([], "make help"),
    ],
)
def test_what_was_mistyped_is_told_with_what_was_meant(
    words: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert meant in capsys.readouterr().err


def test_what_make_asks_is_what_the_command_reads() -> None:
    for one in OURS:
        required = {option.variable: "x" for option in one.options if option.default is None}
        texts = required | ({"RUNBOOK": str(RUNBOOK)} if required else {})
        _, *words = call(one, {k: v for k, v in texts.items() if k in by_variable()})
        with_runbook = [
            *words,
            *([f"--runbook={RUNBOOK}"] * any(o.field == "runbook" for o in one.options)),
        ]
        assert arguments_of(with_runbook).command == (one.like or one.name)


def test_a_command_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean drill"):
        verb("drlil")


def test_each_command_does_something() -> None:
    for one in OURS:
        assert callable(getattr(commands, f"run_{(one.like or one.name).replace('-', '_')}"))


def test_no_value_of_an_option_ends_in_a_traceback(examples: Examples) -> None:
    options = by_variable()
    odd = ("9" * 5000, "²", "nan", "inf", "1e999", "-0", "'", "a\0b", "\udc80", "1_0", " 1", "٣")

    def read(example: tuple[str, str]) -> None:
        name, text = example
        with suppress(UsageError):
            options[name].read(text)

    examples.hold(
        60, st.tuples(st.sampled_from(sorted(options)), st.sampled_from(odd) | st.text()), read
    )
