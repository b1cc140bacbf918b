"""What the suite asks of an environment that others own stays below what its file allows.

Counted where it arrives: by a real little server, in each window of a second.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rollback_drill.campaigns.stage_check import ask_all
from rollback_drill.ground.verdict import Verdict
from rollback_drill.runbook.parse import parse
from rollback_drill.stage import http
from rollback_drill.stage.allowance import Allowance, hold_to, release
from rollback_drill.stage.asking import send
from rollback_drill.stage.file import read_staging
from rollback_drill.stage.questioning import asker
from rollback_drill.stage.staging import StagingStage
from rollback_drill.watch.probe import front_health, hosts_health

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 20
TOML = """
[stage]
name = "counted"
kind = "staging"
failing = "v2"
stable = "v1"
base_url = "{url}"
[limits]
rate = {limit}
[[hosts]]
name = "here"
local = true
directory = "{folder}"
url = "{url}"
[service]
api = "other"
[[service.operations]]
name = "list"
method = "GET"
path = "/x"
"""


class Counted(ThreadingHTTPServer):
    """Answers everything, and notes when it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked_at: list[float] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def most_in_a_second(self) -> int:
        times = sorted(self.asked_at)
        return max(sum(at <= one < at + 1 for one in times) for at in times)


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, Counted)
        self.server.asked_at.append(time.monotonic())
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Counted]:
    with Counted() as one:
        threading.Thread(target=one.serve_forever, daemon=True).start()
        yield one
        one.shutdown()


@pytest.fixture
def stage(server: Counted, tmp_path: Path) -> Iterator[StagingStage]:
    path = tmp_path / "staging.toml"
    path.write_text(TOML.format(url=server.url, folder=tmp_path, limit=LIMIT))
    one = StagingStage(read_staging(path), print)
    yield one
    one.__exit__()


def ask_in_all_ways(stage: StagingStage) -> None:
    """Ask as probes, checks, golden sets and whoever asks once do, sixty requests in all."""
    (operation,) = stage.interface.operations
    with asker(stage.base_url) as client:
        for _ in range(12):
            front_health(stage)
            hosts_health(stage)
            send(stage, stage.base_url, operation)
            client.get("/y")
            http.get(f"{stage.base_url}/z?a=1")


def test_no_second_holds_more_than_the_file_allows(stage: StagingStage, server: Counted) -> None:
    ask_in_all_ways(stage)
    assert len(server.asked_at) == 60
    assert server.most_in_a_second() <= LIMIT


def test_who_is_not_held_to_the_limit_is_seen(stage: StagingStage, server: Counted) -> None:
    assert stage.allowance
    release(stage.allowance)  # the planted defect
    ask_in_all_ways(stage)
    assert server.most_in_a_second() > LIMIT


def test_another_service_is_not_held_to_it(stage: StagingStage) -> None:
    assert stage.allowance
    assert stage.allowance.holds(stage.base_url)
    assert stage.allowance.holds(f"{stage.base_url}/x?y")
    assert not stage.allowance.holds(f"{stage.base_url}0/x")  # another port


def test_of_several_who_ask_at_once_each_has_his_turn() -> None:
    allowance = Allowance(["http://a.example"], 100)
    taken: list[float] = []

    def take(_: int) -> None:
        for _ in range(5):
            allowance.take()
            taken.append(time.monotonic())

    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take, range(4)))
    assert allowance.asked == 20
    # A busy machine makes it longer, never shorter.
    assert max(taken) - began >= 19 * allowance.apart_s


@pytest.mark.parametrize("traffic", [1.0, 16.0])
def test_what_clients_send_is_left_to_them(traffic: float) -> None:
    allowance = Allowance(["http://a.example"], LIMIT)
    allowance.leave(traffic)
    assert traffic + 1 / allowance.apart_s <= LIMIT - 1


def test_waiting_for_a_turn_is_no_part_of_an_answers_time(stage: StagingStage) -> None:
    assert stage.allowance
    release(stage.allowance)
    slow = Allowance([stage.base_url], 4)
    hold_to(slow)
    try:
        first, second = http.get(stage.base_url), http.get(stage.base_url)
    finally:
        release(slow)
    assert slow.apart_s > 0.3
    assert min(first.took_s, second.took_s) < slow.apart_s


SENDS = re.compile(
    r"httpcore\.(?:ConnectionPool|request|stream)\(|httpx\.(?:get|post|put|request|stream|Client|Async)"
    r"|\brequests\.(?:post|put|request|Session)\(|\brequests\.get\((?:url|f?[\"'])|urlopen"
    r"|client\.HTTPS?Connection\(|geventhttpclient"
)


def senders(files: dict[str, str]) -> list[str]:
    """Return the modules that send requests themselves."""
    return sorted(name for name, text in files.items() if SENDS.search(text))


def test_one_module_alone_opens_connections_to_a_service() -> None:
    files = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for folder in ("rollback_drill", "steps")
        for path in (ROOT / folder).rglob("*.py")
    }
    # The other one speaks to the engine of containers.
    ours = ["rollback_drill/stage/connections.py", "rollback_drill/stage/execution.py"]
    assert senders(files) == ours
    planted = {"rollback_drill/golden/quick.py": "import httpx\nhttpx.get(url)\n"}
    assert senders(files | planted) == ["rollback_drill/golden/quick.py", *ours]


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ("", Verdict.PASSED),
        ("minutes = 0.5", Verdict.FAILED),
        ("requests = 500", Verdict.FAILED),
    ],
)
def test_the_check_says_how_long_a_drill_takes(
    stage: StagingStage, tmp_path: Path, limits: str, verdict: Verdict
) -> None:
    path = tmp_path / "other.toml"
    path.write_text(
        (tmp_path / "staging.toml")
        .read_text()
        .replace(f"rate = {LIMIT}", f"rate = {LIMIT}\n{limits}")
    )
    other = StagingStage(read_staging(path), print)
    try:
        found = {one.what: one for one in ask_all(other, parse(ROOT / "runbook" / "rollback.md"))}
    finally:
        other.__exit__()
    told = found["a drill fits into the limits"]
    assert told.verdict is verdict
    assert "at 16 requests/s of clients and 4 of the suite's own, at least 37 s" in told.found
