#!/usr/bin/env bash
# Measures the AppHost against uvlhub's own docker compose on the same images: bench/run.sh [OPTIONS]. See --help.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=../setup.sh
. "$ROOT/setup.sh"
# shellcheck source=quiet.sh
. "$ROOT/bench/quiet.sh"

main() {
    setup_dotnet
    setup_engine
    setup_image_tool
    setup_linker
    docker compose version >/dev/null 2>&1 || fail "docker's compose plugin is missing, which is what is measured against. Install docker-compose-plugin (Debian: docker-compose), then try again."
    build "$ROOT/bench/Bench/Bench.csproj"
    build "$ROOT/AppHost/AppHost.csproj"
    await_quiet
    BENCH_LOAD=$LOAD exec dotnet "$ROOT/bench/Bench/bin/Debug/net10.0/Bench.dll" "$@"
}

main "$@"
