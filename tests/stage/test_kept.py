"""What is kept is whole or not there, named by what it is made of, and does not pile up."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rollback_drill.stage.kept import KeptFolder, digest, settle


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "one").write_text("1")
    os.utime(folder / "below" / "one", (1, 1))
    return folder


def test_it_is_given_back_whole_with_its_times(cache: Path, made: Path, tmp_path: Path) -> None:
    kept = KeptFolder("database", "seed 1", cache=cache)
    assert not kept.take(tmp_path / "copy")
    kept.keep(made)
    assert KeptFolder("database", "seed 1", cache=cache).take(tmp_path / "copy")
    one = tmp_path / "copy" / "below" / "one"
    assert one.read_text() == "1"
    assert one.stat().st_mtime == 1  # by which Python knows that what it compiled is still right


@pytest.mark.parametrize("other", [("database", "seed 2"), ("environment", "seed 1")])
def test_what_is_made_of_something_else_is_another(
    cache: Path, made: Path, tmp_path: Path, other: tuple[str, str]
) -> None:
    KeptFolder("database", "seed 1", cache=cache).keep(made)
    assert not KeptFolder(*other, cache=cache).take(tmp_path / "copy")


def test_a_copy_is_mended_before_it_is_kept_and_the_original_stays(
    cache: Path, made: Path, tmp_path: Path
) -> None:
    kept = KeptFolder("database", cache=cache)
    kept.keep(made, lambda copy: (copy / "below" / "one").unlink())
    assert kept.take(tmp_path / "copy")
    assert not (tmp_path / "copy" / "below" / "one").exists()
    assert (made / "below" / "one").exists()


def test_what_breaks_while_it_is_kept_is_not_there(cache: Path, made: Path, tmp_path: Path) -> None:
    def break_down(_: Path) -> None:
        raise OSError("no room")

    kept = KeptFolder("database", cache=cache)
    kept.keep(made, break_down)
    assert not kept.take(tmp_path / "copy")
    assert not list(cache.iterdir())


def test_what_cannot_be_copied_whole_is_not_taken(cache: Path, made: Path, tmp_path: Path) -> None:
    kept = KeptFolder("database", cache=cache)
    kept.keep(made)
    assert not kept.take(tmp_path / "no such folder" / "copy")
    assert not (tmp_path / "no such folder").exists()


def test_a_cache_that_cannot_be_written_hinders_nobody(made: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    KeptFolder("database", cache=tmp_path / "file" / "cache").keep(made)


def test_several_may_keep_the_same_at_once(cache: Path, made: Path, tmp_path: Path) -> None:
    kept = KeptFolder("database", cache=cache)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: kept.keep(made), range(4)))
    assert [path.name for path in cache.iterdir()] == [kept.path.name]
    assert kept.take(tmp_path / "copy")


def test_what_nobody_took_for_long_goes(cache: Path, made: Path, tmp_path: Path) -> None:
    old, used, unfinished = (KeptFolder(kind, cache=cache) for kind in ("old", "used", ".making-x"))
    for one in (old, used, unfinished):
        one.keep(made)
    month_ago = time.time() - 30 * 24 * 3600
    for one in (old, used, unfinished):
        os.utime(one.path, (month_ago, month_ago))
    assert used.take(tmp_path / "copy")
    KeptFolder("new", cache=cache).keep(made)
    assert {path.name.partition("-")[0] for path in cache.iterdir()} == {"used", "new"}


def test_no_more_than_a_few_are_kept(cache: Path, made: Path) -> None:
    for number in range(20):
        kept = KeptFolder("database", number, cache=cache)
        kept.keep(made)
        os.utime(kept.path, (time.time() - 100 + number,) * 2)
    assert len(list(cache.iterdir())) == 12
    assert kept.path.is_dir()


def test_a_digest_knows_each_path_and_each_byte(made: Path) -> None:
    before = digest(made)
    (made / "__pycache__").mkdir()
    (made / "__pycache__" / "one.pyc").write_text("compiled")
    assert digest(made) == before
    (made / "below" / "one").rename(made / "below" / "two")
    moved = digest(made)
    (made / "below" / "two").write_text("2")
    assert len({before, moved, digest(made)}) == 3


def test_scripts_of_a_copied_environment_use_it(tmp_path: Path) -> None:
    scripts = tmp_path / "app" / ".venv" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "tool").write_text("#!/var/tmp/rollback-drill-x_1y/app/.venv/bin/python\nrun()\n")
    (scripts / "python").symlink_to("/usr/bin/python3")
    settle(tmp_path / "app" / ".venv")
    assert (scripts / "tool").read_text() == f"#{'!'}{scripts}/python\nrun()\n"
    assert (scripts / "python").is_symlink()
