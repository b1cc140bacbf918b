"""Reads how much the new feature is used."""

from __future__ import annotations

from rollback_drill.ground.verdict import Verdict
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.watch.sentinel import Look, StageSentinel, sentinel

_LIMIT_S = 2.0
_STATE = "context_protection"  # of /health, in releases that have the feature


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
                body = http.get(f"{url}/health", limit_s=_LIMIT_S).json()
                state = body.get(_STATE)
            except (NoAnswer, AttributeError) as error:
                return Look(Verdict.UNKNOWN, f"{host} does not tell: {type(error).__name__}")
            if not isinstance(state, dict):
                return Look(Verdict.UNKNOWN, f"{host} runs a release without pagination")
            lists += float(state.get("list_requests", 0))
            used += round(
                float(state.get("list_requests", 0)) * float(state.get("pagination_adoption", 0.0))
            )
        return Look(
            Verdict.PASSED,
            f"{used:.0f} of {lists:.0f} lists were asked for by cursor",
            {"lists": lists, "used": used},
        )
