"""Every table and key of a staging file, declared once.

`file` reads by it, `schema` and `reference` are made of it, and `rollback-drill init` explains by
it what it writes. Types and defaults are those of the records that the tables become.
"""

from __future__ import annotations

from rollback_drill.ground.declared import (
    TEXT,
    TEXT_OR_NUMBER,
    TEXTS,
    Key,
    KeyTable,
    keys_of,
)
from rollback_drill.runbook.hints import HINT_KEYS, MATRIX_KEYS
from rollback_drill.stage.entries import KINDS, FaultEntry, HostEntry, Limits
from rollback_drill.traffic.interface import Interface, Operation

_STAGE = (
    Key("name", TEXT, "what reports call it", "eu-staging", needed=True),
    Key(
        "kind",
        TEXT,
        "what a person says that it is, since a drill breaks what it touches",
        "staging",
        needed=True,
        one_of=KINDS,
    ),
    Key("failing", TEXT, "git tag of the release that is rolled back", "v2.1.0", needed=True),
    Key("stable", TEXT, "git tag of the release that is rolled back to", "v2.0.3", needed=True),
    Key(
        "base_url",
        TEXT,
        "the front door, where clients ask",
        "https://staging.example.com",
        needed=True,
    ),
    Key(
        "alternatives",
        TEXTS,
        "words of the runbook's alternatives (“Using systemd”) that apply here",
        ["systemd"],
    ),
    Key(
        "marker",
        TEXT,
        "a file that must exist on every host before anything is touched",
        "/etc/may-be-broken",
    ),
    Key(
        "prometheus_url",
        TEXT,
        "a Prometheus that watches the service",
        "http://prometheus.example.com:9090",
    ),
)
_SCRIPTS = {
    "deploy": ("deploys the tag in $TAG", 'git checkout --force "tags/$TAG" && ./restart'),
    "defects": ("hands the JSON in $DEFECTS to the service", 'echo "$DEFECTS" > defects.yaml'),
    "stop_database": ("stops the database", "sudo systemctl stop postgresql"),
    "start_database": ("starts the database", "sudo systemctl start postgresql"),
    "health_path": ("has the load balancer ask for $HEALTH_PATH", './lb "$HEALTH_PATH"'),
    "slow_network": ("delays the network by $DELAY_S seconds; 0: no more", './delay "$DELAY_S"'),
    "pid": (
        "prints the process id of the service",
        "systemctl show -p MainPID --value shop.service",
    ),
    "oom_kills": ("prints how often the kernel killed it for memory", "cat oom_kills"),
    "database_log": ("prints the log of the database", "cat /var/log/postgresql/main.log"),
    "release": (
        "prints the commit or tag that the running service was built of",
        "docker exec shop git rev-parse HEAD",
    ),
}

STAGING_TABLES: tuple[KeyTable, ...] = (
    KeyTable("stage", "The environment and both releases.", _STAGE, needed=True),
    KeyTable(
        "limits",
        "What a drill may do here at most.",
        keys_of(
            Limits,
            {
                "rate": ("requests per second, four fifths of them for clients", 25),
                "requests": ("requests in one drill", 20_000),
                "minutes": ("minutes that a drill takes", 15),
                "stop_file": (
                    "when this file appears here, the drill heals and ends at once",
                    "/tmp/STOP",  # noqa: S108 - an example
                ),
            },
            above={"rate": 0, "requests": 0, "minutes": 0},
        ),
    ),
    KeyTable(
        "hosts",
        "A service host, one table for each. One of `ssh`, `container`, `pod`, `local` says how it "
        "is reached.",
        keys_of(
            HostEntry,
            {
                "name": ("what reports call it; another one for each host", "app-1"),
                "ssh": ("who and where, for ssh", "deploy@app-1.example.com"),
                "container": ("name of a container, for docker exec", "app-1"),
                "pod": ("name of a pod, for kubectl exec", "app-1"),
                "local": (
                    "commands run on this machine (kubectl, helm, aws, a script that deploys)",
                    True,
                ),
                "directory": ("the folder in which the runbook's commands run", "/opt/shop"),
                "url": (
                    "its service past the load balancer, as this machine reaches it",
                    "http://app-1.example.com:8000",
                ),
                "port": ("port of its sshd", 22),
                "options": (
                    "further words for ssh, docker exec, kubectl exec or env",
                    ["-i", "key"],
                ),
                "environment": (
                    "variables of the runbook's commands on this host alone",
                    {"ZONE": "a"},
                ),
            },
        ),
        many=True,
        needed=True,
        one_way=("ssh", "container", "pod", "local"),
    ),
    KeyTable(
        "environment",
        "Variables of the runbook's commands, none of them secret.",
        free=Key("VARIABLE", TEXT_OR_NUMBER, "its value", "/var/log/shop.log"),
    ),
    KeyTable(
        "environment_from",
        "Variables of the runbook's commands that are secret, or differ from machine to machine.",
        free=Key(
            "VARIABLE",
            TEXT,
            "name of the variable, in the shell that starts the drill, that holds its value",
            "STAGING_PGPASSWORD",
        ),
    ),
    KeyTable(
        "service",
        "How to speak with the service.",
        (
            Key(
                "api",
                TEXT,
                "`other` with operations below; else a service that the suite knows",
                "other",
            ),
            Key(
                "api_key_from",
                TEXT,
                "name of the variable, in the shell that starts the drill, that holds the key",
                "STAGING_API_KEY",
            ),
            *keys_of(
                Interface,
                {
                    "key_header": ("the header in which the key is sent", "Authorization"),
                    "health": ("path of its health check", "/healthz"),
                    "metrics": ('path of its Prometheus metrics; `""` for none', "/metrics"),
                    "document": ("path of its OpenAPI document", "/openapi.json"),
                    "log_error": (
                        "pattern of lines of its log that tell an error, beside those that say so "
                        "by themselves",
                        " (ERROR|CRITICAL) ",
                    ),
                    "log_harmless": ("pattern of lines that are no error, whatever they say", "^#"),
                    "quiet_log": ("a release may log less than another", True),
                    "printed": (
                        "files on each host with what the service prints and its supervisor says",
                        ["/var/log/shop.err"],
                    ),
                    "journal": (
                        "a script that prints as much since $SINCE (Unix seconds), where no file "
                        "holds it",
                        'journalctl -u shop --since "@$SINCE"',
                    ),
                },
            ),
        ),
    ),
    KeyTable(
        "service.operations",
        "What clients ask, one table for each kind of request. `{reference}` stands for a write's "
        "own unique reference, `{number}` for a random number.",
        keys_of(
            Operation,
            {
                "name": ("what reports call it, without commas", "list"),
                "method": ("GET for a read, else a write", "GET"),
                "path": ("path and query", "/orders?limit=20"),
                "body": ("what is sent", '{"guest": "{reference}"}'),
                "weight": ("its share of all requests, beside the others' weights", 6),
                "contains": ("text that a good answer holds", '"orders"'),
                "follow": ("header with the URL of the next page", "Next-Page"),
                "read_back": (
                    "path at which a write can be read again",
                    "/orders/{reference}",
                ),
            },
        ),
        many=True,
    ),
    KeyTable(
        "database",
        "Compares all data before and after; without it writes are read again through the API.",
        (
            Key(
                "dsn_from",
                TEXT,
                "name of the variable, in the shell that starts the drill, that holds the "
                "connection string of Postgres' administrator",
                "STAGING_ADMIN_DSN",
            ),
            Key(
                "changing",
                TEXTS,
                "columns, or whole tables, whose values the service changes by itself in rows that "
                "stand, such as when a key was last used; they are not compared",
                ["api_tokens.seen_at"],
            ),
        ),
    ),
    KeyTable(
        "scripts",
        "What is run on the hosts, where the drill needs it.",
        tuple(Key(name, TEXT, meaning, example) for name, (meaning, example) in _SCRIPTS.items()),
    ),
    KeyTable(
        "checks",
        "Checkboxes that are verified in the service's own way: a pattern of all that a box says, "
        "and the script that ends with 0 when it holds.",
        free=Key("PATTERN", TEXT, "the script", "test -s build.txt"),
    ),
    KeyTable(
        "faults",
        "What can be broken here, one table for each.",
        keys_of(
            FaultEntry,
            {
                "name": ("what FAULT calls it", "settings-gone-wrong"),
                "symptom": ("what clients see", "writes are answered 405"),
                "inject": ("the script that breaks it, on every host", "./break"),
                "heal": ("the script that mends it, on every host", "./mend"),
                "path": ("where the symptom is looked for, at the front door", "/orders"),
                "status": ("the status that shows the symptom", 405),
                "method": ("the method of that request", "PUT"),
                "body": ("its body", "{}"),
                "trigger": ("pattern of the runbook's trigger that should fire", "error rate *>"),
                "ours": ("a rollback cures it", False),
                "damages": ("it changes or takes away data", True),
                "watch_s": ("seconds to wait for the decision", 120),
            },
        ),
        many=True,
    ),
    KeyTable(
        "runbook",
        "What the runbook does not say, see "
        "[runbook.md](runbook.md#what-a-staging-file-can-say-of-it).",
        HINT_KEYS,
    ),
    KeyTable(
        "runbook.matrix",
        "A row of the decision matrix, instead of the standard ones: all rows, mildest first.",
        MATRIX_KEYS,
        many=True,
    ),
)
"""In the order in which they are explained."""
STAGING_TABLE = {one.name: one for one in STAGING_TABLES}
TOP = tuple(one.name for one in STAGING_TABLES if "." not in one.name)
