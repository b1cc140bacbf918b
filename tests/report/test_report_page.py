"""The report of a long drill stays small, and its picture shows what there is to see."""

from __future__ import annotations

import random
import re
from itertools import groupby
from pathlib import Path

from rollback_drill.record.book import Book
from rollback_drill.record.section import all_sections
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.record.told import PhaseName, PhaseStarted
from rollback_drill.report.axes import clock
from rollback_drill.report.picture import picture
from rollback_drill.report.write import write_reports
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.told import ProbeSample

SECONDS = 3_600
START = 1_800_000_000


def test_what_shares_a_heading_stands_together() -> None:
    headings = [name for name, _ in groupby(all_sections(), lambda one: one.under) if name]
    assert len(headings) == len(set(headings)), headings


def test_an_hour_at_a_thousand_requests_a_second_makes_less_than_300_kilobytes(
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
            TrafficSecond(
                START + second,
                {"ok": 990, "server_error": 10},
                {"new": 990},
                {"list listings": 600, "read listing": 400},
                histograms[second % len(histograms)],
            ),
            START + second,
        )
        for half in (0.0, 0.5):
            sample = ProbeSample({"host-1": 200}, {"host-1": 10**8}, 9, 40, {"host-1": 0})
            timeline.record(sample, START + second + half)
    timeline.close()
    write_reports(timeline.path, tmp_path / "report")
    page = tmp_path / "report" / "index.html"
    assert page.stat().st_size < 300_000
    assert page.read_text(encoding="utf-8").count("<polyline") >= 4  # the picture is drawn


def test_the_picture_begins_where_there_is_something_to_see(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    timeline.record(PhaseStarted(PhaseName.SETUP), START)
    timeline.record(PhaseStarted(PhaseName.STEADY), START + 505)
    for at in range(500, 521):
        sample = ProbeSample({"host-1": 200}, {"host-1": 10**8}, 9, 40, {"host-1": 0})
        timeline.record(sample, START + at)
    timeline.close()
    drawn = picture(Book(read(timeline.path)))
    assert re.findall(r">([\d:]{5,8})</text>", drawn) == [
        clock(START + at) for at in range(500, 521, 5)
    ]
    places = [float(x) for x in re.findall(r'<rect class="phase\d" x="([\d.]+)"', drawn)]
    assert len(places) == 2
    (line,) = re.findall(r'<polyline class="line limit" points="([^"]+)"', drawn)
    step = 980.0 / 20  # a second's width …
    assert (
        0 < float(line.split(",")[0]) - places[0] < step
    )  # … in whose middle the first one stands
