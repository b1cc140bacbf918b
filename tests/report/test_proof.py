"""What proves the checks of a report: seen red for a planted defect, or marked where they never
were; where nothing is known of this version, that is said.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import rollback_drill
from rollback_drill.breaks.sabotage import PlantedIn, Sabotage
from rollback_drill.campaigns import proof_file
from rollback_drill.campaigns.matrix import Found, HeldSabotage, Matrix, write_matrix
from rollback_drill.campaigns.proof_file import proof_of
from rollback_drill.conduct.told import DrillStarted
from rollback_drill.ground.errors import Exit, UsageError
from rollback_drill.perform.told import Checked
from rollback_drill.record.book import Book
from rollback_drill.report.html import whole_page
from rollback_drill.report.proof import KnownProof, RedFor, known_proof, proof, proven
from tests.judge.record_support import changed, good
from tests.report.page_support import text_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sabotage.md"
VERSION = rollback_drill.__version__
FATES = {
    "eaten": ("of_writes", Found.CAUGHT, ("of_writes",), "in a bunch of 2"),
    "a|b": ("of_writes", Found.CAUGHT, ("of_writes",), "alone"),
    "elsewhere": (
        "error_rate",
        Found.ELSEWHERE,
        ("command: Move it, and look", "of_golden_set: As before, GET /x", "reloaded"),
        "alone",
    ),
    "shown": ("reloaded", Found.CAUGHT, ("reloaded",), "alone"),
    "survived": ("error_rate", Found.SURVIVED, (), "alone"),
    "no-hosts": ("response_time", Found.NOT_HERE, (), "alone"),
}


def matrix(*left_out: str) -> Matrix:
    """Return a matrix in which the sabotages but those `left_out` were held."""
    sabotages = [
        Sabotage(name, f"{name} is broken", PlantedIn.STABLE, key, ())
        for name, (key, *_) in FATES.items()
    ]
    outcomes = {
        name: HeldSabotage(name, name, fate, by, "", how)
        for name, (_, fate, by, how) in FATES.items()
        if name not in left_out
    }
    return Matrix("9.9 (abc123)", "2026-03-04", sabotages, outcomes, ())


def known(version: str = VERSION) -> KnownProof:
    checks = {
        "of_writes": RedFor("eaten", "<i>writes</i> are eaten", 3, 0),
        "error_rate": RedFor("", "", 0, 2),
    }
    return KnownProof(version, "abc123", "2026-03-04", "sabotage.json", 6, checks)


def held_by(version: str) -> Book:
    return Book(
        changed(Checked, check="error_rate")(changed(DrillStarted, version=version)(good()))
    )


def test_both_forms_of_a_matrix_prove_the_same(tmp_path: Path) -> None:
    write_matrix(matrix(), tmp_path)
    found = proof_of(tmp_path / "sabotage.json")
    assert found.checks == {
        "of_writes": RedFor("a|b", "a|b is broken", 1, 0),
        "command": RedFor("elsewhere", "elsewhere is broken", 0, 0),
        "of_golden_set": RedFor("elsewhere", "elsewhere is broken", 0, 0),
        "reloaded": RedFor("elsewhere", "elsewhere is broken", 1, 0),
        "error_rate": RedFor("", "", 0, 2),
    }
    assert (found.version, found.suite, found.day) == ("9.9", "abc123", "2026-03-04")
    page = proof_of(tmp_path / "sabotage.md")
    assert replace(page, source=found.source) == found


@pytest.mark.parametrize("name", ["sabotage.json", "sabotage.md"])
def test_a_matrix_that_was_not_held_whole_proves_nothing(tmp_path: Path, name: str) -> None:
    write_matrix(matrix("eaten"), tmp_path)
    with pytest.raises(UsageError) as caught:
        proof_of(tmp_path / name)
    assert "5 of 6 held" in caught.value.found


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"version": 1, "day": 2, "sabotages": [3]}'])
@pytest.mark.parametrize("name", ["x.json", "x.md"])
def test_what_is_no_matrix_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError):
        proof_of(tmp_path / name)


def test_the_package_carries_what_the_last_run_proved() -> None:
    """Who commits another matrix makes that file of it as well."""
    carried, page = known_proof(), proof_of(PAGE)
    assert carried
    assert replace(carried, source="") == replace(page, source="")


def test_the_file_is_made_by_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_matrix(matrix(), tmp_path)
    monkeypatch.setattr(proof_file, "PROOF_FILE", tmp_path / "proof.json")
    assert proof_file.make_proof_file([str(tmp_path / "sabotage.json")]) == Exit.PASSED
    assert known_proof(tmp_path / "proof.json") == proof_of(tmp_path / "sabotage.json")
    assert "4 checks, version 9.9" in capsys.readouterr().out
    assert proof_file.make_proof_file([str(tmp_path / "none.json")]) == Exit.USAGE
    assert proof_file.make_proof_file([]) == Exit.USAGE
    assert "Expected the sabotage.json or sabotage.md" in capsys.readouterr().err


def test_a_check_says_by_which_defect_it_was_seen_red_or_that_it_never_was() -> None:
    found = {one.key: one for one in proven(held_by(VERSION), known()).checks}
    assert found["of_writes"].red == RedFor("eaten", "<i>writes</i> are eaten", 3, 0)
    assert found["error_rate"].red is None
    assert found["error_rate"].missed == 2
    assert found["error_rate"].boxes
    assert found["of_end"].red is None
    assert found["budget"].red is None


def test_of_a_matrix_that_is_not_of_this_version_nothing_is_told() -> None:
    for book, matrix_known, why in (
        (held_by("0.0.1"), known(), "the drill was held by version 0.0.1"),
        (held_by("0.0.1"), known("0.0.1"), f"the drill was judged by version {VERSION}"),
        (held_by(""), known(), "the record does not say"),
        (held_by(VERSION), None, "carries no matrix"),
        (Book([]), known(), "the record does not say"),
    ):
        found = proven(book, matrix_known)
        assert why in found.unknown
        assert found.count == "not known"
        assert why in found.told()
        assert not any(one.red for one in found.checks)


def shown(book: Book) -> tuple[str, str]:
    """Return the part of a page on the proof: its markup, and what is read of it."""
    page = str(whole_page(book))
    part = page[page.index('<section id="proof-of-the-checks"') :].partition("</section>")[0]
    return part, text_of(part)


def test_the_page_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(asdict(known())))
    carried = known_proof(path)
    monkeypatch.setattr("rollback_drill.report.proof.known_proof", lambda: carried)
    markup, told = shown(held_by(VERSION))
    assert f"1 of {len(proof(held_by(VERSION)).checks)} checks of this report were seen red" in told
    assert "4 Mar 2026 of_writes" in told
    assert "by eaten : <i>writes</i> are eaten; and by 3 more" in told
    assert "<i>" not in markup  # only escaped
    assert "∅ never error_rate" in told
    assert "2 planted for it were not seen by it" in told


def test_a_page_of_another_version_says_that_it_is_not_known() -> None:
    _, told = shown(held_by("0.0.1"))
    assert "is not known: the drill was held by version 0.0.1" in told
    assert "never" not in told
    assert "? not known error_rate" in told


def test_a_file_that_cannot_be_read_is_an_error_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    path.write_text("{}")
    with pytest.raises(UsageError) as caught:
        known_proof(path)
    assert "make it again" in caught.value.advice
