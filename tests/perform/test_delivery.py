"""Messages go over real HTTP to a server of the test's own, and into a real mailbox."""

import json
import mailbox
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rollback_drill.conduct.companions.messages import Messages
from rollback_drill.conduct.told import DrillStarted, Restored
from rollback_drill.data.told import ENDED, STARTED, LedgerRead, RowsSeen, data_loss
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.impact import facts_after
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.judges.people import of_messages
from rollback_drill.perform.messages import Channels, Courier, blanks_in, read_channels
from rollback_drill.perform.told import MessageHandled, StepStarted
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event, Timeline, read
from rollback_drill.record.told import Told
from rollback_drill.stage.host import LocalHost
from rollback_drill.traffic.told import TrafficSecond
from tests.judge.record_support import T, good

FACTS = {"INCIDENT": "INC-7", "SEVERITY": "P0"}


class Receiver:
    """What came, and what is answered: the statuses in `answers`, then 200."""

    def __init__(self) -> None:
        self.came: list[tuple[str, dict[str, str], Any]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.came.append((self.path, dict(self.headers), body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.02,))
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


def deliver(
    folder: Path, settings: dict[str, dict[str, str]], messages: dict[str, str], times: int = 1
) -> list[MessageHandled]:
    box = folder / "outbox"
    box.mkdir(exist_ok=True)
    for name, text in messages.items():
        (box / name).write_text(text)
    host = LocalHost("host-1", folder, {"OUTBOX": str(box), "PATH": "/usr/bin:/bin"})
    timeline = Timeline(folder / "timeline.jsonl")
    courier = Courier(Channels(settings, frozenset()), timeline, "on-call → CTO")
    for _ in range(times):
        courier.deliver(host, FACTS)
    timeline.close()
    handled = [e.what for e in read(folder / "timeline.jsonl")]
    return [one for one in handled if isinstance(one, MessageHandled)]


def test_slack_gets_the_text_once(tmp_path: Path, receiver: Receiver) -> None:
    settings = {"slack-oncall.txt": {"kind": "slack", "url": f"{receiver.url}/hook"}}
    (handled,) = deliver(tmp_path, settings, {"slack-oncall.txt": "Rolling back\nnow"}, times=3)
    assert handled.outcome == "sent"
    ((path, _, body),) = receiver.came
    assert (path, body) == ("/hook", {"text": "Rolling back\nnow"})


def test_pagerduty_is_triggered_then_resolved_as_one_incident(
    tmp_path: Path, receiver: Receiver
) -> None:
    settings = {"incident.md": {"kind": "pagerduty", "url": receiver.url, "key": "k"}}
    deliver(tmp_path, settings, {"incident.md": "# INC-7: rollback"})
    deliver(tmp_path, settings, {"incident.md": "# INC-7: resolved by rolling back"})
    first, second = (body for _, _, body in receiver.came)
    assert (first["event_action"], second["event_action"]) == ("trigger", "resolve")
    assert first["dedup_key"] == second["dedup_key"] == "INC-7"
    assert first["payload"]["severity"] == "critical"
    assert first["payload"]["custom_details"]["escalation"] == "on-call → CTO"


def test_an_unresolved_incident_stays_triggered(tmp_path: Path, receiver: Receiver) -> None:
    settings = {"incident.md": {"kind": "pagerduty", "url": receiver.url, "key": "k"}}
    deliver(tmp_path, settings, {"incident.md": "# INC-7: unresolved, rolled back in vain"})
    ((_, _, body),) = receiver.came
    assert body["event_action"] == "trigger"


def test_what_a_step_wrote_is_told_before_the_next_one_writes_over_it(tmp_path: Path) -> None:
    page = tmp_path / "page"
    host = LocalHost("host-1", tmp_path, {"STATUS_PAGE": str(page), "PATH": "/usr/bin:/bin"})
    timeline = Timeline(tmp_path / "timeline.jsonl")
    rig: Any = SimpleNamespace(
        courier=Courier(Channels({}, frozenset()), timeline),
        stage=SimpleNamespace(hosts=[host]),
        performer=SimpleNamespace(environment=FACTS),
    )
    said = ("The API is unavailable.", "The API is back.")
    part: Any = None
    for text in said:
        page.write_text(text)
        Messages(rig).after_part(part)
    timeline.close()
    told = [e.what for e in read(tmp_path / "timeline.jsonl") if isinstance(e.what, MessageHandled)]
    assert tuple(one.text for one in told) == said


def test_an_issue_has_a_title_a_body_and_the_token(tmp_path: Path, receiver: Receiver) -> None:
    settings = {
        "issue.md": {"kind": "issue", "url": receiver.url, "repository": "a/b", "token": "t0ken"}
    }
    deliver(tmp_path, settings, {"issue.md": "# Deploy again\nRolled back"})
    ((path, headers, body),) = receiver.came
    assert path == "/repos/a/b/issues"
    assert headers["Authorization"] == "Bearer t0ken"
    assert body == {"title": "Deploy again", "body": "Rolled back"}


def test_a_mail_lies_in_the_mailbox(tmp_path: Path) -> None:
    path = tmp_path / "customers.mbox"
    settings = {"customers.txt": {"kind": "mail", "mailbox": str(path), "to": "all"}}
    deliver(tmp_path, settings, {"customers.txt": "Subject: We are back\n\nDear José"})
    (mail,) = mailbox.mbox(path)
    assert mail["Subject"] == "We are back"
    assert "José" in mail.get_payload(decode=True).decode()  # type: ignore[union-attr]


def test_a_message_with_a_blank_is_refused_and_fails_the_drill(
    tmp_path: Path, receiver: Receiver
) -> None:
    settings = {"a.txt": {"kind": "slack", "url": receiver.url}}
    (handled,) = deliver(tmp_path, settings, {"a.txt": "Back at [time]"})
    assert handled.outcome == "refused"
    assert not receiver.came
    causes = judge(Book([Event(0.0, handled)])).causes
    assert [c.verdict for c in causes if c.where == "Message a.txt"] == [Verdict.FAILED]


@pytest.mark.parametrize(
    ("text", "untrue"), [("The API is unavailable", True), ("The API works again", False)]
)
def test_a_status_page_left_behind_is_a_finding(text: str, untrue: bool) -> None:
    def left(*record: Told) -> list[str]:
        causes = judge(Book([Event(float(at), what) for at, what in enumerate(record)])).causes
        return [one.what for one in causes if one.where == "Status page"]

    old, new = (
        MessageHandled("status-page", said, "kept", "") for said in ("It is unavailable", text)
    )
    assert bool(left(old, Restored(1.0), new)) is untrue
    assert left(old, new) == []  # it is down: that is true


@pytest.mark.parametrize(
    ("title", "text", "untrue"),
    [
        ("Enter maintenance", "The API works as usual.", True),
        ("Enter maintenance", "The API is unavailable; we expect it back soon.", False),
        ("Leave maintenance", "The API is unavailable.", True),
        ("Leave maintenance", "The API is back.", False),
        ("Revert the code", "The API is unavailable.", False),
        ("Revert the code", "The API works as usual.", False),
    ],
)
def test_a_status_page_says_what_is_so_when_clients_go_and_come(
    title: str, text: str, untrue: bool
) -> None:
    step = StepStarted("Procedure 1", 1, title, 30.0, 0.0, 1)
    record = [step, MessageHandled("status-page", text, "kept", "")]
    causes = judge(Book([Event(float(at), what) for at, what in enumerate(record)])).causes
    assert any(one.where == "Status page" for one in causes) is untrue


@pytest.mark.parametrize(
    ("text", "untrue"),
    [
        ("The API is being rolled back to v0.1.0-rc1.", "v0.1.0-rc1 is gone back to"),
        ("We went back to {stable}.", ""),
        ("It runs on {failing} again.", ""),
        ("It runs on 10.0.0.7 again.", ""),
        ("Nobody was affected.", "7 requests of clients had failed"),
        ("Some customers were affected.", ""),
    ],
)
def test_whoever_reads_a_message_it_says_what_is_so(text: str, untrue: str) -> None:
    *record, end = good()
    start = next(e.what for e in record if isinstance(e.what, DrillStarted))
    second = next(e.what for e in record if isinstance(e.what, TrafficSecond))
    failed = replace(second, outcomes={"ok": 1, "timeout": 7})
    said = text.format(stable=start.stable, failing=start.failing)
    message = Event(T + 6, MessageHandled("partners.txt", said, "kept", ""))
    causes = of_messages(Book([*record, Event(T + 5, failed), message, end]))
    assert [untrue in one.what for one in causes] == ([True] if untrue else [])
    early = replace(message, at=T + 4)
    if "Nobody" in text:
        assert of_messages(Book([*record, early, Event(T + 5, failed), end])) == []


def test_a_channel_that_is_down_for_a_moment_is_tried_again(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.answers = [503]
    settings = {"a.txt": {"kind": "slack", "url": receiver.url}}
    (handled,) = deliver(tmp_path, settings, {"a.txt": "hello"})
    assert (handled.outcome, len(receiver.came)) == ("sent", 2)


@pytest.mark.parametrize(("answers", "tries"), [([404], 1), ([500, 500], 2)])
def test_a_channel_that_refuses_fails_the_drill(
    tmp_path: Path, receiver: Receiver, answers: list[int], tries: int
) -> None:
    receiver.answers = answers.copy()
    settings = {"a.txt": {"kind": "slack", "url": receiver.url}}
    (handled,) = deliver(tmp_path, settings, {"a.txt": "hello"})
    assert handled.outcome == "failed"
    assert str(answers[-1]) in handled.detail
    assert len(receiver.came) == tries
    assert receiver.url not in handled.detail  # a webhook's address is a secret
    assert any(c.where == "Message a.txt" for c in judge(Book([Event(0.0, handled)])).causes)


def test_without_channels_messages_are_shown(tmp_path: Path) -> None:
    (handled,) = deliver(tmp_path, {}, {"a.txt": "hello"})
    assert handled.outcome == "shown"
    assert not any(c.where.startswith("Message") for c in judge(Book([Event(0.0, handled)])).causes)


@pytest.mark.parametrize("text", ["at [time]", "by $NAME", "by ${NAME}", "____"])
def test_blanks_are_seen(text: str) -> None:
    assert blanks_in(text)
    assert not blanks_in("a [link](https://example.com), $5, snake_case_name")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[a]\nkind = 'fax'", "kind"),
        ("[a]\nkind = 'slack'", "url"),
        ("[a]\nkind = 'slack'\nurl_from = 'NEVER_SET_X'", "NEVER_SET_X"),
        ("a = 1", "kind"),
        ("[a", "channels"),
    ],
)
def test_a_mistake_in_the_file_of_channels_is_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "channels.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_channels(path)
    assert named in str(caught.value)


def test_values_of_variables_are_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "https://hooks.example.com/secret")
    path = tmp_path / "channels.toml"
    path.write_text("['slack-oncall.txt']\nkind = 'slack'\nurl_from = 'HOOK'\n")
    found = read_channels(path)
    assert found.settings["slack-oncall.txt"]["url"] == "https://hooks.example.com/secret"
    assert found.secrets == {"https://hooks.example.com/secret"}


def ledger(lost: int, damaged: int = 0) -> LedgerRead:
    return LedgerRead(10, 10 - lost - damaged, lost, 0, (), damaged)


def test_no_data_loss_is_only_said_when_the_ledger_shows_it() -> None:
    assert data_loss(ledger(0)) == "none"
    assert "2 of 10" in data_loss(ledger(2))
    assert "damaged" in data_loss(ledger(0, 1))
    assert "3 confirmed changes" in data_loss(LedgerRead(10, 7, 0, 0, dropped=3))
    assert "DATA_LOSS" not in facts_after(Book([]))
    said = facts_after(Book([Event(0.0, ledger(0))]))["DATA_LOSS"]
    assert said == "none of 10 confirmed changes; of other data nobody knows"
    looks = [Event(0.0, RowsSeen(one, {"people": {"rows": "3"}})) for one in (STARTED, ENDED)]
    assert facts_after(Book([*looks, Event(0.0, ledger(0))]))["DATA_LOSS"] == "none"
    # When it was never seen to be over, nobody can say how long it lasted.
    assert facts_after(Book([Event(0.0, ledger(0))])).keys() == {"DATA_LOSS"}
