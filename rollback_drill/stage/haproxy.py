"""The configuration of HAProxy, whose health check asks for a path that can be switched."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["ADMIN_PORT", "FRONT_PORT", "SWITCH", "WAY", "haproxy_configuration"]

FRONT_PORT = 8080
ADMIN_PORT = 9999

_CONF = """global
  stats socket ipv4@*:{admin} level admin
  set-var proc.health_path str(/ready)
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout check 3s
  retries 0
frontend front
  bind :{front}
  default_backend hosts
backend hosts
  balance roundrobin
  option httpchk
  http-check send meth GET uri-lf %[var(proc.health_path)]
  http-check expect status 200
  default-server check inter 200ms fall 1 rise 1
{servers}
"""

SWITCH = """
exec 3<>"/dev/tcp/${{LB_ADMIN%:*}}/${{LB_ADMIN#*:}}"
echo 'experimental-mode on; set var proc.health_path str({path})' >&3
cat <&3
"""


# A host's new address; it answers with what it changed.
WAY = """
exec 3<>"/dev/tcp/${{LB_ADMIN%:*}}/${{LB_ADMIN#*:}}"
echo 'set server hosts/{host} addr {address} port {port}' >&3
said="$(cat <&3)"
case "$said" in *changed*|*"no need to change"*) ;; *) echo "HAProxy says: $said" >&2; exit 1;; esac
"""


def haproxy_configuration(hosts: Sequence[str], port: int) -> str:
    """Return the file for service hosts of these names, all serving on `port`."""
    servers = "\n".join(f"  server {host} {host}:{port}" for host in hosts)
    return _CONF.format(admin=ADMIN_PORT, front=FRONT_PORT, servers=servers)
