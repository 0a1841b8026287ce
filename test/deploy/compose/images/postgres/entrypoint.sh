#!/bin/sh
# As the official image: an empty volume is prepared by a server that listens on the socket alone.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"
  chmod 0700 "$PGDATA"
  file=${POSTGRES_PASSWORD_FILE:-}
  if [ -z "$file" ]; then
    file=/tmp/password
    printf '%s' "$POSTGRES_PASSWORD" >"$file"
  fi
  initdb --username=postgres --pwfile="$file" --auth-local=trust --auth-host=scram-sha-256 >/dev/null
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  pg_ctl -w -o "-c listen_addresses=''" start >/dev/null
  psql -q -U postgres -d postgres -c "create database \"$POSTGRES_DB\""
  for file in /docker-entrypoint-initdb.d/*.sql; do
    [ -e "$file" ] || continue
    psql -v ON_ERROR_STOP=1 --no-psqlrc -U postgres -d "$POSTGRES_DB" -f "$file"
  done
  pg_ctl -w -m fast stop >/dev/null
fi
exec "$@" -c listen_addresses='*'
