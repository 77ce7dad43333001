#!/usr/bin/env bash
# The second start of a whole edition with its services, built from its own Dockerfiles: './run --detach' against 'docker compose',
# whose containers were stopped or taken down, each until the site's page answers 200, in turns.
# bench/edition.sh CHECKOUT [ROUNDS] [SERVICE...]: services that there is no image of are left out on both sides.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=quiet.sh
. "$ROOT/bench/quiet.sh"
readonly LIMIT=600
checkout=$(realpath "$1") rounds=${2:-3}
shift $(($# < 2 ? $# : 2))
left_out=("$@")

folder=$(mktemp -d)
for side in ours theirs; do
    mkdir "$folder/$side"
    cp -R "$checkout" "$folder/$side/"
    copy=$folder/$side/$(basename "$checkout")
    [ -e "$copy/.env" ] || cp "$copy/.env.docker.example" "$copy/.env"
done
ours=$folder/ours/$(basename "$checkout") theirs=$folder/theirs/$(basename "$checkout")

compose() { docker compose --progress quiet --project-name uvlhub-bench-edition --file "$theirs/docker/docker-compose.dev.yml" "$@"; }
mapfile -t services < <(compose config --services | grep -vxF "$(printf '%s\n' "${left_out[@]}" -)")
leave_out=$(printf ',-%s' "${left_out[@]}")

clean() {
    "$ROOT/run" --stop >/dev/null 2>&1 || true
    compose down --volumes >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap clean EXIT

# $1: an address; waits for its 200.
page() {
    local _
    for _ in $(seq $((LIMIT * 10))); do
        [ "$(curl --silent --location --output /dev/null --max-time 5 --write-out '%{http_code}' "$1" || true)" != 200 ] || return 0
        sleep 0.1
    done
    echo "edition: $1 does not answer 200 within $LIMIT s; its last lines:" >&2
    compose logs --tail 20 web >&2 || true
    exit 1
}

run_ours() {
    "$ROOT/run" --detach --no-install "$ours" -- --Uvlhub:Instance=uvlhub-bench-edition ${left_out[0]:+"--Uvlhub:Services=${leave_out#,}"} >"$folder/run.log" 2>&1 ||
        { cat "$folder/run.log" >&2 && exit 1; }
    page "$(grep -o 'ready at http[^ ]*' "$folder/run.log" | tail -n 1 | cut -d ' ' -f 3)"
}
run_theirs() {
    compose up --detach --no-deps --quiet-pull "${services[@]}" >"$folder/compose.log" 2>&1 || { cat "$folder/compose.log" >&2 && exit 1; }
    page http://localhost/
}

# $1: what is measured, the rest: the command.
timed() {
    local what=$1 begun
    shift
    await_quiet >&2
    begun=$(date +%s%N)
    "$@"
    awk -v what="$what" -v ns=$(($(date +%s%N) - begun)) 'BEGIN { printf "%-56s %6.1f s\n", what, ns / 1e9 }'
}

timed "first start, AppHost, with the building of all images" run_ours
"$ROOT/run" --stop >/dev/null
timed "first start, compose, from what that has built" run_theirs
for _ in $(seq "$rounds"); do
    compose stop >/dev/null 2>&1
    timed "second start, compose: stop, up" run_theirs
    compose down >/dev/null 2>&1
    timed "second start, compose: down, up" run_theirs
    compose down >/dev/null 2>&1
    timed "second start, AppHost" run_ours
    "$ROOT/run" --stop >/dev/null
done
