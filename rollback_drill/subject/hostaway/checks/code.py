"""Is the code whole, and its configuration?"""

from __future__ import annotations

import re

from rollback_drill.ground.finding import Finding
from rollback_drill.perform.check import check
from rollback_drill.perform.checks.release import all_ok, on_every_host
from rollback_drill.perform.moment import Moment


@check(
    r"(?:it|code|<SERVICE>) compiles(?: cleanly| without errors)?",
    r"no compil(?:ation|e|er) errors",
    examples=["It compiles without errors", "No compilation errors"],
)
def compiles(moment: Moment, match: re.Match[str]) -> Finding:
    """Every module of the service compiles and the application can be imported."""
    script = (
        ".venv/bin/python -m compileall -q hostaway_mcp\n"
        ".venv/bin/python -c 'import hostaway_mcp.app; "
        'print("all modules compile, hostaway_mcp.app imports")\''
    )
    return all_ok(on_every_host(moment, script), "modules that compile and can be imported")


@check(
    r"config(?:uration)?(?: file)?<DONE> (?:updated|changed|written)",
    examples=["The configuration is updated"],
)
def configuration_updated(moment: Moment, match: re.Match[str]) -> Finding:
    """The configuration of every host parses and has pagination switched off, nested rightly."""
    script = (
        ".venv/bin/python - \"$CONFIG_FILE\" <<'PY'\n"
        "import json, sys, yaml\n"
        "settings = yaml.safe_load(open(sys.argv[1]))['context_protection']\n"
        "if not isinstance(settings, dict): sys.exit('context_protection holds no settings')\n"
        "print(*(f'{name} is {json.dumps(value)}' for name, value in settings.items()), sep=', ')\n"
        "sys.exit(settings['pagination_enabled'] is not False)\n"
        "PY"
    )
    return all_ok(on_every_host(moment, script), "pagination_enabled: false in it")
