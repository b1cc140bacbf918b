"""The report of a long drill stays small: an hour at a thousand requests a second."""

from __future__ import annotations

import random
from pathlib import Path

from drill import events
from drill.histogram import Histogram
from drill.report.write import write_reports
from drill.timeline import Timeline

SECONDS = 3_600
START = 1_800_000_000


def test_an_hour_at_a_thousand_requests_a_second_makes_less_than_three_megabytes(
    tmp_path: Path,
) -> None:
    chance = random.Random(1)
    histograms = []
    for _ in range(20):
        histogram = Histogram()
        for _ in range(1_000):
            histogram.add(chance.lognormvariate(-4.5, 0.8))
        histograms.append(histogram.to_text())
    timeline = Timeline(tmp_path / "timeline.jsonl")
    for second in range(SECONDS):
        timeline.record(
            events.TrafficSecond(
                START + second,
                {"ok": 990, "server error": 10},
                {"new": 990},
                {"list listings": 600, "read listing": 400},
                histograms[second % len(histograms)],
            ),
            START + second,
        )
        for half in (0.0, 0.5):
            sample = events.ProbeSample({"host-1": 200}, {"host-1": 10**8}, 9, 40, {"host-1": 0})
            timeline.record(sample, START + second + half)
    timeline.close()
    write_reports(timeline.path, tmp_path / "report")
    page = tmp_path / "report" / "index.html"
    assert page.stat().st_size < 3_000_000
    assert page.read_text(encoding="utf-8").count("<polyline") >= 4  # the charts are drawn
