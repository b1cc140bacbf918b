"""What the images of the container stage are built upon."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.stage.engine import engine_client
from rollback_drill.stage.images import BASE, OWN_BASE, ensure_images, has_image

FOLDER = Path(__file__).resolve().parents[2] / "service" / "images"


def test_each_builds_the_ordinary_way_and_upon_what_it_is_told() -> None:
    for dockerfile in FOLDER.glob("*/Dockerfile"):
        lines = dockerfile.read_text(encoding="utf-8").splitlines()
        upon = [line for line in lines if line.startswith("FROM ")]
        asked = [line for line in lines if line.startswith("ARG ")][:1]
        assert (asked, upon) in (
            ([f"ARG base={BASE}"], ["FROM $base"]),
            (["ARG host"], ["FROM $host"]),
        ), dockerfile


@pytest.mark.containers
def test_they_are_built_upon_a_name_of_our_own() -> None:
    images = ensure_images(print)
    assert has_image(OWN_BASE)
    base = engine_client().images.get(OWN_BASE).attrs["RootFS"]["Layers"]
    for tag in images.values():
        layers = engine_client().images.get(tag).attrs["RootFS"]["Layers"]
        assert layers[: len(base)] == base, tag
