"""A host that is the operator's own machine: commands run there, and nowhere else."""

from __future__ import annotations

import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollback_drill.cli import main
from rollback_drill.ground.errors import UsageError
from rollback_drill.stage.file import read_staging
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.stage.remote_host import RemoteHost
from rollback_drill.stage.staging import StagingStage
from tests.stage.staging_support import scripts_alone

TOML = """
[stage]
name = "by hand"
kind = "staging"
failing = "v2"
stable = "v1"
base_url = "http://127.0.0.1:1"
[[hosts]]
name = "here"
local = true
directory = "{folder}"
url = "http://127.0.0.1:1"
environment = {{GREETING = "me"}}
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[RemoteHost]:
    with scripts_alone():
        (tmp_path / "staging.toml").write_text(TOML.format(folder=tmp_path))
        stage = open_stage(str(tmp_path / "staging.toml"), StageOptions(), print)
        assert isinstance(stage, StagingStage)
        stage.__exit__()
        (found,) = stage.hosts
        assert isinstance(found, RemoteHost)
        yield found


def test_a_script_runs_in_its_folder_with_the_operators_variables_and_its_own(
    host: RemoteHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/of/the/operator")
    done = host.run('pwd; echo "$GREETING $KUBECONFIG"; exit 3', limit_s=20)
    assert (done.exit_status, done.stdout) == (3, f"{tmp_path}\nme /of/the/operator")


def test_no_environment_of_python_is_active_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv.create(tmp_path / "active", with_pip=False)
    for folder in (tmp_path / "active" / "bin", Path(sys.executable).parent):
        monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))
    (tmp_path / "staging.toml").write_text(TOML.format(folder=tmp_path))
    stage = open_stage(str(tmp_path / "staging.toml"), StageOptions(), print)
    with scripts_alone():
        told = stage.hosts[0].run('echo "${VIRTUAL_ENV-none}"; echo "$PATH"', limit_s=20).stdout
    assert told.startswith("none\n")
    assert str(tmp_path) not in told
    assert str(Path(sys.executable).parent) not in told


def test_what_runs_there_is_ended_at_its_limit_and_what_was_left_is_ended(host: RemoteHost) -> None:
    done = host.run("echo $$; sleep 98781", limit_s=1)
    assert done.exit_status is None
    assert not Path(f"/proc/{done.stdout.strip()}").exists()
    assert host.end_left_behind() == 0


@pytest.mark.parametrize("both", ["local = false", 'local = true\npod = "a"', 'local = "yes"'])
def test_a_host_is_reached_in_one_way(both: str, tmp_path: Path) -> None:
    path = tmp_path / "staging.toml"
    path.write_text(TOML.format(folder=tmp_path).replace("local = true", both))
    with pytest.raises(UsageError, match=r"one of ssh, container, pod, local|true or false"):
        read_staging(path)


def test_the_check_looks_for_the_commands_of_a_runbook_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "staging.toml").write_text(TOML.format(folder=tmp_path))
    (tmp_path / "plan.md").write_text(
        "# Plan\n\n## Roll back\n\n```bash\nno-such-deploy-tool undo api --now\n```\n"
    )
    words = ["--stage", f"{tmp_path}/staging.toml", "--runbook", f"{tmp_path}/plan.md"]
    assert main(["check", *words]) == 1
    assert "no-such-deploy-tool" in capsys.readouterr().out
