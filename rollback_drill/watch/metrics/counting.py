"""Reads each host's metrics for the record: what they count, and what they give away."""

from __future__ import annotations

import math
from dataclasses import replace

from rollback_drill.ground.clock import now
from rollback_drill.ground.redact import Redactor
from rollback_drill.record.timeline import Timeline
from rollback_drill.stage import http
from rollback_drill.stage.answers import BadAnswer, NoAnswer
from rollback_drill.stage.model import Stage
from rollback_drill.stage.tally import Tally, tallied
from rollback_drill.watch.metrics.page import LONGEST_PAGE, Measured, measured, read_page
from rollback_drill.watch.metrics.told import Counted, Leaked

_LIMIT_S = 2.0
_MOST = 10**15
_MOST_STATUSES = 60


class Counting:
    """Reads the metrics of a stage's hosts. Use as a context manager: it counts what is asked."""

    def __init__(self, stage: Stage, timeline: Timeline) -> None:
        self._stage, self._timeline = stage, timeline
        self._apart = frozenset(
            (stage.interface.health, stage.interface.metrics, stage.subject.ready)
        )
        self._client = http.Client(limit_s=_LIMIT_S, most=LONGEST_PAGE)
        self._secrets = Redactor(stage.secrets)
        self._tallied = tallied((stage.base_url, *stage.direct_urls.values()), self._apart)
        self._tally: Tally | None = None

    def __enter__(self) -> Counting:
        self._tally = self._tallied.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._tallied.__exit__(None, None, None)
        self._client.__exit__()

    def read(self) -> None:
        """Record what each host counts now. One that tells nothing is left out: it is not known."""
        names, strict = self._stage.subject.metrics, self._stage.known
        assert self._tally
        for host in self._stage.direct_urls:
            before, asked = self._tally.counts(), now()
            try:
                text = read_page(self._stage, host, self._client)
                within_s = max(0.0, now() - asked)
                told = measured(text, names, self._apart, strict=strict)
            except BadAnswer as bad:
                within_s, told = max(0.0, now() - asked), Measured(flaws=(bad.reason,))
            except NoAnswer:
                continue
            else:
                if self._secrets.finds(text):
                    self._timeline.record(Leaked(f"the metrics of {host}"))
            event = self._event(host, told, asked, within_s)
            self._timeline.record(replace(event, asked_before=before))

    def _event(self, host: str, told: Measured, asked: float, within_s: float) -> Counted:
        assert self._tally
        statuses = sorted(told.requests.items())[:_MOST_STATUSES]
        return Counted(
            host=host,
            requests={status[:20]: _whole(value) for status, value in statuses},
            timed=_whole(told.timed),
            total_s=min(float(_MOST), told.total_s) if told.total_s >= 0.0 else 0.0,
            started_at=min(max(0.0, told.started_at), 1e11),
            asked=self._tally.counts(),
            alone=self._stage.limits is None,
            flaws=told.flaws,
            read_at=asked + within_s / 2,
            within_s=within_s,
        )


def _whole(value: float) -> int:
    return min(_MOST, int(value)) if value >= 0.0 and math.isfinite(value) else 0
