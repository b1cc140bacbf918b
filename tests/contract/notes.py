"""The document of a service of notes, which says what its answers hold."""

from __future__ import annotations

from typing import Any

NOTE = {
    "type": "object",
    "required": ["id", "text"],
    "properties": {"id": {"type": "integer"}, "text": {"type": "string"}},
}
NEW = {
    "type": "object",
    "required": ["name", "day", "count"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 20},
        "day": {"type": "string", "format": "date"},
        "count": {"type": "integer", "minimum": 0},
    },
}


def answers(schema: object, **headers: object) -> dict[str, object]:
    content = {"application/json": {"schema": schema}}
    return {"200": {"description": "good", "content": content, "headers": headers}}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "notes", "version": "1"},
    "components": {"schemas": {"Note": NOTE, "New": NEW}},
    "paths": {
        "/notes": {
            "get": {
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1}}
                ],
                "responses": answers(
                    {"type": "array", "items": {"$ref": "#/components/schemas/Note"}},
                    **{"X-Total": {"required": True, "schema": {"type": "integer"}}},
                ),
            },
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/New"}}
                    },
                },
                "responses": answers({}),
            },
        },
        "/notes/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
            ],
            "patch": {
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/New"}}
                    }
                },
                "responses": answers({"$ref": "#/components/schemas/Note"}),
            },
        },
    },
}
