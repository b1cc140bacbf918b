"""A host of every kind for the tests: this machine, a container, ssh, `docker exec`, a pod."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollback_drill.stage.container_host import ContainerHost
from rollback_drill.stage.container_sweep import labels, made, remove_from_engine
from rollback_drill.stage.engine import engine_client
from rollback_drill.stage.host import Host, LocalHost
from rollback_drill.stage.images import ensure_images
from rollback_drill.stage.ports import await_port, free_port
from rollback_drill.stage.remote_host import RemoteHost, socket_folder, ssh_way
from tests.stage.staging_support import fake_kubectl

CONTAINERS = pytest.mark.containers
_SSHD_CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PidFile none
StrictModes no
UsePAM no
"""


@contextlib.contextmanager
def container() -> Iterator[str]:
    """A container of the service hosts' image in which nothing runs; its id."""
    run = labels()
    image = ensure_images(print)["host"]
    try:
        yield str(
            engine_client().containers.run(
                image, ["infinity"], entrypoint="sleep", detach=True, labels=run, init=True
            ).id
        )  # fmt: skip
    finally:
        remove_from_engine(made(run))


@contextlib.contextmanager
def sshd(folder: Path) -> Iterator[list[str]]:
    """An sshd of this user on this machine; the way there."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None or shutil.which("ssh") is None:
        pytest.skip("no ssh on this machine (openssh-server)")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd drops its rights
    for name in ("key", "host_key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True
        )
    port = free_port()
    (folder / "sshd_config").write_text(_SSHD_CONFIG.format(port=port, folder=folder))
    kept = socket_folder()
    with (folder / "sshd.log").open("wb") as log:
        daemon = subprocess.Popen([program, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
    try:
        await_port(port, f"see {folder}/sshd.log")
        options = ["-i", f"{folder}/key", "-oStrictHostKeyChecking=no"]
        options.append(f"-oUserKnownHostsFile={folder}/known_hosts")
        yield ssh_way(f"{getpass.getuser()}@127.0.0.1", port, options, kept)
    finally:
        shutil.rmtree(kept)
        daemon.terminate()
        daemon.wait()


KINDS = [
    "local",
    "ssh",
    "pod",
    pytest.param("container", marks=CONTAINERS),
    pytest.param("docker exec", marks=CONTAINERS),
]


@contextlib.contextmanager
def host_of(kind: str, folder: Path) -> Iterator[Host]:
    """A host of that kind, whose scripts run in /tmp."""
    where, environment = "/tmp", {"GREETING": 'it\'s "me" $HOME\nand you'}
    if kind == "local":
        yield LocalHost("local-1", Path(where), {**os.environ, **environment})
    elif kind == "ssh":
        with sshd(folder) as way:
            host = RemoteHost("ssh-1", way, where, environment)
            yield host
            host.close()
    elif kind == "pod":
        fake_kubectl(folder / "bin")
        way = [f"{folder}/bin/kubectl", "exec", "--stdin", "pod/api", "--"]
        yield RemoteHost("pod-1", way, where, environment)
    else:
        with container() as made_one:
            if kind == "container":
                yield ContainerHost("container-1", made_one, where, environment)
            elif shutil.which("docker") is None:
                pytest.skip("no docker client on this machine")
            else:
                way = ["docker", "exec", "--interactive", made_one]
                yield RemoteHost("compose-1", way, where, environment)
