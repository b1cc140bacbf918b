"""Reads how much the new feature is used."""

from __future__ import annotations

from rollback_drill.ground.verdict import Verdict
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.subject.hostaway.list_counts import lists_counted
from rollback_drill.watch.sentinel import Look, StageSentinel, sentinel

_LIMIT_S = 2.0


@sentinel
class Adoption(StageSentinel):
    """Reports how many lists were asked for by cursor; never fails by itself."""

    name = "adoption"
    needs = ("known",)
    every_s = 0.5

    def look(self) -> Look:
        """Ask every host, as the service counts it since its start."""
        lists = used = 0.0
        for host, url in self._stage.direct_urls.items():
            try:
                counted = lists_counted(http.get(f"{url}/health", limit_s=_LIMIT_S))
            except NoAnswer as error:
                return Look(Verdict.UNKNOWN, f"{host} does not tell: {error}")
            if counted is None:
                return Look(Verdict.UNKNOWN, f"{host} runs a release without pagination")
            lists, used = lists + counted[0], used + counted[1]
        return Look(
            Verdict.PASSED,
            f"{used:.0f} of {lists:.0f} lists were asked for by cursor",
            {"lists": lists, "used": used},
        )
