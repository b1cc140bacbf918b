"""The configuration of supervisord on a service host."""

from __future__ import annotations

from collections.abc import Mapping

from drill.stages.deployment import SERVICE_NAME

__all__ = ["render"]

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
command={app}/.venv/bin/python -m hostaway_mcp
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


def render(
    folder: str, environment: Mapping[str, str], secrets: Mapping[str, str], *, bind: str, port: int
) -> str:
    """Return the file that runs the service with its socket, logs and pid file in `folder`.

    `environment` is that of the runbook's scripts (see Stage.environment), `secrets` hold what
    only the service knows. The result holds secrets: keep it readable by its owner alone.
    """
    variables = {
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
    return _CONF.format(
        folder=folder,
        name=SERVICE_NAME,
        app=environment["APP_DIR"],
        environment=",".join(f'{name}="{value}"' for name, value in variables.items()),
    )
