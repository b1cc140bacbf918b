"""`make check` as a user meets it: a mistake is one clear line, and nothing is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.cli import main
from tests.stage.staging_support import FILLED, GOOD, RUNBOOK, fake_kubectl, write


def checked(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    old: str = "",
    new: str = "",
    runbook: str = FILLED,
) -> tuple[int, list[str], str]:
    """Return the exit code, the lines that name something missing, and all that was said."""
    fake_kubectl(folder / "bin")
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=":")
    assert old in GOOD
    (folder / "may-be-broken").touch()
    toml = GOOD.replace(old, new, 1) if old else GOOD
    status = main(["check", *write(folder, toml.replace("{folder}", str(folder)), runbook)])
    told = capsys.readouterr()
    said = told.out + told.err
    assert "Traceback" not in said
    assert not (folder / "touched").exists()
    return status, [one for one in said.splitlines() if one.startswith("MISSING")], said


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("marker =", "maker =", "stage.maker"),
        ("rate = 10", 'rate = "fast"', "limits.rate"),
        ("rate = 10", "rate = -1", "limits.rate"),
        ('kind = "staging"', 'kind = "production"', "may be broken"),
        ('pod = "app-1"', 'pod = "app-1"\nssh = "app-1"', "one of ssh, container, pod"),
        ('base_url = "http://127.0.0.1:1"', 'base_url = "localhost"', "http://"),
        ("[limits]", "[limit]", "limit"),
        ("[limits]", "[limits", "TOML"),
        ("[[hosts]]", "[hosts]", "[[hosts]]"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_one_sentence_and_code_2(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
    named: str,
) -> None:
    status, _, said = checked(tmp_path, capsys, monkeypatch, old, new)
    assert status == 2
    assert named in said
    assert [line.partition(" ")[0] for line in said.splitlines()] == ["Expected", "Try:"]


RESTART = FILLED[: FILLED.index("# Using systemd")].count("\n")
LIMITS = '[limits]\nrate = 10\nstop_file = "{folder}/STOP"\n'


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("[environment]", '[environment_from]\nAPI_KEY = "NEVER_SET"\n[environment]', "variables that the file names are set: NEVER_SET"),
        ("may-be-broken", "no-such-file", "app-1 has the marker: there is no {folder}/no-such-file"),
        ('pod = "app-1"', 'container = "no-such-container"', "app-1 answers: "),
        ('pod = "app-1"', 'ssh = "127.0.0.1"\nport = 1', "app-1 answers: "),
        ('directory = "{folder}"', 'directory = "/no/such/folder"', "app-1 answers: "),
        ('failing = "v2"', 'failing = "v99"', "v99 exists in the origin of app-1: "),
        ('"systemd"', '"runit"', f"line {RESTART} of the runbook: none of the alternatives 'systemd', 'Docker Compose', 'supervisord' works on this stage"),
        ("CONFIG_FILE", "CONFIG", "app-1 knows the runbook's variables: lacks API_KEY, BACKUP_DIR, CONFIG_FILE, "),
        ("rate = 10", "rate = 20", "app-1 answers /health: nothing at http://127.0.0.1:1"),
        (LIMITS, "", "limits: none in the file, so the usual ones: 50 requests/s, 200000 requests, 60 minutes"),
        ("STOP", "may-be-broken", "the stop file is not there: {folder}/may-be-broken"),
        ("defects =", "stop_database =", "something can be broken: nothing"),
    ],
)  # fmt: skip
def test_what_is_missing_is_a_line_with_what_to_try_and_code_1(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
    line: str,
) -> None:
    monkeypatch.delenv("NEVER_SET", raising=False)
    status, missing, said = checked(tmp_path, capsys, monkeypatch, old, new)
    assert status == 1
    wanted = f"MISSING  {line.replace('{folder}', str(tmp_path))}"
    (found,) = (one for one in missing if one.startswith(wanted))
    after = said.splitlines()[said.splitlines().index(found) + 1]
    assert after.strip().startswith("try: ")


def test_blanks_of_the_contacts_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    what = "MISSING  the runbook names whom to call: On-call engineer, primary;"
    _, blank, _ = checked(tmp_path, capsys, monkeypatch, runbook=RUNBOOK)
    assert any(line.startswith(what) for line in blank)
    _, filled, _ = checked(tmp_path, capsys, monkeypatch)
    assert not any("whom to call" in line for line in filled)


def test_the_variables_of_the_alternatives_taken_here_are_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, said = checked(tmp_path, capsys, monkeypatch)
    (line,) = (one for one in said.splitlines() if "runbook's variables" in one)
    assert "MAINTENANCE_FILE" in line
    assert "SECURE_STORAGE" in line
    for other in ("LB_ADMIN", "SUPERVISOR_CONF", "TARGET_GROUP_ARN", "CONFIG_FILE", "DATA_LOSS"):
        assert other not in line
