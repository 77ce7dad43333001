#!/bin/sh
# Returns when the application's user can log in to the database; the arguments, if any, run then.
set -eu

export MYSQL_PWD="$MARIADB_PASSWORD"
echo "Waiting for MariaDB at $MARIADB_HOSTNAME:$MARIADB_PORT"

tries=0
until mariadb --skip-ssl-verify-server-cert -h "$MARIADB_HOSTNAME" -P "$MARIADB_PORT" -u "$MARIADB_USER" -e 'SELECT 1' >/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -ge "${WAIT_FOR_DB_SECONDS:-120}" ]; then
        echo "MariaDB did not let $MARIADB_USER in within $tries tries" >&2
        exit 1
    fi
    sleep 1
done

echo "MariaDB answers"
unset MYSQL_PWD
if [ "$#" -gt 0 ]; then
    exec "$@"
fi
