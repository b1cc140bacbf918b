"""The disk for backups is full."""

from __future__ import annotations

from drill.errors import UsageError
from drill.stage import Stage

_SIZE_KB = 16


class DiskFull:
    """The folder for backups has 16 KB left. Takes the right to mount, which containers lack."""

    name = "disk-full"
    step = r"safety backup|backup"
    mastered = False

    def arm(self, stage: Stage) -> str:
        """See Hazard.arm."""
        for host in stage.hosts:
            done = host.run(f'mount -t tmpfs -o size={_SIZE_KB}k tmpfs "$BACKUP_DIR"', limit_s=10)
            if not done.ok:
                raise UsageError(
                    "a stage on which a small disk can be mounted",
                    done.stderr.strip()[-200:],
                    "run it as root with STAGE=processes, or take another HAZARD",
                )
        return f"the disk for backups has {_SIZE_KB} KB"

    def disarm(self, stage: Stage) -> str:
        """See Hazard.disarm."""
        for host in stage.hosts:
            host.run('while umount "$BACKUP_DIR" 2>/dev/null; do :; done', limit_s=10)
        return ""


HAZARDS = (DiskFull,)
