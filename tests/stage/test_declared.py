"""The keys of a staging file are declared once: reader, schema and page say the same of them."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from rollback_drill.ground.errors import UsageError
from rollback_drill.runbook.hints import HINT_KEYS, MATRIX, Hints
from rollback_drill.stage.declared import STAGING_TABLE, STAGING_TABLES, TOP
from rollback_drill.stage.entries import FaultEntry, HostEntry, Limits
from rollback_drill.stage.file import read_staging
from rollback_drill.stage.reference import SCHEMA_FILE, key_page
from rollback_drill.stage.schema import schema, schema_text
from rollback_drill.traffic.interface import Interface, Operation

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*/staging.toml"))
WHOLE = """
[stage]
name = "eu"
kind = "staging"
failing = "v2"
stable = "v1"
base_url = "https://staging.example.com/"
[limits]
rate = 10
[[hosts]]
name = "app-1"
ssh = "deploy@app-1.example.com"
directory = "/opt/app"
url = "http://app-1.example.com:8000"
[service]
api = "other"
[[service.operations]]
name = "list"
method = "GET"
path = "/orders"
[database]
dsn_from = "DSN"
[scripts]
pid = "cat pid"
[[faults]]
name = "x"
symptom = "x"
inject = "x"
heal = "x"
path = "/"
status = 500
[runbook]
section = "Rollback"
[runbook.words]
rollback = ["zurück"]
[runbook.triggers]
critical = ["Error rate >3%"]
[[runbook.matrix]]
condition = "Normal"
error_rate = "<2%"
performance = "p95 <300ms"
decision = "No action"
"""
VALID = jsonschema_rs.validator_for(schema())


def test_the_published_page_and_schema_are_made_of_the_declaration() -> None:
    text = (ROOT / "docs" / "staging-file.md").read_text(encoding="utf-8")
    assert text == "".join(f"{line}\n" for line in key_page())
    assert (ROOT / "docs" / SCHEMA_FILE).read_text(encoding="utf-8") == schema_text()


def test_the_page_explains_every_key() -> None:
    text = "\n".join(key_page())
    for one in STAGING_TABLES:
        assert f"[{one.name}]" in text
        for name in one.names:
            assert f"| `{name}` |" in text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_examples_keep_to_the_schema(path: Path) -> None:
    VALID.validate(tomllib.loads(path.read_text(encoding="utf-8")))


def test_every_example_of_a_key_is_what_the_key_may_hold() -> None:
    for one in STAGING_TABLES:
        for key in one.keys:
            assert key.shape.accepts(key.example), f"{one.name}.{key.name}"
            assert not key.one_of or key.example in key.one_of
            jsonschema_rs.validate(dict(key.shape.schema), key.example)


@pytest.mark.parametrize(
    ("table", "record", "beside"),
    [
        ("hosts", HostEntry, set()),
        ("faults", FaultEntry, set()),
        ("limits", Limits, set()),
        ("service.operations", Operation, set()),
        ("service", Interface, {"operations"}),
    ],
)
def test_every_field_of_a_record_is_a_key(table: str, record: type, beside: set[str]) -> None:
    own = {one.name for one in fields(record)}
    assert own - beside == set(STAGING_TABLE[table].names) - {"api", "api_key_from"}


def test_every_hint_is_a_key() -> None:
    assert {*(one.name for one in HINT_KEYS), MATRIX} == {f.name for f in fields(Hints)} - {
        "source"
    }


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each table whose keys are declared."""
    if isinstance(value, dict):
        yield path
        for key, one in value.items():
            yield from places(one, (*path, key))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from places(one, (*path, number))


def toml(value: dict[str, Any]) -> str:
    """Return the tables as TOML, each top key with an inline value, which JSON mostly is."""

    def told(one: Any) -> str:
        if isinstance(one, dict):
            return "{" + ", ".join(f"{json.dumps(k)} = {told(v)}" for k, v in one.items()) + "}"
        if isinstance(one, list):
            return "[" + ", ".join(map(told, one)) + "]"
        return json.dumps(one, ensure_ascii=False)

    return "".join(f"{key} = {told(one)}\n" for key, one in value.items())


@pytest.mark.parametrize("way", [*places(tomllib.loads(WHOLE))], ids=str)
def test_an_unknown_key_is_refused_at_every_level_with_what_was_meant(
    way: tuple[Any, ...], tmp_path: Path
) -> None:
    tables = tomllib.loads(WHOLE)
    path = tmp_path / "staging.toml"
    path.write_text(toml(tables), encoding="utf-8")
    assert VALID.is_valid(tables)
    read_staging(path)
    changed = copy.deepcopy(tables)
    one: Any = changed
    for step in way:
        one = one[step]
    name = next(iter(one))
    one[f"{name}z"] = one[name]
    path.write_text(toml(changed), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_staging(path)
    assert f"did you mean {name}?" in caught.value.advice
    assert f"{name}z" in caught.value.expected
    assert not VALID.is_valid(changed)


def test_a_key_of_another_table_is_told_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "staging.toml"
    path.write_text(WHOLE.replace("[service]\n", '[service]\nprometheus_url = "http://p"\n'))
    with pytest.raises(UsageError, match=r"it stands in \[stage\]"):
        read_staging(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('kind = "staging"', 'kind = "production"'),
        ('failing = "v2"\n', ""),
        ('failing = "v2"', "failing = 2"),
        ("rate = 10", "rate = 0"),
        ('ssh = "deploy@app-1.example.com"\n', ""),
        ('ssh = "deploy@app-1.example.com"', 'ssh = "a"\npod = "b"'),
        ("status = 500", 'status = "500"'),
        ('critical = ["Error rate >3%"]', 'critical = "Error rate >3%"'),
    ],
)
def test_what_the_schema_refuses_the_reader_refuses_too(old: str, new: str, tmp_path: Path) -> None:
    assert old in WHOLE
    text = WHOLE.replace(old, new, 1)
    assert not VALID.is_valid(tomllib.loads(text))
    path = tmp_path / "staging.toml"
    path.write_text(text)
    with pytest.raises(UsageError):
        read_staging(path)


def test_what_is_to_be_filled_in_is_refused_with_its_name_and_line(tmp_path: Path) -> None:
    text = WHOLE.replace('kind = "staging"', 'kind = "FILL IN: staging"').replace(
        "status = 500", 'status = "FILL IN"  # FILL IN a number'
    )
    path = tmp_path / "staging.toml"
    path.write_text("# FILL IN what is missing\n" + text)
    lines = path.read_text().splitlines()
    with pytest.raises(UsageError) as caught:
        read_staging(path)
    kind = lines.index('kind = "FILL IN: staging"') + 1
    status = next(n for n, line in enumerate(lines, 1) if line.startswith("status"))
    assert "2 fields to fill in" in caught.value.found
    assert f"line {kind}: stage.kind" in caught.value.found
    assert f"line {status}: faults[1].status" in caught.value.found


def test_the_tables_of_a_file_are_those_that_are_declared() -> None:
    assert set(schema()["properties"]) == set(TOP)
