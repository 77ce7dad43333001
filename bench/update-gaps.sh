#!/usr/bin/env bash
# How long visitors are without an answer while a service of the deployed stack is replaced: the sample, in a swarm of this machine's
# engine, asked for its first page fifty times a second. Where the engine is in a swarm already, nothing is done.
# bench/update-gaps.sh [ROUNDS]
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=quiet.sh
. "$ROOT/bench/quiet.sh"
rounds=${1:-3}
readonly STACK=uvlhub-bench-gaps PORT=18080

[ "$(docker info --format '{{.Swarm.LocalNodeState}}')" = inactive ] || { echo "update-gaps: this engine is in a swarm" >&2 && exit 1; }
folder=$(mktemp -d)
appHost=$ROOT/AppHost/bin/Debug/net10.0/AppHost
step() {
    HTTP_PORT=$PORT DOTNET_hostBuilder__reloadConfigOnChange=false "$appHost" --operation publish --step "$1" --output-path "$folder/out" \
        --Uvlhub:Publish:Name=$STACK --Uvlhub:Secrets=generated --Uvlhub:Domain=localhost --Uvlhub:Version=bench --yes=true >"$folder/log" 2>&1 ||
        { cat "$folder/log" >&2 && return 1; }
}
clean() {
    step destroy || true
    docker volume ls --quiet --filter name=${STACK}_ | xargs --no-run-if-empty docker volume rm >/dev/null || true
    docker swarm leave --force >/dev/null
    rm -rf "$folder"
}
trap clean EXIT
docker swarm init --advertise-addr 127.0.0.1 >/dev/null
step deploy

# Writes a line for each request until it is ended: when it was answered, in ns, and with what.
ask() {
    while :; do
        printf '%s %s\n' "$(curl --silent --output /dev/null --max-time 10 --write-out '%{http_code}' http://localhost:$PORT/ || true)" "$(date +%s%N)"
        sleep 0.02
    done
}

for service in web rosemary nginx db; do
    for _ in $(seq "$rounds"); do
        await_quiet >&2
        ask >"$folder/asked" &
        asking=$!
        sleep 2
        docker service update --force --quiet "${STACK}_$service" >/dev/null
        sleep 20
        kill $asking
        wait $asking 2>/dev/null || true
        awk -v service="$service" '
            $1 == 200 { if (failed) gap += $2 - since; failed = 0; since = $2; answered++; next }
            { failed = 1; failures++ }
            END { printf "%-10s replaced: %5.1f s without an answer, %d of %d requests failed\n", service, gap / 1e9, failures, answered + failures }
        ' "$folder/asked"
    done
done
