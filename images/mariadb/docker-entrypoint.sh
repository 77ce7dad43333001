#!/bin/bash
set -eu
D=/var/lib/mysql
mkdir -p /run/mysqld; chown mysql: /run/mysqld $D
if [ ! -d $D/mysql ]; then
 gosu mysql mariadb-install-db --datadir=$D --skip-test-db --auth-root-authentication-method=normal >/dev/null
 gosu mysql mariadbd --skip-networking --socket=/run/mysqld/t.sock & p=$!
 until mariadb-admin --socket=/run/mysqld/t.sock ping >/dev/null 2>&1; do sleep 0.1; done
 mariadb --socket=/run/mysqld/t.sock <<S
CREATE DATABASE \`$MARIADB_DATABASE\`; CREATE USER '$MARIADB_USER'@'%' IDENTIFIED BY '$MARIADB_PASSWORD'; GRANT ALL ON \`$MARIADB_DATABASE\`.* TO '$MARIADB_USER'@'%';
CREATE USER root@'%' IDENTIFIED BY '$MARIADB_ROOT_PASSWORD'; GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION; ALTER USER root@localhost IDENTIFIED BY '$MARIADB_ROOT_PASSWORD';
S
 kill $p; wait $p || true
fi
exec gosu mysql mariadbd --bind-address=0.0.0.0 --skip-name-resolve
