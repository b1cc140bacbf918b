"""Which stage a name stands for."""

from __future__ import annotations

import pytest

from drill.errors import Exit, UsageError
from drill.stage import StageOptions
from drill.stages import open_stage


@pytest.mark.parametrize("name", ["auto", "processes"])
def test_a_known_name_gives_a_stage_with_its_reason(name: str) -> None:
    stage = open_stage(name, StageOptions(), lambda _: None)
    assert stage.name == "processes"
    assert stage.reason


@pytest.mark.parametrize("name", ["", "kubernetes"])
def test_an_unknown_name_is_used_wrongly(name: str) -> None:
    with pytest.raises(UsageError, match="STAGE") as caught:
        open_stage(name, StageOptions(), lambda _: None)
    assert caught.value.exit == Exit.USAGE


def test_more_hosts_than_the_stage_has_is_used_wrongly() -> None:
    with pytest.raises(UsageError, match="HOSTS"):
        open_stage("processes", StageOptions(hosts=2), lambda _: None)
