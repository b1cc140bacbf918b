"""What a rollback left behind: code that fits its schema, a configuration that is still whole."""

from __future__ import annotations

import re

from rollback_drill.ground.finding import Finding, judged, unknown
from rollback_drill.perform.check import check
from rollback_drill.perform.checks.release import all_ok, on_every_host
from rollback_drill.perform.moment import Moment
from rollback_drill.stage.host import look

_LIMIT_S = 60
_COMPARE = """
import subprocess, sys, yaml

def paths(node, above=""):
    if not isinstance(node, dict):
        return {above}
    return {p for k, v in node.items() for p in paths(v, f"{above}.{k}" if above else k)}

was = subprocess.run(["git", "show", "HEAD:config.yaml"], capture_output=True, check=True).stdout
try:
    now = paths(yaml.safe_load(open(sys.argv[1])))
except yaml.YAMLError as error:
    sys.exit(f"it cannot be read: {error}".replace(chr(10), " "))
gone = sorted(paths(yaml.safe_load(was)) - now)
if gone:
    sys.exit("gone from where they stood: " + ", ".join(gone))
print(len(now), "settings, none is gone from where it stood")
"""


@check(
    r"deployed code can run on this schema",
    examples=["The deployed code can run on this schema"],
    needs="database",
)
def schema_fits_code(moment: Moment, match: re.Match[str]) -> Finding:
    """The database is not behind the deployed tree: it stands at the tree's newest revision, or at
    one that only a newer tree knows.
    """
    rows = moment.stage.database.fetch("SELECT version_num FROM alembic_version")
    stands = rows[0][0] if rows else "nothing"
    told, behind = [], False
    for host in moment.stage.hosts:
        done = look(
            host, ".venv/bin/alembic heads; echo; .venv/bin/alembic history", limit_s=_LIMIT_S
        )
        heads, _, history = done.stdout.partition("\n\n")
        wanted = heads.split(" ")[0].strip()
        if not done.ok or not wanted:
            return unknown(f"{host.name} does not tell what its code expects: {done.stderr[-200:]}")
        known = re.search(rf"\b{re.escape(stands)}\b", history) is not None
        behind = behind or stands == "nothing" or (known and stands != wanted)
        newer = "" if known else ", which this code does not know: a newer schema"
        told.append(f"the code of {host.name} is made for {wanted}{newer}")
    return judged(
        not behind,
        f"the database stands at {stands}; {'; '.join(told)}",
        "the newest revision that the code knows, or a newer one",
    )


@check(
    r"config(?:uration)? has kept structure",
    examples=["The configuration has kept its structure"],
    needs="defects",
)
def configuration_whole(moment: Moment, match: re.Match[str]) -> Finding:
    """Every setting of the committed configuration is still there, nested as it was."""
    script = f".venv/bin/python - \"$CONFIG_FILE\" <<'PY'\n{_COMPARE}PY"
    return all_ok(on_every_host(moment, script), "every setting of the committed configuration")
