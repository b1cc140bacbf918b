"""The post-mortem as PDF, by the machine's browser; where there is none, that is said."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rollback_drill.cli import main
from rollback_drill.ground.errors import Exit, UsageError
from rollback_drill.report.browser import browser, print_page
from rollback_drill.report.folder import POSTMORTEM_PDF, prepare_directory
from tests.judge.kept_records import kept

NO_BROWSER = pytest.mark.skipif(not browser(), reason="no browser here: install chromium")


def asked(folder: Path, *words: str) -> int:
    (folder / "timeline.jsonl").write_bytes(kept("failed"))
    said = [f"--from={folder}/timeline.jsonl", f"--report={folder}/out", *words]
    return int(main(["report", *said]))


@NO_BROWSER
@pytest.mark.slow
def test_the_post_mortem_is_printed_with_all_that_it_says(tmp_path: Path) -> None:
    assert asked(tmp_path, "--pdf=1") == Exit.FAILED  # the drill's own
    pdf = tmp_path / "out" / POSTMORTEM_PDF
    assert pdf.read_bytes().startswith(b"%PDF-")
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("no pdftotext here: what the PDF says was not read")
    told = subprocess.run(
        [reader, str(pdf), "-"], capture_output=True, text=True, check=True
    ).stdout
    words = " ".join(told.split())
    for one in ("Post-mortem", "Root cause", "Actions", "No space left on device", "[amount]"):
        assert one in words, one
    prepare_directory(tmp_path / "out")
    assert not pdf.exists()  # an older drill's is none of the next one's


def test_without_a_browser_it_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert asked(tmp_path, "--pdf=1") == Exit.USAGE
    said = " ".join(capsys.readouterr().err.split())
    assert "expected a browser to print with; found none of chromium" in said.replace(
        "Expected", "expected"
    )
    assert not (tmp_path / "out").exists()
    assert asked(tmp_path) == Exit.FAILED
    assert not (tmp_path / "out" / POSTMORTEM_PDF).exists()


def test_a_browser_that_prints_nothing_is_no_pdf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho 'no screen' >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="no screen"):
        print_page(tmp_path / "page.html", tmp_path / "page.pdf")
    assert not (tmp_path / "page.pdf").exists()
