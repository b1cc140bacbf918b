"""What keeps the service running on a host: supervisord anywhere, systemd in containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "SERVICE_NAME", "SUPERVISORD", "SUPERVISORS", "SYSTEMD", "Supervisor", "conf", "spare_others",
    "unit",
]  # fmt: skip

SERVICE_NAME = "hostaway-mcp"  # of the deployment's folder and of the supervised program


@dataclass(frozen=True, slots=True)
class Supervisor:
    """The scripts that stop, start and hang up the service; `name` is the word of alternatives."""

    name: str
    stop: str
    start: str
    hang_up: str


SUPERVISORD = Supervisor(
    "supervisord",
    stop=f'supervisorctl -c "$SUPERVISOR_CONF" stop {SERVICE_NAME} >/dev/null',
    start=f'supervisorctl -c "$SUPERVISOR_CONF" start {SERVICE_NAME} >/dev/null',
    hang_up=f'supervisorctl -c "$SUPERVISOR_CONF" signal HUP {SERVICE_NAME}',
)
SYSTEMD = Supervisor(
    "systemd",
    stop=f"systemctl stop {SERVICE_NAME}",
    start=f"systemctl start {SERVICE_NAME}",
    hang_up=f"systemctl kill --kill-who=main --signal=HUP {SERVICE_NAME}",
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
# Restarted again and again like supervisord's, or a leak's second kill would end the service.
_UNIT = """[Unit]
Description=Listings API
StartLimitIntervalSec=0
[Service]
WorkingDirectory={app}
ExecStart={app}/.venv/bin/python -m hostaway_mcp
OOMScoreAdjust=900
{environment}
ExecReload=kill -HUP $MAINPID
Restart=always
RestartSec=1
TimeoutStopSec=5
"""


def variables(
    environment: Mapping[str, str], secrets: Mapping[str, str], *, bind: str, port: int
) -> dict[str, str]:
    """Return the service's variables: those of the runbook's scripts under its own names."""
    return {
        "DATABASE_URL": environment["DATABASE_URL"],
        "HOSTAWAY_API_KEY": environment["API_KEY"],
        "HOSTAWAY_LOG_FILE": environment["LOG_FILE"],
        "HOSTAWAY_MAINTENANCE_FILE": environment["MAINTENANCE_FILE"],
        "HOSTAWAY_DEFECTS_FILE": environment["DEFECTS_FILE"],
        "HOSTAWAY_CONFIG": environment["CONFIG_FILE"],
        "HOSTAWAY_PORT": str(port),
        "HOSTAWAY_BIND": bind,
        **secrets,
    }


def spare_others(command: str, score: int) -> str:
    """Return `command` made likelier (1 to 1000) to be killed for memory than its supervisor.

    A host whose process 1 is killed is gone, and a script that starts meanwhile can cause that.
    """
    return f"sh -c 'echo {score} > /proc/self/oom_score_adj; exec {command}'"


def conf(folder: str, app: str, service: Mapping[str, str]) -> str:
    """Return supervisord's file: socket, logs and pid file in `folder`, the deployment in `app`.

    `service` are the service's `variables`. It holds secrets: keep it readable by its owner alone.
    """
    return _CONF.format(
        folder=folder,
        name=SERVICE_NAME,
        app=app,
        command=spare_others(f"{app}/.venv/bin/python -m hostaway_mcp", 900),
        environment=",".join(f'{name}="{value}"' for name, value in service.items()),
    )


def unit(app: str, service: Mapping[str, str]) -> str:
    """Return systemd's unit of the service; see `conf`."""
    lines = "\n".join(f'Environment="{name}={value}"' for name, value in service.items())
    return _UNIT.format(app=app, environment=lines)
