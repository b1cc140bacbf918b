"""What a runbook's pip and uv can change on a host that is this very machine."""

from __future__ import annotations

import os
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from rollback_drill.stage.host import LocalHost
from rollback_drill.stage.programs import BIN, interpreter, search_path

NAME = "made_for_this_test"


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A package whose installation is seen."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    about = f"{NAME}-1.dist-info"
    with zipfile.ZipFile(folder / f"{NAME}-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{NAME}.py", "")
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1\n")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", f"{NAME}.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n")
    return folder


@pytest.fixture
def activated(tmp_path: Path) -> Path:
    """An environment with pip's script, which its user has activated."""
    folder = tmp_path / "activated"
    venv.EnvBuilder(symlinks=True).create(folder)
    (folder / "bin" / "pip").write_text(
        f"#!{folder}/bin/python\nimport sys\nsys.path.append({str(pip_in())!r})\n"
        "from pip._internal.cli.main import main\nsys.exit(main())\n"
    )
    (folder / "bin" / "pip").chmod(0o755)
    return folder


def pip_in() -> Path:
    (found,) = BIN.parent.glob("lib/python*/site-packages/pip")
    return found.parent


def host_with(path: str, app: Path, wheels: Path) -> LocalHost:
    settings = {
        "PATH": path, "HOME": str(app), "UV_FIND_LINKS": str(wheels), "UV_NO_INDEX": "1",
        "UV_OFFLINE": "1", "PIP_REQUIRE_VIRTUALENV": "1", "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels), "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }  # fmt: skip
    app.mkdir(exist_ok=True)
    return LocalHost("host-1", app, settings)


def installed_in(environment: Path) -> bool:
    return any(environment.glob(f"lib/python*/site-packages/{NAME}.py"))


def test_an_environment_that_is_activated_is_out_of_reach(
    tmp_path: Path, wheels: Path, activated: Path
) -> None:
    given = f"{activated}/bin:{os.environ['PATH']}"
    app = tmp_path / "app"
    reached = host_with(given, app, wheels).run(f"pip install -q {NAME}", limit_s=60)
    assert reached.ok, reached.stderr
    assert installed_in(activated)  # as it would be with the user's own PATH
    (*_, found) = activated.glob(f"lib/python*/site-packages/{NAME}.py")
    found.unlink()
    host = host_with(search_path(tmp_path / "bin", given=given), app, wheels)
    for command in ("pip install -q", "python3 -m pip install -q", "uv pip install -q"):
        assert not host.run(f"{command} {NAME}", limit_s=60).ok
    assert not installed_in(activated)
    assert not installed_in(BIN.parent)


def test_uv_changes_the_environment_of_the_folder_in_which_it_runs(
    tmp_path: Path, wheels: Path
) -> None:
    host = host_with(search_path(tmp_path / "bin"), tmp_path / "app", wheels)
    done = host.run(f"uv venv -q; uv pip install -q {NAME}; uv python find", limit_s=60)
    assert done.ok, done.stderr
    assert installed_in(tmp_path / "app" / ".venv")
    assert done.stdout.startswith(str(tmp_path / "app" / ".venv"))


def test_the_interpreter_is_the_suites_without_its_packages(tmp_path: Path) -> None:
    host = host_with(search_path(tmp_path / "bin"), tmp_path / "app", tmp_path)
    done = host.run("python3 -c 'import sys; print(sys.version)'", limit_s=60)
    assert done.stdout.strip() == sys.version.strip()
    assert not host.run("python3 -c 'import psutil'", limit_s=60).ok
    assert host.run("command -v supervisorctl uv caddy", limit_s=60).ok
    assert sorted(one.name for one in interpreter().iterdir()) == ["python", "python3"]
