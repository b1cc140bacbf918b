"""Backups that restore, migrations that were reverted, schemas that match."""

from __future__ import annotations

from drill.check import Situation

_LIMIT_S = 120.0


def _first(situation: Situation, script: str) -> dict[str, object]:
    host = situation.stage.hosts[0]
    return {host.name: host.run(script, limit_s=_LIMIT_S)}
