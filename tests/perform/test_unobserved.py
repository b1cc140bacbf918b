"""A command of whose end nobody was told is neither passed nor failed, and no output is empty."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError
from rollback_drill.ground.finding import Finding, judged, unknown
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.judge.judgement import judge
from rollback_drill.perform import check
from rollback_drill.perform import operator as operator_mode
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.operator import OperatorPerformer
from rollback_drill.perform.performer import Part, Performer
from rollback_drill.perform.told import (
    CommandEnded,
    CommandOutput,
    CommandStarted,
    OperatorActed,
    StepEnded,
)
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event, Timeline, read
from rollback_drill.runbook.model import Alternative, Checkbox, CodeBlock
from rollback_drill.stage.container_host import ContainerHost
from rollback_drill.stage.host import Completed, Host, LocalHost, look
from rollback_drill.stage.remote_host import RemoteHost
from tests.stage.host_support import container, sshd

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[RemoteHost]:
    with sshd(tmp_path) as way:
        host = RemoteHost("ssh-1", way, "/", {})
        yield host
        host.close()


def in_thread(
    host: RemoteHost, script: str
) -> tuple[threading.Thread, list[Completed | StageError]]:
    ended: list[Completed | StageError] = []

    def run() -> None:
        try:
            ended.append(host.run(script, limit_s=60))
        except StageError as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, ended


def clients_of(host: RemoteHost) -> list[int]:
    return [process.pid for process in host._running]


def await_file(path: Path) -> None:
    for _ in wait_until(f"{path} is there", 60):
        if path.exists():
            return


def test_a_connection_that_breaks_while_a_command_runs_leaves_it_unobserved(
    ssh: RemoteHost, tmp_path: Path
) -> None:
    thread, ended = in_thread(ssh, f"echo half; touch {tmp_path}/runs; sleep 98795")
    await_file(tmp_path / "runs")
    for pid in clients_of(ssh):
        os.kill(pid, signal.SIGKILL)
    thread.join(60)
    (error,) = ended
    assert isinstance(error, StageError)
    assert "ssh-1 to tell how a script ended" in error.expected
    assert "broke while it ran" in error.found
    gone = ["pgrep", "-x", "-f", "sleep 9879[5]"]
    for _ in wait_until("it was ended there", 60):
        if subprocess.run(gone, stdout=subprocess.DEVNULL, check=False).returncode:
            break


def test_a_session_that_its_own_command_killed_failed(ssh: RemoteHost) -> None:
    # As the runbook's `pkill -f` did that met what the drill had in its list of processes.
    done = ssh.run("echo before; pkill -KILL -s 0; echo after", limit_s=30)
    assert (done.exit_status, done.stdout) == (137, "before")
    assert "the session in which it ran was killed" in done.why


def test_a_status_of_255_is_a_status(ssh: RemoteHost) -> None:
    assert ssh.run("echo said; exit 255", limit_s=30).exit_status == 255


def test_a_host_that_cannot_be_reached_is_none_of_the_commands_doing() -> None:
    way = ["ssh", "-oBatchMode=yes", "-oConnectTimeout=5", "-p", "1", "127.0.0.1"]
    nobody = RemoteHost("nobody", way, "/", {})
    with pytest.raises(StageError, match=r"nobody to answer by ssh; found .*refused"):
        nobody.run("true", limit_s=20)


@pytest.mark.containers
def test_a_command_that_ends_its_container_is_told_from_a_session_that_was_killed() -> None:
    with container() as made:
        host = ContainerHost("container-1", made, "/", {})
        done = host.run("echo before; kill -TERM 1; sleep 30", limit_s=30)
        assert (done.exit_status, done.stdout) == (137, "before")
        assert "the container in which it ran ended" in done.why
        with pytest.raises(StageError, match="not running"):
            host.run("true", limit_s=20)


@pytest.mark.containers
def test_a_command_that_ends_its_container_is_known_over_docker_exec_too() -> None:
    with container() as made:
        host = RemoteHost("compose-1", ["docker", "exec", "--interactive", made], "/", {})
        done = host.run("echo before; kill -TERM 1; sleep 30", limit_s=30)
        assert (done.exit_status, done.stdout) == (137, "before")
        assert "it ended the container in which it ran" in done.why


def test_a_container_that_is_just_ending_was_not_restarted(tmp_path: Path) -> None:
    # For a moment shells still begin there, and find no process 1; then there is no container.
    asked = tmp_path / "asked"
    ending = tmp_path / "docker"
    ending.write_text(
        f"#!/usr/bin/env bash\necho >> {asked}\n"
        f'case $(wc -l < {asked}) in 1) exec "$@";; 2) echo "killed $HOSTNAME ";;\n'
        '*) echo "container 1 is not running" >&2; exit 1;; esac\n'
    )
    ending.chmod(0o755)
    done = RemoteHost("compose-1", [str(ending)], "/", {}).run("pkill -KILL -s 0", limit_s=30)
    assert "it ended the container in which it ran" in done.why


def test_a_script_that_does_not_arrive_whole_is_not_run(tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    cut.write_text('#!/usr/bin/env bash\nhead -c 900 | "$@"\n')
    cut.chmod(0o755)
    host = RemoteHost("far-1", [str(cut)], "/", {})
    with pytest.raises(StageError, match="did not arrive whole"):
        host.run(f"touch {tmp_path}/ran\n" + "# more\n" * 200, limit_s=20)
    assert not (tmp_path / "ran").exists()


def test_a_host_without_its_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="No such file"):
        LocalHost("local-1", tmp_path / "gone", {}).run("true", limit_s=5)


class Deaf:
    """A host that never tells how anything ended."""

    name = "deaf-1"

    def run(self, script: str, **_: object) -> Completed:
        raise StageError("deaf-1 to tell how a script ended", "the connection broke", "see it")

    def abort(self) -> None:
        return


def test_a_check_that_saw_nothing_found_nothing_out() -> None:
    def ask(_: object, __: object) -> Finding:
        there = bool(look(Deaf(), "cat it", limit_s=1).stdout)
        return judged(there, "something was told", "it")

    match = re.match("", "")
    assert match
    binding = check.Binding("one", ask, match)
    found = binding.verify(None)  # type: ignore[arg-type]
    assert found.verdict is Verdict.UNKNOWN
    assert "the connection broke" in found.evidence


def step(verdict: Verdict, reason: str = "") -> StepEnded:
    return StepEnded("Procedure 1", 1, "Restart", 60.0, 100.0, verdict, reason, "see it")


def causes_of(*record: object) -> Mapping[str, Verdict]:
    timeline = [Event(1.0, what) for what in record]  # type: ignore[arg-type]
    return {str(one): one.verdict for one in judge(Book(timeline)).causes}


def test_an_unobserved_command_makes_its_step_unknown_and_not_too_slow() -> None:
    started = CommandStarted(7, "Procedure 1", 1, "host-1", "", "restart", 12, 60.0)
    ended = CommandEnded(7, None, 1.0, observed=False, why="the connection broke")
    found = causes_of(started, ended, step(Verdict.UNKNOWN, "nobody saw it"))
    assert found["Procedure 1, step 1 “Restart”: nobody saw it"] is Verdict.UNKNOWN
    told = "The command at line 12 on host-1: nobody saw how it ended (the connection broke)"
    assert found[told] is Verdict.UNKNOWN
    assert not [what for what in found if "took" in what]
    assert Verdict.FAILED not in found.values()


def test_a_command_that_was_not_observed_never_leaves_a_drill_passed() -> None:
    ended = CommandEnded(7, None, 1.0, observed=False, why="the connection broke")
    found = causes_of(ended, step(Verdict.PASSED))
    assert found["A command: nobody saw how it ended (the connection broke)"] is Verdict.UNKNOWN


class Bare:
    """A stage with nothing but its hosts."""

    alternatives: tuple[str, ...] = ()
    checks: Mapping[str, str] = MappingProxyType({})
    process = SimpleNamespace(pids=dict)

    def __init__(self, *hosts: Host) -> None:
        self.hosts = hosts


def moment_of(stage: object, timeline: Timeline | None = None, **more: object) -> Moment:
    nothing: Any = None
    known: Any = {
        "stage": stage, "timeline": timeline, "runbook": nothing, "traffic": nothing,
        "tail": nothing, "samples": (), "failing": "", "stable": "", "pace": 1.0, **more,
    }  # fmt: skip
    return Moment(**known)


def performed(folder: Path, *hosts: Host, script: str = "true") -> list[object]:
    """What is recorded while one step with one command is performed, however it ends."""
    timeline = Timeline(folder / "timeline.jsonl")
    moment = moment_of(Bare(*hosts), timeline)
    block = CodeBlock((Alternative("", script, 4),), 3)
    part = Part("Procedure 1", 1, "Restart", 30.0, 0.0, (block,), (), 2)
    with contextlib.suppress(StageError):
        Performer(moment).perform_part(part)
    timeline.close()
    return [event.what for event in read(folder / "timeline.jsonl")]


def test_a_step_whose_command_was_not_observed_is_recorded_as_unknown(tmp_path: Path) -> None:
    record = performed(tmp_path, Deaf())
    (ended,) = (one for one in record if isinstance(one, CommandEnded))
    assert (ended.observed, ended.why) == (False, "the connection broke")
    (step,) = (one for one in record if isinstance(one, StepEnded))
    assert step.verdict is Verdict.UNKNOWN
    assert "the connection broke" in step.reason


def test_a_storm_of_lines_leaves_few_on_the_timeline_and_the_last_among_them(
    tmp_path: Path,
) -> None:
    host = LocalHost("local-1", tmp_path, dict(os.environ))
    record = performed(tmp_path, host, script="seq 200000; echo why it went wrong >&2")
    lines = [one.text for one in record if isinstance(one, CommandOutput)]
    assert len(lines) < 600
    assert lines[0] == "1"
    assert {"200000", "why it went wrong"} <= set(lines[-25:])
    assert [one for one in lines if "left out" in one]


def test_a_migration_whose_output_was_not_read_whole_is_unknown() -> None:
    bound = check.bind("No errors from the migration")
    assert bound
    outputs = [Completed(0, "fine", "", 1.0, left_out=5_000)]
    moment = moment_of(Bare(), outputs=outputs)
    assert bound.check(moment, bound.match) == unknown(
        "the commands printed too much: 5,000 bytes of it were not read"
    )


class Fickle(LocalHost):
    """A host that answers only while nobody makes it deaf."""

    deaf = False

    def run(self, script: str, **more: Any) -> Completed:
        if self.deaf:
            return Deaf().run(script)
        return super().run(script, **more)


def test_an_operators_step_is_not_over_because_nobody_can_see_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_mode, "_LOOK_S", 0.05)
    host = Fickle("local-1", tmp_path, dict(os.environ))
    stage = Bare(host)
    stage.checks = {"file is there": "echo looked >> looks; test -e file"}
    timeline = Timeline(tmp_path / "timeline.jsonl")
    moment = moment_of(stage, timeline, section="Procedure 1")
    part = Part("Procedure 1", 1, "Make it", 30.0, 0.0, (), (Checkbox("file is there", 5),), 2)
    near, far = os.pipe()
    try:
        with OperatorPerformer(moment, print, os.fdopen(near)) as performer:
            thread = threading.Thread(target=performer._run_blocks, args=(part, now()), daemon=True)
            thread.start()
            await_file(tmp_path / "looks")
            host.deaf = True
            thread.join(1.0)
            assert thread.is_alive()
            (tmp_path / "file").touch()
            host.deaf = False
            thread.join(60)
            assert not thread.is_alive()
    finally:
        os.close(far)  # the person's last word, for who still listens
    timeline.close()
    record = [event.what for event in read(tmp_path / "timeline.jsonl")]
    assert [one.what for one in record if isinstance(one, OperatorActed)] == ["effect seen"]


BIG = """
import os, sys
from pathlib import Path
from rollback_drill.stage.host import LocalHost
host = LocalHost("local-1", Path("/"), dict(os.environ))
for script in sys.argv[1:]:
    assert host.run(script, limit_s=60).ok, script
peak = next(one for one in Path("/proc/self/status").open() if one.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024)
"""


def test_the_drill_needs_little_memory_whatever_a_command_prints() -> None:
    scripts = [
        "head -c 100000000 /dev/zero",
        "{ yes || true; } | head -c 40000000",
        "head -c 40000000 /dev/zero | tr '\\0' '\\n' >&2",
    ]
    done = subprocess.run(
        [sys.executable, "-c", BIG, *scripts],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) < 120, f"{done.stdout} MB"
