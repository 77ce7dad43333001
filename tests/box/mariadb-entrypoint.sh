#!/bin/bash
# Goes the official image's way where our stand-in goes another. A data folder counts as made as soon as it has the system
# tables, so that a first start that is killed after that leaves one without accounts for ever. The accounts and the init
# files are the work of a server on the socket alone. An older volume is upgraded if MARIADB_AUTO_UPGRADE says so.
set -eo pipefail
shopt -s nullglob

readonly data=/var/lib/mysql socket=/run/mysqld/mysqld.sock scripts=/docker-entrypoint-initdb.d
# Debian's server, but what a volume says is the version of the image's name.
readonly version=/usr/local/share/mariadb/version
say() { printf '%s [Note] [Entrypoint]: %s\n' "$(date --utc '+%F %T+00:00')" "$*"; }
fail() {
    printf '%s [ERROR] [Entrypoint]: %s\n' "$(date --utc '+%F %T+00:00')" "$*" >&2
    exit 1
}

# The variable MARIADB_$1, MYSQL_$1, or the file that one of them with _FILE names.
setting() {
    local name
    for name in "MARIADB_$1" "MYSQL_$1"; do
        [[ -z ${!name} ]] || { printf %s "${!name}" && return; }
        local file=${name}_FILE
        [[ -z ${!file} ]] || { cat "${!file}" && return; }
    done
}

# $1 as text of SQL.
quoted() { local text=${1//\\/\\\\} && printf "'%s'" "${text//\'/\\\'}"; }

ask() { MYSQL_PWD=$root_password mariadb --no-defaults --socket="$socket" --user=root --host=localhost --comments "$@"; }

start_on_socket() {
    "$@" --skip-networking --socket="$socket" --wsrep-on=OFF &
    server=$!
    local _
    for _ in {1..300}; do
        mariadb-admin --no-defaults --socket="$socket" --user=nobody ping >/dev/null 2>&1 && return
        sleep 0.1
    done
    fail "Unable to start server."
}

stop_on_socket() {
    kill "$server"
    wait "$server"
}

make_accounts() {
    local database=$1 user=$2 password=$3 health
    health=$(od --address-radix=n --format=x1 --read-bytes=16 /dev/urandom | tr --delete ' \n')
    (umask 077 && printf '[mariadb-client]\nport=3306\nsocket=%s\nuser=healthcheck\npassword=%s\n' "$socket" "$health" \
        >"$data/.my-healthcheck.cnf")
    {
        local host
        for host in localhost 127.0.0.1 ::1; do
            echo "CREATE USER healthcheck@'$host' IDENTIFIED BY '$health';"
        done
        # What making the tables left for this host alone, without a password.
        echo "DROP USER IF EXISTS root@'127.0.0.1', root@'::1', root@'$(hostname)';"
        echo "ALTER USER root@localhost IDENTIFIED BY $(quoted "$root_password");"
        echo "CREATE USER root@'%' IDENTIFIED BY $(quoted "$root_password");"
        echo "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;"
        [[ -z $database ]] || echo "CREATE DATABASE IF NOT EXISTS \`$database\`;"
        [[ -z $user ]] || echo "CREATE USER $(quoted "$user")@'%' IDENTIFIED BY $(quoted "$password");"
        [[ -z $user || -z $database ]] || echo "GRANT ALL ON \`${database//_/\\_}\`.* TO $(quoted "$user")@'%';"
    } | mariadb --no-defaults --socket="$socket" --user=root
}

read_init_files() {
    local file
    for file in "$scripts"/*; do
        say "running $file"
        case $file in
            *.sh)
                # shellcheck source=/dev/null
                if [[ -x $file ]]; then "$file"; else . "$file"; fi
                ;;
            *.sql) ask ${1:+--database="$1"} <"$file" ;;
            *.sql.gz) gunzip --stdout "$file" | ask ${1:+--database="$1"} ;;
            *) say "ignoring $file" ;;
        esac
    done
}

if (($# == 0)) || [[ $1 == -* ]]; then
    set -- mariadbd "$@"
fi
[[ $1 == mariadbd || $1 == mysqld ]] || exec "$@"
if [[ $(id --user) == 0 ]]; then
    find "$data" "${socket%/*}" \! -user mysql -exec chown mysql: '{}' +
    exec setpriv --reuid=mysql --regid=mysql --init-groups "$0" "$@"
fi

root_password=$(setting ROOT_PASSWORD)
if [[ ! -d $data/mysql ]]; then
    [[ -n $root_password || -n $MARIADB_ALLOW_EMPTY_ROOT_PASSWORD ]] ||
        fail "Database is uninitialized and password option is not specified"
    say "Initializing database files"
    mariadb-install-db --datadir="$data" --skip-test-db --auth-root-authentication-method=normal --skip-name-resolve >/dev/null
    say "Starting temporary server"
    start_on_socket "$@"
    database=$(setting DATABASE)
    make_accounts "$database" "$(setting USER)" "$(setting PASSWORD)"
    read_init_files "$database"
    stop_on_socket
    cp "$version" "$data/mariadb_upgrade_info"
    say "MariaDB init process done. Ready for start up."
elif [[ $(cat "$data/mariadb_upgrade_info" 2>/dev/null) != "$(<"$version")" ]]; then
    if [[ -n $MARIADB_AUTO_UPGRADE ]]; then
        say "Starting mariadb-upgrade"
        start_on_socket "$@" --skip-grant-tables
        mariadb-upgrade --no-defaults --socket="$socket" --upgrade-system-tables
        stop_on_socket
        cp "$version" "$data/mariadb_upgrade_info"
    else
        say "MariaDB upgrade required, but skipped due to \$MARIADB_AUTO_UPGRADE setting"
    fi
fi
exec "$@"
