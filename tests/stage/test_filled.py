"""The filled database that the engine keeps: told apart by what went into it, and never too many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from docker.errors import ImageNotFound
from docker.models.containers import Container

from rollback_drill.stage import filled
from rollback_drill.stage.container_sweep import labels, made, remove_from_engine
from rollback_drill.stage.engine import engine_client
from rollback_drill.stage.filled import filled_tag, keep_filled, kept_golden, leave_golden
from rollback_drill.stage.images import ensure_images
from rollback_drill.subject.questions import GoldenAnswer, GoldenQuestion, GoldenSet


def test_what_differs_in_anything_is_another_one() -> None:
    tags = {
        filled_tag(*made_of)
        for made_of in (
            ("postgres:1", "release:1", "fill 200"),
            ("postgres:2", "release:1", "fill 200"),
            ("postgres:1", "release:2", "fill 200"),
            ("postgres:1", "release:1", "fill 201"),
            ("postgres:1", "release:1fill 200"),
        )
    }
    assert len(tags) == 5
    assert filled_tag("a", "b") == filled_tag("a", "b")


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    """A container of Postgres that was never started; what is kept of it is no stage's."""
    monkeypatch.setattr(filled, "_REPOSITORY", "rollback-drill/filled-by-a-test")
    run = labels()
    image = ensure_images(print)["postgres"]
    yield engine_client().containers.create(
        image, labels=run, environment={"POSTGRES_PASSWORD": "secret"}
    )
    remove_from_engine(made(run))
    for kept in engine_client().images.list(filled._REPOSITORY):
        engine_client().images.remove(str(kept.id))


@pytest.mark.containers
def test_the_newest_are_kept_without_passwords_or_an_owner(
    ended: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filled, "_MOST", 2)
    tags = [filled_tag(number) for number in range(3)]
    for tag in tags:
        keep_filled(ended, tag)
    kept = engine_client().images.list(filled._REPOSITORY)
    assert {tag for image in kept for tag in image.tags} == set(tags[1:])
    told = kept[0].attrs["Config"]
    assert "secret" not in str(told)
    assert not any(told["Labels"].values())


@pytest.mark.containers
def test_what_is_kept_anew_leaves_nothing_without_a_name(ended: Container) -> None:
    tag = filled_tag("anew")
    keep_filled(ended, tag)
    before = str(engine_client().images.get(tag).id)
    keep_filled(ended, tag)
    assert str(engine_client().images.get(tag).id) != before
    with pytest.raises(ImageNotFound):
        engine_client().images.get(before)


@pytest.mark.containers
def test_what_the_stable_release_answered_lies_beside_it(ended: Container) -> None:
    assert kept_golden(ended) is None
    question = GoldenQuestion("GET /notes", "/notes?text=李")
    answer = GoldenAnswer(200, {"content-type": "text/plain"}, "Łódź", 0.25)
    golden = GoldenSet("v1", "a healthy day", 1.0, (question,), (answer,))
    leave_golden(ended, golden)
    assert kept_golden(ended) == golden


@pytest.mark.containers
def test_what_cannot_be_kept_is_filled_again(ended: Container) -> None:
    keep_filled(ended, "not a tag:!")
    assert not engine_client().images.list(filled._REPOSITORY)
