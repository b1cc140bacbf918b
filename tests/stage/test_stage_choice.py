"""Which stage a name stands for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rollback_drill.ground.errors import Exit, StageError, UsageError
from rollback_drill.stage.containers import ContainerStage
from rollback_drill.stage.model import Stage, StageOptions, lacks_of
from rollback_drill.stage.opening import open_stage
from rollback_drill.stage.processes import ProcessStage
from rollback_drill.stage.server_settings import server_settings
from rollback_drill.subject.hostaway.recipe import RECIPE

ROOT = Path(__file__).resolve().parents[2]


def open_quietly(name: str) -> Stage:
    return open_stage(name, StageOptions(), lambda _: None)


def test_processes_can_always_be_asked_for() -> None:
    stage = open_quietly("processes")
    assert (stage.name, stage.reason) == ("processes", "asked for")


@pytest.mark.containers
@pytest.mark.parametrize("name", ["auto", "containers"])
def test_containers_are_taken_where_an_engine_answers(name: str) -> None:
    stage = open_quietly(name)
    assert stage.name == "containers"
    assert stage.reason


NO_ENGINE = """
import sys
from rollback_drill.ground.errors import DrillError
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.stage.server_settings import server_settings
try:
    stage = open_stage(sys.argv[1], StageOptions(), print)
    print(stage.name, "|", stage.reason)
except DrillError as error:
    print(int(error.exit), "|", error)
"""


def without_engine(name: str) -> str:
    nobody = {**os.environ, "DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    command = [sys.executable, "-c", NO_ENGINE, name]
    done = subprocess.run(command, cwd=ROOT, env=nobody, capture_output=True, text=True, check=True)
    return done.stdout


def test_without_an_engine_auto_takes_processes_and_says_why() -> None:
    assert without_engine("auto").startswith("processes | no container engine answers")


def test_without_an_engine_asking_for_containers_is_used_wrongly() -> None:
    said = without_engine("containers")
    assert said.startswith(f"{int(Exit.USAGE)} | expected a container engine")
    assert "STAGE=processes" in said


@pytest.mark.parametrize("name", ["", "kubernetes"])
def test_an_unknown_name_is_used_wrongly(name: str) -> None:
    with pytest.raises(UsageError, match="STAGE") as caught:
        open_stage(name, StageOptions(), lambda _: None)
    assert caught.value.exit == Exit.USAGE


def test_more_hosts_than_the_stage_has_is_used_wrongly() -> None:
    with pytest.raises(UsageError, match="HOSTS"):
        open_stage("processes", StageOptions(hosts=2), lambda _: None)


def test_the_server_is_sized_for_its_data_within_a_quarter_of_the_memory() -> None:
    memory_mib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20
    found = [
        int(server_settings(StageOptions(listings=n), RECIPE)["shared_buffers"].removesuffix("MB"))
        for n in (5_000, 1_000_000, 10**9)
    ]
    assert found == [128, min(381, int(memory_mib / 4)), int(memory_mib / 4)]


@pytest.mark.parametrize("make", [ContainerStage, ProcessStage])
def test_what_a_stage_can_do_is_known_before_it_is_up(
    make: type[ContainerStage] | type[ProcessStage],
) -> None:
    stage = make(StageOptions(), "asked for", print)
    assert lacks_of(stage) == []
    with pytest.raises(StageError):
        stage.database.connections()
