#!/bin/bash
# Behaves like the official mariadb image's entrypoint for what the model and uvlhub's compose files use:
#   MARIADB_ROOT_PASSWORD, MARIADB_ROOT_HOST, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD, MARIADB_RANDOM_ROOT_PASSWORD,
#   MARIADB_DATABASE, MARIADB_USER, MARIADB_PASSWORD, each also as …_FILE and with the older prefix MYSQL_;
#   /docker-entrypoint-initdb.d/*.sh, *.sql, *.sql.gz, run once, on a new volume.
# What differs: it survives being killed at any moment of a volume's first start, and it says in one line what is wrong.
#
# A volume's way from empty to ready; every step can be repeated, and none touches what a later one has written:
#   .uvlhub-aspire.initialising/  being filled; thrown away when found at a start
#   .uvlhub-aspire.initialised/   complete; its content moves up, one entry after the other
#   .uvlhub-aspire.unfinished     the accounts are still to be made, by statements that can be repeated
#   .uvlhub-aspire.finished       they are made; both files go at the next start
set -euo pipefail
shopt -s nullglob
export LC_ALL=C

readonly prepared=/usr/local/share/mariadb
readonly scripts=/docker-entrypoint-initdb.d
readonly mark=.uvlhub-aspire
server=0

say() { printf '%s [entrypoint] %s\n' "$(date --utc '+%Y-%m-%d %H:%M:%S')" "$*"; }

fail() {
    printf '%s [entrypoint] ERROR: %s\n' "$(date --utc '+%Y-%m-%d %H:%M:%S')" "$*" >&2
    exit 1
}

# --- what the container was given -------------------------------------------------------------------------------------

# Sets the variable $1 (MARIADB_…) from itself, from …_FILE, or from the older MYSQL_… of either; not exported.
read_setting() {
    local name=$1 old=MYSQL_${1#MARIADB_} variable value='' found=''
    for variable in "$name" "$name"_FILE "$old" "$old"_FILE; do
        [[ -n ${!variable-} ]] || continue
        if [[ -n $found ]]; then
            [[ ${variable%_FILE} == "$old" && ${found%_FILE} == "$name" ]] && continue
            fail "$found and $variable are both set; set one of them"
        fi
        found=$variable
        value=${!variable}
        if [[ $variable == *_FILE ]]; then
            [[ -r $value ]] || fail "$variable names $value, which cannot be read as user $(id --user --name)"
            value=$(< "$value")
        fi
    done
    printf -v "$name" %s "$value"
}

check_settings() {
    if [[ -z $MARIADB_ROOT_PASSWORD && -n ${MARIADB_RANDOM_ROOT_PASSWORD:-${MYSQL_RANDOM_ROOT_PASSWORD:-}} ]]; then
        MARIADB_ROOT_PASSWORD=$(random_password)
        say "GENERATED ROOT PASSWORD: $MARIADB_ROOT_PASSWORD"
    fi
    [[ -n $MARIADB_ROOT_PASSWORD || -n ${MARIADB_ALLOW_EMPTY_ROOT_PASSWORD:-${MYSQL_ALLOW_EMPTY_PASSWORD:-}} ]] ||
        fail "MARIADB_ROOT_PASSWORD is not set; a new volume needs it (or MARIADB_ROOT_PASSWORD_FILE)"
    local name
    for name in MARIADB_ROOT_PASSWORD MARIADB_USER MARIADB_PASSWORD MARIADB_DATABASE; do
        printf %s "${!name}" | iconv --from-code=UTF-8 --to-code=UTF-8 > /dev/null 2>&1 || fail "$name is not valid UTF-8"
    done
    for name in MARIADB_USER MARIADB_DATABASE; do
        [[ ${!name} != *[$'\xf0'-$'\xf4']* ]] || fail "$name has a character above U+FFFF, which MariaDB does not allow in names"
    done
    [[ $MARIADB_USER != root ]] ||
        fail "MARIADB_USER is root, which exists already; name another user or leave it out"
    [[ -z $MARIADB_USER || -n $MARIADB_PASSWORD ]] ||
        fail "MARIADB_USER is set, but MARIADB_PASSWORD is not; a new volume needs both (or MARIADB_PASSWORD_FILE)"
    [[ -n $MARIADB_USER || -z $MARIADB_PASSWORD ]] ||
        say "MARIADB_PASSWORD is set, but MARIADB_USER is not: no user is created"
    [[ $(printf %s "$MARIADB_USER" | LC_ALL=C.UTF-8 wc --chars) -le 128 ]] ||
        fail "MARIADB_USER is longer than the 128 characters that MariaDB allows"
    [[ $(printf %s "$MARIADB_DATABASE" | LC_ALL=C.UTF-8 wc --chars) -le 64 ]] ||
        fail "MARIADB_DATABASE is longer than the 64 characters that MariaDB allows"
    [[ $MARIADB_DATABASE != *' ' ]] || fail "MARIADB_DATABASE ends with a space, which MariaDB does not allow"
}

random_password() { od --address-radix=n --format=x1 --read-bytes=24 /dev/urandom | tr --delete ' \n'; }

# The value of the server's option $1, from the configuration files and the arguments that follow; the last one counts.
server_option() {
    local name=${1//-/_} argument value='' found=1
    shift
    while IFS= read -r argument; do
        [[ $argument == --* ]] || continue
        argument=${argument#--}
        argument=${argument#loose-}
        local key=${argument%%=*}
        [[ ${key//-/_} == "$name" ]] || continue
        found=0
        value=''
        [[ $argument != *=* ]] || value=${argument#*=}
    done < <(my_print_defaults mysqld server mariadb mariadbd; printf '%s\n' "$@")
    printf %s "$value"
    return $found
}

# --- the statements that make a new volume this container's -----------------------------------------------------------

# Text and identifiers as SQL. Under the empty sql_mode, which is set first, a backslash escapes in text.
sql_text() {
    local text=${1//\\/\\\\}
    text=${text//\'/\\\'}
    text=${text//$'\n'/\\n}
    printf "'%s'" "${text//$'\r'/\\r}"
}

sql_name() { printf '`%s`' "${1//\`/\`\`}"; }

# In a grant, '_' and '%' in a database's name are wildcards.
sql_name_in_grant() {
    local name=${1//\\/\\\\}
    name=${name//_/\\_}
    sql_name "${name//%/\\%}"
}

# The account of healthcheck.sh: its file $1, and the statements that make it, one a line.
write_health_config() {
    (umask 077 && printf '[mariadb-client]\nuser=healthcheck\npassword=%s\n' "$(random_password)" > "$1")
}

health_statements() {
    local host password
    password=$(sed --quiet 's/^password=//p' "$1")
    for host in localhost 127.0.0.1 ::1; do
        printf '%s\n' "CREATE USER IF NOT EXISTS healthcheck@'$host'" "ALTER USER healthcheck@'$host' IDENTIFIED BY '$password'"
    done
}

# Prints the statements that make the database and the accounts, in a form for --init-file: the server reads it before
# it takes its first connection. Each can be repeated. A failed one ends the server, which would otherwise go on without
# the accounts; they are executed from text, because what does not even parse is caught only then.
account_statements() {
    local root user host statement health=() statements=()
    root=$(sql_text "$MARIADB_ROOT_PASSWORD")
    if [[ -n $MARIADB_DATABASE ]]; then
        statements+=("CREATE DATABASE IF NOT EXISTS $(sql_name "$MARIADB_DATABASE")")
    fi
    if [[ -n $MARIADB_USER ]]; then
        user="$(sql_text "$MARIADB_USER")@'%'"
        statements+=("CREATE USER IF NOT EXISTS $user" "ALTER USER $user IDENTIFIED BY $(sql_text "$MARIADB_PASSWORD")")
        if [[ -n $MARIADB_DATABASE ]]; then
            statements+=("GRANT ALL ON $(sql_name_in_grant "$MARIADB_DATABASE").* TO $user")
        fi
    fi
    mapfile -t health < <(health_statements "$1/.my-healthcheck.cnf")
    statements+=("${health[@]}")
    host=$(sql_text "${MARIADB_ROOT_HOST:-%}")
    if [[ $host != "'localhost'" ]]; then
        statements+=("CREATE USER IF NOT EXISTS root@$host" "ALTER USER root@$host IDENTIFIED BY $root" "GRANT ALL ON *.* TO root@$host WITH GRANT OPTION")
    fi
    # Last, so that nobody is root before everything else is there.
    statements+=("ALTER USER root@localhost IDENTIFIED BY $root")

    printf '%s;\n' "SET SESSION sql_mode = ''" "SET NAMES utf8mb4"
    printf '%s' "BEGIN NOT ATOMIC DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN SHUTDOWN; RESIGNAL; END; "
    for statement in "${statements[@]}"; do
        printf 'EXECUTE IMMEDIATE %s; ' "$(sql_text "$statement")"
    done
    printf 'END;\n'
}

# --- encryption -------------------------------------------------------------------------------------------------------

# Left to itself, the server makes an RSA key at every start, which takes 0.2 to 0.8 s before it listens. A key on an
# elliptic curve takes 0.01 s; clients trust either in the same way, through their password.
# https://mariadb.com/docs/server/security/encryption/data-in-transit-encryption/zero-configuration-tls
add_certificate() {
    local folder=${socket%/*}
    if server_option ssl-cert "${command[@]:1}" > /dev/null; then
        return 0
    fi
    if (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 -subj /CN=mariadb \
        -keyout "$folder/server-key.pem" -out "$folder/server-cert.pem" 2> /dev/null); then
        command=("${command[0]}" --ssl-key="$folder/server-key.pem" --ssl-cert="$folder/server-cert.pem" "${command[@]:1}")
    fi
}

# --- a server that only this script talks to --------------------------------------------------------------------------

# Starts it on the data folder $1, without network, and waits for it; further arguments go to the server.
start_private_server() {
    local folder=$1 tries
    shift
    "${command[@]}" "$@" --datadir="$folder" --skip-networking --socket="$socket" --loose-wsrep-on=OFF \
        --skip-slave-start &
    server=$!
    for ((tries = 0; tries < 6000; tries++)); do
        [[ -S $socket ]] && mariadb-admin --no-defaults --socket="$socket" --user=nobody --connect-timeout=5 ping > /dev/null 2>&1 && return
        kill -0 "$server" 2> /dev/null || break
        sleep 0.05
    done
    stop_private_server || true
    fail "the server did not start for the volume's preparation; the lines above say why"
}

stop_private_server() {
    ((server > 0)) || return 0
    kill "$server" 2> /dev/null || true
    local status=0
    wait "$server" || status=$?
    server=0
    return "$status"
}

docker_process_sql() {
    MYSQL_PWD=$MARIADB_ROOT_PASSWORD mariadb --no-defaults --protocol=socket --socket="$socket" --user=root --host=localhost \
        --default-character-set=utf8mb4 --comments --binary-mode "$@"
}

run_scripts() {
    local script into=()
    [[ -z $MARIADB_DATABASE ]] || into=(--database="$MARIADB_DATABASE")
    for script in "$scripts"/*; do
        case $script in
            *.sh)
                say "running $script"
                if [[ -x $script ]]; then
                    "$script" || fail "$script ended with code $?; the volume is still empty, the next start begins again"
                else
                    # As in the official image: a script that is not executable is read in, and sees its functions.
                    # shellcheck source=/dev/null
                    source "$script"
                fi
                ;;
            *.sql)
                say "running $script"
                docker_process_sql "${into[@]}" < "$script" || fail "$script failed; the volume is still empty, the next start begins again"
                ;;
            *.sql.gz)
                say "running $script"
                gunzip --stdout "$script" | docker_process_sql "${into[@]}" || fail "$script failed; the volume is still empty, the next start begins again"
                ;;
            *) say "passing over $script: not .sh, .sql or .sql.gz" ;;
        esac
    done
}

# --- the volume -------------------------------------------------------------------------------------------------------

# Fills a new volume. Without scripts the accounts are left to the server's one start; scripts need a server of their own.
fill_new_volume() {
    local stage=$data/$mark.initialising entries=("$scripts"/*)
    check_settings
    say "the volume is empty: preparing it"
    rm -rf "$stage"
    mkdir --mode=0700 "$stage"
    tar --extract --file="$prepared/new-volume.tar" --directory="$stage" --no-same-owner
    write_health_config "$stage/.my-healthcheck.cnf"

    if ((${#entries[@]} > 0)) || server_option init-file "${command[@]:1}" > /dev/null || server_option secure-file-priv "${command[@]:1}" > /dev/null; then
        local statements
        statements=$(account_statements "$stage")
        start_private_server "$stage" --init-file=/proc/self/fd/3 3<<< "$statements"
        run_scripts
        stop_private_server || fail "the server did not end well after the volume's preparation; the lines above say why"
    else
        : > "$stage/$mark.unfinished"
    fi

    # On the disk before it counts: after a power cut the name alone could be there, without the content.
    sync --file-system "$stage"
    mv --no-target-directory "$stage" "$data/$mark.initialised"
}

# Moves what is prepared up, where the server looks for it.
settle_new_volume() {
    local stage=$data/$mark.initialised entry
    [[ -d $stage ]] || return 0
    (
        shopt -s dotglob
        for entry in "$stage"/*; do
            mv --no-target-directory "$entry" "$data/${entry##*/}"
        done
    )
    rmdir "$stage"
    sync "$data"
}

# A volume of an older series is upgraded; one of a newer series is left alone, because MariaDB does not go back.
match_versions() {
    local own volume='' info
    own=$(< "$prepared/version")
    for info in "$data/mariadb_upgrade_info" "$data/mysql_upgrade_info"; do
        if [[ -s $info ]]; then
            volume=$(tr --delete '\0\n' < "$info")
            break
        fi
    done
    local own_series=${own%.*} volume_series=${volume%.*}
    [[ $own_series != "$volume_series" ]] || return 0
    if [[ -n $volume && $(printf '%s\n' "$own_series" "$volume_series" | sort --version-sort | tail -n 1) == "$volume_series" ]]; then
        fail "the volume was written by MariaDB ${volume%%-*}, which is newer than this server (${own%%-*}) and cannot be opened by it; use the image of that version, or another volume (nothing was changed)"
    fi

    local backup=$data/system_mysql_backup_${volume:-unknown}.sql.gz
    say "the volume was written by MariaDB ${volume:-of an unknown version}: upgrading it to $own; the old system tables are kept in ${backup##*/}"
    start_private_server "$data" --skip-grant-tables --loose-innodb-buffer-pool-dump-at-shutdown=0
    if [[ ! -s $backup ]]; then
        (umask 077 && mariadb-dump --no-defaults --socket="$socket" --skip-lock-tables mysql | gzip > "$backup.new") || fail "the system tables could not be saved; nothing was changed"
        mv "$backup.new" "$backup"
    fi
    mariadb-upgrade --no-defaults --socket="$socket" --upgrade-system-tables || fail "the upgrade failed; the lines above say why, and the next start tries it again"
    stop_private_server || fail "the server did not end well after the upgrade; the lines above say why"
    printf %s "$own" > "$data/mariadb_upgrade_info"
}

# --- start ------------------------------------------------------------------------------------------------------------

if (($# == 0)) || [[ $1 == -* ]]; then
    set -- mariadbd "$@"
fi
[[ $1 == mariadbd || $1 == mysqld ]] || exec "$@"
for argument in "$@"; do
    case $argument in
        --help | -\? | --verbose | -v | --version | -V | --print-defaults) exec "$@" ;;
    esac
done

# Without it the shell, as process 1, would not end while it prepares a volume.
trap 'stop_private_server || true; exit 143' TERM INT

command=("$@")
data=$(server_option datadir "${command[@]:1}" || true)
data=${data:-/var/lib/mysql}
data=${data%/}
socket=$(server_option socket "${command[@]:1}" || true)
socket=${socket:-/run/mysqld/mysqld.sock}

if [[ $(id --user) == 0 ]]; then
    mkdir -p "$data" "${socket%/*}"
    find "$data" "${socket%/*}" \! -user mysql -exec chown --no-dereference mysql: '{}' +
    exec setpriv --reuid=mysql --regid=mysql --init-groups "$BASH_SOURCE" "$@"
fi

for setting in MARIADB_ROOT_PASSWORD MARIADB_ROOT_HOST MARIADB_DATABASE MARIADB_USER MARIADB_PASSWORD; do
    read_setting "$setting"
done

[[ -w $data ]] || fail "the data folder $data cannot be written by user $(id --user --name)"
# Held by the server as long as it runs: a second one on the same volume would only repeat errors about locked files.
exec 9< "$data"
flock --wait 15 9 || fail "the volume is in use by another MariaDB; stop that one, or use another volume"

add_certificate

if [[ ! -d $data/mysql && ! -d $data/$mark.initialised ]]; then
    entries=()
    for entry in "$data"/*; do
        [[ ${entry##*/} == lost+found ]] || entries+=("${entry##*/}")
    done
    ((${#entries[@]} == 0)) || fail "the volume holds no database, but other files (${entries[0]}, …); nothing was changed"
    fill_new_volume
fi
settle_new_volume

if [[ -e $data/$mark.finished ]]; then
    rm -f "$data/$mark.unfinished"
    sync "$data"
    rm -f "$data/$mark.finished"
fi
if [[ -e $data/$mark.unfinished ]]; then
    check_settings
    statements=$(account_statements "$data")
    # Through a file that has no name and is gone with the server: no password touches the disk.
    exec "${command[@]}" --init-file=/proc/self/fd/3 3<<< "$statements"$'\n'"SELECT 'ready' INTO OUTFILE '$data/$mark.finished';"
fi

match_versions
if [[ ! -e $data/.my-healthcheck.cnf ]] && ! server_option init-file "${command[@]:1}" > /dev/null; then
    # A volume that another image made: the health check gets its account.
    write_health_config "$data/.my-healthcheck.cnf"
    exec "${command[@]}" --init-file=/proc/self/fd/3 3<<< "$(health_statements "$data/.my-healthcheck.cnf" | sed 's/$/;/')"
fi
exec "${command[@]}"
