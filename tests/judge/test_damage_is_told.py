"""Whatever happens to the bytes of a record: an exit code of ours, and never a traceback."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollback_drill.cli import main
from tests.judge.history_support import KEPT
from tests.judge.kept_records import kept

DOCUMENT = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
REQUESTS = "time,status,latency\n" + "".join(f"{n / 10:.1f},200,0.0{n % 7}1\n" for n in range(600))
HISTORY = (json.dumps(KEPT) + "\n") * 6
SEEN = "".join(f"{n}.5,{n}.5,{n}.6,c001,details,200,ok,,\n" for n in range(1_000_000, 1_000_450))
STRANGE = (
    b"\xff",
    b"\0",
    b"\n",
    b"\r",
    b'"',
    b"{",
    b"[",
    b"-",
    b"9" * 40,
    b"9" * 5000,
    b"NaN",
    b"null",
    b"e999",
    b"\\ud800",
    b",",
    b";",
    b"\xef\xbb\xbf",
    b" ",
    b"true",
)


def damage(data: st.DataObject, raw: bytes) -> bytes:
    """Return `raw` with a few places overwritten, cut out or filled."""
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(raw)))
        gone = data.draw(st.sampled_from((0, 0, 1, 2, 30)))
        more = data.draw(st.sampled_from(STRANGE) | st.binary(max_size=2))
        raw = raw[:place] + more + raw[place + gone :]
    return raw if data.draw(st.booleans()) else raw[: data.draw(st.integers(0, len(raw)))]


@pytest.mark.parametrize("what", ["report", "decide", "traffic", "requests", "history"])
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_no_damage_ends_in_a_traceback(what: str, data: st.DataObject) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        timeline = folder / "timeline.jsonl"
        if what in ("report", "decide"):
            timeline.write_bytes(damage(data, kept("procedure-2")))
        if what == "traffic":
            timeline.write_bytes(kept("procedure-2"))
            (folder / "traffic").mkdir()
            seen = folder / "traffic" / "observations-0.csv"
            seen.write_bytes(damage(data, SEEN.encode()))
        decide = ["decide", "--runbook", str(DOCUMENT), "--from"]
        commands = {
            "report": ["report", "--from", str(timeline), "--report", str(folder / "report")],
            "decide": [*decide, str(timeline)],
            "traffic": [*decide, str(timeline)],
            "requests": [*decide, str(folder / "requests.csv")],
            "history": ["index", "--history", str(folder / "h"), "--to", str(folder / "i.html")],
        }
        (folder / "requests.csv").write_bytes(damage(data, REQUESTS.encode()))
        (folder / "h").write_bytes(damage(data, HISTORY.encode()))
        assert main(commands[what]) in (0, 1, 2, 3)
