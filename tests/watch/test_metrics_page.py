"""A page of metrics that cannot be right is told as such, each for the very flaw that it has."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rollback_drill.runbook.monitoring import MetricNames
from rollback_drill.stage import http
from rollback_drill.stage.answers import BadAnswer
from rollback_drill.watch.metrics.page import measured, read_measured

NAMES = MetricNames("job", "hostaway_requests_total", "hostaway_request_seconds")
APART = ("/health", "/ready", "/metrics")
GOOD = """
# TYPE hostaway_requests counter
hostaway_requests_total{method="GET",route="/api/listings",status="200"} 90.0
hostaway_requests_total{method="GET",route="/api/listings",status="500"} 2.0
hostaway_requests_total{method="GET",route="/metrics",status="200"} 7000.0
# TYPE hostaway_request_seconds histogram
hostaway_request_seconds_bucket{le="0.25",route="/api/listings"} 80.0
hostaway_request_seconds_bucket{le="0.5",route="/api/listings"} 90.0
hostaway_request_seconds_bucket{le="1.0",route="/api/listings"} 91.0
hostaway_request_seconds_bucket{le="+Inf",route="/api/listings"} 92.0
hostaway_request_seconds_count{route="/api/listings"} 92.0
hostaway_request_seconds_sum{route="/api/listings"} 12.5
hostaway_request_seconds_bucket{le="0.25",route="/ready"} 900.0
hostaway_request_seconds_bucket{le="+Inf",route="/ready"} 900.0
hostaway_request_seconds_count{route="/ready"} 900.0
hostaway_request_seconds_sum{route="/ready"} 1.5
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.7e+09
"""


def test_what_monitors_ask_for_is_no_request_of_clients() -> None:
    told = measured(GOOD, NAMES, APART)
    assert told.flaws == ()
    assert (told.requests, told.timed, told.total_s) == ({"200": 90.0, "500": 2.0}, 92.0, 12.5)
    assert told.started_at == 1.7e9


@pytest.mark.parametrize(
    ("limit_s", "least", "most"), [(0.5, 2, 2), (0.4, 2, 12), (0.25, 12, 12), (9.0, 0, 1)]
)
def test_a_share_above_a_limit_is_known_at_the_edges_and_between_them_not(
    limit_s: float, least: float, most: float
) -> None:
    assert measured(GOOD, NAMES, APART).slower_than(limit_s) == (least, most)


def instead(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        (instead("hostaway_requests", "requests"), "there is no hostaway_requests_total"),
        (instead("hostaway_request_seconds", "latency"), "there is no hostaway_request_seconds"),
        (instead("status=", "code="), "has no label “status”"),
        (instead("} 80.0", "} 95.0"), "is not cumulative"),
        (instead("_count{route=\"/api/listings\"} 92.0", "_count{route=\"/api/listings\"} 60.0"),
         "_count is 60, its buckets hold 92"),
        (instead("} 12.5", "} 0.0"), "_sum is 0 s"),
        (instead('le="0.25",route="/api', 'le="quick",route="/api'), "without an edge"),
        (instead('_bucket{le="+Inf",route="/api', '_bucket{le="5.0",route="/api'), "no bucket +Inf"),
        (instead("} 12.5", "} NaN"), "_sum is nan"),
        (instead("} 90.0\nhostaway_requests", "} NaN\nhostaway_requests"), "hostaway_requests_total is nan"),
        (instead("} 90.0\nhostaway_requests", "} -3\nhostaway_requests"), "hostaway_requests_total is -3"),
        (lambda text: text + 'hostaway_requests_total{method="GET",route="/api/listings",status="200"} 1\n',
         "tells a series twice"),
    ],
)  # fmt: skip
def test_each_flaw_of_a_page_is_told(change: Callable[[str], str], flaw: str) -> None:
    (told,) = measured(change(GOOD), NAMES, APART).flaws
    assert flaw in told


def test_a_service_of_which_nobody_knows_how_it_calls_its_metrics_is_read_all_the_same() -> None:
    text = GOOD.replace("hostaway_", "app_").replace("status=", "code=")
    told = measured(text, NAMES, APART, strict=False)
    assert (told.flaws, told.count, told.timed) == ((), 92.0, 92.0)


@pytest.mark.parametrize("text", ["", "<html>", "a{ 1", "a b c d\n", '{"a": 1}', "\0\ufffd 7 x"])
def test_what_is_no_page_of_metrics_is_a_bad_answer(text: str) -> None:
    with pytest.raises(BadAnswer, match="its metrics page"):
        measured(text, NAMES, APART)


@pytest.mark.parametrize(
    ("status", "said"), [(404, "host-1 has no metrics page: /metrics is answered 404"),
                         (500, "host-1 answers /metrics with 500")]
)  # fmt: skip
def test_a_service_without_such_a_page_is_told_so(status: int, said: str) -> None:
    origin = "http://metrics.simulated"
    stage = SimpleNamespace(
        interface=SimpleNamespace(health="/health", metrics="/metrics", key_header="K"),
        subject=SimpleNamespace(metrics=NAMES, ready="/ready"),
        direct_urls={"host-1": origin}, api_key="", known=True,
    )  # fmt: skip
    with (
        http.wired(origin, lambda _: http.Answer(status, {}, b"no such page")),
        pytest.raises(BadAnswer, match=said),
    ):
        read_measured(cast(Any, stage), "host-1")
