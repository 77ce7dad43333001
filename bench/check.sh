#!/usr/bin/env bash
# How long './run --check' takes with the built program: bench/check.sh FOLDER. FOLDER has checkouts, one in each subfolder.
# Prints text; bench/results/ keeps what was measured. Questions to a package index are apart: they are asked where the
# checkout's base image is on this machine, and 'docker image ls' should not show it.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=quiet.sh
. "$ROOT/bench/quiet.sh"
folder=${1:?bench/check.sh FOLDER}

dotnet build --nologo -v quiet "$ROOT/AppHost" >/dev/null
program="$ROOT/AppHost/bin/Debug/net10.0/AppHost"
await_quiet
TIMEFORMAT='%R %U %S'
times=$(mktemp) output=$(mktemp)
trap 'rm -f "$times" "$output"' EXIT
declare -A ended=()
crashed=0 checkouts=0
for checkout in "$folder"/*/; do
    checkouts=$((checkouts + 1))
    for _ in 1 2 3; do
        { time "$program" --Uvlhub:Check=true "--Uvlhub:Path=$checkout" >"$output" 2>&1 && code=0 || code=$?; } 2>>"$times"
    done
    ended[$code]=$((${ended[$code]:-0} + 1))
    ! grep -q 'Unhandled exception\|^   at ' "$output" || crashed=$((crashed + 1))
done
echo "./run --check, $checkouts checkouts, three runs each, $(nproc) cores, load before: $LOAD"
awk '{ print $1, $2 + $3 }' "$times" | sort -n | awk '
    { clock[NR] = $1; processor[NR] = $2 }
    END { printf "clock: %.2f s at least, %.2f s median, %.2f s at most; the processor at the median: %.2f s\n",
        clock[1], clock[int((NR + 1) / 2)], clock[NR], processor[int((NR + 1) / 2)] }'
for code in "${!ended[@]}"; do
    echo "exit code $code: ${ended[$code]} checkouts"
done
echo "with a stack trace: $crashed"
