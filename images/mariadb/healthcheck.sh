#!/bin/bash
# The official image's health check, as far as compose files of uvlhub use it:
#   healthcheck.sh [--connect] [--innodb_initialized]
# The account that it uses is created with the volume; its password lies in the data folder.
set -euo pipefail

config=/var/lib/mysql/.my-healthcheck.cnf

query() {
    if [[ -r $config ]]; then
        mariadb --defaults-extra-file="$config" --skip-column-names --batch --execute "$1" "${@:2}"
    else
        # A volume of another origin. The variable is not visible to other users, an argument would be.
        MYSQL_PWD="${MARIADB_ROOT_PASSWORD:-}" mariadb --no-defaults --user=root --skip-column-names --batch --execute "$1" "${@:2}"
    fi
}

(($# > 0)) || { echo "healthcheck.sh: nothing to check; use --connect, --innodb_initialized" >&2; exit 1; }
for check in "$@"; do
    case $check in
        --connect)
            # A server that refuses the account has answered; this asks whether it listens.
            answer=$(query "SELECT 1" --protocol=tcp --host=127.0.0.1 2>&1) || [[ $answer == *"ERROR 1045 "* ]]
            ;;
        --innodb_initialized)
            # While a new volume is prepared, the server listens on its socket alone.
            [[ $(query "SELECT 1 FROM information_schema.ENGINES WHERE engine = 'InnoDB' AND support IN ('YES', 'DEFAULT')" --protocol=tcp --host=127.0.0.1) == 1 ]]
            ;;
        *)
            echo "healthcheck.sh: this image knows --connect and --innodb_initialized, not $check" >&2
            exit 1
            ;;
    esac
done
