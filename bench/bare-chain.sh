#!/usr/bin/env bash
# What a cold start cannot be shorter than on this machine: MariaDB, upgrade, seed and Flask by hand on the same images, with no
# orchestrator, no dashboard, no nginx, no telemetry and no health check, and everything at once that does not need the other.
# bench/bare-chain.sh [ROUNDS]; the images have to be there (any start of the AppHost makes them).
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=quiet.sh
. "$ROOT/bench/quiet.sh"
readonly NAME=uvlhub-bare-chain PORT=15988
readonly STARTUP=$ROOT/AppHost/Site/Flask/startup
fail() {
    echo "bare-chain: $*" >&2
    exit 1
}
image() { docker images --format '{{.Repository}}:{{.Tag}}' "uvlhub-aspire/$1" | head -n 1 | grep . || fail "there is no image uvlhub-aspire/$1; start the AppHost once"; }
now() { date +%s%N; }

clean() {
    docker rm --force "$NAME-db" "$NAME-web" "$NAME-toolbox" >/dev/null 2>&1 || true
    docker network rm "$NAME" >/dev/null 2>&1 || true
}

# $1: suffix; the rest: the container's command.
python() {
    local suffix=$1
    shift
    docker run --detach --init --name "$NAME-$suffix" --network "$NAME" --volume "$CHECKOUT:/app" --volume "$STARTUP:/startup:ro" --workdir /app \
        --env-file "$CHECKOUT/.env.docker.example" --env MARIADB_HOSTNAME="$NAME-db" --env WORKING_DIR=/app/ --env PYTHONPATH=/startup \
        --env PYTHONPYCACHEPREFIX=/tmp/pycache "$@" >/dev/null
}

round() {
    local begun
    rm -f "$CHECKOUT/go"
    begun=$(now)
    docker network create "$NAME" >/dev/null
    docker run --detach --name "$NAME-db" --network "$NAME" --tmpfs /var/lib/mysql --env-file "$CHECKOUT/.env.docker.example" "$MARIADB" >/dev/null &
    python web --publish "127.0.0.1:$PORT:5000" "$FLASK" python -c '
import os, time, uvlhub_imports, uvlhub_start
uvlhub_imports.load(["flask"])
while not os.path.exists("/app/go"):
    time.sleep(0.01)
os.environ["FLASK_DEBUG"] = "0"
uvlhub_start.run(uvlhub_start.become(["flask", "run", "--host=0.0.0.0", "--port=5000"]))' &
    # One exec for both commands, and the wait for MariaDB inside.
    python toolbox "$FLASK" python -c '
import os, time, uvlhub_imports, uvlhub_start, pymysql
uvlhub_imports.load_for_commands()
while True:
    try:
        pymysql.connect(host=os.environ["MARIADB_HOSTNAME"], user=os.environ["MARIADB_USER"], password=os.environ["MARIADB_PASSWORD"], database=os.environ["MARIADB_DATABASE"]).close()
        break
    except pymysql.Error:
        time.sleep(0.02)
for command in (["flask", "db", "upgrade"], ["rosemary", "db:seed", "-y"]):
    child = os.fork()
    if child == 0:
        uvlhub_start.run(uvlhub_start.become(command))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, command
open("/app/go", "w").close()' &
    wait
    local _
    for _ in $(seq 3000); do
        ! curl --fail --silent --output /dev/null --max-time 5 "http://127.0.0.1:$PORT/" || break
        sleep 0.02
    done
    echo "$begun $(now)" | awk '{ printf "%.2f\n", ($2 - $1) / 1e9 }'
    curl --fail --silent --output /dev/null "http://127.0.0.1:$PORT/" || {
        docker logs --tail 20 "$NAME-toolbox" >&2
        docker logs --tail 20 "$NAME-web" >&2
        fail "there is no page"
    }
    clean
}

MARIADB=$(image mariadb) FLASK=$(image flask)
CHECKOUT=$(mktemp -d)
trap 'clean; rm -rf "$CHECKOUT"' EXIT
cp -R "$ROOT/samples/minihub/." "$CHECKOUT"
clean
await_quiet
echo "the bare chain: containers made → first page, seconds; load at the start $LOAD"
# The first one brings everything into the machine's caches.
round >/dev/null
for _ in $(seq "${1:-6}"); do round; done | sort -n | awk '{ v[NR] = $1; print } END { printf "median %.2f\n", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
