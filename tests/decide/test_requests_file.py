"""The dialects of CSV that a record may be written in, and what is said of those that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.decide.requests_file import read_requests
from rollback_drill.ground.errors import UsageError
from rollback_drill.traffic.observation import Outcome

AT = 1_772_359_200.5  # 2026-03-01T10:00:00.5Z


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "requests.csv"


@pytest.mark.parametrize(
    "text",
    [
        "1772359200.5,200,0.031",
        "time,status,latency\n1772359200.5,200,0.031",
        "\ufefftime,status,latency\r\n1772359200.5,200,0.031\r\n",
        "# exported by hand\n\ntime,status,latency\n\n1772359200.5,200,0.031\n\n",
        '"Time","Status","Latency"\n"1772359200.5","200","0.031"',
        "1772359200500,200,0.031",
        "1772359200500000,200,0.031",
        "1772359200500000000,200,0.031",
        "2026-03-01T10:00:00.5Z,200,0.031",
        "2026-03-01 10:00:00.5,200,0.031",
        "2026-03-01T12:00:00.5+02:00,200,0.031",
        "2026-03-01T05:00:00.5-0500,200.0,3.1e-2",
        "time,status,latency_ms\n1772359200.5,200,31",
        "time,status,latency (ms)\n1772359200.5,200,31",
        "timestamp,code,duration_us\n1772359200.5,200,31000",
        "Timestamp,HTTP Status,Response Time [ms]\n1772359200.5,200,31.0",
        "time,status,latency_s\n1772359200.5,200,0.031",
        "status,latency,time\n200,0.031,1772359200.5",
        'time,method,path,status,latency\n1772359200.5,GET,"/api/listings?ids=1,2",200,0.031',
        "time;status;latency\n1772359200,5;200;0,031",
        "time\tstatus\tlatency\n1772359200.5\t200\t0.031",
        "time|status|latency\n1772359200.5|200|0.031",
        " 1772359200.5 , 200 , 0.031 ",
    ],
)
def test_every_dialect_says_the_same(path: Path, text: str) -> None:
    path.write_bytes(text.encode())
    (line,) = read_requests(path)
    assert line.seen.due == pytest.approx(AT)
    assert line.seen.latency_s == pytest.approx(0.031, abs=1e-6)
    assert (line.seen.status, line.seen.outcome, line.planned) == (200, Outcome.OK, False)


def test_the_times_of_access_logs_are_read(path: Path) -> None:
    path.write_text("[01/Mar/2026:10:00:00 +0000],200,0.031")
    assert read_requests(path)[0].seen.due == AT - 0.5


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("302", Outcome.OK),
        ("404", Outcome.REJECTED),
        ("499", Outcome.REJECTED),
        ("500", Outcome.SERVER_ERROR),
        ("503", Outcome.UNAVAILABLE),
        ("0", Outcome.TIMEOUT),
        ("-", Outcome.TIMEOUT),
        ("", Outcome.TIMEOUT),
    ],
)
def test_what_a_status_means(path: Path, status: str, outcome: Outcome) -> None:
    path.write_text(f"1,{status},0.1")
    assert read_requests(path)[0].seen.outcome is outcome


@pytest.mark.parametrize(
    ("word", "planned"), [("1", True), ("true", True), ("no", False), ("", False)]
)
def test_answers_on_purpose_are_marked(path: Path, word: str, planned: bool) -> None:
    path.write_text(f"time,status,latency,planned\n1,503,0.1,{word}")
    assert read_requests(path)[0].planned is planned
    path.write_text(f"1,503,0.1,{word}")
    assert read_requests(path)[0].planned is planned


def test_lines_keep_the_file_s_order(path: Path) -> None:
    path.write_text("3,200,0.1\n1,200,0.1\n2,200,0.1\n")
    assert [line.seen.due for line in read_requests(path)] == [3, 1, 2]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("1,200,0.1\ngarbage\n", "line 2"),
        ("1,200,0.1\n2,200,nan\n", "line 2.*at least 0"),
        ("1,200,0.1\n2,200,-3\n", "line 2.*at least 0"),
        ("1,200,0.1\ninf,200,0.1\n", "line 2.*finite"),
        ("1,200,0.1\n2,abc,0.1\n", "line 2"),
        ("1,200,0.1\n2,99999,0.1\n", "line 2.*three digits"),
        ("1,200,0.1\n2,200.5,0.1\n", "line 2.*three digits"),
        ("time,status,latency,planned\n1,503,0.1,perhaps\n", "line 2.*0 or 1"),
        ("1,200\n", "line 1"),
        ("yesterday,200,0.1\n", "line 1"),
        ("zeit,status,dauer\n1,200,0.1\n", "no time and no latency"),
        ("hello\n", "no time and no status and no latency"),
        ("1,2\x00,3\n", "no text in line 1"),
        ("time,status,latency\n1,200,31\n2,200,29\n3,200,33\n", "latency_ms"),
    ],
)
def test_what_is_no_record_is_named_with_its_line(path: Path, text: str, named: str) -> None:
    path.write_text(text)
    with pytest.raises(UsageError, match=named) as caught:
        read_requests(path)
    assert "\n" not in str(caught.value)


def test_other_encodings_folders_and_missing_files_are_told(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"time,status,latency\n1,200,0.1\n\xe4,200,0.1\n")
    with pytest.raises(UsageError, match=r"UTF-8.*line 3"):
        read_requests(path)
    with pytest.raises(UsageError, match="text in UTF-8 in"):
        read_requests(tmp_path)
    with pytest.raises(UsageError, match="text in UTF-8 in"):
        read_requests(tmp_path / "none.csv")


def test_slow_answers_are_believed_where_the_unit_is_named(path: Path) -> None:
    path.write_text("time,status,latency_s\n1,200,31\n2,200,29\n")
    assert read_requests(path)[0].seen.latency_s == pytest.approx(31)
