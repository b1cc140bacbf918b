"""`PLAN=1`: what is told before anything is touched, and what "no" means in all its forms."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stage.staging_support import ROOT, RUNBOOK, fake_kubectl, write

WIDE = pytest.mark.wide
TOML = """
[stage]
name = "planned"
kind = "staging"
failing = "v0.1.0-pagination"
stable = "v0.0.9"
base_url = "http://127.0.0.1:1"
alternatives = ["status file", "Docker Compose", "folder"]
marker = "/nowhere/may-be-broken"
[[hosts]]
name = "app-1"
pod = "app-1"
directory = "/"
url = "http://127.0.0.1:1"
[[hosts]]
name = "app-2"
pod = "app-2"
directory = "/"
url = "http://127.0.0.1:1"
[scripts]
deploy = "put-in-place $TAG"
[[faults]]
name = "all-broken"
symptom = "everything is answered 500"
inject = "break-it"
heal = "mend-it"
path = "/"
status = 500
"""


def planned(folder: Path, answer: bytes | None) -> tuple[int, str, bool]:
    """Ask for the plan and answer; None: without a terminal.

    Return the exit code, what was said, and whether a host was reached.
    """
    record = fake_kubectl(folder / "bin")
    words = [*write(folder, TOML, RUNBOOK), "--report", f"{folder}/report", "--plan", "1"]
    command = [
        sys.executable,
        "-m",
        "rollback_drill",
        "drill",
        *words,
        "--fault",
        "all-broken",
        "--rate",
        "20",
    ]
    environment = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}", "COLUMNS": "200"}
    if answer is None:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, text=True, timeout=60, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return done.returncode, done.stdout, record.exists()
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, preexec_fn=lambda: os.login_tty(os.dup(theirs))
    )
    os.close(theirs)
    said = b""
    # A terminal that nobody holds open any more cannot be read: the process has ended.
    with contextlib.suppress(OSError):
        while more := os.read(ours, 4096):
            said += more
            if b"Go on? [y/N]" in said and answer:
                os.write(ours, answer)
                answer = b""
    os.close(ours)
    return process.wait(60), said.decode().replace("\r\n", "\n"), record.exists()


def test_the_plan_names_every_command_with_its_host(tmp_path: Path) -> None:
    status, said, touched = planned(tmp_path, None)
    assert (status, touched) == (0, False)
    assert "no terminal" in said
    every = "    on app-1, app-2, "
    assert f"{every}a script of {tmp_path}/staging.toml:\n      put-in-place $TAG" in said
    assert f"{every}a script of {tmp_path}/staging.toml:\n      break-it" in said
    assert "      mend-it" in said
    assert re.search(
        every + r"line \d+, using the status file:\n.*\n      echo maintenance >", said
    )
    assert "docker compose up --detach --build --force-recreate api" in said
    assert "systemctl" not in said
    assert re.search(r"    on app-1, line \d+:\n      echo \"The API works again", said)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(b"n\n", 0, marks=WIDE),
        pytest.param(b"\n", 0, marks=WIDE),
        (b"yes please\n", 0),
        (b"\x04", 0),
        (b"\x03", 3),
    ],
    ids=["no", "nothing", "something else", "end of input", "Ctrl-C"],
)
def test_whatever_is_not_yes_leaves_everything_untouched(
    tmp_path: Path, answer: bytes, status: int
) -> None:
    ended, said, touched = planned(tmp_path, answer)
    assert (ended, touched) == (status, False), said
    assert "Nothing was touched." in said
    assert "Traceback" not in said
    assert not (tmp_path / "report").exists()


def test_yes_goes_on_to_the_hosts(tmp_path: Path) -> None:
    status, said, touched = planned(tmp_path, b"y\n")
    assert touched
    assert status == 3
    assert "the marker /nowhere/may-be-broken on app-1" in said
