"""What a message affirms, claims and leaves out."""

import pytest

from rollback_drill.perform.saying import (
    affirms,
    back_to,
    claims_no_loss,
    left_out,
    says_down,
    says_nobody,
    says_up,
)


@pytest.mark.parametrize(
    "text",
    [
        "# INC-7: resolved by rolling back", "Status: Resolved", "The incident is resolved.",
        "It was not easy, and took long. It is resolved.",
    ],
)  # fmt: skip
def test_what_is_over_is_told_as_over(text: str) -> None:
    assert affirms(text, r"resolved\b")


@pytest.mark.parametrize(
    "text",
    [
        "unresolved", "not resolved", "It is not yet resolved", "until it is resolved",
        "will be resolved soon", "It isn't fully resolved", "We write when it is resolved", "open",
    ],
)  # fmt: skip
def test_what_is_denied_or_promised_is_not_affirmed(text: str) -> None:
    assert not affirms(text, r"resolved\b")


@pytest.mark.parametrize(
    "text",
    [
        "Data lost: none", "No data has been lost.", "Your data is safe", "Data loss: 0",
        "All customer data remains intact", "nothing was lost", "No reservations were lost",
        "without any data loss", "no loss of data", "Your data was not affected",
        "No data loss\noccurred", "None of your bookings are missing",
    ],
)  # fmt: skip
def test_a_claim_that_nothing_is_lost_is_read(text: str) -> None:
    assert claims_no_loss(text)


@pytest.mark.parametrize(
    "text",
    [
        "Data lost: 3 of 5 confirmed changes", "We found that data was lost", "We have lost data",
        "Data loss: not known yet", "The data centre is safe to enter", "",
    ],
)  # fmt: skip
def test_other_words_about_data_are_no_such_claim(text: str) -> None:
    assert not claims_no_loss(text)


@pytest.mark.parametrize(
    "text",
    [
        "The API is unavailable meanwhile; we expect it back", "It is still down", "not yet restored",
        "The service remains temporarily unavailable", "The incident is unresolved",
    ],
)  # fmt: skip
def test_a_page_that_says_down_is_read(text: str) -> None:
    assert says_down(text)


@pytest.mark.parametrize(
    "text",
    [
        "The API works again since 10:09 UTC. We are looking for the cause.", "The API is back.",
        "Our API was briefly unavailable", "It was down for 8 minutes and is restored",
    ],
)  # fmt: skip
def test_a_page_about_what_was_is_not_down(text: str) -> None:
    assert not says_down(text)


def test_values_are_whole_words_wherever_lines_break() -> None:
    facts = {"DURATION": "0.3", "IMPACT": "7 of 900 requests failed", "END": "10:09", "LEAD": ""}
    said = "Until 10:09 it took 0.3 minutes: 7 of 900\nrequests failed."
    assert left_out(said, facts, facts) == {}
    assert left_out(said, ["INCIDENT"], facts) == {}  # nobody knows it
    other = "Until 10:095 it took 10.3 or 0.35 minutes: 17 of 900 requests failed"
    assert set(left_out(other, facts, facts)) == {"DURATION", "IMPACT", "END"}


@pytest.mark.parametrize(
    "text",
    [
        "The API works as usual.", "All systems operational", "We see no problems.",
        "The service is fully operational", "The API is back. We keep watching it.",
        "It is restored", "We took a release back.\nThe API works again.",
    ],
)  # fmt: skip
def test_that_it_works_is_read(text: str) -> None:
    assert says_up(text)


@pytest.mark.parametrize(
    "text",
    [
        "The API is unavailable meanwhile; we expect it back within 10 minutes.",
        "We tell you when the API works again.", "It is not available.", "It isn't back yet.",
        "We see problems with the API and are taking back a recent release to cure them.",
        "The API will be unavailable for a few minutes until it is restored.",
        "We hope that it works again in an hour.", "It should be available at noon.",
    ],
)  # fmt: skip
def test_what_is_hoped_for_is_no_word_that_it_works(text: str) -> None:
    assert not says_up(text)


@pytest.mark.parametrize(
    "text",
    [
        "Dear customer, nobody was affected.", "No customers were affected", "There was no impact.",
        "None of our users were impacted", "It passed without any impact",
    ],
)  # fmt: skip
def test_that_nobody_was_affected_is_read(text: str) -> None:
    assert says_nobody(text)
    assert not says_nobody("Some requests were affected, and nobody likes that.")


def test_the_release_that_is_gone_back_to_is_read() -> None:
    assert back_to("Pagination is being rolled back to v0.0.9 (INC-7).") == ["v0.0.9"]
    assert back_to("We reverted to release 1.2.3-rc1. It runs on v1.2 again.") == [
        "1.2.3-rc1",
        "v1.2",
    ]
    assert back_to("It goes back to normal; v3.1.4 was rolled back.") == []
