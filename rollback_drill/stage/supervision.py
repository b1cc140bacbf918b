"""What keeps the service running on a host: supervisord anywhere, systemd in containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rollback_drill.subject.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Scripts that stop, start and hang up a `{program}`; `name` is the word of alternatives."""

    name: str
    stop: str
    start: str
    hang_up: str

    def of(self, program: str) -> Supervisor:
        """Return the scripts for a program of this name."""
        scripts = (one.format(program=program) for one in (self.stop, self.start, self.hang_up))
        return Supervisor(self.name, *scripts)


# supervisorctl takes long to load, and waits until what it starts has run for a second. The stage
# sees for itself when the service answers, so it asks by the interface that supervisorctl uses.
_ASK = """
ask() {{
  local told; told=$(curl -fsS --max-time 20 -H 'Content-Type: text/xml' \\
    --unix-socket "$(sed -n 's/^file=//p' "$SUPERVISOR_CONF")" http://localhost/RPC2 \\
    -d "<methodCall><methodName>supervisor.$1</methodName><params>\
<param><value><string>{program}</string></value></param>\
<param><value>$2</value></param></params></methodCall>")
  if [ -z "${{told##*<fault>*}}" ]; then echo "$told" >&2; return 1; fi
}}
"""
SUPERVISORD = Supervisor(
    "supervisord",
    stop='supervisorctl -c "$SUPERVISOR_CONF" stop {program} >/dev/null',
    start=_ASK + "ask startProcess '<boolean>0</boolean>'",
    hang_up=_ASK + "ask signalProcess '<string>HUP</string>'",
)
SYSTEMD = Supervisor(
    "systemd",
    stop="systemctl stop {program}",
    start="systemctl start {program}",
    hang_up="systemctl kill --kill-who=main --signal=HUP {program}",
)
SUPERVISORS = {one.name: one for one in (SUPERVISORD, SYSTEMD)}

_CONF = """[unix_http_server]
file={folder}/supervisor.sock
chmod=0700
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/supervisor.sock
[program:{name}]
command={command}
directory={app}
autostart=false
autorestart=true
startsecs=1
startretries=1000
stopsignal=TERM
stopwaitsecs=5
stdout_logfile={folder}/service.out
stderr_logfile={folder}/service.err
environment={environment}
"""
JOURNAL = 'journalctl --quiet --no-pager --output=short-iso --unit={program} --since="@$SINCE"'
"""What systemd and the service say since a time; what the service prints goes there."""
# Restarted again and again like supervisord's, or a leak's second kill would end the service.
_UNIT = """[Unit]
Description={title}
StartLimitIntervalSec=0
[Service]
WorkingDirectory={app}
ExecStart={app}/.venv/bin/python -m {module}
OOMScoreAdjust=900
{environment}
ExecReload=kill -HUP $MAINPID
Restart=always
RestartSec=1
TimeoutStopSec=5
"""


def spare_others(command: str, score: int) -> str:
    """Return `command` made likelier (1 to 1000) to be killed for memory than its supervisor.

    A host whose process 1 is killed is gone, and a script that starts meanwhile can cause that.
    """
    return f"sh -c 'echo {score} > /proc/self/oom_score_adj; exec {command}'"


def printed_in(folder: str) -> tuple[str, ...]:
    """Return the files of `conf` in which stands what the service prints, and what supervisord says
    of it.
    """
    return tuple(f"{folder}/{name}" for name in ("service.err", "service.out", "supervisord.log"))


def conf(folder: str, app: str, recipe: Recipe, service: Mapping[str, str]) -> str:
    """Return supervisord's file: socket, logs and pid file in `folder`, the deployment in `app`.

    `service`: its variables. The file holds secrets: keep it readable by its owner alone.
    """
    return _CONF.format(
        folder=folder,
        name=recipe.program,
        app=app,
        command=spare_others(f"{app}/.venv/bin/python -m {recipe.module}", 900),
        environment=",".join(f'{name}="{value}"' for name, value in service.items()),
    )


def unit(app: str, recipe: Recipe, service: Mapping[str, str]) -> str:
    """Return systemd's unit of the service; see `conf`."""
    lines = "\n".join(f'Environment="{name}={value}"' for name, value in service.items())
    return _UNIT.format(app=app, title=recipe.title, module=recipe.module, environment=lines)
