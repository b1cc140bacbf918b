"""Breaks the stable release in the origin, and mends it again; takes a fault its teeth."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rollback_drill.breaks.fault import Fault, Scene
from rollback_drill.stage.model import Stage
from rollback_drill.subject.hostaway.recipe import STABLE


@contextlib.contextmanager
def broken_reservations(stage: Stage) -> Iterator[None]:
    """While active, the stable tag of the origin names a release whose reservations answer 500."""
    host = stage.hosts[0]
    origin = 'cd "$(git -C "$APP_DIR" remote get-url origin)"\n'
    kept = host.run(f"{origin}git rev-parse refs/tags/{STABLE}", limit_s=30)
    assert kept.ok, kept.stderr
    broken = host.run(
        'copy="$(mktemp -d)"; trap \'rm -rf "$copy"\' EXIT\n'
        'origin="$(git -C "$APP_DIR" remote get-url origin)"\n'
        'git clone --quiet --no-hardlinks "$origin" "$copy"; cd "$copy"\n'  # they differ in a layer
        f"git checkout --quiet {STABLE}\n"
        "sed -i 's/id, reference, listing_id/id, no_such_column, listing_id/' "
        "hostaway_mcp/reservations.py\n"
        "export GIT_COMMITTER_DATE=2025-09-23T00:00:00Z\n"  # still older than what runs
        "git -c user.name=drill -c user.email=drill@example.com commit --quiet -am broken\n"
        f"git -c user.name=drill -c user.email=drill@example.com tag -f -a {STABLE} -m broken\n"
        f"git push --quiet --force origin refs/tags/{STABLE}",
        limit_s=60,
    )
    assert broken.ok, broken.stderr
    try:
        yield
    finally:
        mended = host.run(
            f"{origin}git update-ref refs/tags/{STABLE} {kept.stdout.strip()}", limit_s=30
        )
        assert mended.ok, mended.stderr


class Toothless:
    """A fault whose cause is not planted: everything else about it stays."""

    watch_s = 12.0  # with its cause, the slowest trigger took less

    def __init__(self, fault: Fault) -> None:
        self.name, self.symptom, self.trigger = fault.name, fault.symptom, fault.trigger
        self.needs, self.ours, self.damages = fault.needs, fault.ours, fault.damages
        self._fault = fault

    def inject(self, scene: Scene) -> str:
        """Do nothing."""
        return f"{self.name} was not planted"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Look as the fault does."""
        return self._fault.attest(scene)

    def heal(self, scene: Scene) -> None:
        """There is nothing to heal."""
