#!/bin/sh
# Brings the database to the newest revision, fills it if it is new, and serves with live reload.
set -eu

sh ./scripts/wait-for-db.sh
sh ./scripts/init-testing-db.sh

tables=$(MYSQL_PWD="$MARIADB_PASSWORD" mariadb --skip-ssl-verify-server-cert -h "$MARIADB_HOSTNAME" -P "$MARIADB_PORT" -u "$MARIADB_USER" -sN \
    -e "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '$MARIADB_DATABASE'")

flask db upgrade

if [ "$tables" -eq 0 ]; then
    rosemary db:seed -y
fi

exec flask run --host=0.0.0.0 --port=5000 --reload --debug
