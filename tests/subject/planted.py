"""Serves the stable release with a sabotage in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rollback_drill.breaks.sabotage import Sabotage, edited
from rollback_drill.stage.release import texts_of
from rollback_drill.subject.subject import own
from tests.subject.service_process import OLD, Service, running


@contextlib.contextmanager
def planted(service: Service, one: Sabotage) -> Iterator[None]:
    """Serve with `one` planted, as if the process had been there for a minute."""
    _, recipe = own()
    files = edited(texts_of(recipe.layers, OLD), [one], failing=False)
    service.stop()
    for path, text in files.items():
        told = text.replace("_BORN = time.monotonic()", "_BORN = time.monotonic() - 60")
        (service.app / path).write_text(told, encoding="utf-8")
    try:
        with running(service):
            yield
    finally:
        service._run("git", "checkout", "--quiet", "--force", f"tags/{OLD}")
        service._run("git", "clean", "-fdq", "-e", ".venv", "-e", "uv.lock")
        service.start()
