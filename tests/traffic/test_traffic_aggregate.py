import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_drill.traffic.aggregate import Clients, Second, aggregate, by_second, combine
from rollback_drill.traffic.observation import Observation, Outcome

observations = st.builds(
    Observation,
    due=st.floats(min_value=1_000, max_value=1_010).map(lambda at: round(at, 6)),
    sent=st.just(1_010.0),
    done=st.floats(min_value=1_010, max_value=1_020).map(lambda at: round(at, 6)),
    client=st.sampled_from([f"c{n:03d}" for n in range(70)]),
    operation=st.sampled_from(["list_page", "details", "create"]),
    status=st.just(200),
    outcome=st.sampled_from(Outcome),
    format=st.sampled_from(["", "old", "new"]),
)


def seen(due: float, outcome: Outcome = Outcome.OK, **changed: object) -> Observation:
    fields = {
        "due": due, "sent": due, "done": due + 0.01, "client": "c000", "operation": "details",
        "status": 200, "outcome": outcome, "format": "",
    }  # fmt: skip
    return Observation(**(fields | changed))  # type: ignore[arg-type]


@given(st.lists(observations))
def test_everything_is_counted_once(many: list[Observation]) -> None:
    whole = aggregate(many)
    assert whole.sent == len(many) == sum(whole.outcomes.values()) == sum(whole.operations.values())
    assert whole.failures == sum(o.outcome is not Outcome.OK for o in many)
    assert whole.histogram.count == sum(o.outcome is not Outcome.DROPPED for o in many)
    assert whole.clients_with_failures == {o.client for o in many if o.outcome is not Outcome.OK}
    for form in ("old", "new"):
        good = [o for o in many if o.outcome is Outcome.OK and o.format == form]
        assert whole.formats.get(form, 0) == len(good)


@given(st.lists(observations))
def test_packing_a_second_changes_nothing(many: list[Observation]) -> None:
    seconds, clients = by_second(many)
    before = combine(0, 1, seconds.values(), clients)
    for second in seconds.values():
        second.pack()
    assert combine(0, 1, seconds.values(), clients) == before
    for observation in many:  # late ones are still taken
        seconds[int(observation.due)].add(observation, clients)
    assert combine(0, 1, seconds.values(), clients).sent == 2 * len(many)


def test_failures_may_leave_outcomes_out() -> None:
    whole = aggregate(
        [seen(1.0), seen(1.1, Outcome.UNAVAILABLE), seen(1.2, Outcome.UNAVAILABLE),
         seen(1.3, Outcome.TIMEOUT)]
    )  # fmt: skip
    assert whole.failures == 3
    assert whole.failed({Outcome.UNAVAILABLE}) == 1
    assert whole.failed(list(Outcome)) == 0


def test_lateness_is_the_generators_not_the_services() -> None:
    whole = aggregate([seen(1.0, sent=1.3, done=1.4), seen(1.1, done=6.1), seen(1.2, sent=1.25)])
    assert whole.late == 1
    assert whole.lag_s == pytest.approx(0.3)
    second = Second()
    second.add(seen(1.0, sent=1.3, done=1.4), Clients())
    assert second.to_event(1).late == 1


def test_a_second_of_five_thousand_requests_is_recorded_in_little() -> None:
    second, clients = Second(), Clients()
    for n in range(5_000):
        second.add(seen(1.0 + n / 5_000, done=1.0 + n / 5_000 + 0.001 * (1 + n % 97)), clients)
    second.pack()
    assert len(json.dumps(second.to_event(1).histogram)) < 2_000


def test_service_is_back_after_the_last_tenth_with_a_failure() -> None:
    def second(observed: Iterator[Observation]) -> Second:
        return by_second(observed)[0][5]

    bad = [seen(5.0 + n / 10, Outcome.UNAVAILABLE) for n in range(6)]
    good = [seen(5.05), seen(5.7), seen(5.65, done=5.9)]
    assert second(iter([*bad, *good])).good_after_bad() == pytest.approx(5.71)
    assert second(iter(bad)).good_after_bad() == float("inf")
    assert second(iter(good)).good_after_bad() == pytest.approx(5.06)


def test_nothing_observed_is_nothing_sent() -> None:
    assert aggregate([]).sent == 0
