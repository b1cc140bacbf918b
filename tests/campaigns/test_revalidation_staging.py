"""Revalidating on a staging environment: what is found by reading is written whatever comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.kinto.environment import HERE, KintoStaging
from rollback_drill.campaigns.revalidation import revalidate
from rollback_drill.cli import main
from rollback_drill.conduct.request import Request
from rollback_drill.ground.errors import Exit, UsageError
from rollback_drill.stage.allowance import TRAFFIC_SHARE
from rollback_drill.stage.file import read_staging
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage
from tests.stage.staging_support import GOOD, fake_kubectl, needs_ssh, scripts_alone

RUNBOOK = (HERE / "runbook.md").read_text(encoding="utf-8")
BLOCKING = 'until curl -fs --max-time 2 -o /dev/null "$SERVICE_URL/v1/__heartbeat__"; do sleep 0.2'
NEVER = "tail -f app.log"
NOTHING = """
[service]
api = "other"
[[service.operations]]
name = "list"
method = "GET"
path = "/x"
"""
FAULT = f"""{NOTHING}
[[faults]]
name = "theirs"
symptom = "a neighbour is slow"
ours = false
inject = "true"
heal = "true"
path = "/x"
status = 500
[[faults]]
name = "broken"
symptom = "500"
inject = "touch {{folder}}/broken"
heal = "rm -f {{folder}}/broken"
path = "/x"
status = 500
"""


def asked(tmp_path: Path, toml: str, *words: str) -> tuple[int, dict[str, Any], Path]:
    """Revalidate a runbook that never returns; return the exit code, what was found, and the record
    of what hosts were told.
    """
    report = tmp_path / "report"
    (tmp_path / "staging.toml").write_text(toml.replace("{folder}", str(tmp_path)))
    (tmp_path / "ours.md").write_text(RUNBOOK.replace("git fetch --quiet", f"{NEVER}\ngit fetch"))
    status = main(
        ["revalidate", "--stage", f"{tmp_path}/staging.toml", "--runbook", f"{tmp_path}/ours.md",
         "--report", str(report), *words]
    )  # fmt: skip
    return status, json.loads((report / "findings.json").read_text()), tmp_path / "bin" / "record"


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with scripts_alone():
        record = fake_kubectl(tmp_path / "bin")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
        yield record


def says(found: dict[str, Any], id_: str) -> list[str]:
    return [one["what"] for one in found["findings"] if one["id"].startswith(id_)]


@pytest.mark.parametrize(
    ("toml", "words", "told"),
    [
        (GOOD + FAULT, ["--fault", "brokn"], "did you mean broken?"),
        (GOOD + NOTHING, [], "a fault of the release among [[faults]]"),
        (GOOD.replace('"v2"', '"FILL IN: the tag"') + FAULT, [], "FILL IN"),
        (GOOD.replace("pod =", "podd =") + FAULT, [], "did you mean pod?"),
    ],
    ids=["another fault", "no fault", "not filled in", "a key that there is not"],
)
def test_what_was_asked_for_wrongly_deploys_nothing_and_what_was_read_is_told(
    tmp_path: Path,
    kubectl: Path,
    capsys: pytest.CaptureFixture[str],
    toml: str,
    words: list[str],
    told: str,
) -> None:
    status, found, record = asked(tmp_path, toml, *words)
    assert status == Exit.USAGE
    out, err = capsys.readouterr()
    assert told in err
    assert f"Findings, by reading alone: {tmp_path}/report/findings.md" in out
    assert not record.exists(), record.read_text()
    assert any(one.startswith("never-returns") for one in (f["id"] for f in found["findings"]))
    assert says(found, "not-performed") == ["not performed: any procedure"]
    assert not (tmp_path / "report" / "procedure-1").exists()


def test_what_was_read_is_told_of_an_environment_that_cannot_be_reached(
    tmp_path: Path, kubectl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (kubectl.parent / "kubectl").write_text("#!/bin/sh\necho 'no route to host' >&2; exit 1\n")
    status, found, _ = asked(tmp_path, GOOD + FAULT)
    assert status == Exit.FAILED  # for what was read
    assert any(one["id"].startswith("never-returns") for one in found["findings"])
    (unreached,) = (one for one in found["findings"] if one["id"] == "procedure-1-1")
    assert unreached["severity"] == "medium"
    assert "app-1" in unreached["what"] + unreached["evidence"], unreached
    assert not says(found, "not-performed")
    assert not (tmp_path / "touched").exists()


def test_of_several_procedures_none_is_performed_before_all_can_be(
    tmp_path: Path, kubectl: Path
) -> None:
    (tmp_path / "staging.toml").write_text((GOOD + FAULT).replace("{folder}", str(tmp_path)))
    second = RUNBOOK[RUNBOOK.index("### Procedure 1") : RUNBOOK.index("## Verification")]
    text = RUNBOOK.replace(
        "## Verification", second.replace("Procedure 1", "Procedure 2", 1) + "## Verification"
    )
    (tmp_path / "ours.md").write_text(text)
    stage = f"{tmp_path}/staging.toml"
    opened = 0

    def open_it() -> Any:
        nonlocal opened
        opened += 1
        if opened == 2:  # its file has changed meanwhile
            (tmp_path / "staging.toml").write_text(
                (GOOD + NOTHING).replace("{folder}", str(tmp_path))
            )
        return open_stage(stage, StageOptions(), print)

    request = Request(tmp_path / "ours.md", tmp_path / "report", stage=stage, fault="")
    with pytest.raises(UsageError, match="among"):
        revalidate(request, open_it, print)
    assert opened == 2
    assert not kubectl.exists()


@pytest.mark.slow
@pytest.mark.wide  # a drill like others, on an environment that others drill; the ways to it are above
@needs_ssh
def test_a_foreign_runbook_is_performed_on_its_own_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = f"timeout 40 bash -c '{BLOCKING}; done'"
    assert waits in RUNBOOK
    text = RUNBOOK.replace(waits, f"{waits}\ngit no-such-command")
    (tmp_path / "ours.md").write_text(text)
    with scripts_alone(), KintoStaging() as machine:
        for name, value in machine.variables.items():
            monkeypatch.setenv(name, value)
        status = main(
            ["revalidate", "--stage", str(HERE / "staging.toml"), "--runbook",
             f"{tmp_path}/ours.md", "--report", f"{tmp_path}/report"]
        )  # fmt: skip
    found = json.loads((tmp_path / "report" / "findings.json").read_text())
    assert status == Exit.FAILED
    planted = [one for one in found["findings"] if "no-such-command" in one["evidence"]]
    assert planted, found["findings"]
    assert not says(found, "not-performed")
    lines = (tmp_path / "report" / "procedure-1" / "timeline.jsonl").read_text().splitlines()
    (began,) = (e for e in map(json.loads, lines) if e["kind"] == "DrillStarted")
    limit = read_staging(HERE / "staging.toml").limits.rate
    assert (began["fault"], began["rate"]) == ("settings-gone-wrong", TRAFFIC_SHARE * limit)
