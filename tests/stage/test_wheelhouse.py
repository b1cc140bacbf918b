"""The wheelhouse is complete or not there, and fetched once."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
import zipfile
from pathlib import Path

import pytest

from rollback_drill.ground.errors import StageError, UsageError
from rollback_drill.stage import wheelhouse
from rollback_drill.stage.wheelhouse import container_platforms, ensure_wheelhouse


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip looks into, and nowhere else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def add_wheel(index: Path, name: str, tags: str = "py3-none-any") -> str:
    """Put an empty but valid wheel into `index`; return its line for a lock."""
    wheel = index / f"{name}-1.0-{tags}.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nTag: {tags}\n")
        archive.writestr(f"{info}/RECORD", "")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.fixture
def lock(tmp_path: Path, index: Path) -> Path:
    lock = tmp_path / "requirements.lock"
    lock.write_text(add_wheel(index, "alpha") + add_wheel(index, "beta"))
    return lock


def test_it_holds_every_locked_wheel(
    tmp_path: Path, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = ensure_wheelhouse(tmp_path / "cache", lock=lock)
    assert sorted(path.name for path in house.iterdir()) == [
        "alpha-1.0-py3-none-any.whl",
        "beta-1.0-py3-none-any.whl",
    ]
    assert "Fetching" in capsys.readouterr().err
    assert house.stat().st_mode & 0o055 == 0o055


def test_it_is_fetched_once(
    tmp_path: Path, lock: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = ensure_wheelhouse(tmp_path / "cache", lock=lock)
    capsys.readouterr()
    for wheel in index.iterdir():
        wheel.unlink()
    assert ensure_wheelhouse(tmp_path / "cache", lock=lock) == house
    assert capsys.readouterr().err == ""


def test_another_lock_python_or_platform_has_another_folder(
    tmp_path: Path, lock: Path, index: Path
) -> None:
    cache = tmp_path / "cache"
    houses = [
        ensure_wheelhouse(cache, lock=lock),
        ensure_wheelhouse(cache, "3.12" if wheelhouse.HOST_PYTHON != "3.12" else "3.13", lock=lock),
        ensure_wheelhouse(cache, "3.11", container_platforms("x86_64"), lock=lock),
        ensure_wheelhouse(cache, "3.11", container_platforms("aarch64"), lock=lock),
    ]
    lock.write_text(add_wheel(index, "gamma"))
    houses.append(ensure_wheelhouse(cache, lock=lock))
    assert len(set(houses)) == len(houses)


def test_wheels_are_those_of_the_asked_platform(tmp_path: Path, index: Path) -> None:
    lock = tmp_path / "lock"
    lines = [
        add_wheel(index, "alpha", f"cp311-cp311-manylinux_2_28_{machine}")
        for machine in ("x86_64", "aarch64")
    ]
    lock.write_text(lines[0].strip() + lines[1].removeprefix("alpha==1.0"))
    house = ensure_wheelhouse(tmp_path / "cache", "3.11", container_platforms("arm64"), lock=lock)
    assert [path.name for path in house.iterdir()] == [
        "alpha-1.0-cp311-cp311-manylinux_2_28_aarch64.whl"
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("missing==1.0 --hash=sha256:" + "0" * 64, "missing"),
        ("alpha==1.0 --hash=sha256:" + "0" * 64, "alpha"),
        ("alpha==1.0", "hash"),
        ("", "empty"),
    ],
)
def test_what_cannot_be_fetched_leaves_nothing_behind(
    tmp_path: Path, lock: Path, line: str, said: str
) -> None:
    lock.write_text(line)
    cache = tmp_path / "cache"
    with pytest.raises(StageError, match=said) as failure:
        ensure_wheelhouse(cache, lock=lock)
    assert "\n" not in str(failure.value)
    assert list(cache.iterdir()) == []


def test_a_missing_lock_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="restore the file"):
        ensure_wheelhouse(tmp_path, lock=tmp_path / "none.lock")


def test_a_cache_that_cannot_be_written_is_refused(tmp_path: Path, lock: Path) -> None:
    cache = tmp_path / "cache"
    cache.write_text("a file")
    with pytest.raises(UsageError, match="cache"):
        ensure_wheelhouse(cache, lock=lock)


def test_many_at_once_get_the_same_folder(tmp_path: Path, lock: Path) -> None:
    houses: list[Path] = []

    def fetch() -> None:
        houses.append(ensure_wheelhouse(tmp_path / "cache", lock=lock))

    threads = [threading.Thread(target=fetch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(houses) == 3
    assert [*(tmp_path / "cache").iterdir()] == [houses[0]] == [*set(houses)]


def test_what_a_killed_run_left_is_swept(tmp_path: Path, lock: Path) -> None:
    cache = tmp_path / "cache"
    old, young = cache / ".fetching-old", cache / ".fetching-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
    yesterday = time.time() - 86_400
    os.utime(old, (yesterday, yesterday))
    ensure_wheelhouse(cache, lock=lock)
    assert not old.exists()
    assert young.exists()


@pytest.mark.parametrize(
    ("machine", "name"),
    [("x86_64", "x86_64"), ("AMD64", "x86_64"), ("arm64", "aarch64"), ("aarch64", "aarch64")],
)
def test_platforms_of_a_container(machine: str, name: str) -> None:
    platforms = container_platforms(machine)
    assert f"manylinux_2_28_{name}" in platforms
    assert f"manylinux2014_{name}" in platforms
    assert all(re.fullmatch(rf"manylinux\w+_{name}", platform) for platform in platforms)


def test_another_machine_is_refused() -> None:
    with pytest.raises(UsageError, match="riscv64"):
        container_platforms("riscv64")
