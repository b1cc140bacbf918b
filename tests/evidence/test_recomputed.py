"""The verifier's verdict is that of the timeline: each rule turns, as the suite's own judge does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rollback_drill.cli import main
from rollback_drill.evidence.verifier import RANK, causes
from rollback_drill.ground.errors import Exit
from rollback_drill.judge.judgement import judge
from rollback_drill.record.book import Book
from rollback_drill.record.judge import JUDGES, all_judges
from rollback_drill.record.timeline import read
from rollback_drill.report.write import write_reports
from tests.evidence.evidence_support import (
    Event,
    kept_report,
    key_in,
    lines_of,
    of_kind,
    report_in,
    resign,
    verified,
    write_lines,
)

# What the verifier has rules for, in full or in part; and what UNRULED leaves to the signer's word.
RULED = {
    "of_answers", "of_authority", "of_backups", "of_commands", "of_contract",
    "of_document", "of_end", "of_fire", "of_generator", "of_golden_set", "of_hazard", "of_healing",
    "of_logs", "of_looks_at_rows", "of_messages", "of_number", "of_observers", "of_parts",
    "of_procedures", "of_promises", "of_reading", "of_rollback", "of_rows_of_clients",
    "of_rows_that_stood", "of_secrets", "of_service", "of_steps", "of_the_unseen", "of_triggers",
    "of_ways", "of_writes",
}  # fmt: skip
WORD = {
    "of_checklists", "of_contents", "of_cursors", "of_damage", "of_effects",
    "of_maintenance", "of_memory", "of_usage", "of_metrics", "of_names", "of_order", "of_repeats", "of_seconds", "of_silence",
    "of_status_page", "of_structure", "of_totals", "of_trend", "of_walks",
}  # fmt: skip


def recomputed(events: list[Event]) -> str:
    return RANK[max(2 if f else 1 if u else 0 for f, u, _ in causes(events))]


def test_each_judge_has_a_rule_or_is_named_as_without_one() -> None:
    all_judges()
    assert set(JUDGES.members()) == RULED | WORD
    assert not RULED & WORD


def each(kind: str, **values: object) -> Callable[[list[Event]], None]:
    """Change all events of a kind, of which there are some."""

    def change(events: list[Event]) -> None:
        found = list(of_kind(events, kind))
        assert found, kind
        for one in found:
            assert one.keys() >= values.keys()
            one.update(values)

    return change


def one_of(kind: str, **values: object) -> Callable[[list[Event]], None]:
    """Change the last event of a kind."""

    def change(events: list[Event]) -> None:
        [*_, last] = of_kind(events, kind)
        assert last.keys() >= values.keys()
        last.update(values)

    return change


def without(kind: str) -> Callable[[list[Event]], None]:
    """Leave the last event of a kind out."""

    def change(events: list[Event]) -> None:
        [*_, last] = of_kind(events, kind)
        events.remove(last)

    return change


def with_one(kind: str, **values: object) -> Callable[[list[Event]], None]:
    """Add an event before the last one."""

    def change(events: list[Event]) -> None:
        end = events[-1]
        events.insert(-1, {"at": end["at"], "time": end["time"], "kind": kind, **values})

    return change


def fewer_rows(events: list[Event]) -> None:
    [*_, last] = of_kind(events, "RowsSeen")
    table = next(iter(last["tables"].values()))
    table["rows"] = str(int(table["rows"]) - 1)


def unsure(events: list[Event]) -> None:
    each("DrillStarted", procedure="auto")(events)
    one_of("Decided", rollback=False, action="not long enough to say")(events)


LOG = {"host": "host-1", "source": "application", "level": "ERROR", "text": "broken"}
PLANTED = {
    "a box failed": one_of("Checked", verdict="failed"),
    "a box is unknown": one_of("Checked", verdict="unknown"),
    "a box is uncovered": one_of("Checked", verdict="uncovered", check=""),
    "a box is missing": without("Checked"),
    "a step failed": one_of("StepEnded", verdict="failed", reason="no"),
    "a step is unknown": one_of("StepEnded", verdict="unknown", reason="who knows"),
    "a step took too long": one_of("StepEnded", took_s=1e6),
    "a step has no end": without("StepEnded"),
    "a command was not observed": one_of("CommandEnded", observed=False, exit_status=None),
    "writes are lost": one_of("LedgerRead", lost=1),
    "nobody read the writes": without("LedgerRead"),
    "writes of a procedure are lost": one_of("PathRead", lost=2),
    "rows are gone": fewer_rows,
    "rows could not be read": one_of("RowsSeen", unread={"cursor_audit": "no"}),
    "rows stand twice": one_of("RowsCounted", twice=1),
    "rows are strangers": one_of("RowsCounted", strangers=3),
    "the fault did not bite": one_of("FaultAttested", seen=False),
    "nobody looked for the symptom": without("FaultAttested"),
    "the fault was not healed": without("FaultHealed"),
    "no decision": without("Decided"),
    "the trigger did not fire": each("TriggerFired", trigger="Another one"),
    "it was not long enough to say": unsure,
    "the release was innocent": each("FaultInjected", calls_for="no rollback"),
    "a trigger is not watched": one_of("TriggersRead", uncovered={"line 9": "nobody"}),
    "a trigger cannot be seen": one_of("TriggersRead", unseen={"line 9": "nobody"}),
    "a line of the runbook was not read": one_of(
        "RunbookRead", lines=[9], texts=["what"], reasons=["why"]
    ),
    "who started it may not": one_of("Authorized", allowed=False),
    "a message was refused": one_of("MessageHandled", outcome="refused"),
    "not restored": without("Restored"),
    "left in maintenance": one_of("LeftAs", maintenance={"host-1": True}),
    "left without an answer": one_of("LeftAs", front=503),
    "the service logged an error": with_one("LogLine", **LOG),
    "a secret leaked": with_one("Leaked", where="the metrics of host-1"),
    "an observer died": with_one("ObserverDied", observer="probe", error="it died"),
    "interrupted": with_one("Interrupted", by="the operator"),
    "something was left behind": one_of("DrillEnded", left_behind=["a container"]),
    "requests were late": each("TrafficSecond", late=40),
    "an alternative stood in": with_one(
        "AlternativeTaken", section="Procedure 1", number=1, title="t", alternative="other",
        reason="it failed", commands=0,
    ),
    "a backup does not restore": with_one(
        "BackupProven", name="a.dump", verdict="failed", evidence="it is torn"
    ),
    "golden answers were not compared": one_of("GoldenAsked", compared=0, owed=True),
    "nothing of the contract was asked": one_of("ContractAsked", why="no", owed=True),
    "it is still broken": with_one(
        "HealAttested", name="error-rate-critical", gone=False, evidence="still"
    ),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_the_verifier_and_the_judge_agree_on_what_is_planted(planted: str, tmp_path: Path) -> None:
    events = lines_of(kept_report("passed") / "timeline.jsonl")
    assert recomputed(events) == "passed"
    PLANTED[planted](events)
    path = tmp_path / "timeline.jsonl"
    write_lines(path, events)
    verdict = Book(read(path)).ask(judge).verdict
    assert verdict != "passed"
    assert recomputed(lines_of(path)) == verdict


@pytest.mark.parametrize("name", ["passed", "failed", "unknown"])
def test_the_verdict_of_a_drill_is_recomputed(name: str) -> None:
    assert recomputed(lines_of(kept_report(name) / "timeline.jsonl")) == name


def signed(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """Return a signed report with the halves of the key."""
    report, (private, public) = report_in(folder, name), key_in(folder)
    assert main(["evidence", "--key", str(private), "--report", str(report)]) == Exit.PASSED
    assert verified(report, public) == 0
    return report, private, public


def nothing(_: Event) -> None:
    """Change nothing of what is stated."""


def test_a_verdict_that_the_signer_made_up_is_found(tmp_path: Path) -> None:
    report, private, public = signed(tmp_path, "failed")
    passed = kept_report("passed") / "verdict.json"

    def lie(told: Event) -> None:
        told["predicate"]["verdict"] = "passed"
        told["predicate"]["findings"] = {}

    (report / "verdict.json").write_bytes(passed.read_bytes())
    resign(report, private, lie)
    assert verified(report, public) == 1
    resign(report, private, nothing)  # statement and verdict.json say different things
    assert verified(report, public) == 1


def test_a_failed_drill_that_is_said_to_show_a_control_is_found(tmp_path: Path) -> None:
    report, private, public = signed(tmp_path, "failed")
    resign(report, private, lambda told: told["predicate"]["controls"][0].update(shown=True))
    assert verified(report, public) == 1


@pytest.mark.parametrize("name", ["timeline.jsonl", "verdict.json", "runbook-as-performed.md"])
def test_a_file_of_another_drill_is_found_though_it_is_signed(name: str, tmp_path: Path) -> None:
    report, private, public = signed(tmp_path, "passed")
    (tmp_path / "other").mkdir()
    other = report_in(tmp_path / "other", "unknown")
    (other / "runbook-as-performed.md").write_text("# Another\n", encoding="utf-8")
    (report / name).write_bytes((other / name).read_bytes())
    resign(report, private, nothing)
    assert verified(report, public) == 1


def test_a_drill_that_never_was_is_found_by_its_statement(tmp_path: Path) -> None:
    report, private, public = signed(tmp_path, "passed")
    resign(report, private, lambda told: told["predicate"]["drill"].update(stage="containers"))
    assert verified(report, public) == 1


@pytest.mark.parametrize("cut", ["torn", "killed", "lacking"])
def test_a_timeline_that_is_not_whole_is_never_verified(cut: str, tmp_path: Path) -> None:
    report, private, public = signed(tmp_path, "passed")
    path = report / "timeline.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    if cut == "lacking":
        lines.pop(next(n for n, one in enumerate(lines) if b'"kind":"ProbeSample"' in one))
    path.write_bytes(
        b"".join(lines if cut != "killed" else lines[:-1])[: -9 if cut == "torn" else None]
    )

    def unknown(told: Event) -> None:
        told["predicate"]["verdict"] = "unknown"

    for change in (nothing, unknown):
        resign(report, private, change)
        assert verified(report, public) in (1, 3)
    whole = write_reports(path, report).ask(judge)
    assert whole.verdict == "unknown"
    resign(report, private, unknown)
    assert verified(report, public) == 3 if cut != "torn" else verified(report, public) in (1, 3)


def test_a_verdict_for_which_there_is_no_rule_is_not_verified(tmp_path: Path) -> None:
    report, private, public = signed(tmp_path, "passed")
    path = report / "timeline.jsonl"
    events = lines_of(path)
    for one in of_kind(events, "HostSeen"):  # changed by nobody, which has no rule
        if one["moment"] == "after the procedure":
            one["rights"] = dict.fromkeys(one["rights"], "0777 root")
    [*_, last] = of_kind(events, "MessageHandled")
    last["name"], last["text"] = "status-page", "The service is unavailable"
    write_lines(path, events)
    judgement = write_reports(path, report).ask(judge)
    assert judgement.verdict == "failed"
    assert main(["evidence", "--key", str(private), "--report", str(report)]) == Exit.PASSED
    assert verified(report, public) == 3
