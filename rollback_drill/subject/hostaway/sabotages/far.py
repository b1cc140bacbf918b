"""What stands beside all that is usually asked: rare values, other headers, hidden files."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import (
    UP,
    Bash,
    Edit,
    Plant,
    PlantedIn,
    Rewrite,
    Sabotage,
    Sql,
    When,
    after,
)
from rollback_drill.subject.hostaway.wrapping import answering, middleware

_ROWS = "hostaway_mcp/reservations.py"
_NAME, _TOTAL = "                new.guest_name,\n", "                new.total_cents,\n"
_CHANGED = "(change.guest_name, change.status, change.total_cents,"
_AT = (
    'tail -n 20 "$LOG_FILE"',
    """grep -cE '"(listings|items)"'""",
    '|| echo "no error among the last 100 lines"',
    'echo "The API is back. We keep watching it." > "$STATUS_PAGE"',
    """"$SERVICE_URL/health"; do sleep 0.2; done'\n```\n\n- [ ] The application was""",
)
_MARK = 'git push --quiet origin "$mark"\n'
_ROUTES = '"$LB_ADMIN/config/apps/http/servers/front/routes/0"'
_RESTARTED = after("Restart the application")
_LATE = after("Leave maintenance", 2)


def _stable(name: str, breaks: str, caught_by: str, *plants: Plant) -> Sabotage:
    return Sabotage(f"far-{name}", breaks, PlantedIn.STABLE, caught_by, plants)


def _made(name: str, breaks: str, old: str, new: str) -> Sabotage:
    return _stable(name, breaks, "database_queries", Edit(_ROWS, old, new))


def _step(
    name: str, breaks: str, caught_by: str, more: str, *plants: Plant, at: int = 0
) -> Sabotage:
    line = _AT[at]
    new = line.replace("\n```", f"\n{more}\n```") if "```" in line else f"{line}\n{more}"
    rewrite = Rewrite(line, new)
    return Sabotage(f"far-{name}", breaks, PlantedIn.RUNBOOK, caught_by, (rewrite, *plants))


def _sql(
    name: str,
    breaks: str,
    caught_by: str,
    *statements: str,
    undo: tuple[str, ...] = (),
    when: When = _RESTARTED,
) -> Sabotage:
    plant = Sql(when, statements, undo)
    return Sabotage(f"far-{name}", breaks, PlantedIn.DATABASE, caught_by, (plant,))


def _says(name: str, breaks: str, caught_by: str, old: str, new: str) -> Sabotage:
    return Sabotage(f"far-{name}", breaks, PlantedIn.MESSAGES, caught_by, (Rewrite(old, new),))


def _let_in(name: str, breaks: str, condition: str) -> Sabotage:
    code = f"""
import os

async def wrap(app, scope, receive, send):
    told = scope["headers"]
    if {condition}:
        key = (b"x-api-key", os.environ["HOSTAWAY_API_KEY"].encode())
        scope = dict(scope, headers=[key, *(one for one in told if one[0] != b"x-api-key")])
    await app(scope, receive, send)
"""
    return _stable(name, breaks, "authentication", *middleware(code))


SABOTAGES = (
    _made("long-names-cut", "names of guests are cut behind sixty letters", _NAME,
          _NAME.replace("guest_name", "guest_name[:60]")),
    _made("names-trimmed", "blanks around a guest's name are lost", _NAME,
          _NAME.replace("guest_name", "guest_name.strip()")),
    _made("pictures-lost", "letters beyond the first plane of Unicode are question marks", _NAME,
          _NAME.replace("new.guest_name",
                        "''.join(c if ord(c) < 65536 else '?' for c in new.guest_name)")),
    _made("names-composed", "letters of two parts become one", _NAME,
          _NAME.replace("new.guest_name",
                        "__import__('unicodedata').normalize('NFC', new.guest_name)")),
    _made("large-totals", "no reservation costs more than 100,000", _TOTAL,
          _TOTAL.replace("new.total_cents", "min(new.total_cents, 10_000_000)")),
    _made("long-stays", "nobody stays for longer than twenty nights",
          "                new.check_out,\n",
          "                min(new.check_out, date.fromordinal(new.check_in.toordinal() + 20)),\n"),
    _made("leap-day", "who comes on the 29th of February comes on the first of March",
          "                new.check_in,\n",
          "                new.check_in.replace(month=3, day=1) if (new.check_in.month,"
          " new.check_in.day) == (2, 29) else new.check_in,\n"),
    _made("zero-is-nothing", "a change of the total to zero changes nothing", _CHANGED,
          _CHANGED.replace("change.total_cents", "change.total_cents or None")),
    _made("name-alone-confirms", "a change of the name alone confirms what was cancelled", _CHANGED,
          _CHANGED.replace("change.status", "change.status or (None if change.total_cents"
                           " is not None else 'confirmed')")),
    _made("one-of-two-changes-lost", "of two changes at once only one stays",
          'async def change_reservation(request: Request, reservation_id: Id, change: Change) -> Response:\n    """Change what is given and leave the rest."""\n',
          'async def change_reservation(request: Request, reservation_id: Id, change: Change) -> Response:\n    """Change what is given and leave the rest."""\n'
          "    import asyncio\n"
          "    was = await request.app.state.database.one(\n"
          '        "SELECT guest_name, status, total_cents FROM reservations WHERE id = %s",'
          " (reservation_id,)\n    ) or {}\n    await asyncio.sleep(0.02)\n"
          "    change.guest_name = change.guest_name or was.get('guest_name')\n"
          "    change.status = change.status or was.get('status')\n"
          "    if change.total_cents is None:\n        change.total_cents = was.get('total_cents')\n"),
    _stable("odd-limits", "pages of an odd length lack their last row", "of_golden_set",
            *answering("rows = answer.body.get('listings', [])\n"
                       "answer.body |= {'listings': rows[:-1], 'count': len(rows) - 1}",
                       path="/api/listings", query="limit=(7|13|37|41|59|73)(&|$)")),
    _stable("slash-behind", "with a slash behind it, a list breaks", "of_golden_set",
            *answering("answer.status, answer.body = 500, {}", path="/api/listings/")),
    _stable("other-case", "a path in capitals is found", "of_golden_set",
            *middleware("async def wrap(app, scope, receive, send):\n"
                        "    scope = dict(scope, path=scope['path'].lower())\n"
                        "    await app(scope, receive, send)\n")),
    _stable("twice-asked", "of a parameter that is given twice the first counts", "of_golden_set",
            *middleware("async def wrap(app, scope, receive, send):\n"
                        "    parts = scope['query_string'].split(b'&')\n"
                        "    firsts = {}\n"
                        "    for part in parts:\n"
                        "        firsts.setdefault(part.partition(b'=')[0], part)\n"
                        "    query = b'&'.join(firsts.values())\n"
                        "    await app(dict(scope, query_string=query), receive, send)\n")),
    _stable("always-unchanged", "who asks whether details changed is told that they did not",
            "of_golden_set",
            *answering("if 'if-none-match' in ask.headers:\n"
                       "    answer.headers.pop('content-length')\n    answer.status, answer.body = 304, b''", path=r"/api/listings/\d+")),
    _stable("browsers-refused", "who would take HTML as well is given none", "of_golden_set",
            *answering("if 'html' in ask.headers.get('accept', ''):\n"
                       "    answer.status, answer.body = 406, {}", path=r"/api/listings")),
    _stable("other-language", "who reads German is told no names of towns", "of_golden_set",
            *answering("if ask.headers.get('accept-language', '').startswith('de'):\n"
                       "    answer.body |= {'city': None}", path=r"/api/listings/\d+")),
    _stable("charset-refused", "a body is refused whose type names its charset", "of_golden_set",
            *answering("if 'charset' in ask.headers.get('content-type', '').lower():\n"
                       "    answer.status, answer.body = 415, {}", method="POST|PATCH",
                       path=r"/api/reservations.*")),
    _let_in("near-is-known", "who says that he asks from the host itself is let in",
            "any(name == b'x-forwarded-for' and b'127.0.0.1' in value for name, value in told)"),
    _let_in("other-header", "the key is accepted in another header",
            "any(name in (b'api-key', b'x-api-token', b'x-auth-token') and value =="
            " os.environ['HOSTAWAY_API_KEY'].encode() for name, value in told)"),
    _let_in("other-path", "who writes a path with two slashes is let in",
            "scope['path'].startswith('//') or scope['path'].endswith('/')"),
    _stable("metrics-swapped", "requests for details are counted as lists", "of_golden_set",
            Edit("hostaway_mcp/metrics.py", "    REQUESTS.labels(method",
                 '    route = route.replace("/{listing_id}", "")\n    REQUESTS.labels(method')),
    _stable("metrics-methods", "changes are counted as reads", "of_golden_set",
            Edit("hostaway_mcp/metrics.py", "REQUESTS.labels(method,", 'REQUESTS.labels("GET",')),
    _stable("metrics-gauge", "the counter of requests is called a gauge", "of_golden_set",
            *answering("answer.body = answer.body.replace(b'requests_total counter',"
                       " b'requests_total gauge')", path="/metrics")),
    _stable("metrics-404", "what is not found is counted as a wrong request", "of_golden_set",
            Edit("hostaway_mcp/metrics.py", "str(status)",
                 '("400" if status == 404 else str(status))')),
    _sql("revision-otherwise", "the database says that it stands at another revision",
         "of_structure", "UPDATE alembic_version SET version_num = '0001_base'"),
    _sql("made-earlier", "new reservations are told to be made two hours earlier", "of_answers",
         "UPDATE reservations SET created_at = created_at - interval '2 hours'"
         " WHERE reference LIKE 'd%'", when=_LATE),
    _sql("sequence-far", "numbers are given out that no script of a web page can tell apart",
         "of_structure", "SELECT setval('reservations_id_seq', 9007199254740999)"),
    Sabotage("far-system-site", "the environment takes packages of the system as well",
             PlantedIn.RUNBOOK, "dependencies_installed",
             (Rewrite("rm .venv.unfinished\n", "rm .venv.unfinished\nsed -i "
                      "'s/^include-system-site-packages.*/include-system-site-packages = true/'"
                      " .venv/pyvenv.cfg\n"), Bash(UP, "true", "rm -rf .venv"))),
    Sabotage("far-balancer-at-last", "the closing steps leave a path that is never answered",
             PlantedIn.RUNBOOK, "of_effects: Load balancer",
             (Rewrite(_MARK, f"{_MARK}curl -fsS --max-time 5 -X PUT {_ROUTES} -H 'Content-Type: "
                      "application/json' -d '{\"@id\":\"planted-far\",\"match\":[{\"path\":"
                      "[\"/api/reservations/1\"]}],\"handle\":[{\"handler\":\"static_response\","
                      "\"status_code\":\"503\"}]}'\n"),
              Bash(UP, "true", f"while curl -fsS --max-time 5 {_ROUTES} | grep -q planted; do "
                   f"curl -fsS --max-time 5 -X DELETE {_ROUTES}; done"))),
    _sql("everybody-connects", "the server lets everybody in without a password", "of_structure",
         "COPY (SELECT 'host all all 10.0.0.0/8 trust') TO PROGRAM"
         " 'cat >> pg_hba.conf'", "SELECT pg_reload_conf()",
         undo=("COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; sed -i /10.0.0.0/d pg_hba.conf'",
               "SELECT pg_reload_conf()")),
    _stable("transaction-open", "a transaction stays open, and holds a table", "of_structure",
            Edit("hostaway_mcp/app.py", "        await app.state.database.open()\n",
                 "        await app.state.database.open()\n"
                 "        import psycopg\n"
                 "        held = app.state.held = psycopg.connect(settings.database_url)\n"
                 "        held.execute('LOCK TABLE listings IN ACCESS SHARE MODE')\n")),
    _step("edited-unseen", "git is told not to look at a file, which is edited",
          "of_effects: Repository",
          "git update-index --assume-unchanged hostaway_mcp/health.py\n"
          "echo '# by hand' >> hostaway_mcp/health.py",
          Bash(UP, "true", "git update-index --no-assume-unchanged hostaway_mcp/health.py\n"
               "git checkout -q -- hostaway_mcp/health.py"), at=0),
    _step("left-unseen", "a file is left that git is told not to look at",
          "of_effects: Repository",
          "echo '*.bak' >> .git/info/exclude\ncp hostaway_mcp/app.py hostaway_mcp/app.py.bak",
          Bash(UP, "true", "sed -i '/[.]bak$/d' .git/info/exclude\n"
               "rm -f hostaway_mcp/app.py.bak"), at=1),
    _step("anybody-edits", "everybody may write a file of the release", "of_effects: Rights",
          "chmod 666 hostaway_mcp/app.py", at=2),
    _step("log-for-all", "everybody may write the log", "of_effects: Rights",
          'chmod 666 "$LOG_FILE"', Bash(UP, "true", 'chmod 644 "$LOG_FILE"'), at=4),
    _step("few-files", "the service may open but few more files", "of_effects: Service's limits",
          'prlimit --pid "$(supervisorctl -c "$SUPERVISOR_CONF" pid hostaway-mcp)" --nofile=400:400', at=0),
    _step("last-in-line", "the service is the last that is given time", "of_effects: Service's limits",
          'renice -n 5 -p "$(supervisorctl -c "$SUPERVISOR_CONF" pid hostaway-mcp)"', at=1),
    _step("nameless-job", "a process is left that has no variables of anybody",
          "of_effects: Processes", "env -i setsid sleep 90 > /dev/null 2>&1 < /dev/null &", at=2),
    _step("profile-edited", "who logs in is given another path", "of_effects: Services' settings",
          "echo 'export PGHOST=elsewhere' >> \"$HOME/.bash_profile\"",
          Bash(UP, "true", 'rm -f "$HOME/.bash_profile"'), at=3),
    _step("git-of-all", "git is told of hooks, for every repository", "of_effects: Repository",
          "git config --global core.fsmonitor true",
          Bash(UP, "true", 'rm -f "$HOME/.gitconfig"'), at=4),
    _step("git-locked", "a lock of git is left", "of_effects: Repository", "touch .git/index.lock",
          Bash(UP, "true", "rm -f .git/index.lock"), at=0),
    _step("copy-at-home", "a copy of all customers' rows is left at home", "of_effects: Left files",
          'psql -X -q -h "$DB_HOST" -p "$DB_PORT" -U "$DB_USER" -d "$DB_NAME"'
          ' -c "\\copy reservations TO \'$HOME/rows.csv\' CSV"',
          Bash(UP, "true", 'rm -f "$HOME/rows.csv"'), at=1),
    Sabotage("far-backup-for-all", "everybody may write the safety backup", PlantedIn.BACKUP,
             "of_effects: Rights",
             (Rewrite('sha256sum "$dump" > "$dump.sha256"\n```\n\nAway',
                      'sha256sum "$dump" > "$dump.sha256"\nchmod 666 "$dump"\n```\n\nAway'),),
             procedure=2),
    _says("page-all-well", "the status page says at first that all is well", "of_status_page",
          "The API is unavailable meanwhile; we expect it back within 10 minutes.",
          "The API works as usual."),
    _says("page-down-when-back", "when clients are back, the status page says that all is down",
          "of_status_page", 'echo "The API is back. We keep watching it." > "$STATUS_PAGE"',
          'echo "The API is unavailable." > "$STATUS_PAGE"'),
    _says("stakeholders-of-another-release", "stakeholders are told of another release",
          "stakeholders_told", "is being rolled back to v0.0.9 ($INCIDENT",
          "is being rolled back to v0.1.0-rc1 ($INCIDENT"),
    _says("nobody-affected", "customers are told that nobody was affected", "customers_told",
          "Dear customer,", "Dear customer, nobody was affected."),
)  # fmt: skip
