"""What becomes of a kept cursor is told apart, whatever the service makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rollback_drill.record.timeline import Timeline, read
from rollback_drill.subject.hostaway.cursors import KeptCursors
from rollback_drill.subject.hostaway.told import CursorShown
from tests.traffic.listings_server import ListingsServer

pytestmark = pytest.mark.drill


@pytest.fixture
def server() -> Iterator[ListingsServer]:
    with ListingsServer("key") as running:
        yield running


def nothing(server: ListingsServer) -> None:
    """Leave it as it is."""


def rolled_back(server: ListingsServer) -> None:
    server.mode = "old"


def refusing(server: ListingsServer) -> None:
    server.refuse_cursors = True


def failing(server: ListingsServer) -> None:
    server.status = 500


def hanging_up(server: ListingsServer) -> None:
    server.hang_up = True


def skipping(server: ListingsServer) -> None:
    answer = server._page

    def late(kind: str, query: dict[str, str]) -> tuple[int, object]:
        if "cursor" in query:
            query["cursor"] = f"at/{int(query['cursor'].removeprefix('at/')) + 1}"
        return answer(kind, query)

    server._page = late  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("become", "answer", "status", "form"),
    [
        (nothing, "went on", 200, "new"),
        (rolled_back, "began anew", 200, "old"),
        (refusing, "refused", 400, ""),
        (failing, "no page", 500, ""),
        (hanging_up, "no page", 0, ""),
        (skipping, "another page", 200, "new"),
    ],
)
def test_each_answer_to_a_kept_cursor_is_told_apart(
    server: ListingsServer, tmp_path: Path, become: Callable[[ListingsServer], None],
    answer: str, status: int, form: str,
) -> None:  # fmt: skip
    timeline = Timeline(tmp_path / "timeline.jsonl")
    cursors = KeptCursors(server.url, "key", timeline)
    cursors.keep()
    become(server)
    cursors.show("after Procedure 2")
    timeline.close()
    shown = [e.what for e in read(timeline.path) if isinstance(e.what, CursorShown)]
    assert [one.page for one in shown] == [2, 3, 4]
    assert {(one.answer, one.status, one.format) for one in shown} == {(answer, status, form)}


def test_where_lists_have_no_cursors_none_is_kept(server: ListingsServer, tmp_path: Path) -> None:
    server.mode = "old"
    timeline = Timeline(tmp_path / "timeline.jsonl")
    cursors = KeptCursors(server.url, "key", timeline)
    cursors.keep()
    cursors.show("after Procedure 2")
    timeline.close()
    assert timeline.path.read_text() == ""
