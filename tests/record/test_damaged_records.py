"""Whatever stands where a record should stand: one sentence and exit code 2, never a pass."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rollback_drill.cli import main
from rollback_drill.judge import history
from rollback_drill.record.timeline import to_line
from tests.judge.history_support import KEPT
from tests.judge.record_support import T, good

DOCUMENT = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
# Without their sums, so that each damage is seen by what it does.
LINES = [re.sub(',"sum":"[0-9a-f]{8}"}$', "}", to_line(event)) for event in good()]
WHOLE = ("\n".join(LINES) + "\n").encode()

Ask = Callable[[Path], int]


def report(path: Path) -> int:
    return main(["report", "--from", str(path), "--report", str(path.parent / "report")])


def decide(path: Path) -> int:
    return main(["decide", "--from", str(path), "--runbook", str(DOCUMENT)])


def resume(path: Path) -> int:
    return main(["drill", "--resume", str(path), "--report", str(path.parent / "resumed")])


def index(path: Path) -> int:
    return main(["index", "--history", str(path), "--to", str(path.parent / "index.html")])


def hold(path: Path) -> int:
    """Hold a drill, which must not get as far as its stage."""
    where = str(path.parent / "drill")
    return main(["drill", "--stage", "processes", "--history", str(path), "--report", where])


def said(status: int, told: str) -> str:
    assert status == 2, told
    assert "Traceback" not in told
    first, *rest = told.strip().split("\n")
    assert first.startswith("Expected ")
    assert first.endswith(".")
    assert len(first) < 700
    assert [line[:5] for line in rest] == ["Try: "]
    return first


def with_line(number: int, line: bytes) -> bytes:
    """Return a timeline whose line `number` is another one."""
    lines = [one.encode() for one in LINES]
    lines[number - 1] = line
    return b"\n".join(lines) + b"\n"


def with_value(kind: str, name: str, value: str) -> bytes:
    """Return a timeline in which a field of the first `kind` is written as `value`."""
    number = next(n for n, line in enumerate(LINES, 1) if json.loads(line)["kind"] == kind)
    raw = json.loads(LINES[number - 1])
    assert name in raw
    raw[name] = "PLACE"
    text = json.dumps(raw, ensure_ascii=False).replace('"PLACE"', value)
    return with_line(number, text.encode())


JUNK = {
    "empty": b"",
    "binary": bytes(range(256)) * 40,
    "one character short": b"{",
    "a CSV": b"time,status,latency\n1,200,0.1\n",
    "UTF-16": WHOLE.decode().encode("utf-16"),
    "a list": b"[]\n",
    "a number": b"7\n",
    "null": b"null\n",
    "a number of a thousand digits": b"7" * 1000 + b"\n",
    "a number of many thousand digits": b"7" * 9000 + b"\n",
    "depth": b"[" * 100_000 + b"\n",
    "depth in a value": with_value("Decided", "evidence", "[" * 100_000 + "]" * 100_000),
    "an unknown kind": with_line(3, b'{"at": 1, "kind": "Sang"}'),
    "a kind that is no text": with_line(3, b'{"at": 1, "kind": ["Noted"]}'),
    "a broken line in the middle": with_line(5, LINES[4].encode()[:-9]),
    "a line torn within a character": with_line(5, "ä".encode()[:1]),
    "a NUL": with_line(5, b"\0"),
    "NaN": with_value("StepEnded", "took_s", "NaN"),
    "infinity": with_value("StepEnded", "took_s", "1e999"),
    "less than infinity": with_value("Restored", "after_s", "-Infinity"),
    "null for a number": with_value("StepEnded", "took_s", "null"),
    "a text for a number": with_value("StepEnded", "took_s", '"2.0"'),
    "true for a number": with_value("StepEnded", "took_s", "true"),
    "a negative duration": with_value("StepEnded", "took_s", "-2.0"),
    "a fraction for a count": with_value("LedgerRead", "lost", "0.0"),
    "a verdict that is none": with_value("StepEnded", "verdict", '"fine"'),
    "a verdict in a list": with_value("StepEnded", "verdict", '["passed"]'),
    "a text for a list": with_value("Decided", "evidence", '"n"'),
    "a list of numbers": with_value("Decided", "evidence", "[1]"),
    "a list for a table": with_value("TrafficSecond", "outcomes", "[]"),
    "an outcome that is none": with_value("TrafficSecond", "outcomes", '{"fine": 100}'),
    "a negative count": with_value("TrafficSecond", "outcomes", '{"ok": -1}'),
    "more requests than a second has": with_value("TrafficSecond", "outcomes", '{"ok": 1e9}'),
    "no histogram": with_value("TrafficSecond", "histogram", '"5 -3 x"'),
    "a histogram of large numbers": with_value("TrafficSecond", "histogram", f'"5*{"9" * 900}"'),
    "a lone surrogate": with_value("Decided", "trigger", '"\\ud800"'),
    "a time before all time": with_value("Restored", "at", "-1"),
    "a time after all time": with_value("Restored", "at", "1e300"),
    "no time": with_line(5, b'{"kind": "Noted", "text": "x"}'),
    "a name twice": with_line(5, b'{"at": 1, "at": 2, "kind": "Noted", "text": "x"}'),
    "a name that no event has": with_line(5, b'{"at": 1, "kind": "DrillEnded", "lefu": []}'),
    "a field that is not there": with_line(5, b'{"at": 1, "kind": "Noted"}'),
    "a line without an end": with_line(5, b'"' + b"x" * 20_000_000),
    "a line without an end at the end": WHOLE + b"x" * 20_000_000,
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("ask", [report, decide, resume])
def test_a_damaged_timeline_ends_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ask: Ask, junk: str
) -> None:
    path = tmp_path / "timeline.jsonl"
    path.write_bytes(JUNK[junk])
    said(ask(path), capsys.readouterr().err)


def test_a_sentence_names_the_line_the_field_and_what_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "timeline.jsonl"
    path.write_bytes(JUNK["NaN"])
    line = next(n for n, one in enumerate(WHOLE.splitlines(), 1) if b'"StepEnded"' in one)
    assert f"line {line} " in said(report(path), capsys.readouterr().err)
    path.write_bytes(JUNK["null for a number"])
    first = said(report(path), capsys.readouterr().err)
    assert "StepEnded.took_s: None is no finite number" in first


def no_files(folder: Path) -> list[Path]:
    """Return paths of what is no file: a folder, a pipe, a link to nowhere, a device, nothing."""
    paths = [folder / name for name in ("folder.jsonl", "pipe.jsonl", "link.jsonl", "none.jsonl")]
    paths[0].mkdir()
    os.mkfifo(paths[1])
    paths[2].symlink_to(folder / "nowhere")
    return [*paths, Path("/dev/null"), Path("/dev/zero")]


@pytest.mark.timeout(100)
@pytest.mark.parametrize("ask", [report, decide, resume])
def test_what_is_no_file_ends_in_one_sentence_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ask: Ask
) -> None:
    for path in no_files(tmp_path):
        said(ask(path), capsys.readouterr().err)


@pytest.mark.timeout(100)
def test_a_history_that_is_no_file_ends_in_one_sentence_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in no_files(tmp_path):
        if path.name != "none.jsonl":  # a history begins with the first drill
            said(index(path), capsys.readouterr().err)


STRANGE: dict[str, object] = {
    "began": ["", "yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31", 7, None],
    "procedure": ["1", 1.5, True, -1],
    "verdict": ["fine", "", None, 3],
    "detected_after_s": ["0.5", -1, True, [], "NaN-", "1e999-"],
    "restored_after_s": ["4", -4.0, {}, "NaN-", "Infinity-", "9" * 400 + "-"],
    "outage_s": ["x", -3, "NaN-"],
    "findings": [1.5, None, -1, "9" * 5000 + "-"],
    "stage": [None, 1],
    "key": [None, ["k"], "\ud800"],
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_value_of_a_kept_drill_ends_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = tmp_path / "history.jsonl"
    values = STRANGE[name]
    assert isinstance(values, list)
    for value in values:
        text = json.dumps(KEPT | {name: value})
        if isinstance(value, str) and value.endswith("-"):
            text = text.replace(f'"{value}"', value[:-1])  # as it is, not as a text
        path.write_text(f"{json.dumps(KEPT)}\n{text}\n")
        assert "line 2" in said(index(path), capsys.readouterr().err)
        assert "line 2" in said(hold(path), capsys.readouterr().err)
    assert not (tmp_path / "drill").exists()


def test_what_another_version_keeps_beside_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(json.dumps(KEPT | {"weather": "fair"}) + "\n" + json.dumps(KEPT)[:-20])
    assert index(path) == 0
    assert len(history.earlier(path)) == 1  # the last line was torn


CSVS = {
    "a huge time": b"1,200,0.1\n1e300,200,0.1\n",
    "an endless time": b"1,200,0.1\n1e999,200,0.1\n",
    "a time before 1970": b"1,200,0.1\n1901-01-01T00:00:00Z,200,0.1\n",
    "a negative time": b"1,200,0.1\n-5,200,0.1\n",
    "a thousand digits": b"1,200,0.1\n" + b"9" * 1000 + b",200,0.1\n",
    "a status of a thousand digits": b"1,200,0.1\n1," + b"9" * 1000 + b",0.1\n",
    "an endless status": b"1,200,0.1\n1,1e999,0.1\n",
    "a latency that is none": b"1,200,0.1\n1,200,nan\n",
    "an endless latency": b"1,200,0.1\n1,200,inf\n",
    "a NUL": b"1,200,0.1\n1,2\0,0.1\n",
    "Latin-1 in UTF-8": b"1,200,0.1\n1,200,0.1,gr\xfc\xdfe\n",
    "a cell without an end": b"1,200,0.1\n" + b'"' + b"x" * 200_000 + b"\n",
    "a line without an end": b"1,200,0.1\n" + b"x" * 2_000_000,
    "UTF-16": "1,200,0.1\n".encode("utf-16"),
    "nothing": b"",
}


@pytest.mark.parametrize("text", CSVS)
def test_a_damaged_record_of_requests_ends_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = tmp_path / "requests.csv"
    path.write_bytes(CSVS[text])
    said(decide(path), capsys.readouterr().err)


SEEN = "{0}.5,{0}.5,{0}.6,c001,details,200,ok,,\n"


@pytest.mark.parametrize(
    "line",
    [
        b"1,2,3\n",
        b"\xff\n",
        b"nan,1,1,c,details,200,ok,,\n",
        b"1,1,inf,c,details,200,ok,,\n",
        b"1,1,-1,c,details,200,ok,,\n",
        b"1,1,1,c,details,20000,ok,,\n",
        b"1,1,1,c,details,200,fine,,\n",
        b"1,1,1,c,details," + b"9" * 5000 + b",ok,,\n",
    ],
)
def test_a_broken_line_of_traffic_is_named_with_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: bytes
) -> None:
    (tmp_path / "timeline.jsonl").write_bytes(WHOLE)
    (tmp_path / "traffic").mkdir()
    raw = SEEN.format(int(T)).encode()
    (tmp_path / "traffic" / "observations-0.csv").write_bytes(raw + line + raw)
    first = said(decide(tmp_path / "timeline.jsonl"), capsys.readouterr().err)
    assert "line 2" in first
    assert "observations-0.csv" in first


def test_a_torn_last_line_of_traffic_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "timeline.jsonl").write_bytes(WHOLE)
    (tmp_path / "traffic").mkdir()
    raw = SEEN.format(int(T)).encode()
    (tmp_path / "traffic" / "observations-0.csv").write_bytes(raw + "1,1,ü".encode()[:-1])
    first = said(decide(tmp_path / "timeline.jsonl"), capsys.readouterr().err)
    assert "more than 400 requests" in first  # one, as it says


def test_a_timeline_torn_within_a_character_tells_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "timeline.jsonl"
    path.write_bytes(b"\n".join(line.encode() for line in LINES[:3]) + "\nü".encode()[:-1])
    assert report(path) == 3
    verdict = json.loads((tmp_path / "report" / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["verdict"] == "unknown"
