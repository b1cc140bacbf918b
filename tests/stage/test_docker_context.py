"""The suite talks to the engine that the user's Docker command talks to."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from docker.errors import DockerException

from rollback_drill.stage.docker_context import settings

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import os
from rollback_drill.stage.engine import engine_problem
print(engine_problem() or os.environ.get("DOCKER_HOST"))
from testcontainers.core.docker_client import get_docker_host
print(get_docker_host())
"""


def make_context(config: Path, name: str, host: str, *, current: bool, **more: object) -> Path:
    """Write a context as Docker's command does; return the folder for its certificates."""
    key = hashlib.sha256(name.encode()).hexdigest()
    meta = config / "contexts" / "meta" / key
    meta.mkdir(parents=True)
    endpoint = {"Host": host, "SkipTLSVerify": False, **more}
    text = json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}})
    (meta / "meta.json").write_text(text)
    if current:
        (config / "config.json").write_text(json.dumps({"currentContext": name}))
    return config / "contexts" / "tls" / key / "docker"


def asked(config: Path, **variables: str) -> list[str]:
    """Return the engine that the suite, and then testcontainers, would reach or complain of."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DOCKER_")}
    environment |= {"DOCKER_CONFIG": str(config), "HOME": str(config), **variables}
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_current_context_is_followed_by_everybody(tmp_path: Path) -> None:
    make_context(tmp_path, "elsewhere", "unix:///nonexistent/x.sock", current=True)
    problem, testcontainers = asked(tmp_path)
    assert "no container engine answers" in problem
    assert testcontainers == "unix:///nonexistent/x.sock"


def test_a_context_named_in_the_environment_is_followed_by_everybody(tmp_path: Path) -> None:
    make_context(tmp_path, "current", "unix:///nonexistent/current.sock", current=True)
    make_context(tmp_path, "asked", "unix:///nonexistent/asked.sock", current=False)
    _, testcontainers = asked(tmp_path, DOCKER_CONTEXT="asked")
    assert testcontainers == "unix:///nonexistent/asked.sock"


def test_a_setting_of_testcontainers_leads_to_no_other_engine(tmp_path: Path) -> None:
    (tmp_path / ".testcontainers.properties").write_text("tc.host=tcp://192.0.2.1:1\n")
    _, testcontainers = asked(tmp_path, DOCKER_HOST="unix:///nonexistent/x.sock")
    assert testcontainers == "unix:///nonexistent/x.sock"


@pytest.mark.parametrize("broken", ["", "{", '{"Endpoints": []}', '{"Endpoints": {"docker": 1}}'])
def test_a_context_that_is_not_there_or_broken_is_a_problem_with_its_name(
    tmp_path: Path, broken: str
) -> None:
    if broken:
        make_context(tmp_path, "gone", "unix:///x.sock", current=False)
        (meta,) = tmp_path.glob("contexts/meta/*/meta.json")
        meta.write_text(broken)
    with pytest.raises(DockerException, match="gone"):
        settings({"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "gone"})


def test_an_engine_on_another_machine_is_a_problem_before_anything_is_brought_up(
    tmp_path: Path,
) -> None:
    for host in ("ssh://someone@192.0.2.1", "tcp://192.0.2.1:2376"):
        (problem, _) = asked(tmp_path, DOCKER_HOST=host)
        assert "another machine" in problem


def test_certificates_of_a_context_are_taken_and_proven_unless_it_says_otherwise(
    tmp_path: Path,
) -> None:
    for name, skip in (("strict", False), ("lax", True)):
        certificates = make_context(
            tmp_path, name, "tcp://127.0.0.1:2376", current=False, SkipTLSVerify=skip
        )
        certificates.mkdir(parents=True)
        found = settings({"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": name})
        assert found["DOCKER_HOST"] == "tcp://127.0.0.1:2376"
        assert found["DOCKER_CERT_PATH"] == str(certificates)
        assert ("DOCKER_TLS_VERIFY" in found) is not skip


def test_a_host_in_the_environment_comes_before_every_context(tmp_path: Path) -> None:
    make_context(tmp_path, "current", "unix:///nonexistent/current.sock", current=True)
    environment = {
        "DOCKER_CONFIG": str(tmp_path),
        "DOCKER_HOST": "unix:///x",
        "DOCKER_CONTEXT": "y",
    }
    assert settings(environment) == {}


@pytest.mark.containers
def test_an_engine_that_is_reached_by_a_context_answers(tmp_path: Path) -> None:
    make_context(tmp_path, "local", "unix:///var/run/docker.sock", current=True)
    assert asked(tmp_path)[0] in ("unix:///var/run/docker.sock", os.environ.get("DOCKER_HOST"))
