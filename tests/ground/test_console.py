"""What logs, runbooks and hosts say is shown on the terminal, never obeyed."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rollback_drill.breaks.told import FaultAttested, FaultInjected
from rollback_drill.campaigns.interruptions import write_table
from rollback_drill.cli import main
from rollback_drill.conduct.progress import Progress
from rollback_drill.conduct.told import DrillStarted
from rollback_drill.ground.console import console
from rollback_drill.ground.terminal import shown
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.told import AlternativeTaken, StepEnded, StepStarted
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event, Timeline
from rollback_drill.record.told import DrillBroke, DrillEnded, Noted, PhaseName, PhaseStarted, Told
from rollback_drill.report.summary import print_summary
from rollback_drill.report.write import write_reports

# To clear the screen, set the title, ring, go back, end a line early, the same in C1, turn around.
EVIL = "a\x1b[2J\x1b]0;owned\x07b\x08\rc\x9b2Jd\x85\u202ee\u2066f\x7f\x00[/opt/app][red]:smile:"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u202a-\u202e\u2066-\u2069]")
ROOT = Path(__file__).resolve().parents[2]


def test_every_character_that_a_terminal_would_obey_has_a_sign() -> None:
    every = "".join(map(chr, range(0x300))) + "\u061c\u202a\u202e\u2066\u2069"
    told = shown(every)
    assert not OBEYED.search(told)
    assert len(told) == len(every)
    assert shown("Zeile\tÜber „Straße“ 🚀\n") == "Zeile\tÜber „Straße“ 🚀\n"
    assert shown("\x1b[31m") == "␛[31m"


@pytest.mark.parametrize("terminal", [True, False])
def test_whatever_is_printed_shows_the_escapes_of_others(terminal: bool) -> None:
    printed = io.StringIO()
    for shows in (console(), console(soft_wrap=False)):
        shows.file = printed
        shows._force_terminal = terminal
        table = Table(EVIL)
        table.add_row(EVIL, Text(EVIL, style="red"))
        shows.print(EVIL, Text(EVIL), table)
    own = re.sub(r"\x1b\[[\d;]*m", "", printed.getvalue())
    assert not OBEYED.search(own.replace("\n", ""))
    assert "[/opt/app][red]:smile:" in own.replace("\n", "")


def record() -> list[Event]:
    said: list[Told] = [
        DrillStarted(
            EVIL, EVIL, ("host-1",), "v2", "v1", EVIL, "auto", "x", "y", EVIL, 60.0, 100.0, 1
        ),
        PhaseStarted(PhaseName.SETUP),
        Noted(EVIL),
        FaultInjected(EVIL, EVIL),
        FaultAttested(EVIL, EVIL, True, EVIL),
        AlternativeTaken("Procedure 1", 1, EVIL, EVIL, EVIL),
        StepStarted("Procedure 1", 1, EVIL, 60.0, 0.0, 1),
        StepEnded("Procedure 1", 1, EVIL, 60.0, 1.0, Verdict.FAILED, EVIL, EVIL),
        StepStarted("Procedure 1", 2, EVIL, 60.0, 0.0, 1),
        DrillBroke(EVIL, EVIL, EVIL),
        DrillEnded(()),
    ]
    return [Event(float(at), one) for at, one in enumerate(said)]


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("own", [True, False])
def test_the_progress_of_a_drill_shows_and_is_no_markup(terminal: bool, own: bool) -> None:
    printed = io.StringIO()
    # Whichever terminal it is handed: a bracket in a title must never end a drill.
    shows = console(soft_wrap=False) if own else Console()
    shows.file = printed
    shows._force_terminal = terminal
    with Progress(shows) as progress:
        for event in record():
            progress(event)
        shows.print(progress._status())
    if own:
        text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", printed.getvalue())
        assert not OBEYED.search(text.replace("\n", "").replace("\r", ""))
    assert "[/opt/app]" in re.sub(r"\s+", "", printed.getvalue())


@pytest.mark.parametrize("own", [True, False])
def test_the_summary_of_a_drill_shows_and_is_no_markup(own: bool) -> None:
    printed = io.StringIO()
    shows = console(soft_wrap=False) if own else Console()
    shows.file = printed
    print_summary(judge(Book(record())), Path("reports/[/opt/app]"), shows)
    assert "[/opt/app]" in re.sub(r"\s+", "", printed.getvalue())
    if own:
        assert not OBEYED.search(printed.getvalue().replace("\n", ""))


def test_a_pipe_that_does_not_wait_by_itself_gets_everything() -> None:
    code = (
        "import os, sys; os.set_blocking(1, False)\n"
        "from rollback_drill.ground.console import console\n"
        "from rollback_drill.ground.terminal import outlive_terminal\n"
        "outlive_terminal(); console().print('x' * 1_000_000)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, len(done.stdout)) == (0, 1_000_001), done.stderr[-300:]


@pytest.mark.parametrize(
    "words",
    [
        ["decide", "--from", f"/nowhere/{EVIL}".replace("\x00", "")],
        ["drill", "--fault", EVIL],
        ["drill", "--stage", EVIL],
        ["drill", "--channels", f"/nowhere/{EVIL}".replace("\x00", "")],
    ],
)
def test_an_error_shows_what_was_asked_for(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, *(["--runbook", str(ROOT / "runbook" / "rollback.md")])]) == 2
    assert not OBEYED.search(capsys.readouterr().err.replace("\n", ""))


def test_reports_that_people_print_on_a_terminal_show_them_too(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    for event in record():
        timeline.record(event.what, event.at)
    timeline.close()
    write_reports(timeline.path, tmp_path / "report")
    write_table([], tmp_path / "report" / "interruptions.md")
    for name in ("index.html", "postmortem.md", "junit.xml", "interruptions.md"):
        assert not OBEYED.search((tmp_path / "report" / name).read_text(encoding="utf-8")), name
