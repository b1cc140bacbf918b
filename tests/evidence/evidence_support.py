"""Reports of simulated drills, signed, and what can be done to them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from rollback_drill.campaigns.simulation import simulate_with_report
from rollback_drill.conduct.worlds import Draw
from rollback_drill.evidence import envelope
from rollback_drill.evidence.verifier import examine

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = ROOT / "runbook" / "rollback.md"
DRAWS = {
    "passed": Draw(1, "error-rate-critical", procedure="1"),
    "failed": Draw(1, "error-rate-critical", procedure="1", plant="old-name-cut"),
    "unknown": Draw(3, "slow-pages-5x", procedure="2", loss="reader"),
}
Event = dict[str, Any]
_KEPT = TemporaryDirectory(prefix="evidence-")


@cache
def kept_report(name: str) -> Path:
    """Return the report of a drill with this verdict, held once; nobody may change it."""
    folder = Path(_KEPT.name, name)
    folder.mkdir()
    one = simulate_with_report(DRAWS[name], RUNBOOK, folder)
    assert one.verdict == name
    return folder


def report_in(folder: Path, name: str = "passed") -> Path:
    """Return a report of one's own in `folder`."""
    return Path(shutil.copytree(kept_report(name), folder / "report"))


def key_in(folder: Path) -> tuple[Path, Path]:
    """Make a key as docs/evidence.md says; return where its private and public halves are."""
    private, public = folder / "signer.pem", folder / "signer.pub"
    made = (
        "umask 077; openssl genpkey -algorithm ed25519 -out {}; openssl pkey -in {} -pubout -out {}"
    )
    subprocess.run(["bash", "-ec", made.format(private, private, public)], check=True)
    return private, public


def resign(report: Path, private: Path, change: Callable[[Event], object]) -> None:
    """Sign what `change` makes of the statement: as who holds the key may, whatever he states."""
    import base64
    import hashlib

    told = json.loads(
        base64.b64decode(json.loads((report / "evidence.json").read_text())["payload"])
    )
    for one in told["subject"]:
        body = (report / one["name"]).read_bytes()
        one["digest"]["sha256"] = hashlib.sha256(body).hexdigest()
    change(told)
    key = load_pem_private_key(private.read_bytes(), None)
    (report / "evidence.json").write_bytes(envelope.envelope(told, key))  # type: ignore[arg-type]


def verified(report: Path, public: Path) -> int:
    """Return the verifier's exit code; what it raises is what it calls not verified."""
    try:
        return examine(report, public)[0]
    except Exception:
        return 1


def lines_of(path: Path) -> list[Event]:
    """Return the events of a timeline as they are written."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def write_lines(path: Path, events: list[Event]) -> None:
    """Write them as a whole record, without the sums by which a change would be seen."""
    recorded = Counter(one["kind"] for one in events[:-1])
    if events[-1]["kind"] == "DrillEnded":
        events[-1]["recorded"] = recorded
    plain = ({name: value for name, value in one.items() if name != "sum"} for one in events)
    path.write_text("".join(json.dumps(one) + "\n" for one in plain))


def of_kind(events: list[Event], kind: str) -> Iterator[Event]:
    """Yield the events of a kind."""
    return (one for one in events if one["kind"] == kind)
