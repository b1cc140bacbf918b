"""Whatever stands in a file of settings or of requests: it is read, or refused in a sentence."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import strategies as st

from rollback_drill.decide.requests_file import read_requests
from rollback_drill.ground.errors import UsageError
from rollback_drill.perform.messages import read_channels
from rollback_drill.stage.entries import KINDS
from rollback_drill.stage.file import read_staging
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.stage.staging import StagingStage
from rollback_drill.subject.questions import GoldenAnswer, GoldenQuestion, GoldenSet, read_golden
from steps.fix_examples import Examples
from tests.ground.damage_support import damaged

ROOT = Path(__file__).resolve().parents[2]
STAGING = [
    (ROOT / "examples" / name / "staging.toml").read_text()
    for name in ("kinto", "unleash", "compose", "systemd")
]
ODD = (
    *("kind = 1", 'kind = "production"', "hosts = []", "hosts = [1]", "[[hosts]]", "limits = 3"),
    *("rate = nan", "rate = inf", "rate = 1e400", "minutes = -inf", "requests = 99999999999999999999"),
    *("port = 99999999999999999999", "operations = [{}]", "options = [1]", "x = 2026-01-01", "[a.b]"),
    *('"(" = "x"', 'url = "http://["', 'url = "http://h:99999999"', 'name = "\\u0000"', 'ssh = "-oX=y"'),
    *('path = "\\n"', 'method = "get x"', 'status = 1e9', 'dsn_from = ""', 'key_header = "a: b"'),
)  # fmt: skip


def test_no_staging_file_ends_in_a_traceback(
    examples: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "staging.toml"
    for name in ("KINTO_DSN", "STAGING_DSN", "STAGING_API_KEY"):
        monkeypatch.setenv(name, "postgresql://nobody@127.0.0.1:1/none")

    def read(raw: bytes) -> None:
        path.write_bytes(raw)
        with suppress(UsageError):
            read = read_staging(path)
            assert read.kind in KINDS
            assert read.hosts
            assert 0 < read.limits.rate < float("inf")
            stage = open_stage(str(path), StageOptions(), lambda _: None)
            assert isinstance(stage, StagingStage)
            stage.__exit__()

    examples.hold(50, st.sampled_from(STAGING).flatmap(lambda text: damaged(text, 2, ODD)), read)


CHANNELS = """\
[slack-oncall]
kind = "slack"
url_from = "TOLD"
["incident.md"]
kind = "issue"
repository = "a/b"
token_from = "TOLD"
[stakeholders]
kind = "mail"
mailbox = "/tmp/mail"
"""
STRAY = (
    *("kind = [1]", "kind = {a = 1}", "a = 1", "[a.b]", "[[x]]", "url_from = ''", "url_from = 1"),
    *("url_from = []", "url_from = 'a=b'", 'url_from = "\\u0000"', "mailbox = 3", "repository = ['x']"),
)  # fmt: skip


def test_no_file_of_channels_ends_in_a_traceback(
    examples: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "channels.toml"
    monkeypatch.setenv("TOLD", "a-secret")

    def read(raw: bytes) -> None:
        path.write_bytes(raw)
        with suppress(UsageError):
            found = read_channels(path)
            told = {value for one in found.settings.values() for value in one.values()}
            assert all(isinstance(value, str) for value in told)
            assert ("a-secret" in told) == ("a-secret" in found.secrets)

    examples.hold(60, damaged(CHANNELS, 3, STRAY), read)


CSVS = (
    "time,status,latency\n" + "".join(f"{n / 10:.1f},200,0.0{n % 7}1\n" for n in range(30)),
    "ts;code;duration_ms;x\n"
    + "".join(f"2026-01-01T00:00:{n:02d}Z;200;0,0{n % 7}1;y\n" for n in range(30)),
    "".join(f"[01/Jan/2026:00:00:{n:02d} +0000]\t-\t0.1\t1\n" for n in range(30)),
)
CELLS = (
    *("9999-12-31T23:59:59+00:00,200,0.1", "0001-01-01T00:00:00+14:00,200,1", "1_000,2_0_0,1e-5"),
    *("١,٢٠٠,0.1", '"1\n2",200,0.1', "time,time,status,latency", ",,,", "1,200,-0.0", "nan,200,1"),
)


def test_no_record_of_requests_ends_in_a_traceback(examples: Examples, tmp_path: Path) -> None:
    path = tmp_path / "requests.csv"

    def read(raw: bytes) -> None:
        path.write_bytes(raw)
        with suppress(UsageError):
            for one in read_requests(path):
                assert 0 <= one.at <= 1e11 + 86_400
                assert one.seen.status == 0 or 100 <= one.seen.status <= 999

    strategy = st.sampled_from(CSVS).flatmap(lambda text: damaged(text, 4, CELLS))
    examples.hold(80, strategy, read)


def test_no_golden_set_ends_in_a_traceback(examples: Examples, tmp_path: Path) -> None:
    path = tmp_path / "golden.json"
    question = GoldenQuestion("notes", "/notes", written=True, volatile=("at",))
    answer = GoldenAnswer(200, {"etag": "b"}, '{"a": [1]}', 0.1)
    whole = GoldenSet(
        "v1", "a test", 1.7e9, (question,) * 2, (answer,) * 2, {"1": ("x",)}
    ).to_json()

    def read(raw: bytes) -> None:
        path.write_bytes(raw)
        with suppress(UsageError):
            found = read_golden(path)
            assert found.digest
            assert found.usual_s()
            assert found.volatile_of(0) is not None

    examples.hold(60, damaged(whole, 2), read)
