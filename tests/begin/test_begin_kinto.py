"""`init` beside a service of strangers that really runs, then the check of what was filled in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from examples.kinto.environment import FOLDER, HERE, KintoStaging
from tests.begin.begin_support import FILE, ask, fill_in, open_fields
from tests.stage.staging_support import scripts_alone

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
SSH = f"""\
"127.0.0.1"
port = 8821
options = ["-i", "{FOLDER}/key", "-oUserKnownHostsFile={FOLDER}/known_hosts"]"""
BESIDE_SSH = 2  # port and options: nobody asks for them, and a person has to know them here


@pytest.fixture
def kinto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with scripts_alone(), KintoStaging() as machine:
        for name, value in machine.variables.items():
            monkeypatch.setenv(name, value)
        yield


@pytest.mark.slow
@pytest.mark.drill
@pytest.mark.skipif(SSHD is None, reason="no sshd on this machine (openssh-server)")
def test_kinto_s_repository_gets_a_file_that_is_checked_after_few_fields(kinto: None) -> None:
    repository = FOLDER / "kinto"
    shutil.copy(HERE / "runbook.md", repository / "runbook.md")
    code, said = ask(repository, "init", "--url=http://127.0.0.1:8822")
    assert code == 0, said
    fields = open_fields(said)
    assert len(fields) + BESIDE_SSH <= 10, said
    values = {
        "stage.kind": '"staging"',
        "hosts[1].ssh": SSH,
        "hosts[1].directory": f'"{repository}"',
        "environment.EVIDENCE_DIR": f'"{FOLDER}/evidence"',
        "environment.LB_ADMIN": '"http://127.0.0.1:8824"',
        "environment.LOG_FILE": f'"{FOLDER}/kinto.log"',
        "environment.SUPERVISOR_CONF": f'"{FOLDER}/supervisord.conf"',
        "service.operations[1].path": '"/v1/"',
    }
    fill_in(repository, said, {place: values[place] for place in fields})
    code, checked = ask(repository, "check", f"--stage={FILE}", "--runbook=runbook.md")
    text = (repository / FILE).read_text()
    assert "ok       app-1 answers" in checked, checked
    for tag in ("v26.4", "v26.5"):
        assert f"ok       {tag} exists in the origin of app-1" in checked
        assert f'"{tag}"' in text
    assert "ok       v26.5 is what app-1 runs" in checked
    assert "ok       app-1 knows the runbook's variables" in checked
    assert "ok       the log on app-1 can be read" in checked
    assert "ok       the front door answers /v1/__lbheartbeat__: 200" in checked
    assert "ok       operation read 1 answers as the file says" in checked
    # What no look can know is told: what to break, and where its tools are.
    missing = [line for line in checked.splitlines() if line.startswith("MISSING")]
    assert [line.split(":")[0] for line in missing] == [
        "MISSING  app-1 has the runbook's programs",
        "MISSING  something can be broken",
    ]
    assert code == 1
