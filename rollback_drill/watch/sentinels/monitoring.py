"""Reads what monitoring reads: the metrics of every host."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from rollback_drill.ground.verdict import Verdict
from rollback_drill.stage import http
from rollback_drill.stage.answers import BadAnswer, NoAnswer
from rollback_drill.watch.sentinel import Look, StageSentinel, sentinel

_LIMIT_S = 2.0
_MOST_BYTES = 8 * 2**20  # metrics of many series are long


@sentinel
class Metrics(StageSentinel):
    """Fails when the metrics of a host cannot be read."""

    name = "metrics"
    needs = ("metrics",)
    every_s = 0.5

    def look(self) -> Look:
        """Read the metrics of every host."""
        blind, families = [], 0
        for host, url in self._stage.direct_urls.items():
            try:
                answer = http.get(
                    url + self._stage.interface.metrics, limit_s=_LIMIT_S, most=_MOST_BYTES
                ).checked()
                families += len(list(text_string_to_metric_families(answer.text)))
            except BadAnswer as error:
                blind.append(f"{host} answered /metrics with {error.status or error}")
            except NoAnswer as error:
                blind.append(f"{host} did not answer /metrics ({error})")
            except ValueError as error:
                blind.append(f"the metrics of {host} cannot be parsed: {error}")
        if blind or not families:
            return Look(Verdict.FAILED, "; ".join(blind) or "there are no metrics at all")
        return Look(Verdict.PASSED, f"{families} families of metrics were read")
