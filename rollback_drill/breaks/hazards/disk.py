"""The disk for backups is full."""

from __future__ import annotations

from dataclasses import replace

from rollback_drill.breaks.hazard import hazard
from rollback_drill.ground.errors import UsageError
from rollback_drill.stage.model import Stage, StageOptions

_SIZE_KB = 16
# Containers lack the right to mount; they come up with such a disk where one is foreseen.
_MOUNT = f"""
size="$(df -k --output=size "$BACKUP_DIR" | tail -n 1 | tr -d ' ')"
[ "$size" -le {_SIZE_KB} ] || mount -t tmpfs -o size={_SIZE_KB}k tmpfs "$BACKUP_DIR"
"""


@hazard
class DiskFull:
    """The folder for backups has 16 KB: a dump fails in its middle."""

    name = "disk-full"
    step = r"safety backup|backup"
    needs = ()
    mastered = False

    def foresee(self, options: StageOptions) -> StageOptions:
        """See Foreseen.foresee."""
        return replace(options, backup_disk_bytes=_SIZE_KB * 1024)

    def arm(self, stage: Stage) -> str:
        """See Hazard.arm."""
        for host in stage.hosts:
            done = host.run(_MOUNT, limit_s=10)
            if not done.ok:
                raise UsageError(
                    "a stage on which a small disk can be mounted",
                    done.stderr.strip()[-200:],
                    "run it as root with STAGE=processes, or with STAGE=containers in a drill of "
                    "its own",
                )
        return f"the disk for backups has {_SIZE_KB} KB"

    def disarm(self, stage: Stage) -> str:
        """See Hazard.disarm."""
        for host in stage.hosts:
            host.run('while umount "$BACKUP_DIR" 2>/dev/null; do :; done', limit_s=10)
        return ""
