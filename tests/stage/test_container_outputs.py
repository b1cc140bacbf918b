"""No output of a command in a container gets lost, by whatever way it comes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from rollback_drill.stage.container_host import ContainerHost
from tests.stage.host_support import container
from tests.stage.relay_support import relayed

pytestmark = pytest.mark.containers
# In full, on an idle machine: 300 a way.
RUNS = int(os.environ.get("OUTPUT_RUNS", "12"))


@pytest.fixture(scope="module")
def host() -> Iterator[ContainerHost]:
    with container() as made:
        yield ContainerHost("container-1", made, "/", {})


@pytest.fixture
def busy() -> Iterator[None]:
    """Something that keeps every core busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()


@pytest.mark.parametrize("how", ["plain", "joined", "split", "tls"])
def test_an_output_is_whole_however_the_network_hands_it_on(host: ContainerHost, how: str) -> None:
    with relayed(how):
        for number in range(3):
            done = host.run(f"echo out {number}; echo err {number} >&2; exit 3", limit_s=30)
            seen = (done.exit_status, done.stdout, done.stderr)
            assert seen == (3, f"out {number}", f"err {number}")
        large = host.run("seq 1 20000; exit 4", limit_s=60)
    wanted = "".join(f"{n}\n" for n in range(1, 20_001))
    assert large.exit_status == 4
    assert (
        hashlib.md5(f"{large.stdout}\n".encode()).digest() == hashlib.md5(wanted.encode()).digest()
    )


@pytest.mark.alone
@pytest.mark.parametrize("way", ["socket", "tcp"])
@pytest.mark.usefixtures("busy")
def test_outputs_are_whole_while_all_cores_are_busy(host: ContainerHost, way: str) -> None:
    def one(number: int) -> tuple[int | None, str, str]:
        done = host.run(f"echo out {number}; echo err {number} >&2; exit {number % 7}", limit_s=60)
        return done.exit_status, done.stdout, done.stderr

    with ThreadPoolExecutor(max_workers=3) as pool:
        if way == "socket":
            seen = list(pool.map(one, range(RUNS)))
        else:
            with relayed("plain"):
                seen = list(pool.map(one, range(RUNS)))
    assert seen == [(n % 7, f"out {n}", f"err {n}") for n in range(RUNS)]
