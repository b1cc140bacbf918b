"""Containers of a stage go before other programs, as far as the engine can."""

from __future__ import annotations

import pytest

from rollback_drill.stage import engine

BESIDE = {"cpu_shares": 9216, "cgroup_parent": "/"}
ONLY_SHARES = {"cpu_shares": 9216}


@pytest.mark.parametrize(
    ("groups", "apart", "options"),
    [
        (("cgroupfs", "1"), True, BESIDE),
        (("cgroupfs", "1"), False, ONLY_SHARES),
        (("cgroupfs", "2"), True, ONLY_SHARES),
        (("systemd", "2"), True, ONLY_SHARES),
        (("None", "None"), True, ONLY_SHARES),
    ],
)
def test_containers_stand_beside_the_engines_group_where_that_is_known_to_work(
    groups: tuple[str, str],
    apart: bool,
    options: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "_groups", lambda: groups)
    assert engine.priority(apart=apart) == options
