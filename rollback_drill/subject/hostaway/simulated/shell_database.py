"""Statements about the database: of the runbook's full rollback, and of the checks on it.

A dump is a file with all rows in it, so that one which is torn, changed or empty is just that.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from typing import Protocol

from rollback_drill.ground import clock
from rollback_drill.subject.hostaway.simulated.computer import Computer
from rollback_drill.subject.hostaway.simulated.copies import BASE, NEW, Copy, definitions, sums

_DUMP_S, _RESTORE_S, _MIGRATE_S, _PSQL_S = 0.15, 0.35, 0.7, 0.03
_RETRY_S = 2.0
_SUMMED = re.compile(r'hashtextextended\(\("(\w+)"\)::text')
_ARCHIVED = ("cursor_audit", "listings.search_rank", "reservations.channel")
_OLD_S = 30 * 3600.0


class RunsStatements(Protocol):
    """What a statement may ask of the shell that runs its script; see `simulated.shell`."""

    computer: Computer
    environment: dict[str, str]
    folder: str
    at_end: str
    err: list[str]

    def takes(self, seconds: float) -> None:
        """Let a command take so long."""
        ...

    def say(self, text: str) -> None:
        """Print a line."""
        ...

    def fail(self, why: str, status: int = 1) -> None:
        """End with an error."""
        ...

    def filled(self, text: str) -> str:
        """Return `text` with its variables."""
        ...

    def path(self, text: str) -> str:
        """Return where a file is that is named so."""
        ...


def _plants(shell: RunsStatements, name: str) -> bool:
    return name in shell.computer.circumstances.plants


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _file(shell: RunsStatements, path: str) -> str:
    """Return the text of a file; fail where there is none."""
    text = shell.computer.read(shell.path(path))
    if text is None:
        shell.fail(f"{path}: No such file or directory")
    return text or ""


def _dump_in(shell: RunsStatements, path: str) -> Copy:
    """Return what a dump holds; fail where it is not whole."""
    try:
        return Copy.of(_file(shell, path))
    except ValueError:
        shell.fail("pg_restore: error: could not read from input file: end of file")
        raise


def _database(shell: RunsStatements, name: str) -> Copy:
    name = shell.filled(name)
    if name == shell.environment["DB_NAME"]:
        return shell.computer.database.copy()
    if name not in shell.computer.database.others:
        shell.fail(f'FATAL:  database "{name}" does not exist', 2)
    return shell.computer.database.others[name]


# Statements of the runbook.


def _enter(shell: RunsStatements, found: re.Match[str]) -> None:
    shell.folder = shell.filled(found["folder"])


def _assign(shell: RunsStatements, found: re.Match[str]) -> None:
    text = re.sub(r"\$\(date [^)]*\)", f"{clock.now():.0f}", found["text"]).replace("$$", "77")
    shell.environment[found["name"]] = shell.filled(text)


def _assign_newest(shell: RunsStatements, found: re.Match[str]) -> None:
    """The last by name of the files, or of the folders, whose names begin so."""
    folder = shell.folder if found["folder"] == "." else shell.filled(found["folder"].strip('"'))
    start, end = found["start"], found["end"]
    files = shell.computer.files
    paths = [path for path in files if path.startswith(f"{folder}/{start}")]
    if "-type d" in found.string:
        paths = [path.rpartition("/")[0] for path in paths]
    newest = max((path for path in paths if path.endswith(end)), default="")
    bare = "-printf" in found.string
    shell.environment[found["name"]] = newest.rpartition("/")[2] if bare else newest


def _at_exit(shell: RunsStatements, found: re.Match[str]) -> None:
    shell.at_end = found["name"]


def _dump(shell: RunsStatements, found: re.Match[str]) -> None:
    shell.takes(_DUMP_S)
    copy = _database(shell, found["database"])
    if _plants(shell, "empty-backup"):
        copy.rows = {table: [] for table in copy.rows}
    if _plants(shell, "changed-dump"):
        copy.rows["listings"][0]["name"] = "another"
    path = shell.path(found["path"])
    shell.computer.write(path, copy.dump())
    if "nightly" in path and _plants(shell, "old-nightly"):
        shell.computer.files[path] = (clock.now() - _OLD_S, copy.dump())


def _sum(shell: RunsStatements, found: re.Match[str]) -> None:
    text = _file(shell, found["path"])
    wrong = "wrong" if _plants(shell, "wrong-checksum") else ""
    shell.computer.write(shell.path(found["sums"]), f"{_digest(text + wrong)}  {found['path']}\n")


def _check_sum(shell: RunsStatements, found: re.Match[str]) -> None:
    wanted = _file(shell, found["path"] + ".sha256").split()[0]
    if _digest(_file(shell, found["path"])) != wanted:
        shell.fail("sha256sum: WARNING: 1 computed checksum did NOT match")
    shell.say(f"{shell.filled(found['path'])}: OK")


def _create(shell: RunsStatements, found: re.Match[str]) -> None:
    shell.takes(_PSQL_S)
    empty: dict[str, list[dict[str, object]]] = {}
    shell.computer.database.others[shell.filled(found["name"])] = Copy(BASE, empty, {})


def _read_dump(shell: RunsStatements, found: re.Match[str]) -> None:
    shell.takes(_DUMP_S)
    _dump_in(shell, found["path"])


def _restore(shell: RunsStatements, found: re.Match[str]) -> None:
    shell.takes(_RESTORE_S)
    copy = _dump_in(shell, found["path"])
    name = shell.filled(found["name"])
    if name.endswith("_fresh") and _plants(shell, "alternative-loses-rows"):
        copy.lose_newest()
    shell.computer.database.others[name] = copy


def _count_into(shell: RunsStatements, found: re.Match[str]) -> None:
    shell.takes(_PSQL_S)
    listings, _ = _database(shell, found["database"]).counts()
    shell.computer.write(shell.path(found["path"]), f"{listings}\n")


def _same_counts(shell: RunsStatements, found: re.Match[str]) -> None:
    shell.takes(2 * _PSQL_S)
    if _database(shell, found["one"]).counts() != _database(shell, found["other"]).counts():
        shell.fail("")


def _store(shell: RunsStatements, found: re.Match[str]) -> None:
    del found
    name = shell.environment["dump"]
    for end in ("", ".sha256", ".restored-rows"):
        text = _file(shell, name + end)
        if not end and _plants(shell, "torn-copy"):
            text = text[: len(text) // 2]
        shell.computer.write(f"{shell.environment['SECURE_STORAGE']}/{name}{end}", text)


def _store_folder(shell: RunsStatements, found: re.Match[str]) -> None:
    del found
    kept = shell.environment["kept"]
    for name, (_, text) in shell.computer.inside(shell.path(kept)).items():
        shell.computer.write(f"{shell.environment['SECURE_STORAGE']}/{kept}/{name}", text)


def _stop(shell: RunsStatements, found: re.Match[str]) -> None:
    del found
    shell.takes(0.15)
    if not _plants(shell, "never-stopped"):
        shell.computer.stop()
    shell.say("hostaway-mcp: stopped")


def _archive(shell: RunsStatements, found: re.Match[str]) -> None:
    del found
    shell.takes(3 * _PSQL_S)
    copy = shell.computer.database.copy()
    if copy.revision == BASE:
        shell.say("the migrations are reverted already: what was kept before stands")
        return
    folder = f"{shell.environment['BACKUP_DIR']}/only_new_{clock.now():.0f}_77"
    for name in _ARCHIVED:
        table, _, column = name.partition(".")
        columns = ["id", column] if column else list(copy.columns()[table])
        rows = copy.rows[table]
        if _plants(shell, "torn-archive"):
            rows = rows[: len(rows) // 2]
        file = io.StringIO()
        csv.writer(file, lineterminator="\n").writerows(
            [columns, *([row[one] for one in columns] for row in rows)]
        )
        shell.computer.write(f"{folder}/{name}.csv", file.getvalue())


def _current(shell: RunsStatements, found: re.Match[str]) -> None:
    shell.takes(_MIGRATE_S)
    stands = BASE if _plants(shell, "unreverted") else shell.computer.database.revision
    counted = "grep -c" in found.string
    shell.say(stands if not counted else str(int(stands == BASE)))
    if counted and stands != BASE:
        shell.fail("")


def _downgrade(shell: RunsStatements, found: re.Match[str]) -> None:
    attempts = len(found["attempts"].split())
    for attempt in range(1, attempts + 1):
        shell.takes(_MIGRATE_S)
        shell.err.append("INFO  [alembic.runtime.migration] Running downgrade")
        why = shell.computer.database.downgrade(shell.computer.circumstances.plants)
        if not why:
            return
        shell.err.append(f"ERROR {why}")
        if attempt == attempts:
            shell.fail(why)
        clock.sleep(_RETRY_S)


def _renew(shell: RunsStatements, found: re.Match[str]) -> None:
    _create(shell, found)


def _downgrade_fresh(shell: RunsStatements, found: re.Match[str]) -> None:
    shell.takes(_MIGRATE_S)
    _database(shell, found["database"]).downgrade()


def _swap(shell: RunsStatements, found: re.Match[str]) -> None:
    del found
    shell.takes(_PSQL_S)
    server = shell.computer.database
    fresh = _database(shell, "$fresh")
    replaced = f"{shell.environment['DB_NAME']}_replaced_{clock.now():.0f}"
    server.others[replaced] = server.copy()
    del server.others[shell.environment["fresh"]]
    server.become(fresh)
    server.foreign = server.refuses = False  # a restored copy is the user's, without a trigger


# Scripts of the checks.


def _newest(shell: RunsStatements, found: re.Match[str]) -> None:
    dumps = [
        (at, path)
        for path, (at, _) in shell.computer.files.items()
        if path.startswith(f"{found['folder']}/") and path.endswith(".dump")
    ]
    for at, path in sorted(dumps)[-1:]:
        shell.say(f"{at:.6f} {path}")
    shell.say(f"{clock.now():.6f}")


def _is_whole(shell: RunsStatements, found: re.Match[str]) -> None:
    shell.takes(_DUMP_S)
    path = found["path"]
    wanted = _file(shell, f"{path}.sha256").split()[0]
    if _digest(_file(shell, path)) != wanted:
        shell.fail("refused: its checksum does not match")
    copy = _dump_in(shell, path)
    for table in shell.computer.database.columns():
        if table not in copy.rows:
            shell.fail(f"refused: it holds no data of {table}: an empty or another database")
    shell.say(f"{len(copy.rows)} tables")


def _restored_rows(shell: RunsStatements, found: re.Match[str]) -> None:
    rows = int(_file(shell, found["path"]).strip() or "0")
    shell.say(f"restored when it was made, had {rows} rows")
    if not rows:
        shell.fail("")


def _is_large(shell: RunsStatements, found: re.Match[str]) -> None:
    size = len(_file(shell, found["path"]))
    shell.say(f"{size} bytes")
    if size <= int(found["limit"]):
        shell.fail("")


def _is_stored(shell: RunsStatements, found: re.Match[str]) -> None:
    stored = f"{shell.environment['SECURE_STORAGE']}/{found['name']}"
    if _file(shell, found["path"]) != _file(shell, stored):
        shell.fail("they differ")
    if ".sha256" in found.string:
        wanted = _file(shell, f"{stored}.sha256").split()[0]
        if _digest(_file(shell, stored)) != wanted:
            shell.fail(f"its checksum there is {wanted}")
    shell.say(f"secure storage has {found['name']}, byte for byte")


def _tell_made(shell: RunsStatements, which: str, copy: Copy) -> None:
    shell.say(f"== {which}")
    for name, text, of in definitions(copy.columns(), shell.computer.database.indexes):
        shell.say(f'"{name}","{text}","{of}"')


def _contents(shell: RunsStatements, found: re.Match[str]) -> None:
    """Answer in the order of the script: the model's copies have no positions of sequences."""
    shell.takes(_RESTORE_S)
    copy = _dump_in(shell, found["path"])
    shell.say("== restored")
    lines = re.findall(r"^SELECT count\(\*\)::text.*$", found.string, re.MULTILINE)
    for which, one in (("live", shell.computer.database.copy()), ("copy", copy)):
        _tell_made(shell, f"{which} made", one)
        shell.say(f"== {which} positions")
        shell.say(f"== {which} rows")
        for line in lines:
            table = re.search(r'FROM "(\w+)";$', line)
            names = _SUMMED.findall(line)
            rows = one.rows.get(table[1], []) if table else []
            shell.say(",".join(sums(table[1], rows, names)) if table else "0,0")


def _origin(shell: RunsStatements, found: re.Match[str]) -> None:
    at = shell.computer.files[shell.path(found["path"])][0]
    shell.say(f"dbname: {shell.environment['DB_NAME']}")
    shell.say(f"{clock.now() - at:.0f}")


def _archive_at(shell: RunsStatements, folder: str) -> dict[str, list[list[str]]]:
    """Return the files of the newest archive, by name; fail where there is none."""
    start = f"{shell.filled(folder)}/only_new_"
    kept = max(
        (p.rpartition("/")[0] for p in shell.computer.files if p.startswith(start)), default=""
    )
    if not kept:
        shell.fail("no archive of what only the new release knew")
    files = shell.computer.inside(kept)
    return {
        name.removesuffix(".csv"): list(csv.reader(io.StringIO(t)))
        for name, (_, t) in files.items()
    }


def _compare_archive(shell: RunsStatements, found: re.Match[str]) -> None:
    kept = _archive_at(shell, found["folder"])
    copy = shell.computer.database.copy()
    for name in re.findall(r'columns="\$\(head -n 1 (\S+)\.csv\)"', found.string):
        shell.takes(_PSQL_S)
        if name not in kept:
            shell.fail(f"head: cannot open '{name}.csv'")
        table, _, column = name.partition(".")
        columns, *rows = kept[name]
        live = [[str(row[one]) for one in columns] for row in copy.rows[table]]
        if column:
            by_key = dict(rows)
            differing = sum(by_key.get(key) != value for key, value in live)
        else:
            differing = sum(row not in rows for row in live)
        shell.say(f"{name},{len(rows)},{differing}")


def _show_archive(shell: RunsStatements, found: re.Match[str]) -> None:
    for name, rows in _archive_at(shell, "$SECURE_STORAGE").items():
        if name.startswith(f"{found['table']}."):
            shell.say(f"== {name}")
            for row in rows:
                shell.say(",".join(row))


def _schemas(shell: RunsStatements, found: re.Match[str]) -> None:
    del found
    shell.takes(2 * _MIGRATE_S)
    _tell_made(shell, "live", shell.computer.database.copy())
    for which, revision in (("stable", BASE), ("failing", NEW)):
        shell.say(f"== {which}")
        for name, text, of in definitions(Copy(revision, {}, {}).columns()):
            shell.say(f'"{name}","{text}","{of}"')
    shell.say("== said")
    shell.say("No new upgrade operations detected.")


WHOLE = (
    r"|export PGHOST=[^\n]*\nexport PGOPTIONS|listed=\"\$\(pg_restore|find [^\"]\S* -maxdepth"
    r"|cd \"\$SECURE_STORAGE\"; dump=|rows=\"\$\(cat |size=\$\(stat|if \[ -n \"\$\{SECURE_BUCKET"
)
"""How the scripts of these checks begin."""
STATEMENTS = (
    # Of the checks.
    (r"^export PGHOST=[^\n]*\n[^\n]*\ncontents\(\).*pg_restore -l (?P<path>\S+) >", _contents),
    (r"^export PGHOST=[^\n]*\n[^\n]*\nscratch=\"check_", _schemas),
    (r"^listed=\"\$\(pg_restore -l (?P<path>\S+) ", _origin),
    (r"^find (?P<folder>\S+) -maxdepth", _newest),
    (r"^cd \"\$SECURE_STORAGE\"; dump=(?P<path>\S+)", _is_whole),
    (r"^rows=\"\$\(cat (?P<path>\S+)\)\"", _restored_rows),
    (r"^size=\$\(stat -c %s (?P<path>[^)]+)\).*-gt (?P<limit>\d+)", _is_large),
    (
        r"^if \[ -n \"\$\{SECURE_B.*\ncmp (?P<path>\S+) \"\$SECURE_STORAGE\"/(?P<name>\S+)",
        _is_stored,
    ),
    (r"^if \[ -n \"\$\{SECURE_B.*for file in (?P<table>\w+)\.\*\.csv", _show_archive),
    (r"^if \[ -n \"\$\{SECURE_B.*find \"(?P<folder>\$\w+)\".*\nkey=", _compare_archive),
    # Of the runbook.
    (r"^cd \"(?P<folder>[^\"]+)\"$", _enter),
    (
        r"^(?P<name>\w+)=\"\$\(find (?P<folder>\.|\"\$\w+\") "
        r".*-name '(?P<start>\w+)\*(?P<end>[.\w]*)'.*tail -n 1\)\"$",
        _assign_newest,
    ),
    (r"^(?P<name>dump|scratch|fresh|rows)=\"(?P<text>[^\"]*)\"$", _assign),
    (r"^trap '.*EXISTS \$(?P<name>\w+)\"' EXIT$", _at_exit),
    (r"^pg_dump .*-d \"(?P<database>[^\"]+)\" -f \"(?P<path>[^\"]+)\"$", _dump),
    (r"^sha256sum \"(?P<path>[^\"]+)\" > \"(?P<sums>[^\"]+)\"$", _sum),
    (r"^sha256sum --check \"(?P<path>[^\"]+)\.sha256\"$", _check_sum),
    (r"^psql -X -q -d postgres -c \"CREATE DATABASE (?P<name>\S+)\"$", _create),
    (r"^pg_restore -f /dev/null \"(?P<path>[^\"]+)\"$", _read_dump),
    (r"^pg_restore .*-d \"(?P<name>[^\"]+)\" \"(?P<path>[^\"]+)\"$", _restore),
    (
        r"^psql -X -At -d \"(?P<database>[^\"]+)\" -c \"SELECT count\(\*\) FROM listings\""
        r" > \"(?P<path>[^\"]+)\"$",
        _count_into,
    ),
    (
        r"^\[ \"\$\(psql .*-d \"(?P<one>[^\"]+)\" -c \"\$rows\"\)\" = "
        r"\"\$\(psql .*-d \"(?P<other>[^\"]+)\" -c \"\$rows\"\)\" \]$",
        _same_counts,
    ),
    (r"^cp \"\$dump\" \"\$dump\.sha256\" \"\$dump\.restored-rows\" \"\$SECURE_STORAGE/\"$", _store),
    (r"^cp -r \"\$kept\" \"\$SECURE_STORAGE/\"$", _store_folder),
    (r"^supervisorctl .* stop hostaway-mcp$", _stop),
    (r"^if \[ \"\$\(psql .*SELECT version_num FROM .*\\copy cursor_audit TO", _archive),
    (r"^\.venv/bin/alembic current(?: \| grep -c 0001_base)?$", _current),
    (r"^for attempt in (?P<attempts>[\d ]+); do.*alembic downgrade 0001_base", _downgrade),
    (
        r"^psql .*DROP DATABASE IF EXISTS \$fresh\" -c \"CREATE DATABASE (?P<name>\$fresh)\"$",
        _renew,
    ),
    (
        r"^DATABASE_URL=\"[^\"]*/(?P<database>\$fresh)\" \.venv/bin/alembic downgrade",
        _downgrade_fresh,
    ),
    (r"^psql .*RENAME TO \$DB_NAME\"$", _swap),
)
