import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from rollback_drill.traffic.schedule import SLOTS, Schedule, slot_of

schedules = st.builds(
    Schedule,
    start=st.floats(min_value=1.7e9, max_value=2e9).map(lambda at: round(at, 6)),
    rate=st.floats(min_value=0.2, max_value=3_000.0),
)


@given(schedules, st.integers(min_value=0, max_value=3_000))
def test_every_request_is_expected_in_exactly_one_second(plan: Schedule, total: int) -> None:
    dues = [float(f"{plan.due(i):.6f}") for i in range(total)]  # as they stand in the record
    counted = dict.fromkeys({math.floor(due) for due in dues}, 0)
    for due in dues:
        counted[math.floor(due)] += 1
    assert {second: plan.expected(second, total) for second in counted} == counted


@given(schedules, st.integers(min_value=0, max_value=3_000))
def test_every_request_is_expected_in_exactly_one_slot(plan: Schedule, total: int) -> None:
    counted = Counter(slot_of(float(f"{plan.due(i):.6f}")) for i in range(total))
    assert {slot: plan.expected_in_slot(slot, total) for slot in counted} == counted


@given(st.integers(min_value=17 * 10**14, max_value=2 * 10**15))
def test_a_second_is_made_of_its_slots(microseconds: int) -> None:
    at = microseconds / 1e6
    assert slot_of(at) // SLOTS == math.floor(at)


@given(schedules, st.floats(min_value=-3.0, max_value=50.0))
def test_first_from_is_the_first(plan: Schedule, after: float) -> None:
    at = plan.start + after
    first = plan.first_from(at)
    assert plan.due(first) >= at
    assert first == 0 or plan.due(first - 1) < at


def test_nothing_is_expected_before_the_start_or_after_the_end() -> None:
    plan = Schedule(1_000.5, 10.0)
    assert plan.expected(999) == 0
    assert plan.expected(1_000) == 5
    assert plan.expected(1_001) == 10
    assert plan.expected(1_001, total=7) == 2
    assert plan.expected(1_002, total=7) == 0
