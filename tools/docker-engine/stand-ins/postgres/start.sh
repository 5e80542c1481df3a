#!/bin/sh
# Makes the files of the server at first use, then becomes the server with the arguments behind `postgres`.
set -eu
bin=/usr/local/pgsql/bin
if [ ! -e "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
  password_file=${POSTGRES_PASSWORD_FILE:-/tmp/password}
  [ -n "${POSTGRES_PASSWORD_FILE:-}" ] || printf '%s' "$POSTGRES_PASSWORD" > "$password_file"
  "$bin/initdb" -D "$PGDATA" -U "$POSTGRES_USER" -A scram-sha-256 --pwfile="$password_file" --encoding=UTF8 --locale=C
  printf 'host all all all scram-sha-256\n' >> "$PGDATA/pg_hba.conf"
  # The server alone, without clients, as it is made.
  printf 'CREATE DATABASE "%s";\n' "$POSTGRES_DB" | "$bin/postgres" --single -D "$PGDATA" postgres
fi
shift
exec "$bin/postgres" -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
