"""False alarms, delays and classification of the detector on simulated requests."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import pytest

from bench.optimum import optimum
from rollback_drill.decide.detector import (
    ALPHA,
    HORIZON,
    Detector,
    Side,
    Sprt,
    Stream,
)
from rollback_drill.decide.run_length import threshold_for
from rollback_drill.traffic.observation import Observation, Outcome
from tests.decide.decision_support import request, traffic

EDGES = (0.01, 0.05, 0.10)
LATENCY = (0.5, 1.0, 2.0)


def detector() -> Detector:
    made = Detector(EDGES, LATENCY, (2.0, 3.0))
    made.set_baseline(0.05)
    return made


def feed(to: Detector, observations: Iterator[Observation]) -> Detector:
    for observation in observations:
        to.observe(observation)
    return to


def requests_to_alarm(p: float, seed: int, limit: int = 40_000) -> int:
    subject = Detector(EDGES, LATENCY)
    for observation in traffic(limit, p, seed=seed):
        subject.observe(observation)
        if subject.alarmed:
            return subject.n
    pytest.fail(f"no alarm at {p:.0%} within {limit} requests")


def clustered(n: int, p: float, seed: int) -> Iterator[Observation]:
    """Errors in pairs, `p` in all: what retries and reused connections make of them."""
    chance = random.Random(seed)
    again = False
    for i in range(n):
        bad = again or chance.random() < p / 2
        again = bad and not again
        yield request(Outcome.SERVER_ERROR if bad else Outcome.OK, i / 100)


def test_a_score_is_the_largest_likelihood_ratio_of_any_run_that_ends_now() -> None:
    stream = Stream("errors", 0.01, [0.01])
    hits = [random.Random(4).random() < 0.03 for _ in range(300)]
    up = [math.log(one.p1 / 0.01) for one in stream.steps]
    down = [math.log((1 - one.p1) / 0.99) for one in stream.steps]
    for end in range(1, len(hits) + 1):
        stream.update(hits[end - 1], float(end))
        for i, score in enumerate(stream._scores):
            steps = [up[i] if hit else down[i] for hit in hits[:end]]
            best = max(0.0, *(sum(steps[k:]) for k in range(end)))
            assert score * stream.steps[i].unit == pytest.approx(best, abs=1e-9)


def test_every_score_has_its_part_of_the_stated_bound() -> None:
    subject = detector()
    scores = sum(stream.scores for stream in subject.streams)
    assert scores * HORIZON / subject.run_length == pytest.approx(ALPHA)
    for stream in subject.streams:
        for one, threshold in zip(stream.steps, stream._thresholds, strict=True):
            assert threshold == threshold_for(one, subject.run_length)


def test_no_alarm_at_the_highest_acceptable_error_rate() -> None:
    assert not feed(detector(), traffic(200_000, 0.01, seed=7)).alarmed


def test_no_alarm_when_healthy_errors_come_in_pairs() -> None:
    assert not feed(detector(), clustered(200_000, 0.005, seed=8)).alarmed


@pytest.mark.parametrize("p", [0.02, 0.035, 0.07, 0.12, 0.2, 0.5, 1.0])
def test_every_rate_is_detected_within_a_quarter_more_than_the_optimum(p: float) -> None:
    errors = detector().errors
    chance = random.Random(1)
    runs = []
    for _ in range(400):
        errors.rearm()
        before = errors.n
        while not errors.update(chance.random() < p, 0.0):
            pass
        runs.append(errors.n - before)
    assert sum(runs) / len(runs) <= 1.25 * optimum(0.01, p).mean


def test_no_rate_is_far_from_what_is_looked_for() -> None:
    # Drift of the best score, against that of one for the very rate: the Kullback-Leibler distance.
    def drift(p: float, p1: float) -> float:
        return p * math.log(p1 / 0.01) + (1 - p) * math.log((1 - p1) / 0.99)

    looked_for = [one.p1 for one in Stream("errors", 0.01, [0.01]).steps]
    rates = [0.02 * 1.01**i for i in range(323)]  # up to 50 %
    assert all(drift(p, p) <= 1.08 * max(drift(p, one) for one in looked_for) for p in rates)


@pytest.mark.parametrize(
    ("p", "sides"),
    [
        (0.03, (Side.ABOVE, Side.BELOW, Side.BELOW)),
        (0.07, (Side.ABOVE, Side.ABOVE, Side.BELOW)),
        (0.14, (Side.ABOVE, Side.ABOVE, Side.ABOVE)),
        (1.00, (Side.ABOVE, Side.ABOVE, Side.ABOVE)),
    ],
)
def test_a_rate_is_classified_into_its_band(p: float, sides: tuple[Side, ...]) -> None:
    errors = feed(detector(), traffic(20_000, p, seed=3)).errors
    assert tuple(errors.side(edge) for edge in EDGES) == sides


def test_a_rate_at_an_edge_mostly_stays_unknown() -> None:
    forced = 0
    for seed in range(300):
        test, chance = Sprt(0.10), random.Random(seed)
        while test.tested == 0:
            test.update(chance.random() < 0.10, 0.0)
        forced += test.side is not Side.UNKNOWN
    assert forced < 150


@pytest.mark.parametrize(("p", "wrong"), [(0.08, Side.ABOVE), (0.12, Side.BELOW)])
def test_beside_an_edge_the_wrong_side_is_as_rare_as_stated(p: float, wrong: Side) -> None:
    answers = []
    for seed in range(300):
        test, chance = Sprt(0.10), random.Random(seed)
        while test.tested == 0:
            test.update(chance.random() < p, 0.0)
        answers.append(test.side)
    assert answers.count(wrong) <= 8  # 1 % of 300, and chance
    assert answers.count(Side.UNKNOWN) < 90


def test_too_few_requests_are_unknown() -> None:
    subject = feed(detector(), traffic(3, 1.0))
    assert not subject.alarmed
    assert subject.errors.side(0.10) is Side.UNKNOWN


@pytest.mark.parametrize(
    ("latency_s", "above"), [(0.4, set()), (0.7, {0.5}), (1.5, {0.5, 1.0}), (3.0, set(LATENCY))]
)
def test_a_p95_is_classified_into_its_band(latency_s: float, above: set[float]) -> None:
    subject = Detector(EDGES, LATENCY)
    feed(subject, traffic(2_000, 0.0, latency_s=latency_s))
    found = {edge for edge, s in subject.latency.items() if s.side(0.05) is Side.ABOVE}
    assert found == above


def test_slowness_is_measured_against_the_baseline() -> None:
    subject = feed(detector(), traffic(2_000, 0.0, latency_s=0.12))
    assert subject.slower[2.0].side(0.05) is Side.ABOVE
    assert subject.slower[3.0].side(0.05) is Side.UNKNOWN
    without = feed(Detector(EDGES, LATENCY, (2.0,)), traffic(2_000, 0.0, latency_s=0.12))
    assert not without.alarmed


def test_broken_connections_have_no_latency_but_are_errors() -> None:
    observations = traffic(500, 1.0, outcome=Outcome.CONNECTION, latency_s=9.0)
    subject = feed(detector(), observations)
    assert subject.errors.alarmed
    assert all(stream.n == 0 for stream in subject.latency.values())


def test_the_begin_of_the_change_is_estimated() -> None:
    subject = detector()
    feed(subject, traffic(3_000, 0.002, seed=5))
    feed(subject, traffic(500, 0.4, seed=6, start=30.0))
    assert subject.change
    assert subject.change.since == pytest.approx(30.0, abs=0.5)
    assert subject.change.failures / subject.change.n == pytest.approx(0.4, abs=0.06)


def test_a_blip_that_passed_is_forgotten() -> None:
    subject = detector()
    feed(subject, traffic(100, 1.0))
    assert subject.alarmed
    feed(subject, traffic(5_000, 0.0, start=1.0))
    assert not subject.alarmed
    assert subject.change is None
    feed(subject, traffic(100, 1.0, start=60.0))
    assert subject.alarmed
