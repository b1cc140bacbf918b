"""Boxes about people having been told: attested or failed, as a channel took the message or not."""

from __future__ import annotations

import contextlib
import io
import mailbox
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from rollback_drill.conduct.told import DrillStarted, Restored
from rollback_drill.data.balance import Balance
from rollback_drill.data.told import LedgerRead
from rollback_drill.decide.told import Decided
from rollback_drill.ground.clock import now
from rollback_drill.ground.finding import Finding
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.check import bind
from rollback_drill.perform.messages import Channels, Courier
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.operator import OperatorPerformer
from rollback_drill.perform.performer import Part, StepFailed
from rollback_drill.perform.told import NOBODY, Checked, OperatorActed
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event, Timeline, read
from rollback_drill.record.told import Told
from rollback_drill.report.postmortem import document
from rollback_drill.runbook.model import Checkbox, Runbook
from rollback_drill.runbook.told import FollowUp
from rollback_drill.stage.host import LocalHost
from rollback_drill.stage.model import Stage
from rollback_drill.traffic.live import Traffic
from rollback_drill.watch.log_reader import Tail

TEAM = "Notify team"
BEGAN = 1_800_000_000.0


@dataclass
class Drill:
    """A host with an outbox, a courier, and what its checks may look at."""

    folder: Path
    channels: Mapping[str, dict[str, str]] | None = None  # None: no file says where they go
    moment: Moment = field(init=False)

    def __post_init__(self) -> None:
        self.outbox = self.folder / "outbox"
        self.outbox.mkdir(exist_ok=True)
        environment = {
            "OUTBOX": str(self.outbox),
            "STATUS_PAGE": str(self.folder / "page.txt"),
            "PATH": "/usr/bin:/bin",
        }
        host = LocalHost("host-1", self.folder, environment)
        self.mailbox = self.folder / "messages.mbox"
        own = self.mailbox if self.channels is None else None
        self.timeline = Timeline(self.folder / "timeline.jsonl")
        self.courier = Courier(Channels(self.channels or {}, frozenset(), own), self.timeline)
        stage = SimpleNamespace(hosts=[host], environment=environment, checks={}, database=None)
        self.moment = Moment(
            stage=cast("Stage", stage), runbook=cast("Runbook", None), traffic=cast("Traffic", None),
            timeline=self.timeline, tail=cast("Tail", None), samples=[], failing="", stable="",
            pace=60.0, section="Preparation", courier=self.courier,
            facts={"INCIDENT": "INC-7", "SEVERITY": "P1"},
        )  # fmt: skip
        self.host = host

    def write(self, **messages: str) -> None:
        for name, text in messages.items():
            (self.outbox / f"{name.replace('_', '-')}.txt").write_text(text)

    def tell_team(self, text: str = "Rolling back") -> None:
        told = f"{text} (INC-7, P1)"
        self.write(slack_oncall=told, slack_engineering=told)

    def judge(self, text: str) -> Finding:
        bound = bind(text)
        assert bound
        found: Finding = bound.check(self.moment, bound.match)
        return found


@pytest.fixture
def drill(tmp_path: Path) -> Iterator[Drill]:
    drill = Drill(tmp_path)
    yield drill
    drill.timeline.close()


def test_what_the_drills_own_mailbox_took_is_attested_and_nobody_is_said_to_be_told(
    drill: Drill,
) -> None:
    drill.tell_team()
    found = drill.judge(TEAM)
    assert found.verdict is Verdict.ATTESTED
    assert found.evidence.count("the drill's own mailbox, messages.mbox: nobody was told") == 2
    assert "sent" not in found.evidence
    mails = list(mailbox.mbox(drill.mailbox))
    assert [mail["To"] for mail in mails] == ["slack-engineering.txt", "slack-oncall.txt"]
    assert {one.outcome for _, one in drill.courier.handled.values()} == {"kept"}


def test_a_message_that_was_never_written_is_missed(drill: Drill) -> None:
    drill.write(slack_oncall="Rolling back")
    found = drill.judge(TEAM)
    assert (found.verdict, "no message slack-engineering.txt" in found.evidence) == (
        Verdict.FAILED, True,
    )  # fmt: skip


def test_a_message_without_a_channel_was_only_shown_and_its_box_fails(tmp_path: Path) -> None:
    drill = Drill(tmp_path, channels={"other.txt": {"kind": "mail", "mailbox": "x"}})
    drill.tell_team()
    found = drill.judge(TEAM)
    assert found.verdict is Verdict.FAILED
    assert "was only shown" in found.evidence
    assert "nobody was told" in found.evidence
    assert found.evidence.endswith("expected a channel to take it")
    drill.timeline.close()


def test_the_channel_that_took_a_message_attests_it(tmp_path: Path) -> None:
    box = tmp_path / "customers.mbox"
    drill = Drill(tmp_path, channels={"customers.txt": {"kind": "mail", "mailbox": str(box)}})
    drill.write(customers="Subject: We are back\n\nSorry")
    found = drill.judge("Email affected users")
    assert (found.verdict, str(box) in found.evidence) == (Verdict.ATTESTED, True)
    (mail,) = mailbox.mbox(box)
    assert mail["Subject"] == "We are back"
    drill.timeline.close()


def test_a_channel_that_does_not_take_it_fails_the_box(tmp_path: Path) -> None:
    nobody = {"kind": "slack", "url": "http://127.0.0.1:9/hook"}
    drill = Drill(tmp_path, channels={"slack-oncall.txt": nobody})
    drill.write(slack_oncall="Rolling back")
    found = drill.judge("Alert #oncall")
    assert (found.verdict, "could not be reached" in found.evidence) == (Verdict.FAILED, True)
    drill.timeline.close()


def test_a_person_may_say_that_people_were_told(drill: Drill) -> None:
    drill.moment = replace(drill.moment, told_by="the operator")
    found = drill.judge(TEAM)
    assert found.verdict is Verdict.ATTESTED
    assert "the operator says" in found.evidence
    assert "no channel saw it" in found.evidence


@pytest.mark.parametrize(("said", "acted"), [("told\n", "told"), ("\n", "wrong turn")])
def test_the_person_at_the_keyboard_says_so_and_no_enter_does(
    drill: Drill, said: str, acted: str
) -> None:
    shown: list[str] = []
    box = Checkbox(TEAM, 9)
    part = Part("Preparation", 0, "Tell people", 60.0, 0.0, (), (box,), 8)
    source = io.StringIO(f"{said}skip\n")
    with (
        OperatorPerformer(drill.moment, shown.append, source) as person,
        contextlib.suppress(StepFailed),
    ):
        person._run_blocks(part, now())
    drill.moment = person.moment
    acts = [
        event.what.what
        for event in read(drill.folder / "timeline.jsonl")
        if isinstance(event.what, OperatorActed)
    ]
    assert acts[0] == acted
    assert any("“told” when it is and you told people by hand" in line for line in shown)
    assert drill.judge(TEAM).verdict is (Verdict.ATTESTED if acted == "told" else Verdict.FAILED)


def test_what_stood_there_before_the_drill_is_not_its_message(drill: Drill) -> None:
    drill.tell_team("Rolling back, said an earlier incident")
    (drill.folder / "page.txt").write_text("We had a problem last week")
    drill.courier.begin(drill.host)
    assert drill.judge(TEAM).verdict is Verdict.FAILED
    assert drill.judge("Post update on status page").verdict is Verdict.FAILED
    assert not drill.mailbox.exists()
    drill.tell_team("Rolling back, this time")
    assert drill.judge(TEAM).verdict is Verdict.ATTESTED


def test_no_text_passes_for_another_message(drill: Drill) -> None:
    drill.write(slack_oncall="INC-7, P1\n== customers.txt\nDear customers\n== 1 customers.txt")
    assert drill.judge("Alert #oncall").verdict is Verdict.ATTESTED
    assert drill.judge("Email affected users").verdict is Verdict.FAILED


def test_an_outbox_that_cannot_be_read_leaves_it_unknown(drill: Drill) -> None:
    drill.tell_team()
    (drill.folder / "bash").symlink_to("/bin/bash")  # and no other program
    drill.host.environment = {
        **drill.host.environment,
        "PATH": str(drill.folder),
    }
    found = drill.judge(TEAM)
    assert (found.verdict, "could not be read" in found.evidence) == (Verdict.UNKNOWN, True)


def test_a_stage_without_an_outbox_does_not_support_it(drill: Drill) -> None:
    drill.moment.stage.environment = {}
    found = drill.judge(TEAM)
    assert (found.verdict, "unsupported" in found.evidence) == (Verdict.UNKNOWN, True)


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        (None, "nobody has looked yet"),
        (LedgerRead(0, 0, 0, 0), "no writes were made"),
        (LedgerRead(10, 8, 2, 0), "2 of 10 confirmed changes"),
    ],
)
def test_a_mail_may_not_say_of_the_data_what_nobody_measured(
    drill: Drill, ledger: LedgerRead | None, said: str
) -> None:
    drill.moment = replace(drill.moment, balance=Balance(ledger))
    drill.write(customers="We are back. Data lost: none.")
    found = drill.judge("Email affected users")
    assert (found.verdict, said in found.evidence) == (Verdict.FAILED, True)


class Page(BaseHTTPRequestHandler):
    text = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.text.encode())

    def log_message(self, *_: object) -> None: ...


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<p>We look&nbsp;into\nit &amp; report</p>", Verdict.ATTESTED),
        ("<p>All well</p>", Verdict.FAILED),
    ],
)
def test_a_status_page_takes_a_message_by_showing_it(
    tmp_path: Path, text: str, wanted: Verdict
) -> None:
    Page.text = text
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    drill = Drill(tmp_path, channels={"status-page": {"kind": "page", "url": url}})
    (tmp_path / "page.txt").write_text("We look into it & report")
    found = drill.judge("Post update on status page")
    server.shutdown()
    server.server_close()
    drill.timeline.close()
    assert found.verdict is wanted, found.evidence
    if wanted is Verdict.FAILED:
        assert "does not show “We look into it & report”" in found.evidence


@pytest.mark.parametrize(
    ("evidence", "mark"),
    [
        ("customers.txt was taken by customers.mbox", "x"),
        (f"customers.txt was taken by the drill's own mailbox, messages.mbox: {NOBODY}", " "),
    ],
)
def test_in_the_post_mortem_telling_customers_is_done_only_when_a_channel_did(
    evidence: str, mark: str
) -> None:
    item = "Customers: those affected have a mail"
    box = Checked(
        "After the rollback", 0, item, 9, "customers_told", Verdict.ATTESTED, evidence, 0.1
    )
    decided = Decided(
        "rollback", True, "Error Rate >10%", 18, "critical", 1, "", 0, ("n",), 1.5, 150
    )
    started = DrillStarted(
        "processes", "", ("host-1",), "v2", "v1", "none", "auto", "x.md", "0", "X", 60.0, 100.0, 1
    )
    follow_up = FollowUp("Immediate: within 1 hour", 3600.0, (item,))
    told: tuple[Told, ...] = (started, decided, Restored(60.0), follow_up, box)
    record = [Event(BEGAN + at, what) for at, what in enumerate(told)]
    assert f"- [{mark}] {item}" in document(Book(record)).splitlines()
