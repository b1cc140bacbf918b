"""Plants sabotages on a stage that is up, and looks whether they really are there."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from rollback_drill.breaks.sabotage import Bash, Edit, Rewrite, Sabotage, Sql, edited
from rollback_drill.ground.errors import DrillError, StageError
from rollback_drill.stage.deployment import must
from rollback_drill.stage.model import Stage
from rollback_drill.stage.release import load_releases, texts_of
from rollback_drill.subject.recipe import Recipe

_LATER = timedelta(hours=1)  # than the release: still older than the next one
_LIMIT_S = 60.0
_ORIGIN = 'origin="$(git -C "$APP_DIR" remote get-url origin)"\n'
_COMMIT = """
copy="$(mktemp -d)"; trap 'rm -rf "$copy"' EXIT
git clone --quiet --no-hardlinks "$origin" "$copy"  # containers: the two differ in a layer
cd "$copy"
git checkout --quiet --detach {tag}
{files}
git add --all --force .
export GIT_AUTHOR_DATE={date} GIT_COMMITTER_DATE={date}
as_them='-c user.name=drill -c user.email=drill@example.com'
git $as_them commit --quiet --message sabotaged
git $as_them tag -f -a {tag} -m sabotaged >/dev/null
git push --quiet --force origin refs/tags/{tag}
git -C "$APP_DIR" fetch --quiet --tags --force origin  # no fetch replaces a tag that is there
"""


def plant_release(stage: Stage, sabotages: Sequence[Sabotage], *, failing: bool) -> None:
    """Edit the failing or the stable release in the origin: whoever fetches its tag from now on has
    what was planted. Raises UsageError for an edit that finds nothing, StageError.
    """
    files = _changed(stage, sabotages, failing=failing)
    if not files:
        return
    tag = stage.failing if failing else stage.stable
    recipe = _recipe(stage)
    (release,) = (one for one in load_releases(recipe.layers) if one.tag == tag)
    script = _ORIGIN + _COMMIT.format(
        tag=shlex.quote(tag),
        files="\n".join(_write(path, text) for path, text in files.items()),
        date=(release.date + _LATER).isoformat(),
    )
    for host in stage.hosts:
        must(host, script, _LIMIT_S)


def look_for_edits(stage: Stage, sabotages: Sequence[Sabotage]) -> dict[tuple[str, Edit], str]:
    """Return where in the origin of each host the edits were seen, by sabotage and edit.

    Raises StageError when one is not there.
    """
    seen: dict[tuple[str, Edit], str] = {}
    for failing in (True, False):
        tag = stage.failing if failing else stage.stable
        for path, text in _changed(stage, sabotages, failing=failing).items():
            wanted = hashlib.sha256(text.encode()).hexdigest()
            show = f'git -C "$origin" show {shlex.quote(f"{tag}:{path}")} | sha256sum'
            for host in stage.hosts:
                found = must(host, _ORIGIN + show, _LIMIT_S).partition(" ")[0]
                if found != wanted:
                    raise StageError(
                        f"{path} of {tag} as it was planted on {host.name}",
                        f"another, {found[:12]} instead of {wanted[:12]}",
                        "report this: what is not planted cannot be found",
                    )
            for one in sabotages:
                for edit in one.edits(failing=failing):
                    if edit.path == path:
                        seen[one.name, edit] = f"{path} of {tag} holds it, {wanted[:12]}"
    return seen


def run_plant(stage: Stage, plant: Sql | Bash) -> str:
    """Do what `plant` says, and return a sentence. Raises StageError when it fails."""
    if isinstance(plant, Sql):
        _execute(stage, plant.statements)
        return f"{len(plant.statements)} statement(s) were executed"
    hosts = stage.hosts if plant.each else stage.hosts[:1]
    said = [must(host, plant.script, _LIMIT_S).splitlines()[-1:] for host in hosts]
    words = "; ".join(line for one in said for line in one)
    return f"its script ran on {len(hosts)} host(s): {words[:200] or 'no word'}"


def take_back(stage: Stage, sabotages: Sequence[Sabotage]) -> list[str]:
    """Undo what a deployment would not mend; return what could not be undone. Works twice."""
    wrong: list[str] = []
    for one in sabotages:
        for plant in one.plants:
            try:
                if isinstance(plant, Sql) and plant.undo:
                    _execute(stage, plant.undo)
                elif isinstance(plant, Bash) and plant.undo:
                    for host in stage.hosts if plant.each else stage.hosts[:1]:
                        must(host, plant.undo, _LIMIT_S)
            except DrillError as error:
                wrong.append(f"{one.name}: {error}")
    return wrong


@contextlib.contextmanager
def origin_kept(stage: Stage) -> Iterator[None]:
    """Whatever happens to the origin meanwhile: its tags and branches are put back at the end."""
    show = "git -C \"$origin\" for-each-ref --format='%(refname) %(objectname)'"
    kept = [must(host, _ORIGIN + show, _LIMIT_S) for host in stage.hosts]
    try:
        yield
    finally:
        for host, refs in zip(stage.hosts, kept, strict=True):
            put_back = f"""{_ORIGIN}cd "$origin"
git for-each-ref --format='delete %(refname)' | git update-ref --stdin
git update-ref --stdin <<'REFS'
{_creations(refs)}
REFS"""
            must(host, put_back, _LIMIT_S)


def rewrites(sabotage: Sabotage) -> tuple[Rewrite, ...]:
    """Return what `sabotage` rewrites in the runbook."""
    return tuple(one for one in sabotage.plants if isinstance(one, Rewrite))


def actions(
    sabotages: Sequence[Sabotage], wanted: Callable[[Sql | Bash], bool]
) -> list[tuple[str, Sql | Bash]]:
    """Return what is to be done in a drill at a `wanted` moment, with whose it is."""
    return [
        (one.name, plant)
        for one in sabotages
        for plant in one.plants
        if isinstance(plant, Sql | Bash) and wanted(plant)
    ]


def _creations(refs: str) -> str:
    pairs = (line.split() for line in refs.splitlines())
    return "\n".join(f"create {name} {commit}" for name, commit in pairs)


def _execute(stage: Stage, statements: Sequence[str]) -> None:
    for one in statements:
        stage.database.fetch(one.replace("%", "%%"))


def _write(path: str, text: str) -> str:
    held = base64.b64encode(text.encode()).decode()
    where = shlex.quote(path)
    return f'mkdir -p "$(dirname {where})"; base64 -d > {where} <<< {held}'


def _changed(stage: Stage, sabotages: Sequence[Sabotage], *, failing: bool) -> dict[str, str]:
    if not any(one.edits(failing=failing) for one in sabotages):
        return {}
    tag = stage.failing if failing else stage.stable
    return edited(texts_of(_recipe(stage).layers, tag), sabotages, failing=failing)


def _recipe(stage: Stage) -> Recipe:
    recipe = stage.subject.recipe
    if recipe is None:
        raise StageError(
            "a service that the suite brings along, to plant sabotages in",
            f"another one on {stage.name}",
            "leave sabotages out",
        )
    return recipe
