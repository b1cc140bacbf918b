"""The stable release is not what the runbook expects: no tag, a dirty tree, a service that dies."""

from __future__ import annotations

from rollback_drill.breaks.hazard import hazard
from rollback_drill.ground.errors import StageError
from rollback_drill.stage.host import Host
from rollback_drill.stage.model import Stage
from rollback_drill.subject.hostaway.recipe import STABLE

_LIMIT_S = 60.0
_ORIGIN = 'cd "$(git -C "$APP_DIR" remote get-url origin)"\n'
_KEPT = "refs/kept-by-the-drill"
_AS_DRILL = "git -c user.name=drill -c user.email=drill@example.com"


def _must(host: Host, script: str) -> str:
    done = host.run(script, limit_s=_LIMIT_S)
    if not done.ok:
        raise StageError("the hazard to be made", done.stderr.strip()[-200:], "see the stage")
    return done.stdout


class _Origin:
    """Changes the stable tag of every host's origin, and puts it back."""

    step = ""
    needs = ()
    mastered = False

    def disarm(self, stage: Stage) -> str:
        """See Hazard.disarm."""
        for host in stage.hosts:
            _must(
                host,
                f"{_ORIGIN}if git rev-parse -q --verify {_KEPT} >/dev/null; then\n"
                f"git update-ref refs/tags/{STABLE} {_KEPT}; git update-ref -d {_KEPT}; fi\n"
                'cd "$APP_DIR"; git fetch --quiet --force --tags origin',
            )
        return ""

    def _keep(self, host: Host) -> None:
        _must(host, f"{_ORIGIN}git update-ref {_KEPT} refs/tags/{STABLE}")


@hazard
class TagMissing(_Origin):
    """Nobody ever tagged the stable release, or somebody tidied the tags up."""

    name = "tag-missing"

    def arm(self, stage: Stage) -> str:
        """See Hazard.arm."""
        for host in stage.hosts:
            self._keep(host)
            _must(host, f"{_ORIGIN}git update-ref -d refs/tags/{STABLE}")
            _must(host, f"git tag -d {STABLE} || true")
        return f"the tag {STABLE} does not exist, neither here nor in the origin"


@hazard
class ServiceStaysDown(_Origin):
    """The stable release does not start any more: what it needs has changed since."""

    name = "service-stays-down"

    def arm(self, stage: Stage) -> str:
        """See Hazard.arm."""
        for host in stage.hosts:
            self._keep(host)
            _must(
                host,
                'copy="$(mktemp -d)"; trap \'rm -rf "$copy"\' EXIT\n'
                'origin="$(git -C "$APP_DIR" remote get-url origin)"\n'
                'git clone --quiet --no-hardlinks "$origin" "$copy"\n'  # they differ in a layer
                f'cd "$copy"; git checkout --quiet {STABLE}\n'
                "sed -i '1a import sys; sys.exit(3)' hostaway_mcp/__main__.py\n"
                "export GIT_COMMITTER_DATE=2025-09-23T00:00:00Z\n"
                f"{_AS_DRILL} commit --quiet -am 'does not start'\n"
                f"{_AS_DRILL} tag -f -a {STABLE} -m 'does not start'\n"
                f"git push --quiet --force origin refs/tags/{STABLE}\n"
                'cd "$APP_DIR"; git fetch --quiet --force --tags origin',
            )
        return f"{STABLE} ends with status 3 as soon as it is started"


@hazard
class DirtyTree:
    """Somebody edited files on the host, and left others there."""

    name = "dirty-tree"
    step = ""
    needs = ()
    mastered = True

    def arm(self, stage: Stage) -> str:
        """See Hazard.arm."""
        for host in stage.hosts:
            _must(host, "echo '# by hand' >> config.yaml; echo left > notes.txt")
        return "config.yaml was edited by hand, and a file was left in the work tree"

    def disarm(self, stage: Stage) -> str:
        """See Hazard.disarm."""
        for host in stage.hosts:
            _must(host, "rm -f notes.txt")
        return ""
