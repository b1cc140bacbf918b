"""What lies in the folder for temporary files is believed only where nobody else can have laid it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage.container_sweep import _is_dead
from rollback_drill.stage.processes import ProcessStage
from rollback_drill.stage.sweep import own_folder, sweep_folder, take_over

DEAD = [2**22 + 7, 1.0]  # beyond every process id of Linux
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a stranger's folder")


@pytest.fixture
def bystander() -> Iterator[psutil.Process]:
    child = subprocess.Popen(["sleep", "600"])
    yield psutil.Process(child.pid)
    child.kill()
    child.wait()


def folder_of_a_dead_drill(where: Path, *children: psutil.Process) -> Path:
    folder = where / "rollback-drill-dead"
    folder.mkdir(mode=0o700)
    noted = [DEAD, *([one.pid, one.create_time()] for one in children)]
    (folder / "owner.jsonl").write_text("".join(json.dumps(one) + "\n" for one in noted))
    return folder


def test_what_a_dead_drill_of_this_user_started_is_ended(
    tmp_path: Path, bystander: psutil.Process
) -> None:
    folder = folder_of_a_dead_drill(tmp_path, bystander)
    assert sweep_folder(folder)
    assert bystander.wait(60) is not None
    assert not folder.exists()


def test_a_removal_that_is_cut_off_is_ended_by_the_next_sweep(tmp_path: Path) -> None:
    folder = folder_of_a_dead_drill(tmp_path)
    (folder / "application.log").write_text("one line\n")
    program = tmp_path / "bin" / "rm"
    program.parent.mkdir()
    program.write_text('#!/bin/bash\n/bin/rm "$@"\nkill -9 $PPID\n')
    program.chmod(0o755)
    code = "import pathlib, sys; from rollback_drill.stage.sweep import sweep_folder\n"
    code += "sweep_folder(pathlib.Path(sys.argv[1]))"
    path = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    died = subprocess.run([sys.executable, "-c", code, str(folder)], env=path, check=False)
    assert died.returncode == -signal.SIGKILL
    assert [one.name for one in folder.iterdir()] == ["owner.jsonl"]
    assert sweep_folder(folder)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("age_s", "holds", "goes"), [(7200, "", True), (60, "", False), (7200, "notes.txt", False)]
)
def test_a_folder_that_nobody_came_to_own_goes_when_it_is_old_and_empty(
    tmp_path: Path, age_s: float, holds: str, goes: bool
) -> None:
    folder = tmp_path / "rollback-drill-killed-too-soon"
    folder.mkdir(mode=0o700)
    if holds:
        (folder / holds).write_text("kept\n")
    os.utime(folder, (time.time() - age_s,) * 2)
    assert sweep_folder(folder) is goes
    assert folder.exists() is not goes


SUPERVISES = """
trap 'sleep 98776 &' CHLD
for _ in $(seq 30); do sleep 98776 & done
while :; do wait; done
"""
"""Starts what has ended anew, at once."""


def test_what_is_started_anew_by_what_a_dead_drill_started_is_ended(tmp_path: Path) -> None:
    def alive() -> set[psutil.Process]:
        every = psutil.process_iter(["cmdline"])
        return {one for one in every if one.info["cmdline"] == ["sleep", "98776"]}

    with subprocess.Popen(["bash", "-c", SUPERVISES]) as parent:
        try:
            for _ in wait_until("all run", 60):
                if len(alive()) >= 30:
                    break
            folder = folder_of_a_dead_drill(tmp_path, psutil.Process(parent.pid))
            assert sweep_folder(folder)
            for _ in wait_until("none runs", 60):
                if not alive():
                    break
        finally:
            parent.kill()
            for one in alive():
                one.kill()


@as_root
@pytest.mark.parametrize("of_the_stranger", ["folder", "file"])
def test_no_process_is_ended_that_a_strangers_file_names(
    tmp_path: Path, bystander: psutil.Process, of_the_stranger: str
) -> None:
    folder = folder_of_a_dead_drill(tmp_path, bystander)
    os.chown(folder if of_the_stranger == "folder" else folder / "owner.jsonl", NOBODY, NOBODY)
    assert not sweep_folder(folder)
    assert bystander.is_running()
    with pytest.raises(UsageError):
        take_over(folder)


def test_no_folder_is_believed_that_others_may_write_to_or_that_is_a_link(
    tmp_path: Path, bystander: psutil.Process
) -> None:
    folder = folder_of_a_dead_drill(tmp_path, bystander)
    link = tmp_path / "rollback-drill-link"
    link.symlink_to(folder)
    assert not sweep_folder(link)
    folder.chmod(0o777)
    assert not sweep_folder(folder)
    assert bystander.is_running()


def test_a_link_in_the_place_of_the_file_is_not_followed(
    tmp_path: Path, bystander: psutil.Process
) -> None:
    folder = folder_of_a_dead_drill(tmp_path, bystander)
    (folder / "owner.jsonl").rename(tmp_path / "elsewhere")
    (folder / "owner.jsonl").symlink_to(tmp_path / "elsewhere")
    assert not sweep_folder(folder)
    assert bystander.is_running()


def test_a_pipe_in_the_place_of_the_file_hangs_nobody(tmp_path: Path) -> None:
    folder = folder_of_a_dead_drill(tmp_path)
    (folder / "owner.jsonl").unlink()
    os.mkfifo(folder / "owner.jsonl")
    assert not sweep_folder(folder)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "[1]", "1", "null", '["1", 2]', "[1, null]", "[1, 2, 3]", "[" * 9_999, "\0",
     "[" + "9" * 5_000 + ", 1]"],
)  # fmt: skip
def test_a_file_that_no_drill_wrote_is_left_alone(tmp_path: Path, text: str) -> None:
    folder = folder_of_a_dead_drill(tmp_path)
    (folder / "owner.jsonl").write_text(text)
    assert not sweep_folder(folder)
    assert folder.exists()
    with pytest.raises(UsageError):
        take_over(folder)


def test_a_process_that_cannot_be_is_dead(tmp_path: Path) -> None:
    folder = folder_of_a_dead_drill(tmp_path)
    (folder / "owner.jsonl").write_text(f"[{2**80}, 1.0]\n[-1, 1e400]\n")
    assert sweep_folder(folder)


@as_root
def test_no_stage_is_taken_over_from_a_stranger(tmp_path: Path) -> None:
    folder = folder_of_a_dead_drill(tmp_path)
    (folder / "stage.json").write_text('{"options": {}, "ports": {}, "environment": {}}')
    os.chown(folder, NOBODY, NOBODY)
    with pytest.raises(UsageError, match="dead drill"):
        ProcessStage.attach(folder, print)


@as_root
def test_no_key_is_copied_into_a_strangers_folder(tmp_path: Path) -> None:
    folder = tmp_path / "systemd-staging"
    own_folder(folder)
    own_folder(folder)
    os.chown(folder, NOBODY, NOBODY)
    with pytest.raises(UsageError, match="this user's own"):
        own_folder(folder)
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="this user's own"):
        own_folder(tmp_path / "link")


@pytest.mark.parametrize(
    "owner", ["", "{}", "[1, 2]", '["x", {}, 1]', "[" * 9_999, '{"a": 1, "b": 2, "c": 3}']
)
def test_a_label_that_no_drill_made_marks_nothing_as_dead(owner: str) -> None:
    assert not _is_dead(owner)
