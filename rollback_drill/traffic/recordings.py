"""The files in which one worker of a generator writes down what it does, as it happens.

- `generator-<worker>.csv`: `start,<due of the first request>,<rate>`, then once a second
  `sample,<at>,<worst lag s>,<share of a core>,<in flight>`, at last `end,<requests scheduled>`.
- `writes-<worker>.csv`: `<write's reference>,<operation>,<reference of what it writes>,<JSON>`,
  written before the write is sent, so that nothing can be done that was not announced.
- `observations-<worker>.csv`: `Observation` lines in the order they ended.
- `contradictions-<worker>.csv`: answers that cannot be true (see `traffic.contradictions`).
"""

from __future__ import annotations

from pathlib import Path

OBSERVATIONS, WRITES, GENERATOR = "observations", "writes", "generator"
CONTRADICTIONS = "contradictions"


def path_of(directory: Path, kind: str, worker: int) -> Path:
    """Return the path of a worker's file of `kind`."""
    return directory / f"{kind}-{worker}.csv"
