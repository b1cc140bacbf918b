"""Answers on port 9100 with what this host's kernel knows of the service, as JSON.

{"pid": 12, "rss_bytes": 123, "oom_kills": 0}; pid and rss_bytes are null without a process.
"""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# The kernel's counter of kills in this container's group: version 2 of control groups, then 1.
COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


def find(command: str) -> int | None:
    """Return the child of process 1 whose program is `command`."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            program = (folder / "cmdline").read_bytes().split(b"\0")[0].decode()
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue  # it ended while we looked
        if parent == 1 and program == command:
            return int(folder.name)
    return None


def resident(pid: int) -> int | None:
    """Return the resident memory of `pid` in bytes, None when it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") or None


def oom_kills() -> int | None:
    """Return how often the kernel killed in this container for memory, None when unknown."""
    for path in COUNTERS:
        try:
            lines = Path(path).read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    return None


class Handler(BaseHTTPRequestHandler):
    """Answers every GET with what is seen at that moment."""

    def do_GET(self) -> None:
        """Look, and answer."""
        pid = find(sys.argv[1])
        seen = {
            "pid": pid,
            "rss_bytes": resident(pid) if pid else None,
            "oom_kills": oom_kills(),
        }
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: twice a second would fill a log."""


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", 9100), Handler).serve_forever()
