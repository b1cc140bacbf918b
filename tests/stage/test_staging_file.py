from pathlib import Path

import pytest

from rollback_drill.breaks.scripted import fault_called
from rollback_drill.cli import main
from rollback_drill.ground.errors import UsageError
from rollback_drill.stage import file as staging
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.traffic.interface import Interface

GOOD = """
[stage]
name = "eu"
kind = "staging"
failing = "v2"
stable = "v1"
base_url = "https://staging.example.com/"
[[hosts]]
name = "app-1"
ssh = "deploy@app-1.example.com"
directory = "/opt/app"
url = "http://app-1.example.com:8000"
[environment_from]
PGPASSWORD = "EU_PGPASSWORD"
[service]
api_key_from = "EU_KEY"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "staging.toml"
    path.write_text(text)
    return path


def test_secrets_come_from_the_shell_and_are_known_as_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EU_KEY", "key-of-staging")
    monkeypatch.delenv("EU_PGPASSWORD", raising=False)
    found = staging.read_staging(write(tmp_path, GOOD))
    assert found.api_key == "key-of-staging"
    assert found.secrets == {"key-of-staging"}
    assert found.missing == ("EU_PGPASSWORD",)
    assert found.base_url == "https://staging.example.com"
    assert found.api == "listings"
    assert found.interface == Interface()


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('kind = "staging"', 'kind = "production"', "may be broken"),
        ('kind = "staging"', "", "stage.kind"),
        ('failing = "v2"', "failing = 2", "stage.failing"),
        ('ssh = "deploy@app-1.example.com"', "", "one of ssh, container, pod"),
        ('name = "app-1"', 'name = "app-1"\npod = "app-1"', "one of ssh, container, pod"),
        ('directory = "/opt/app"', "", "directory"),
        ('url = "http://app-1.example.com:8000"', 'url = "app-1"', "http://"),
        ("[[hosts]]", "[hosts]", "[[hosts]]"),
        ("[service]", "[services]", "services"),
        ("[service]", "[scripts]\nreboot = 'x'\n[service]", "scripts.reboot"),
        ("[service]", "[checks]\n'(' = 'true'\n[service]", "regular expression"),
        ("[service]", "[limits]\nrates = 1\n[service]", "limits[.]rates|limits.rates"),
        ("[service]", "[service]\napi = 'other'", "service.operations"),
        ("[service]", "[[faults]]\nname = 'x'\n[service]", "faults[1]"),
        ("[stage]", "[stage", "TOML"),
        ("[stage]", "[stage]\nmaker = '/etc/may-be-broken'", "stage.maker"),
        ("[stage]", "[stage]\nalternatives = 'systemd'", "a list of texts for stage.alternatives"),
        ("[stage]", "[stage]\nmarker = true", "stage.marker"),
        ("[service]", "[service]\nhealht = '/up'", "service.healht"),
        ("[service]", "[service]\nkey_header = 3", "service.key_header"),
        ("[service]", "[database]\ndsn = 'postgresql://'\n[service]", "database.dsn"),
        ("[service]", "[limits]\nrate = 'fast'\n[service]", "a number for limits.rate"),
        ("[service]", "[limits]\nrequests = 1.5\n[service]", "a whole number for limits.requests"),
        ("[service]", "[limits]\nminutes = 0\n[service]", "above 0 for limits.minutes"),
        ("[service]", "[limits]\nrate = inf\n[service]", "above 0 for limits.rate"),
        ("[service]", "limits = 3\n[service]", "environment_from.limits"),
        ("[service]", "[environment]\nA = ['b']\n[service]", "a text in quotes for environment.A"),
        ("[service]", "[scripts]\npid = 1\n[service]", "scripts.pid"),
        ('name = "app-1"', 'name = "app-1"\nport = "22"', "a whole number for hosts[1].port"),
        (
            'name = "app-1"',
            'name = "app-1"\noptions = "-i key"',
            "a list of texts for hosts[1].options",
        ),
        ('name = "app-1"', 'name = "app-1"\nenvironment = {A = 1}', "hosts[1].environment"),
        (
            "[service]",
            "[[hosts]]\nname = 'app-1'\nssh = 'b'\ndirectory = '/'\nurl = 'http://b'\n[service]",
            "a name of its own",
        ),
        (
            "[service]",
            "[[faults]]\nname = 'x'\nsymptom = ''\ninject = ''\nheal = ''\npath = ''\nstatus = '405'\n[service]",
            "a whole number for faults[1].status",
        ),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_place(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    assert old in GOOD
    with pytest.raises(UsageError) as caught:
        staging.read_staging(write(tmp_path, GOOD.replace(old, new, 1)))
    assert any(one in str(caught.value) for one in named.split("|"))


def test_a_file_that_is_not_there_is_a_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="examples/kinto"):
        open_stage(str(tmp_path / "no.toml"), StageOptions(), print)


def test_a_stage_without_its_variables_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EU_PGPASSWORD", raising=False)
    monkeypatch.delenv("EU_KEY", raising=False)
    stage = open_stage(str(write(tmp_path, GOOD)), StageOptions(), print)
    with pytest.raises(UsageError, match="EU_PGPASSWORD, EU_KEY"), stage:
        pass


def test_a_network_that_cannot_be_slowed_down_is_told_before_anything_is_touched(
    tmp_path: Path,
) -> None:
    stage = open_stage(str(write(tmp_path, GOOD)), StageOptions(), print)
    with pytest.raises(UsageError, match=r"a network that can be slowed down.*none on eu"):
        fault_called("slow-network", stage)
    assert fault_called("lost-load-balancer", stage).ours is False
    able = GOOD + "[scripts]\nslow_network = 'true'\n"
    stage = open_stage(str(write(tmp_path, able)), StageOptions(), print)
    assert fault_called("slow-network", stage).name == "slow-network"


def test_a_hazard_without_a_database_is_told_before_anything_is_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(write(tmp_path, GOOD))
    words = ["drill", "--stage", file, "--procedure", "2", "--report", str(tmp_path / "r")]
    assert main([*words, "--hazard", "under-fire"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "a database that can be asked for HAZARD=under-fire; found none on eu" in told
    assert main([*words, "--hazard", "dirty-tree"]) == 2  # its file describes no fault either
    assert "a fault that eu can make" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "r").exists()


def test_a_port_in_the_environment_need_not_be_quoted(tmp_path: Path) -> None:
    text = GOOD.replace("[service]", "[environment]\nDB_PORT = 5432\n[service]")
    assert staging.read_staging(write(tmp_path, text)).environment["DB_PORT"] == "5432"
