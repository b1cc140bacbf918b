"""`rollback-drill evidence`: what is signed, by whom, and what is not."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from rollback_drill.cli import main
from rollback_drill.evidence import verifier
from rollback_drill.ground.errors import Exit
from tests.evidence.evidence_support import (
    ROOT,
    key_in,
    report_in,
    verified,
)

SIGNED = ("evidence.json", *verifier.FILES)
PAGE = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")


def sign(report: Path, private: Path) -> int:
    return main(["evidence", "--key", str(private), "--report", str(report)])


@pytest.mark.parametrize("verdict", ["passed", "failed", "unknown"])
def test_a_report_is_signed_whatever_its_verdict(verdict: str, tmp_path: Path) -> None:
    report, (private, public) = report_in(tmp_path, verdict), key_in(tmp_path)
    assert sign(report, private) == Exit.PASSED
    assert verifier.examine(report, public)[0] == 0
    payload = json.loads((report / "evidence.json").read_text())["payload"]
    told = json.loads(base64.b64decode(payload))
    assert told["predicate"]["verdict"] == verdict
    assert bool(told["predicate"]["findings"]) == (verdict != "passed")
    assert not any(one["shown"] for one in told["predicate"]["controls"])  # it is a model


def test_a_changed_byte_anywhere_is_found(tmp_path: Path) -> None:
    report, (private, public) = report_in(tmp_path), key_in(tmp_path)
    assert sign(report, private) == Exit.PASSED
    pick = Random(7)
    for name in SIGNED:
        path = report / name
        whole = path.read_bytes()
        places = range(len(whole)) if name == "evidence.json" else [0, len(whole) - 1]
        places = sorted(
            {*list(places)[:: 1 + len(places) // 900], *pick.sample(range(len(whole)), 40)}
        )
        for place in (*places, len(whole) - 1):
            other = whole[place] ^ (1 << pick.randrange(8))
            path.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
            assert verified(report, public) == 1, f"byte {place} of {name}"
        for other_text in (whole[:-1], whole + b"\n", whole + b" ", b""):
            path.write_bytes(other_text)
            assert verified(report, public) == 1, name
        path.write_bytes(whole)
    assert verified(report, public) == 0


def test_a_file_that_is_missing_or_a_key_of_another_is_found(tmp_path: Path) -> None:
    report, (private, public) = report_in(tmp_path), key_in(tmp_path)
    assert sign(report, private) == Exit.PASSED
    (tmp_path / "other").mkdir()
    assert verified(report, key_in(tmp_path / "other")[1]) == 1
    for name in SIGNED:
        body = (report / name).read_bytes()
        (report / name).unlink()
        assert verified(report, public) == 1, name
        (report / name).write_bytes(body)
    assert verified(report, public) == 0


def commands(heading: str) -> str:
    """Return the commands below a heading of docs/evidence.md."""
    found = re.search(rf"^## {heading}\n.*?^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = ["bash", "-c", script]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_the_documented_commands_verify_and_find_a_changed_byte(tmp_path: Path) -> None:
    assert run(commands("Sign"), tmp_path).returncode == 0
    (tmp_path / "reports").mkdir()
    report = report_in(tmp_path).rename(tmp_path / "reports" / "latest")
    assert sign(report, tmp_path / "signer.pem") == Exit.PASSED
    script = commands("Verify by public tools")
    done = run(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Signature Verified Successfully" in done.stdout
    assert done.stdout.count(": OK") == len(verifier.FILES)
    envelope = (report / "evidence.json").read_bytes()
    payload = envelope.index(b'","payloadType')
    places = [0, 3, 40, payload - 1, payload + 5, payload + 30, len(envelope) - 1]
    places += [envelope.index(b"keyid") + 12, envelope.index(b'"sig"') + 30, len(envelope) - 7]
    changes = [("evidence.json", place) for place in places]
    changes += [(name, place) for name in verifier.FILES for place in (1, -1)]
    for name, place in changes:
        path = report / name
        whole = path.read_bytes()
        at = place % len(whole)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert run(script, tmp_path).returncode != 0, (name, place)
        path.write_bytes(whole)
    assert run(script, tmp_path).returncode == 0


def test_the_verifier_runs_alone(tmp_path: Path) -> None:
    report, (private, public) = report_in(tmp_path, "failed"), key_in(tmp_path)
    assert sign(report, private) == Exit.PASSED
    alone = tmp_path / "verifier.py"
    source = Path(verifier.__file__).read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 200
    assert not re.search(r"^\s*(?:import|from) rollback_drill", source, re.MULTILINE)
    alone.write_text(source, encoding="utf-8")
    for words, code, told in (
        ([str(report), str(public)], 0, "VERIFIED: the drill failed"),
        ([str(report), str(alone)], 1, "NOT VERIFIED"),
        ([str(report)], 2, "NOT VERIFIED"),
    ):
        command = [sys.executable, "-I", str(alone), *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (code, "")
        assert done.stdout.startswith(told)


def test_nothing_private_is_written_or_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, (private, _) = report_in(tmp_path), key_in(tmp_path)
    assert sign(report, private) == Exit.PASSED
    [line] = [one for one in private.read_text().splitlines() if "KEY" not in one]
    seed = base64.b64decode(line)[-32:]
    secret = [line.encode(), seed, seed.hex().encode(), base64.b64encode(seed)]
    said = "".join(capsys.readouterr()).encode()
    for body in (said, *(path.read_bytes() for path in report.rglob("*") if path.is_file())):
        assert not [one for one in secret if one in body]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("chmod 644 {}", "others can read"),
        ("chmod 640 {}", "others can read"),
        ("rm {}", "No such file"),
        ("echo no-key-at-all > {}", "something else"),
        ("openssl genpkey -quiet -algorithm rsa -out {}", "something else"),
        ("openssl genpkey -algorithm ed25519 -aes256 -pass pass:x -out {}", "passphrase"),
    ],
)
def test_a_key_that_will_not_do_is_refused(
    spoil: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, (private, _) = report_in(tmp_path), key_in(tmp_path)
    subprocess.run(["bash", "-ec", spoil.format(private)], check=True, capture_output=True)
    assert sign(report, private) == Exit.USAGE
    said = " ".join(capsys.readouterr().err.split())
    assert told in said
    assert "chmod 600" in said or "openssl" in said
    assert "no-key-at-all" not in said
    assert not (report / "evidence.json").exists()


def test_a_key_in_the_report_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = report_in(tmp_path)
    assert sign(report, key_in(report)[0]) == Exit.USAGE
    assert "outside of the report" in capsys.readouterr().err


def test_no_key_is_told_how_to_give_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evidence"]) == Exit.USAGE
    assert "KEY=signer.pem" in capsys.readouterr().err


def _changed(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("verdict.json", '"verdict": "failed"', '"verdict": "passed"'),
        ("index.html", "</main>", "<p>all well</p></main>"),
        ("postmortem.md", "\n", "\n\n"),
    ],
)
def test_what_does_not_follow_from_the_timeline_is_not_signed(
    name: str, old: str, new: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, (private, _) = report_in(tmp_path, "failed"), key_in(tmp_path)
    _changed(report / name, old, new)
    assert sign(report, private) == Exit.USAGE
    said = capsys.readouterr().err
    assert f"{name} as it follows from the timeline" in said.replace("\n", " ")
    assert "make report FROM=" in said or "rollback-drill report" in said


def test_a_page_of_another_drill_is_not_signed(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    report, other = report_in(tmp_path), report_in(tmp_path / "other", "failed")
    private, _ = key_in(tmp_path)
    (other / "index.html").replace(report / "index.html")
    assert sign(report, private) == Exit.USAGE


@pytest.mark.parametrize("cut", ["torn", "killed", "lacking"])
def test_a_timeline_that_is_not_whole_is_not_signed(
    cut: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, (private, _) = report_in(tmp_path), key_in(tmp_path)
    path = report / "timeline.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    if cut == "lacking":
        lines.pop(len(lines) // 2)
    whole = b"".join(lines)
    last = len(lines[-1])
    path.write_bytes({"torn": whole[:-5], "killed": whole[:-last], "lacking": whole}[cut])
    assert main(["report", "--from", str(path), "--report", str(report)]) == Exit.UNKNOWN
    assert sign(report, private) == Exit.USAGE
    assert "breaks off or lacks events" in capsys.readouterr().err
