"""Every word of a trigger is held, or the trigger is named with what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.campaigns.found import Revalidated
from rollback_drill.campaigns.plan import plan
from rollback_drill.campaigns.revalidation import by_reading
from rollback_drill.campaigns.since import Since
from rollback_drill.campaigns.write_findings import write_findings
from rollback_drill.cli import main
from rollback_drill.conduct.triggers_read import read_triggers
from rollback_drill.decide.decider import Decider
from rollback_drill.decide.detector import SlowShare, StatusShare
from rollback_drill.decide.matrix import matrix_conditions
from rollback_drill.decide.told import TriggersRead, sentences
from rollback_drill.decide.trigger import Condition, Lasting, Unwatched, condition_of
from rollback_drill.decide.triggers.error_rate import ErrorShare
from rollback_drill.decide.triggers.outage import HealthFailing, Outage
from rollback_drill.runbook.model import Runbook, Severity, Trigger
from rollback_drill.runbook.parse import parse
from rollback_drill.runbook.problems import RunbookError
from rollback_drill.runbook.wording import seconds
from rollback_drill.stage.model import ABILITIES, StageOptions
from rollback_drill.stage.opening import open_stage

DOCUMENT = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
_P99, _MEDIAN = SlowShare(2.0, 0.99), SlowShare(0.5, 0.5)


def bound(text: str) -> Condition | Unwatched:
    name, _, rest = text.partition(": ")
    return condition_of(Trigger(Severity.CRITICAL, name, rest, 7))


def lasts_s(text: str) -> float:
    found = bound(text)
    assert isinstance(found, Condition), found
    assert isinstance(found.watch, Lasting | Outage | HealthFailing), found.watch
    return found.watch.limit_s


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        ("Error Rate >10%", (0.1,)),
        ("Error rate ≥ 2,5 %", (0.025,)),
        ("Error rates rise above 3 percent", (0.03,)),
        ("Error Rate 5–10%: it stays there, it is no spike", (0.05, 0.1)),
        ("more than 1 in 20 requests fail", (0.05,)),
        ("Too many errors: more than one request in ten fails", (0.1,)),
        ("More than 4% of all requests are failing", (0.04,)),
        ("Success rate below 95%", (0.05,)),
        ("Availability drops below 99.5 %", (0.005,)),
    ],
)
def test_error_rates_are_read_as_people_write_them(text: str, edges: tuple[float, ...]) -> None:
    found = bound(text)
    assert isinstance(found, Condition), found
    assert isinstance(found.watch, ErrorShare)
    assert found.watch.error_edges == edges


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("p99 latency > 2s", _P99),
        ("99th percentile latency above 2 s", _P99),
        ("Response time (p99) exceeds 2 seconds", _P99),
        ("median response time above 500 ms", _MEDIAN),
        ("p50 > 500ms", _MEDIAN),
        ("p90 latency over 1.5 s", SlowShare(1.5, 0.9)),
        ("Latency > 2s", SlowShare(2.0, 0.95)),
        ("more than 5% of requests take longer than 2s", SlowShare(2.0, 0.95)),
        ("5xx above 5%", StatusShare(500, 599, 0.05)),
        ("5xx error rate exceeds 5%", StatusShare(500, 599, 0.05)),
        ("HTTP 500 errors > 2 %", StatusShare(500, 500, 0.02)),
        ("more than 3 % of requests return HTTP 503", StatusShare(503, 503, 0.03)),
        ("4xx rate > 20%", StatusShare(400, 499, 0.2)),
    ],
)
def test_quantiles_and_statuses_are_asked_of_each_request(
    text: str, question: SlowShare | StatusShare
) -> None:
    found = bound(text)
    assert isinstance(found, Condition), found
    assert found.watch.questions == (question,)


@pytest.mark.parametrize(
    ("text", "limit_s"),
    [
        ("Error Rate >10% for 5 min", 300),
        ("Error Rate >10%: at least 10 percent of all requests are failing for five minutes", 300),
        ("Error Rate >10% for at least 1 hour 30 minutes", 5_400),
        ("p99 latency > 2s for 5 minutes", 300),
        ("5xx above 5% for more than 90 seconds", 90),
        ("Performance Degradation >3x for 10 minutes", 600),
        ("API down", 5),
        ("API down for more than 2 minutes", 120),
        ("Service unavailable for more than 5 minutes", 300),
        ("no successful request for 2 minutes", 120),
        ("Complete Service Failure: the API is unavailable to everybody for >5 minutes", 300),
        ("Health check failing", 5),
        ("Health checks failing for 3 minutes", 180),
    ],
)
def test_durations_are_held(text: str, limit_s: float) -> None:
    assert lasts_s(text) == limit_s


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Error Rate >10% in EU", "in EU"),
        ("Error Rate >10% per endpoint", "per endpoint"),
        ("Error Rate >10% (EU only)", "EU only"),
        ("Memory Leak: OOM errors, writers only", "writers only"),
        ("Error Rate >10% on two hosts", "on two hosts"),
        ("Error Rate >10% on checkout", "checkout"),
        ("Error Rate >10%: on at least 2 hosts", "on at least 2"),
        ("Error Rate >10% during business hours", "during business hours"),
        ("Error Rate >10% over the last 5 minutes", "over the last 5 minutes"),
        ("Error Rate >10% for several minutes", "for several minutes"),
        ("Error Rate >10%: more than 5% of requests fail", "5%"),
        ("Error rate > 5% and latency > 2 s", "2 s"),
        ("Database error rate > 5%", "Database"),
        ("POST error rate > 5%", "POST"),
        ("average latency > 2s", "average"),
        ("p99 latency > 3x baseline", "p99"),
        ("Memory Leak: OOM kills > 3 in 10 minutes", "in 10 minutes"),
        ("Customer Escalations: more than 5 tickets", "5 tickets"),
        ("Data loss > 1%", "1%"),
        ("Complete outage of the payment provider", "payment"),
        ("Feature Broken for 5 minutes", "5 minutes"),
        ("CPU > 90% for 5 minutes", "nothing watches for it"),
        ("Redis unavailable for 2 minutes", "nothing watches for it"),
        ("Bad omens", "nothing watches for it"),
    ],
)
def test_what_is_not_held_is_named_and_never_half_held(text: str, named: str) -> None:
    found = bound(text)
    assert isinstance(found, Unwatched), found.watch
    assert named in found.why


def test_amounts_of_time_are_added_up() -> None:
    texts = ("five minutes", "2m", "1 hour 30 minutes", "a minute", "90 s", "5 full minutes")
    assert [seconds(text) for text in texts] == [300, 120, 5_400, 60, 90, 300]


def small(directory: Path, *triggers: str, cell: str = "p95", head: str = "Performance") -> Path:
    """A runbook with these critical triggers, and a matrix for a quantile."""
    text = DOCUMENT.read_text(encoding="utf-8")
    begin, end = text.index("- **Data Corruption**"), text.index("## Decision matrix")
    items = "\n".join(f"- {one}" for one in triggers)
    text = text[:begin] + items + "\n\n" + text[end:]
    text = text.replace("| p95 ", f"| {cell} ").replace("| Performance |", f"| {head} |")
    path = directory / "small.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_trigger_without_a_colon_is_read_as_well(tmp_path: Path) -> None:
    book = parse(small(tmp_path, "[ ] p99 latency > 2s for 5 minutes", "**Bad Omens**: a raven"))
    assert [one.name for one in book.triggers] == ["p99 latency > 2s for 5 minutes", "Bad Omens"]
    assert [(one.name, one.line) for one in Decider(book).unwatched] == [("Bad Omens", 16)]


@pytest.mark.parametrize(
    ("cell", "head", "quantile"),
    [("p99", "Performance", 0.99), ("", "Latency (p99)", 0.99), ("median", "Performance", 0.5),
     ("p99.9", "Performance", 0.999), ("", "Performance", 0.95)],
)  # fmt: skip
def test_a_matrix_is_held_at_the_quantile_that_it_names(
    cell: str, head: str, quantile: float, tmp_path: Path
) -> None:
    book = parse(small(tmp_path, "Error rate > 10%", cell=cell, head=head))
    assert {row.quantile for row in book.matrix} == {quantile}
    asked = {one for row in matrix_conditions(book.matrix) for one in row.watch.questions}
    assert asked == {SlowShare(limit_s, quantile) for limit_s in (0.5, 1.0, 2.0)}
    assert f"p{quantile * 100:g} >2000ms" in [*matrix_conditions(book.matrix)][-1].name


def test_each_row_is_held_at_its_own_quantile(tmp_path: Path) -> None:
    text = DOCUMENT.read_text(encoding="utf-8").replace("p95 >2s", "p99 >2s")
    path = tmp_path / "mixed.md"
    path.write_text(text, encoding="utf-8")
    names = [one.name for one in matrix_conditions(parse(path).matrix)]
    assert names[-3:] == [
        "Alert: p95 1000-2000ms",
        "Critical: error rate >10%",
        "Critical: p99 >2000ms",
    ]


@pytest.mark.parametrize(("cell", "head"), [("avg", "Performance"), ("p99", "Median latency")])
def test_a_cell_that_cannot_be_held_is_refused_with_its_line(
    cell: str, head: str, tmp_path: Path
) -> None:
    with pytest.raises(RunbookError, match=r"small.md:2\d: .*(avg|p99)"):
        parse(small(tmp_path, "Error rate > 10%", cell=cell, head=head))


def read(directory: Path, *triggers: str, pace: float = 60.0) -> TriggersRead:
    return read_triggers(parse(small(directory, *triggers)), pace=pace)


def test_what_clients_do_not_wait_for_cannot_be_seen(tmp_path: Path) -> None:
    found = read(tmp_path, "p99 latency > 10s", "p99 latency > 2s")
    assert found.watched == ("p99 latency > 2s",)
    ((where, why),) = found.unseen.items()
    assert "line 15" in where
    assert "give up after 5 s" in why


def test_a_sentinel_that_the_stage_cannot_have_sees_nothing(tmp_path: Path) -> None:
    book = parse(small(tmp_path, "**Security Breach**: open doors", "**Error rate > 5%**: many"))
    found = read_triggers(book, lacks=set(ABILITIES) - {"database"})
    assert found.watched == ("Error rate > 5%",)
    assert list(found.unseen.values()) == ["this stage has not clients that know the service"]


@pytest.mark.parametrize(("pace", "told"), [(60.0, 0), (600.0, 1)])
def test_a_pace_that_makes_a_wait_shorter_than_a_start_is_stretched_and_told(
    pace: float, told: int, tmp_path: Path
) -> None:
    found = read(tmp_path, "API down for 5 minutes", "API down", pace=pace)
    assert len(found.stretched) == told
    assert all(
        "line 15 has to last 5 s, 300 s at pace 600, stretched" in one for one in found.stretched
    )


def test_the_document_of_the_project_is_held_in_full() -> None:
    found = read_triggers(parse(DOCUMENT), pace=60.0)
    assert len(found.watched) == 14
    assert list(sentences(found)) == []


def record_of(directory: Path) -> Path:
    lines = [f"{1000 + i / 50:.2f},0.01,200" for i in range(2_000)]
    path = directory / "requests.csv"
    path.write_text("\n".join(["time,duration,status", *lines]), encoding="utf-8")
    return path


def test_make_decide_names_what_nothing_watches_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = small(tmp_path, "Error rate > 10% in EU", "Error rate > 10%")
    assert main(["decide", "--from", str(record_of(tmp_path)), "--runbook", str(path)]) == 0
    assert "UNCOVERED  Trigger “Error rate > 10% in EU”, line 15: nothing holds “in EU” of it" in (
        capsys.readouterr().out
    )


def test_make_read_and_the_plan_name_them_before_anything_is_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = small(tmp_path, "Error rate > 10% in EU", "Error rate > 10%")
    told = "UNCOVERED  Trigger “Error rate > 10% in EU”, line 15: nothing holds “in EU” of it"
    main(["read", "--runbook", str(path)])
    assert told in " ".join(capsys.readouterr().out.split("\n"))
    stage = open_stage("processes", StageOptions(), lambda _: None)
    assert told in list(plan(parse(path), stage))


def test_make_revalidate_finds_them_too(tmp_path: Path) -> None:
    book = parse(small(tmp_path, "Error rate > 10% in EU", "Error rate > 10%"))
    (found,) = (one for one in by_reading(book) if one.id.startswith("unwatched"))
    assert (found.severity, found.where) == ("high", "line 15, trigger 'Error rate > 10% in EU'")
    write_findings(Revalidated(book, (found,)), Since(), tmp_path)
    assert "1 of 2 triggers are watched" in (tmp_path / "findings.md").read_text(encoding="utf-8")


CASES = DOCUMENT.parent.parent.parent / "shared" / "cases" / "runbooks"


@pytest.mark.skipif(not CASES.is_dir(), reason="the folder of cases is not here")
def test_the_cases_about_triggers_are_read_rightly() -> None:
    def book(number: int) -> Runbook:
        return parse(next(CASES.glob(f"{number}-*.md")))

    assert [row.quantile for row in book(18).matrix] == [0.95, 0.99]
    assert [one.name for one in Decider(book(19)).unwatched] == []
    assert [one.name for one in Decider(book(27)).unwatched] == []
