"""`init` finds what is there, says where, leaves the rest to a person, and keeps what he wrote."""

from __future__ import annotations

import json
import re
import shutil
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from rollback_drill.begin.folder import Folder
from rollback_drill.cli import main
from rollback_drill.stage.schema import schema, schema_text
from tests.begin.begin_support import FILE, ROOT, ask, fill_in, open_fields, tagged

SECRET = "s3cr3t-Pa55word-of-shop"
COMPOSE = f"""
services:
  db:
    image: postgres:16
  shop:
    build: .
    environment:
      DATABASE_URL: postgresql://shop:{SECRET}@db/shop
      SHOP_API_KEY: {SECRET}
"""
UNIT = f"""
[Service]
WorkingDirectory=/opt/shop
ExecStart=/opt/shop/run
Environment=SHOP_TOKEN={SECRET}
"""
SUPERVISOR = f"""
[program:shop]
command=/opt/shop/run
directory=/srv/shop
stderr_logfile=/var/log/shop.err
environment=SHOP_TOKEN="{SECRET}"
"""
DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/orders": {"get": {}, "post": {}},
        "/orders/{id}": {"get": {}},
        "/search": {"get": {"parameters": [{"name": "q", "in": "query", "required": True}]}},
        "/healthz": {"get": {}},
    },
    "components": {"securitySchemes": {"k": {"type": "apiKey", "in": "header", "name": "X-Shop"}}},
}


@contextmanager
def served(pages: dict[str, str]) -> Iterator[str]:
    """Serve `pages` by their paths; give the URL."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in pages else 404)
            self.end_headers()
            self.wfile.write(pages.get(self.path, "").encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shop"
    shutil.copytree(ROOT / "examples" / "own-repository", folder)
    monkeypatch.chdir(folder)
    return folder


def tables(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / FILE).read_text(encoding="utf-8"))


def test_a_team_s_repository_gets_a_file_with_few_fields_to_fill_in_and_is_checked(
    shop: Path,
) -> None:
    code, said = ask(shop, "init")
    assert code == 0, said
    fields = open_fields(said)
    assert 0 < len(fields) <= 10
    assert f"{len(fields)} fields to fill in" in said
    code, refused = ask(shop, "check", f"--stage={FILE}")
    assert code == 2
    assert open_fields(refused) == fields  # each with its name and its line
    with served({"/health": "{}", "/orders": "[]"}) as url:
        fill_in(
            shop,
            said,
            {
                "stage.kind": '"disposable"',
                "stage.failing": '"v1.5.0"',
                "stage.stable": '"v1.4.2"',
                "stage.base_url": f'"{url}"',
                "hosts[1].ssh": '"nobody@127.0.0.1"\nport = 1',
                "hosts[1].directory": '"/opt/shop"',
                "hosts[1].url": f'"{url}"',
                "service.operations[1].path": '"/orders"',
            },
        )
        code, checked = ask(shop, "check", f"--stage={FILE}")
    assert code == 1
    assert "MISSING  app-1 answers" in checked  # there is nobody behind this port
    assert "ok       the front door answers /health: 200" in checked
    assert "ok       operation read 1 answers as the file says" in checked
    assert "MISSING  something can be broken" in checked


def test_what_stands_in_the_repository_is_found_with_where(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "compose.yaml").write_text(COMPOSE)
    (shop / "deploy").mkdir()
    (shop / "deploy" / "shop.service").write_text(UNIT)
    (shop / "deploy" / "supervisord.conf").write_text(SUPERVISOR)
    (shop / "Dockerfile").write_text("HEALTHCHECK CMD curl -f http://localhost:8000/up || exit 1\n")
    (shop / "openapi.json").write_text(json.dumps(DOCUMENT))
    (shop / "alembic.ini").write_text("[alembic]\n")
    (shop / ".env").write_text(f"PGPASSWORD={SECRET}\n")
    tagged(shop, "v1.9.0", "v1.10.0", "v1.11.0-rc1", "nightly")
    assert main(["init"]) == 0
    found, text = tables(shop), (shop / FILE).read_text()
    assert (found["stage"]["failing"], found["stage"]["stable"]) == ("v1.10.0", "v1.9.0")
    assert found["hosts"][0]["directory"] == "/opt/shop"
    assert "found: deploy/shop.service, WorkingDirectory" in text
    assert found["service"]["health"] == "/up"
    assert found["service"]["key_header"] == "X-Shop"
    assert found["service"]["api_key_from"] == "SHOP_API_KEY"
    assert [one["path"] for one in found["service"]["operations"]] == ["/orders"]
    assert "docker compose ps -q shop" in found["scripts"]["pid"]
    assert "# alembic upgrade head  # found: alembic.ini (alembic)" in text
    assert '# dsn_from = "DATABASE_URL"' in text
    assert "procedure 1, Rollback procedure: 2 steps" in text
    assert SECRET not in text
    assert SECRET not in capsys.readouterr().out
    jsonschema_rs.validate(
        {**schema(), "required": []}, {**found, "stage": found["stage"] | {"kind": "staging"}}
    )


@pytest.mark.parametrize(
    ("name", "text", "command", "table"),
    [
        ("manage.py", "import django\n", "python manage.py migrate", "django_migrations"),
        ("sql/V1__begin.sql", "", "flyway migrate", "flyway_schema_history"),
        ("flyway.conf", "", "flyway migrate", "flyway_schema_history"),
        ("knexfile.js", "", "npx knex migrate:latest", "knex_migrations"),
        ("package.json", '{"dependencies": {"knex": "3"}}', "npx knex migrate:latest",
         "knex_migrations"),
        ("alembic.ini", "", "alembic upgrade head", None),  # which is left out of all accounts
    ],
)  # fmt: skip
def test_how_the_database_is_migrated_is_suggested(
    shop: Path, name: str, text: str, command: str, table: str | None
) -> None:
    for path in shop.rglob("alembic.ini"):
        path.unlink()
    (shop / name).parent.mkdir(exist_ok=True)
    (shop / name).write_text(text)
    assert main(["init"]) == 0
    draft = (shop / FILE).read_text()
    assert f"# {command}" in draft
    assert re.findall(r'# changing = \["(.*)"\]', draft) == ([table] if table else [])


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ('-H "X-Shop: $SHOP_TOKEN"', "SHOP_TOKEN"),
        ("--header 'x-shop: ${SHOP_TOKEN}'", "SHOP_TOKEN"),
        ('-H "X-Pager: $PAGER_KEY"', None),  # somebody else's
        ('-H "X-Shop: Token $SHOP_TOKEN"', None),  # a part of what is sent
    ],
)
def test_the_key_is_the_one_that_the_runbook_sends_in_its_header(
    shop: Path, sent: str, found: str | None
) -> None:
    (shop / "openapi.json").write_text(json.dumps(DOCUMENT))
    shutil.rmtree(shop / "runbook")
    (shop / "rollback.md").write_text(
        f"# Rollback\n\n## Steps\n\n1. Restart\n\n```bash\ncurl {sent} http://shop/restart\n```\n"
    )
    assert main(["init"]) == 0
    assert tables(shop)["service"].get("api_key_from") == found


def test_without_git_no_tag_is_found(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tagged(shop, "v1.0.0", "v2.0.0")
    monkeypatch.setenv("PATH", str(shop / "nothing"))
    assert main(["init"]) == 0
    assert tables(shop)["stage"]["failing"].startswith("FILL IN")


def test_supervisor_s_settings_are_read(shop: Path) -> None:
    (shop / "supervisord.conf").write_text(SUPERVISOR)
    assert main(["init"]) == 0
    found = tables(shop)
    assert found["hosts"][0]["directory"] == "/srv/shop"
    assert found["service"]["printed"] == ["/var/log/shop.err"]
    assert found["scripts"]["pid"] == "supervisorctl pid shop"


def test_what_the_running_service_does_not_answer_is_left_to_a_person(shop: Path) -> None:
    with served({"/": "", "/openapi.json": json.dumps(DOCUMENT)}) as url:
        assert main(["init", f"--url={url}"]) == 0
    (one,) = tables(shop)["service"]["operations"]
    assert one["path"].startswith("FILL IN")


def test_a_running_service_is_asked(shop: Path) -> None:
    pages = {
        "/": "",
        "/healthz": "",
        "/orders": "[]",
        "/metrics": "# TYPE up gauge\nup 1\n",
        "/openapi.json": json.dumps(DOCUMENT),
    }
    with served(pages) as url:
        assert main(["init", f"--url={url}/"]) == 0
    found = tables(shop)
    assert found["stage"]["base_url"] == found["hosts"][0]["url"] == url
    service = found["service"]
    assert (service["health"], service["metrics"]) == ("/healthz", "/metrics")
    assert service["document"] == "/openapi.json"
    assert [one["path"] for one in service["operations"]] == ["/orders"]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "ftp://shop", "http://a:b@shop/", "http://s/?k=1"]
)
def test_a_service_that_cannot_be_asked_is_a_users_mistake(
    shop: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", f"--url={url}"]) == 2
    assert "Try:" in capsys.readouterr().err
    assert not (shop / FILE).exists()


def test_what_a_person_wrote_is_kept_and_what_would_be_is_said(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init"]) == 0
    path = shop / FILE
    mine = (
        path.read_text()
        .replace('failing = "FILL IN: such as v2.1.0"', 'failing = "canary"  # Ada says so')
        .replace("rate = 25", "rate = 7")
    )
    mine += "[environment]\nA = 'b'  # mine\n"
    path.write_text(mine)
    tagged(shop, "v1.0.0", "v2.0.0")
    capsys.readouterr()
    assert main(["init"]) == 0
    said = capsys.readouterr().out
    told = " ".join(said.split())
    assert 'Kept: stage.failing = "canary"; found now: "v2.0.0" (' in told
    assert "Kept: limits.rate = 7; found now: 25" in told
    assert 'Filled in: stage.stable = "v1.0.0"' in told
    assert "stage.stable" not in open_fields(said)
    assert path.read_text() == mine.replace('"FILL IN: such as v2.0.3"', '"v1.0.0"')
    path.write_text(path.read_text().replace("rate = 7\n", ""))
    before = path.read_bytes()
    assert main(["init"]) == 0
    assert "Left out there: limits.rate = 25" in " ".join(capsys.readouterr().out.split())
    assert path.read_bytes() == before


def test_a_file_that_is_no_toml_is_a_users_mistake_and_stays(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / FILE).write_text("[stage\n")
    assert main(["init"]) == 2
    assert "TOML in" in capsys.readouterr().err
    assert (shop / FILE).read_text() == "[stage\n"


def test_nothing_is_written_elsewhere(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = shop.parent / "outside"
    outside.mkdir()
    (outside / "theirs.toml").write_text("theirs = 1\n")
    (shop / "link.toml").symlink_to(outside / "theirs.toml")
    (shop / "away").symlink_to(outside)
    for to in (
        "../out.toml",
        "link.toml",
        "away/new.toml",
        f"{outside}/new.toml",
        "shop",
        "no/x.toml",
    ):
        assert main(["init", f"--to={to}"]) == 2, to
        assert "Expected TO: a file" in capsys.readouterr().err
    assert [one.name for one in outside.iterdir()] == ["theirs.toml"]
    assert (outside / "theirs.toml").read_text() == "theirs = 1\n"
    assert main(["init", f"--to={shop}/inside.toml"]) == 0
    assert (shop / "inside.toml").is_file()


def test_no_link_is_followed_to_look(shop: Path) -> None:
    outside = shop.parent / "outside"
    outside.mkdir()
    (outside / "x.service").write_text(UNIT)
    (shop / "shop.service").symlink_to(outside / "x.service")
    (shop / "away").symlink_to(outside)
    folder = Folder(shop)
    assert folder.called("*.service") == []
    assert folder.text("shop.service") == ""
    assert main(["init"]) == 0
    assert '/opt/shop"' not in (shop / FILE).read_text().replace("such as /opt/shop", "")


def test_odd_files_end_in_no_traceback(shop: Path) -> None:
    odd = {
        "compose.yaml": "services: {a: [1], b: null, c: {build: 1, environment: 3}}",
        "docker-compose.yml": "a: [",
        "x.service": "ExecStart=\nWorkingDirectory=-\n",
        "supervisord.conf": "[program:x\n[program:y]\ndirectory\n",
        "openapi.yaml": "paths: {1: 2, /a: {get: {parameters: 3}}}",
        "package.json": "[1]",
        "bad\x1b[31m.service": "ExecStart=/x\nWorkingDirectory=/opt/x\n",
    }
    for name, text in odd.items():
        (shop / name).write_text(text)
    (shop / "Dockerfile").write_bytes(b"\xff\xfe")
    assert main(["init"]) == 0
    assert tables(shop)["stage"]["name"] == "shop-staging"


def test_the_schema_is_printed_and_nothing_written(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "--schema=1"]) == 0
    assert capsys.readouterr().out == schema_text()
    assert not (shop / FILE).exists()
