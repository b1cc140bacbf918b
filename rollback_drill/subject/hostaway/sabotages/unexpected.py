"""What nobody has thought of: headers, resources, and what a step throws away."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import UP, Bash, Plant, PlantedIn, Rewrite, Sabotage
from rollback_drill.subject.hostaway.wrapping import answering, middleware

_TAIL = 'tail -n 20 "$LOG_FILE"'
_SYNCED = "rm .venv.unfinished\n"
_MARK = 'git push --quiet origin "$mark"\n'


def _stable(name: str, breaks: str, caught_by: str, *plants: Plant) -> Sabotage:
    return Sabotage(f"odd-{name}", breaks, PlantedIn.STABLE, caught_by, plants)


def _step(name: str, breaks: str, caught_by: str, more: str, *plants: Plant) -> Sabotage:
    rewrite = Rewrite(_TAIL, f"{_TAIL}\n{more}")
    return Sabotage(f"odd-{name}", breaks, PlantedIn.RUNBOOK, caught_by, (rewrite, *plants))


def _each(code: str) -> tuple[Plant, ...]:
    """Do `code` with each request; `kept` is a list."""
    return middleware(
        f"""
        import os, threading
        kept = []

        async def wrap(app, scope, receive, send):
            {code}
            await app(scope, receive, send)
        """
    )


SABOTAGES = (
    _stable("anybody-may-read", "lists may be read by scripts of any web page", "of_golden_set",
            *answering("answer.headers['access-control-allow-origin'] = '*'")),
    _stable("kept-by-caches", "caches may keep details for an hour", "of_golden_set",
            *answering("answer.headers['cache-control'] = 'public, max-age=3600'",
                       path=r"/api/listings/\d+")),
    _stable("cookies", "a cookie is set with each answer", "of_golden_set",
            *answering("answer.headers['set-cookie'] = f'session={ask.number}'")),
    _stable("key-in-a-header", "answers tell the key in a header", "of_golden_set",
            *answering("answer.headers['x-debug'] = ask.headers.get('x-api-key', '')",
                       path="/api/reservations")),
    _stable("address-in-a-refusal", "who asks for what is not there is told the database's address",
            "of_golden_set",
            *answering(
                "import os\n"
                "if answer.status == 404:\n    answer.body = {'error': os.environ['DATABASE_URL']}",
                path=r"/api/listings/\d+")),
    _stable("padded", "lists are padded by half a megabyte of blanks", "of_golden_set",
            *answering("import json\nanswer.body = json.dumps(answer.body).encode()"
                       " + b' ' * 500_000", path="/api/listings", one_in=7)),
    _stable("made-tomorrow", "a new reservation is told to be made tomorrow", "of_answers",
            *answering("answer.body['created_at'] = '2099' + answer.body['created_at'][4:]",
                       method="POST", path="/api/reservations")),
    _stable("always-ready", "the release is ready in maintenance, too", "of_maintenance",
            *answering("answer.status, answer.body = 200, {'status': 'ok'}", path="/ready")),
    _stable("version-of-another", "health tells the version of the release that was left",
            "of_golden_set",
            *answering("answer.body['version'] = '0.1.0-pagination'", path="/health")),
    _stable("handles-left", "each request leaves an open file", "of_usage",
            *_each("kept.append(os.open('/dev/null', os.O_RDONLY))")),
    _stable("threads-left", "each tenth request leaves a thread", "of_usage",
            *_each("kept.append(0)\n"
                   "            if len(kept) % 10 == 0: threading.Thread("
                   "target=threading.Event().wait, daemon=True).start()")),
    _stable("large-pages-slow", "pages of a hundred rows take 400 ms more", "response_time",
            *answering("import time\ntime.sleep(0.4)", path="/api/listings", query="limit=100")),
    _stable("one-listing-wrong", "details of one listing in fifty have another price",
            "of_golden_set",
            *answering("if answer.body.get('id', 1) % 50 == 0: answer.body['price_cents'] = 1",
                       path=r"/api/listings/\d+")),
    _step("evidence-thrown-away", "what was kept as evidence is thrown away",
          "of_effects: Evidence",
          'rm -rf "$EVIDENCE_DIR"/*'),
    _step("balancer-asks-seldom", "the load balancer asks for health once in a minute",
          "command: Leave maintenance",
          'curl -fsS --max-time 5 -X PATCH "$LB_ADMIN/id/health/interval"'
          " -H 'Content-Type: application/json' -d '\"59s\"'",
          Bash(UP, "true", 'curl -fsS --max-time 5 -X PATCH "$LB_ADMIN/id/health/interval"'
               " -H 'Content-Type: application/json' -d '\"200ms\"'")),
    _step("environment-edited", "the service's environment has another setting",
          "of_effects: Services' settings",
          'sed -i s/^environment=/environment=WORKERS=9,/ "$SUPERVISOR_CONF"',
          Bash(UP, 'cp -p "$SUPERVISOR_CONF" "$SUPERVISOR_CONF.kept"',
               'mv "$SUPERVISOR_CONF.kept" "$SUPERVISOR_CONF"')),
    Sabotage("odd-path-in-the-environment", "the environment loads a module of somebody else",
             PlantedIn.RUNBOOK, "dependencies_installed",
             (Rewrite(_SYNCED, f"{_SYNCED}(cd .venv/lib/python3.*/site-packages"
                      " && echo 'import os' > extra.pth)\n"),
              Bash(UP, "true", "rm -f .venv/lib/python3.*/site-packages/extra.pth"))),
    Sabotage("odd-package-edited", "a file of a dependency was edited by hand",
             PlantedIn.RUNBOOK, "dependencies_installed",
             (Rewrite(_SYNCED, f"{_SYNCED}sed -i '1i x = 1'"
                      " .venv/lib/python3.*/site-packages/yaml/__init__.py\n"),
              Bash(UP, "true", "uv sync -q --reinstall-package pyyaml"))),
    Sabotage("odd-nightly-gone-at-last", "the closing steps delete the nightly backups",
             PlantedIn.RUNBOOK, "of_effects: Kept files",
             (Rewrite(_MARK, _MARK + 'rm -f "$SECURE_STORAGE"/nightly-*\n'),), procedure=2),
    Sabotage("odd-safety-backup-gone", "the closing steps delete the safety backup",
             PlantedIn.RUNBOOK, "of_effects: Kept files",
             (Rewrite(_MARK, _MARK + 'rm -f "$SECURE_STORAGE"/backup_pre_rollback_*\n'),),
             procedure=2),
    Sabotage("odd-archive-gone", "the closing steps delete what only the new release knew",
             PlantedIn.RUNBOOK, "of_effects: Kept files",
             (Rewrite(_MARK, _MARK + 'find "$SECURE_STORAGE" -name "only_new_*" -exec rm -rf {} +\n'),),
             procedure=2),
)  # fmt: skip
