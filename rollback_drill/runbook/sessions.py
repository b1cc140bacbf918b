"""What of a block is meant for a shell: without prompts, and whether it plainly is shell."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rollback_drill.runbook.shell import Command

_DOLLAR = re.compile(
    r"^\s*(?:\([\w.-]+\) ?)?(?:[\w.-]+@[\w.-]+[ :][^$#%]*|[~/][\w./-]*)?[$%] (?P<rest>.*)$"
)
_HASH = re.compile(r"^\s*(?:\[?[\w.-]+@[\w.-]+[ :][^$#%]*)?# (?P<rest>.*)$")
_MORE = re.compile(r"^\s*> ?(?P<rest>.*)$")
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(?P<end>\w+)\1")
_MOST_LETTERS = 20_000  # of a block without a language; what is longer is no command

# First words by which a block without a language is known to be commands. What is missing here
# makes a block unread, never wrongly performed.
_NAMES = """
a2dissite a2ensite alembic ansible ansible-playbook apachectl apk apt apt-get argocd atlas awk aws
az barman base64 bash bin/rails borg buildah bundle bunzip2 bzip2 caddy calicoctl cap cargo cat cd
cdk celery chmod chown cilium clickhouse-client composer consul cosign cp cqlsh crane createdb
crictl crontab curl cut date dbmate deno df diff dig dnf docker docker-compose doctl dotnet dpkg
dropdb du echo eksctl env etcdctl exit export fab find firebase flask flux flyctl flyway gcloud gh
ghost git gitlab-ctl gitlab-patronictl gitlab-rake go goose grep gsutil gunicorn gunzip gzip
haproxy head helm helmfile heroku host hostname htop http id install ip iptables iptables-restore
istioctl java journalctl jq k6 kafka-configs.sh kafka-features.sh kafka-topics.sh kill killall knex
kops kubeadm kubectl kustomize launchctl less linkerd liquibase ln local ls lvconvert make
manage.py mariadb mariadb-dump migrate mkdir mongo mongodump mongorestore mongosh mv mysql
mysqladmin mysqldump nc nerdctl netstat newrelic nft nginx node nodetool nohup nomad npm npx
nslookup oc openssl patronictl pg_basebackup pg_ctl pg_ctlcluster pg_dump pg_dumpall pg_isready
pg_restore pgbackrest pgrep php ping pip pip3 pipenv pkill pm2 pnpm podman poetry printf prisma ps
psql pulumi pwd python python3 rabbitmqctl rails rake read redis-cli repmgr restic restorecon rm
rmdir rpm rsync ruby scp sed sequelize serverless service set sh sha256sum shutdown skopeo sleep
sls snap sort source split sqlite3 squawk ss ssh stat sudo supervisorctl sysctl systemctl tac tail
talosctl tar tee telnet terraform test time timeout top touch tr trap true tsx umask uname uniq
unset unzip update-alternatives uv uwsgi varnishadm vault velero vercel wait wal-g watch wc wget
which wrangler xargs xtrabackup yarn yum zcat zfs zip zpool zypper
"""
_COMMANDS = frozenset(_NAMES.split())
# These also begin sentences ("find the pod"): their arguments must have a mark of a command.
_SENTENCES = """
cut date diff dig find go head host id install kill less make read service set sleep sort split stat
test time top touch trap watch wait which
"""
_ENGLISH = frozenset(_SENTENCES.split())
_PATH = re.compile(r"(?:\.{0,2}/|\.[\w-]+/|\$\{?\w+\}?/|bin/|scripts?/)\S")
_BETWEEN_WORDS = re.compile(r"[\s|&;()<>{}!]+")
_QUOTING = re.compile(r"\\\n|[\\'\"`$]")
_MARK = re.compile(
    r"\s(?:-|\S*[/$\"'=<>|.\d])|^(?:\w+=\S* )*(?:make|service) [a-z_-]+(?: [a-z_-]+)?$"
)


def typed_first(content: str) -> bool:
    """Whether the first line of `content` that is no comment begins with the prompt `$ `."""
    lines = (line for line in content.split("\n") if line.strip() and not line.startswith("#"))
    return next(lines, "").lstrip().startswith("$ ")


def without_prompts(content: str) -> str:
    """Return the lines of a session that were typed, without their prompts, each where it was.

    What is no command is output: an empty line stands for it. A `content` without any prompt is
    returned as it is. `$ ` and `% ` are prompts; where there are none, `# ` before what plainly is
    a command is one, too.
    """
    lines = content.split("\n")
    prompt = _DOLLAR if any(_DOLLAR.match(line) for line in lines) else _HASH
    typed = [match["rest"] for line in lines if (match := prompt.match(line))]
    if not typed or (prompt is _HASH and not all(map(plainly_shell, typed))):
        return content
    found: list[str] = []
    end, goes_on = "", False
    for line in lines:
        match = prompt.match(line)
        more = _MORE.match(line)
        if end:
            text = more["rest"] if more and line.lstrip().startswith("> ") else line
            end = "" if text.strip() == end else end
        elif match:
            text = match["rest"]
        elif goes_on:
            text = more["rest"] if more else line
        else:
            text = ""
        goes_on = bool(text) and text.endswith("\\") and not end
        if not end and (heredoc := _HEREDOC.search(text)) and (match or goes_on):
            end = heredoc["end"]
        found.append(text)
    return "\n".join(found)


@functools.lru_cache(maxsize=512)
def plainly_shell(content: str) -> bool:
    """Whether `content` can only be meant for a shell: it is shell throughout, and each of its
    commands is known, or is named by a path.
    """
    if not content.strip() or len(content) > _MOST_LETTERS:
        return False
    # Most prose has no word that a command could begin with: the grammar need not be loaded for it.
    words = (w for text in (content, _QUOTING.sub("", content)) for w in _BETWEEN_WORDS.split(text))
    if not any(word in _COMMANDS or _PATH.match(word) for word in words):
        return False
    from rollback_drill.runbook.shell import read_script

    script = read_script(content)
    return bool(script.commands) and not script.unread and all(map(_known, script.commands))


def holds_command(content: str) -> bool:
    """Whether anything is left of `content` beside comments and empty lines."""
    return any(line.strip() and not line.lstrip().startswith("#") for line in content.split("\n"))


def _known(command: Command) -> bool:
    word = command.words[0].text
    if word in _ENGLISH and not _MARK.search(command.text):
        return False
    return word in _COMMANDS or bool(_PATH.match(word))
