"""The images of the container stage: built once for their content, with or without a registry."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from docker.errors import BuildError, DockerException, ImageNotFound

from rollback_drill.ground.errors import StageError, UsageError
from rollback_drill.ground.home import DEMO
from rollback_drill.ground.machine import temporary
from rollback_drill.stage.engine import engine_client
from rollback_drill.stage.host import run_bounded
from rollback_drill.stage.wheelhouse import container_platforms, ensure_wheelhouse

__all__ = [
    "BASE",
    "IMAGES",
    "MACHINES",
    "OWN_BASE",
    "base_problem",
    "ensure_images",
    "ensure_machine",
    "ensure_release",
    "forget_older",
    "has_image",
]

BASE = "debian:bookworm-slim"
OWN_BASE = "rollback-drill/base:bookworm"
"""What is built upon: BASE as it was when it was fetched, or what was made of Debian's packages. No
name of Debian's is given to what is not Debian's own image.
"""
IMAGES = ("postgres", "loadbalancer", "host", "prometheus")
MACHINES = ("systemd", "compose")
"""Images of whole machines, made on top of `host`: stand-ins for staging environments."""
_FOLDER = DEMO / "service" / "images"
_SUITE = BASE.partition(":")[2].partition("-")[0]
_PYTHON = "3.11"  # that of the base
_BASE_LIMIT_S = 300
_MOST = 8  # of each name; a change of what one is built from makes another


def base_problem() -> str:
    """Return why the base image cannot be had, "" when it is there, pulls or can be made."""
    try:
        if has_image(OWN_BASE) or has_image(BASE) or _can_make() or _pull():
            return ""
    except DockerException as error:
        return f"the engine does not say whether it has {BASE} ({error})"
    return f"the image {BASE} cannot be pulled, and mmdebstrap (as root) is not there to make it"


def ensure_images(progress: Callable[[str], None]) -> dict[str, str]:
    """Return the tag of each image by its name, building those that are missing.

    A tag is a hash of what the image is built from, so that a changed Dockerfile or lock builds
    anew. Raises UsageError when the base image cannot be had, StageError when a build fails.
    """
    return {name: _ensure(name, progress) for name in IMAGES}


def ensure_machine(name: str, progress: Callable[[str], None]) -> str:
    """Return the tag of the image of a machine, one of MACHINES. Raises as `ensure_images`."""
    return _ensure(name, progress, host=_ensure("host", progress))


def ensure_release(origin: Path, progress: Callable[[str], None], **arguments: str) -> str:
    """Return the tag of the image of a host with a release of the repository `origin` on it.
    `arguments`: those of its Dockerfile beside `host`. Raises as `ensure_images`.
    """
    refs = sorted(path for path in (origin / "refs").rglob("*") if path.is_file())
    commits = hashlib.sha256(b"".join(path.read_bytes() for path in refs)).hexdigest()
    host = _ensure("host", progress)
    return _ensure("release", progress, {"origin.git": origin}, commits, host=host, **arguments)


def forget_older(repository: str, most: int) -> None:
    """Remove all images of `repository` but the `most` that were made last, and those in use."""
    with contextlib.suppress(DockerException):
        made = engine_client().images.list(repository)
        for image in sorted(made, key=lambda one: str(one.attrs["Created"]))[:-most]:
            with contextlib.suppress(DockerException):
                engine_client().images.remove(str(image.id))


def _ensure(
    name: str,
    progress: Callable[[str], None],
    taken: Mapping[str, Path] | None = None,
    *made_of: str,
    **arguments: str,
) -> str:
    """Return the tag of an image, built if it is missing. `taken`: folders that it takes in by
    these names, told apart by `made_of`; `arguments`: those of its Dockerfile.
    """
    machine = str(engine_client().version().get("Arch", ""))
    wheelhouse = ensure_wheelhouse(python=_PYTHON, platforms=container_platforms(machine))
    extra = {"wheelhouse": wheelhouse} if name == "host" else dict(taken or {})
    digest = _digest(_FOLDER / name, wheelhouse.name, machine, *made_of, *arguments.values())
    tag = f"rollback-drill/{name}:{digest}"
    if not has_image(tag):
        _ensure_base(progress)
        progress(f"building the image {name} (once)")
        _build(name, tag, extra, arguments if "host" in arguments else {"base": OWN_BASE})
        forget_older(f"rollback-drill/{name}", _MOST)
    return tag


def has_image(tag: str) -> bool:
    """Return whether the engine has an image of this tag. Raises DockerException."""
    try:
        engine_client().images.get(tag)
    except ImageNotFound:
        return False
    return True


def _digest(folder: Path, *more: str) -> str:
    digest = hashlib.sha256("\0".join((BASE, *more)).encode())
    for path in sorted(folder.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _build(name: str, tag: str, extra: dict[str, Path], arguments: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="image-", dir=temporary()) as scratch:
        context = Path(scratch, "context")
        shutil.copytree(_FOLDER / name, context)
        for inside, folder in extra.items():
            shutil.copytree(folder, context / inside)
        try:
            # The host's network: where there is no registry, it is often the only one that works.
            engine_client().images.build(
                path=str(context), tag=tag, network_mode="host", rm=True, buildargs=arguments
            )
        except BuildError as error:
            lines = [str(entry.get("stream", "")).strip() for entry in error.build_log]
            last = [line for line in lines if line][-3:]
            raise StageError(
                f"the image {name} to build",
                " / ".join([*last, str(error)])[:500],
                "can this machine reach Debian's packages? STAGE=processes needs no images",
            ) from error
        except DockerException as error:
            raise StageError(
                f"the image {name} to build", str(error)[:500], "try STAGE=processes"
            ) from error


def _ensure_base(progress: Callable[[str], None]) -> None:
    if has_image(OWN_BASE):
        return
    if not has_image(BASE):
        progress(f"fetching {BASE} (once)")
    if has_image(BASE) or _pull():
        engine_client().images.get(BASE).tag(*OWN_BASE.split(":"))
        return
    if not _can_make():
        raise UsageError(
            f"the image {BASE}",
            "no registry that has it, and no mmdebstrap to make it",
            "run `apt-get install mmdebstrap` as root, or use STAGE=processes",
        )
    progress(f"making {OWN_BASE} from Debian's packages (once)")
    _make()


def _pull() -> bool:
    repository, _, tag = BASE.partition(":")
    try:
        engine_client().images.pull(repository, tag=tag)
    except DockerException:
        return False
    return True


def _can_make() -> bool:
    return bool(shutil.which("mmdebstrap")) and os.geteuid() == 0


def _make() -> None:
    with tempfile.TemporaryDirectory(prefix="base-", dir=temporary()) as scratch:
        tar = Path(scratch, "base.tar")
        done = run_bounded(
            ["mmdebstrap", "--variant=minbase", _SUITE, str(tar)], limit_s=_BASE_LIMIT_S
        )
        if not done.ok:
            last = (done.stderr.strip().splitlines() or ["no output"])[-1]
            raise StageError(
                f"{OWN_BASE} made of Debian's packages", last, "can this machine reach them?"
            )
        repository, _, tag = OWN_BASE.partition(":")
        engine_client().api.import_image_from_file(str(tar), repository=repository, tag=tag)
