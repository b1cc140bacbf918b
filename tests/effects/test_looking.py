"""What a real host tells of itself, and what of it is told apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollback_drill.effects.declared import declared, is_one_of
from rollback_drill.effects.looking import SCRIPT, read_host
from rollback_drill.effects.told import HANDLES, PREPARATION, THREADS, HostSeen
from rollback_drill.stage.host import LocalHost, look
from tests.runbook.runbook_support import runbook_of

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "runbook" / "rollback.md").read_text(encoding="utf-8")
CONFIG = "feature:\n  enabled: true\n  limits: [1, 2]\npool: 5\n"


class Place:
    """A host in a folder, with a deployment of one commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.app = folder / "app"
        self.app.mkdir()
        self.config = self.app / "config.yaml"
        self.config.write_text(CONFIG)
        (folder / "backups").mkdir()
        (folder / "backups" / "old dump").write_text("old")
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "APP_DIR": str(self.app),
            "CONFIG_FILE": str(self.config),
            "BACKUP_DIR": str(folder / "backups"),
            "SECURE_STORAGE": str(folder / "secure"),
            "EVIDENCE_DIR": str(folder / "evidence"),
            "SUPERVISOR_CONF": str(folder / "supervisord.conf"),
            "PGPASSWORD": "correct horse",
            "SHORT_TOKEN": "a",
        }
        (folder / "supervisord.conf").write_text("[program:app]\nautorestart=true\n")
        self.host = LocalHost("host-1", folder, variables)
        git = "git -c user.name=a -c user.email=a@b"
        self.run(
            f'cd "$APP_DIR"; git init -q; git add .; {git} commit -q -m first; git tag v1\n'
            'git clone -q --bare . ../origin.git; git remote add origin "$HOME/origin.git"'
        )

    def run(self, script: str) -> None:
        assert self.host.run(script, limit_s=20).ok

    def seen(self, pid: int | None = None) -> HostSeen:
        said = look(self.host, SCRIPT, limit_s=20).stdout
        return read_host(said, "host-1", PREPARATION, key="key", pid=pid)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def neighbour(place: Place) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the stage's own."""
    process = subprocess.Popen(["sleep", "60"], env=place.host.environment)
    yield process
    process.kill()
    process.wait()


def test_nothing_changes_by_looking(place: Place) -> None:
    seen = place.seen()
    assert place.seen() == seen
    assert list(seen.config) == [
        "feature.enabled",
        "feature.limits[0]",
        "feature.limits[1]",
        "pool",
    ]
    assert seen.uncommitted == seen.tree == ()
    assert len(seen.head) == 40
    assert [name.rpartition("/")[2] for name in seen.files] == ["old dump"]
    assert {"balancer"} <= set(seen.unseen) <= {"balancer", "crontab"}
    assert "host" not in seen.unseen


@pytest.mark.parametrize(
    ("script", "kind", "wanted"),
    [
        ('chmod o+w "$CONFIG_FILE"', "open", "config.yaml"),
        ('chmod 666 "$BACKUP_DIR/old dump"', "open", "old dump"),
        ('echo 1,2 > "$HOME/rows.csv"', "home", "rows.csv"),
        ('cd "$APP_DIR"; git update-index --assume-unchanged config.yaml', "git", "hidden config"),
        ('cd "$APP_DIR"; git update-index --skip-worktree config.yaml', "git", "hidden config"),
        ("echo '*.bak' >> \"$APP_DIR/.git/info/exclude\"", "git", "rule info/exclude"),
        ('touch "$APP_DIR/.git/index.lock"', "git", "lock index.lock"),
        ("git config --global core.pager cat", "git", "setting of all core.pager"),
        ('echo PATH=/else >> "$HOME/.bash_profile"', "starts", ".bash_profile"),
        ('echo 1,2 > "$HOME/.rows"', "home", ".rows"),
        ('echo x > "$HOME/.pgpass"', "starts", ".pgpass"),
        ('mkdir -p "$HOME/.config/pip"; echo x > "$HOME/.config/pip/pip.conf"', "starts", "pip"),
        ('mkdir -p "$HOME/.ssh"; echo k > "$HOME/.ssh/authorized_keys"', "starts", "authorized"),
    ],
)
def test_what_is_hidden_from_most_is_seen(
    place: Place, script: str, kind: str, wanted: str
) -> None:
    def told() -> dict[str, str]:
        seen = place.seen()
        one = {"open": seen.open, "home": seen.home, "git": seen.repository, "starts": seen.starts}
        found = one[kind]
        return dict(found) if isinstance(found, dict) else dict.fromkeys(found, "")

    before = told()
    place.run(script)
    after = told()
    changed = {name for name in after if after[name] != before.get(name)}
    assert len(changed) == 1
    assert wanted in changed.pop()


def test_a_process_without_variables_is_one_of_its_folder(place: Place) -> None:
    place.run("true")
    with subprocess.Popen(["sleep", "60"], cwd=place.app, env={}) as process:
        try:
            assert any(who.startswith(f"{process.pid} since") for who in place.seen(1).processes)
        finally:
            process.kill()


def test_the_limits_of_the_service_are_told(
    place: Place, neighbour: subprocess.Popen[bytes]
) -> None:
    before = place.seen(neighbour.pid).conditions
    assert {"open files", "nice", "Uid", "oom_score_adj"} <= before.keys()
    assert place.seen(neighbour.pid).conditions == before
    subprocess.run(["prlimit", f"--pid={neighbour.pid}", "--nofile=77:77"], check=True)
    os.setpriority(os.PRIO_PROCESS, neighbour.pid, 5)
    after = place.seen(neighbour.pid).conditions
    changed = {name: after[name] for name in before if before[name] != after[name]}
    assert changed == {"open files": "77 77", "nice": "5"}
    assert place.seen().conditions == {}


def test_values_are_told_apart_and_not_told(place: Place) -> None:
    before = place.seen()
    place.config.write_text(CONFIG.replace("pool: 5", "pool: '5'"))
    after = place.seen()
    assert after.uncommitted == ("pool",)
    assert {k for k in before.config if before.config[k] != after.config[k]} == {"pool"}
    assert after.tree == ()
    place.config.write_text(CONFIG.replace("pool: 5\n", ""))
    assert place.seen().uncommitted == ("pool",)
    said = look(place.host, SCRIPT, limit_s=20).stdout
    other = read_host(said, "host-1", PREPARATION, key="another", pid=None)
    assert not set(other.config.values()) & set(after.config.values())


def test_a_search_for_secrets_that_comes_to_its_limit_is_told(place: Place, tmp_path: Path) -> None:
    assert "secrets" not in place.seen().unseen
    never = tmp_path / "bin" / "grep"
    never.parent.mkdir()
    never.write_text(
        '#!/bin/bash\ncase "$1" in -lsFf) exec sleep 60;; esac\nexec /usr/bin/env -S '
        f'PATH={os.environ["PATH"]} grep "$@"\n'
    )
    never.chmod(0o755)
    place.host.environment["PATH"] = f"{never.parent}:{os.environ['PATH']}"
    shorter = SCRIPT.replace("timeout 5 xargs", "timeout 0.2 xargs")
    assert shorter != SCRIPT
    said = look(place.host, shorter, limit_s=20).stdout
    seen = read_host(said, "host-1", PREPARATION, key="key", pid=None)
    assert "too short to search" in seen.unseen["secrets"]
    assert seen.secrets == ()


def test_a_configuration_of_another_kind_is_told_by_lines(place: Place) -> None:
    place.config.write_text("[a]\npool = 5\nname: x: y\n")
    assert set(place.seen().config) == {"pool", "name"}


def test_files_are_told_apart_by_size_time_and_mode(place: Place) -> None:
    seen = [place.seen().files]
    for script in (
        'echo x >> "$BACKUP_DIR/old dump"',
        'touch -d @5 "$BACKUP_DIR/old dump"',
        'chmod 600 "$BACKUP_DIR/old dump"',
        'rm "$BACKUP_DIR/old dump"',
        'mkdir "$SECURE_STORAGE"; echo x > "$SECURE_STORAGE/new"',
    ):
        place.run(script)
        seen.append(place.seen().files)
    assert len({str(one) for one in seen}) == len(seen)


def changes(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in {**before, **after} if before.get(name) != after.get(name)}


@pytest.mark.parametrize(
    ("script", "changed"),
    [
        ("git config core.hooksPath elsewhere", {"setting core.hookspath"}),
        ("git remote set-url --push origin nowhere", {"setting remote.origin.pushurl"}),
        ("echo true > .git/hooks/post-merge", {"hook {app}/.git/hooks/post-merge"}),
        ("git tag -d v1", {"tag v1"}),
        ("git push -q origin :refs/tags/v1", {"origin refs/tags/v1"}),
        ("git push -q origin HEAD:refs/heads/other", {"origin refs/heads/other"}),
        ("git status", set()),
    ],
)
def test_what_stands_in_the_repository_is_told(
    place: Place, script: str, changed: set[str]
) -> None:
    before = place.seen()
    assert "origin" not in before.unseen
    assert "origin refs/tags/v1" in before.repository
    place.run(f'cd "$APP_DIR"; {script}')
    told = changes(before.repository, place.seen().repository)
    assert told == {one.format(app=place.app) for one in changed}


def test_what_was_put_aside_is_told(place: Place) -> None:
    place.config.write_text("pool: 6\n")
    place.run('cd "$APP_DIR"; git -c user.name=a -c user.email=a@b stash -q')
    (one,) = (name for name in place.seen().repository if name.startswith("stash "))
    place.run('cd "$APP_DIR"; git stash drop -q')
    assert one not in place.seen().repository


def test_an_origin_that_is_not_reached_is_told(place: Place) -> None:
    place.run('mv "$HOME/origin.git" "$HOME/elsewhere.git"')
    assert "origin" in place.seen().unseen


def test_rights_are_told(place: Place) -> None:
    before = place.seen().rights
    place.config.chmod(0o666)
    assert changes(before, place.seen().rights) == {str(place.config)}
    assert place.seen().rights[str(place.config)].startswith("666 of ")


def test_what_says_how_services_are_started_is_told(place: Place) -> None:
    before = place.seen().starts
    place.run('sed -i s/autorestart=true/autorestart=false/ "$SUPERVISOR_CONF"')
    assert changes(before, place.seen().starts) == {str(place.folder / "supervisord.conf")}


@pytest.mark.parametrize(
    "script",
    [
        'mkdir "$EVIDENCE_DIR"; env > "$EVIDENCE_DIR/env.txt"',
        'echo "*:*:*:*:$PGPASSWORD" > "$HOME/.pgpass"',
        'echo "password: $PGPASSWORD" > "$APP_DIR/notes"',
        'mkdir -p "$SECURE_STORAGE/a"; echo "$PGPASSWORD" > "$SECURE_STORAGE/a/b c"',
    ],
)
def test_files_that_hold_a_secret_are_told(place: Place, script: str) -> None:
    assert place.seen().secrets == ()
    place.run(script)
    (path,) = place.seen().secrets
    assert "correct horse" in Path(path).read_text()


def test_a_value_that_is_too_short_for_a_secret_is_none(place: Place) -> None:
    place.run('mkdir "$EVIDENCE_DIR"; echo "a" > "$EVIDENCE_DIR/a"')
    assert place.seen().secrets == ()


def test_what_git_does_not_know_is_told(place: Place) -> None:
    (place.app / "debug.sql").write_text("SELECT 1")
    (place.app / ".gitignore").write_text("*.pyc\n")
    (place.app / "a.pyc").write_text("")
    assert place.seen().tree == ("?? .gitignore", "?? debug.sql")


def test_processes_of_the_stage_are_told_and_no_others(
    place: Place, neighbour: subprocess.Popen[bytes]
) -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        (who,) = place.seen().processes
        assert who.startswith(f"{neighbour.pid} since ")
        assert place.seen().processes == {who: "sleep"}
        service = place.seen(neighbour.pid)
        assert (service.processes, service.service) == ({}, (who,))
    finally:
        other.kill()
        other.wait()


def test_what_a_service_has_open_is_told_with_what_it_started(place: Place) -> None:
    program = (
        "import subprocess, sys, threading\n"
        "files = [open('/dev/null') for _ in range(30)]\n"
        "for _ in range(7): threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "subprocess.Popen(['sleep', '60'])\n"
        "print('there', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=dict(place.host.environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as service:
        assert service.stdout
        assert service.stdout.readline() == b"there\n"
        usage = place.seen(service.pid).usage
        place.run("pkill -x sleep -P " + str(service.pid))
    assert usage[THREADS] == 1 + 7 + 1
    assert usage[HANDLES] >= 3 + 30 + 3
    assert place.seen(None).usage == {}


def test_evidence_is_told_with_its_size(place: Place) -> None:
    assert place.seen().evidence == {}
    place.run('mkdir -p "$EVIDENCE_DIR/of it"; echo 123 > "$EVIDENCE_DIR/of it/a b.txt"')
    assert place.seen().evidence == {f"{place.folder}/evidence/of it/a b.txt": 4}


def test_a_job_that_a_script_leaves_is_told(place: Place) -> None:
    place.run("sleep 61 > /dev/null 2>&1 & echo $! > pid")
    pid = int((place.folder / "pid").read_text())
    try:
        assert [name for who, name in place.seen().processes.items()] == ["sleep"]
    finally:
        os.kill(pid, 9)


def test_workers_are_left_to_their_parent() -> None:
    stat = "{} (postgres) S {} 1 {}" + " 0" * 15 + " 77"
    text = "\n".join((stat.format(8, 1, 8), stat.format(9, 8, 9)))
    told = {"self": "", "config": "", "head": "", "where": "", "committed": "", "tree": ""}
    told |= {"files": "", "crontab": "", "processes": text, "balancer": "", "end": ""}
    said = "".join(f"== {name}\n{words}\n" for name, words in told.items())
    seen = read_host(said, "host-1", PREPARATION, key="", pid=None)
    assert seen.processes == {"8 since 77": "postgres"}
    assert set(seen.unseen) == {"config", "tree", "crontab", "balancer"}
    unknown = read_host(said, "host-1", PREPARATION, key="", pid=None, no_service="nobody knows")
    assert (unknown.processes, unknown.unseen["processes"]) == ({}, "nobody knows")
    cut = read_host(said.replace("== end", ""), "host-1", PREPARATION, key="", pid=None)
    assert "host" in cut.unseen


HAPROXY = """proc.health_path: type=str value=</ready>
1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight \
srv_time_since_last_change srv_port
3 hosts 1 host-1 10.0.0.2 2 0 1 1 77 8000
"""


@pytest.mark.parametrize(
    ("text", "edits"),
    [
        (HAPROXY, {"/ready": "/health", "10.0.0.2 2 0 1": "10.0.0.2 2 1 1", "8000": "8001"}),
        (json.dumps({"apps": {"path": "/ready"}}), {"/ready": "/health"}),
    ],
)
def test_settings_of_the_load_balancer_are_told_apart(text: str, edits: dict[str, str]) -> None:
    def settings(words: str) -> dict[str, str]:
        names = [
            "self",
            "config",
            "head",
            "where",
            "committed",
            "tree",
            "files",
            "crontab",
            "processes",
        ]
        said = "".join(f"== {name}\n\n" for name in names)
        said += f"== balancer\n{words}\n== end\n"
        return read_host(said, "host-1", PREPARATION, key="", pid=None).balancer

    was = settings(text)
    assert was
    for old, new in edits.items():
        now = settings(text.replace(old, new))
        assert len({*was.items()} ^ {*now.items()}) == 2
    assert settings(text.replace(" 77 ", " 78 ")) == was  # it says how long ago, which grows


def test_the_runbook_says_what_it_changes(tmp_path: Path) -> None:
    runbook = runbook_of(tmp_path, RUNBOOK)
    first, full, flag = (declared(runbook.procedure(n), "shop") for n in (1, 2, 3))
    assert "pagination_enabled" in flag.keys
    assert "pool_size" not in flag.keys
    assert first.keys == first.databases == ()
    assert is_one_of("shop_replaced_1760000000", full.databases)
    assert not is_one_of("scratch_1_2", full.databases)
    assert is_one_of("scratch_1_2", full.drops)
    assert not is_one_of("others", full.drops)
    assert not full.rotates
    assert first.pushes == full.pushes == ()


@pytest.mark.parametrize(
    ("line", "pushes"),
    [
        ("git push -q origin main", ("-q origin main",)),
        ("git -c user.name=a push origin main | cat", ("origin main",)),
        ("git stash push --quiet", ()),
    ],
)
def test_the_runbook_says_what_it_pushes(
    tmp_path: Path, line: str, pushes: tuple[str, ...]
) -> None:
    text = RUNBOOK.replace('tail -n 20 "$LOG_FILE"', line)
    assert declared(runbook_of(tmp_path, text).procedure(1), "shop").pushes == pushes


def test_a_runbook_that_takes_old_backups_away_says_so(tmp_path: Path) -> None:
    old = 'tail -n 20 "$LOG_FILE"'
    text = RUNBOOK.replace(old, 'find "$BACKUP_DIR" -mtime +30 -delete')
    assert declared(runbook_of(tmp_path, text).procedure(1), "shop").rotates


def test_a_name_without_a_word_of_its_own_is_any_name() -> None:
    assert not is_one_of("others", [".*", ".*_.*"])
