"""Is the right release deployed, and completely?"""

from __future__ import annotations

import re

from rollback_drill.ground.finding import Finding, failed, judged, together
from rollback_drill.perform.check import check
from rollback_drill.perform.moment import Moment
from rollback_drill.stage.host import Completed, look

_LIMIT_S = 60.0
_VERSION = r"(?:release|version)"


def on_every_host(moment: Moment, script: str) -> dict[str, Completed]:
    """Run `script` on every host; return what it left, by host name."""
    return {host.name: look(host, script, limit_s=_LIMIT_S) for host in moment.stage.hosts}


def _said(done: Completed) -> str:
    """Return what a script found: its last line, and where it failed what was complained of."""
    lines = [text.strip().splitlines()[-1:] for text in (done.stdout, done.stderr)]
    if done.ok:
        lines = [next(filter(None, lines), [])]
    words = [line for found in lines for line in found]
    return "; ".join(words) or f"exit status {done.exit_status} without a word"


def all_ok(results: dict[str, Completed], expected: str) -> Finding:
    """Judge that a script succeeded on every host. What it found is its last line of output;
    `expected` is what it was to find.
    """
    bad = {name: done for name, done in results.items() if not done.ok}
    said = "; ".join(f"{name}: {_said(done)}" for name, done in (bad or results).items())
    return judged(not bad, said, expected)


@check(
    rf"stable {_VERSION}<DONE> (?:identified|known|chosen|named)(?: (?:(?P<tag><TAG>)|_+))?",
    rf"identify stable {_VERSION}"
    r"(?: (?P<tag><TAG>)(?: exists)?(?:(?: and)? is older than what runs now)?"
    r"(?P<listed> and changelog lists it)?)?",
    rf"identify previous {_VERSION}(?: confirm stable {_VERSION} to roll back to)?",
    examples=[
        "Stable release identified: `v1.4.2`",
        "Identify the stable release: `v1.4.2` exists and is older than what runs now",
        "Identify the stable release: `v1.4.2` exists, is older than what runs now, and the "
        "changelog lists it",
        "Identify the previous version",
    ],
)
def stable_identified(moment: Moment, match: re.Match[str]) -> Finding:
    """The stable tag exists in the origin and is older than the deployed release; the changelog
    agrees, where the item names it.
    """
    tag = moment.stable
    named = match.groupdict().get("tag")
    if named and named != tag:
        return failed(f"this drill goes back to {tag}", f"{named}, which the item names")
    script = (
        f"git ls-remote --exit-code --tags origin refs/tags/{tag} >/dev/null "
        f"|| {{ echo 'the origin has no tag {tag}'; exit 1; }}\n"
        f"git log -1 --format='{tag} is of %cs' {tag}\n"
        # By date, not by ancestry: a mended stable release may live on a branch of its own.
        f'[ "$(git log -1 --format=%ct {tag})" -lt "$(git log -1 --format=%ct HEAD)" ] '
        '|| { echo "HEAD is $(git describe --tags --always), no newer than it"; exit 1; }'
    )
    wanted = f"a tag {tag} in the origin, older than HEAD"
    found = all_ok(on_every_host(moment, script), wanted)
    if not match.groupdict().get("listed"):
        return found
    return together((found, version_in_changelog(moment, match)))


@check(
    rf"changelog lists (?:it|stable {_VERSION}|(?P<tag><TAG>))(?P<called> as stable)?",
    r"version<DONE> verified in changelog",
    examples=["The changelog lists it as stable", "Version verified in changelog"],
)
def version_in_changelog(moment: Moment, match: re.Match[str]) -> Finding:
    """The changelog of the deployed release has an entry for the stable version, which calls it
    stable where the item says so.
    """
    named = match.groupdict().get("tag")
    if named and named != moment.stable:
        return failed(f"this drill goes back to {moment.stable}", f"{named}, as the item says")
    version = moment.stable.removeprefix("v")
    number = re.escape(version)
    script = (
        f"grep -H -n -m1 -E '^#.*v?{number}\\b' CHANGELOG.md "
        f"|| {{ echo 'CHANGELOG.md has no entry for {version}'; exit 1; }}"
    )
    wanted = f"an entry for {version} in CHANGELOG.md"
    if match.groupdict().get("called"):
        wanted += " that calls it stable"
        script += (
            f"\nawk '/^#/ {{inside = $0 ~ /v?{number}([^0-9.]|$)/}} inside' CHANGELOG.md "
            "| grep -m1 -iwE 'stable' "
            "|| { echo 'its entry does not call it stable'; exit 1; }"
        )
    return all_ok(on_every_host(moment, script), wanted)


def _checked_out(moment: Moment, tag: str) -> Finding:
    """Every host has exactly `tag` checked out, without changes to it."""
    script = (
        'found="HEAD is $(git describe --tags --always)"\n'
        'branch="$(git branch --show-current)"; [ -z "$branch" ] || found="$found on $branch"\n'
        # Somebody else's git, which may be at work, must find no lock of ours.
        'changed="$(git --no-optional-locks status --porcelain --untracked-files=no '
        '| head -n 5 | tr -s "\\n " " ")"\n'
        'echo "$found, ${changed:+changed:}${changed:-nothing changed}"\n'
        f'[ "$(git rev-parse HEAD)" = "$(git rev-parse \'{tag}^{{commit}}\')" ]\n'
        '[ -z "$changed" ]'
    )
    return all_ok(on_every_host(moment, script), f"HEAD at {tag} and nothing changed")


@check(
    r"code<DONE> (?:reverted|rolled back)"
    rf"(?: to (?:(?:stable|previous) {_VERSION}|(?P<tag><TAG>)))?",
    examples=["The code is reverted to the stable release", "Code reverted", "Code rolled back"],
)
def code_reverted(moment: Moment, match: re.Match[str]) -> Finding:
    """Every host has exactly the stable tag checked out, without changes to it."""
    return _checked_out(moment, match["tag"] or moment.stable)


@check(
    r"code is that of release to deploy",
    examples=["The code is that of the release to deploy"],
)
def code_deployed(moment: Moment, match: re.Match[str]) -> Finding:
    """Every host has exactly the newest release checked out, without changes to it."""
    return _checked_out(moment, moment.failing)


# By the digests that the installer wrote down. What an interpreter compiles is its own, and
# programs bear the folder's name.
_WHOLE = """if [ -x .venv/bin/python ]; then .venv/bin/python -I -B - <<'PY'
import base64, hashlib, os, sys, sysconfig
from importlib.metadata import distributions
site = sysconfig.get_path("purelib")
known, wrong = {"_virtualenv.py", "_virtualenv.pth"}, []
for one in distributions(path=[site]):
    for file in one.files or ():
        if file.parts[0] == "..":
            continue
        known.add(os.path.normpath(file))
        try:
            with open(os.path.join(site, file), "rb") as read:
                found = hashlib.new(file.hash.mode, read.read()).digest() if file.hash else b""
        except OSError:
            if file.suffix != ".pyc":
                wrong.append(f"{file} is gone")
            continue
        if file.hash and base64.urlsafe_b64encode(found).decode().rstrip("=") != file.hash.value:
            wrong.append(f"{file} is another than its package brought")
for folder, folders, names in os.walk(site):
    folders[:] = [name for name in folders if name != "__pycache__"]
    for name in names:
        path = os.path.relpath(os.path.join(folder, name), site)
        if path not in known:
            wrong.append(f"{path} belongs to no package")
with open(os.path.join(sys.prefix, "pyvenv.cfg")) as told:
    settings = dict(line.split(" = ", 1) for line in told.read().splitlines() if " = " in line)
if settings.get("include-system-site-packages") == "true":
    wrong.append("it takes packages of the system as well (pyvenv.cfg)")
if wrong:
    sys.exit("; ".join(sorted(wrong)[:5]) + (f"; {len(wrong)} in all" if wrong[5:] else ""))
PY
fi"""


@check(
    r"dependencies<DONE> (?:installed|synced)",
    examples=["Its dependencies are installed"],
)
def dependencies_installed(moment: Moment, match: re.Match[str]) -> Finding:
    """The environment holds what this version asks for, nothing else, and each file as its package
    brought it.
    """
    wanted = "what this version locks, and nothing else (uv sync --check), each file as it came"
    return all_ok(on_every_host(moment, f"uv sync --check 2>&1\n{_WHOLE}"), wanted)


@check(
    r"tag deployment(?: git has tag for what runs now)?",
    r"(?:backup current )?tag current deployment(?: in git)?",
    r"current deployment<DONE> tagged",
    examples=[
        "Tag the deployment: git has a tag for what runs now",
        "Backup current: tag current deployment in git",
    ],
)
def deployment_tagged(moment: Moment, match: re.Match[str]) -> Finding:
    """A tag that was made in this step points at the deployed commit of the failing release."""
    script = (
        f"git tag --points-at HEAD | grep -v -x -F '{moment.failing}' | while read -r tag; do "
        'made="$(stat -c %Y "$(git rev-parse --git-common-dir)/refs/tags/$tag" || echo 0)"; '
        f'if [ $(($(date +%s) - made)) -le {moment.age() + 2:.0f} ]; then echo "$tag"; fi; done '
        '| grep . || { echo "no tag but the release itself points at HEAD since this step began, '
        '$(git describe --tags --always)"; exit 1; }'
    )
    return all_ok(on_every_host(moment, script), "a tag of the rollback at the deployed commit")
