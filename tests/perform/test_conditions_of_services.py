"""Each condition of the checks of processes, health, maintenance and data has a defect of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rollback_drill.data.balance import Balance
from rollback_drill.data.told import LedgerRead
from rollback_drill.ground.clock import now
from rollback_drill.ground.finding import Finding, failed, passed
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.checks import maintenance
from rollback_drill.runbook.monitoring import MetricNames
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from tests.perform.place_support import Place, aggregate, released

PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN
RESTARTED, NOT = "The application was restarted", "No restart was needed"
RUNNING, STOPPED = "Its process is running", "The application is stopped"
UP, CLIENTS = "Service is up", "The API is reachable"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "_WAIT_S", 0.1)


def test_every_host_runs_another_process(place: Place) -> None:
    place.moment.pids_before = {"host-1": 1, "host-2": 2}
    place.says(RESTARTED, PASSED, "host-1: 1 → 101, host-2: 2 → 102")
    place.moment.pids_before = {"host-1": 101, "host-2": 2}
    place.says(RESTARTED, FAILED)
    place.moment.pids_before = {"host-1": 1, "host-2": 2}
    place.pids = {"host-1": 101}
    place.says(RESTARTED, FAILED, "host-2: 2 → none")
    place.pids = {"host-1": 101, "host-2": 0}
    place.says(RESTARTED, FAILED)
    place.moment.pids_before = None
    place.says(RESTARTED, UNKNOWN)


def test_what_runs_is_built_of_what_is_checked_out(place: Place) -> None:
    released(place)
    place.run("git checkout -q v1.4.2")
    place.run("git checkout -q v1.4.2", 1)
    place.moment.pids_before = {"host-1": 1, "host-2": 2}
    place.releases = {"host-1": "v1.4.2", "host-2": "v1.4.2"}
    place.says(RESTARTED, PASSED, "host-1 runs v1.4.2, v1.4.2 is there")
    place.says(RUNNING, PASSED)
    for stale in ("v1.5.0", ""):
        place.releases = {"host-1": "v1.4.2", "host-2": stale}
        place.says(RESTARTED, FAILED, "what is checked out", stale or "no release that it tells")
        place.says(RUNNING, FAILED, "what is checked out")


def test_a_process_runs_from_the_folder_of_the_deployment(place: Place) -> None:
    for host in place.hosts:
        place.run('echo "exec -a $PWD/serve sleep 60" > serve', place.hosts.index(host))
    begun = [_sleeping(str(host.directory / "serve")) for host in place.hosts]
    other = _sleeping("/elsewhere/serve")
    try:
        place.pids = {"host-1": begun[0].pid, "host-2": begun[1].pid}
        place.says(RUNNING, PASSED)
        place.pids = {"host-1": begun[0].pid, "host-2": other.pid}
        place.says(RUNNING, FAILED, "a process of the deployment's folder")
        place.pids = {"host-1": other.pid, "host-2": begun[1].pid}
        place.says(RUNNING, FAILED, "a process of the deployment's folder")
        place.pids = {"host-1": begun[0].pid}
        place.says(RUNNING, FAILED, "no process on host-2")
    finally:
        for one in (*begun, other):
            one.kill()
            one.wait()


def _sleeping(name: str) -> Any:
    return subprocess.Popen([name, "60"], executable="/bin/sleep")


def test_nobody_runs_where_the_application_is_stopped(place: Place) -> None:
    place.says(STOPPED, FAILED)
    place.pids = {}
    place.says(STOPPED, PASSED)


def test_no_restart_is_that_all_run_on(place: Place) -> None:
    place.moment.pids_before = dict(place.pids)
    place.says(NOT, PASSED)
    place.moment.pids_before = {**place.pids, "host-2": 7}
    place.says(NOT, FAILED)
    place.moment.pids_before = {}
    place.pids = {}
    place.says(NOT, UNKNOWN, "no process ran")
    place.moment.pids_before = None
    place.says(NOT, UNKNOWN, "nobody saw")


def test_a_service_is_up_on_every_host(place: Place) -> None:
    place.says(UP, PASSED)
    place.statuses["host-2"] = 503
    place.says(UP, FAILED, "host-2 answers 503")
    place.statuses["host-2"] = 0
    place.says(UP, FAILED, "host-2 answers nothing")
    place.statuses["host-2"] = 200
    place.front = 503
    place.says(UP, PASSED)
    place.says(CLIENTS, FAILED, "the front door answers 503")
    place.front = 0
    place.says(CLIENTS, FAILED, "the front door answers nothing")
    place.front = 200
    place.says(CLIENTS, PASSED)
    place.statuses["host-1"] = 500
    place.says(CLIENTS, FAILED)
    place.statuses["host-1"] = 200
    place.pids = {"host-1": 1}
    place.says(UP, FAILED, "host-2 has no process")
    place.stage.process = None
    place.says(UP, PASSED)
    place.stage.direct_urls = {}
    place.says(UP, FAILED)


def test_a_health_endpoint_answers_what_the_box_names(place: Place) -> None:
    place.says("The health endpoint returns 200", PASSED)
    place.statuses["host-2"] = 204
    place.says("The health endpoint returns 200", FAILED, "host-2 answers /health with 204")
    place.says("The health endpoint returns 204", FAILED)
    place.statuses["host-1"] = 204
    place.says("The health endpoint returns 204", PASSED)
    place.says("`/ready` answers with status 204", PASSED, "host-1 answers /ready")
    place.statuses["host-1"] = place.statuses["host-2"] = 0
    place.says("Health checks pass", FAILED, "with nothing")


def _subject(place: Place, **bad: Any) -> None:
    asked = ("reads_succeed", "all_works", "strangers_refused", "writes_kept")
    found = {name: bad.get(name, passed(name)) for name in asked}
    ways = {name: (lambda *_, one=one: one) for name, one in found.items()}
    place.stage.subject = SimpleNamespace(probe="/probe", writes=True, **ways)


@pytest.mark.parametrize(
    ("box", "way"),
    [
        ("API requests succeed", "reads_succeed"),
        ("All API endpoints work", "all_works"),
        ("Authentication works", "strangers_refused"),
        ("Database queries work", "writes_kept"),
    ],
)
def test_what_the_subject_says_is_said(place: Place, box: str, way: str) -> None:
    _subject(place)
    place.says(box, PASSED, way)
    _subject(place, **{way: failed("bad", "good")})
    place.says(box, FAILED)


def gone(*_: object) -> Finding:
    raise NoAnswer("refused")


def test_a_smoke_test_is_all_of_its_parts(place: Place) -> None:
    box = "Smoke tests pass"
    _subject(place)
    place.says(box, PASSED, "reads_succeed; strangers_refused; writes_kept")
    for way in ("reads_succeed", "strangers_refused", "writes_kept"):
        _subject(place, **{way: failed(f"{way} is bad", "good")})
        place.says(box, FAILED, f"{way} is bad")
    place.front = 503  # nobody is let in: nothing can be written
    place.says(box, PASSED)
    place.front = 200
    place.stage.subject.writes = False
    place.says(box, PASSED)
    place.statuses["host-1"] = 500
    place.says(box, FAILED)
    place.statuses["host-1"] = 0  # it is gone, and asking it more would break
    place.stage.subject.reads_succeed = gone
    place.says(box, FAILED, "host-1 answers nothing")
    place.statuses["host-1"] = 200
    _subject(place, strangers_refused=failed("bad", "good"))
    place.stage.api_key = ""
    place.says(box, PASSED)


ON, OFF = "Maintenance mode is on", "Maintenance mode is off"


def test_maintenance_is_what_the_front_door_says(place: Place) -> None:
    place.says(ON, FAILED, "answers 200")
    place.says(OFF, PASSED)
    for status, on in ((503, PASSED), (502, FAILED), (404, FAILED), (0, FAILED)):
        place.front = status
        said = f"answers {status or 'nothing'}; past it: host-1 200, host-2 200"
        place.says(ON, on, said)
        place.says(OFF, FAILED, str(status or "nothing"))


HAS_STOPPED, FLOWS = "Client traffic has stopped", "Client traffic reaches the application"
AT_ONCE = "No immediate errors for clients"


@pytest.mark.parametrize(
    ("box", "outcomes", "verdict", "said"),
    [
        (HAS_STOPPED, {"unavailable": 20}, PASSED, "0 of 20 requests reached"),
        (HAS_STOPPED, {"unavailable": 19, "ok": 1}, FAILED, "1 of 20 requests reached"),
        (HAS_STOPPED, {"server_error": 20}, FAILED, "20 of 20 requests reached"),
        (HAS_STOPPED, {"unavailable": 19}, UNKNOWN, "19 of 20 requests that are needed"),
        (FLOWS, {"ok": 11, "unavailable": 9}, PASSED, "11 of 20 requests were answered well"),
        (FLOWS, {"ok": 10, "unavailable": 10}, FAILED, "10 of 20"),
        (FLOWS, {"unavailable": 40}, FAILED, "0 of 40"),
        (FLOWS, {"ok": 19}, UNKNOWN, "19 of 20 requests that are needed"),
        (AT_ONCE, {"ok": 40}, PASSED, "0 of the first 40"),
        (AT_ONCE, {"ok": 40, "rejected": 1}, FAILED, "1 of the first 41"),
        (AT_ONCE, {"ok": 39}, UNKNOWN, "39 of 40 requests that are needed"),
    ],
)
def test_traffic_is_counted(
    place: Place, quick: None, box: str, outcomes: dict[str, int], verdict: Verdict, said: str
) -> None:
    once = aggregate(**outcomes)
    place.seen = lambda start, until: once(start - 2, until)
    place.says(box, verdict, said)


def test_the_first_second_of_clients_is_waited_for(place: Place, quick: None) -> None:
    once = aggregate(ok=60)
    place.seen = lambda start, until: once(start, start + 0.9)
    place.says(AT_ONCE, UNKNOWN)
    place.seen = lambda start, until: once(start, start + 1.0)
    place.says(AT_ONCE, PASSED)


def test_traffic_counts_from_now_on(place: Place, quick: None) -> None:
    began, starts = now(), []
    once = aggregate(ok=60)

    def seen(start: float, until: float | None) -> Any:
        starts.append(start)
        return once(start - 2, until)

    place.seen = seen
    place.says(FLOWS, PASSED)
    assert min(starts) >= began


def read(**changed: Any) -> LedgerRead:
    return LedgerRead(
        **{"acknowledged": 5, "preserved": 5, "lost": 0, "indeterminate": 0, **changed}
    )


@pytest.mark.parametrize(
    ("balance", "verdict", "said"),
    [
        (
            Balance(read(), stood=7),
            PASSED,
            "5 of 5 acknowledged writes are there as sent, and 7 rows",
        ),
        (Balance(read()), PASSED, "5 of 5"),
        (Balance(read(preserved=4, lost=1, examples=("d-1",)), stood=7), FAILED, "(d-1)"),
        (Balance(read(preserved=4, damaged=1), stood=7), FAILED, "4 of 5"),
        (Balance(read(), losses=("1 row is gone",), stood=7), FAILED, "1 row is gone"),
        (Balance(read(), damage=("1 row is other",), stood=7), FAILED, "1 row is other"),
        (Balance(read(), unknown=("prices (why)",), stood=7), UNKNOWN, "nobody knows of prices"),
        (Balance(read(acknowledged=0, preserved=0)), UNKNOWN, "no writes were made"),
        (Balance(None), UNKNOWN, "unsupported"),
        (None, UNKNOWN, "unsupported"),
    ],
)
def test_no_data_is_lost(
    place: Place, balance: Balance | None, verdict: Verdict, said: str
) -> None:
    place.moment.balance = balance
    place.says("No data was lost", verdict, said)
    place.moment.balance, place.moment.read_back = None, lambda: balance
    place.says("No data was lost", verdict, said)


def test_what_was_measured_in_the_end_is_not_asked_again(place: Place) -> None:
    place.moment.balance = Balance(read(preserved=4, lost=1))
    place.moment.read_back = lambda: Balance(read())
    place.says("No data was lost", FAILED)


def _sampled(place: Place, *sizes: dict[str, int], ago_s: float = 5.0) -> None:
    at = now() - ago_s
    place.moment.samples += [(at, SimpleNamespace(rss_bytes=size)) for size in sizes]


BELOW = "Memory below 80%"


def test_memory_is_the_most_that_was_used_on_any_host(place: Place) -> None:
    place.says(BELOW, UNKNOWN, "0 of 10 samples")
    _sampled(place, *({"host-1": 100, "host-2": 799},) * 9)
    place.says(BELOW, UNKNOWN, "9 of 10")
    assert place.check(BELOW).lacks
    _sampled(place, {"host-1": 100, "host-2": 799})
    place.says(BELOW, PASSED, "host-2 used at most 79.9%")
    _sampled(place, {"host-2": 800, "host-1": 1}, ago_s=100)  # before the window
    place.says(BELOW, PASSED)
    _sampled(place, {"host-1": 1})
    place.says(BELOW, PASSED)
    _sampled(place, {"host-2": 800})
    place.says(BELOW, FAILED, "host-2 used at most 80.0%")
    place.moment.samples.clear()
    _sampled(place, *({"host-1": 900, "host-2": 1},) * 10)
    place.says(BELOW, FAILED)
    place.limits = {"host-1": 1000}
    place.says(BELOW, UNKNOWN, "host-2 does not tell")


class Prometheus:
    """Answers as one does: its alerts and rules, and a query by whether it is what holds."""

    def __init__(self) -> None:
        self.alerts: list[Any] = []
        self.rules: list[Any] = []
        self.up = [{"metric": {"instance": "a"}, "value": [0, "1"]}]
        self.holding = "nothing"

    def __call__(self, sent: http.Sent) -> http.Answer:
        one = [{"metric": {}, "value": [0, "1"]}]
        data: dict[str, Any] = {"result": one if self.holding in sent.path else []}
        if sent.path.endswith("/alerts"):
            data = {"alerts": self.alerts}
        elif sent.path.endswith("/rules"):
            data = {"groups": [{"rules": self.rules}]}
        elif "query=up" in sent.path:
            data = {"result": self.up}
        return http.Answer(200, {}, json.dumps({"data": data}).encode())


def test_no_alert_fires(place: Place) -> None:
    box = "No active alerts"
    place.says(box, UNKNOWN, "unsupported")
    prometheus = Prometheus()
    place.stage.prometheus_url = "http://prometheus.simulated"
    place.stage.subject.metrics = MetricNames("j", "req_total", "sec")
    with http.wired("http://prometheus.simulated", prometheus):
        prometheus.rules = [{"type": "alerting"}, {"type": "recording"}]
        place.says(box, PASSED, "0 of 1 alerts fire")
        prometheus.alerts = [{"state": "pending", "labels": {"alertname": "Slow"}}]
        place.says(box, PASSED)
        prometheus.alerts.append({"state": "firing", "labels": {"alertname": "Errors"}})
        place.says(box, FAILED, "1 of 1 alerts fire, Errors")
        prometheus.alerts, prometheus.rules = [], []
        place.says(box, PASSED, "made of the runbook's thresholds 0 would fire")
        prometheus.up = []
        place.says(box, FAILED, "sees no host")
        prometheus.up = [{"metric": {}, "value": [0, "1"]}]
        prometheus.holding = "histogram_quantile"
        place.says(box, FAILED, "would fire, ")
