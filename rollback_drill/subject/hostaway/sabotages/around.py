"""The load balancer and the host: what the release does is right, and clients see something else."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import Bash, PlantedIn, Sabotage, When, after, before

_ROUTES = '"$LB_ADMIN/config/apps/http/servers/front/routes/0"'
_INSERT = f"curl -fsS --max-time 5 -X PUT {_ROUTES} -H 'Content-Type: application/json' -d "
_REMOVE = (
    f"while curl -fsS --max-time 5 {_ROUTES} | grep -q planted; do "
    f"curl -fsS --max-time 5 -X DELETE {_ROUTES}; done"
)
_PATH = "curl -fsS --max-time 5 -X PATCH \"$LB_ADMIN/id/health/uri\" -H 'Content-Type: application/json' -d "
_DIRECT = '{"handler":"reverse_proxy","upstreams":[{"dial":"HOST"}]}'


def _route(name: str, breaks: str, caught_by: str, when: When, match: str, handle: str) -> Sabotage:
    route = f'{{"@id":"planted-{name}","match":[{match}],"handle":[{handle}]}}'
    script = (
        f'host="${{SERVICE_URL#http://}}"\nroute=\'{route}\'\n{_INSERT}"${{route//HOST/$host}}"'
    )
    plants = (Bash(when, script, _REMOVE),)
    return Sabotage(f"balancer-{name}", breaks, PlantedIn.BALANCER, caught_by, plants)


def _host(
    name: str,
    breaks: str,
    caught_by: str,
    when: When,
    script: str,
    undo: str = "",
    procedure: int = 1,
    hosts: int = 1,
) -> Sabotage:
    plants = (Bash(when, script, undo),)
    where = PlantedIn.HOST
    return Sabotage(f"host-{name}", breaks, where, caught_by, plants, procedure, hosts=hosts)


def _one_of_two(name: str, breaks: str, caught_by: str, path: str, old: str, new: str) -> Sabotage:
    """The first host runs what was edited there, behind the check of its code."""
    script = (
        "python3 - <<'PY'\n"
        "from pathlib import Path\n"
        f"path = Path({path!r})\n"
        "text = path.read_text()\n"
        f"assert {old!r} in text\n"
        f"path.write_text(text.replace({old!r}, {new!r}))\n"
        "PY"
    )
    when = after("Revert the code")
    return _host(
        f"one-of-two-{name}", f"on one of two hosts, {breaks}", caught_by, when, script, hosts=2
    )


_BACK = after("Leave maintenance")
SABOTAGES = (
    _route(
        "lets-one-path-through",
        "in maintenance, requests for reservations still reach the application",
        "traffic_stopped",
        before("Enter maintenance"),
        '{"path":["/api/reservations*"]}',
        _DIRECT,
    ),
    _route(
        "lets-writes-through",
        "in maintenance, writes still reach the application",
        "traffic_stopped",
        before("Enter maintenance"),
        '{"method":["POST","PATCH"]}',
        _DIRECT,
    ),
    _route(
        "says-200",
        "in maintenance, the front door says that all is well",
        "command: Enter maintenance",
        before("Enter maintenance"),
        '{"path":["/health"]}',
        '{"handler":"static_response","status_code":"200"}',
    ),
    _route(
        "refuses-all",
        "behind maintenance, the front door refuses whatever clients ask",
        "traffic_flows",
        before("Leave maintenance"),
        '{"path":["/api/*"]}',
        '{"handler":"static_response","status_code":"502"}',
    ),
    _route(
        "refuses-writes",
        "behind maintenance, writes are refused at the front door",
        "no_immediate_errors",
        before("Leave maintenance"),
        '{"method":["POST"]}',
        '{"handler":"static_response","status_code":"502"}',
    ),
    _route(
        "takes-the-key-away",
        "behind maintenance, the key is taken away from lists of reservations",
        "no_immediate_errors",
        before("Leave maintenance"),
        '{"path":["/api/reservations"],"method":["GET"]}',
        '{"handler":"headers","request":{"delete":["X-Api-Key"]}},' + _DIRECT,
    ),
    _route(
        "refuses-details-later",
        "once clients are back, the front door does not find details",
        "error_rate",
        _BACK,
        '{"path_regexp":{"pattern":"^/api/listings/[0-9]*7$"}}',
        '{"handler":"static_response","status_code":"504"}',
    ),
    _route(
        "without-the-document",
        "the front door does not find the service's own document",
        "endpoints_functional",
        _BACK,
        '{"path":["/openapi.json"]}',
        '{"handler":"static_response","status_code":"404"}',
    ),
    Sabotage(
        "balancer-out-again",
        "three seconds after clients came back, the load balancer takes the host out again",
        PlantedIn.BALANCER,
        "error_rate",
        (
            Bash(
                after("Leave maintenance", 1), f"{_PATH}'\"/maintenance\"'", f"{_PATH}'\"/ready\"'"
            ),
        ),
    ),
    _host(
        "no-tag-in-the-origin",
        "the stable release is gone from the origin",
        "stable_identified",
        after("Preparation"),
        'git -C "$(git remote get-url origin)" tag -d v0.0.9 >/dev/null',
    ),
    _host(
        "stable-is-newer",
        "the tag of the stable release names what is newer than what runs",
        "stable_identified",
        after("Preparation"),
        'origin="$(git remote get-url origin)"; copy="$(mktemp -d)"; trap \'rm -rf "$copy"\' EXIT\n'
        'git clone --quiet --no-hardlinks "$origin" "$copy"; cd "$copy"; git checkout --quiet v0.0.9\n'
        "as_them='-c user.name=drill -c user.email=drill@example.com'\n"
        "git $as_them commit --quiet --allow-empty -m newer; git $as_them tag -f -a v0.0.9 -m newer\n"
        'git push --quiet --force origin refs/tags/v0.0.9; git -C "$APP_DIR" fetch -q --tags --force',
    ),
    _host(
        "restarts-by-itself",
        "somebody restarts the application as clients come back",
        "no_complaints",
        after("Leave maintenance", 0.5),
        'supervisorctl -c "$SUPERVISOR_CONF" restart hostaway-mcp',
    ),
    _host(
        "maintenance-file-left",
        "somebody leaves the maintenance file behind",
        "error_rate",
        after("Leave maintenance", 1),
        'touch "$MAINTENANCE_FILE"',
        'rm -f "$MAINTENANCE_FILE"',
    ),
    _host(
        "tree-edited-later",
        "a file of the release is edited while clients come back",
        "of_service",
        _BACK,
        "echo '# mended by hand' >> hostaway_mcp/app.py",
    ),
    _host(
        "backup-touched",
        "secure storage loses the nightly backup before the procedure begins",
        "backup_exists",
        before("Prerequisites"),
        'rm -f "$SECURE_STORAGE"/nightly-*.dump',
        procedure=2,
    ),
    _host(
        "backup-of-yesterday",
        "the nightly backup is two days old",
        "backup_recent",
        before("Prerequisites"),
        "touch -d '2 days ago' \"$SECURE_STORAGE\"/nightly-*.dump",
        procedure=2,
    ),
    _host(
        "backup-never-restored",
        "the nightly backup was restored without a row",
        "restore_tested",
        before("Prerequisites"),
        'for file in "$SECURE_STORAGE"/*.restored-rows; do echo 0 > "$file"; done',
        procedure=2,
    ),
    _host(
        "flag-switched-off",
        "somebody switches pagination off after it was deployed again",
        "new_format",
        before("Verify that pagination is on"),
        "sed -i -E 's/^( +pagination_enabled:).*/\\1 false/' \"$CONFIG_FILE\"\n"
        'supervisorctl -c "$SUPERVISOR_CONF" signal HUP hostaway-mcp; sleep 1',
        procedure=4,
    ),
    _one_of_two(
        "lets-strangers-in",
        "strangers are let in",
        "authentication",
        "hostaway_mcp/auth.py",
        "return hmac.compare_digest(given, self._key)",
        "return True",
    ),
    _one_of_two(
        "fails-at-details",
        "details are answered with 500",
        "api_requests_succeed",
        "hostaway_mcp/listings.py",
        "WHERE id = %s",
        "WHERE no_such_column = %s",
    ),
    _one_of_two(
        "logs-an-error",
        "an error is logged at the start",
        "startup_log",
        "hostaway_mcp/app.py",
        'log.info("Started"',
        'log.error("Started"',
    ),
    _one_of_two(
        "counts-nothing",
        "no request is counted",
        "metrics_collecting",
        "hostaway_mcp/metrics.py",
        "    REQUESTS.labels(method, route, str(status)).inc()\n",
        "    del method, status\n",
    ),
)
