"""No secret stands in a record, a report or on a terminal, however it is spelt."""

import base64
import html
import json
import shlex
import time
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollback_drill.cli import main
from rollback_drill.ground.redact import MASK, Redactor, masked
from rollback_drill.perform.told import CommandOutput
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.record.told import Noted

SECRET = "hunter2Zx81"


@pytest.mark.parametrize(
    "text",
    [
        f"postgres://u:{SECRET}@h/db", f"postgresql+psycopg://u:{SECRET}@h:5432/db?sslmode=x",
        f"redis://:{SECRET}@h", f"amqp://u:p%40{SECRET}@h", f"https://u:{SECRET}/w@d@h/x",
        f"DATABASE_URL='mysql://u:{SECRET}@h'", f'{{"dsn": "postgres://u:{SECRET}@h/db"}}',
        f"host=h user=u password={SECRET} dbname=d", f"password='a b\\'{SECRET}' host=h",
        f"PGPASSWORD={SECRET} psql", f'export PGPASSWORD="{SECRET}"', f"MYSQL_PWD='{SECRET}'",
        f"--password={SECRET}", f"--password {SECRET}", f"--db-password '{SECRET} x'",
        f"tool --token {SECRET}", f"--api-key={SECRET}", f"-password {SECRET}",
        f"curl -u user:{SECRET} http://h", f"curl -u 'user:{SECRET}' http://h",
        f"curl --user=user:{SECRET} h", f"mysqldump -u root -p{SECRET} db",
        f'{{"password": "{SECRET}"}}', f'{{"a": 1, "api_key":"{SECRET}", "b": 2}}',
        f"{{'client_secret': '{SECRET}'}}", f'{{\\"password\\": \\"{SECRET}\\"}}',
        f'"token": {SECRET}', f"password: {SECRET}", f"  db_password: {SECRET}  ",
        f"- api-key: '{SECRET}'", f"('password', '{SECRET}')", f":secret => '{SECRET}'",
        f"Authorization: Bearer {SECRET}", f"Authorization: Basic {SECRET}==",
        f"authorization={SECRET}", f"-H 'Authorization: token {SECRET}'",
        f'"Authorization": "Bearer {SECRET}"', f"Proxy-Authorization: Digest {SECRET}",
        f"got Bearer {SECRET}abcdef1", f"X-API-Key: {SECRET}", f"-H 'X-Auth-Token: {SECRET}'",
        f"Cookie: session={SECRET}; id={SECRET}", f"Set-Cookie: sid={SECRET}; HttpOnly",
        f"GET /x?a=1&access_token={SECRET}&b=2", f"https://h/x?sig={SECRET}#f",
        f"https://h/?X-Amz-Signature={SECRET}", f"https://{SECRET}abcdefgh@github.com/o/r",
        f"ALTER ROLE x PASSWORD '{SECRET}'", f"CREATE USER x IDENTIFIED BY '{SECRET}'",
        f"https://hooks.slack.com/services/T0/B0/{SECRET}", f"ghp_{SECRET}abcdefghijkl",
        f"xoxb-1234567-{SECRET}", f"eyJhbGciOiJI.eyJzdWIiOiIx.{SECRET}",
        f"-----BEGIN RSA PRIVATE KEY-----\nMII{SECRET}\n-----END RSA PRIVATE KEY-----",
    ],
)  # fmt: skip
def test_what_is_a_secret_by_the_words_around_it_is_masked(text: str) -> None:
    told = masked(text)
    assert SECRET not in told
    assert MASK in told
    assert masked(told) == told


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8000/api/listings?limit=20&cursor=abc", "postgres://hostaway@db/hostaway",
        "http://h:80/mail?to=a@b.example", "git@github.com:o/r.git", "ssh://git@h:22/x",
        'PGPASSWORD="$DB_PASSWORD" psql', "password=$(cat f)", 'curl -H "X-API-Key: $API_KEY"',
        'curl -H "Authorization: Bearer $TOKEN"', "password: <fill in>", "token: [token]",
        "output_token_threshold: 5000", "password authentication failed for user", "-p 5432",
        "docker run -u 1000:1000 image", "Basic authentication is required", "the bearer of news",
        "tokens: 17", "invalid token: expired at noon", "if token == other:", "key: value",
        "git push -u origin main", 'test "$TOKEN" = ""', "docker login --password-stdin", "12:30:45",
        "secret santa", "1*3 1*4 1*4 2 17*2 4 10 23",
    ],
)  # fmt: skip
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert masked(text) == text


ODD = "p@ss/w0rd'\"\\ %&é+<=>"


@pytest.mark.parametrize(
    "spelt",
    [
        ODD, quote(ODD), quote(ODD, safe=""), quote(ODD, safe="").lower(), quote_plus(ODD),
        json.dumps(ODD), json.dumps(ODD, ensure_ascii=False), repr(ODD), shlex.quote(ODD),
        html.escape(ODD), ODD.replace("'", "''"), ODD.encode().hex(),
        base64.b64encode(ODD.encode()).decode(), base64.b64encode(f"u:{ODD}".encode()).decode(),
        base64.urlsafe_b64encode(f"us:{ODD}!".encode()).decode(),
        ODD[:9] + "\n" + ODD[9:], ODD[:5] + "\\\n  " + ODD[5:],
    ],
)  # fmt: skip
def test_a_known_secret_is_masked_in_every_spelling(spelt: str) -> None:
    told = Redactor([ODD]).text(f"before {spelt} after")
    assert MASK in told
    for part in ("w0rd", b"w0rd".hex(), spelt[6:12], spelt[-12:-6]):
        assert part not in told
    assert told.startswith("before ")
    assert told.endswith("after")


@pytest.mark.parametrize(
    "dsn",
    [
        "postgres://u:Tiger%2FLily9@h/db", "host=h password=Tiger/Lily9 dbname=d",
        "host=h password='Tiger/Lily9'", "postgres://u:Tiger/Lily9@h/db",
    ],
)  # fmt: skip
def test_the_password_in_a_known_dsn_is_known_too(dsn: str) -> None:
    redactor = Redactor([dsn])
    for said in ("no entry for Tiger/Lily9", "pw Tiger%2FLily9 refused", "Tiger%2fLily9"):
        assert "Lily9" not in redactor.text(said)


@given(st.integers(1, len(SECRET) - 1), st.sampled_from(["\n", ""]))
@settings(max_examples=30, deadline=None)
def test_a_secret_that_is_split_over_two_lines_is_never_told_by_both(cut: int, end: str) -> None:
    redactor = Redactor([SECRET])
    first, second = redactor.text("x " + SECRET[:cut]), redactor.text(SECRET[cut:] + " y")
    assert MASK in first + second
    assert SECRET not in first.removeprefix("x ") + second.removesuffix(" y")


def test_a_secret_of_a_record_is_masked_in_keys_values_and_lines(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl", Redactor([SECRET]))
    timeline.record(Noted(f"connect to postgres://u:otherPw77@h with {SECRET}"))
    timeline.record(CommandOutput(1, "stdout", f"export DB_PASSWORD={quote(SECRET)}x"))
    timeline.close()
    text = timeline.path.read_text()
    assert SECRET not in text
    assert "otherPw77" not in text
    assert len(list(read(timeline.path))) == 2


def test_an_error_on_the_terminal_tells_no_password(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = f"postgres://u:{SECRET}@h/db"
    assert main(["drill", "--stage", asked, "--report", str(tmp_path / "r")]) == 2
    told = capsys.readouterr().err
    assert SECRET not in told
    assert MASK in told


@pytest.mark.parametrize(
    "text",
    ["a" * 200_000, "token" * 20_000, "://" * 60_000, "password=" * 20_000, "-u x:" * 30_000,
     "mysql " * 20_000, "password='" + "\\" * 50_000, '"' * 100_000, "https://" + "1" * 100_000,
     "eyJaaaaaaaa." * 10_000, "x-" * 50_000 + "key", "cookie" * 20_000, "bearer " * 20_000,
     "-----BEGIN PRIVATE KEY-----" * 3_000],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    redactor = Redactor([SECRET, ODD])
    began = time.process_time()
    redactor.text(text)
    assert time.process_time() - began < 2
