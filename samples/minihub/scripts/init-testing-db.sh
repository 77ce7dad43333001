#!/bin/sh
# Creates the database that pytest uses and lets the application's user into it. Safe to run again.
set -eu

MYSQL_PWD="$MARIADB_ROOT_PASSWORD" mariadb --skip-ssl-verify-server-cert -h "$MARIADB_HOSTNAME" -P "$MARIADB_PORT" -u root <<SQL
CREATE DATABASE IF NOT EXISTS \`$MARIADB_TEST_DATABASE\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
GRANT ALL PRIVILEGES ON \`$MARIADB_TEST_DATABASE\`.* TO '$MARIADB_USER'@'%';
SQL

echo "Test database $MARIADB_TEST_DATABASE is there"
