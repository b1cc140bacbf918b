"""What CI runs: the action, the component and this repository's own files that use them.

The scripts of both are run as a runner does, in a repository of its own: with what a caller gives
in the environment, by the shell that the runner takes, against the suite as a wheel installs it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollback_drill.ground.errors import Exit
from tests.house.wheel_support import ROOT, build

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTION = ROOT / "action.yml"
WIDE = pytest.mark.wide
COMPONENT = ROOT / "templates" / "rollback-drill.yml"
GITLAB = ROOT / ".gitlab-ci.yml"
HELD = "import pytest\ndef test_it():\n    assert {}, 'the runbook of `$(whoami)` lies'\n"
EVIL = 'x"; touch "$PWD/broken-out"; $(touch broken-out) `touch broken-out` ${{ 1 }} \'; touch broken-out #'


def read(path: Path) -> dict[Any, Any]:
    (found,) = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def component() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the component's inputs and its job."""
    head, body = yaml.safe_load_all(COMPONENT.read_text(encoding="utf-8"))
    ((_, job),) = body.items()
    return head["spec"]["inputs"], job


def steps() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in WORKFLOWS:
        for job in read(path)["jobs"].values():
            yield from ((path, step) for step in job["steps"])
    yield from ((ACTION, step) for step in read(ACTION)["runs"]["steps"])


def test_what_others_wrote_is_pinned_by_its_commit() -> None:
    used = [step["uses"] for _, step in steps() if "uses" in step]
    foreign = [one for one in used if one != "./"]
    assert len(foreign) > 5
    assert [one for one in foreign if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one)] == []
    versions = re.findall(
        r"uses: \S+@[0-9a-f]{40}(.*)", "".join(p.read_text() for p in (ACTION, *WORKFLOWS))
    )
    assert all(re.fullmatch(r" # v\d+\.\d+\.\d+", one) for one in versions)
    for job in (
        component()[0]["image"]["default"],
        *re.findall(r"image: (\S+)", GITLAB.read_text()),
    ):
        assert re.fullmatch(r"python:\d+\.\d+\.\d+-\w+", job)
    assert all(
        job["runs-on"] != "ubuntu-latest"
        for path in WORKFLOWS
        for job in read(path)["jobs"].values()
    )


def test_nothing_that_is_given_stands_in_a_script() -> None:
    scripts = [(path, step["run"]) for path, step in steps() if "run" in step]
    assert len(scripts) >= 5
    assert [path for path, script in scripts if "${{" in script] == []
    _, job = component()
    assert "$[[" not in "".join((*job["before_script"], *job["script"]))
    inputs = "".join(f"{v}" for v in job["variables"].values())
    assert all(
        f"inputs.{name} " in inputs or name in ("job", "job-stage", "image")
        for name in component()[0]
    )


def test_each_workflow_may_only_read_and_says_what_runs_beside_it() -> None:
    for path in WORKFLOWS:
        told = read(path)
        assert told["permissions"] == {"contents": "read"}, path
        assert told["concurrency"]["group"], path
        for job in told["jobs"].values():
            assert "permissions" not in job
            assert job["timeout-minutes"] <= 180
    checkouts = [s for _, s in steps() if s.get("uses", "").startswith("actions/checkout")]
    assert all(one["with"]["persist-credentials"] is False for one in checkouts)
    _, job = component()
    assert (job["resource_group"], job["interruptible"]) == ("$[[ inputs.job ]]", False)


def test_this_repository_uses_its_action_and_its_component() -> None:
    gate = read(ROOT / ".github" / "workflows" / "rollback-gate.yml")["jobs"]["gate"]
    (used,) = (step for step in gate["steps"] if step.get("uses") == "./")
    asked = read(ACTION)["inputs"]
    assert used["with"].keys() <= asked.keys()
    assert {name for name, one in asked.items() if one.get("required")} <= used["with"].keys()
    told = read(GITLAB)
    (included,) = told["include"]
    assert ROOT / included["local"] == COMPONENT
    inputs, job = component()
    assert included["inputs"].keys() <= inputs.keys()
    assert {name for name, one in inputs.items() if "default" not in one} <= included[
        "inputs"
    ].keys()
    ours = told[included["inputs"]["job"]]
    assert ours.keys() == {"variables", "rules"}
    quarterly = next(rule for rule in ours["rules"] if "variables" in rule)
    assert quarterly["variables"].keys() <= job["variables"].keys()


@pytest.mark.parametrize("name", [".github/workflows/nightly.yml", ".gitlab-ci.yml"])
def test_what_is_wide_is_run_at_night(name: str) -> None:
    assert "make test-all" in (ROOT / name).read_text()


@dataclass
class Runner:
    """A runner with a repository of a team's own. `page`: of the job; `outputs`: of its steps."""

    folder: Path
    program: str
    more: Mapping[str, str] = field(default_factory=dict)  # variables of the job

    def __post_init__(self) -> None:
        self.repository = self.folder / "repository"
        self.page, self.outputs = self.folder / "page.md", self.folder / "outputs"
        (self.repository / "drills").mkdir(parents=True)
        (self.repository / "ours.md").write_text((ROOT / "runbook" / "rollback.md").read_text())
        self.page.touch()
        program = self.folder / "rollback-drill" / "bin" / "rollback-drill"
        program.parent.mkdir(parents=True)
        program.write_text(self.program)
        program.chmod(0o755)

    def shell(self, words: list[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        told = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON"))}
        runner = {
            "HOME": str(self.folder),
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_STEP_SUMMARY": str(self.page),
            "GITHUB_OUTPUT": str(self.outputs),
        }
        return subprocess.run(
            words, cwd=self.repository, env={**told, **runner, **env},
            capture_output=True, text=True, timeout=1200, check=False,
        )  # fmt: skip

    def install(self, suite: Path) -> subprocess.CompletedProcess[str]:
        """Run the action's step that installs it, out of `suite`."""
        (step,) = (one for one in read(ACTION)["runs"]["steps"] if "SUITE" in one.get("env", {}))
        assert step["env"] == {"SUITE": "${{ github.action_path }}"}
        index = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "UV_", "SSL_"))}
        return self.bash(step["run"], {**index, "SUITE": str(suite)})

    def bash(self, script: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        path = self.folder / "step.sh"
        path.write_text(script)
        return self.shell(["bash", "--noprofile", "--norc", "-eo", "pipefail", str(path)], env)

    def action(self, **given: str) -> subprocess.CompletedProcess[str]:
        """Run the action's step that holds it; `given`: inputs, "_" for "-"."""
        told = read(ACTION)
        inputs = {name: str(one.get("default", "")) for name, one in told["inputs"].items()}
        inputs |= {name.replace("_", "-"): value for name, value in given.items()}
        (step,) = (one for one in told["runs"]["steps"] if one.get("id") == "run")
        env = {}
        for name, value in step["env"].items():
            wanted = re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", value)
            assert wanted, value
            env[name] = inputs[wanted[1]]
        return self.bash(step["run"], {**env, **self.more})

    def job(self, **given: str) -> subprocess.CompletedProcess[str]:
        """Run the component's script, as `given` by whoever includes it."""
        inputs, job = component()
        values = {name: str(one.get("default", "")) for name, one in inputs.items()}
        values |= {name.replace("_", "-"): value for name, value in given.items()}

        def filled(text: str) -> str:
            return re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda one: values[one[1]], text)

        env = {name: filled(value) for name, value in job["variables"].items()}
        place = str(self.folder / "rollback-drill" / "bin")
        script = "\n".join(job["script"]).replace("/tmp/rollback-drill/bin", place)
        assert place in script
        return self.shell(["sh", "-e", "-c", script], env)

    def verdict(self) -> str:
        return self.outputs.read_text()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The command, as a script, of the suite as a wheel installs it."""
    folder = tmp_path_factory.mktemp("ci")
    with zipfile.ZipFile(build(folder / "tree", folder / "dist")) as opened:
        opened.extractall(folder / "site")
    return (
        f"#!/bin/sh\nexport PYTHONPATH='{folder}/site'\n"
        f"exec '{sys.executable}' -m rollback_drill \"$@\"\n"
    )


@pytest.fixture
def runner(tmp_path: Path, installed: str) -> Runner:
    return Runner(tmp_path, installed)


@pytest.mark.parametrize(
    ("how", "holds"),
    [("action", False), ("action", True), ("job", False), pytest.param("job", True, marks=WIDE)],
)
def test_a_red_gate_turns_the_step_red_and_a_green_one_does_not(
    how: str, holds: bool, runner: Runner
) -> None:
    (runner.repository / "drills" / "test_it.py").write_text(HELD.format(holds))
    done = getattr(runner, how)(runbook="ours.md", features="drills")
    assert done.returncode == (0 if holds else 1), done.stdout + done.stderr
    assert (runner.repository / "reports" / "rollback" / "junit.xml").exists()
    assert runner.page.read_text().count("## Rollback gate") == 1
    assert f"## Rollback gate: {'passed' if holds else 'FAILED'}" in runner.page.read_text()
    if how == "action":
        assert runner.verdict() == f"verdict={'passed' if holds else 'failed'}\n"


@pytest.mark.parametrize("how", ["action", "job"])
@pytest.mark.parametrize("command", ["gate", "drill", "revalidate"])
def test_what_is_given_is_one_word_whatever_it_says(how: str, command: str, tmp_path: Path) -> None:
    runner = Runner(tmp_path, '#!/bin/sh\nprintf \'%s\\n\' "$@" > "$HOME/words"\n')
    names = ("runbook", "features", "tier", "fault", "report", "stage", "fail_on", "history")
    given = {name: f"{name} {EVIL}" for name in names}
    if how == "job":
        given.pop("history")
    done = getattr(runner, how)(**given, command=command)
    assert done.returncode == 0, done.stderr
    first, *words = (tmp_path / "words").read_text().splitlines()
    assert first == command
    told = {word.partition("=")[0].strip("-"): word.partition("=")[2] for word in words}
    assert all(one.startswith("--") for one in words)
    assert told["runbook"] == given["runbook"]
    assert {*told} == {
        "gate": {"runbook", "report", "tier", "stages", "history", "features"},
        "drill": {"runbook", "report", "stage", "fault", "history"},
        "revalidate": {"runbook", "report", "stage", "fault", "fail-on"},
    }[command]
    assert all(told[name] == given[name.replace("-", "_")] for name in told.keys() & given.keys())
    assert [*tmp_path.rglob("broken-out")] == []


def test_a_command_that_there_is_not_is_misused(runner: Runner) -> None:
    done = runner.action(command="gaet", runbook="ours.md")
    assert done.returncode == Exit.USAGE
    assert "Expected the command gate, drill or revalidate; found 'gaet'." in done.stderr
    assert runner.verdict() == "verdict=misused\n"


def test_a_drill_that_could_not_be_held_is_red_and_the_page_says_so_once(runner: Runner) -> None:
    done = runner.action(command="drill", runbook="ours.md", stage="processes", fault="no-such")
    assert done.returncode == Exit.USAGE
    assert runner.verdict() == "verdict=misused\n"
    page = runner.page.read_text()
    assert page.count("## Rollback drill") == 1
    assert "    Expected a fault" in page, page  # as a block of code


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(0, "passed"), (1, "failed"), (2, "misused"), (3, "unknown"), (137, "failed")],
)
def test_each_exit_code_reaches_the_runner(tmp_path: Path, status: int, verdict: str) -> None:
    said = "::add-mask::a&echo ::error::planted"
    runner = Runner(tmp_path, f"#!/bin/sh\necho '{said}'\nexit {status}\n")
    done = runner.action(command="drill", runbook="ours.md")
    assert done.returncode == status
    assert runner.verdict() == f"verdict={verdict}\n"
    stop, *between, go_on = done.stdout.splitlines()
    assert stop.startswith("::stop-commands::")
    assert go_on == f"::{stop.rpartition('::')[2]}::"
    assert between == [said]  # where the runner takes nothing for a command
    assert Runner.job(runner, command="drill", runbook="ours.md").returncode == status


@WIDE  # fetches all that the suite needs; what it runs is held above, at each push
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_this_repositorys_gate_is_held_by_what_the_action_installs(tmp_path: Path) -> None:
    runner = Runner(tmp_path, "", {"PYTHONSAFEPATH": "1"})  # as its workflow says
    shutil.rmtree(tmp_path / "rollback-drill")
    shutil.rmtree(runner.repository)
    build(runner.repository, tmp_path / "dist")  # a checkout
    done = runner.install(runner.repository)
    assert done.returncode == 0, done.stderr
    done = runner.action(runbook="runbook/rollback.md", features="demo", tier="smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "## Rollback gate: passed" in runner.page.read_text()
    assert runner.verdict() == "verdict=passed\n"
