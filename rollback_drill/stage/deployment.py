"""Puts a release on the hosts of a stage and its data into the database, alike on every stage."""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Callable, Mapping, Sequence

from rollback_drill.ground import clock
from rollback_drill.ground.errors import StageError, WaitTimeout
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.database import PostgresDatabase
from rollback_drill.stage.host import Host
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.supervision import SUPERVISORD, Supervisor
from rollback_drill.subject.recipe import Recipe

__all__ = ["FOLDERS", "Deployment", "must"]

FOLDERS = ("OUTBOX", "EVIDENCE_DIR", "BACKUP_DIR", "SECURE_STORAGE")

# An installation that a runbook began and did not finish cannot be mended, see the runbook.
_CLEAN = """
# Nor does git end what a git that was killed began.
find .git -name '*.lock' -delete
if [ -e .venv.unfinished ]; then rm -rf .venv; fi
git stash clear
git fetch --quiet --prune --tags --force origin
git checkout --quiet --force --detach tags/{tag}
git clean -fdq -e .venv -e uv.lock
git for-each-ref --format='%(refname:short)' refs/heads | xargs -r git branch -qD
for tag in $(git tag); do
  git ls-remote --exit-code --tags origin "refs/tags/$tag" >/dev/null \\
    || git tag -d "$tag" >/dev/null
done
uv sync --quiet
rm -rf "$MAINTENANCE_FILE" "$STATUS_PAGE" "$DEFECTS_FILE" "$LOG_FILE"
rm -rf "$OUTBOX"/* "$EVIDENCE_DIR"/* "$BACKUP_DIR"/* "$SECURE_STORAGE"/*
"""
_FIRST = """
git checkout --quiet --force --detach tags/{tag}
uv sync --quiet
"""
_FORGET = 'rm -f "$LOG_FILE"'
_REPLACED = "SELECT datname FROM pg_database WHERE datname LIKE %s"
_THERE = "SELECT 1 FROM pg_database WHERE datname = %s"
_FILL_LIMIT_S = 600.0
_SERVED_LIMIT_S = 30.0


def must(host: Host, script: str, limit_s: float = 120.0) -> str:
    """Run `script` on `host` and return its output. Raises StageError when it fails."""
    done = host.run(script, limit_s=limit_s)
    if not done.ok:
        words = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        ended = "it did not end" if done.exit_status is None else f"status {done.exit_status}"
        ended = done.why or ended
        raise StageError(
            f"the stage to run {script.strip()[:60]!r} on {host.name} within {limit_s:g} s",
            f"{ended}: {words[-1][:300]}",
            "the command that is named is the stage's own: see what it needs on this machine",
        )
    return done.stdout.strip()


class Deployment:
    """The service on `hosts`, started by its `supervisor`, with its database.

    `administrator` opens a superuser's session; `switch` is the script by which the load balancer
    asks the hosts for another `{path}`; `urls` must all answer in the end. `filled` is called when
    a database was filled, while nobody uses the server; `serving` before that with a URL, while the
    `stable` release serves there what was filled in, before the upgrade, or with "" and why it does
    not.
    """

    def __init__(
        self,
        hosts: Sequence[Host],
        administrator: Callable[[], PostgresDatabase],
        database: PostgresDatabase,
        switch: str,
        urls: Sequence[str],
        options: StageOptions,
        recipe: Recipe,
        progress: Callable[[str], None],
        supervisor: Supervisor = SUPERVISORD,
        filled: Callable[[], None] = lambda: None,
        stable: str = "",
        serving: Callable[[str, str], None] = lambda _url, _problem: None,
    ) -> None:
        self._recipe = recipe
        self._supervisor = supervisor.of(recipe.program)
        self._hosts = hosts
        self._administrator = administrator
        self._database = database
        self._switch = switch
        self._urls = urls
        self._options = options
        self._progress = progress
        self._filled = filled
        self._stable = stable
        self._serving = serving

    def deploy(self, tag: str, *, first: bool = False) -> None:
        """See stage.model.Stage.deploy. `first`: the hosts were just made: there is nothing to stop
        and nothing to clean up.
        """
        lay_out = _FIRST if first else f"{self._supervisor.stop}\n{_CLEAN}"
        self._on_each(lay_out.format(tag=tag))
        self._fill_database(tag)
        self._on_each(self._supervisor.start)
        self.set_health_path("/ready")
        for url in self._urls:
            self._await_health(tag, url)

    def _on_each(self, script: str) -> None:
        """Run `script` on all hosts at once."""

        def abort() -> None:  # nothing may wait for a long command
            for host in self._hosts:
                host.abort()

        clock.at_once(lambda host: must(host, script), self._hosts, abort)

    def _await_health(self, tag: str, url: str) -> None:
        advice = "see the service's and the load balancer's log"
        for _ in wait_until(f"{tag} is served at {url}", _SERVED_LIMIT_S, advice=advice):
            with contextlib.suppress(NoAnswer):
                if http.get(f"{url}/health", limit_s=2).status == 200:
                    return

    def _fill_database(self, tag: str) -> None:
        """Make the service's database anew, from a template after the first time."""
        template = "filled_" + "".join(c if c.isalnum() else "_" for c in tag)
        administrator = self._administrator()
        self._database.close()
        name = self._recipe.database
        for (copy,) in administrator.fetch(_REPLACED, (self._recipe.copies,)):
            administrator.fetch(f'DROP DATABASE "{copy}" WITH (FORCE)')
        administrator.fetch(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        if not administrator.fetch(_THERE, (template,)):
            administrator.fetch(f"CREATE DATABASE {name} OWNER {name}")
            rows = self._options.listings
            self._progress(f"filling the database with {rows} {self._recipe.unit}")
            limit_s = _FILL_LIMIT_S + rows / self._recipe.rows_per_s
            must(self._hosts[0], self._options.filling(self._recipe.fill), limit_s)
            self._serve_stable(tag)
            must(self._hosts[0], self._recipe.upgrade, limit_s)
            administrator.fetch(f"ALTER DATABASE {name} RENAME TO {template}")
            administrator.fetch(f"ALTER DATABASE {template} OWNER TO postgres")
            administrator.close()
            self._filled()
        administrator.fetch(f"CREATE DATABASE {name} OWNER {name} TEMPLATE {template}")
        administrator.close()
        self._database.open()

    def _serve_stable(self, tag: str) -> None:
        """Have the stable release serve on the first host for a while, before the upgrade to `tag`,
        as it did in real life. Whatever it is asked leaves no trace: it works on this database,
        and the other one, as it was filled, takes its place.
        """
        if not self._stable:
            return
        stable, self._stable = self._stable, ""  # once
        host, name = self._hosts[0], self._recipe.database
        self._progress(f"asking {stable} what it answers, for later")
        self._ask_administrator(f"CREATE DATABASE {name}_filled OWNER {name} TEMPLATE {name}")
        self._database.open()
        try:
            must(host, _FIRST.format(tag=stable))
            must(host, self._supervisor.start)
            self._await_health(stable, self._urls[0])
            self._serving(self._urls[0], "")
        except (StageError, WaitTimeout) as error:  # what comes of it the drill will say
            self._serving("", f"expected {error.expected}; found {error.found}")
        finally:
            self._database.close()
            must(host, f"{self._supervisor.stop} || true\n{_FORGET}\n{_FIRST.format(tag=tag)}")
            self._ask_administrator(
                f"DROP DATABASE {name} WITH (FORCE)",
                f"ALTER DATABASE {name}_filled RENAME TO {name}",
            )

    def _ask_administrator(self, *statements: str) -> None:
        administrator = self._administrator()
        for one in statements:
            administrator.fetch(one)
        administrator.close()

    def set_health_path(self, path: str) -> None:
        """See stage.model.Stage.set_health_path."""
        must(self._hosts[0], self._switch.format(path=path))

    def set_defects(self, defects: Mapping[str, object]) -> None:
        """See stage.model.Stage.set_defects."""
        settings = shlex.quote(json.dumps(dict(defects)))
        self._on_each(
            f'echo {settings} > "$DEFECTS_FILE"\n'
            # A service that is just being killed takes the settings when it starts again.
            f"{self._supervisor.hang_up} || true"
        )
