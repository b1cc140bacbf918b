"""The user's machine is not ours: his language, his folders, his settings of libpq, his users."""

import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from rollback_drill.ground import machine
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.machine import temporary, variable
from rollback_drill.stage import postgres

ROOT = Path(__file__).resolve().parents[2]
# Each of these alone ended a connection of the suite, or initdb, with a traceback.
HOSTILE = {
    "LANG": "de_DE.UTF-8",
    "LC_ALL": "de_DE.UTF-8",
    "PGSSLMODE": "require",
    "PGHOST": "nowhere.invalid",
    "PGHOSTADDR": "192.0.2.1",
    "PGPORT": "1",
    "PGUSER": "somebody",
    "PGPASSWORD": "wrong",
    "PGSERVICE": "nope",
    "PGOPTIONS": "-c no_such_setting=1",
    "PGPASSFILE": "/nowhere/pgpass",
    "PGREQUIREAUTH": "none",
    "PGTARGETSESSIONATTRS": "standby",
    "PGDATESTYLE": "SQL, DMY",
    "PGCLIENTENCODING": "LATIN1",
    "PGDATA": "/nowhere",
}
BRING_UP = """
import psutil
from rollback_drill.ground.machine import keep_out
keep_out()
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage
with open_stage("processes", StageOptions(listings=50), lambda _: None) as stage:
    rows = stage.database.fetch("SELECT count(*) FROM listings WHERE name LIKE '%'")
    (folder,) = stage.database.fetch("SHOW data_directory")[0]
    collation = stage.database.fetch("SELECT datcollate FROM pg_database")[0][0]
    owner = psutil.Process(int(open(folder + "/postmaster.pid").readline())).username()
    told = stage.hosts[0].run('psql -X -Atc "SELECT 6 * 7" "$DATABASE_URL"', limit_s=20)
    print(rows[0][0], collation, owner, folder, told.stdout, told.stderr, sep="|")
"""


@pytest.mark.wide
@pytest.mark.slow
def test_a_stage_comes_up_on_a_hostile_machine(tmp_path: Path) -> None:
    odd = tmp_path / "with space, 'quote' and $(touch oops) 100% é"
    odd.mkdir()
    users = Path("/etc/passwd").read_bytes()
    environment = {**os.environ, **HOSTILE, "TMPDIR": str(odd)}
    done = subprocess.run(
        [sys.executable, "-c", BRING_UP], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    rows, collation, owner, folder, product, said = done.stdout.strip().split("|")
    assert (rows, collation, product, said) == ("50", "C", "42", "")
    assert not Path(folder).exists()
    assert Path("/etc/passwd").read_bytes() == users
    expected = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    assert owner == expected


@pytest.mark.parametrize("odd", ["a b", "a'b", 'a"b', "a$b", "a,b", "a%b", "é", "a;b", "x" * 90])
def test_odd_folders_are_not_taken_for_temporary_ones(
    odd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / odd).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / odd))
    assert str(temporary()) in ("/tmp", "/var/tmp", "/dev/shm")


def test_the_users_folder_is_taken_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="td-", dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        closed = os.geteuid() == 0  # to the user who runs Postgres then
        assert (temporary() == Path(folder)) is not closed
        Path(folder).chmod(0o755)
        assert temporary() == Path(folder)


def test_without_any_folder_the_user_reads_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    monkeypatch.setattr(machine, "_PLACES", ())
    with pytest.raises(UsageError, match="TMPDIR"):
        temporary()


def test_a_variable_of_libpq_can_still_be_named_in_a_file() -> None:
    asked = "from rollback_drill.ground.machine import *; import os; keep_out(); keep_out()\n"
    asked += "print(variable('PGPASSWORD'), os.environ.get('PGPASSWORD'), variable('NONE') == '')"
    environment = {**os.environ, "PGPASSWORD": "secret"}
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.stdout.split() == ["secret", "None", "True"], done.stderr
    assert variable("HOME") == os.environ["HOME"]


def test_a_terminal_without_a_sign_for_a_letter_ends_nothing(tmp_path: Path) -> None:
    page = tmp_path / "Übersicht.html"
    command = [sys.executable, "-m", "rollback_drill", "index", "--history", str(tmp_path / "none")]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*command, "--to", str(page)], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "bersicht.html" in done.stdout


def test_nobody_without_rights_means_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root needs somebody else")
    monkeypatch.setattr(postgres, "_USERS", ("no-such-user",))
    postgres.unprivileged_account.cache_clear()
    try:
        with pytest.raises(UsageError, match="no-such-user"):
            postgres.unprivileged_account()
    finally:
        postgres.unprivileged_account.cache_clear()


def test_programs_in_a_closed_folder_are_copied_for_who_runs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root starts them as somebody else")
    monkeypatch.setattr(postgres, "reachable", lambda _: False)
    binaries = postgres.programs(tmp_path)
    assert binaries.is_relative_to(tmp_path)
    for name in ("postgres", "initdb", "psql", "pg_dump"):  # most of them with libraries beside
        command = [str(binaries / name), "--version"]
        said = subprocess.run(command, capture_output=True, check=True).stdout
        assert said.startswith(name.encode())
