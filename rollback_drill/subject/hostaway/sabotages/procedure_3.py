"""Procedure 3: a flag that is not switched off, or more than a flag."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import Edit, PlantedIn, Rewrite, Sabotage
from rollback_drill.subject.hostaway.wrapping import answering

_SED = (
    "sed -i -E -e 's/^( +pagination_enabled:).*/\\1 false/' "
    "-e 's/^( +output_token_threshold:).*/\\1 10000/' \"$CONFIG_FILE\""
)
_SIGNAL = 'supervisorctl -c "$SUPERVISOR_CONF" signal HUP hostaway-mcp'
_SEEN = (
    """timeout 30 bash -c 'until curl -fs --max-time 2 -H "X-API-Key: $API_KEY" """
    """"$SERVICE_URL/api/listings?limit=1" | grep -c "\\"listings\\"" > /dev/null; """
    """do sleep 0.2; done'\n"""
)


def _step(name: str, breaks: str, caught_by: str, *rewrites: tuple[str, str]) -> Sabotage:
    plants = tuple(Rewrite(old, new) for old, new in rewrites)
    return Sabotage(f"p3-{name}", breaks, PlantedIn.RUNBOOK, caught_by, plants, procedure=3)


SABOTAGES = (
    _step(
        "not-written",
        "the configuration is not changed",
        "configuration_updated",
        (_SED, 'cat "$CONFIG_FILE"'),
        (_SEEN, ""),
    ),
    _step(
        "waits-in-vain",
        "the configuration is not changed, and the step waits for it",
        "command: Switch pagination off",
        (_SED, 'cat "$CONFIG_FILE"'),
    ),
    _step(
        "written-flat",
        "the value stands where nobody reads it",
        "configuration_updated",
        (_SED, "printf 'pagination_enabled: false\\n' > \"$CONFIG_FILE\""),
        (_SEEN, ""),
    ),
    _step(
        "settings-lost",
        "other settings of the file are gone",
        "configuration_updated",
        (
            _SED,
            "printf 'context_protection:\\n  pagination_enabled: false\\n' > \"$CONFIG_FILE\"",
        ),
    ),
    _step(
        "not-signalled",
        "the application is not told to read it",
        "reloaded",
        (_SIGNAL, 'supervisorctl -c "$SUPERVISOR_CONF" status hostaway-mcp'),
        (_SEEN, ""),
    ),
    _step(
        "restarted",
        "the application is restarted",
        "not_restarted",
        (_SIGNAL, 'supervisorctl -c "$SUPERVISOR_CONF" restart hostaway-mcp'),
    ),
    _step(
        "not-verified",
        "nobody looks whether the feature is off",
        "of_document: Runbook, unverified Procedure 3",
        ("- [ ] Pagination is off\n- [ ] Lists come in the old format\n", ""),
    ),
    Sabotage(
        "p3-flag-does-nothing",
        "the failing release goes on with pages, whatever the flag says",
        PlantedIn.FAILING,
        "old_format",
        (
            *answering(
                'answer.body = {"items": answer.body["listings"], "nextCursor": None, "meta": {}}'
                ' if "listings" in answer.body else answer.body',
                path="/api/listings",
                query="limit=10",
                failing=True,
            ),
        ),
        procedure=3,
    ),
    Sabotage(
        "p3-reload-not-logged",
        "the failing release does not say that it has read its configuration again",
        PlantedIn.FAILING,
        "reloaded",
        (
            Edit(
                "hostaway_mcp/configuration.py",
                'log.info("Config reloaded"',
                'log.debug("Config reloaded"',
                failing=True,
            ),
        ),
        procedure=3,
    ),
    Sabotage(
        "p3-reload-logs-an-error",
        "the failing release logs an error as it reads its configuration",
        PlantedIn.FAILING,
        "application_log",
        (
            Edit(
                "hostaway_mcp/configuration.py",
                '            log.info("Config reloaded"',
                '            log.error("Cache not emptied", extra=fields(pid=os.getpid()))\n'
                '            log.info("Config reloaded"',
                failing=True,
            ),
        ),
        procedure=3,
    ),
)
