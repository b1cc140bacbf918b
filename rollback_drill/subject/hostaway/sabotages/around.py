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
    name: str, breaks: str, caught_by: str, when: When, script: str, undo: str = ""
) -> Sabotage:
    plants = (Bash(when, script, undo),)
    return Sabotage(f"host-{name}", breaks, PlantedIn.HOST, caught_by, plants)


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
    ),
)
