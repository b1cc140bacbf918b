"""Steps of Procedure 1 that are not done, done by halves, or done to something else."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import Edit, PlantedIn, Rewrite, Sabotage
from rollback_drill.subject.hostaway.wrapping import answering, middleware

_ENTERED = (
    """curl -fsS --max-time 5 -X PATCH "$LB_ADMIN/id/health/uri" -H 'Content-Type: """
    """application/json' -d '"/maintenance"'"""
)
_BY_FILE, _BACK_BY_FILE = 'echo maintenance > "$MAINTENANCE_FILE"', 'rm -f "$MAINTENANCE_FILE"'
_OUT = (
    """timeout 25 bash -c 'until [ "$(curl -s -o /dev/null -w "%{http_code}" --max-time 2 """
    """"$PUBLIC_URL/health")" = 503 ]; do sleep 0.2; done'\n"""
)
_LEFT = (
    """curl -fsS --max-time 5 -X PATCH "$LB_ADMIN/id/health/uri" -H 'Content-Type: """
    """application/json' -d '"/ready"'"""
)
_IN = (
    """timeout 25 bash -c 'until curl -fs --max-time 2 -o /dev/null "$PUBLIC_URL/health"; """
    """do sleep 0.2; done'\n"""
)
_UPDATE = 'cat > "$STATUS_PAGE" <<MESSAGE\nWe see problems'
_CHECKOUT = 'git checkout --quiet -b "rollback-$(date +%Y%m%d-%H%M%S)-$$" --force tags/v0.0.9'
_COMPILED = (
    "git log --oneline -1\nif [ -e .venv.unfinished ]; then rm -rf .venv; fi\n"
    "touch .venv.unfinished\nuv sync --quiet\nrm .venv.unfinished\n"
    ".venv/bin/python -m compileall -q hostaway_mcp\n"
)
_RESTART = 'supervisorctl -c "$SUPERVISOR_CONF" restart hostaway-mcp'
_SLOW = """
import asyncio

_seen = 0


async def wrap(app, scope, receive, send):
    global _seen
    _seen += scope["path"].startswith("/api/")
    if scope["path"].startswith("/api/") and _seen % {one_in} == 0:
        await asyncio.sleep(0.6)
    await app(scope, receive, send)
"""


def _step(name: str, breaks: str, caught_by: str, *rewrites: tuple[str, str]) -> Sabotage:
    plants = tuple(Rewrite(old, new) for old, new in rewrites)
    return Sabotage(f"p1-{name}", breaks, PlantedIn.RUNBOOK, caught_by, plants)


SABOTAGES = (
    _step(
        "not-entered",
        "the load balancer is not told to take the hosts out",
        "maintenance_enabled",
        (_BY_FILE, "echo maintenance"),
        (_ENTERED, "echo maintenance"),
        (_OUT, ""),
    ),
    _step(
        "enter-waits-in-vain",
        "the load balancer is not told, and the step waits for it",
        "command: Enter maintenance",
        (_BY_FILE, "echo maintenance"),
        (_ENTERED, "echo maintenance"),
    ),
    _step(
        "entered-late",
        "the load balancer is told a second after the step is over",
        "traffic_stopped",
        (_BY_FILE, f"(sleep 3; {_BY_FILE}) > /dev/null 2>&1 &"),
        (_ENTERED, f"(sleep 3; {_ENTERED}) > /dev/null 2>&1 &"),
        (_OUT, ""),
    ),
    _step(
        "no-update",
        "the status page says nothing",
        "status_page",
        (_UPDATE, 'cat > "$EVIDENCE_DIR/page" <<MESSAGE\nWe see problems'),
    ),
    _step(
        "update-with-blank",
        "the status page has a blank in it",
        "status_page",
        ("we expect it back within 10 minutes", "we expect it back within [minutes]"),
    ),
    _step(
        "unknown-release",
        "the changelog is searched for a release that there is not",
        "command: Identify the stable release",
        ("grep -n -m1 '0\\.0\\.9' CHANGELOG.md", "grep -n -m1 '0\\.0\\.8' CHANGELOG.md"),
    ),
    _step(
        "old-release-not-checked-out",
        "the failing release stays checked out",
        "code_reverted",
        (_CHECKOUT, "git status --short"),
    ),
    _step(
        "release-candidate",
        "the release between the two is checked out",
        "code_reverted",
        (_CHECKOUT, _CHECKOUT.replace("v0.0.9", "v0.1.0-rc1")),
    ),
    _step(
        "edited-tree",
        "a file is edited behind the checkout",
        "code_reverted",
        (
            "git log --oneline -1\n",
            "git log --oneline -1\necho '# mended by hand' >> hostaway_mcp/app.py\n",
        ),
    ),
    _step(
        "one-file-of-the-new",
        "one file of the failing release is put into the stable one",
        "code_reverted",
        (
            "git log --oneline -1\n",
            "git log --oneline -1\ngit show tags/v0.1.0-pagination:hostaway_mcp/reservations.py"
            " > hostaway_mcp/reservations.py\n",
        ),
    ),
    _step(
        "dependency-missing",
        "a dependency is taken out again",
        "dependencies_installed",
        (_COMPILED, f"{_COMPILED}uv pip uninstall --quiet --python .venv/bin/python pyyaml\n"),
    ),
    _step(
        "dependency-left-over",
        "an environment holds what the release does not ask for",
        "dependencies_installed",
        (
            _COMPILED,
            f"{_COMPILED}cp -r .venv/lib/python3*/site-packages/yaml "
            '"$(echo .venv/lib/python3*/site-packages)/left_over"\n'
            'cp -r "$(ls -d .venv/lib/python3*/site-packages/?y[yY]*ml-*.dist-info | head -n 1)" '
            '"$(echo .venv/lib/python3*/site-packages)/left_over-1.0.dist-info"\n'
            "sed -i 's/^Name: .*/Name: left-over/' "
            ".venv/lib/python3*/site-packages/left_over-1.0.dist-info/METADATA\n",
        ),
    ),
    _step(
        "does-not-compile",
        "a module that does not compile is left among the others",
        "compiles",
        (_COMPILED, f"{_COMPILED}echo 'def broken(:' > hostaway_mcp/left.py\n"),
    ),
    _step(
        "not-restarted",
        "the process stays the one that ran before",
        "restarted",
        (_RESTART, 'supervisorctl -c "$SUPERVISOR_CONF" status hostaway-mcp'),
    ),
    _step(
        "reloaded-instead",
        "the process is told to read its configuration again, no more",
        "restarted",
        (_RESTART, 'supervisorctl -c "$SUPERVISOR_CONF" signal HUP hostaway-mcp'),
    ),
    _step(
        "stopped-instead",
        "the application is stopped and never started",
        "command: Restart the application",
        (_RESTART, 'supervisorctl -c "$SUPERVISOR_CONF" stop hostaway-mcp'),
    ),
    _step(
        "restarted-too-early",
        "the application is restarted before the code is reverted",
        "restarted",
        ("git fetch --tags origin\n", f"git fetch --tags origin\n{_RESTART}\n"),
        (f"# OR using supervisord\n{_RESTART}", "# OR using supervisord\ndate"),
    ),
    _step(
        "not-left",
        "the load balancer is not told to take the hosts in",
        "maintenance_disabled",
        (_BACK_BY_FILE, "echo ready"),
        (_LEFT, "echo ready"),
        (_IN, ""),
    ),
    _step(
        "leave-waits-in-vain",
        "the load balancer is not told, and the step waits for it",
        "command: Leave maintenance",
        (_BACK_BY_FILE, "echo ready"),
        (_LEFT, "echo ready"),
    ),
    _step(
        "verify-fails",
        "a command that verifies fails",
        "command: Verify before clients return",
        ("grep -cE '\"(listings|items)\"'", "grep -cE '\"(rooms|flats)\"'"),
    ),
    Sabotage(
        "p1-reservations-fail",
        "lists of reservations are answered with 500",
        PlantedIn.STABLE,
        "api_requests_succeed",
        answering("answer.status = 500", path="/api/reservations", inside=True),
    ),
    Sabotage(
        "p1-details-fail",
        "details of listings are answered with 500",
        PlantedIn.STABLE,
        "api_requests_succeed",
        answering("answer.status = 500", path=r"/api/listings/\d+", inside=True),
    ),
    Sabotage(
        "p1-empty-list",
        "lists of listings are empty",
        PlantedIn.STABLE,
        "api_requests_succeed",
        answering('answer.body["listings"] = []', path="/api/listings"),
    ),
    Sabotage(
        "p1-not-called-stable",
        "the changelog lists the release, and does not call it stable",
        PlantedIn.FAILING,
        "version_in_changelog",
        (
            Edit(
                "CHANGELOG.md",
                "The last stable release before pagination by cursors: roll back to this one.",
                "The last release before pagination by cursors.",
                failing=True,
            ),
        ),
    ),
    Sabotage(
        "p1-health-203",
        "the health endpoint answers with another good status",
        PlantedIn.STABLE,
        "health_status",
        answering("answer.status = 203", path="/health"),
    ),
    Sabotage(
        "p1-written-otherwise",
        "what was written is read back in small letters",
        PlantedIn.STABLE,
        "database_queries",
        answering(
            """
            if answer.body.get("guest_name") == "Drill Check":
                answer.body["guest_name"] = "drill check"
            """,
            path=r"/api/reservations/\d+",
        ),
    ),
    Sabotage(
        "p1-starts-with-error",
        "the stable release logs an error as it starts",
        PlantedIn.STABLE,
        "startup_log",
        (
            Edit(
                "hostaway_mcp/app.py",
                '        log.info("Started", extra',
                '        log.error("Cache is not there", extra=fields(pid=os.getpid()))\n'
                '        log.info("Started", extra',
            ),
        ),
    ),
    Sabotage(
        "p1-slow-always",
        "every answer takes 0.6 s",
        PlantedIn.STABLE,
        "response_time",
        middleware(_SLOW.replace("{one_in}", "1")),
    ),
    Sabotage(
        "p1-slow-one-in-10",
        "one answer in ten takes 0.6 s",
        PlantedIn.STABLE,
        "response_time",
        middleware(_SLOW.replace("{one_in}", "10")),
    ),
    Sabotage(
        "p1-fails-at-first",
        "one request in twenty fails",
        PlantedIn.STABLE,
        "no_immediate_errors",
        answering("answer.status = 500", one_in=20, method=".*", inside=True),
    ),
    Sabotage(
        "p1-strangers-only",
        "one valid key in twenty is refused",
        PlantedIn.STABLE,
        "no_immediate_errors",
        answering("answer.status = 401", one_in=20, inside=True),
    ),
    Sabotage(
        "p1-fails-later",
        "from ten seconds after the start on, one request in twenty-five fails",
        PlantedIn.STABLE,
        "error_rate",
        answering("answer.status = 503", one_in=25, after_s=10, inside=True),
    ),
    Sabotage(
        "p1-fails-for-one",
        "from nine seconds after the start on, one request in two hundred fails",
        PlantedIn.STABLE,
        "no_complaints",
        answering("answer.status = 500", one_in=200, after_s=9, inside=True),
    ),
    Sabotage(
        "p1-leak",
        "each answer leaves 400 KB behind",
        PlantedIn.STABLE,
        "memory_stable",
        answering('kept.setdefault("held", []).append(bytearray(400_000))', after_s=4),
    ),
)
