"""The database server is sick by itself."""

from __future__ import annotations

from rollback_drill.decide.attribution import TWICE, Alibi, alibi, not_failing
from rollback_drill.decide.evidence import Evidence
from rollback_drill.ground.verdict import Verdict
from rollback_drill.watch.told import DATABASE


@alibi("the database server is the cause")
def database(evidence: Evidence) -> Alibi:
    """A lock that is taken again and again is free now and then: failures need not be in a row."""
    series = evidence.series(DATABASE)
    if series.recent.count(Verdict.FAILED) >= TWICE:
        return Alibi(True, series.failure)
    return not_failing(series, DATABASE)
