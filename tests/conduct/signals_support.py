"""Children that hear every signal, however this run was started."""

from __future__ import annotations

import signal

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]


def heard() -> None:
    """For `preexec_fn`: what this run was perhaps started to ignore (`nohup`, `&`), a child would
    ignore as well.
    """
    for one in SIGNALS:
        signal.signal(one, signal.SIG_DFL)
