"""No name that is written to is followed, wherever it leads."""

import os
import stat
from pathlib import Path

import pytest

from rollback_drill.campaigns.interruptions import write_table
from rollback_drill.cli import main
from rollback_drill.ground import files
from rollback_drill.ground.errors import UsageError
from rollback_drill.judge import history
from rollback_drill.perform.messages import Channels, Courier
from rollback_drill.record.timeline import Timeline
from rollback_drill.record.told import DrillEnded
from rollback_drill.report.folder import claim, prepare_directory
from rollback_drill.report.write import write_reports
from rollback_drill.stage.host import LocalHost

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = str(ROOT / "runbook" / "rollback.md")
REPORTS = ("index.html", "postmortem.md", "junit.xml", "verdict.json", "timeline.jsonl")


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_text("precious")
    return path


def test_what_is_written_replaces_a_link_and_leaves_what_it_leads_to(
    tmp_path: Path, victim: Path
) -> None:
    link = tmp_path / "index.html"
    link.symlink_to(victim)
    files.write(link, "page")
    assert (link.read_text(), link.is_symlink(), victim.read_text()) == ("page", False, "precious")
    link.unlink()
    link.symlink_to(victim)
    with files.create(link) as file:
        file.write("record")
    files.copy(link, link)
    assert (link.read_text(), link.is_symlink(), victim.read_text()) == (
        "record", False, "precious",
    )  # fmt: skip
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_a_line_is_not_appended_through_a_link_nor_to_a_pipe(tmp_path: Path, victim: Path) -> None:
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(victim)
    os.mkfifo(pipe)
    for path in (link, pipe, tmp_path):
        with pytest.raises(OSError, match=r"link|no file|directory|device"):
            files.append(path, "line")
    assert victim.read_text() == "precious"


def test_a_line_behind_a_torn_one_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"torn')
    files.append(path, "one")
    files.append(path, "two")
    assert path.read_text() == '{"torn\none\ntwo\n'


def test_what_utf_8_has_no_bytes_for_is_told_by_its_number(tmp_path: Path) -> None:
    files.write(tmp_path / "page", "caf\udce9")
    assert (tmp_path / "page").read_text() == "caf\\udce9"


def test_files_have_the_rights_that_the_user_gives_to_new_ones(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    files.write(tmp_path / "page", "")
    usual, page = ((tmp_path / name).stat().st_mode for name in ("usual", "page"))
    assert usual == page
    files.write(tmp_path / "secret", "", mode=0o600)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def links_to(victim: Path, folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(victim)


def test_no_report_is_written_through_a_link(tmp_path: Path, victim: Path) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    timeline.record(DrillEnded(()))
    timeline.close()
    report, elsewhere = tmp_path / "report", tmp_path / "elsewhere"
    claim(report)
    links_to(victim, report, *REPORTS, *(f".{name}.part" for name in REPORTS))
    (elsewhere / "kept").mkdir(parents=True)
    links_to(elsewhere, report, "allure-results")
    write_reports(timeline.path, report)
    assert victim.read_text() == "precious"
    assert [path.name for path in elsewhere.iterdir()] == ["kept"]
    assert not any((report / name).is_symlink() for name in (*REPORTS, "allure-results"))


def test_no_table_page_or_rule_is_written_through_a_link(
    tmp_path: Path, victim: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    links_to(victim, folder, "interruptions.md", "index.html", "alerts.yml", "dashboard.json")
    write_table([], folder / "interruptions.md")
    page = str(folder / "index.html")
    assert main(["index", "--history", str(tmp_path / "none.jsonl"), "--to", page]) == 0
    assert main(["monitoring", "--runbook", RUNBOOK, "--to", str(folder)]) == 0
    capsys.readouterr()
    assert victim.read_text() == "precious"


def test_no_mail_is_delivered_through_a_link(tmp_path: Path, victim: Path) -> None:
    links_to(victim, tmp_path / "box", "customers.mbox")
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox" / "customers.txt").write_text("Subject: sorry\n\nWe are back.")
    settings = {"kind": "mail", "mailbox": str(tmp_path / "box" / "customers.mbox")}
    host = LocalHost("host-1", tmp_path, {"OUTBOX": str(tmp_path / "outbox"), "PATH": os.defpath})
    timeline = Timeline(tmp_path / "timeline.jsonl")
    Courier(Channels({"customers.txt": settings}, frozenset()), timeline).deliver(host, {})
    assert victim.read_text() == "precious"
    assert '"outcome":"failed"' in timeline.path.read_text()


def test_a_history_that_is_a_link_is_refused_before_anything_begins(
    tmp_path: Path, victim: Path
) -> None:
    links_to(victim, tmp_path / "kept", "history.jsonl")
    with pytest.raises(UsageError, match="symbolic link"):
        history.prepare(tmp_path / "kept" / "history.jsonl")


def test_a_folder_that_no_drill_made_is_refused_instead_of_emptied(tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "traffic").mkdir(parents=True)
    (site / "index.html").write_text("my page")
    (site / "traffic" / "cars.csv").write_text("cars")
    with pytest.raises(UsageError, match="no drill wrote"):
        prepare_directory(site)
    with pytest.raises(UsageError, match="no drill wrote"):
        claim(site)
    assert (site / "index.html").read_text() == "my page"
    assert (site / "traffic" / "cars.csv").read_text() == "cars"


def test_a_folder_of_an_earlier_drill_is_emptied_of_its_reports_alone(tmp_path: Path) -> None:
    for mark in (True, False):  # folders of drills that did not mark them yet are known, too
        report = tmp_path / f"report-{mark}"
        if mark:
            claim(report)
        (report / "traffic").mkdir(parents=True)
        (report / "timeline.jsonl").write_text('{"at":1.0,"time":"","kind":"DrillEnded"}\n')
        (report / "notes.txt").write_text("mine")
        prepare_directory(report)
        assert sorted(path.name for path in report.iterdir()) == [
            ".rollback-drill", "notes.txt", "traffic",
        ]  # fmt: skip


def test_links_in_the_folder_are_removed_and_what_they_lead_to_stays(
    tmp_path: Path, victim: Path
) -> None:
    report = tmp_path / "report"
    claim(report)
    (tmp_path / "elsewhere").mkdir()
    links_to(victim, report, "index.html")
    links_to(tmp_path / "elsewhere", report, "traffic")
    prepare_directory(report)
    assert victim.read_text() == "precious"
    assert (tmp_path / "elsewhere").is_dir()
    assert not (report / "traffic").is_symlink()


@pytest.mark.parametrize(
    "wrong",
    [
        ["--channels", "/nowhere/channels.toml"],
        ["--history", "/proc/nowhere/history.jsonl"],
        ["--history", "broken.jsonl"],
        ["--fault", "bad-luck"],
        ["--authorized-by", "Night Porter"],
    ],
)
def test_a_mistake_in_the_request_leaves_the_last_report(
    wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report"
    claim(report)
    (report / "index.html").write_text("the last report")
    (tmp_path / "broken.jsonl").write_text("broken\n")
    asked = [str(tmp_path / word) if word == "broken.jsonl" else word for word in wrong]
    common = ["drill", "--runbook", RUNBOOK, "--stage", "processes", "--report", str(report)]
    assert main([*common, *asked]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert (report / "index.html").read_text() == "the last report"


def test_a_mistake_in_another_command_leaves_the_last_report_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report"
    claim(report)
    (report / "index.html").write_text("the last report")
    for command in ("interruptions", "revalidate"):
        asked = [command, "--runbook", RUNBOOK, "--stage", "moon", "--report", str(report)]
        assert main(asked) == 2
    assert "STAGE" in capsys.readouterr().err
    assert (report / "index.html").read_text() == "the last report"
