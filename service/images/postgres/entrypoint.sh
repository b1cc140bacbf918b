#!/usr/bin/env bash
# Makes a database of POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB, then runs the server.
set -euo pipefail
: "${POSTGRES_PASSWORD:?expected a password in POSTGRES_PASSWORD}"
user="${POSTGRES_USER:-postgres}"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb --no-sync --username="$user" --pwfile=<(printf '%s' "$POSTGRES_PASSWORD") \
    --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >/dev/null
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  if [ "${POSTGRES_DB:-$user}" != postgres ]; then
    echo "CREATE DATABASE \"${POSTGRES_DB:-$user}\"" | postgres --single -j -F postgres >/dev/null
  fi
fi
exec "$@" -c listen_addresses='*'
