"""The database that a stage of containers was filled with is kept as an image of the engine.

Its tag is made of all that went into it: what differs in anything has another one. What it holds of
passwords is of no use any more, each stage sets its own. Nothing is lost by removing it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import tarfile

from docker.errors import DockerException
from docker.models.containers import Container

from rollback_drill.stage.container_sweep import OWNER, RUN
from rollback_drill.stage.engine import engine_client
from rollback_drill.stage.images import forget_older
from rollback_drill.subject.questions import GoldenSet, golden_of

__all__ = ["MOST_KEPT_BYTES", "filled_tag", "keep_filled", "kept_golden", "leave_golden"]

MOST_KEPT_BYTES = 40_000_000
"""What is larger is filled anew by each stage, since all of it would stay in the engine."""
_REPOSITORY = "rollback-drill/filled"
_GOLDEN = "golden.json"
_MOST = 16  # of all sizes and seeds; each has some 50 MB of its own


def filled_tag(*made_of: object) -> str:
    """Return the tag of the image of a database; `made_of`: all that it depends on, in words."""
    words = "\0".join(map(str, made_of))
    return f"{_REPOSITORY}:{hashlib.sha256(words.encode()).hexdigest()[:16]}"


def keep_filled(container: Container, tag: str) -> None:
    """Keep the files of `container`, whose server has ended, as the image `tag`.

    Nothing that goes wrong with it goes wrong for who filled it: it is filled again next time.
    """
    forgotten = ["ENV POSTGRES_PASSWORD=", *(f'LABEL {name}=""' for name in (RUN, OWNER))]
    with contextlib.suppress(DockerException):
        repository, _, name = tag.partition(":")
        before = {str(one.id) for one in engine_client().images.list(tag)}
        container.commit(repository, name, changes=forgotten)
        for nameless in before:  # the tag is another's now
            with contextlib.suppress(DockerException):  # a container may still use it
                engine_client().images.remove(nameless)
        forget_older(_REPOSITORY, _MOST)


def leave_golden(container: Container, golden: GoldenSet) -> None:
    """Lay beside the database what the stable release answered on it. Raises DockerException."""
    told = golden.to_json().encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        one = tarfile.TarInfo(_GOLDEN)
        one.size = len(told)
        archive.addfile(one, io.BytesIO(told))
    container.put_archive("/", packed.getvalue())


def kept_golden(container: Container) -> GoldenSet | None:
    """Return what `leave_golden` left, None where it cannot be read."""
    try:
        pieces, _ = container.get_archive(f"/{_GOLDEN}")
        with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
            file = archive.extractfile(_GOLDEN)
            return golden_of(file.read().decode()) if file else None
    except (DockerException, tarfile.TarError, KeyError, ValueError):
        return None
