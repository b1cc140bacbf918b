"""Rules and panels made of the runbook, judged by promtool and by a real Prometheus."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import yaml

from rollback_drill.cli import main
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.perform.check import bind
from rollback_drill.perform.checks import resources
from rollback_drill.runbook.model import Band
from rollback_drill.runbook.monitoring import dashboard, panels, rules
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.containers import ContainerStage
from rollback_drill.stage.images import ensure_images
from rollback_drill.stage.model import StageOptions
from rollback_drill.subject.subject import own
from rollback_drill.watch.prometheus import samples, targets_up, value

METRICS = own()[0].metrics
DOCUMENT = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
RUNBOOK = parse(DOCUMENT)


def test_every_row_but_the_normal_one_has_its_rules_with_the_edges_of_the_matrix() -> None:
    (group,) = yaml.safe_load(rules(RUNBOOK, METRICS))["groups"]
    found = {rule["alert"]: rule["expr"] for rule in group["rules"]}
    assert set(found) == {
        "ErrorRateWarning", "ErrorRateAlert", "ErrorRateCritical",
        "ResponseTimeWarning", "ResponseTimeAlert", "ResponseTimeCritical", "MetricsMissing",
    }  # fmt: skip
    assert found["ErrorRateAlert"].endswith(">= 0.05 < 0.1")
    assert found["ResponseTimeCritical"].endswith(">= 2")


def test_thresholds_of_the_dashboard_are_those_of_the_matrix() -> None:
    made = json.loads(json.dumps(dashboard(RUNBOOK, METRICS)))
    by_title = {panel["title"]: panel for panel in made["panels"]}
    steps = by_title["Error rate"]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["value"] for step in steps] == [None, 0.01]
    steps = by_title["Response time, p95"]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["value"] for step in steps] == [None, 0.5]


def test_a_command_writes_both_files(tmp_path: Path) -> None:
    assert main(["monitoring", "--to", str(tmp_path)]) == 0
    assert yaml.safe_load((tmp_path / "alerts.yml").read_text())["groups"]
    assert json.loads((tmp_path / "dashboard.json").read_text())["panels"]


def test_a_command_says_which_thresholds_the_runbook_does_not_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "bare.md"
    bare.write_text("# Rollback plan\n\n## Roll back\n\n```bash\ngit checkout v1\n```\n")
    record = tmp_path / "requests.csv"
    lines = "".join(f"{n / 10},200,0.01\n" for n in range(450))
    record.write_text(f"time,status,latency\n{lines}")
    for words in (["monitoring", "--to", str(tmp_path)], ["decide", "--from", str(record)]):
        assert main([*words, "--runbook", str(bare)]) == 0
        assert "Assumed, the runbook does not say it: row of the matrix" in capsys.readouterr().out
        assert main([*words, "--runbook", str(DOCUMENT)]) == 0
        assert "Assumed" not in capsys.readouterr().out


def promtool(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    image = ensure_images(print)["prometheus"]
    return subprocess.run(
        ["docker", "run", "--rm", "--network", "none", "-v", f"{folder}:/rules:ro", image,
         "promtool", *words],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


# Requests a second that are answered 200 and 500, their time, and what must be firing then.
CASES = [
    (100, 0, 0.1, []),
    (98, 2, 0.1, ["ErrorRateWarning"]),
    (93, 7, 0.1, ["ErrorRateAlert"]),
    (85, 15, 0.1, ["ErrorRateCritical"]),
    (100, 0, 0.9, ["ResponseTimeWarning"]),
    (100, 0, 1.9, ["ResponseTimeAlert"]),
    (100, 0, 4.0, ["ResponseTimeCritical"]),
]
EDGES = (0.1, 0.5, 1, 2, 5)


def rule_tests(cases: list[tuple[int, int, float, list[str]]]) -> str:
    names = [r["alert"] for r in yaml.safe_load(rules(RUNBOOK, METRICS))["groups"][0]["rules"]]
    found = []
    for good, bad, seconds, firing in cases:
        series = [{"series": 'up{job="hostaway-mcp", instance="a"}', "values": "1x60"}]
        for status, rate in (("200", good), ("500", bad)):
            name = f'hostaway_requests_total{{status="{status}"}}'
            series.append({"series": name, "values": f"0+{rate * 15}x60"})
        for edge in (*EDGES, "+Inf"):
            within = good + bad if edge == "+Inf" or float(edge) >= seconds else 0
            name = f'hostaway_request_seconds_bucket{{le="{edge}"}}'
            series.append({"series": name, "values": f"0+{within * 15}x60"})
        alerts = [
            {
                "eval_time": "10m",
                "alertname": name,
                "exp_alerts": [expectation(name)] if name in firing else [],
            }
            for name in names
        ]
        found.append({"interval": "15s", "input_series": series, "alert_rule_test": alerts})
    return yaml.safe_dump({"rule_files": ["alerts.yml"], "tests": found})


def expectation(name: str) -> dict[str, object]:
    rule = next(
        r
        for r in yaml.safe_load(rules(RUNBOOK, METRICS))["groups"][0]["rules"]
        if r["alert"] == name
    )
    return {"exp_labels": rule["labels"], "exp_annotations": rule["annotations"]}


@pytest.mark.containers
def test_promtool_finds_the_rules_firing_when_they_must_and_only_then(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text(rules(RUNBOOK, METRICS))
    (tmp_path / "test.yml").write_text(rule_tests(CASES))
    tmp_path.chmod(0o755)
    checked = promtool(tmp_path, "check", "rules", "/rules/alerts.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = promtool(tmp_path, "test", "rules", "/rules/test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    # And the test can fail: an edge that was moved is noticed.
    moved = re.sub(r">= 0\.1$", ">= 0.2", rules(RUNBOOK, METRICS), flags=re.MULTILINE)
    assert moved != rules(RUNBOOK, METRICS)
    (tmp_path / "alerts.yml").write_text(moved)
    assert promtool(tmp_path, "test", "rules", "/rules/test.yml").returncode != 0


def test_without_a_prometheus_no_alert_can_fire_so_that_nothing_is_known() -> None:
    alerts = bind("No alerts firing")
    assert alerts
    asking = SimpleNamespace(stage=SimpleNamespace(prometheus_url=""))
    found = alerts.check(asking, alerts.match)  # type: ignore[arg-type]
    assert (found.verdict, "no Prometheus watches" in found.evidence) == (Verdict.UNKNOWN, True)


@pytest.fixture(scope="module")
def stage() -> Iterator[ContainerStage]:
    stage = ContainerStage(StageOptions(), "asked for", print)
    with stage:
        yield stage


@pytest.mark.containers
@pytest.mark.slow
def test_a_real_prometheus_sees_the_host_its_requests_and_its_absence(
    stage: ContainerStage,
) -> None:
    url = stage.prometheus_url
    for _ in wait_until("Prometheus sees the host", 60):
        if list(targets_up(url, METRICS.job).values()) == [1.0]:
            break
    before = samples(url, METRICS.requests)
    key = {"X-API-Key": stage.api_key}
    shown: dict[str, float | None] = {}
    for _ in wait_until("every panel shows data in its normal range", 60, every_s=0.1):
        httpx.get(f"{stage.base_url}/api/listings?limit=1", headers=key, timeout=5)
        found = {
            panel.title: (panel, value(url, panel, pace=60)) for panel in panels(RUNBOOK, METRICS)
        }
        shown = {title: seen for title, (_, seen) in found.items()}
        if all(v is not None and p.low <= v < p.high for p, v in found.values()):
            break
    assert samples(url, METRICS.requests) > before, shown
    asking = SimpleNamespace(stage=stage, runbook=RUNBOOK, pace=60)
    assert resources._prometheus_collects(stage).verdict is Verdict.PASSED
    assert resources._panels_normal(asking).verdict is Verdict.PASSED  # type: ignore[arg-type]
    alerts = bind("No alerts firing")
    assert alerts
    quiet = alerts.check(asking, alerts.match)  # type: ignore[arg-type]
    assert (quiet.verdict, "0 would fire" in quiet.evidence) == (Verdict.PASSED, True), quiet
    # A host that nobody watches, and a limit that the release does not keep, are found.
    unseen = SimpleNamespace(
        prometheus_url=url, direct_urls=stage.direct_urls, interface=stage.interface,
        api_key=stage.api_key, subject=stage.subject, hosts=(*stage.hosts, "host-2"),
    )  # fmt: skip
    assert resources._prometheus_collects(unseen).verdict is Verdict.FAILED
    strict = replace(RUNBOOK.matrix[0], p95=Band(0.0, 1e-6))
    asking.runbook = replace(RUNBOOK, matrix=(strict, *RUNBOOK.matrix[1:]))
    seen = resources._panels_normal(asking)  # type: ignore[arg-type]
    assert (seen.verdict, "p95" in seen.evidence) == (Verdict.FAILED, True)
    stage.hosts[0].run('supervisorctl -c "$SUPERVISOR_CONF" stop hostaway-mcp', limit_s=30)
    for _ in wait_until("Prometheus misses the host", 60):
        if list(targets_up(url, METRICS.job).values()) == [0.0]:
            break
    up = next(panel for panel in panels(RUNBOOK, METRICS) if "Hosts" in panel.title)
    assert value(url, up, pace=60) == 0.0
    asking.runbook = RUNBOOK
    loud = alerts.check(asking, alerts.match)  # type: ignore[arg-type]
    assert (loud.verdict, "would fire, MetricsMissing" in loud.evidence) == (Verdict.FAILED, True)
