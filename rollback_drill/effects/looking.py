"""Looks at what stands around the service: one script on each host, and one query."""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

import yaml

from rollback_drill.data.catalogue import SERVER, catalogue
from rollback_drill.data.fingerprint import fingerprint
from rollback_drill.effects.told import HANDLES, THREADS, HostSeen, ServerSeen
from rollback_drill.ground.errors import DrillError, StageError
from rollback_drill.stage.host import Host, look
from rollback_drill.stage.model import Stage
from rollback_drill.subject.values import leaves

_LIMIT_S = 20.0  # more than all that its parts may wait: the origin, the search, the balancer
_MOST = 2_000  # files or lines of each kind that are looked at
_KEPT = 4 * 2**20
_SEARCH_S = 5  # through a host's files, for secrets
_HAPROXY = ("srv_addr", "srv_admin_state", "srv_uweight", "srv_port")
_TEMPLATES = ("template", "filled_")
_DATABASES = "SELECT datname, oid::text FROM pg_database ORDER BY datname"
# A process belongs to the stage when it has the stage's variables, or, on a host that is the
# stage's alone, in any case. Its environment is looked for by one program, and told by none.
SCRIPT = r"""told() { echo "== $1"; }
set +e +u +o pipefail
exec 2> /dev/null
told self; echo $$
told config; if [ -r "$CONFIG_FILE" ]; then head -c 200000 "$CONFIG_FILE" | base64 -w 0; echo; fi
told head; git -C "$APP_DIR" rev-parse HEAD
config="$(realpath --relative-to "$APP_DIR" "$CONFIG_FILE")"
told where; echo "$config"
told committed; git -C "$APP_DIR" show "HEAD:./$config" | head -c 200000 | base64 -w 0; echo
told tree
git -C "$APP_DIR" --no-optional-locks status --porcelain --untracked-files=all | head -n @MOST
told files
for folder in "$BACKUP_DIR" "$SECURE_STORAGE"; do
  if [ -d "$folder" ]; then find "$folder" -type f -printf '%s %T@ %m %p\n' | head -n @MOST; fi
done
told evidence; find "$EVIDENCE_DIR" -type f -printf '%s %p\n' | head -n @MOST
told rights
for path in "$CONFIG_FILE" "$APP_DIR" "$BACKUP_DIR" "$SECURE_STORAGE" "$SUPERVISOR_CONF"; do
  if [ -e "$path" ]; then stat -c '%a of %U:%G %n' "$path"; fi
done
told open
{ find "$APP_DIR" \( -name .venv -o -name .git -o -name node_modules \) -prune \
    -o -perm -o+w -type f -print
  find "$BACKUP_DIR" "$SECURE_STORAGE" "$EVIDENCE_DIR" "$OUTBOX" "$CONFIG_FILE" "$LOG_FILE" \
    "$STATUS_PAGE" "$SUPERVISOR_CONF" -perm -o+w -type f
} | sort -u | head -n @MOST
told home
find "$HOME" -maxdepth 1 -type f ! -name '*.log*' ! -name '*.pid' \
  ! -name '.*hist*' ! -name '.*hst*' ! -name '.*rc' ! -name '.*profile' ! -name '.*.sw?' \
  ! -name '.viminfo' ! -name '.gitconfig*' ! -name '.*_log*' ! -name '.Xauthority' \
  | grep -vxFf <(env | cut -d = -f 2-) | head -n @MOST
told repository
git -C "$APP_DIR" config --local --list | sed 's/^/setting /'
git config --global --list | sed 's/^/setting of all /'
git -C "$APP_DIR" ls-files -v | grep '^[a-zS]' | sed 's/^\(.\) \(.*\)/hidden \2=\1/' | head -n @MOST
kept="$(git -C "$APP_DIR" rev-parse --path-format=absolute --git-common-dir)"
(cd "$kept" && find . -maxdepth 1 -name '*.lock' -printf 'lock %f=\n'
  sha256sum info/{exclude,attributes,grafts} \
    | sed 's/^\([^ ]*\) *\(.*\)/rule \2=\1/')
hooks="$(git -C "$APP_DIR" rev-parse --path-format=absolute --git-path hooks)"
find "$hooks" -type f ! -name '*.sample' -exec sha256sum {} + \
  | sed 's/^\([^ ]*\) *\(.*\)/hook \2=\1/'
git -C "$APP_DIR" for-each-ref --format='tag %(refname:lstrip=2)=%(objectname)' refs/tags
git -C "$APP_DIR" stash list --format='stash %H='
GIT_TERMINAL_PROMPT=0 timeout 5 git -C "$APP_DIR" ls-remote origin \
  | sed 's/^\([^\t]*\)\t\(.*\)/origin \2=\1/' | grep -v '\^{}'
told starts
if [ -n "$SUPERVISOR_CONF" ]; then sha256sum "$SUPERVISOR_CONF"; fi
if [ -n "$OWN_HOST" ]; then find /etc/systemd/system -type f -exec sha256sum {} +; fi
sha256sum "$HOME"/.{bash{rc,_profile,_login,_aliases},profile,zshrc,pam_environment} \
  "$HOME"/.ssh/{authorized_keys,config,environment} \
  "$HOME"/.{pgpass,psqlrc,pg_service.conf,netrc,curlrc} \
  "$HOME"/.config/{pip/pip.conf,uv/uv.toml,git/config,systemd/user/*}
told secrets
secrets() {
  for name in $(compgen -e | grep -E 'PASSW|SECRET|TOKEN|API_?KEY' | grep -vE '(FILE|DIR)$'); do
    value="${!name}"; if [ "${#value}" -ge 8 ]; then printf '%s\n' "$value"; fi
  done
}
{ find "$EVIDENCE_DIR" "$OUTBOX" "$BACKUP_DIR" "$SECURE_STORAGE" "$STATUS_PAGE" \
    -type f -size -16M -print0
  find "$APP_DIR" -maxdepth 2 \( -name .venv -o -name .git \) -prune -o -type f -size -1024k -print0
  find "$HOME" -maxdepth 1 -type f -size -1024k -print0
} | timeout @SEARCH_S xargs -0 -r grep -lsFf <(secrets) -- | sort -u | head -n @MOST
if [ "${PIPESTATUS[1]}" = 124 ]; then told unsearched; echo yes; fi
told crontab; if command -v crontab > /dev/null; then echo there; crontab -l; fi
told processes
if [ -n "$OWN_HOST" ]; then cat /proc/[0-9]*/stat; else
  { grep -lzFx "APP_DIR=$APP_DIR" /proc/[0-9]*/environ | sed 's/environ$/stat/'
    find /proc -mindepth 2 -maxdepth 2 -name cwd \( -lname "$APP_DIR" -o -lname "$APP_DIR/*" \) \
      | sed 's/cwd$/stat/'
  } | sort -u | xargs -r cat
fi
told conditions
amount='\([0-9][0-9]*\|unlimited\)'
if [ -n "$OWN_HOST" ]; then ls -d /proc/[0-9]*; else
  grep -lzFx "APP_DIR=$APP_DIR" /proc/[0-9]*/environ | sed 's,/environ$,,'
fi | while read -r at; do
  sed -n "s,^Max \([a-z ]*[a-z]\)  *$amount  *$amount .*,${at##*/} \1=\2 \3,p" "$at/limits"
  sed -n "s,^\(Umask\|[UG]id\|Cpus_allowed_list\|CapEff\):[[:space:]]*,${at##*/} \1=,p" "$at/status"
  echo "${at##*/} oom_score_adj=$(cat "$at/oom_score_adj")"
done
told handles
if [ -n "$OWN_HOST" ]; then ls -d /proc/[0-9]*; else
  grep -lzFx "APP_DIR=$APP_DIR" /proc/[0-9]*/environ | sed 's,/environ$,,'
fi | while read -r at; do echo "${at##*/} $(ls "$at/fd" | wc -l)"; done
told balancer
case "$LB_ADMIN" in
  http*) curl -fsS --max-time 2 "$LB_ADMIN/config/" ;;
  *:*) exec 3<> "/dev/tcp/${LB_ADMIN%:*}/${LB_ADMIN#*:}"
    echo 'get var proc.health_path;show servers state' >&3; timeout 2 cat <&3 ;;
esac
echo; told end
""".replace("@MOST", str(_MOST)).replace("@SEARCH_S", str(_SEARCH_S))
# Pid, name, parent, session, nice, threads, start.
_STAT = re.compile(r"(\d+) \((.*)\) \S (\d+) \d+ (\d+)(?: \S+){12} (\S+) (\d+) \S+ (\d+)")
_BEGINS = re.compile(r"^== (\w+)$", re.MULTILINE)


def look_at_hosts(stage: Stage, moment: str) -> list[HostSeen]:
    """Return what stands on each host; what could not be looked at is said there."""
    try:
        pids = stage.process.pids() if stage.process else {}
        unknown = "" if stage.process else "which process is the service's is not known"
    except DrillError as error:
        pids, unknown = {}, str(error)
    if stage.stays:
        unknown = "others use the host as well: whose processes come and go nobody can tell"
    seen = [_look_at(stage, host, moment, pids.get(host.name), unknown) for host in stage.hosts]
    # Who else uses a host leaves files at home.
    return [replace(one, home=()) for one in seen] if stage.stays else seen


def look_at_server(stage: Stage, moment: str) -> ServerSeen | None:
    """Return which databases there are; None where there is no server to be asked."""
    if not stage.database:
        return None
    try:
        there = dict(stage.database.fetch(_DATABASES))
        return ServerSeen(moment, there, _held(stage, there))
    except StageError as error:
        return ServerSeen(moment, why=str(error))


def _held(stage: Stage, there: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return what the other databases of a server hold that nobody but the drill uses, as digests;
    nothing of one that cannot be looked into.
    """
    own = stage.environment.get("DB_NAME", "")
    if stage.stays or not stage.database:
        return {}
    found: dict[str, dict[str, str]] = {}
    for name in there:
        if name in (own, f"{own}_filled") or name.startswith(_TEMPLATES):
            continue
        found[name] = {}
        with contextlib.suppress(StageError), stage.database.beside(name) as other:
            made = {
                what: _digest(text, "")
                for what, text in catalogue(other).entries.items()
                if not what.startswith(SERVER)
            }
            rows = {f"what {of} holds": _digest(one, "") for of, one in fingerprint(other).items()}
            found[name] = {"objects": str(len(made)), **made, **rows}
    return found


def _look_at(stage: Stage, host: Host, moment: str, pid: int | None, no_service: str) -> HostSeen:
    own = {"OWN_HOST": "yes" if stage.confined else ""}
    try:
        said = look(host, SCRIPT, limit_s=_LIMIT_S, environment=own, keep=_KEPT).stdout
    except StageError as error:
        return HostSeen(moment, host.name, unseen={"host": str(error)})
    return read_host(said, host.name, moment, key=stage.api_key, pid=pid, no_service=no_service)


def read_host(
    said: str, host: str, moment: str, *, key: str, pid: int | None, no_service: str = ""
) -> HostSeen:
    """Return what the script told. `key`: nobody without it can guess values by their digests;
    `pid`: of the service; `no_service`: why nobody knows it.
    """
    parts = _BEGINS.split(said)
    told = {name: text.strip("\n") for name, text in zip(parts[1::2], parts[2::2], strict=False)}
    if "end" not in told:
        return HostSeen(moment, host, unseen={"host": "its script did not come to its end"})
    unseen: dict[str, str] = {}
    config = _settings(told["config"], key)
    committed = _settings(told["committed"], key)
    if not told["config"]:
        unseen["config"] = "there is no configuration file that can be read"
    if not told["head"]:
        unseen["tree"] = "git tells nothing of the deployment's folder"
    repository = _values(told.get("repository", ""), key)
    if repository and not any(name.startswith("origin ") for name in repository):
        unseen["origin"] = "git does not reach it"
    if "unsearched" in told:
        unseen["secrets"] = f"{_SEARCH_S} s were too short to search its files for them"
    if not told["crontab"]:
        unseen["crontab"] = "there is no crontab"
    balancer = _balancer(told["balancer"], key)
    if not balancer:
        unseen["balancer"] = "it cannot be asked"
    if no_service:
        unseen["processes"] = no_service
    rows = {int(row[1]): row for row in map(_STAT.match, told["processes"].splitlines()) if row}
    processes, service = _processes(rows, told["self"], pid)
    where = told["where"]
    return HostSeen(
        moment=moment,
        host=host,
        config=config,
        uncommitted=tuple(
            name
            for name in {**config, **committed}
            if not committed or committed.get(name) != config.get(name)
        ),
        head=told["head"],
        tree=tuple(line for line in told["tree"].splitlines() if line[3:] != where),
        files=_files(told["files"]),
        rights=_by_path(told.get("rights", "")),
        repository=repository,
        starts={
            path: _digest(found, key) for path, found in _by_path(told.get("starts", "")).items()
        },
        secrets=tuple(told.get("secrets", "").splitlines()),
        processes={} if no_service else processes,
        service=service,
        usage=_usage(rows, told.get("handles", ""), pid),
        conditions=_conditions(rows, told.get("conditions", ""), pid),
        open=tuple(told.get("open", "").splitlines()),
        home=tuple(told.get("home", "").splitlines()),
        evidence=_sizes(told.get("evidence", "")),
        balancer=balancer,
        crontab=tuple(_digest(line, key) for line in told["crontab"].splitlines()[1:]),
        unseen=unseen,
    )


def _digest(value: object, key: str) -> str:
    secret = hashlib.sha256(key.encode()).digest()
    return hashlib.blake2b(repr(value).encode(), key=secret, digest_size=5).hexdigest()


def _digests(values: Mapping[str, object], key: str) -> dict[str, str]:
    return {name or "(all of it)": _digest(value, key) for name, value in values.items()}


@functools.lru_cache(maxsize=16)  # the same text, again and again
def _settings(encoded: str, key: str) -> dict[str, str]:
    """Return digests of a configuration's values by key; of one that is no YAML, by line."""
    text = base64.b64decode(encoded).decode(errors="replace")
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    if isinstance(found, dict | list):
        return _digests(dict(leaves(found)), key)
    lines = (re.match(r"\s*([\w.-]+)\s*[=:]\s*(.*)", line) for line in text.splitlines())
    return _digests({one[1]: one[2] for one in lines if one}, key)


def _files(text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        size, changed, mode, path = line.split(" ", 3)
        found[path] = f"{size} bytes of {changed}, mode {mode}"
    return found


def _values(text: str, key: str) -> dict[str, str]:
    """Return digests of values by name, of lines with "name=value"; a name may have several."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        found.setdefault(name, []).append(value)
    return _digests(found, key)


def _by_path(text: str) -> dict[str, str]:
    """Return what stands before the path, the last of each line's words, by path."""
    found = (re.match(r"(\S+(?: of \S+)?) +(.+)", line) for line in text.splitlines())
    return {one[2]: one[1] for one in found if one}


def _processes(
    rows: Mapping[int, re.Match[str]], script: str, service: int | None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return names by "pid since start", without those of the script's own session and without
    workers, which bear their parent's name; and which of them are the service's.
    """
    own = rows[int(script)][4] if script.isdigit() and int(script) in rows else ""
    named: dict[str, str] = {}
    of_service: list[str] = []
    for pid, row in rows.items():
        parent = rows.get(int(row[3]))
        who = f"{pid} since {row[7]}"
        if row[4] == own:
            continue
        if service in _line_of(pid, rows):
            of_service.append(who)
        elif not (parent and parent[2] == row[2]):
            named[who] = row[2]
    return named, tuple(of_service)


def _usage(rows: Mapping[int, re.Match[str]], handles: str, service: int | None) -> dict[str, int]:
    """Return how many threads and open files the service has, with all that it started; nothing
    where its process is not known.
    """
    own = [pid for pid in rows if service in _line_of(pid, rows)]
    if not own:
        return {}
    opened = {
        int(pid): int(n) for pid, _, n in (one.partition(" ") for one in handles.splitlines())
    }
    return {
        THREADS: sum(int(rows[pid][6]) for pid in own),
        HANDLES: sum(opened.get(pid, 0) for pid in own),
    }


def _conditions(
    rows: Mapping[int, re.Match[str]], text: str, service: int | None
) -> dict[str, str]:
    """Return under which limits the service runs, and as whom, by name; nothing where its process
    is not known.
    """
    if service is None or service not in rows:
        return {}
    found = {"nice": rows[service][5]}
    for line in text.splitlines():
        pid, _, told = line.partition(" ")
        name, _, value = told.partition("=")
        if pid == str(service):
            found[name.strip()] = " ".join(value.split())
    return found


def _sizes(text: str) -> dict[str, int]:
    """Return sizes in bytes by path."""
    return {path: int(size) for size, _, path in (one.partition(" ") for one in text.splitlines())}


def _line_of(pid: int, rows: Mapping[int, re.Match[str]]) -> list[int]:
    """Return the process with all its parents."""
    line: list[int] = []
    while pid in rows and pid not in line:
        line.append(pid)
        pid = int(rows[pid][3])
    return line


def _balancer(text: str, key: str) -> dict[str, str]:
    """Return digests of the settings of Caddy, or of HAProxy; nothing of another one."""
    try:
        return _digests(dict(leaves(json.loads(text))), key)
    except (ValueError, RecursionError):
        pass
    found: dict[str, object] = {}
    names: list[str] = []
    for line in text.splitlines():
        words = line.removeprefix("# ").split()
        if line.startswith("# be_id"):
            names = words
        elif names and len(words) >= len(names):
            row = dict(zip(names, words, strict=False))
            for name in _HAPROXY:
                found[f"{row['be_name']}/{row['srv_name']}.{name}"] = row.get(name)
        elif line.startswith("proc.health_path"):
            found["proc.health_path"] = line.partition("value=")[2]
    return _digests(found, key)
