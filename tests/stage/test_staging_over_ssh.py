"""A real sshd, a real foreign service: the machine of examples/kinto, brought up once."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.kinto.environment import FOLDER, HERE, KintoStaging
from rollback_drill.campaigns.stage_check import ask_all
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError, UsageError
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.runbook.parse import parse
from rollback_drill.stage import http
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.stage.remote_host import RemoteHost
from rollback_drill.stage.staging import StagingStage
from rollback_drill.stage.sweep import sweep_folder
from tests.stage.staging_support import scripts_alone

ROOT = Path(__file__).resolve().parents[2]
SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = pytest.mark.skipif(SSHD is None, reason="no sshd on this machine (openssh-server)")
WIDE = pytest.mark.wide
TOML = (HERE / "staging.toml").read_text()
RUNBOOK = (HERE / "runbook.md").read_text()
RECORDS = "/v1/buckets/staging/collections/guests/records"


@pytest.fixture(scope="module", autouse=True)
def alone() -> Iterator[None]:
    with scripts_alone():
        yield


def test_what_a_killed_run_left_of_the_machine_is_swept() -> None:
    # Before all others: they share one machine, and there can be only one.
    code = "from examples.kinto.environment import KintoStaging; KintoStaging().__enter__()"
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    try:
        for _ in wait_until("its service runs", 120):
            if alive("kinto.ini --port 8823"):
                break
        assert not sweep_folder(FOLDER)  # of one that lives
    finally:
        child.kill()
        child.wait()
    assert sweep_folder(FOLDER)
    assert not FOLDER.exists()
    for _ in wait_until("its processes are gone", 60):
        if not alive(f"{FOLDER}/"):
            break


@pytest.fixture(scope="module")
def machine() -> Iterator[KintoStaging]:
    with KintoStaging() as up, pytest.MonkeyPatch.context() as patch:
        for name, value in up.variables.items():
            patch.setenv(name, value)
        yield up


@pytest.fixture
def host(machine: KintoStaging) -> Iterator[RemoteHost]:
    stage = open_stage(str(HERE / "staging.toml"), StageOptions(), print)
    assert isinstance(stage, StagingStage)
    (found,) = stage.hosts
    assert isinstance(found, RemoteHost)
    yield found
    stage.__exit__()


def alive(word: str) -> bool:
    return subprocess.run(["pgrep", "-f", word], capture_output=True, check=False).returncode == 0


def test_a_script_runs_there_with_its_variables_and_its_streams(host: RemoteHost) -> None:
    lines: list[tuple[str, str]] = []
    done = host.run(
        'pwd; echo "$GREETING" >&2; exit 3',
        limit_s=20,
        environment={"GREETING": 'it\'s "me" $HOME'},
        on_line=lambda stream, text: lines.append((stream, text)),
    )
    assert (done.exit_status, done.stdout) == (3, f"{FOLDER}/kinto")
    assert done.stderr.splitlines()[-1] == 'it\'s "me" $HOME'
    assert ("stdout", f"{FOLDER}/kinto") in lines


def test_no_value_of_a_variable_stands_in_a_list_of_processes(host: RemoteHost) -> None:
    done = host.run("ps -eo args", limit_s=20, environment={"SECRET": "squeamish-ossifrage"})
    assert done.ok
    assert "squeamish" not in done.stdout


def test_a_script_is_ended_there_at_its_limit_with_its_children(host: RemoteHost) -> None:
    began = now()
    done = host.run("sleep 98761 & sleep 98762", limit_s=1)
    assert done.exit_status is None
    assert now() - began < 30
    assert not alive("sleep 9876[12]")


def test_abort_ends_what_runs_there(host: RemoteHost) -> None:
    ended: list[Any] = []
    thread = threading.Thread(target=lambda: ended.append(host.run("sleep 98763", limit_s=120)))
    thread.start()
    for _ in wait_until("it runs", 60):
        if alive("^sleep 98763"):
            break
    host.abort()
    thread.join(60)
    assert ended
    assert not ended[0].ok
    assert not alive("^sleep 98763")


def test_a_host_that_does_not_answer_is_told_with_what_to_try(machine: KintoStaging) -> None:
    nobody = RemoteHost("nobody", ["ssh", "-oBatchMode=yes", "-p", "1", "127.0.0.1"], "/", {})
    with pytest.raises(StageError, match="nobody to answer by ssh"):
        nobody.run("true", limit_s=20)


def checked(tmp_path: Path, toml: str = TOML, runbook: str = RUNBOOK) -> dict[str, Verdict]:
    (tmp_path / "staging.toml").write_text(toml)
    (tmp_path / "runbook.md").write_text(runbook)
    stage = open_stage(str(tmp_path / "staging.toml"), StageOptions(), print)
    assert isinstance(stage, StagingStage)
    try:
        return {one.what: one.verdict for one in ask_all(stage, parse(tmp_path / "runbook.md"))}
    finally:
        stage.__exit__()


def test_the_check_finds_nothing_missing_on_a_whole_machine(
    machine: KintoStaging, tmp_path: Path
) -> None:
    assert set(checked(tmp_path).values()) == {Verdict.PASSED}


CONTACTS = """
## Emergency contacts

| Role | Primary | Secondary | Escalation |
|---|---|---|---|
| On-call engineer | Ada | [name] | CTO |
"""


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("port = 8821", "port = 8829", "kinto-1 answers"),
        ('marker = "/tmp/kinto-staging/may-be-broken"', 'marker = "/tmp/nowhere"', "kinto-1 has the marker"),
        ('failing = "v26.5"', 'failing = "v99"', "v99 exists in the origin of kinto-1"),
        ('stable = "v26.4"', 'stable = "v98"', "v98 exists in the origin of kinto-1"),
        ('EVIDENCE_DIR = "/tmp/kinto-staging/evidence"', "", "kinto-1 knows the runbook's variables"),
        ("pid = 'pid=\"$(cat kinto.pid)\"", "pid = 'pid=\"$(cat nothing.pid)\"", "[scripts] pid finds the service on kinto-1"),
        ("kinto.log", "no.log", "the log on kinto-1 can be read"),
        ('url = "http://127.0.0.1:8823" ', 'url = "http://127.0.0.1:8829" ', "kinto-1 answers /v1/__lbheartbeat__"),
        ("contains = '\"data\"'", "contains = 'no such word'", "operation list answers as the file says"),
        ('"KINTO_WHEELS"', '"NEVER_SET"', "variables that the file names are set"),
    ],
)  # fmt: skip
def test_the_check_says_what_is_missing(
    machine: KintoStaging, tmp_path: Path, old: str, new: str, what: str
) -> None:
    assert old in TOML
    assert checked(tmp_path, TOML.replace(old, new))[what] is Verdict.FAILED


def test_a_connection_string_that_is_none_is_a_users_mistake(
    machine: KintoStaging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINTO_ADMIN_DSN", "secret-but-no-dsn")
    with pytest.raises(UsageError, match="dsn_from") as caught:
        checked(tmp_path)
    assert "secret" not in str(caught.value)


def test_a_database_that_does_not_answer_is_missing(
    machine: KintoStaging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINTO_ADMIN_DSN", "postgresql://nobody@127.0.0.1:1/kinto")
    assert checked(tmp_path)["the database answers"] is Verdict.FAILED


def test_the_check_finds_a_stop_file(machine: KintoStaging, tmp_path: Path) -> None:
    (tmp_path / "STOP").touch()
    toml = TOML.replace("/tmp/kinto-staging/STOP", str(tmp_path / "STOP"))
    assert checked(tmp_path, toml)["the stop file is not there"] is Verdict.FAILED


def test_the_check_finds_a_step_without_an_alternative_for_this_stage(
    machine: KintoStaging, tmp_path: Path
) -> None:
    runbook = RUNBOOK.replace("# Using Caddy\n", "# Using AWS\ntrue\n# OR using HAProxy\n", 1)
    line = RUNBOOK[: RUNBOOK.index("# Using Caddy")].count("\n")
    found = checked(tmp_path, runbook=runbook)
    assert found[f"line {line} of the runbook"] is Verdict.FAILED


def test_the_check_wants_blanks_of_the_contacts_filled(
    machine: KintoStaging, tmp_path: Path
) -> None:
    what = "the runbook names whom to call"
    assert checked(tmp_path, runbook=RUNBOOK + CONTACTS)[what] is Verdict.FAILED
    filled = CONTACTS.replace("[name]", "Grace")
    assert checked(tmp_path, runbook=RUNBOOK + filled)[what] is Verdict.PASSED


def test_what_the_service_lacks_is_unsupported_not_broken(
    machine: KintoStaging, tmp_path: Path
) -> None:
    runbook = RUNBOOK.replace("- [ ] Memory usage is stable", "- [ ] Metrics are being collected")
    assert checked(tmp_path, runbook=runbook)["checkbox"] is Verdict.UNKNOWN


def begin(report: Path, toml: str = TOML, runbook: str = RUNBOOK) -> subprocess.Popen[str]:
    folder = report.parent
    (folder / "staging.toml").write_text(toml)
    (folder / "runbook.md").write_text(runbook)
    words = ["--stage", f"{folder}/staging.toml", "--runbook", f"{folder}/runbook.md"]
    words += [
        "--fault",
        "settings-gone-wrong",
        "--rate",
        "20",
        "--pace",
        "600",
        "--report",
        str(report),
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "rollback_drill", "drill", *words],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def verdict_of(report: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((report / "verdict.json").read_text())
    return found


@pytest.mark.slow
def test_a_foreign_service_is_broken_rolled_back_and_verified_over_ssh(
    machine: KintoStaging, tmp_path: Path
) -> None:
    drill = begin(tmp_path / "report")
    output, _ = drill.communicate(timeout=400)
    assert drill.returncode == 0, output
    verdict = verdict_of(tmp_path / "report")
    assert verdict["stage"] == "kinto-staging"
    assert verdict["release"] == {"failing": "v26.5", "stable": "v26.4"}
    assert str(verdict["procedure"]) == "1"
    assert verdict["data"]["acknowledged"] == verdict["data"]["preserved"] > 0
    runs = subprocess.run(
        ["git", "describe", "--tags"],
        cwd=FOLDER / "kinto",
        capture_output=True,
        text=True,
        check=True,
    )
    assert runs.stdout.startswith("v26.4") or "rollback" in runs.stdout
    secrets = machine.variables["KINTO_AUTHORIZATION"], machine.variables["KINTO_ADMIN_DSN"]
    for path in (tmp_path / "report").rglob("*"):
        if path.is_file():
            text = path.read_text(errors="replace")
            assert not any(secret in text for secret in secrets), path


@pytest.mark.slow
@pytest.mark.wide  # but for how its machine is reached, the drill above
def test_it_is_drilled_as_well_by_commands_on_this_machine(
    machine: KintoStaging, tmp_path: Path
) -> None:
    ssh = TOML[TOML.index('ssh = "127') : TOML.index('directory = "/tmp')]
    drill = begin(tmp_path / "report", TOML.replace(ssh, "local = true\n"))
    output, _ = drill.communicate(timeout=400)
    assert drill.returncode == 0, output
    assert str(verdict_of(tmp_path / "report")["procedure"]) == "1"


@pytest.mark.slow
@pytest.mark.wide
def test_a_write_that_the_runbook_loses_is_found_through_the_api(
    machine: KintoStaging, tmp_path: Path
) -> None:
    loses = f"""git fetch --quiet --all --tags
rm -f "$SETTINGS_FILE"; supervisorctl -c "$SUPERVISOR_CONF" restart kinto
timeout 20 bash -c 'until curl -fs -o /dev/null "$SERVICE_URL/v1/__heartbeat__"; do sleep 0.2; done'
curl -fsS -X DELETE -H "Authorization: $AUTHORIZATION" "$SERVICE_URL{RECORDS}?_since=0"
"""
    runbook = RUNBOOK.replace("git fetch --quiet --all --tags\n", loses)
    drill = begin(tmp_path / "report", runbook=runbook)
    output, _ = drill.communicate(timeout=400)
    assert drill.returncode == 1, output
    assert verdict_of(tmp_path / "report")["data"]["lost"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    ["stop file", pytest.param("limit", marks=WIDE), pytest.param("signal", marks=WIDE)],
)
def test_an_abort_heals_at_once(machine: KintoStaging, tmp_path: Path, how: str) -> None:
    report, stop = tmp_path / "report", tmp_path / "STOP"
    toml = TOML.replace("/tmp/kinto-staging/STOP", str(stop))
    if how == "limit":
        toml = toml.replace("requests = 20000", "requests = 800")
    # A long command is under way then: it must not be waited for.
    runbook = RUNBOOK.replace('mkdir -p "$EVIDENCE_DIR"\n', "sleep 98764\n")
    drill = begin(report, toml, runbook)
    timeline = report / "timeline.jsonl"
    for _ in wait_until("the long command runs", 240, every_s=0.1):
        assert drill.poll() is None, drill.communicate()[0]
        told = timeline.read_text().splitlines() if timeline.exists() else []
        if any('"CommandStarted"' in line and "sleep 98764" in line for line in told):
            break
    if how == "stop file":
        stop.touch()
    elif how == "signal":
        drill.send_signal(signal.SIGTERM)
    output, _ = drill.communicate(timeout=90)
    assert drill.returncode == 3, output
    events = [json.loads(line) for line in timeline.read_text().splitlines()]
    (healed,) = (e["at"] for e in events if e["kind"] == "FaultHealed")
    (interrupted,) = (e for e in events if e["kind"] == "Interrupted")
    reason = verdict_of(report)["reason"]
    assert {"stop file": str(stop), "limit": "limits", "signal": "operator"}[how] in reason
    assert healed <= interrupted["at"]
    (attested,) = (e for e in events if e["kind"] == "HealAttested")
    assert attested["gone"], attested["evidence"]
    assert healed <= attested["at"]
    (left,) = (e for e in events if e["kind"] == "LeftAs")
    assert (left["front"], set(left["reads"].values())) == (200, {200}), left
    assert verdict_of(report)["headlines"][1].startswith("Service was NOT restored"), output
    assert "The environment was left so: the front door answers 200" in output
    assert not alive("^sleep 98764")
    assert not (FOLDER / "settings.env").exists()


@pytest.fixture
def back_in() -> Iterator[None]:
    """Put the host back behind the load balancer: a procedure that breaks off leaves it out."""
    yield
    (admin,) = re.findall(r'^LB_ADMIN = "(.*)"$', TOML, re.MULTILINE)
    http.request("PATCH", f"{admin}/id/health/uri", json="/v1/__lbheartbeat__").checked()


@pytest.mark.slow
@pytest.mark.wide
@pytest.mark.usefixtures("back_in")
def test_a_heal_that_heals_nothing_is_found_out(machine: KintoStaging, tmp_path: Path) -> None:
    restart = 'rm -f "$SETTINGS_FILE"\nsupervisorctl -c "$SUPERVISOR_CONF" restart kinto\n'
    assert restart in TOML
    runbook = RUNBOOK.replace("git fetch --quiet --all --tags\n", "false\n")
    drill = begin(tmp_path / "report", TOML.replace(restart, 'rm -f "$SETTINGS_FILE"\n'), runbook)
    output, _ = drill.communicate(timeout=400)
    assert drill.returncode == 1, output
    assert "Fault settings-gone-wrong: it is still there after it was healed" in [
        f"{one['where']}: {one['what']}" for one in verdict_of(tmp_path / "report")["findings"]
    ]


@pytest.mark.slow
@pytest.mark.wide
def test_a_killed_drill_is_finished_by_another(machine: KintoStaging, tmp_path: Path) -> None:
    report, mended = tmp_path / "report", "git fetch --quiet --all --tags\n"
    drill = begin(report, runbook=RUNBOOK.replace(mended, f"{mended}sleep 98765\n"))
    for _ in wait_until("the long command runs", 90, every_s=0.1):
        assert drill.poll() is None, drill.communicate()[0]
        if alive("^sleep 98765"):
            break
    drill.kill()
    drill.wait()
    assert alive("^sleep 98765"), "the command died with the drill: nothing is left to end"
    assert (FOLDER / "settings.env").exists(), "the fault is not there any more"
    (tmp_path / "runbook.md").write_text(RUNBOOK)
    again = subprocess.run(
        [
            sys.executable, "-m", "rollback_drill", "drill", "--resume", str(report),
            "--report", str(tmp_path / "again"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stdout + again.stderr
    assert not alive("^sleep 98765")
    assert not (FOLDER / "settings.env").exists()
    verdict = verdict_of(tmp_path / "again")
    assert verdict["continues"] == str(report)
    assert verdict["data"]["acknowledged"] == verdict["data"]["preserved"] > 0
    lines = (tmp_path / "again" / "timeline.jsonl").read_text().splitlines()
    (resumed,) = (e for e in map(json.loads, lines) if e["kind"] == "Resumed")
    assert resumed["ended_scripts"] == 1
