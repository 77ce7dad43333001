#!/usr/bin/env bash
# What a start costs when there is nothing to migrate: the runner's check against 'flask db upgrade'.
#
#   ./run --detach                # an environment that is up and migrated
#   bench/no-op-check.sh [RUNS] [SETTING...]
#
# SETTINGs are the runner's, for example --Uvlhub:Instance=NAME. Both are run in turn, so that what else the machine does
# falls on both alike. Prints text; bench/results/ keeps what was measured.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=quiet.sh
. "$ROOT/bench/quiet.sh"

runs=10
if [[ "${1:-}" =~ ^[0-9]+$ ]]; then
    runs=$1
    shift
fi

prefix=
for setting in "$@"; do
    case "$setting" in --Uvlhub:Instance=*) prefix="${setting#*=}_" ;; esac
done
readonly TOOLBOX=${TOOLBOX:-${prefix}rosemary_container}

# The program that the AppHost starts.
dotnet build --nologo -v quiet "$ROOT/UvlhubRunner" >/dev/null
program=("$(dotnet msbuild "$ROOT/UvlhubRunner" -getProperty:AheadOfTimeProgram)")
[[ "${program[0]}" != *.dll ]] || program=(dotnet "${program[@]}")

runner() { "${program[@]}" migrate "--Uvlhub:Path=${CHECKOUT:-$ROOT/samples/minihub}" "$@"; }
median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

runner "$@" | grep -q 'nothing to do' || { echo 'The database is not at the head: migrate it first.' >&2; exit 1; }

await_quiet
# Seconds on the clock and of the processor, two columns. The processor's are those of the program itself.
TIMEFORMAT='%R %U %S'
wall_and_cpu() { awk '{ print $1, $2 + $3 }'; }
process=$(mktemp) check=$(mktemp) flask=$(mktemp)
for _ in $(seq "$runs"); do
    { time runner "$@" >"$check.one"; } 2>&1 | wall_and_cpu >>"$process"
    sed -n 's/.*Done in \([0-9.]*\) s.*/\1/p' "$check.one" >>"$check"
    docker exec "$TOOLBOX" bash -c "TIMEFORMAT='%R %U %S'; time flask db upgrade >/dev/null 2>&1" 2>&1 | wall_and_cpu >>"$flask"
done
row() { printf '%-48s %8s s %8s s\n' "$1" "$2" "$3"; }
echo "Nothing to migrate, medians of $runs runs, $(nproc) cores, load before: $LOAD"
printf '%-48s %10s %10s\n' '' clock processor
row 'flask db upgrade' "$(cut -d' ' -f1 "$flask" | median)" "$(cut -d' ' -f2 "$flask" | median)"
row 'UvlhubRunner, the whole process' "$(cut -d' ' -f1 "$process" | median)" "$(cut -d' ' -f2 "$process" | median)"
row 'UvlhubRunner, its check (connect to verdict)' "$(median <"$check")" '-'
awk -v check="$(median <"$check")" -v flask="$(cut -d' ' -f1 "$flask" | median)" \
    'BEGIN { printf "The check takes %.0f %% of flask db upgrade.\n", 100 * check / flask }'
rm -f "$process" "$check" "$check.one" "$flask"
