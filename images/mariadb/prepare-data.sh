#!/bin/bash
# Prepares, when the image is built, the data folder that a new volume starts from: system tables, time zones, and a
# root account that nobody can log in to until the entrypoint gives it a password. Copying it takes a fraction of what
# mariadb-install-db takes, and it is the same for every container.
set -euo pipefail

data=$(mktemp -d)
target=/usr/local/share/mariadb/new-volume.tar
chown mysql: "$data"

mariadb-install-db --user=mysql --datadir="$data" --skip-test-db --skip-name-resolve \
    --auth-root-authentication-method=normal > /dev/null

{
    echo "USE mysql;"
    mariadb-tzinfo-to-sql --skip-write-binlog /usr/share/zoneinfo 2> /dev/null
    echo "DELETE FROM global_priv WHERE NOT (User IN ('root', 'mariadb.sys') AND Host = 'localhost');"
    echo "DELETE FROM proxies_priv WHERE Host <> 'localhost';"
    echo "FLUSH PRIVILEGES;"
    echo "ALTER USER root@localhost IDENTIFIED VIA mysql_native_password USING 'invalid';"
    echo "SET GLOBAL innodb_fast_shutdown = 0;"
    echo "SHUTDOWN;"
} > "$data.sql"
setpriv --reuid=mysql --regid=mysql --init-groups mariadbd --datadir="$data" --socket="$data/sock" --skip-networking &
server=$!
for ((i = 0; i < 300; i++)); do
    mariadb-admin --socket="$data/sock" ping > /dev/null 2>&1 && break
    sleep 0.1
done
mariadb --socket="$data/sock" --user=root < "$data.sql"
wait "$server"

# The server's version; the entrypoint compares it with that of a volume.
cp "$data/mariadb_upgrade_info" /usr/local/share/mariadb/version
rm -f "$data/ib_buffer_pool" "$data"/*.pid
# Logs and tablespaces are mostly empty: with holes in their place the copy writes a tenth.
find "$data" -type f -size +1M -exec fallocate --dig-holes {} \;
tar --create --sparse --owner=mysql --group=mysql --file="$target" --directory="$data" .
rm -rf "$data" "$data.sql"
