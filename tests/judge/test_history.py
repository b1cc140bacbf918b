import json
import random
from datetime import date
from pathlib import Path

import pytest

from rollback_drill.cli import main
from rollback_drill.conduct.told import EarlierDrills, Restored
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge import history
from rollback_drill.judge.figures import older_figures
from rollback_drill.judge.history import KeptDrill
from rollback_drill.judge.judgement import judge
from rollback_drill.judge.judges.trend import LEAST, LEVEL, judge_restore_time
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.report import overview
from tests.judge.history_support import drill

EVEN = (4.0, 4.2, 3.9, 4.1, 4.3, 4.0)


@pytest.mark.parametrize(
    ("restored", "earlier", "verdict"),
    [
        (4.4, EVEN, Verdict.PASSED),
        (9.0, EVEN, Verdict.FAILED),
        (4.9, EVEN, Verdict.PASSED),  # sure enough perhaps, but not worth a word
        (9.0, (2.0, 9.0, 4.0, 12.0, 3.0, 6.0), Verdict.PASSED),  # as noisy as ever
        (60.0, (2.0, 9.0, 4.0, 12.0, 3.0, 6.0), Verdict.FAILED),
        (9.0, EVEN[: LEAST - 1], Verdict.UNKNOWN),
        (1.0, EVEN, Verdict.PASSED),
    ],
)
def test_a_regression_is_a_ratio_beyond_the_noise(
    restored: float, earlier: tuple[float, ...], verdict: Verdict
) -> None:
    assert judge_restore_time(restored, earlier)[0] is verdict


def test_false_alarms_stay_within_their_bound() -> None:
    pick = random.Random(7)
    alarms = 0
    runs = 4000
    for _ in range(runs):
        times = [pick.lognormvariate(1.5, 0.3) for _ in range(11)]
        alarms += judge_restore_time(times[-1], times[:-1])[0] is Verdict.FAILED
    assert alarms / runs <= 1.5 * (1 - LEVEL)


def test_a_regression_fails_the_drill() -> None:
    restored = Event(1.0, Restored(9.0))
    slow = judge(Book([restored, Event(0.0, EarlierDrills("k", EVEN))]))
    assert [c.verdict for c in slow.causes if c.where == "Time to restore"] == [Verdict.FAILED]
    usual = judge(Book([Event(1.0, Restored(4.1)), Event(0.0, EarlierDrills("k", EVEN))]))
    assert not [c for c in usual.causes if c.where == "Time to restore"]


def test_only_drills_that_passed_and_compare_are_a_baseline() -> None:
    drills = [
        drill(restored_after_s=1.0),
        drill(restored_after_s=2.0, verdict="failed"),
        drill(restored_after_s=3.0, key="other"),
        drill(restored_after_s=None),
    ]
    assert history.baseline(drills, "k") == (1.0,)


def test_the_last_that_compares_is_one_that_was_conclusive() -> None:
    drills = [
        drill("2026-01-01T00:00:00Z", verdict="failed", figures={"lost": 2.0}),
        drill("2026-01-02T00:00:00Z", verdict="unknown"),
        drill("2026-01-03T00:00:00Z", key="other"),
    ]
    assert history.last_of(drills, "k") == drills[0]
    assert history.last_of(drills, "nobody's") is None


def test_a_drill_that_was_kept_before_figures_were_has_its_times() -> None:
    assert older_figures(drill(restored_after_s=None)) == {"detected_s": 0.5}
    assert older_figures(drill()) == {"detected_s": 0.5, "restored_s": 4.0}


def test_what_is_kept_can_be_read_again_in_order(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "history.jsonl"
    assert history.earlier(path) == []
    late, early = drill("2026-02-01T00:00:00Z"), drill("2026-01-01T00:00:00Z")
    for one in (late, early):
        history.keep(path, one)
    assert history.earlier(path) == [early, late]


@pytest.mark.parametrize("line", ["{", "[]", '{"began": 1}'])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(UsageError, match="line 1"):
        history.earlier(path)


def test_the_next_drill_is_due_a_quarter_after_the_last_that_was_held() -> None:
    drills = [drill("2026-01-05T10:00:00Z"), drill("2026-03-01T10:00:00Z", verdict="unknown")]
    assert overview.next_drill(drills) == date(2026, 4, 6)
    assert overview.next_drill([]) is None
    assert "Next by 06 April 2026" in overview.overview(drills, date(2026, 4, 6))
    assert "Overdue since 06 April 2026" in overview.overview(drills, date(2026, 4, 7))


def test_trends_need_several_drills_of_a_kind() -> None:
    assert overview.trends([drill(), drill(fault="other")]) == []
    ((name, charts),) = overview.trends([drill(), drill("2026-02-01T00:00:00Z")])
    assert name == "none on processes"
    assert len(charts) == 4


def test_the_page_is_written_by_a_command(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(
        json.dumps({**{f: getattr(drill(), f) for f in KeptDrill.__slots__}, "fault": "<b>"}) + "\n"
    )
    assert main(["index", "--history", str(path), "--to", str(tmp_path / "index.html")]) == 0
    page = (tmp_path / "index.html").read_text()
    assert "&lt;b&gt;" in page
    assert "<b>none" not in page


def test_what_the_runbook_asked_is_kept_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "drills.jsonl"
    history.keep(path, drill(runbook="Ours", boxes=("Procedure 1: restarted",)))
    history.keep(path, drill(runbook="Theirs", boxes=("Procedure 9: running",)))
    history.keep(path, drill())  # of a version that kept no boxes
    assert history.boxes_before(history.earlier(path), "Ours") == ("Procedure 1: restarted",)
    assert history.boxes_before(history.earlier(path), "Nobody's") == ()
