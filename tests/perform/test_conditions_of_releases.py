"""Each condition of the checks of code, preparation and backups has a defect of its own."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rollback_drill.ground.clock import now
from rollback_drill.ground.verdict import Verdict
from tests.perform.place_support import Place, released

PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    released(made)
    return made


def both(place: Place, script: str) -> None:
    for number, _ in enumerate(place.hosts):
        place.run(script, number)


IDENTIFIED = "Identify the stable release: `v1.4.2` exists and is older than what runs now"
LISTED = f"{IDENTIFIED.replace(' and is', ', is')}, and the changelog lists it"


def test_the_stable_release_is_there_and_older(place: Place) -> None:
    place.says(IDENTIFIED, PASSED, "host-1: v1.4.2 is of 2025-01-01; host-2: ")
    place.says("Identify the previous version", PASSED)
    place.says("Stable release identified: `v1.4.1`", FAILED, "this drill goes back to v1.4.2")
    place.run("git checkout -q v1.4.2", 1)
    place.says(IDENTIFIED, FAILED, "host-2: ", "no newer than it")
    place.run("git checkout -q v1.5.0", 1)
    place.moment.stable = "v1.4.1"
    place.says("Identify the previous version", FAILED, "the origin has no tag v1.4.1")


def test_the_changelog_lists_it_where_the_item_says_so(place: Place) -> None:
    place.says(LISTED, PASSED)
    place.run("echo '# 1.4.20' > CHANGELOG.md", 1)
    place.says(IDENTIFIED, PASSED)
    place.says(LISTED, FAILED, "has no entry for 1.4.2")
    place.says("The changelog lists `v1.4.2`", FAILED)


STABLE = "The changelog lists it as stable"


def test_the_changelog_calls_it_stable_in_its_own_entry(place: Place) -> None:
    place.says(STABLE, PASSED)
    place.says("The changelog lists `v1.4.2`", PASSED)
    place.says("The changelog lists `v1.4.1`", FAILED, "this drill goes back to v1.4.2")
    for text in ("# 1.4.2\nnone\n# 1.4.1\nstable\n", "# 1.4.2\nunstable\n", "# 1.4.20\nstable\n"):
        (place.hosts[1].directory / "CHANGELOG.md").write_text(text)
        place.says(STABLE, FAILED, "host-2: ")


@pytest.mark.parametrize(
    ("box", "tag"),
    [
        ("The code is reverted to the stable release", "v1.4.2"),
        ("Code reverted to `v1.4.2`", "v1.4.2"),
        ("The code is that of the release to deploy", "v1.5.0"),
    ],
)
def test_exactly_a_release_is_checked_out_on_every_host(place: Place, box: str, tag: str) -> None:
    both(place, f"git checkout -q {tag}")
    place.says(box, PASSED, f"HEAD is {tag}, nothing changed")
    place.run("touch new", 1)
    place.says(box, PASSED)
    place.run("echo more >> code", 1)
    place.says(box, FAILED, "host-2: ", "changed: M code")
    place.run("git checkout -q code; git commit -q --allow-empty -m more", 1)
    place.says(box, FAILED, "expected HEAD at")


def test_who_looks_at_the_code_takes_no_lock_of_the_index(place: Place) -> None:
    """It made the `git stash` of a person at the keyboard end with status 1, without a word."""
    both(place, "git checkout -q v1.4.2; touch -d 2020-01-01 code")
    index = place.hosts[0].directory / ".git" / "index"
    before = index.read_bytes()
    place.says("The code is reverted to the stable release", PASSED)
    assert index.read_bytes() == before
    place.run("git status --porcelain")
    assert index.read_bytes() != before  # as it would be written anew


def test_a_tag_that_the_box_names_is_the_one(place: Place) -> None:
    both(place, "git checkout -q v1.5.0")
    place.says("Code reverted to `v1.5.0`", PASSED)
    place.says("Code reverted", FAILED)


def test_dependencies_are_what_uv_says(place: Place, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for host in place.hosts:
        host.environment["PATH"] = f"{tools}:{os.environ['PATH']}"
    uv = tools / "uv"
    uv.write_text('#!/bin/sh\n[ "$*" = "sync --check" ] || exit 3\necho all is well\n')
    uv.chmod(0o755)
    place.says("Its dependencies are installed", PASSED, "all is well")
    uv.write_text("#!/bin/sh\necho one would be removed >&2\nexit 1\n")
    place.says("Its dependencies are installed", FAILED, "one would be removed")
    uv.write_text("#!/bin/sh\nexit 2\n")
    place.says("Its dependencies are installed", FAILED, "exit status 2 without a word")


TAGGED = "Tag the deployment: git has a tag for what runs now"


def test_the_deployment_has_a_tag_of_this_step(place: Place) -> None:
    place.says(TAGGED, FAILED, "no tag but the release itself")
    both(place, "git tag before-rollback")
    place.says(TAGGED, PASSED, "host-2: before-rollback")
    place.run("touch -d '1 hour ago' .git/refs/tags/before-rollback", 1)
    place.says(TAGGED, FAILED, "host-2: ")
    place.run("git tag -d before-rollback; git tag elsewhere HEAD~1", 1)
    place.says(TAGGED, FAILED, "host-2: ")


MARKED = "History: a tag in the origin marks the rollback"


def test_a_tag_of_the_origin_marks_what_runs(place: Place) -> None:
    place.run("git checkout -q v1.4.2")
    place.says(MARKED, FAILED, "no tag of the origin")
    place.run("git tag rolled-back; ")
    place.says(MARKED, FAILED)
    place.run("git push -q origin rolled-back")
    place.says(MARKED, PASSED, "rolled-back")
    place.run("git push -q origin :rolled-back; git tag other v1.5.0; git push -q origin other")
    place.says(MARKED, FAILED)
    place.run("git checkout -q v1.5.0; git push -q origin :other")
    place.says(MARKED, FAILED)  # the failing release's own tag is none


@pytest.mark.parametrize("options", ["", "-a -m marked"])
def test_a_tag_that_begins_as_a_release_does_marks_what_runs(place: Place, options: str) -> None:
    place.run("git checkout -q v1.4.2")
    place.run(f"git tag {options} v1.4.2-rolled-back; git push -q origin v1.4.2-rolled-back")
    place.says(MARKED, PASSED, "v1.4.2-rolled-back")


CONFIRMED = "Confirm the issue: the evidence points at the release"


@pytest.mark.parametrize(
    ("changed", "verdict", "said"),
    [
        ({}, PASSED, "it leaks: 9 of 9 failed; nothing else"),
        ({"evidence": (), "attribution": ()}, PASSED, "it leaks: Error Rate"),
        ({"ours": False}, FAILED, "nothing else, expected the release"),
        ({"rollback": False}, FAILED, "answer is “monitor”"),
        ({"scenario": 0}, PASSED, "9 of 9"),
        ({"ours": None}, PASSED, "9 of 9"),
        ({"scenario": 0, "ours": None}, UNKNOWN, "no scenario explains it"),
    ],
)
def test_the_issue_is_the_release(
    place: Place, changed: dict[str, Any], verdict: Verdict, said: str
) -> None:
    decided = {
        "ours": True, "rollback": True, "action": "monitor", "trigger": "Error Rate", "scenario": 2,
        "evidence": ("9 of 9 failed",), "attribution": ("nothing else",), "diagnosis": "it leaks",
    }  # fmt: skip
    place.moment.decision = SimpleNamespace(**{**decided, **changed})
    place.says(CONFIRMED, verdict, said)


def test_nothing_decided_confirms_nothing(place: Place) -> None:
    place.says(CONFIRMED, UNKNOWN, "nothing was decided")


STATE = "Document the state: metrics, logs and example errors are kept as files"


def documented(place: Place) -> Path:
    folder = Path(place.environment["EVIDENCE_DIR"])
    log = place.folder / "service.log"
    log.write_text("INFO a\nCRITICAL b\nINFO c\n")
    for host in place.hosts:
        host.environment["LOG_FILE"] = str(log)
    (folder / "health.txt").write_text("200\n")
    (folder / "metrics.txt").write_text('# HELP x\nx_total{a="b"} 3\n')
    (folder / "application.log").write_text("CRITICAL b\nINFO c\n")
    (folder / "example-errors.log").write_text("CRITICAL b\n")
    return folder


def test_the_state_is_what_its_files_are_called(place: Place) -> None:
    folder = documented(place)
    place.says(STATE, PASSED, "6 lines in 4 files")
    place.says(STATE, PASSED)
    (folder / "metrics.txt").write_text("no answer\n")  # that it did not answer is evidence, too
    place.says(STATE, PASSED)
    (folder / "metrics.txt").write_text("curl: (7) refused\n")
    place.says(STATE, PASSED)
    for host in place.hosts:
        host.environment.pop("LOG_FILE")
    (folder / "application.log").write_text("ERROR elsewhere\n")
    place.says(STATE, PASSED)


NAMES = ("health.txt", "metrics.txt", "application.log", "example-errors.log")


@pytest.mark.parametrize("name", NAMES)
def test_each_file_of_the_state_is_there_and_of_this_step(place: Place, name: str) -> None:
    file = documented(place) / name
    os.utime(file, (now() - 60, now() - 60))
    place.says(STATE, FAILED, f"{name} was there before this step")
    file.write_text("")
    place.says(STATE, FAILED, f"{name} is missing or empty")
    file.unlink()
    place.says(STATE, FAILED, f"{name} is missing or empty")


@pytest.mark.parametrize("level", ["ERROR", "CRITICAL", "FATAL", "PANIC"])
def test_an_error_of_each_level_is_among_the_examples(place: Place, level: str) -> None:
    folder = documented(place)
    (folder / "application.log").write_text(f"{level} b\nINFO c\n")
    (folder / "example-errors.log").write_text("INFO a\n")
    place.says(STATE, FAILED, "has none of the log's errors")
    (folder / "example-errors.log").write_text(f"{level} b\n")
    place.says(STATE, PASSED)


def test_what_is_no_metric_and_no_log_of_this_service_is_not_kept(place: Place) -> None:
    folder = documented(place)
    for text in ("<html>\n", "# HELP x\n", "x_total many\n"):
        (folder / "metrics.txt").write_text(text)
        place.says(STATE, FAILED, "metrics.txt holds no metric")
    documented(place)
    (folder / "application.log").write_text("CRITICAL b\nINFO of another\n")
    place.says(STATE, FAILED, "does not end as the application's log ever did")


def test_an_old_log_was_there_before_the_step(place: Place) -> None:
    documented(place)
    place.moment.began_at = now() - 30
    os.utime(place.environment["EVIDENCE_DIR"] + "/health.txt", (now() - 20, now() - 20))
    place.says(STATE, PASSED)


# Backups, by what their folder holds. `pg_restore` reads a dump as it is told to.
EXISTS = "A database backup exists and can be read in full"
RECENT, TESTED = "The backup is recent: <24 hours old", "Its restoration was tested"
SIZE = "The backup file has a reasonable size (>1KB)"
STORED, CHECKED = (
    "The backup is in secure storage",
    "The backup is in secure storage, its checksum verified",
)
CREATED = "The safety backup was created and restores into a scratch database"
PG_RESTORE = """#!/bin/bash
for file; do :; done
[ -s "$file" ] || exit 1
if [ "$1" = -l ]; then cat "$file"; else ! grep -q broken "$file"; fi
"""


def listing(database: str = "listings", ago: str = "now", tables: str = "listings prices") -> str:
    lines = [f"; Archive created at $(date -d '{ago}' '+%F %T')", f";     dbname: {database}"]
    return "\n".join([*lines, *(f"1; 0 0 TABLE DATA public {name} u" for name in tables.split())])


@pytest.fixture
def backups(place: Place, tmp_path: Path) -> Place:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "pg_restore").write_text(PG_RESTORE)
    (tools / "pg_restore").chmod(0o755)
    for host in place.hosts:
        host.environment["PATH"] = f"{tools}:{os.environ['PATH']}"
    place.rows = lambda query: [("listings",), ("prices",)]
    return place


def dump(place: Place, folder: str, text: str, ago: str = "now", name: str = "a.dump") -> None:
    place.run(
        f'cd "${folder}"; cat > {name} <<TEXT\n{text}\nTEXT\nsha256sum {name} > {name}.sha256\n'
        f"touch -d '{ago}' {name}; echo 12 > {name}.restored-rows"
    )


def test_a_backup_is_whole_and_of_this_database(backups: Place) -> None:
    backups.says(EXISTS, FAILED, "one in secure storage")
    dump(backups, "SECURE_STORAGE", listing())
    backups.says(EXISTS, PASSED, "2 tables")
    dump(backups, "SECURE_STORAGE", listing("other"))
    backups.says(EXISTS, FAILED, "it is one of the database other")
    dump(backups, "SECURE_STORAGE", listing(tables="listings"))
    backups.says(EXISTS, FAILED, "it holds no data of prices")
    dump(backups, "SECURE_STORAGE", listing(tables="prices listings_old"))
    backups.says(EXISTS, FAILED, "it holds no data of listings")
    dump(backups, "SECURE_STORAGE", f"{listing()}\nbroken")
    backups.says(EXISTS, FAILED, "it cannot be read to its end")
    dump(backups, "SECURE_STORAGE", listing())
    backups.run('cd "$SECURE_STORAGE"; echo more >> a.dump')
    backups.says(EXISTS, FAILED, "its checksum does not match")
    backups.run('cd "$SECURE_STORAGE"; : > a.dump')
    backups.says(EXISTS, FAILED, "the file is empty")


def test_the_newest_backup_counts(backups: Place) -> None:
    dump(backups, "SECURE_STORAGE", listing("other"), ago="2 hours ago", name="old.dump")
    dump(backups, "SECURE_STORAGE", listing(), ago="1 hour ago", name="new.dump")
    backups.says(EXISTS, PASSED, "new.dump, 36")
    backups.run('touch "$SECURE_STORAGE/old.dump"')
    backups.says(EXISTS, FAILED, "old.dump")


@pytest.mark.parametrize(
    ("file", "itself", "verdict"),
    [
        ("23 hours ago", "23 hours ago", PASSED),
        ("25 hours ago", "23 hours ago", FAILED),
        ("1 hour ago", "25 hours ago", FAILED),
        ("+2 minutes", "+2 minutes", FAILED),
        ("+50 seconds", "+50 seconds", PASSED),
    ],
)
def test_a_backup_is_recent_by_file_and_by_itself(
    backups: Place, file: str, itself: str, verdict: Verdict
) -> None:
    dump(backups, "SECURE_STORAGE", listing(ago=itself), ago=file)
    backups.says(RECENT, verdict)


def test_a_plain_backup_is_as_old_as_its_file(backups: Place) -> None:
    backups.says(RECENT, FAILED, "one in secure storage")
    dump(backups, "SECURE_STORAGE", "plain", ago="25 hours ago")
    backups.says(RECENT, FAILED, "25.0")
    dump(backups, "SECURE_STORAGE", "plain", ago="90 minutes ago")
    backups.says(RECENT, PASSED, "1.50 hours")


def test_a_restoration_was_tested_and_had_rows(backups: Place) -> None:
    backups.says(TESTED, FAILED, "one in secure storage")
    dump(backups, "SECURE_STORAGE", listing())
    backups.says(TESTED, PASSED, "had 12 rows")
    backups.run('echo 0 > "$SECURE_STORAGE"/a.dump.restored-rows')
    backups.says(TESTED, FAILED, "had 0 rows")
    backups.run('rm "$SECURE_STORAGE"/a.dump.restored-rows')
    backups.says(TESTED, FAILED)


def test_a_backup_has_its_size(backups: Place) -> None:
    backups.says(SIZE, FAILED, "one that this procedure made")
    backups.run('head -c 1024 /dev/zero > "$BACKUP_DIR/a.dump"')
    backups.says(SIZE, FAILED, "a.dump has 1024 bytes")
    backups.run('echo >> "$BACKUP_DIR/a.dump"')
    backups.says(SIZE, PASSED)


def test_secure_storage_has_the_very_backup(backups: Place) -> None:
    backups.says(STORED, FAILED, "one that this procedure made")
    dump(backups, "BACKUP_DIR", listing())
    backups.says(STORED, FAILED)
    backups.run('cp "$BACKUP_DIR"/* "$SECURE_STORAGE"')
    backups.says(STORED, PASSED, "byte for byte")
    backups.says(CHECKED, PASSED)
    backups.run('echo 0000 > "$SECURE_STORAGE"/a.dump.sha256')
    backups.says(STORED, PASSED)
    backups.says(CHECKED, FAILED, "its checksum there is 0000")
    backups.run('echo more >> "$SECURE_STORAGE"/a.dump')
    backups.says(STORED, FAILED)


def test_a_safety_backup_is_of_this_step_and_this_database(backups: Place) -> None:
    backups.moment.began_at = now() - 10
    backups.says(CREATED, FAILED, "one that this step made")
    dump(backups, "BACKUP_DIR", listing(), ago="20 seconds ago")
    backups.says(CREATED, FAILED, "the newest dump, a.dump, is 2")
    dump(backups, "BACKUP_DIR", listing("other"))
    backups.says(CREATED, FAILED, "of the database other")
    dump(backups, "BACKUP_DIR", listing(ago="1 hour ago"))
    backups.says(CREATED, FAILED, "whatever its file's time says")


def test_a_step_that_stops_makes_its_backup_while_nothing_runs(
    backups: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rollback_drill.ground.finding import passed
    from rollback_drill.perform.checks import database

    monkeypatch.setattr(database, "prove", lambda *_: passed("proven"))
    backups.moment.began_at = now() - 10
    dump(backups, "BACKUP_DIR", listing())
    backups.says(CREATED, PASSED, "proven")
    backups.moment.title = "Stop the application and take a safety backup"
    backups.says(CREATED, FAILED, "process 101 on host-1, process 102 on host-2")
    backups.pids = {}
    backups.says(CREATED, PASSED)
    backups.pids = {"host-1": 1}
    backups.moment.title = "Take a nonstop backup"
    backups.says(CREATED, PASSED)
    backups.moment.title, backups.stage.process = "Stop it", None
    backups.says(CREATED, PASSED)


REVERTED = "The migrations are reverted to revision `0001_base`"
APPLIED = "The migrations are applied up to revision `0002_orders`"


def test_the_database_stands_at_the_revision_that_is_named(place: Place) -> None:
    def stands_at(*revisions: str) -> None:
        table = [("public", "alembic_version", "version_num")]
        rows = [(one, True) for one in revisions]
        place.rows = lambda query: table if "pg_class" in query else rows

    stands_at("0001_base")
    place.says(REVERTED, PASSED)
    place.says(APPLIED, FAILED, "stands at 0001_base by alembic, expected 0002_orders")
    place.says("The migrations are reverted", UNKNOWN, "names no revision")
    stands_at("0001_base", "0002_orders")
    place.says(REVERTED, FAILED, "0001_base and 0002_orders")
    place.says(APPLIED, FAILED)
    stands_at()
    place.says(REVERTED, FAILED, "stands at no revision")
    place.rows = lambda query: []
    place.says(REVERTED, UNKNOWN, "no table tells at which revision")


FITS = "The deployed code can run on this schema"


@pytest.mark.parametrize(
    ("stands", "verdict", "said"),
    [
        ("0002", PASSED, "made for 0002"),
        ("0001", FAILED, "stands at 0001"),
        ("0003", PASSED, "a newer schema"),
        ("", FAILED, "stands at nothing"),
    ],
)
def test_code_fits_a_schema_that_is_not_behind(
    place: Place, stands: str, verdict: Verdict, said: str
) -> None:
    place.rows = lambda query: [(stands,)] if stands else []
    both(
        place,
        "mkdir -p .venv/bin; printf '#!/bin/sh\\n"
        '[ $1 = heads ] && echo "0002 (head)" || { echo "0001 -> 0002"; echo "<base> -> 0001"; }\\n'
        "' > .venv/bin/alembic; chmod +x .venv/bin/alembic",
    )
    place.says(FITS, verdict, said)
    place.run("printf '#!/bin/sh\\necho gone >&2; exit 1\\n' > .venv/bin/alembic", 1)
    place.says(FITS, UNKNOWN, "host-2 does not tell", "gone")
    place.run("printf '#!/bin/sh\\n' > .venv/bin/alembic", 1)
    place.says(FITS, UNKNOWN)
