"""The machine's browser, which prints pages: there need not be one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from rollback_drill.ground import files
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.machine import temporary

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
"""Those that print without a screen, in the order in which they are looked for."""
_LIMIT_S = 120


def browser() -> str:
    """Return the program of the machine's browser, "" for none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), "")


def needed_browser() -> str:
    """Return the program of the machine's browser. Raises UsageError when there is none."""
    found = browser()
    if not found:
        raise UsageError(
            "a browser to print with",
            f"none of {', '.join(BROWSERS)}",
            "install chromium, or print postmortem.html in a browser of your own",
        )
    return found


def print_page(page: Path, pdf: Path) -> None:
    """Print `page` as `pdf`. Raises UsageError when there is no browser, or it does not print."""
    with TemporaryDirectory(dir=temporary()) as scratch:
        made = Path(scratch, "page.pdf")
        words = ["--headless", "--disable-gpu", "--no-pdf-header-footer", "--disable-dev-shm-usage"]
        words += [f"--user-data-dir={scratch}/profile", f"--print-to-pdf={made}"]
        if os.geteuid() == 0:
            words.append("--no-sandbox")  # the sandbox refuses root
        try:
            done = subprocess.run(
                [needed_browser(), *words, page.resolve().as_uri()],
                capture_output=True, text=True, check=False, timeout=_LIMIT_S, errors="replace",
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UsageError(f"to print {page}", str(error), "print it by hand") from error
        if not made.is_file() or not made.stat().st_size:
            said = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
            raise UsageError(f"to print {page}", said[-1], "print it by hand")
        files.copy(made, pdf)
