"""A browser that looks at pages, with the packages it needs for that."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rollback_drill.ground.home import cache
from rollback_drill.report.browser import browser

_HERE = Path(__file__).with_name("browser")
_FILES = ("package.json", "package-lock.json")
_FETCH_S, _LOOK_S = 600, 1_500


def tools() -> tuple[str, Path]:
    """Return the browser and the folder of the packages, which are fetched once and kept; skips
    the test with the reason where there is none.
    """
    found = browser()
    if not found:
        pytest.skip("no browser here: install chromium")
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no node and npm here")
    return found, _packages()


@functools.cache
def _packages() -> Path:
    sums = hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _FILES))
    folder = cache() / f"pages-{sums.hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".complete").exists():
            for name in _FILES:
                shutil.copy(_HERE / name, folder / name)
            words = ("--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
            done = subprocess.run(
                ["npm", "ci", *words], cwd=folder, capture_output=True, text=True,
                timeout=_FETCH_S, check=False,
            )  # fmt: skip
            if done.returncode:
                pytest.skip(f"npm cannot fetch what looks at pages: {done.stderr.strip()[-200:]}")
            (folder / ".complete").touch()
    return folder


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder while active; yields its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def look(jobs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what was seen by each job (see `browser/look.mjs`)."""
    chromium, packages = tools()
    done = subprocess.run(
        ["node", str(_HERE / "look.mjs")],
        input=json.dumps({"chromium": chromium, "jobs": list(jobs)}),
        capture_output=True, text=True, timeout=_LOOK_S, check=False,
        env={**os.environ, "PACKAGES": str(packages)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    seen: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(seen) == len(jobs)
    return seen
