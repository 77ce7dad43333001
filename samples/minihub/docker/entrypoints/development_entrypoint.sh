#!/bin/sh
# Brings the database to the newest revision, fills it if nobody is in it, and serves with live reload.
set -eu

sh ./scripts/wait-for-db.sh
sh ./scripts/init-testing-db.sh

flask db upgrade

# Asked after the upgrade, not before: a start that was cut short between the two seeds the next time.
users=$(MYSQL_PWD="$MARIADB_PASSWORD" mariadb --skip-ssl-verify-server-cert -h "$MARIADB_HOSTNAME" -P "$MARIADB_PORT" \
    -u "$MARIADB_USER" -D "$MARIADB_DATABASE" -sN -e 'SELECT COUNT(*) FROM user')
if [ "$users" -eq 0 ]; then
    rosemary db:seed -y
fi

exec flask run --host=0.0.0.0 --port=5000 --reload --debug
