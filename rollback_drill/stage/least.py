"""What containers of a stage may: no more than what runs in them needs."""

from __future__ import annotations

_HOST_PROCESSES, _PROCESSES = 1024, 256
_MEMORY = "1g"
_NOBODY = "65534:65534"
# Of what the engine gives by itself. A host's commands are root's, and give files and processes to
# others; nothing there opens raw sockets, makes devices or gives programs more than they have.
_NEVER = ["AUDIT_WRITE", "MKNOD", "NET_RAW", "SETFCAP", "SETPCAP", "SYS_CHROOT"]


def privileges(*, host: bool, systemd: bool, root: bool) -> dict[str, object]:
    """Return arguments for the engine, for a `host` or for a program around it, which is
    nobody's if its image would have it run as `root`.

    `systemd` is process 1 of a host: it mounts, and the runbook comes to it by way of sudo.
    """
    if host and systemd:
        return {"pids_limit": _HOST_PROCESSES}
    own: dict[str, object] = {"security_opt": ["no-new-privileges"]}
    if host:
        return own | {"pids_limit": _HOST_PROCESSES, "cap_drop": _NEVER}
    own |= {"pids_limit": _PROCESSES, "cap_drop": ["ALL"], "mem_limit": _MEMORY}
    return own | ({"user": _NOBODY} if root else {})
