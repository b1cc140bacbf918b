"""Each rule over scripts, by a table: what it finds, and near misses that it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollback_drill.cli import main
from rollback_drill.ground.errors import Exit
from rollback_drill.runbook.lint import Read, lint_document, suspicions
from rollback_drill.runbook.shell import Context, read_script

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "runbooks"


def rules(script: str, context: Context | None = None) -> list[str]:
    """Return the names of the rules that find something in `script`."""
    found = suspicions(Read((read_script(script, 1, context),), None))
    assert all(1 <= one.line <= script.count("\n") + 1 for one in found), found
    return [one.rule for one in found]


ENDLESS = """
tail -f app.log
tail -F app.log
tail -n 100 -f app.log
tail -fn100 app.log
tail --follow=name app.log
tail -f app.log | grep ERROR
tail -f app.log | tee copy.log
sudo -u api tail -f app.log
nohup tail -f app.log
timeout 0 tail -f app.log
env LC_ALL=C nice -n 5 tail -f app.log
/usr/bin/tail -f app.log
\\tail -f app.log
if true; then tail -f app.log; fi
watch_it() { tail -f app.log; }
x=$(tail -f app.log)
ssh api-1 'tail -f app.log'
ssh -p 22 deploy@api-1 sudo tail -f app.log
ssh api-1 <<'END'\\ncd /srv\\ntail -f app.log\\nEND
sh -c 'cd /srv && tail -f app.log'
sudo bash -ec "tail -f app.log"
eval "tail -f app.log"
find . -name '*.log' -exec tail -f {} +
trap 'tail -f app.log' EXIT
ls *.log | xargs tail -f
git fetch && tail -f app.log 2>&1
date && tail -f app.log | grep x > copy.txt
kubectl exec deploy/api -- tail -f app.log
kubectl -n prod exec -it api-0 -c api -- sh -c 'tail -f app.log'
docker exec api tail -f app.log
docker exec -it -e A=1 api sh -c 'tail -f app.log'
docker compose -f a.yml exec -T api tail -f app.log
journalctl --follow
journalctl -fu api
journalctl -u api -f
journalctl -xef
kubectl logs deploy/api -n prod -f
kubectl logs -f deploy/api
kubectl --context prod logs --follow api-0
kubectl get pods -w
kubectl get pods --watch
kubectl port-forward svc/api 8000:80
kubectl proxy
docker logs -f api
docker logs --tail 5 --follow api
docker compose logs -f
docker-compose -f a.yml logs --follow api
docker compose up
docker compose -f a.yml up --build
docker-compose up api
docker stats
docker events
docker attach api
watch -n 1 curl -s localhost
watch kubectl get pods
top
htop
vmstat 5
ping api-1
tcpdump -i eth0 port 80
stern api
dmesg -w
yes
sleep infinity
cat
cat > settings.yaml
ssh -N -L 5432:db:5432 bastion
python -m http.server
./manage.py runserver
flask run
uvicorn app:app
gunicorn app:app
celery -A app worker
npm start
redis-cli monitor
aws logs tail /api --follow
heroku logs --tail -a shop
while true; do sleep 5; done
while true\\ndo sleep 5; done
while :; do curl -s localhost; done
while [ 1 ]; do date; done
until false; do date; done
for ((;;)); do date; done
for ((i = 0; ; i++)); do date; done
while true; do echo "break it"; done
""".strip().splitlines()
ENDS = """
tail -n 100 app.log
tail -n 5 -- -f
tail --pid=$! -f app.log
tail -f app.log | head -n 5
tail -f app.log | grep -m1 started
tail -f app.log | grep -q started
tail -f app.log | sed '/started/q'
tail -f app.log | awk '/started/ {exit}'
tail -f app.log | timeout 10 cat
timeout 10 tail -f app.log
timeout -k 5 1m tail -f app.log
timeout 10 sh -c 'tail -f app.log | grep x'
timeout 10 bash -c 'while true; do date; done'
ssh api-1 'timeout 10 tail -f app.log'
ssh api-1 'tail -f app.log' | head -n 1
tail -f app.log &
nohup tail -f app.log > copy.log 2>&1 &
docker exec -d api tail -f app.log
diff <(timeout 1 tail -f a) b
head -n 1 <(tail -f app.log)
echo "in another window: tail -f app.log"
echo done   # never use tail -f here
printf '%s' 'watch kubectl get pods'
git commit -m "top of the list: while true; do"
grep -n 'tail -f' runbook.md
cat <<'END' > note.txt\\ntail -f app.log\\nEND
command -v tail
journalctl -u fluent -n 50
journalctl -ufluent --since today
kubectl logs deploy/api --tail=50
kubectl apply -f api.yaml
kubectl get pods -o wide
kubectl rollout status deploy/api --timeout=60s
kubectl get pods --watch=false
docker compose -f a.yml up -d
docker compose up --detach --build
docker compose up --wait
docker compose logs --tail 50
docker compose -f a.yml ps
docker logs --tail 50 api
docker stats --no-stream
top -b -n 1
vmstat 5 3
ping -c 3 api-1
tcpdump -c 5
cat app.log
cat <&3
date | cat
cat > note.txt <<END\\nx\\nEND
sleep 5
ssh -f -N -L 5432:db:5432 bastion
gunicorn --daemon app:app
uvicorn app:app &
celery -A app inspect ping
npm run build
while true; do curl -fs localhost && break; sleep 1; done
until curl -fs localhost; do sleep 1; done
for i in 1 2 3; do date; done
for ((i = 0; i < 3; i++)); do date; done
while read -r line; do date; done < names.txt
""".strip().splitlines()
ASKS = """
read -p "go on? " answer
read answer
select one in a b; do echo; done
vim config.yaml
sudo nano /etc/api.conf
crontab -e
less app.log
man tail
psql
psql -h db -U api shop
mysql -u root -p shop
sqlite3 shop.db
mongosh shop
redis-cli -h cache
python
python3
python3.12
node
rails console
./manage.py shell
flask shell
bash
sudo -i
sudo su - api
su - postgres
ssh api-1
ssh -p 22 deploy@api-1
docker exec -it api bash
docker compose exec db psql -U api shop
kubectl exec -it api-0 -- sh
kubectl edit deploy/api
tmux attach
sftp api-1
git rebase -i v1.0
git commit
git revert v1.0
git add -p
git tag -a v1.0
apt-get install postgresql-client
terraform apply
docker image prune
rm -i app.log
passwd api
supervisorctl
aws ssm start-session --target i-1
""".strip().splitlines()
KNOWS = """
read -t 5 answer
read -r first < names.txt
echo x | while read -r line; do date; done
while IFS= read -r line; do date; done < names.txt
read -r a b <<< "$x"
cat app.log | less > copy.txt
psql -c 'select 1'
psql -d shop -Atc 'select 1'
psql -v ON_ERROR_STOP=1 -f up.sql
psql -d shop <<'SQL'\\nselect 1;\\nSQL
echo 'select 1' | psql shop
mysql -e 'select 1'
mysql shop < up.sql
sqlite3 shop.db 'select 1'
mongosh shop --eval 'db.stats()'
redis-cli -h cache info
python -c 'print(1)'
python -m compileall app
python check.py
python - <<'END'\\nprint(1)\\nEND
./manage.py shell -c 'print(1)'
bash deploy.sh
bash -c 'date'
bash -s < deploy.sh
sudo systemctl restart api
sudo -u postgres psql -c 'select 1'
su - postgres -c 'psql -c "select 1"'
ssh api-1 date
ssh api-1 < deploy.sh
ssh api-1 <<'END'\\ndate\\nEND
docker exec api date
kubectl exec api-0 -- date
git rebase v1.0
git commit -m "Back"
git commit --amend --no-edit
git revert --no-edit v1.0
git revert -n v1.0
GIT_EDITOR=true git revert v1.0
git tag -a v1.0 -m "Back"
git tag v1.0
apt-get install -y postgresql-client
apt-get update
yes | apt-get install postgresql-client
terraform apply -auto-approve
terraform apply plan.out
terraform plan
docker image prune --force
supervisorctl restart api
tmux new-session -d -s work
crontab -l
trap - EXIT
trap 'rm -f lock' EXIT
# read -p "go on?" answer
echo "vim config.yaml"
""".strip().splitlines()
BLANKS = """
git checkout {{VERSION}}
git checkout {{ version }}
git checkout "{{VERSION}}"
git revert COMMIT_HASH
git checkout <version>
git checkout <version>\\n# and then\\ngit log
git checkout release-<version>
git checkout "<version>"
alembic downgrade <migration-id>
systemctl restart <service name>
curl https://<host>/health
vercel promote [deployment-url]
systemctl restart [service name]
curl https://[host].example.com/health
gunzip -c backup_TIMESTAMP.sql.gz
gunzip -c backup-YYYY-MM-DD.sql.gz
pg_restore -d shop /backups/DATE/shop.dump
aws s3 cp s3://BUCKET_NAME/shop.dump .
docker pull registry.example.com/api:TAG
kubectl rollout undo deploy/NAME --to-revision=3
kubectl rollout undo deploy/api --to-revision=REVISION
helm rollback api REVISION
helm rollback RELEASE_NAME 3
cat dump.sql > shop_DATE.sql
curl -H 'X-Key: YOUR_API_KEY' localhost
aws s3 ls s3://your-bucket
export TOKEN=your_token_here
export TOKEN=changeme
git checkout v1.x.y
git checkout vX.Y.Z
TAG=<tag>
VERSION=vX.Y.Z
NAMESPACE='[your namespace]'
REVISION=COMMIT_HASH
TAG=<tag> deploy
for host in <host-1> <host-2>; do date; done
ssh <host> date
kubectl exec <pod> -- date
sudo -u DEPLOY_USER date
docker exec your-container sh -c date
aws ec2 stop-instances --instance-ids i-xxxxxxxx
ssh xxx.xxx.xxx.xxx date
echo XXX | tee version
git checkout TODO
git checkout ...
git checkout …
git checkout %VERSION%
git checkout __VERSION__
git checkout $(VERSION)
git checkout ____
aws elbv2 describe-target-groups --target-group-arns arn:aws:elb:region:account:targetgroup/name
ssh api-1 'git checkout <version>'
echo "[Your Name] takes the release back" > message.txt
cat > message.txt <<END\\nDear customer, [what happened] is over.\\nEND
cat > message.txt <<END\\nRolled back to {{VERSION}}\\nEND
""".strip().splitlines()
FILLED = """
git checkout "$VERSION"
git checkout ${VERSION:?}
git checkout "${VERSION:?name the tag}"
git checkout v1.4
git checkout HEAD
MODE=PRODUCTION
LOG_LEVEL=DEBUG
for level in ERROR WARNING; do date; done
files=(*.[ch])
git reset FETCH_HEAD
export DATABASE_URL=postgres://db/shop
unset DATABASE_URL
printenv DATABASE_URL
read -r VERSION < version.txt
cat VERSION
cp VERSION /srv/api/VERSION
head -n 20 CHANGELOG.md README.md
git checkout v1.4 -- VERSION
curl -X POST -H "X-API-Key: $API_KEY" localhost
psql -v ON_ERROR_STOP=1 -d "$DB_NAME" -c 'SELECT ID, NAME FROM USER'
psql -c "select to_char(now(), 'YYYY-MM-DD')"
date +%Y-%m-%d
kill -HUP 12
kubectl set env deploy/api LOG_LEVEL=debug
heroku config:get DATABASE_URL
docker run -e DATABASE_URL api date
docker inspect --format '{{.State.Status}}' api
docker ps --format '{{json .}}'
kubectl get pods -o go-template='{{range .items}}{{.metadata.name}}{{end}}'
sort <names.txt >sorted.txt
sort < names.txt > sorted.txt
diff <(sort a) <(sort b)
go test ./...
git log v1.0...v1.1
git diff main..HEAD
ls backup_[0-9]*.dump
ls [a-z]*
[ -e file ]
[[ $a == [abc]* ]]
if [ -e file ]; then echo [ok]; fi
echo "[INFO] waiting ..."
echo "deploys <version>"
echo done   # git checkout <version>
chmod +x deploy.sh
cat > conf.ini <<END\\n[service]\\nname = x\\nEND
cat > conf.yaml <<END\\nroles: [admin]\\nEND
cat > page.html <<END\\n<title>Back</title>\\nEND
cat > list.md <<END\\n- [x] done\\n[the page](https://example.com)\\nEND
cat <<END | psql -v ON_ERROR_STOP=1\\nselect 1;\\nEND
sed -i 's/VERSION=.*/VERSION=1/' settings
grep -E 'ERROR|WARNING' app.log
aws elbv2 modify-target-group --target-group-arn "$TARGET_GROUP_ARN" --health-check-path /ready
git for-each-ref --format='%(refname:short)' refs/tags
curl -s 'https://example.com/?q=USER_ID'
(( a < b )) && (( b > a ))
""".strip().splitlines()
RELATIVE = """
alembic downgrade -1
alembic -c a.ini downgrade -2
.venv/bin/alembic downgrade -1
python -m alembic downgrade -1
uv run alembic downgrade -1
docker compose exec -T api alembic downgrade -1
alembic downgrade 0002-1
flask db downgrade
flask --app shop db downgrade
flyway undo
flyway -url=x undo
rails db:rollback
bundle exec rake db:rollback STEP=2
knex migrate:rollback
npx knex migrate:down
npx sequelize-cli db:migrate:undo
npx typeorm migration:revert
goose postgres "$DSN" down
dbmate rollback
migrate -path m -database "$DSN" down 1
liquibase rollback-count 1
php artisan migrate:rollback
mix ecto.rollback
atlas migrate down
dotnet ef migrations remove
helm rollback api
helm -n prod rollback api
helm rollback api 0
kubectl rollout undo deploy/api
kubectl -n prod rollout undo deployment api
git reset --hard HEAD~1
git reset --hard HEAD^
git reset --hard @{1}
git checkout HEAD~2
git checkout -
git switch -
git revert --no-edit HEAD
git revert --no-edit HEAD~3..HEAD
heroku rollback
vercel rollback
docker service rollback api
cap production deploy:rollback
""".strip().splitlines()
EXACT = """
alembic downgrade 0001_base
alembic downgrade ae1027a6acf
alembic downgrade 2024-0001
alembic downgrade "$REVISION"
alembic upgrade +1
alembic current
flask db downgrade 0001_base
flask db upgrade
flyway -target=3 undo
flyway migrate
rails db:migrate:down VERSION=20240101
rails db:migrate
knex migrate:down 20240101_shop.js
npx sequelize-cli db:migrate:undo --name 01-shop.js
goose postgres "$DSN" down-to 3
migrate -path m -database "$DSN" goto 3
mix ecto.rollback --to 20240101
atlas migrate down --to-version 3
prisma migrate resolve --rolled-back 01_shop
helm rollback api 3
helm -n prod rollback api "$REVISION" --wait
helm history api
kubectl rollout undo deploy/api --to-revision=3
kubectl rollout undo deploy/api --to-revision 3
kubectl rollout status deploy/api
git reset --hard v1.0
git reset HEAD
git checkout v1.0
git checkout -b back v1.0
git checkout HEAD~1 -- config.yaml
git log HEAD~5..HEAD
git diff HEAD~1
git revert --no-edit v1.1
heroku rollback v12
vercel rollback https://shop-1.example.com
echo "alembic downgrade -1"
echo done   # alembic downgrade -1
""".strip().splitlines()
TO_NOTHING = """
alembic downgrade base
alembic -c a.ini downgrade base
flask db downgrade base
./manage.py migrate shop zero
python manage.py migrate shop zero
rails db:migrate VERSION=0
rails db:drop
knex migrate:rollback --all
npx sequelize-cli db:migrate:undo:all
flyway clean
npx prisma migrate reset --force
php artisan migrate:fresh
""".strip().splitlines()
TO_SOMETHING = """
alembic downgrade 0001_base
alembic downgrade base --sql
./manage.py migrate shop 0001
rails db:migrate VERSION=20240101
flyway migrate
npx prisma migrate deploy
echo "alembic downgrade base"
""".strip().splitlines()
GOES_ON = """
psql shop < dump.sql
psql -f dump.sql
psql --file=dump.sql shop
psql -v ON_ERROR_STOP=0 -f dump.sql
gunzip -c backup.sql.gz | psql app
zcat backup.sql.gz | sudo -u postgres psql app
cat dump.sql | ssh db psql app
cat dump.sql | docker exec -i db psql -U api app
aws s3 cp s3://kept/dump.sql - | psql app
docker compose exec -T db psql -U api app < dump.sql
kubectl exec -i db-0 -- psql app < dump.sql
ssh db 'psql app < dump.sql'
pg_restore -d shop dump
pg_restore --dbname=shop dump
mysql --force shop < dump.sql
sqlite3 shop.db < dump.sql
""".strip().splitlines()
STOPS = """
psql -v ON_ERROR_STOP=1 shop < dump.sql
psql -vON_ERROR_STOP=1 -f dump.sql
psql --set=ON_ERROR_STOP=on -f dump.sql
gunzip -c backup.sql.gz | psql -v ON_ERROR_STOP=1 app
echo 'select 1' | psql app
psql app <<'SQL'\\nselect 1;\\nSQL
psql -c 'select 1 < 2'
psql -c 'select 1' > dump.sql
pg_restore -e -d shop dump
pg_restore --exit-on-error --dbname shop dump
pg_restore -1 -d shop dump
pg_restore -f /dev/null dump
pg_restore --list dump
mysql shop < dump.sql
sqlite3 -bail shop.db < dump.sql
echo "psql shop < dump.sql"
""".strip().splitlines()
UNSET = """
rm -rf $NOT_SET/*
rm -rf "$NOT_SET/"
rm -rf $NOT_SET/cache
sudo rm -rf ${NOT_SET}/*
rm -fr /var/lib/$NOT_SET
rm -rf "$A$B/"
ssh api-1 'rm -rf $NOT_SET/*'
find $NOT_SET/ -delete
chown -R api $NOT_SET/
rsync -a --delete new/ $NOT_SET/
APP= ; rm -rf $APP/*
""".strip().splitlines()
SET = """
rm -rf ${APP:?}/*
rm -rf "${APP:-/srv/api}/cache"
: "${APP:?}"; rm -rf "$APP/cache"
APP=/srv/api; rm -rf "$APP/cache"
export APP=/srv/api; rm -rf "$APP/cache"
read -r APP < name; rm -rf "$APP/cache"
for d in a b; do rm -rf "$d/cache"; done
set -u; rm -rf "$APP/cache"
bash -uc 'rm -rf "$APP/cache"'
rm -rf "$HOME/cache"
rm -rf "$APP"
rm -rf build/$APP
rm -f "$APP/cache"
ls "$APP/"
echo 'rm -rf $APP/*'
rm -rf '$APP/*'
""".strip().splitlines()
DESTROYS = """
rm -rf /
rm -rf /*
sudo rm -rf *
git clean -fdx
git clean -f -d -x
git clean -fd
git push --force
git push -f origin main
git push origin +main
git push origin --delete v1.0
git push origin :v1.0
git stash clear
psql -c 'drop database shop'
psql -c 'DROP TABLE orders'
psql -c 'drop schema public cascade'
psql -c 'truncate orders'
psql -c 'delete from orders'
psql <<SQL\\nselect 1;\\nTRUNCATE TABLE orders;\\nSQL
echo 'drop table orders' | psql shop
mysql -e 'drop database shop'
psql -c 'drop database if exists shop' -c 'create database shop'
dropdb shop
dropdb --if-exists shop; createdb shop
kubectl delete namespace prod
kubectl delete -f api.yaml
kubectl delete pvc/data
kubectl delete pods --all
kubectl -n prod delete deployment api
docker system prune -af
docker volume rm data
docker compose down -v
docker-compose -f a.yml down --volumes
truncate -s 0 app.log
dd if=/dev/zero of=/dev/sda
redis-cli FLUSHALL
aws s3 rm s3://kept --recursive
terraform destroy -auto-approve
helm uninstall api
journalctl --vacuum-time=1s
""".strip().splitlines()
KEEPS = """
rm -rf .venv
rm -rf ./build/*
rm app.log
git clean -n -fdx
git push
git push origin v1.0
git push --force-with-lease
git stash push
psql -c 'DROP DATABASE old'
psql -c 'drop database if exists scratch_12' -c 'create database scratch_12'
psql -c 'drop table if exists spare'
psql -c 'delete from orders where id = 1'
psql <<SQL\\ndelete from kept;\\n\\copy kept FROM kept.csv\\nSQL
psql -c 'DROP DATABASE IF EXISTS $scratch'
dropdb --if-exists shop-force
dropdb shop_old
echo 'drop database shop'
git commit -m 'drop table orders'
kubectl delete pod api-0
kubectl delete job/migrate
kubectl delete ns prod --dry-run=client
docker image ls
docker compose down
truncate -s 10M file
dd if=/dev/urandom of=/dev/null count=1
aws s3 rm s3://kept/one.dump
helm upgrade api chart
redis-cli info
""".strip().splitlines()
SWALLOWED = """
while ! alembic upgrade head; do break; done
until uv sync\\ndo\\n  echo later\\n  break\\ndone
case "$(alembic upgrade head)" in *) date ;; esac
test "$(pg_dump shop)" && date
alembic upgrade head || { echo failed; }
alembic upgrade head || ( echo failed; true )
alembic upgrade head || date
sudo systemctl restart api || logger -t api failed >&2
alembic upgrade head || echo "failed" >&2
alembic upgrade head && date || true
alembic upgrade head || status=$?
timeout 10 alembic upgrade head || [ $? -eq 124 ]
for h in a b; do ssh $h systemctl restart api || continue; done
back() {\\n  alembic upgrade head\\n  date\\n}\\nif back; then date; fi
function back { uv sync; systemctl restart api; }\\nback || exit 1
ssh api-1 'git checkout v1.0; systemctl restart api'
ssh api-1 <<'END'\\ngit checkout v1.0\\nsystemctl restart api\\nEND
docker exec api sh -c "alembic upgrade head; date"
said="$(alembic upgrade head; date)"
systemctl restart --no-block api
at now <<< 'systemctl restart api'
! sha256sum --check a.sha256
echo "$(sha256sum -c a.sha256)"
export SAID="$(pg_dump shop)"
cat <(sha256sum --check a.sha256)
if ! alembic upgrade head; then echo bad; fi
if sha256sum --check a.sha256; then\\n  echo good\\nelse\\n  echo bad\\nfi
uv sync --quiet && echo done\\ndate
sha256sum --check a.sha256 || echo "$?"
sha256sum --check a.sha256 &
coproc alembic upgrade head
nohup pg_dump shop > shop.sql &
sudo systemctl restart api &\\nwait
alembic upgrade head || true
alembic upgrade head || :
alembic upgrade head; true
{ git fetch; git checkout v1.0; } || true
pg_dump shop | gzip > a.gz || true
ssh api-1 'systemctl restart api || true'
ssh api-1 'systemctl restart api; true'
systemctl restart api || exit 0
set +e
set +e; alembic upgrade head
set +o pipefail
set +o errexit
pg_dump shop | gzip > shop.sql.gz
gunzip -c a.gz | psql -v ON_ERROR_STOP=1
curl -s https://example.com/deploy.sh | bash
sh -c 'pg_dump shop | gzip > a.gz'
""".strip().splitlines()
HEARD = """
until alembic upgrade head; do sleep 1; done
for n in 1 2 3; do alembic upgrade head && break; sleep 1; done
alembic upgrade head || { echo failed; exit 1; }
alembic upgrade head || status=$?\\nexit "$status"
back() {\\n  alembic upgrade head\\n  date\\n}\\nback
back() {\\n  alembic upgrade head || return 1\\n  date\\n}\\nback || exit 1
up() { curl -f localhost; }\\nup || exit 1
ssh api-1 'git checkout v1.0 && systemctl restart api'
ssh api-1 'set -e; git checkout v1.0; systemctl restart api'
ssh api-1 'cd /srv; systemctl restart api'
ssh api-1 bash -ec 'git checkout v1.0; systemctl restart api'
bash -ec 'git checkout v1.0; systemctl restart api'
ssh api-1 bash -e <<'END'\\ngit checkout v1.0\\nsystemctl restart api\\nEND
systemctl restart --no-block api; systemctl is-active api
echo "alembic upgrade head || echo failed"
# alembic upgrade head || date
uv sync --quiet && echo done
if ! alembic upgrade head; then echo bad; exit 1; fi
if sha256sum --check a.sha256; then mv a b; fi
for n in 1 2; do if alembic upgrade head; then break; fi; done
echo "$(git rev-parse HEAD)"
pg_dump shop > shop.sql & wait $!
if ! systemctl is-active api; then echo down; fi
! grep ERROR app.log
alembic upgrade head
alembic upgrade head || exit 1
alembic upgrade head && true
grep -c ERROR app.log || true
diff a b || true
kill "$pid" || true
set -e
set -euo pipefail
set +e; alembic upgrade head; status=$?; set -e; exit "$status"
set +x
set -o pipefail; pg_dump shop | gzip > shop.sql.gz
bash -o pipefail -c 'pg_dump shop | gzip > a.gz'
curl -fs localhost | grep -c ok
curl -s localhost | jq .status
git tag | head -n 5
echo "x || true"
true
if true; then date; fi
while true; do date; break; done
""".strip().splitlines()
SILENT = """
systemctl restart api 2>/dev/null
systemctl restart api >/dev/null 2>&1
systemctl restart api &>/dev/null
x=$(git describe 2>/dev/null)
{ git fetch; } 2>/dev/null
ssh api-1 'systemctl restart api 2>/dev/null'
""".strip().splitlines()
LOUD = """
systemctl restart api
systemctl restart api >/dev/null
systemctl restart api 2>&1
systemctl restart api 2>&1 >/dev/null
systemctl restart api 2>errors.txt
if systemctl is-active api >/dev/null 2>&1; then date; fi
systemctl is-active api 2>/dev/null || systemctl start api
! systemctl is-active api 2>/dev/null
command -v docker >/dev/null 2>&1
grep -c x app.log 2>/dev/null
curl -fs -o /dev/null localhost
echo "2>/dev/null"
""".strip().splitlines()
PATTERNS = """
pkill -f api
sudo pkill -HUP api
killall api
kill $(pgrep api)
kill -HUP `pidof api`
pgrep -f api | xargs kill
ssh api-1 'pkill -f api'
""".strip().splitlines()
ONE_PROCESS = """
kill -HUP "$pid"
kill $(cat api.pid)
systemctl kill --signal=HUP api
pgrep api
echo done   # never use pkill here
echo "pkill api"
grep -n pkill runbook.md
""".strip().splitlines()
UNREAD = """
if date; then
while true; do date
echo "never closed
echo $((1 +
case x in
cat >
""".strip().splitlines()
READABLE = """
exec 3<>"/dev/tcp/${LB%:*}/${LB#*:}"
[[ $a =~ ^v[0-9]+$ ]] && date
case $a in x|y) date ;; *) exit 1 ;; esac
cat <<END > \\\\n  file\\nx\\nEND
echo "${a[@]}" "${#a}" "${a//x/y}" $((a + 1))
f() { local x=1; date; }; f
time date
""".strip().splitlines()
IDLE = """
echo alembic upgrade head
echo head | xargs echo alembic upgrade
cat <<'END'\\nalembic upgrade head\\nEND
test -n "" && alembic upgrade head
[ 1 = 2 ] && alembic upgrade head
if [ -z "x" ]; then alembic upgrade head; fi
[[ "" ]] && alembic upgrade head
until true; do alembic upgrade head; done
while read -r host; do ssh "$host" date; done < /dev/null
nice -n 5 true alembic upgrade head
alembic upgrade --help
PATH=/tmp/here:$PATH\\nalembic upgrade head
export PATH=/opt/none\\nalembic upgrade head
PATH=. alembic upgrade head
true
: uv sync
sha256sum() { echo OK; }; sha256sum --check a.sha256
function pg_restore { return 0; }\\npg_restore -d shop a.dump
shopt -s expand_aliases\\nalias curl=true\\ncurl http://api/health
uv sync --dry-run
git fetch --dry-run
alembic upgrade head --sql
rsync -n a b
set -n\\nalembic upgrade head
exec date\\nalembic upgrade head
""".strip().splitlines()
BUSY = """
echo alembic upgrade head\\nalembic upgrade head
echo "alembic upgrade head"
cat > steps.sh <<'END'\\nalembic upgrade head\\nEND
cat <<'END' | bash -e\\nalembic upgrade head\\nEND
test -n "$CI" && date
[ "$a" = b ] && date
[ -f a ] || exit 1
[[ $a =~ ^b$ ]] && date
[ 1 = 1 ] && date
while read -r host; do ssh "$host" date; done < hosts.txt
export PATH="$HOME/.local/bin:$PATH"
PATH=/usr/local/bin:/usr/bin:/bin
PATH="$APP_DIR/.venv/bin:$PATH" alembic upgrade head
psql() { command psql -X "$@"; }; psql -c 'SELECT 1'
psql() { x="${A}"; command psql -X "$@"; }; psql -c 'SELECT 1'
alias grep='grep --color=never'; grep a b
rsync -n a b; rsync a b
kubectl apply --dry-run=client -f a.yaml && kubectl apply -f a.yaml
say() { echo "$1"; }; say hello
exec 3<> /dev/tcp/127.0.0.1/80\\necho x >&3
""".strip().splitlines()
TABLE = [
    ("does-nothing", IDLE, BUSY),
    ("never-returns", ENDLESS, ENDS),
    ("asks-somebody", ASKS, KNOWS),
    ("placeholder", BLANKS, FILLED),
    ("relative-downgrade", RELATIVE, EXACT),
    ("downgrade-to-nothing", TO_NOTHING, TO_SOMETHING),
    ("restore-without-stop", GOES_ON, STOPS),
    ("unset-destroys", UNSET, SET),
    ("destroys", DESTROYS, KEEPS),
    ("hidden-failure", SWALLOWED, HEARD),
    ("hidden-errors", SILENT, LOUD),
    ("signal-to-a-pattern", PATTERNS, ONE_PROCESS),
    ("unread-shell", UNREAD, READABLE),
]


def lines(text: str) -> str:
    return text.replace("\\n", "\n")


@pytest.mark.parametrize(("rule", "wrong", "right"), TABLE, ids=[row[0] for row in TABLE])
def test_a_rule_finds_its_kind_and_leaves_near_misses_alone(
    rule: str, wrong: list[str], right: list[str]
) -> None:
    missed = [text for text in wrong if rule not in rules(lines(text))]
    false = [text for text in right if rule in rules(lines(text))]
    assert (missed, false) == ([], [])


def test_a_document_that_says_pipefail_is_believed() -> None:
    assert rules("pg_dump shop | gzip > shop.sql.gz") == ["hidden-failure"]
    assert rules("pg_dump shop | gzip > shop.sql.gz", Context(pipefail=True)) == []
    assert rules("rm -rf $NOT_SET/*", Context(nounset=True)) == []
    # A shell of its own does not know of it.
    assert rules("ssh db 'pg_dump shop | gzip > a.gz'", Context(pipefail=True)) == [
        "hidden-failure"
    ]


def test_a_line_is_the_documents_also_within_scripts_within_scripts() -> None:
    script = "date\nssh api-1 <<'END'\ndate\nsudo sh -c '\n  date\n  tail -f app.log'\nEND\n"
    (found,) = suspicions(Read((read_script(script, 100),), None))
    assert (found.rule, found.line) == ("never-returns", 105)


COMMANDS_OF_22 = {
    41: "never-returns", 42: "never-returns", 43: "never-returns", 44: "never-returns",
    45: "placeholder", 46: "placeholder", 47: "placeholder", 48: "restore-without-stop",
    49: "downgrade-to-nothing", 50: "relative-downgrade", 51: "relative-downgrade",
    52: "relative-downgrade", 53: "asks-somebody", 54: "never-returns", 56: "unset-destroys",
}  # fmt: skip


@pytest.mark.skipif(not CASES.exists(), reason="the cases are not here")
def test_sixteen_commands_that_were_missed_are_found_and_three_are_left_alone() -> None:
    found = lint_document(CASES / "22-lint-misses.md")
    told = {(one.line, one.rule) for one in found}
    assert {*COMMANDS_OF_22.items(), (48, "placeholder")} <= told
    assert lint_document(CASES / "23-lint-false.md") == []


BROKEN = """# Taking the shop back

Nothing here is a runbook.

```bash
tail -f app.log
```

- a list

  ```console
  $ git clean -fdx
  Removing settings
  ```
"""


def test_a_document_that_cannot_be_drilled_is_told_both_what_it_lacks_and_what_its_commands_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.md"
    path.write_text(BROKEN, encoding="utf-8")
    out = tmp_path / "out"
    assert main(["revalidate", "--runbook", str(path), "--report", str(out)]) == Exit.FAILED
    said = capsys.readouterr().out
    content = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    told = {(one["where"], one["id"].rpartition("-")[0]) for one in content["findings"]}
    assert {("line 6", "never-returns"), ("line 12", "destroys")} <= told
    assert ("the document", "no-runbook") in told
    assert "line 6: 'tail -f app.log' never returns" in said
    assert "a heading that says how to roll back" in said
    assert "none of its procedures was performed" in (out / "findings.md").read_text()
    assert content["checkboxes"] == []
    assert main(["revalidate", "--runbook", str(path), "--report", str(out)]) == Exit.FAILED
    assert "the findings are the same" in capsys.readouterr().out


@pytest.mark.parametrize("point", [0x1F600, 0x573B7, 0xA05F1, 0xF0000, 0x10FFF0])
def test_no_character_ends_the_program(point: int) -> None:
    """The parser is C: what breaks it leaves no traceback, so that another process tries."""
    program = (
        "import sys\nfrom rollback_drill.runbook.shell import read_script\n"
        "one = chr(int(sys.argv[1]))\n"
        "for text in ('a {}', '!{}', '{}', '${{{}', 'if !:{}', '{}=1', '[[ a =~ {} ]]', 'a<<{}'):\n"
        "    read_script(text.format(one) + '\\n')\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(point)], timeout=60).returncode == 0


PIECES = st.sampled_from(
    [*"$(){}[]|&;<>'\"\\\n#`=!~*?-:", "<<END", "END\n", "if ", "then ", "fi", "while ", "do ", "done",
     "case x in ", "esac", "tail -f x", "psql <", "ssh h '", "sh -c \"", "${", "$((", "))", "rm -rf ",
     "git reset HEAD~1", "find . -exec ", "xargs ", "timeout ", "sudo ", "env ", "docker exec ", "\ud800",
     "kubectl exec -- ", "docker compose ", "\x00", "\u00a0", "é", "\r\n"]
)  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=20).map("".join))
@settings(max_examples=100, deadline=2_000)
def test_no_text_raises_a_traceback(script: str) -> None:
    rules(script + "\n")


@pytest.mark.parametrize(
    "script",
    ["(" * 9_000, "$(" * 2_000 + ")" * 2_000, "if x; then\n" * 900, "a" * 1_000_000,
     "sh -c '" * 900, "a | " * 2_000 + "b", "sudo " * 900 + "b", "a && " * 2_000 + "b",
     "tail -f x\n" * 900, "x=" + "[" * 9_000, "{{" * 9_000, "<a " * 5_000, "'" * 9_999],
    ids=lambda script: script[:12],
)  # fmt: skip
def test_no_size_or_nesting_takes_more_than_a_few_seconds(script: str) -> None:
    rules(script)
