"""Is the right release deployed, and completely?"""

from __future__ import annotations

import re

from drill.check import Finding, Situation, check, judged
from drill.host import Completed, look
from drill.verdict import worst

_LIMIT_S = 60.0


def on_every_host(situation: Situation, script: str) -> dict[str, Completed]:
    """Run `script` on every host; return what it left, by host name."""
    return {host.name: look(host, script, limit_s=_LIMIT_S) for host in situation.stage.hosts}


def _last_line(done: Completed) -> str:
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return lines[-1] if lines else f"exit status {done.exit_status}"


def all_ok(results: dict[str, Completed], what: str) -> Finding:
    """Judge that a script succeeded on every host, quoting its last line of output."""
    bad = {name: done for name, done in results.items() if not done.ok}
    chosen = bad or results
    said = "; ".join(f"{name}: {_last_line(done)}" for name, done in chosen.items())
    return judged(not bad, f"{what} ({said})")


@check(
    r"stable (version|release) (is )?(identified|known|chosen|named)",
    r"identify .*(version|release)",
)
def stable_identified(situation: Situation, match: re.Match[str]) -> Finding:
    """The stable tag exists in the origin and is older than the deployed release; the changelog
    agrees, where the item names it.
    """
    tag = situation.stable
    script = (
        f"git ls-remote --exit-code --tags origin refs/tags/{tag} >/dev/null\n"
        # By date, not by ancestry: a mended stable release may live on a branch of its own.
        f'test "$(git log -1 --format=%ct {tag})" -lt "$(git log -1 --format=%ct HEAD)"\n'
        f"git log -1 --format='{tag} of %cs' {tag}"
    )
    found = all_ok(on_every_host(situation, script), f"tag {tag} in the origin, older than HEAD")
    if not re.search("changelog", match.string, re.IGNORECASE):
        return found
    listed = version_in_changelog(situation, match)
    return Finding(worst((found.verdict, listed.verdict)), f"{found.evidence}; {listed.evidence}")


@check(r"^(?!.*\bidentify\b).*changelog")
def version_in_changelog(situation: Situation, match: re.Match[str]) -> Finding:
    """The changelog of the deployed release has an entry for the stable version, which calls it
    stable where the item says so.
    """
    number = re.escape(situation.stable.removeprefix("v"))
    script = f"grep -n -m1 -E '^#.*v?{number}\\b' CHANGELOG.md"
    if re.search(r"\bstable\b", match.string, re.IGNORECASE):
        script += (
            f"\nawk '/^#/ {{inside = $0 ~ /v?{number}([^0-9.]|$)/}} inside' CHANGELOG.md "
            "| grep -m1 -iwE 'stable' "
            "|| { echo 'its entry does not call it stable'; exit 1; }"
        )
    return all_ok(on_every_host(situation, script), f"{situation.stable} in CHANGELOG.md")


@check(r"(code|tree) .*(reverted|stable|rolled back)", r"reverted to the stable")
def code_reverted(situation: Situation, match: re.Match[str]) -> Finding:
    """Every host has exactly the stable tag checked out, without changes to it."""
    script = (
        f'echo "$(git describe --tags --always) on $(git branch --show-current)"\n'
        f'test "$(git rev-parse HEAD)" = "$(git rev-parse \'{situation.stable}^{{commit}}\')"\n'
        'test -z "$(git status --porcelain --untracked-files=no)"'
    )
    return all_ok(on_every_host(situation, script), f"HEAD is {situation.stable}, nothing changed")


@check(r"code .*release to deploy")
def code_deployed(situation: Situation, match: re.Match[str]) -> Finding:
    """Every host has exactly the newest release checked out, without changes to it."""
    script = (
        'echo "$(git describe --tags --always)"\n'
        f'test "$(git rev-parse HEAD)" = "$(git rev-parse \'{situation.failing}^{{commit}}\')"\n'
        'test -z "$(git status --porcelain --untracked-files=no)"'
    )
    return all_ok(on_every_host(situation, script), f"HEAD is {situation.failing}")


@check(r"dependencies")
def dependencies_installed(situation: Situation, match: re.Match[str]) -> Finding:
    """The environment holds what this version asks for, nothing else."""
    return all_ok(on_every_host(situation, "uv sync --check 2>&1"), "uv sync --check")


@check(r"compil", r"import(s|ed)? (cleanly|without)")
def compiles(situation: Situation, match: re.Match[str]) -> Finding:
    """Every module of the service compiles and the application can be imported."""
    script = (
        ".venv/bin/python -m compileall -q hostaway_mcp\n"
        ".venv/bin/python -c 'import hostaway_mcp.app; print(\"hostaway_mcp.app imports\")'"
    )
    return all_ok(on_every_host(situation, script), "compiles and imports")


@check(r"tag.*(current|deployment|deployed|before)", r"(deployment|release) .*tagged")
def deployment_tagged(situation: Situation, match: re.Match[str]) -> Finding:
    """A tag of today points at the deployed commit of the failing release."""
    script = (
        f"git tag --points-at HEAD | grep -v -x -F '{situation.failing}' "
        f"|| {{ echo 'no tag but the release itself points at HEAD'; exit 1; }}"
    )
    return all_ok(on_every_host(situation, script), "a tag points at the deployed commit")
