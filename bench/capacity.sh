#!/usr/bin/env bash
# Measures what one machine holds: bench/capacity.sh URL [PREFIX]. URL is nginx's, of a Production that is up; PREFIX is
# what its containers' names begin with ('NAME_' with --Uvlhub:Instance=NAME). Asks the first page with wrk, at 1, 2, 4 and
# 8 workers of gunicorn, and puts their number back. Prints what bench/results/capacity.txt keeps.
set -euo pipefail
# shellcheck source=quiet.sh
. "$(dirname "${BASH_SOURCE[0]}")/quiet.sh"

readonly URL=${1:?usage: bench/capacity.sh URL [PREFIX]} PREFIX=${2:-}
readonly SECONDS_EACH=${SECONDS_EACH:-10} WARM_UP=${WARM_UP:-10} VISITORS=${VISITORS:-16}
readonly WEB=${PREFIX}web_app_container DB=${PREFIX}mariadb_container
command -v wrk >/dev/null || { echo "wrk is missing (Debian: wrk); install it, then try again." >&2; exit 2; }

# gunicorn's master is what the engine's init process has started, and its children work.
readonly MASTER='master=$(tr -d " " </proc/1/task/1/children)'
workers() { docker exec "$WEB" sh -c "$MASTER; "'wc -w <"/proc/$master/task/$master/children"'; }

# gunicorn has one more, or one less, when its master is told so.
set_workers() {
    local tries=0 signal
    while [ "$(workers)" -ne "$1" ]; do
        [ $((tries += 1)) -le 30 ] || { echo "gunicorn has $(workers) workers and not $1" >&2; exit 1; }
        signal=TTIN
        [ "$(workers)" -lt "$1" ] || signal=TTOU
        docker exec "$WEB" sh -c "$MASTER; kill -$signal \"\$master\""
        sleep 2
    done
}

connections() {
    docker exec "$DB" sh -c 'MYSQL_PWD="$MARIADB_ROOT_PASSWORD" mariadb -uroot --batch --skip-column-names -e "SELECT COUNT(*) FROM information_schema.processlist WHERE user <> \"root\" AND user <> \"system user\""'
}

measure() {
    local report
    set_workers "$1"
    # A new worker loads the whole application before it serves.
    wrk --threads 1 --connections "$VISITORS" --duration "${WARM_UP}s" --timeout 30s "$URL" >/dev/null
    report=$(wrk --threads 1 --connections "$VISITORS" --duration "${SECONDS_EACH}s" --timeout 30s --latency "$URL")
    printf '%7s %10s %9s %9s %7s %12s %10s\n' "$1" \
        "$(awk '/Requests\/sec/ { print $2 }' <<<"$report")" "$(awk '$1 == "50%" { print $2 }' <<<"$report")" "$(awk '$1 == "99%" { print $2 }' <<<"$report")" \
        "$(awk '/Non-2xx/ { n += $NF } /Socket errors/ { gsub(",", ""); n += $4 + $6 + $8 + $10 } END { print n + 0 }' <<<"$report")" \
        "$(connections)" "$(docker stats --no-stream --format '{{.MemUsage}}' "$WEB" | cut -d' ' -f1)"
}

await_quiet
before=$(workers)
trap 'set_workers "$before"' EXIT
echo "$(date -u +%F), $(nproc) cores, load before: $LOAD; $VISITORS visitors, ${SECONDS_EACH} s each, GET $(sed 's|.*://[^/]*||' <<<"$URL")"
printf '%7s %10s %9s %9s %7s %12s %10s\n' workers requests/s median 99% failed connections memory
for count in 1 2 4 8; do
    measure "$count"
done
