"""The JSON schema of a staging file, for editors and for who makes such files by program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rollback_drill.ground.declared import YES_OR_NO, Key, KeyTable, ValueShape
from rollback_drill.stage.declared import STAGING_TABLES

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Return it. What it refuses the reader refuses too; the reader looks at more."""
    tables = {one.name: _table(one) for one in STAGING_TABLES}
    for name, made in tables.items():
        outer, _, inner = name.rpartition(".")
        if outer:
            tables[outer]["properties"][inner] = made
    return {
        "$schema": _DRAFT,
        "title": "A staging file of rollback-drill",
        "type": "object",
        "properties": {name: made for name, made in tables.items() if "." not in name},
        "required": [one.name for one in STAGING_TABLES if one.needed],
        "additionalProperties": False,
    }


def schema_text() -> str:
    """Return it as it is published."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _table(one: KeyTable) -> dict[str, Any]:
    made: dict[str, Any] = {
        "description": one.meaning,
        "type": "object",
        "properties": {key.name: _key(key) for key in one.keys},
        "additionalProperties": _key(one.free) if one.free else False,
    }
    needed = [key.name for key in one.keys if key.needed]
    if needed:
        made["required"] = needed
    if one.one_way:  # a key that is there and empty says nothing
        made["oneOf"] = [
            {"required": [name], "properties": {name: _given(one.shape_of(name))}}
            for name in one.one_way
        ]
    if not one.many:
        return made
    meaning = made.pop("description")
    least: Mapping[str, Any] = {"minItems": 1} if one.needed else {}
    return {"description": meaning, "type": "array", "items": made, **least}


def _given(shape: ValueShape) -> dict[str, Any]:
    """Return what a value is that says something."""
    return {"const": True} if shape is YES_OR_NO else {"minLength": 1}


def _key(one: Key) -> dict[str, Any]:
    made: dict[str, Any] = {"description": one.meaning, **one.shape.schema}
    if one.one_of:
        made["enum"] = list(one.one_of)
    if one.least is not None:
        made["exclusiveMinimum"] = one.least
    if one.default is not None:
        made["default"] = one.default
    return made | {"examples": [one.example]}
