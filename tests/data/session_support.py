"""A session of Postgres that answers as a stage's database does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from rollback_drill.ground.errors import StageError


class Session:
    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.connection = connection

    def fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            cursor = self.connection.execute(query.encode(), parameters or None)
        except psycopg.Error as error:
            raise StageError("an answer", str(error), "") from error
        return cursor.fetchall() if cursor.description else []
