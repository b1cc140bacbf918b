"""What changed in a document, line by line."""

from __future__ import annotations

import pytest

from rollback_drill.runbook.changed import as_diff, passages

OLD = "".join(f"line {n}\n" for n in range(1, 31))


def test_texts_that_are_the_same_have_no_passage() -> None:
    assert passages(OLD, OLD) == ()
    assert as_diff(()) == ""


@pytest.mark.parametrize(
    ("old", "new", "before", "now", "told"),
    [
        ("line 9\n", "other\n", (9, 9), (9, 9), "Line 9"),
        ("line 9\n", "", (9, 9), (8, 9), "Behind line 8"),
        ("line 9\n", "line 9\nmore\nand more\n", (9, 10), (10, 11), "Lines 10 to 11"),
    ],
)
def test_a_passage_says_which_lines_it_touches(
    old: str, new: str, before: tuple[int, int], now: tuple[int, int], told: str
) -> None:
    (found,) = passages(OLD, OLD.replace(old, new, 1))
    assert (found.before, found.now, found.told) == (before, now, told)


def test_changes_far_apart_are_two_passages_in_the_form_of_diff() -> None:
    new = OLD.replace("line 2\n", "two\n").replace("line 25\n", "")
    found = passages(OLD, new)
    assert len(found) == 2
    told = as_diff(found).split("\n")
    assert told[:4] == ["@@ -1,5 +1,5 @@", " line 1", "-line 2", "+two"]
    assert "-line 25" in told
    assert "+line 25" not in told


def test_no_secret_is_shown_of_what_changed() -> None:
    found = passages("PGPASSWORD=hunter22 psql\n", "PGPASSWORD=hunter33 psql -X\n")
    assert "hunter" not in as_diff(found)
    assert "psql -X" in as_diff(found)
    assert passages("PGPASSWORD=hunter22 psql\n", "PGPASSWORD=hunter33 psql\n") == ()
