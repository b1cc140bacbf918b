"""What containers of a stage may: never more than what runs in them needs."""

from __future__ import annotations

import itertools

import pytest

from rollback_drill.stage.least import privileges


@pytest.mark.parametrize(("host", "systemd", "root"), [*itertools.product((True, False), repeat=3)])
def test_every_container_is_bounded(host: bool, systemd: bool, root: bool) -> None:
    may = privileges(host=host, systemd=systemd, root=root)
    assert 0 < int(str(may["pids_limit"])) <= 1024
    assert "privileged" not in may
    assert "cap_add" not in may
    if not (host and systemd):  # its own memory limit a host has from the stage
        assert may["security_opt"] == ["no-new-privileges"]
        assert may["cap_drop"]
    if not host:
        assert may["cap_drop"] == ["ALL"]
        assert may["mem_limit"]
        assert (may.get("user") == "65534:65534") is root
